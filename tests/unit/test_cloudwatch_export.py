"""The export ``cloudwatch``, against the request file added up by pandas and AWS's own shapes."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apisim.engine.recorder import REQUEST_DTYPE
from apisim.results.atomic import OutputError
from apisim.results.metric_points import Point
from apisim.results.metric_series import MetricTables
from apisim.results.minute_metrics import Minute, MinuteMetrics
from apisim.scenario import loads
from apisim.studies import run
from apisim.studies.preparation import prepare

SCENARIO = """
apisim: 1
seed: 7
replications: 2
warm_up: 10s
start: 2026-11-02T12:00:00Z
apis:
  users:
    type: rest
    stage: {cache_cluster_size: "0.5", detailed_metrics: true}
    routes:
      GET /users/{userId}:
        integration: {type: lambda_proxy, function: get-user}
        throttle: {rate_limit: 8, burst_limit: 20}
        cache: {ttl: 20s, keys: [path.userId]}
      ANY /users: {integration: {type: lambda_proxy, function: create-user}}
  web:
    type: http
    routes: {GET /x: {integration: {type: lambda_proxy, function: get-user}}}
functions:
  get-user: {duration: {p50: 40ms, p99: 300ms}, init: {p50: 250ms, p99: 900ms}}
  create-user: {duration: {p50: 1s, p99: 20s}, reserved_concurrency: 2, errors: 5%}
traffic:
  api:
    phases: [{duration: 59s, rate: 20}, {duration: 80s, rate: 0}, {duration: 20s, rate: 15}]
    mix: {'users GET /users/{userId}': 8, users POST /users: 1, web GET /x: 2}
    values: {path.userId: {zipf: 1.1, of: 100}}
    network: {rtt: {p50: 20ms, p99: 120ms}}
"""
NAMES = {"4XXError": 4, "5XXError": 5, "4xx": 4, "5xx": 5}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of one run."""
    found = tmp_path_factory.mktemp("cloudwatch")
    exports = {"cloudwatch": [found / "m.json", found / "m.csv"]}
    run(loads(SCENARIO), engine="simpy", requests=found / "r.csv", exports=exports)
    return found


@pytest.fixture(scope="module")
def requests(directory: Path) -> pd.DataFrame:
    """Request rows with the minute each belongs to."""
    rows = pd.read_csv(directory / "r.csv")
    way = (rows.latency_ns - rows.gateway_latency_ns).clip(lower=0) // 2
    ended = pd.to_timedelta(rows.arrival_ns + way + rows.gateway_latency_ns, unit="ns")
    rows["minute"] = (pd.Timestamp("2026-11-02T12:00Z") + ended).dt.floor("min")
    return rows


@pytest.fixture(scope="module")
def document(directory: Path) -> dict:
    return json.loads((directory / "m.json").read_text())


