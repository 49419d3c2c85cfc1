"""Results of small runs, worked out by hand: evenly spaced calls, constant times, no overhead."""

import dataclasses
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from apisim.arrays.histogram import BIN_DTYPE, N_BINS, hist_add
from apisim.arrays.jit import kernel
from apisim.engine.recorder import N_COLUMNS
from apisim.results.calls import add_bins
from apisim.results.collect import Series
from apisim.results.spans import length_ns, union
from apisim.results.tally import Measurements
from apisim.scenario import loads
from apisim.studies import run

HEAD = "apisim: 1\nprofile: ideal\n"
ONE_A_SECOND = """
traffic:
  web:
    arrivals: uniform
    offset: 0
    phases: [{name: steady, duration: 10s, rate: 1}]
    mix: {GET /x: 1}
"""


def result_of(text: str, **options):
    return run(loads(HEAD + text), **options)


@pytest.fixture(scope="module")
def function():
    """Ten calls a second apart: the first one is a cold start."""
    return result_of(
        """
apis: {a: {type: rest, routes: {GET /x: {integration: {type: lambda_proxy, function: f}}}}}
functions: {f: {memory: 128MB, duration: 100ms, init: 400ms}}
"""
        + ONE_A_SECOND
    )


def test_requests_and_latency_of_a_function(function):
    assert function.requests.total == 10
    assert function.requests.by_status == {200: 10}
    assert function.requests.by_outcome == {"served": 10}
    assert function.requests.refused_by == {}
    stats = function.latency_ms
    assert (stats.mean, stats.p50, stats.p90, stats.max) == (140.0, 100.0, 140.0, 500.0)
    assert stats.p99 == pytest.approx(np.percentile([100.0] * 9 + [500.0], 99))
    assert function.integration_latency_ms == function.gateway_latency_ms == stats


def test_concurrency_of_a_function_is_a_mean_over_time(function):
    stats = function.functions["f"]
    assert (stats.invocations, stats.cold_starts, stats.throttles, stats.errors) == (10, 1, 0, 0)
    assert stats.billed_ms == 9 * 100 + 500
    assert stats.max_concurrency == 1
    # One environment from 0 to 10 s, busy for 1.4 s.
    assert stats.mean_concurrency == pytest.approx(0.14)
    assert stats.pool_size == pytest.approx(1.0)
    assert stats.utilization == pytest.approx(0.14)


def test_the_bill_of_a_run_is_exact(function):
    gb_seconds = Fraction(128 * 1400, 1024 * 1000)
    total = (
        10 * Fraction("0.0000035")
        + 10 * Fraction("0.0000002")
        + gb_seconds * Fraction("0.0000166667")
        + Fraction(10 * 1024, 2**30) * Fraction("0.09")
    )
    assert function.bill.run.exact_total == total
    text = function.to_dict()["bill"]["run"]["total"]
    assert Decimal(text) == function.bill.run.total == Decimal(total.numerator) / total.denominator


def test_a_replication_has_no_interval_and_the_notes_say_so(function):
    assert function.intervals == {}
    assert any("no number has a confidence interval" in note for note in function.notes)
    assert any("exclude the network" in note for note in function.notes)


def test_a_bucket_says_when_it_began_to_refuse_and_when_most():
    # 20/s against 10/s and a burst of 5: the bucket gains half a token between two calls.
    result = result_of(
        """
apis:
  a:
    type: rest
    routes:
      GET /x: {integration: {type: mock}, throttle: {rate_limit: 10, burst_limit: 5}}
traffic:
  web:
    arrivals: uniform
    offset: 0
    phases: [{duration: 10s, rate: 20}]
    mix: {GET /x: 1}
"""
    )
    level, refused = Fraction(5), []
    for call in range(200):
        level = min(Fraction(5), level + (Fraction(1, 2) if call else 0))
        if level >= 1:
            level -= 1
        else:
            refused.append(call / 20)
    stats = next(one for one in result.throttles if one.level == "method")
    assert stats.refused == len(refused) == result.requests.refused_by["method"]
    assert stats.first_refused_s == refused[0] == 0.45
    per_second = np.bincount([int(moment) for moment in refused])
    assert stats.worst_second_refused == per_second.max()
    assert stats.worst_second_s == per_second.argmax()
    assert (stats.rate_rps, stats.burst) == (10.0, 5)
    assert result.requests.by_status == {200: 200 - len(refused), 429: len(refused)}
    assert [one.refused for one in result.throttles if one.level == "account"] == [0]


