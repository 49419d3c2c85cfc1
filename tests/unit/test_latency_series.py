"""Latencies over time: hand-worked runs, numpy on the full rows, and what is counted already."""

import numpy as np
import pytest

import apisim
from apisim.arrays.histogram import N_BINS, bin_index, bin_limits
from apisim.engine.latency_windows import (
    N_WINDOWS,
    LatencyWindows,
    add_latency,
    find_window,
    new_latency_windows,
)
from apisim.results.latency_series import LatencySeries
from apisim.scenario import loads
from tests.equivalence.engines import lowered, run

MS = 1_000_000
SECOND = 1_000_000_000
TEXT = """
apisim: 1
name: slower
profile: ideal
apis:
  shop: {type: rest, routes: {GET /: {integration: {type: http_proxy, endpoint: shop}}}}
endpoints:
  shop: {servers: 99, service_time: 10ms}
traffic:
  web: {phases: [{duration: 4s, rate: 10}], arrivals: uniform, offset: 0, mix: {GET /: 1}}
timeline:
  - {at: 2s, set: {endpoints.shop.service_time: 40ms}}
"""
RANDOM = """
apisim: 1
name: random
apis:
  shop: {type: rest, routes: {GET /: {integration: {type: http_proxy, endpoint: shop}}}}
endpoints:
  shop: {servers: 3, service_time: {exponential: 20ms}}
traffic:
  web: {phases: [{duration: 5s, rate: 150}], mix: {GET /: 1}}
warm_up: 2s
"""


def windows_of(*latencies: tuple[int, int]) -> LatencyWindows:
    """Windows of one API after requests at times [ns], of latencies [ns]."""
    windows = new_latency_windows(1)
    for arrival_ns, latency_ns in latencies:
        find_window(windows, arrival_ns)
        add_latency(windows, 0, int(bin_index(latency_ns)), latency_ns)
    return windows


def test_a_slower_backend_shows_from_the_second_it_is_slower() -> None:
    found = apisim.run(loads(TEXT), engine="simpy").frame("latency_series")
    assert found["api"].tolist() == ["shop"] * 4
    assert found["time_s"].tolist() == [0, 1, 2, 3]
    assert found["period_s"].tolist() == [1] * 4
    assert found["requests"].tolist() == [10] * 4
    for column in ("p50", "p90", "p99", "max"):
        assert found[f"latency_ms_{column}"].tolist() == [10, 10, 40, 40]


def test_quantiles_are_those_of_the_rows_to_within_a_bin() -> None:
    ran = run(lowered(loads(RANDOM)), "simpy")
    series = LatencySeries.of(ran.result.recorder.latencies)
    result = apisim.run(loads(RANDOM), engine="simpy")
    rows = result.frame("latency_series")
    for window in range(5):
        inside = ran.rows["arrival_ns"] // SECOND == window
        latencies = ran.rows["latency_ns"][inside]
        row = rows.iloc[window]
        assert row["requests"] == len(latencies) == series.histogram(0, window)["count"].sum()
        assert row["latency_ms_max"] == latencies.max() / MS
        for q, column in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99")):
            expected = np.quantile(latencies, q) / MS
            # Two neighbours in rank, each anywhere in a bin of 0.8 %.
            assert row[f"latency_ms_{column}"] == pytest.approx(expected, rel=0.016)


def test_requests_are_those_of_the_series_warm_up_included() -> None:
    result = apisim.run(loads(RANDOM), engine="simpy")
    found, series = result.frame("latency_series"), result.frame("series")
    assert found["requests"].tolist() == series["requests"].tolist()
    assert found["requests"].sum() > result.requests.total


def test_windows_double_when_the_run_outlasts_them() -> None:
    times = [(at * SECOND, (at + 1) * MS) for at in (0, 1, 2, 127)]
    assert windows_of(*times).head["window_ns"][0] == SECOND
    longer = LatencySeries.of(windows_of(*times, (300 * SECOND, 7 * MS)))
    assert longer.window_ns == 4 * SECOND
    assert longer.n_windows == 300 // 4 + 1 <= N_WINDOWS
    assert [int(longer.histogram(0, at)["count"].sum()) for at in (0, 1, 31, 75)] == [3, 0, 1, 1]
    assert (longer.shortest[0, 0], longer.longest[0, 0]) == (MS, 3 * MS)
    assert longer.counts.sum() == 5


def test_what_was_in_the_upper_half_is_gone_after_doubling() -> None:
    found = LatencySeries.of(windows_of((100 * SECOND, 5 * MS), (200 * SECOND, 9 * MS)))
    counts = [int(found.histogram(0, at)["count"].sum()) for at in range(found.n_windows)]
    assert {at: n for at, n in enumerate(counts) if n} == {50: 1, 100: 1}
    assert found.longest[0, 50] == 5 * MS


def test_replications_of_different_windows_are_merged_exactly() -> None:
    short = LatencySeries.of(windows_of((0, MS), (1 * SECOND, 2 * MS), (1 * SECOND, 3 * MS)))
    long = LatencySeries.of(windows_of((0, 5 * MS), (130 * SECOND, 6 * MS)))
    for one, other in ((short, long), (long, short)):
        both = one.joined(other)
        assert (both.window_ns, both.n_windows) == (2 * SECOND, 66)
        assert both.histogram(0, 0)["count"].tolist() == [1, 1, 1, 1]
        assert (both.shortest[0, 0], both.longest[0, 0]) == (MS, 5 * MS)
        assert (both.shortest[0, 65], both.longest[0, 65]) == (6 * MS, 6 * MS)


@pytest.mark.parametrize("at", [*range(0, N_BINS - 1, 37), 0, 127, 128, 255, 256, N_BINS - 2])
def test_the_limits_of_a_bin_are_its_first_and_last_values(at: int) -> None:
    low, high = (int(limits[at]) for limits in bin_limits())
    assert bin_index(low) == bin_index(high) == at
    assert bin_index(high + 1) == at + 1
