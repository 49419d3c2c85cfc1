"""Every reported figure has an interval, made by the method that is right for it."""

import math

import numpy as np
import pytest
from scipy import stats

from apisim.results.estimates import interval_of
from apisim.results.metrics import Measure, Reading
from apisim.scenario import loads
from apisim.studies import run

#: A queue that refuses some calls, two phases, two routes, a cache and a function.
QUEUE = """
apisim: 1
name: a queue
profile: ideal
replications: 6
apis:
  a:
    type: rest
    stage: {cache_cluster_size: "0.5"}
    routes:
      GET /queue:
        integration: {type: http_proxy, endpoint: e}
        throttle: {rate_limit: 9, burst_limit: 10}
      GET /cached/{id}:
        integration: {type: lambda_proxy, function: f}
        cache: {ttl: 5s, keys: [path.id]}
endpoints: {e: {servers: 1, queue_limit: 100, service_time: {exponential: 60ms}}}
functions: {f: {duration: {exponential: 20ms}, init: 100ms}}
traffic:
  web:
    phases: [{name: calm, duration: 60s, rate: 6}, {name: busy, duration: 60s, rate: 20}]
    mix: {GET /queue: 3, "GET /cached/{id}": 1}
    values: {path.id: {uniform: 20}}
pricing: {month: project, represents: steady}
"""


@pytest.fixture(scope="module")
def result():
    return run(loads(QUEUE))


def t_of(degrees: int) -> float:
    return float(stats.t.ppf(0.975, degrees))


def test_every_figure_of_the_summary_has_an_interval(result):
    latencies = ["mean", "p(50)", "p(90)", "p(95)", "p(99)", "p(99.9)"]
    shares = ["throttled", "failed", "errors_4xx", "errors_5xx"]
    groups = [
        "", "{phase:calm}", "{phase:busy}", "{route:GET /queue}", "{route:GET /cached/{id}}",
        "{traffic:web}", "{traffic:web,phase:busy}",
    ]  # fmt: skip
    for tags in groups:
        for label in [f"latency{tags} {one}" for one in latencies]:
            assert result.intervals[label].method == ("ratio" if "mean" in label else "sections")
        for label in [f"{one}{tags} rate" for one in shares] + [f"requests{tags} rate"]:
            assert label in result.intervals
    whole = {"cache_hits rate", "cold_starts count", "availability rate", "goodput rate",
             "integration_latency p(99)", "gateway_latency mean", "cost_run value",
             "cost_month value"}  # fmt: skip
    assert whole <= set(result.intervals)


def test_an_interval_is_about_the_number_that_is_shown(result):
    everything, calm = result.latency_ms, result.phases[0]
    shown = {
        "latency mean": everything.mean,
        "latency p(50)": everything.p50,
        "latency p(99.9)": everything.p99_9,
        "latency{phase:calm} p(95)": calm.latency.p95,
        "latency{route:GET /queue} mean": result.routes[0].latency.mean,
        "throttled rate": result.traffic[-1].throttled / result.requests.total,
        "requests rate": result.traffic[-1].rps,
        "cache_hits rate": result.cache["a"].hit_ratio,
        "availability rate": result.traffic[-1].availability,
        "cold_starts count": result.functions["f"].cold_starts / 6,
        "cost_run value": float(result.bill.run.total),
        "cost_month value": float(result.bill.month.total),
    }
    for label, value in shown.items():
        interval = result.intervals[label]
        assert interval.mean == pytest.approx(value, rel=1e-6), label
        assert interval.low <= interval.mean <= interval.high


def test_a_quantile_s_interval_is_about_all_replications_together(result):
    each = result.frame("replications")["latency p(99)"].to_numpy()
    interval = result.intervals["latency p(99)"]
    pooled = result.latency_ms.p99
    squares = ((each - pooled) ** 2).sum() / 5
    assert interval.half_width == pytest.approx(t_of(5) * math.sqrt(squares / 6), rel=1e-6)
    # About the mean of the replications' own quantiles it would be another one.
    assert each.mean() != pytest.approx(pooled, rel=1e-4)


def test_a_share_s_interval_is_that_of_a_ratio(result):
    frame = result.frame("replications")
    requests = frame["requests"].to_numpy()
    refused = frame["throttled rate"].to_numpy() * requests
    share = refused.sum() / requests.sum()
    residuals = refused - share * requests
    error = math.sqrt((residuals**2).sum() / 5 / 6) / requests.mean()
    assert result.intervals["throttled rate"].half_width == pytest.approx(t_of(5) * error)