def test_a_cache_and_an_authorizer_answer_all_calls_but_the_first():
    result = result_of(
        """
apis:
  a:
    type: rest
    stage: {cache_cluster_size: "0.5"}
    routes:
      GET /x:
        integration: {type: lambda_proxy, function: f}
        authorizer: tokens
        cache: {ttl: 5m, keys: []}
authorizers: {tokens: {type: token, function: f, ttl: 5m}}
functions: {f: {duration: 100ms}}
"""
        + ONE_A_SECOND
        + "    values: {header.authorization: {uniform: 1}}\n"
    )
    cache = result.cache["a"]
    assert (cache.hits, cache.misses, cache.hit_ratio) == (9, 1, 0.9)
    assert (cache.entries, cache.bytes, cache.evictions, cache.wrong_answers) == (1, 1024, 0, 0)
    tokens = result.authorizers["tokens"]
    assert (tokens.hits, tokens.invocations, tokens.denied) == (9, 1, 0)
    assert result.requests.by_outcome == {"served": 1, "cache_hit": 9}
    assert result.functions["f"].invocations == 2
    assert result.integration_latency_ms.count == 1
    cluster = result.bill.run.line("apigateway.cache.0.5")
    assert cluster.quantity == Fraction(10, 3600)


def test_an_endpoint_without_a_queue_refuses_every_other_call():
    # Service takes 1.5 s and calls come every second: at 1, 3, 5, ... the server is busy.
    result = result_of(
        """
apis: {a: {type: rest, routes: {GET /x: {integration: {type: http_proxy, endpoint: e}}}}}
endpoints: {e: {servers: 1, queue_limit: 0, service_time: 1500ms}}
"""
        + ONE_A_SECOND
    )
    stats = result.endpoints["e"]
    assert (stats.served, stats.refused, stats.max_waiting) == (5, 5, 0)
    assert stats.utilization == pytest.approx(0.75)
    assert result.requests.by_status == {200: 5, 503: 5}
    assert result.traffic[-1].errors_5xx == 5


def test_the_warm_up_is_in_the_bill_and_in_no_statistic():
    result = result_of(
        "warm_up: 4s\napis: {a: {type: rest, routes: {GET /x: {integration: {type: mock}}}}}\n"
        + ONE_A_SECOND
    )
    assert (result.requests.total, result.requests.warm_up) == (6, 4)
    assert result.traffic[-1].rps == pytest.approx(1.0)
    assert result.bill.run.line("apigateway.rest.requests").quantity == 10
    assert result.frame("series")["requests"].sum() == 10


TWO_SOURCES = """
apis:
  a: {type: rest, routes: {GET /x: {integration: {type: mock}}}}
  b: {type: http, routes: {GET /y: {integration: {type: lambda_proxy, function: f}}}}
functions: {f: {duration: 10ms}}
traffic:
  web:
    arrivals: uniform
    offset: 0
    phases:
      - {name: calm, duration: 10s, rate: 2}
      - {name: busy, duration: 5s, rate: 10}
    mix: {a GET /x: 1}
  night:
    arrivals: uniform
    offset: 0
    phases:
      - {pause: 12s}
      - {name: busy, duration: 8s, rate: 5}
    mix: {b GET /y: 1}
"""


def test_rates_are_by_the_time_in_which_a_phase_was():
    result = result_of(TWO_SOURCES)
    rows = {tuple(row.labels.values()): row for row in result.traffic}
    assert list(rows) == [("web", "calm"), ("web", "busy"), ("night", "busy"), ("Aggregated", "")]
    assert [row.requests for row in rows.values()] == [20, 50, 40, 110]
    assert [row.rps for row in rows.values()] == pytest.approx([2, 10, 5, 110 / 20])
    # Both sources have a phase named busy: together it is from 10 to 20 s.
    phases = {row.labels["phase"]: row for row in result.phases}
    assert (phases["busy"].requests, phases["busy"].rps) == (90, pytest.approx(9.0))
    routes = {(row.labels["api"], row.labels["route"]): row for row in result.routes}
    assert routes["a", "GET /x"].requests == 70
    assert routes["b", "GET /y"].rps == pytest.approx(2.0)
    assert result.quantile_ms(50, route="GET /y") == 10.0
    assert result.quantile_ms(50, api="a") == 0.0
    assert np.isnan(result.quantile_ms(50, api="a", phase="nothing"))


