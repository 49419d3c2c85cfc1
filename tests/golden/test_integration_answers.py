"""What the scenarios about integrations say they answer, and the same by another way."""

from fractions import Fraction
from typing import Final

import pytest

import apisim
from tests.support.shipped import LINK, SLOW, TABLE, dollars, percent, result, says

_ORDERS: Final = "GET /orders/{orderId}"
THROTTLE: Final = f"apis.shop.routes.{_ORDERS}.throttle={{rate_limit: 700, burst_limit: 350}}"
RESERVE: Final = "functions.get-order.reserved_concurrency=100"
SMALL: Final = "functions.get-order.reserved_concurrency=40"
MORE: Final = "account.lambda_concurrency=6000"
ENOUGH: Final = tuple(
    f"services.{name}.read_capacity_units=210" for name in ("orders", "orders-of-function")
)
STRONG: Final = tuple(
    f"services.{name}.consistency=strong" for name in ("orders", "orders-of-function")
)


def failed(found: apisim.Result, phase: str, route: str, outcome: str) -> float:
    tally = found.measurements.select(phase=phase, route=route)
    return tally.with_outcome(outcome) / tally.requests


def p95(found: apisim.Result, route: str) -> float:
    return next(row.latency.p95 for row in found.routes if row.labels["route"] == route)


def test_the_answer_of_slow_database() -> None:
    plain, throttled = result(SLOW), result(SLOW, THROTTLE)
    reserved, more = result(SLOW, RESERVE), result(SLOW, MORE)
    small = result(SLOW, SMALL)
    rush = next(row.latency.p50 for row in plain.phases if row.labels["phase"] == "rush")
    too_small = failed(small, "rush", _ORDERS, "backend_throttled")
    says(
        SLOW,
        f"{percent(failed(plain, 'rush', _ORDERS, 'backend_throttled'))} of the orders get a 500",
        f"{percent(failed(plain, 'rush', 'POST /checkout', 'backend_throttled'))} of the checkouts",
        f"p50 is {rush / 1_000:.2f} s",
        f"{percent(failed(throttled, 'rush', _ORDERS, 'throttled'))} of the orders get a 429",
        f"p95 of {p95(throttled, _ORDERS):.0f} ms",
        f"{dollars(throttled)} in place of {dollars(plain)}",
        f"{percent(failed(reserved, 'rush', _ORDERS, 'backend_throttled'))} of the orders in the "
        f"rush get a 500, p95 is {p95(reserved, _ORDERS):.0f} ms",
        f"A reserve of 40 would refuse {percent(too_small)}",
        f"{percent(failed(more, 'rush', _ORDERS, 'backend_error'))} of the orders fail in the rush",
        f"{percent(failed(more, 'after', _ORDERS, 'backend_error'))} in the two minutes after it",
        dollars(more),
    )
    assert plain.functions["get-order"].max_concurrency == 1_000
    # Ten requests a second for each instance of a reserve.
    of_small = small.functions["get-order"]
    assert of_small.rate_throttles > 0.99 * of_small.throttles
    for found in (throttled, reserved, more):
        assert failed(found, "rush", "POST /checkout", "served") == 1
    # What the database did for nobody.
    assert more.endpoints["orders-db"].abandoned == more.requests.by_outcome["backend_error"]


@pytest.mark.oracle
def test_a_full_account_holds_the_queue_where_the_database_drains_it() -> None:
    """Little: 1,000 instances at 800/s of orders and theirs of checkouts are 1.2 s a call."""
    found = result(SLOW)
    stats = found.endpoints["orders-db"]
    of_checkout = 0.075 * 0.9 * 120  # its mean time, at the share that is let in
    waiting = 1_000 - 20 - of_checkout
    assert stats.max_waiting == pytest.approx(waiting, rel=0.02)
    rush = next(row.latency for row in found.routes if row.labels["route"] == _ORDERS)
    assert rush.p95 / 1_000 == pytest.approx(1_000 / 800, rel=0.1)