def test_a_mean_counts_each_request_alike():
    wanted = Measure("latency", "mean")
    readings = [Reading.ratio(100.0, 10.0), Reading.ratio(3_000.0, 100.0)]
    interval = interval_of(wanted, readings, math.nan)
    assert interval is not None
    assert interval.mean == 3_100 / 110


@pytest.mark.parametrize(
    ("above", "below", "low", "high", "events"),
    [
        ([0, 0], [50, 50], 0.0, 0.03, 0),
        ([50, 50], [50, 50], 0.97, 1.0, 0),
        ([4, 0], [50, 50], 0.010899, 0.102416, 4),
        ([46, 50], [50, 50], 1 - 0.102416, 1 - 0.010899, 4),
    ],
)
def test_few_events_have_exact_bounds(above, below, low, high, events):
    readings = [Reading.ratio(*pair) for pair in zip(above, below, strict=True)]
    interval = interval_of(Measure("throttled", "rate"), readings, math.nan)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-6)
    assert (interval.events, interval.method) == (events, "events")


def test_no_event_at_all_is_at_most_three_in_all_replications():
    readings = [Reading.ratio(0, 1)] * 20
    interval = interval_of(Measure("cold_starts", "count"), readings, math.nan)
    assert interval is not None
    assert interval.high == 3 / 20
    # What is not an event, like the calls themselves, has no such bound.
    assert interval_of(Measure("requests", "count"), readings, math.nan).high == 0.0


def test_a_replication_without_a_value_leaves_no_interval_of_a_quantile():
    readings = [Reading(5.0), Reading(math.nan)]
    assert interval_of(Measure("latency", "p", 99.0), readings, 5.0) is None
    assert interval_of(Measure("cost_run", "value"), readings, 5.0) is None
    assert interval_of(Measure("cost_run", "value"), [Reading(5.0)], 5.0) is None


def test_one_replication_has_no_interval(result):
    assert run(loads(QUEUE), replications=1).intervals == {}


VERDICTS = """
thresholds:
  throttled: ["rate<50%", "rate<90%"]
  errors_5xx: ["rate<1%", "count==0", "rate<0.0001%"]
  'cold_starts{phase: busy}': ["count<5"]
"""


def test_a_verdict_on_few_events_is_inconclusive_and_one_on_none_has_its_bound():
    result = run(loads(QUEUE + VERDICTS))
    by_text = {f"{one.metric} {one.expression}": one for one in result.thresholds}
    assert by_text["throttled rate<90%"].conclusive is True
    assert by_text["errors_5xx rate<1%"].conclusive is True
    # It holds in each replication, and no number of them shows that a mean is 0.
    zero = by_text["errors_5xx count==0"]
    assert (zero.ok, zero.conclusive) == (True, True)
    assert (zero.interval.low, zero.interval.high) == (0.0, 0.5)
    rare = by_text["errors_5xx rate<0.0001%"]
    assert (rare.ok, rare.conclusive) == (True, False)
    assert rare.reason == "the 95% interval over replications reaches over the limit"
    few = by_text["cold_starts{phase: busy} count<5"]
    events = round(few.value * 6)
    assert 0 < events < 10
    assert (few.ok, few.conclusive) == (True, False)
    assert few.reason.startswith(f"only {events} event")


def test_the_text_has_the_half_widths(result):
    lines = str(result).splitlines()
    start = lines.index("Half-widths of 95% intervals over 6 replications")
    rows = [line.split("  ")[0].strip() for line in lines[start + 3 : start + 9]]
    assert rows == ["calm", "busy", "GET /queue", "GET /cached/{id}", "", "Aggregated"]
    assert "±" in lines[start + 3]
    assert "<" in lines[start + 8]  # 5xx: none was seen
    assert max(map(len, lines[start : start + 10])) <= 80


def test_the_frame_of_intervals_is_tidy(result):
    frame = result.frame("intervals")
    assert list(frame.columns) == [
        "metric", "mean", "low", "high", "confidence", "method", "events",
    ]  # fmt: skip
    assert frame["metric"].is_unique
    assert (frame["low"] <= frame["high"]).all()
    assert np.isfinite(frame[["mean", "low", "high"]].to_numpy()).all()
