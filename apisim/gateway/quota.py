"""Quotas of usage plans: so many requests in a day, a week or a month of the calendar.

A key may make ``limit`` requests in a period, over all stages of its plan; in the period in which a
run begins, ``offset`` fewer (API reference, ``QuotaSettings``). AWS does not say when a period
begins, and reports conflict; here periods are the calendar's, in UTC: a day begins at 00:00, a week
on a day that is a setting, a month on the 1st. Time is counted in whole days since 1970-01-01 and
nanoseconds within a day, so nothing overflows or drifts.
"""

from typing import Final

import numpy as np

from apisim.arrays.jit import inline, kernel

__all__ = [
    "CLOCK_DTYPE",
    "DAY_NS",
    "NO_QUOTA",
    "PERIODS",
    "QUOTA_DTYPE",
    "STATE_FIELDS",
    "change_allowance",
    "day_at",
    "has_quota",
    "open_window",
    "spend",
    "turn_away",
    "window_end",
]

DAY_NS: Final = 86_400_000_000_000
NO_QUOTA: Final = -1
PERIODS: Final = ("day", "week", "month")
_DAY: Final = 0
_WEEK: Final = 1

#: Where a run begins in the calendar.
CLOCK_DTYPE: Final = np.dtype(
    [
        ("start_day", "i8"),  # days since 1970-01-01
        ("start_ns", "i8"),  # time of that day [ns]
        ("week_start", "i8"),  # 0 Monday to 6 Sunday
    ],
    align=True,
)
#: A plan's quota.
QUOTA_DTYPE: Final = np.dtype(
    [
        ("limit", "i8"),  # NO_QUOTA: there is none
        ("period", "i8"),  # an index into PERIODS
        ("offset", "i8"),
        ("first_end", "i8"),  # day on which the period ends in which the run begins
        ("counts_refused", "i8"),  # 1: requests that are refused are counted too
    ],
    align=True,
)
#: What a quota remembers of one key.
STATE_FIELDS: Final = [
    ("window_end", "i8"),  # day on which the present period ends; 0: none yet
    ("allowed", "i8"),  # in the present period
    ("used", "i8"),
    ("refused", "i8"),  # in all
    ("exhausted_ns", "i8"),  # when nothing was left for the first time; -1: never
]


@inline
def day_at(clock: np.void, now_ns: int) -> int:
    """Day since 1970-01-01 at a time of the run."""
    return clock["start_day"] + (clock["start_ns"] + now_ns) // DAY_NS  # type: ignore[no-any-return]


@kernel
def window_end(period: int, day: int, week_start: int) -> int:
    """First day, since 1970-01-01, of the period after the one that ``day`` is in.

    Parameters
    ----------
    period : int
        Index into ``PERIODS``.
    day : int
        Days since 1970-01-01, >= 0.
    week_start : int
        Day on which weeks begin, 0 Monday to 6 Sunday.

    Examples
    --------
    >>> import datetime
    >>> epoch = datetime.date(1970, 1, 1)
    >>> day = (datetime.date(2024, 2, 10) - epoch).days
    >>> [str(epoch + datetime.timedelta(window_end(period, day, 0))) for period in range(3)]
    ['2024-02-11', '2024-02-12', '2024-03-01']
    """
    if period == _DAY:
        return day + 1
    if period == _WEEK:
        # 1970-01-01 was a Thursday, day 3 of a week that begins on Monday.
        return day + 7 - (day + 3 - week_start) % 7
    # Civil calendar from days, in years that begin on 1 March (Hinnant, "chrono-Compatible
    # Low-Level Date Algorithms"): a leap day is then the last of its year.
    since = day + 719_468
    era = since // 146_097
    day_of_era = since - era * 146_097
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    first_day = 365 * year + year // 4 - year // 100
    month = (5 * (day_of_era - first_day) + 2) // 153
    if month < 11:
        return era * 146_097 - 719_468 + first_day + (153 * (month + 1) + 2) // 5
    return (
        era * 146_097
        - 719_468
        + 365 * (year + 1)
        + (year + 1) // 4
        - (year + 1) // 100
        + (year + 1) // 400
    )


@inline
def open_window(quota: np.void, state: np.void, clock: np.void, day: int) -> None:
    """Begin a new period where the last one is over; what was left of it is lost."""
    if day >= state["window_end"]:
        state["window_end"] = window_end(quota["period"], day, clock["week_start"])
        state["allowed"] = quota["limit"]
        if state["window_end"] == quota["first_end"]:
            state["allowed"] -= quota["offset"]
        state["used"] = 0


@kernel
def change_allowance(state: np.void, more: int, more_offset: int, first_end: int) -> None:
    """A quota's limit grows by ``more``, its offset by ``more_offset``: in this period already.

    What has been used stays used, so a limit below it leaves nothing until the next period.

    Parameters
    ----------
    state : record with STATE_FIELDS
        Updated in place; a period that has not been opened yet begins with the new limit.
    more, more_offset : int
        Differences; the offset counts in the first period only.
    first_end : int
        Day on which the first period ends.
    """
    if state["window_end"] > 0:
        state["allowed"] += more
        if state["window_end"] == first_end:
            state["allowed"] -= more_offset


@inline
def has_quota(state: np.void) -> bool:
    """Whether one more request may be made in the present period."""
    return state["used"] < state["allowed"]  # type: ignore[no-any-return]


@inline
def spend(state: np.void, now_ns: int) -> None:
    """Count a request."""
    state["used"] += 1
    if state["used"] >= state["allowed"] and state["exhausted_ns"] < 0:
        state["exhausted_ns"] = now_ns


@inline
def turn_away(state: np.void, now_ns: int) -> None:
    """Write down that the quota refused a request."""
    state["refused"] += 1
    if state["exhausted_ns"] < 0:  # nothing was ever allowed: the offset took it all
        state["exhausted_ns"] = now_ns
