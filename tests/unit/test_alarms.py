"""Alarms over a run, against an evaluator of its own on request rows; and what is refused."""

import json
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from apisim.results.result import Result
from apisim.scenario import Scenario, ScenarioError, loads
from apisim.scenario.lints import lint
from apisim.studies import run

SCENARIO = """
apisim: 1
seed: 3
replications: 2
apis:
  shop:
    type: rest
    stage: {name: live, detailed_metrics: true}
    routes:
      GET /items:
        integration: {type: lambda_proxy, function: f}
        throttle: {rate_limit: 8, burst_limit: 8}
      GET /slow: {integration: {type: lambda_proxy, function: g}}
  web: {type: http, routes: {GET /: {integration: {type: lambda_proxy, function: f}}}}
functions:
  f: {duration: {p50: 40ms, p99: 300ms}}
  g: {duration: {p50: 400ms, p99: 3s}}
traffic:
  many:
    phases:
      - {duration: 2m, rate: 4}
      - {duration: 150s, rate: 20}
      - {duration: 200s, rate: 3}
      - {duration: 3m, rate: 0}
      - {duration: 90s, rate: 12}
    mix: {shop GET /items: 8, shop GET /slow: 1, web GET /: 1}
alarms:
  both: {composite: throttling AND NOT quiet}
  throttling: {metric: errors_4xx, api: shop, statistic: sum, above: 60, datapoints: 2 of 3}
  quiet: {metric: Count, api: shop, stage: live, statistic: sum, below: 100, missing: breaching}
  slow: {metric: gateway_latency, api: shop, route: GET /slow, statistic: p90, at_least: 1s,
         period: 2m, missing: ignore}
  rate: {metric: 4XXError, api: shop, statistic: average, at_most: 5%, datapoints: 2}
  never: {metric: 5xx, api: web, statistic: sample_count, above: 1000000, missing: not_breaching}
"""
OPERATORS = {"above": "gt", "below": "lt", "at_least": "ge", "at_most": "le"}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return loads(SCENARIO)


@pytest.fixture(scope="module")
def finished(
    scenario: Scenario, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Result, pd.DataFrame]:
    path = tmp_path_factory.mktemp("alarms") / "r.csv"
    result = run(scenario, engine="simpy", requests=path)
    rows = pd.read_csv(path)
    way = (rows.latency_ns - rows.gateway_latency_ns) // 2
    rows["minute"] = (rows.arrival_ns + way + rows.gateway_latency_ns) // 60_000_000_000
    return result, rows


