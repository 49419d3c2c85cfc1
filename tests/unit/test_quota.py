"""Quota periods against Python's own calendar, and what a quota counts."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.gateway.quota import (
    CLOCK_DTYPE,
    DAY_NS,
    PERIODS,
    QUOTA_DTYPE,
    STATE_FIELDS,
    day_at,
    has_quota,
    open_window,
    spend,
    turn_away,
    window_end,
)

EPOCH = date(1970, 1, 1)
# Python's strategy wants moments without a zone here and gives them one later.
MIN, MAX = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1970, 2199))


def _next_period(period: str, day: date, week_start: int) -> date:
    """First day of the next period, by Python's calendar alone."""
    if period == "day":
        return day + timedelta(1)
    if period == "week":
        following = day + timedelta(1)
        while following.weekday() != week_start:
            following += timedelta(1)
        return following
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


@given(
    day=st.dates(date(1970, 1, 1), date(2400, 12, 31)),
    period=st.sampled_from(PERIODS),
    week_start=st.integers(0, 6),
)
def test_periods_end_where_the_calendar_says(day: date, period: str, week_start: int) -> None:
    found = window_end(PERIODS.index(period), (day - EPOCH).days, week_start)
    assert EPOCH + timedelta(int(found)) == _next_period(period, day, week_start)


def test_every_day_of_four_centuries_is_in_the_right_month() -> None:
    day = date(1999, 12, 1)
    while day < date(2401, 3, 1):
        found = window_end(PERIODS.index("month"), (day - EPOCH).days, 0)
        assert EPOCH + timedelta(int(found)) == _next_period("month", day, 0)
        day += timedelta(1 if day.day > 25 else 13)


def _clock(start: datetime, week_start: int = 0) -> np.void:
    row = np.zeros(1, CLOCK_DTYPE)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    row["start_day"] = (start.date() - EPOCH).days
    row["start_ns"] = (start - midnight) // timedelta(microseconds=1) * 1000
    row["week_start"] = week_start
    return row[0]


def _quota(clock: np.void, limit: int, period: str, offset: int = 0) -> np.void:
    row = np.zeros(1, QUOTA_DTYPE)
    row["limit"], row["period"], row["offset"] = limit, PERIODS.index(period), offset
    row["first_end"] = window_end(PERIODS.index(period), clock["start_day"], clock["week_start"])
    return row[0]


def _state() -> np.void:
    row = np.zeros(1, np.dtype(STATE_FIELDS, align=True))
    row["exhausted_ns"] = -1
    return row[0]


class _Counter:
    """A quota of one key by dates and a dictionary."""

    def __init__(self, start: datetime, limit: int, period: str, offset: int, week: int) -> None:
        self.start, self.limit, self.period, self.offset = start, limit, period, offset
        self.week, self.used = week, dict[date, int]()

    def ask(self, now_ns: int) -> bool:
        moment = self.start + timedelta(microseconds=now_ns // 1000)
        end = _next_period(self.period, moment.date(), self.week)
        first = _next_period(self.period, self.start.date(), self.week)
        allowed = self.limit - (self.offset if end == first else 0)
        if self.used.get(end, 0) >= allowed:
            return False
        self.used[end] = self.used.get(end, 0) + 1
        return True


@given(
    start=st.datetimes(MIN, MAX),
    period=st.sampled_from(PERIODS),
    limit=st.integers(1, 4),
    offset=st.integers(0, 5),
    week=st.integers(0, 6),
    gaps=st.lists(
        st.sampled_from([0, 1, DAY_NS - 1, DAY_NS, 3_600_000_000_000, 9 * DAY_NS]), max_size=60
    ),
)
def test_a_quota_lets_by_what_a_dictionary_of_dates_lets_by(
    start: datetime, period: str, limit: int, offset: int, week: int, gaps: list[int]
) -> None:
    start = start.replace(tzinfo=UTC)
    clock = _clock(start, week)
    quota, state = _quota(clock, limit, period, offset), _state()
    counter = _Counter(start, limit, period, offset, week)
    now_ns = 0
    for gap in gaps:
        now_ns += gap // 1000 * 1000
        open_window(quota, state, clock, day_at(clock, now_ns))
        said = bool(has_quota(state))
        assert said == counter.ask(now_ns)
        if said:
            spend(state, now_ns)
        else:
            turn_away(state, now_ns)


def test_the_last_nanosecond_of_a_day_belongs_to_it() -> None:
    clock = _clock(datetime(2026, 6, 1, 23, 0, tzinfo=UTC))
    hour = 3_600_000_000_000
    assert day_at(clock, hour) - day_at(clock, hour - 1) == 1
    assert day_at(clock, hour - 1) == clock["start_day"]


def test_a_quota_knows_when_it_was_first_used_up() -> None:
    clock = _clock(datetime(2026, 6, 1, tzinfo=UTC))
    quota, state = _quota(clock, 2, "day"), _state()
    for now_ns in (5, 9):
        open_window(quota, state, clock, day_at(clock, now_ns))
        spend(state, now_ns)
    assert state["exhausted_ns"] == 9
    turn_away(state, 11)
    assert (state["exhausted_ns"], state["refused"]) == (9, 1)
    taken_all, state = _quota(clock, 2, "day", 2), _state()
    open_window(taken_all, state, clock, day_at(clock, 3))
    assert not has_quota(state)
    turn_away(state, 3)
    assert state["exhausted_ns"] == 3


@pytest.mark.parametrize(
    ("week_start", "expected"), [(0, "2026-06-08"), (6, "2026-06-07"), (1, "2026-06-02")]
)
def test_weeks_begin_on_the_day_that_is_set(week_start: int, expected: str) -> None:
    monday = (date(2026, 6, 1) - EPOCH).days
    assert str(EPOCH + timedelta(int(window_end(1, monday, week_start)))) == expected
