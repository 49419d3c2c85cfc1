"""Verdicts and intervals."""

import math

import numpy as np
import pytest
from scipy import stats

from apisim.results.statistics import Interval, jackknife_interval, t_interval
from apisim.scenario import ScenarioError, loads
from apisim.studies import run

BASE = """
apisim: 1
profile: ideal
apis:
  a:
    type: rest
    stage: {cache_cluster_size: "0.5"}
    routes:
      GET /slow:
        integration: {type: lambda_proxy, function: f}
        request_size: 100B
        response_size: 900B
      GET /cached:
        integration: {type: lambda_proxy, function: f}
        cache: {ttl: 5m, keys: []}
      GET /limited: {integration: {type: mock}, throttle: {rate_limit: 0, burst_limit: 3}}
      GET /broken: {integration: {type: lambda_proxy, function: broken}}
functions:
  f: {duration: 200ms, init: 300ms}
  broken: {duration: 1ms, errors: 100%}
traffic:
  slow:
    arrivals: uniform
    offset: 0
    phases: [{name: all, duration: 10s, rate: 1}]
    mix: {GET /slow: 1}
  cached:
    arrivals: uniform
    offset: 0
    phases: [{name: all, duration: 10s, rate: 1}]
    mix: {GET /cached: 1}
  limited:
    arrivals: uniform
    offset: 0
    phases: [{name: all, duration: 10s, rate: 1}]
    mix: {GET /limited: 1}
  broken:
    arrivals: uniform
    offset: 0
    phases: [{name: all, duration: 5s, rate: 2}]
    mix: {GET /broken: 1}
"""


def verdicts_of(*thresholds: str, more: str = "", **options):
    """Verdicts on thresholds of the form ``metric => condition``."""
    lines = "".join(
        f"  '{metric.strip()}': ['{condition.strip()}']\n"
        for metric, condition in (one.split("=>") for one in thresholds)
    )
    return run(loads(f"{BASE}{more}thresholds:\n{lines}"), **options).thresholds


@pytest.mark.parametrize(
    ("threshold", "value", "unit", "ok"),
    [
        ("requests => count<=40", 40, "count", True),
        ("requests => rate<4/s", 4.0, "per_second", False),
        # The source is there for 5 of the 10 seconds.
        ("requests{traffic: broken} => rate==2/s", 2.0, "per_second", True),
        ("requests{status: 429} => count<7", 7, "count", False),
        ('latency{route: "GET /slow"} => p(50)<=200ms', 200.0, "ms", True),
        ('latency{route: "GET /slow"} => max<0.4s', 500.0, "ms", False),
        ('latency{route: "GET /slow"} => avg<231ms', 230.0, "ms", True),
        ('latency{route: "GET /slow"} => min>=200ms', 200.0, "ms", True),
        ("latency{traffic: limited, phase: all} => max<1ns", 0.0, "ms", True),
        ("integration_latency{traffic: broken} => med<=1ms", 1.0, "ms", True),
        ("gateway_latency{api: a, stage: prod} => max<=500ms", 500.0, "ms", True),
        ("errors_4xx => count==7", 7, "count", True),
        ("errors_4xx => rate<10%", 7 / 40, "share", False),
        ("errors_5xx => rate<=25%", 10 / 40, "share", True),
        ("failed => count<=17", 17, "count", True),
        ("availability => rate>=57.5%", 23 / 40, "share", True),
        ("throttled{traffic: limited} => rate<70%", 0.7, "share", False),
        ("cache_hits => rate>=90%", 0.9, "share", True),
        ("cache_misses => count<=1", 1, "count", True),
        ("cold_starts => count<=3", 3, "count", True),
        ("data_processed{traffic: slow} => count<=10000B", 10_000, "bytes", True),
        ("cost_run => value<1", 0.0002, "money", True),
    ],
)
def test_a_metric_has_the_value_worked_out_by_hand(threshold, value, unit, ok):
    (verdict,) = verdicts_of(threshold)
    tolerance = 1 if unit == "money" else 1e-12
    assert verdict.value == pytest.approx(value, rel=tolerance)
    assert (verdict.unit, verdict.ok) == (unit, ok)
    assert verdict.conclusive is None
    assert verdict.interval is None


def test_counts_are_means_over_replications():
    one, three = (
        verdicts_of("requests => count<=40", "throttled => count<=7", replications=n)
        for n in (1, 3)
    )
    assert [verdict.value for verdict in three] == [verdict.value for verdict in one] == [40, 7]
    assert all(verdict.conclusive for verdict in three)


def test_what_was_not_measured_meets_no_condition():
    verdicts = verdicts_of(
        "latency{traffic: slow, phase: all, route: GET /broken} => p(95)<1s",
        "errors_4xx{traffic: slow, route: GET /broken} => rate<1%",
    )
    assert all(math.isnan(verdict.value) and not verdict.ok for verdict in verdicts)
    assert [verdict.to_dict()["value"] for verdict in verdicts] == [None, None]
    assert {(one.conclusive, one.reason) for one in verdicts} == {(False, "nothing measured")}


@pytest.mark.parametrize(
    ("metric", "key", "replications"),
    [("wrong_answers", "depends_on", 1), ("stale_answers", "updates", 3)],
)
def test_answers_that_nobody_looked_at_meet_no_condition(metric, key, replications):
    # BASE has a cache, but says neither on what its answers depend nor how often they change.
    verdicts = verdicts_of(f"{metric} => count<1", replications=replications)
    verdicts += verdicts_of(f"{metric} => rate<1%", replications=replications)
    for verdict in verdicts:
        assert (math.isnan(verdict.value), verdict.ok, verdict.conclusive) == (True, False, False)
        assert verdict.reason == f"nothing measured: no route has {key}"
        assert verdict.to_dict()["reason"] == verdict.reason


