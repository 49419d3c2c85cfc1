"""What happens inside over time: hand-worked runs, exact fractions, and the totals there are."""

from fractions import Fraction
from math import floor

import numpy as np
import pandas as pd
import pytest

import apisim
from apisim.engine.mechanism_records import MOST_PERIODS
from apisim.results.mechanism_series import MechanismSeries
from apisim.scenario import loads
from tests.equivalence.engines import both, differences, lowered

HEAD = """
apisim: 1
name: inside
profile: ideal
"""
QUEUE = f"""{HEAD}
apis:
  shop: {{type: rest, routes: {{GET /: {{integration: {{type: http_proxy, endpoint: db}}}}}}}}
endpoints:
  db: {{servers: 1, service_time: 400ms}}
traffic:
  web: {{phases: [{{duration: 1s, rate: 5}}], arrivals: uniform, offset: 0, mix: {{GET /: 1}}}}
"""
FUNCTION = f"""{HEAD}
apis:
  shop: {{type: rest, routes: {{GET /: {{integration: {{type: lambda_proxy, function: f}}}}}}}}
functions:
  f: {{memory: 128MB, timeout: 3s, duration: 700ms, init: 100ms, reserved_concurrency: 2}}
traffic:
  web: {{phases: [{{duration: 3s, rate: 2}}], arrivals: uniform, offset: 0, mix: {{GET /: 1}}}}
settings: {{environment_setup: 0ms}}
"""
BUCKET = f"""{HEAD}
account: {{throttle: {{rate_limit: 2.5, burst_limit: 4}}}}
apis:
  shop: {{type: rest, routes: {{GET /: {{integration: {{type: mock}}}}}}}}
traffic:
  web:
    phases: [{{duration: 2s, rate: 7}}, {{duration: 2s, rate: 0}}, {{duration: 1s, rate: 3}}]
    arrivals: uniform
    offset: 0
    mix: {{GET /: 1}}
timeline:
  - {{at: 4500ms, set: {{account.throttle.burst_limit: 2}}}}
"""
CACHE = f"""{HEAD}
apis:
  shop:
    type: rest
    stage: {{cache_cluster_size: "0.5"}}
    routes:
      GET /x:
        integration: {{type: http_proxy, endpoint: db}}
        cache: {{ttl: 3s, keys: [querystring.q]}}
        response_size: 1000B
endpoints:
  db: {{servers: 99, service_time: 0s}}
traffic:
  web:
    phases: [{{duration: 1s, rate: 4}}, {{duration: 5s, rate: 0}}]
    arrivals: uniform
    offset: 0
    mix: {{GET /x: 1}}
"""
EVERYTHING = """
apisim: 1
name: everything
seed: 5
replications: 3
warm_up: 2s
account: {throttle: {rate_limit: 60, burst_limit: 20}, lambda_concurrency: 6}
apis:
  shop:
    type: rest
    stage: {throttle: {rate_limit: 30, burst_limit: 5}}
    routes:
      GET /: {integration: {type: lambda_proxy, function: f}}
      GET /db: {integration: {type: http_proxy, endpoint: db}}
functions:
  f: {memory: 128MB, timeout: 3s, duration: {exponential: 200ms}, init: 400ms}
endpoints:
  db: {servers: 2, service_time: {exponential: 70ms}, queue_limit: 3}
traffic:
  web: {phases: [{duration: 9s, rate: 60}], mix: {GET /: 1, GET /db: 1}}
timeline:
  - {at: 4500ms, set: {endpoints.db.servers: 3}}
"""


def frame_of(text: str, name: str, *overrides: str) -> pd.DataFrame:
    return apisim.run(loads(text, overrides=list(overrides)), engine="simpy").frame(name)


@pytest.fixture(scope="module")
def everything() -> apisim.Result:
    return apisim.run(loads(EVERYTHING), engine="simpy")


def test_a_queue_is_integrated_on_every_change() -> None:
    """Calls at 0, .2, .4, .6 and .8 s are served from 0, .4, .8, 1.2 and 1.6 s on."""
    found = frame_of(QUEUE, "endpoint_series")
    assert found["endpoint"].tolist() == ["db", "db"]
    assert found["time_s"].tolist() == [0, 1]
    assert found["utilization"].tolist() == [1, 1]
    # Waits of .2, .4, .6 and .8 s, cut at one second.
    assert found["queue_mean"].tolist() == pytest.approx([0.2 + 0.4 + 0.4 + 0.2, 0.2 + 0.6])
    assert found["queue_peak"].tolist() == [2, 2]
    # The last is served at 2 s sharp, which is the end of the run.
    assert found["served"].tolist() == [2, 3]
    assert found["refused"].tolist() == [0, 0]


