"""What the scenario about edge-optimized endpoints says it answers."""

import math

import apisim
from tests.support.shipped import EDGE, percent, result, says

_CITIES = ("washington", "frankfurt", "tokyo")


def _ms(found: apisim.Result, city: str, quantile: float) -> str:
    time_ms = found.measurements.select(traffic=city).latency().quantile_ns(quantile) / 1e6
    return f"{time_ms:.1f}" if time_ms < 100 else f"{time_ms:.0f}"


def _share_new(found: apisim.Result) -> float:
    tally = found.measurements.select()
    return tally.sums["new_connections"] / tally.requests


def test_the_answer_of_edge_or_regional() -> None:
    regional, edge = result(EDGE), result(EDGE, "apis.shop.endpoint=edge")
    longer = result(EDGE, "traffic.tokyo.network.keep_alive=10m")
    near, far, farther = (_ms(regional, city, 50) for city in _CITIES)
    near_edge, far_edge, farther_edge = (_ms(edge, city, 50) for city in _CITIES)
    slow, slow_edge = ([_ms(one, city, 95) for city in _CITIES] for one in (regional, edge))
    says(
        EDGE,
        f"p50 is {near}, {far} and {farther} ms with the regional endpoint, and {near_edge}, "
        f"{far_edge} and {farther_edge} ms with the edge",
        f"{percent(_share_new(regional))} of the requests open a connection",
        f"exp(-60/30) = {percent(math.exp(-2))})",
        f"from {slow[1]} to {slow_edge[1]} ms in Frankfurt",
        f"from {slow[2]} to {slow_edge[2]} ms in Tokyo",
        f"from {slow[0]} to {slow_edge[0]} ms",
        f"p95 of Tokyo is {_ms(longer, 'tokyo', 95)} ms",
    )
    # Which connection is open does not hang on the endpoint, but for a few ends of answers.
    assert abs(_share_new(edge) - _share_new(regional)) < 0.002


def test_a_gap_of_a_minute_closes_as_many_connections_as_the_law_of_gaps_says() -> None:
    tally = result(EDGE).measurements.select()
    # Each person's first call after the start is new too; two minutes of warm-up take most of them.
    wanted = math.exp(-2)
    spread = math.sqrt(wanted * (1 - wanted) / tally.requests)
    first_calls = 3 * 600 * math.exp(-4) / tally.requests
    assert abs(_share_new(result(EDGE)) - wanted - first_calls * (1 - math.exp(-2))) < 4 * spread
