"""Records of replications, added up: whole numbers, the highest peak, series in one period."""

import numpy as np
import pytest

from apisim.engine.connection_records import (
    CLOSE_AGE,
    CLOSE_LEFT,
    ROUND_EXACT,
    new_connection_records,
    record_closed,
    record_opened,
)
from apisim.engine.push_records import new_push_records, record_broadcast, record_delivery
from apisim.results.connections import ConnectionTotals

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND


def of_one(
    *intervals: tuple[int, int],
    end_s: int,
    reason: int = CLOSE_LEFT,
    warm_up_s: int = 0,
    until_s: int = 10**6,
) -> ConnectionTotals:
    """One API whose connections last from second to second; one push that took as many seconds."""
    records = new_connection_records(
        1, warm_up_ns=warm_up_s * _SECOND, until_ns=until_s * _SECOND, rounding=ROUND_EXACT
    )
    pushes = new_push_records(1)
    events = sorted([(start, 1, end) for start, end in intervals] + [
        (end, 0, start) for start, end in intervals
    ])  # fmt: skip
    for at, is_opening, other in events:
        if is_opening:
            record_opened(records, 0, at * _SECOND)
        elif at <= end_s:
            record_closed(records, 0, 0, at * _SECOND, other * _SECOND, reason)
            record_broadcast(pushes, 0, other * _SECOND, 2)
            record_delivery(pushes, 0, other * _SECOND, at * _SECOND)
    return ConnectionTotals.of(records, pushes, end_s * _SECOND)


def test_replications_add_up() -> None:
    one = of_one((0, 60), (30, 90), end_s=100)
    other = of_one((10, 20), (10, 30), (15, 20), end_s=50, reason=CLOSE_AGE)
    both = one.joined(other)
    api = both.apis[0]
    assert both.measured_ns == 150 * _SECOND
    assert api.open_ns == api.lifetime_ns == api.billed_ns == (120 + 35) * _SECOND
    assert (api.peak, api.peak_ns) == (3, 15 * _SECOND)
    assert (api.most_in_second, api.busiest_second) == (2, 10)
    assert (api.opened, sum(api.closes)) == (5, 5)
    assert (api.closes[CLOSE_LEFT], api.closes[CLOSE_AGE]) == (2, 3)
    assert api.durations.mean_ns == 31 * _SECOND
    assert (api.durations.min_ns, api.durations.max_ns) == (5 * _SECOND, 60 * _SECOND)
    push = both.pushes[0]
    assert (push.arose, push.audience, push.deliveries.count) == (5, 10, 5)
    assert push.deliveries.total_ns == api.durations.total_ns


def test_the_first_of_equal_peaks_is_named() -> None:
    one, other = of_one((5, 6), end_s=9), of_one((1, 2), end_s=9)
    assert one.joined(other).apis[0].peak_ns == 5 * _SECOND


def test_connections_are_measured_between_the_warm_up_and_the_end_of_the_traffic() -> None:
    totals = of_one((0, 100), (50, 200), end_s=200, warm_up_s=40, until_s=120)
    assert totals.measured_ns == 80 * _SECOND
    assert totals.apis[0].open_ns == (60 + 70) * _SECOND
    assert totals.apis[0].lifetime_ns == 250 * _SECOND
    assert totals.apis[0].billed_ns == 250 * _SECOND
    assert (totals.apis[0].opened, totals.apis[0].warm_up_opened) == (1, 1)


def test_what_is_still_open_when_a_run_is_cut_short_has_been_open_until_then() -> None:
    totals = of_one((0, 100), (50, 200), end_s=120)
    assert totals.apis[0].open_ns == (100 + 70) * _SECOND
    assert totals.apis[0].durations.count == 1


def test_the_series_is_in_the_longer_of_two_periods() -> None:
    short, long = of_one((0, 10), (4, 6), end_s=10), of_one((1, 9000), end_s=9000)
    both = short.joined(long).series
    assert both.period_ns == 4 * _SECOND
    assert both.open_s[0, :4].tolist() == [4 + 3, 4 + 2 + 4, 2 + 4, 4]
    assert both.opened[0, :3].tolist() == [1 + 1, 1, 0]
    assert both.closed[0, :3].tolist() == [0, 1, 1]
    assert both.peak[0, :4].tolist() == [1, 2, 1, 1]
    assert both.open_s.sum() == pytest.approx(12 + 8999)
    assert np.array_equal(long.joined(short).series.open_s, both.open_s)