def test_servers_that_come_later_count_from_then_on() -> None:
    change = "timeline=[{at: 500ms, set: {endpoints.db.servers: 3}}]"
    found = frame_of(QUEUE, "endpoint_series", change)
    # One server for half a second, then three: at .5 s the third call starts besides the second
    # (.4 to .8 s), the others as they come; the last one ends at 1.2 s.
    busy_s = [1.0 - 0.2 + 0.4 + 0.4 + 0.2, 0.2]
    assert found["utilization"].tolist() == pytest.approx([busy_s[0] / 2, busy_s[1] / 3])


def test_a_function_s_concurrency_is_exact_across_the_ends_of_periods() -> None:
    """Calls at 0, .5, ... 2.5 s of 700 ms, the first two after an INIT of 100 ms."""
    found = frame_of(FUNCTION, "function_series")
    assert found["time_s"].tolist() == [0, 1, 2, 3]
    # From 0 to .8 and .5 to 1.3 s (cold), then 1 to 1.7, 1.5 to 2.2, 2 to 2.7, 2.5 to 3.2 s.
    expected = [0.8 + 0.5, 0.3 + 0.7 + 0.5, 0.2 + 0.7 + 0.5, 0.2]
    assert found["concurrency_mean"].tolist() == pytest.approx(expected, abs=1e-12)
    assert found["concurrency_peak"].tolist() == [2, 2, 2, 1]
    assert found["invocations"].tolist() == [2, 2, 2, 0]
    assert found["cold_starts"].tolist() == [2, 0, 0, 0]
    assert found["throttles"].tolist() == [0] * 4
    assert found["limit"].tolist() == [2] * 4


def test_throttles_and_a_limit_that_changes_are_told_when_they_are() -> None:
    change = "timeline=[{at: 1s, set: {functions.f.reserved_concurrency: 1}}]"
    found = frame_of(FUNCTION, "function_series", change)
    assert found["limit"].tolist() == [2, 1, 1, 1]
    # One runs until 1.3 s: the call at 1 s is refused, the one at 1.5 s runs until 2.2 s ...
    assert found["throttles"].tolist() == [0, 1, 1, 0]
    assert found["invocations"].tolist() == [2, 1, 1, 0]


def test_tokens_are_those_of_exact_fractions() -> None:
    found = frame_of(BUCKET, "bucket_series")
    rate, level, burst, last = Fraction(5, 2), Fraction(4), 4, Fraction(0)
    arrivals = [Fraction(k, 7) for k in range(14)] + [4 + Fraction(k, 3) for k in range(3)]
    changes = [(Fraction(at), "period") for at in range(1, 5)] + [(Fraction(9, 2), "burst")]
    events = sorted([(at, "z call") for at in arrivals] + changes)
    least, admitted, refused = [level], [0], [0]
    for at, what in events:
        level, last = min(Fraction(burst), level + (at - last) * rate), at
        if what == "period":
            least, admitted, refused = [*least, level], [*admitted, 0], [*refused, 0]
        elif what == "burst":
            burst, level = 2, min(level, Fraction(2))
        elif level >= 1:
            level -= 1
            admitted[-1] += 1
        else:
            refused[-1] += 1
        least[-1] = min(least[-1], level)
    assert found["tokens_min"].tolist() == [floor(tokens) for tokens in least]
    assert found["admitted"].tolist() == admitted
    assert found["refused"].tolist() == refused
    assert sum(refused) > 0
    assert found["burst"].tolist() == [4, 4, 4, 4, 2]
    assert found["rate_rps"].tolist() == [2.5] * 5
    assert set(found["level"]) == set(found["bucket"]) == {"account"}


def test_what_has_expired_is_in_no_cache() -> None:
    """One key, stored at 0 s, asked for until 0.75 s, and gone at 3 s though nobody looks."""
    found = frame_of(CACHE, "cache_series")
    assert found["api"].tolist() == ["shop"] * 6
    assert found["misses"].tolist() == [1, 0, 0, 0, 0, 0]
    assert found["hits"].tolist() == [3, 0, 0, 0, 0, 0]
    assert found["hit_ratio"][0] == 0.75
    assert found["hit_ratio"][1:].isna().all()
    assert found["entries"].tolist() == [1, 1, 0, 0, 0, 0]
    assert found["bytes"].tolist() == [1000, 1000, 0, 0, 0, 0]
    assert found["evictions"].tolist() == [0] * 6


def test_periods_add_up_to_the_totals(everything: apisim.Result) -> None:
    functions = everything.frame("function_series").groupby("function")
    of_f = everything.functions["f"]
    for name in ("invocations", "cold_starts", "throttles"):
        assert functions[name].sum()["f"] == getattr(of_f, name) > 0
    assert functions["concurrency_peak"].max()["f"] == of_f.max_concurrency
    endpoints = everything.frame("endpoint_series").groupby("endpoint")
    of_db = everything.endpoints["db"]
    for name in ("served", "refused"):
        assert endpoints[name].sum()["db"] == getattr(of_db, name) > 0
    assert endpoints["queue_peak"].max()["db"] == of_db.max_waiting
    buckets = everything.frame("bucket_series").groupby(["level", "bucket"])["refused"].sum()
    throttles = everything.frame("throttles").set_index(["level", "limits"])["refused"]
    assert buckets.to_dict() == throttles.to_dict()
    assert buckets.sum() > 0


