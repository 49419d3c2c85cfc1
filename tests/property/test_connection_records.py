"""Records of connections against an integration in plain Python, one connection after the other."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.engine.connection_records import (
    CLOSES,
    FOREVER,
    ROUNDINGS,
    ConnectionRecords,
    new_connection_records,
    record_closed,
    record_opened,
    settle,
)

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
Interval = tuple[int, int, int]  # opened, closed, why

#: Many at the same moment, and at whole seconds and minutes.
_TIMES = st.one_of(
    st.integers(0, 300).map(lambda n: n * _SECOND),
    st.integers(0, 3 * _MINUTE),
    st.integers(0, 20_000).map(lambda n: n * _SECOND),
    st.integers(0, 20_000 * _SECOND),
)
_CONNECTIONS = st.lists(
    st.tuples(_TIMES, st.one_of(st.just(0), _TIMES), st.integers(0, len(CLOSES) - 1)).map(
        lambda one: (one[0], one[0] + one[1], one[2])
    ),
    max_size=12,
)


def recorded(
    connections: list[Interval],
    *,
    warm_up_ns: int = 0,
    until_ns: int = FOREVER,
    rounding: int = 0,
) -> ConnectionRecords:
    """Records of these connections, told in order of time; closes before openings."""
    records = new_connection_records(
        2, n_phases=2, warm_up_ns=warm_up_ns, until_ns=until_ns, rounding=rounding
    )
    events = [(at, 1, n) for n, (at, _, _) in enumerate(connections)]
    events += [(end, 2 if at == end else 0, n) for n, (at, end, _) in enumerate(connections)]
    for at, what, n in sorted(events):
        if what == 1:
            record_opened(records, 1, at)
        else:
            record_closed(records, 1, 1, at, connections[n][0], connections[n][2])
    return records


def overlap(connection: Interval, start: int, end: int) -> int:
    return max(min(connection[1], end) - max(connection[0], start), 0)


def open_after(connections: list[Interval], at: int) -> int:
    return sum(start <= at < end for start, end, _ in connections)


@given(_CONNECTIONS, _TIMES, _TIMES)
def test_the_integral_is_the_time_of_all_connections(
    connections: list[Interval], warm_up_ns: int, until_ns: int
) -> None:
    until_ns = max(warm_up_ns, until_ns)
    records = recorded(connections, warm_up_ns=warm_up_ns, until_ns=until_ns)
    stretches = [(warm_up_ns, until_ns), (0, warm_up_ns), (until_ns, FOREVER)]
    for time, stretch in zip(records.times[1], stretches, strict=True):
        expected = sum(overlap(one, *stretch) for one in connections)
        assert int(time["open_s"]) * _SECOND + int(time["open_rest_ns"]) == expected
        assert time["open_rest_ns"] < _SECOND
    assert records.apis[0]["opened"] == 0


@given(_CONNECTIONS)
def test_each_period_has_its_part_of_the_integral(connections: list[Interval]) -> None:
    records = recorded(connections)
    period_ns = int(records.head[0]["period_ns"])
    last = max((end for _, end, _ in connections), default=0) // period_ns
    assert last < len(records.series[1])
    for period in range(last + 1):
        start, end = period * period_ns, (period + 1) * period_ns
        column = records.series[1, period]
        assert int(column["open_s"]) * _SECOND + int(column["open_rest_ns"]) == sum(
            overlap(one, start, end) for one in connections
        )
        assert column["opened"] == sum(start <= one[0] < end for one in connections)
        assert column["closed"] == sum(start <= one[1] < end for one in connections)
    assert not records.series[1, last + 1 :].view(np.int64).any()


@given(_CONNECTIONS, _TIMES)
def test_the_peak_is_the_most_that_were_open_at_one_time(
    connections: list[Interval], warm_up_ns: int
) -> None:
    lasting = [one for one in connections if one[0] < one[1]]
    records = recorded(lasting, warm_up_ns=warm_up_ns)
    settle(records, max([warm_up_ns, *(end for _, end, _ in lasting)]))
    after = [warm_up_ns, *sorted(start for start, _, _ in lasting if start >= warm_up_ns)]
    peak = max(open_after(lasting, at) for at in after)
    if records.apis[1]["peak"] != peak:
        # What closes as the warm-up ends was still open when it did.
        assert records.apis[1]["peak_ns"] == warm_up_ns
        assert records.apis[1]["peak"] == sum(one[0] < warm_up_ns <= one[1] for one in lasting)
        return
    first = next(at for at in after if open_after(lasting, at) == peak)
    assert records.apis[1]["peak_ns"] == first or peak == 0


@given(_CONNECTIONS, _TIMES)
def test_openings_closes_and_durations_leave_out_what_happened_in_the_warm_up(
    connections: list[Interval], warm_up_ns: int
) -> None:
    records = recorded(connections, warm_up_ns=warm_up_ns)
    mine = records.apis[1]
    opened = [start for start, _, _ in connections if start >= warm_up_ns]
    closed = [one for one in connections if one[1] >= warm_up_ns]
    assert mine["opened"] == len(opened)
    assert mine["warm_up_opened"] == len(connections) - len(opened)
    assert mine["now_open"] == 0
    reasons = Counter(reason for _, _, reason in closed)
    assert records.closes[1].tolist() == [reasons[reason] for reason in range(len(CLOSES))]
    durations = [end - start for start, end, _ in closed]
    total = int(mine["duration_s"]) * _SECOND + int(mine["duration_rest_ns"])
    assert (total, mine["duration_max_ns"]) == (sum(durations), max(durations, default=0))
    assert records.durations[1]["count"].sum() == len(durations)
    by_second = Counter(start // _SECOND for start in opened)
    most = max(by_second.values(), default=0)
    assert mine["most_in_second"] == most
    if most:
        busiest = min(second for second, n in by_second.items() if n == most)
        assert mine["busiest_second"] == busiest


def minutes(duration_ns: int, rounding: str) -> Fraction:
    exact = Fraction(duration_ns, _MINUTE)
    if rounding == "exact":
        return exact
    if rounding == "up":
        return Fraction(-(-exact.numerator // exact.denominator))
    half_up = exact + Fraction(1, 2)
    return Fraction(half_up.numerator // half_up.denominator)


@given(_CONNECTIONS, _TIMES, st.sampled_from(ROUNDINGS))
def test_each_connection_is_billed_by_the_minute(
    connections: list[Interval], warm_up_ns: int, rounding: str
) -> None:
    records = recorded(connections, warm_up_ns=warm_up_ns, rounding=ROUNDINGS.index(rounding))
    assert not records.minutes[0].view(np.int64).any()
    measured, warm_up = (
        int(row["minutes"]) + Fraction(int(row["rest_ns"]), _MINUTE)
        for row in records.minutes[1, 1]
    )
    billed = sum((minutes(end - start, rounding) for start, end, _ in connections), Fraction(0))
    assert measured + warm_up == billed
    early = Fraction(0)
    for start, end, _ in connections:
        if start >= warm_up_ns:
            continue
        if end <= warm_up_ns:
            early += minutes(end - start, rounding)
            continue
        whole = minutes(warm_up_ns - start, "exact")
        early += whole if rounding == "exact" else whole.numerator // whole.denominator
    assert warm_up == early


@pytest.mark.parametrize(("duration_s", "up", "nearest"), [(0, 0, 0), (1, 1, 0), (29, 1, 0),
    (30, 1, 1), (60, 1, 1), (61, 2, 1), (90, 2, 2), (7200, 120, 120)])  # fmt: skip
def test_a_minute_that_was_begun(duration_s: int, up: int, nearest: int) -> None:
    for rounding, expected in (("up", up), ("nearest", nearest)):
        records = recorded([(0, duration_s * _SECOND, 0)], rounding=ROUNDINGS.index(rounding))
        assert records.minutes[1, 1, 0]["minutes"] == expected


def test_many_connections_over_months_do_not_overflow() -> None:
    records = new_connection_records(1)
    n_open, month = 10_000_000, 31 * 86_400 * _SECOND
    records.apis[0]["now_open"] = n_open
    settle(records, 2 * month + 1)
    mine = records.times[0, 0]
    n_seconds, rest_ns = n_open * 2 * 31 * 86_400, n_open
    assert (int(mine["open_s"]), int(mine["open_rest_ns"])) == (n_seconds, rest_ns)
    assert int(records.series[0]["open_s"].sum()) == int(mine["open_s"])
    period_s = int(records.head[0]["period_ns"]) // _SECOND
    assert int(records.series[0, 1000]["open_s"]) == n_open * period_s