def samples(rows: pd.DataFrame, metric: str) -> pd.Series:
    """What each request adds to a metric; NaN for nothing."""
    if metric in NAMES:
        return (rows.status // 100 == NAMES[metric]).astype(float)
    if metric in ("CacheHitCount", "CacheMissCount"):
        return (rows.cache == ("hit" if metric == "CacheHitCount" else "miss")).astype(float)
    of = {
        "Count": rows.status * 0.0 + 1,
        "Latency": rows.gateway_latency_ns / 1e6,
        "IntegrationLatency": rows.integration_latency_ns / 1e6,
        "DataProcessed": (rows.request_bytes + rows.response_bytes).astype(float),
    }
    return of[metric]


def expected(requests: pd.DataFrame, query: dict) -> pd.Series:
    """Values of a query by minute, made of request rows alone."""
    metric = query["MetricStat"]["Metric"]
    names = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
    rows = requests[requests.replication == 0]
    rows = rows[rows.api == names.get("ApiName", names.get("ApiId"))]
    if "Resource" in names:
        rows = rows[rows.route.str.partition(" ")[2] == names["Resource"]]
        assert names["Method"] == ("POST" if names["Resource"] == "/users" else "GET")
    values = samples(rows, metric["MetricName"]).dropna().groupby(rows.minute)
    stat = query["MetricStat"]["Stat"]
    if stat.startswith("p"):
        share = float(stat[1:]) / 100
        return values.apply(lambda one: np.quantile(one, share, method="inverted_cdf"))
    words = {"SampleCount": "count", "Average": "mean", "Minimum": "min", "Maximum": "max"}
    return values.agg(words.get(stat, "sum"))


def test_all_values_are_those_of_the_request_rows(document: dict, requests: pd.DataFrame) -> None:
    for query, result in zip(
        document["MetricDataQueries"], document["MetricDataResults"], strict=True
    ):
        assert query["Id"] == result["Id"]
        wanted = expected(requests, query)
        assert [pd.Timestamp(one) for one in result["Timestamps"]] == list(wanted.index), query
        # Percentiles have four significant digits.
        tolerance = 5.1e-4 if query["MetricStat"]["Stat"].startswith("p") else 1e-9
        np.testing.assert_allclose(result["Values"], wanted, rtol=tolerance, atol=1e-6)


def test_what_there_is(document: dict) -> None:
    dimensions = {
        tuple(one["Value"] for one in query["MetricStat"]["Metric"]["Dimensions"])
        for query in document["MetricDataQueries"]
    }
    assert dimensions == {
        ("users",),
        ("users", "prod"),
        ("users", "prod", "GET", "/users/{userId}"),
        ("users", "prod", "POST", "/users"),
        ("web",),
        ("web", "$default"),
    }
    count = document["MetricDataResults"][0]
    assert count["Label"] == "users Count SampleCount"
    # Nothing arrived in the second minute: no sample, and not a sample of 0.
    assert count["Timestamps"][0] == "2026-11-02T12:00:00Z"
    assert len(count["Timestamps"]) < 4


def test_aws_takes_the_queries_and_knows_the_answer(document: dict) -> None:
    session = pytest.importorskip("botocore.session").get_session()
    from botocore.validate import ParamValidator

    service = session.get_service_model("cloudwatch")
    operation = service.operation_model("GetMetricData")
    request = {
        "MetricDataQueries": document["MetricDataQueries"],
        "StartTime": "2026-11-02T12:00:00Z",
        "EndTime": "2026-11-02T13:00:00Z",
    }
    report = ParamValidator().validate(request, operation.input_shape)
    assert not report.has_errors(), report.generate_report()
    shape = operation.output_shape.members["MetricDataResults"]
    report = ParamValidator().validate(document["MetricDataResults"], shape)
    assert not report.has_errors(), report.generate_report()
    ids = [one["Id"] for one in document["MetricDataResults"]]
    assert all(re.fullmatch("[a-z][a-zA-Z0-9_]*", one) for one in ids)
    assert len(set(ids)) == len(ids)
    assert {one["StatusCode"] for one in document["MetricDataResults"]} == {"Complete"}


def test_the_table_has_all_replications_and_the_same_values(
    directory: Path, document: dict
) -> None:
    table = pd.read_csv(directory / "m.csv", parse_dates=["timestamp"], keep_default_na=False)
    assert set(table.replication) == {0, 1}
    first = table[(table.replication == 0) & (table.metric == "Latency") & (table.ApiId == "web")]
    first = first[first.Stage == "$default"]
    for statistic in ("SampleCount", "Sum", "Maximum", "p99"):
        label = f"web $default Latency {statistic}"
        (mine,) = (one for one in document["MetricDataResults"] if one["Label"] == label)
        assert [float(one) for one in first[statistic]] == mine["Values"]
        assert list(first.timestamp) == [pd.Timestamp(one) for one in mine["Timestamps"]]
    counts = table[(table.metric == "Count") & (table.Stage == "")].groupby("replication")
    rows = pd.read_csv(directory / "r.csv").groupby("replication").size()
    assert counts.SampleCount.sum().astype(int).to_dict() == rows.to_dict()


def test_workers_change_nothing(directory: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    run(loads(SCENARIO), engine="simpy", workers=2, exports={"cloudwatch": path})
    assert path.read_bytes() == (directory / "m.csv").read_bytes()


@pytest.mark.parametrize("n_rows", [1, 7, 500])
def test_batches_change_nothing(n_rows: int) -> None:
    program = prepare(loads(SCENARIO), engine="simpy", skip_bad_rows=False, extend=None).program
    tables = MetricTables(program)
    rng = np.random.default_rng(1)
    rows = np.zeros(500, REQUEST_DTYPE)
    rows["arrival_ns"] = np.sort(rng.integers(0, 300_000_000_000, 500))
    rows["gateway_ns"] = rng.integers(0, 90_000_000_000, 500)
    rows["latency_ns"] = rows["gateway_ns"] + rng.integers(0, 10**9, 500)
    rows["cell"] = rng.integers(0, len(program.names.cells), 500)
    rows["integration_ns"] = rng.integers(-1, 10**9, 500)
    rows["status"] = 200

    def added_up(size: int) -> list[tuple]:
        found: list[Minute] = []
        metrics = MinuteMetrics(tables, found.append)
        for first in range(0, 500, size):
            rest = rows["arrival_ns"][first + size : first + size + 1]
            metrics(rows[first : first + size], int(rest[0]) if len(rest) else 300_000_000_000)
        metrics.finish(completed=True, until_ns=0)
        assert [one.number for one in found] == list(range(len(found)))
        return [
            (one.number, key, point.count, point.total, point.percentile(90) if key[1] in
             ("Latency", "DataProcessed") else 0)
            for one in found
            for key, point in sorted(one.points.items())
        ]  # fmt: skip

    assert added_up(n_rows) == added_up(500)


def test_sums_are_exact_and_percentiles_have_four_digits() -> None:
    values = np.array([29_000_000_000, 123_456_789, 1, 0, 29_000_000_000])
    point = Point.of(values[:2]).joined(Point.of(values[2:]))
    assert (point.count, point.total, point.low, point.high) == (5, 58_123_456_790, 0, 29 * 10**9)
    assert [point.percentile(p) for p in (20, 40, 60, 61, 100)] == [
        0, 1, 123_500_000, 29 * 10**9, 29 * 10**9,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("exports", "message"),
    [
        ({"cloudwach": "m.json"}, r"no export 'cloudwach'.*\(did you mean cloudwatch\?\)"),
        ({"cloudwatch": "m.txt"}, "written to a file ending in .json or .csv"),
        ({"cloudwatch": ["m.csv", "./m.csv"]}, "asked for twice"),
        ({"cloudwatch": "nowhere/m.csv"}, "No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_is_refused_first(
    exports: dict, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match=message):
        run(loads(SCENARIO), engine="simpy", exports=exports)
    assert not list(tmp_path.iterdir())