def test_the_series_counts_by_time_of_arrival():
    series = (
        result_of(TWO_SOURCES)
        .frame("series")
        .pivot(index="time_s", columns="api", values="requests")
    )
    assert series["a"].tolist() == [2] * 10 + [10] * 5 + [0] * 5
    assert series["b"].tolist() == [0] * 12 + [5] * 8


def test_series_of_different_periods_are_added_in_the_longer_one():
    values = np.zeros((1, 5, N_COLUMNS), np.int64)
    values[0, :, 0] = [1, 2, 3, 4, 5]
    short, long = Series(1, values), Series(2, values[:, :2])
    both = short.joined(long)
    assert both.period_ns == 2
    assert both.values[0, :, 0].tolist() == [3 + 1, 7 + 2, 5]
    assert long.joined(short).values.tolist() == both.values.tolist()


def test_replications_are_added_up_in_their_order_whichever_ends_first():
    scenario = loads(
        HEAD
        + """
replications: 5
apis: {a: {type: rest, routes: {GET /x: {integration: {type: lambda_proxy, function: f}}}}}
functions: {f: {duration: {exponential: 100ms}}}
traffic: {web: {phases: [{duration: 10s, rate: 30}], mix: {GET /x: 1}}}
"""
    )
    alone, together = run(scenario), run(scenario, workers=3)
    for result in (alone, together):
        digests = [replication.digest for replication in result.replications]
        assert len(set(digests)) == 5
        assert result.run_info.digest == f"{sum(digests) % 2**64:016x}"
        assert result.requests.total == sum(one.requests for one in result.replications)
    assert together.replications == alone.replications
    told = [result.to_dict() for result in (alone, together)]
    for one in told:
        del one["run"]
    assert told[0] == told[1]


def test_sums_of_times_are_exact_beyond_64_bits(function):
    whole = function.measurements

    def copy():
        cells = whole.cells.copy()
        cells["latency_low"], cells["latency_high"] = 2**60 - 1, 7
        counts, histograms = whole.counts.copy(), whole.histograms.copy()
        return Measurements(whole.program, 1, cells, counts, histograms, whole.calls)

    joined = copy()
    for _ in range(20):
        joined = joined.joined(copy())
    assert joined.n_replications == 21
    assert joined.cells["latency_low"].max() < 2**60
    latency = joined.select().latency()
    assert latency.total_ns == 21 * (8 * 2**60 - 1)
    assert latency.count == 21 * 10
    assert (latency.min_ns, latency.max_ns) == (1e8, 5e8)


@kernel
def add_all(bins, values):
    for value in values:
        hist_add(bins, value)


def test_joined_histograms_are_those_of_all_values_together():
    rng = np.random.default_rng(3)
    values = [rng.integers(0, 10 ** rng.integers(1, 12), 400) for _ in range(4)]
    joined = np.zeros(N_BINS, BIN_DTYPE)
    for part in values:
        theirs = np.zeros(N_BINS, BIN_DTYPE)
        add_all(theirs, part)
        add_bins(joined, theirs)
    everything = np.zeros(N_BINS, BIN_DTYPE)
    add_all(everything, np.concatenate(values))
    assert (joined == everything).all()


@pytest.mark.parametrize(
    ("spans", "joined"),
    [
        ([], []),
        ([(0, 5), (5, 8)], [(0, 8)]),
        ([(4, 6), (0, 5), (10, 12)], [(0, 6), (10, 12)]),
        ([(0, 10), (2, 3)], [(0, 10)]),
    ],
)
def test_stretches_that_overlap_count_once(spans, joined):
    assert union(spans) == joined
    assert length_ns(joined, 0, 100) == sum(end - start for start, end in joined)
    assert length_ns([(0, 10)], 4, 6) == 2
    assert length_ns([(0, 10)], 12, 20) == 0


def test_results_cannot_be_changed(function):
    with pytest.raises(dataclasses.FrozenInstanceError):
        function.completed = False
    with pytest.raises(dataclasses.FrozenInstanceError):
        function.requests.total = 0


def test_an_interval_of_a_share_stays_a_share() -> None:
    from apisim.results.statistics import t_interval
    from apisim.results.wording import share_text

    interval = t_interval([0.0, 0.0, 0.9])
    assert interval is not None
    assert interval.low < 0
    inside = interval.within(0.0, 1.0)
    assert (inside.low, inside.high <= 1.0) == (0.0, True)
    assert share_text(-0.4).endswith("%")