def test_the_answer_of_dynamodb_direct_vs_lambda() -> None:
    plain, strong = result(TABLE), result(TABLE, *STRONG)
    direct, by_function = (
        next(
            row.latency
            for row in plain.traffic
            if row.labels["traffic"] == source and row.labels["phase"] == "carried"
        )
        for source in ("to-the-table", "to-the-function")
    )
    lines = {row.item: row.amount for row in plain.bill.run.rows()}
    of_lambda = sum(float(lines[item][1:]) for item in lines if item.startswith("lambda"))
    services = plain.services.values()
    refused = sum(stats.throttled for stats in services)
    says(
        TABLE,
        f"{by_function.p50 - direct.p50:.0f} ms at p50 ({by_function.p50:.0f} ms against "
        f"{direct.p50:.0f} ms)",
        f"{by_function.p99 - direct.p99:.0f} ms at p99 ({by_function.p99:.0f} ms against "
        f"{direct.p99:.0f} ms)",
        f"for {plain.functions['get-order'].invocations:,} calls ${of_lambda:.2f} of Lambda",
        f"and {refused:,} are in the last 6",
        f"in {plain.requests.by_outcome['backend_error']:,} cases",
        f"{sum(stats.throttled for stats in strong.services.values()):,} of "
        f"{strong.requests.total:,} are refused",
    )
    assert all(
        plain.measurements.select(phase="carried", api=api).with_outcome(outcome) == 0
        for api in ("direct", "by-function")
        for outcome in ("backend_throttled", "backend_error")
    )
    assert set(plain.requests.by_status) == {200, 400, 502}
    assert set(result(TABLE, "settings.service_throttle_status=429").requests.by_status) == {
        200,
        429,
        502,
    }
    enough = result(TABLE, *ENOUGH)
    assert enough.requests.by_status.keys() == {200}


CROSS: Final = "endpoints.stock.cross_zone=true"


def test_the_answer_of_vpc_link_private_api() -> None:
    plain, cross = result(LINK), result(LINK, CROSS)
    faster = result(LINK, CROSS, "endpoints.stock.health_check.interval=10s")
    balanced = result(LINK, "endpoints.stock.behind=alb")
    noticed, of_cross = (
        next(row.latency.p95 for row in found.phases if row.labels["phase"] == "noticed")
        for found in (plain, cross)
    )
    unnoticed = plain.measurements.select(phase="unnoticed")
    says(
        LINK,
        f"{percent(unnoticed.with_outcome('backend_error') / unnoticed.requests)} of the requests",
        f"get a 500 ({plain.requests.by_status[500]:,} in all)",
        f"{plain.requests.by_status[503]:,} requests get a 503, p95 is {noticed:.0f} ms",
        f"p95 is {of_cross:.0f} ms",
        f"leave {faster.requests.by_status[500]:,} failures of {cross.requests.by_status[500]:,}",
    )
    assert plain.endpoints["stock/3"].refused == plain.requests.by_status[503]
    for phase in ("noticed", "after"):
        assert cross.measurements.select(phase=phase).with_outcome("backend_error") == 0
    assert balanced.requests.by_status == {200: 350_291, 502: 9_094}


@pytest.mark.oracle
@pytest.mark.parametrize("overrides", [(), STRONG], ids=["eventual", "strong"])
def test_a_table_gives_what_it_has_and_what_it_had_kept(overrides: tuple[str, ...]) -> None:
    """300 s of 150 units were kept, 1,200 s are added, an item of 7 KB costs one or two."""
    each = Fraction(2 if overrides else 1)
    for stats in result(TABLE, *overrides).services.values():
        given = Fraction(stats.read_units)
        assert given == each * stats.requests
        # All of it, but for what the last calls left over.
        assert 150 * (300 + 1_200) - 50 <= given <= 150 * (300 + 1_200)