def test_what_a_threshold_is_about_must_be_said_where_it_looks():
    said = BASE.replace("keys: []}", "keys: []}\n        depends_on: []\n        updates: 1/h")
    assert said != BASE
    lines = "".join(
        f"  '{metric}{tags}': ['count<5']\n"
        for metric in ("wrong_answers", "stale_answers")
        for tags in ("", "{traffic: cached}", "{traffic: slow}")
    )
    verdicts = run(loads(f"{said}thresholds:\n{lines}")).thresholds
    assert [verdict.ok for verdict in verdicts] == [True, True, False] * 2
    # An answer that is said to depend on nothing is measured, and is never wrong.
    assert verdicts[0].value == verdicts[1].value == 0


QUOTA = """
apisim: 1
apis:
  a:
    type: rest
    routes:
      GET /x:
        integration: {type: mock}
        api_key_required: true
        throttle: {rate_limit: 0, burst_limit: 9}
usage_plans: {free: {quota: {limit: 6, period: day}, api_keys: [k], api_stages: {a: {}}}}
traffic:
  web:
    arrivals: uniform
    offset: 0
    api_key: k
    phases: [{duration: 10s, rate: 1}]
    mix: {GET /x: 1}
"""


def test_refusals_of_quotas_are_a_metric_beside_those_of_throttles():
    text = f"{QUOTA}thresholds: {{throttled: [count<1], quota_refused: [count==4, rate<=40%]}}\n"
    result = run(loads(text))
    assert result.requests.by_status == {200: 6, 429: 4}
    assert [(one.value, one.ok) for one in result.thresholds] == [(0, True), (4, True), (0.4, True)]
    (note,) = [one for one in result.notes if "quota_refused" in one]
    assert note.startswith("thresholds on throttled leave out 4 requests that quotas refused")
    assert not any("quota_refused" in one for one in run(loads(QUOTA)).notes)


RANDOM = """
apisim: 1
profile: ideal
replications: 5
apis: {a: {type: rest, routes: {GET /x: {integration: {type: lambda_proxy, function: f}}}}}
functions: {f: {duration: {exponential: 100ms}}}
traffic: {web: {phases: [{duration: 10s, rate: 30}], mix: {GET /x: 1}}}
"""


def test_a_verdict_is_conclusive_if_the_interval_lies_on_its_side():
    result = run(loads(RANDOM))
    interval = result.intervals["latency p(95)"]
    assert interval.low < result.latency_ms.p95 < interval.high
    inside = (interval.low + result.latency_ms.p95) / 2
    limits = {"far": interval.high * 1.01, "inside": inside, "below": interval.low * 0.99}
    conditions = ", ".join(f"'p(95)<{limit:.6f}ms'" for limit in limits.values())
    result = run(loads(f"{RANDOM}thresholds: {{latency: [{conditions}]}}\n"))
    far, within, below = result.thresholds
    assert (far.ok, far.conclusive) == (True, True)
    assert (within.ok, within.conclusive) == (False, False)
    assert (below.ok, below.conclusive) == (False, True)
    assert (far.reason, below.reason) == ("", "")
    assert within.reason == "the 95% interval over replications reaches over the limit"
    assert f"? {within.reason}" in " ".join(str(result).split())
    assert far.interval == interval
    assert (result.ok, result.is_conclusive) == (False, False)


def test_intervals_are_students_over_the_replications_values():
    result = run(loads(RANDOM))
    frame = result.frame("replications")
    values = frame["cost_run value"].to_numpy()
    low, high = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    interval = result.intervals["cost_run value"]
    assert (interval.mean, interval.low, interval.high) == pytest.approx((values.mean(), low, high))
    # None was seen: at most three in all replications.
    bound = 3 / frame["requests"].sum()
    none = Interval(0.0, 0.0, bound, method="events", events=0)
    assert result.intervals["throttled rate"] == none


def test_an_interval_is_never_narrower_than_the_values_can_be_told_apart():
    assert t_interval([5.0, 5.0, 5.0]) == Interval(5.0, 5.0, 5.0)
    assert t_interval([5.0, 5.0, 5.0], resolution=0.5) == Interval(5.0, 4.5, 5.5)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, float("nan")]])
def test_there_is_no_interval_where_nothing_spreads(values):
    assert t_interval(values) is None


def test_the_jackknife_of_a_mean_is_its_t_interval():
    values = np.random.default_rng(5).normal(10, 2, 12)
    left_out = [float(np.delete(values, at).mean()) for at in range(12)]
    jackknife = jackknife_interval(float(values.mean()), left_out)
    students = t_interval(values.tolist())
    assert (jackknife.low, jackknife.high) == pytest.approx((students.low, students.high))
    assert jackknife_interval(1.0, [1.0]) is None


@pytest.mark.parametrize(
    ("threshold", "reason"),
    [
        ("call_latency => p(95)<1s", "call_latency is not measured"),
        ("dropped => count<1", "dropped is not measured"),
        ("throttled{window: 1m} => max<5%", "windows are not measured yet"),
        ("latency{status: 200} => p(95)<1s", "not kept by status"),
        ("requests{status: ok} => count<1", "a status is a number"),
        ("cost_run{api: a} => value<1", "the whole bill"),
    ],
)
def test_a_threshold_on_what_is_not_measured_is_refused_at_its_place(threshold, reason):
    with pytest.raises(ScenarioError, match=reason) as caught:
        verdicts_of(threshold)
    (problem,) = caught.value.problems
    assert problem.line == BASE.count("\n") + 2