def test_integrals_are_the_means_of_the_whole_run(everything: apisim.Result) -> None:
    run_s = sum(one.end_ns for one in everything.replications) / 1e9
    n = len(everything.replications)
    concurrency = everything.frame("function_series")["concurrency_mean"].sum() * n
    assert concurrency == pytest.approx(run_s * everything.functions["f"].mean_concurrency)
    found = everything.frame("endpoint_series")
    # Two servers for half of the fifth second, three from then on.
    servers = np.select([found["time_s"] < 4, found["time_s"] == 4], [2.0, 2.5], 3.0)
    busy = (found["utilization"] * servers).sum() * n
    assert busy == pytest.approx(run_s * everything.endpoints["db"].mean_concurrency)


def test_what_a_bucket_admits_is_what_is_not_refused(everything: apisim.Result) -> None:
    """Those of the stage's limit pass all others, so each level admits the same."""
    found = everything.frame("bucket_series").groupby("level")["admitted"].sum()
    requests = everything.frame("series")
    of_levels = requests[["throttled_method", "throttled_stage", "throttled_account"]].sum().sum()
    assert found["account"] == found["stage"] == requests["requests"].sum() - of_levels


def test_periods_double_when_the_run_outlasts_them() -> None:
    long = ["traffic.web.phases.0.duration=1500s", "traffic.web.phases.0.rate=1"]
    found = frame_of(FUNCTION, "function_series", *long)
    assert set(found["period_s"]) == {4.0}
    assert len(found) == 1500 // 4 <= MOST_PERIODS
    assert found["invocations"].tolist() == [4] * 375
    # One INIT in the first period: 0.1 s more.
    expected = [(0.1 + 4 * 0.7) / 4, *[0.7] * 374]
    assert found["concurrency_mean"].tolist() == pytest.approx(expected)
    assert set(found["concurrency_peak"]) == {1}


def test_replications_of_different_lengths_are_merged() -> None:
    texts = ("traffic.web.phases.0.rate=5", "traffic.web.phases.0={duration: 600s, rate: 0.01}")
    runs = [both(lowered(loads(QUEUE, overrides=[text])))[1].result for text in texts]
    short, long = (MechanismSeries.of(one.recorder.mechanisms) for one in runs)
    assert (short.period_ns, long.period_ns) == (1_000_000_000, 2_000_000_000)
    for one, other in ((short, long), (long, short)):
        merged = one.joined(other)
        assert merged.n_periods == long.n_periods == 300
        assert merged.lasted.tolist() == [2] + [1] * 299
        assert merged.endpoints["served"].sum() == 5 + 6
        assert merged.endpoints["waiting_s"][0, 0] == pytest.approx(2.0)
        assert merged.endpoints["peak"][0, :2].tolist() == [2, 0]
        assert (merged.buckets["least"] < np.iinfo(np.int64).max).all()


@pytest.mark.parametrize("text", [QUEUE, FUNCTION, BUCKET, CACHE], ids=["q", "f", "b", "c"])
def test_a_clock_that_nobody_waits_for_lengthens_nothing(text: str) -> None:
    """The engines watch deadlines of 29 s differently; what is noted is the same."""
    assert differences(*both(lowered(loads(text)))) == []


@pytest.mark.parametrize("n_periods", [0, 1, 5, 16, 17])
@pytest.mark.parametrize("n_joined", [1, 2, 4, 8])
def test_longer_periods_are_made_of_shorter_ones(n_periods: int, n_joined: int) -> None:
    rng = np.random.default_rng(n_periods)
    fields = ("invocations", "peak", "least", "limit")
    values = {name: rng.integers(1, 100, (3, n_periods)) for name in fields}
    lasted = np.arange(n_periods)[::-1].astype(np.int64)
    short = MechanismSeries(1, lasted, values, {}, {}, {})
    long = short.in_periods(n_joined, 0)
    pieces = [slice(start, start + n_joined) for start in range(0, n_periods, n_joined)]
    assert long.n_periods == len(pieces)
    for name, whole in (
        ("invocations", lambda piece: piece.sum(axis=1)),
        ("peak", lambda piece: piece.max(axis=1)),
        ("least", lambda piece: piece.min(axis=1)),
        ("limit", lambda piece: piece[:, -1]),
    ):
        for at, piece in enumerate(pieces):
            assert (long.functions[name][:, at] == whole(values[name][:, piece])).all(), name
    assert long.lasted.tolist() == [lasted[piece][-1] for piece in pieces]