def datapoints(rows: pd.DataFrame, minute: int, period: int, statistic: str, metric: str) -> float:
    """Value of one datapoint whose last minute is given; NaN without requests."""
    rows = rows[(rows.minute > minute - period) & (rows.minute <= minute)]
    if rows.empty:
        return float("nan")
    if metric == "Latency":
        values = rows.gateway_latency_ns / 1e6
        return values.sort_values().iloc[-(-len(values) * 90 // 100) - 1]
    values = pd.Series(1.0, rows.index) if metric == "Count" else (rows.status // 100 == 4) * 1.0
    return values.mean() if statistic == "average" else values.sum()


#: Alarm: rows, metric, statistic, word, limit, m, n, period, missing; written a second time here.
EXPECTED = {
    "throttling": ("api == 'shop'", "4XX", "sum", "above", 60, 2, 3, 1, "missing"),
    "quiet": ("api == 'shop'", "Count", "sum", "below", 100, 1, 1, 1, "breaching"),
    "slow": ("route == 'GET /slow'", "Latency", "p90", "at_least", 1000, 1, 1, 2, "ignore"),
    "rate": ("api == 'shop'", "4XX", "average", "at_most", 0.05, 2, 2, 1, "missing"),
}
N_MINUTES = 12  # 740 s


def states(rows: pd.DataFrame, name: str) -> list[str]:
    """States at the end of each minute, by the rules of the user guide taken word for word."""
    of, metric, statistic, word, limit, m, n, period, missing = EXPECTED[name]
    rows = rows.query(of)
    found = ["INSUFFICIENT_DATA"]
    for minute in range(N_MINUTES):
        ends = [minute - period * back for back in range(n + 2)]  # the newest first
        values = pd.Series(
            [datapoints(rows, end, period, statistic, metric) for end in ends], dtype=float
        )
        breaches = getattr(values, OPERATORS[word])(limit).where(values.notna())
        real = breaches.dropna()
        filled = real.iloc[:n].astype(bool).tolist()
        if len(filled) < n and missing == "breaching":
            filled += [True] * (n - len(filled))
        if sum(filled) >= m:
            found.append("ALARM")
        elif missing == "breaching" or len(filled) >= n or not all(filled):
            found.append("OK")
        elif missing == "ignore":
            found.append(found[-1])
        else:
            oldest = breaches.last_valid_index()
            is_old = oldest is not None and oldest + 1 >= m
            found.append("ALARM" if is_old else "INSUFFICIENT_DATA")
    return found


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("replication", [0, 1])
def test_states_are_those_of_the_request_rows(
    name: str, replication: int, finished: tuple[Result, pd.DataFrame]
) -> None:
    result, rows = finished
    wanted = states(rows[rows.replication == replication], name)
    assert len(set(wanted)) > 1  # something happens
    (history,) = (
        one for one in result.alarms if (one.name, one.replication) == (name, replication)
    )
    changes = [
        (60.0 * minute, before, after)
        for minute, (before, after) in enumerate(pairwise(wanted), 1)
        if before != after
    ]
    assert [(one.time_s, one.before, one.after) for one in history.transitions] == changes
    assert history.state == wanted[-1]
    assert history.alarm_s == 60.0 * wanted[:-1].count("ALARM")
    firsts = [time for time, _, after in changes if after == "ALARM"]
    assert history.alarms == len(firsts)
    assert history.first_alarm_s == (firsts[0] if firsts else None)
    mine = rows[(rows.replication == replication)].query(EXPECTED[name][0])
    if firsts:
        mine = mine[mine.minute < firsts[0] / 60]
    assert history.refused_before_alarm == (mine.status == 429).sum()
    assert history.failed_before_alarm == (mine.status >= 400).sum()


def test_a_composite_follows_its_parts(
    finished: tuple[Result, pd.DataFrame],
) -> None:
    result, rows = finished
    mine = rows[rows.replication == 0]
    parts = zip(states(mine, "throttling")[1:], states(mine, "quiet")[1:], strict=True)
    wanted = ["ALARM" if a == "ALARM" and b != "ALARM" else "OK" for a, b in parts]
    wanted = ["INSUFFICIENT_DATA", *wanted]
    both = result.alarms[0]
    assert both.name == "both"
    assert both.condition == "throttling AND NOT quiet"
    assert [(one.time_s, one.after) for one in both.transitions] == [
        (60.0 * minute, after)
        for minute, (before, after) in enumerate(pairwise(wanted), 1)
        if before != after
    ]
    assert both.transitions[1].reason == "throttling is ALARM, quiet is OK"


def test_an_alarm_that_never_goes_off_counts_the_whole_run(
    finished: tuple[Result, pd.DataFrame],
) -> None:
    result, rows = finished
    never = result.alarms[5]
    assert (never.name, never.state, never.first_alarm_s) == ("never", "OK", None)
    of_web = rows[(rows.replication == 0) & (rows.api == "web")]
    assert never.failed_before_alarm == (of_web.status >= 400).sum()


def test_where_they_are_shown(finished: tuple[Result, pd.DataFrame]) -> None:
    result, _ = finished
    document = json.loads(json.dumps(result.to_dict()))["alarms"]
    assert [(one["name"], one["replication"]) for one in document[:2]] == [
        ("both", 0), ("throttling", 0),
    ]  # fmt: skip
    assert set(document[1]["transitions"][0]) == {"time_s", "from", "to", "reason"}
    table = result.frame("alarms")
    assert list(table.alarm) == 2 * list(result.scenario.alarms)
    assert table.groupby("alarm").first_alarm_s.count()["never"] == 0
    assert table.groupby("alarm").first_alarm_s.count()["throttling"] == 2
    text = result.summary()
    assert "throttling: sum of errors_4xx above 60, 2 of 3 of 1m" in text
    assert "2 of 2" in text


def test_workers_change_nothing(scenario: Scenario, finished: tuple[Result, pd.DataFrame]) -> None:
    assert run(scenario, engine="simpy", workers=2).alarms == finished[0].alarms


def test_an_alarm_without_a_whole_minute_knows_nothing(scenario: Scenario) -> None:
    result = run(scenario, engine="simpy", duration="50s", replications=1)
    assert {one.state for one in result.alarms} == {"INSUFFICIENT_DATA"}


def test_a_resolved_scenario_has_the_same_alarms(scenario: Scenario, tmp_path: Path) -> None:
    assert loads(scenario.to_yaml(), base=tmp_path).alarms == scenario.alarms


def test_an_alarm_on_errors_is_noticed_by_lints(scenario: Scenario) -> None:
    assert "no-alarm-on-4xx" not in {one.code for one in lint(scenario)}
    without = loads(SCENARIO.partition("alarms:")[0])
    assert "no-alarm-on-4xx" in {one.code for one in lint(without)}


@pytest.mark.parametrize(
    ("alarm", "problem"),
    [
        ("{metric: latency, api: shop, statistic: sum, above: 1}",
         "x.metric: CloudWatch has no metric latency (CloudWatch knows the gateway's"),
        ("{metric: errors4xx, api: shop, statistic: sum, above: 1}",
         "x.metric: errors4xx is not a metric of API Gateway (did you mean errors_4xx?)"),
        ("{metric: Count, api: shop, statistic: total, above: 1}",
         "x.statistic: total is not a statistic"),
        ("{metric: Count, api: shop, statistic: p99, above: 1}",
         "x.statistic: a percentile of Count says nothing"),
        ("{metric: Count, api: shop, above: 1}", "x: statistic is required"),
        ("{metric: Count, api: shop, statistic: sum}",
         "x: exactly one of above, at_least, below and at_most is required"),
        ("{metric: Count, api: shop, statistic: sum, above: 1, below: 2}",
         "x.below: exactly one of"),
        ("{metric: Count, api: shop, statistic: sum, above: 5%}", "x.above: 5% is a share"),
        ("{metric: Latency, api: shop, statistic: p99, above: 500}", "x.above: "),
        ("{metric: Count, api: shop, statistic: sum, above: 1, period: 90s}",
         "x.period: 90s is not a multiple of 1m"),
        ("{metric: Count, api: shop, statistic: sum, above: 1, datapoints: 4 of 3}",
         "x.datapoints: 4 of 3 cannot be"),
        ("{metric: Count, api: shop, statistic: sum, above: 1, datapoints: 1 of 2000}",
         "x.datapoints: 2000 periods of 1m are above the 1d maximum"),
        ("{metric: Count, api: shop, statistic: sum, above: 1, missing: breach}",
         "x.missing: must be one of missing, ignore, breaching, not_breaching"),
        ("{metric: Count, api: shop, statistic: sum, threshold: 1}",
         "x.threshold: is written with its operator"),
        ("{metric: Count, statistic: sum, above: 1}",
         "x: api is required where there are several"),
        ("{metric: Count, api: shp, statistic: sum, above: 1}",
         "x.api: shp is not defined under apis (did you mean shop?)"),
        ("{metric: Count, api: shop, stage: prod, statistic: sum, above: 1}",
         "x.stage: the API shop has no such stage (its stages: live)"),
        ("{metric: 5xx, api: shop, statistic: sum, above: 1}",
         "x.metric: CloudWatch has no 5xx of a rest API"),
        ("{metric: cache_hits, api: shop, statistic: sum, above: 1}",
         "x.metric: cache_hits needs a cache"),
        ("{metric: Count, api: shop, route: GET /item, statistic: sum, above: 1}",
         "x.route: GET /item is not a route of shop (did you mean GET /items?)"),
        ("{metric: Count, api: web, route: GET /, statistic: sum, above: 1}",
         "x.route: CloudWatch has no metrics of the routes of web"),
        ("{composite: a AND}", "x.composite: the name of an alarm is missing before the end"),
        ("{composite: throtling}", "x.composite: throtling is not an alarm"),
        ("{composite: y OR x}", "x.composite: looks at itself"),
        ("{composite: throttling, period: 5m}", "x.period: a composite alarm has nothing else"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(alarm: str, problem: str) -> None:
    text = SCENARIO + f"  x: {alarm}\n  y: {{composite: throttling}}\n"
    with pytest.raises(ScenarioError) as caught:
        loads(text, "s.yaml")
    said = [
        f"{one.path}: {one.message} ({one.hint})".replace('"', "") for one in caught.value.problems
    ]
    assert any(one.startswith(f"alarms.{problem}") for one in said), said
    places = [text.splitlines()[one.line - 1] for one in caught.value.problems]
    assert all(one.startswith("  x:") for one in places)
