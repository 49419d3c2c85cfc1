"""Windows of a run, and how many times a month each of them happens.

A month is projected only from what the scenario says its window stands for: ``steady``; the weight
of each hour of a day or of a week (1 is the traffic as simulated; a week begins on Monday, UTC); or
how many times a month a phase happens. The phases of a source that have a count fill their share of
the month; what ``represents`` describes fills the rest. Other sources send beside it.
"""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final, Literal, Protocol

from apisim.pricing.counting import NS_PER_HOUR
from apisim.pricing.errors import SettingError
from apisim.pricing.exact import Number, as_fraction
from apisim.pricing.usage import Usage

__all__ = ["Represents", "Window", "factors_of", "month_hours", "weighted_hours"]

_HOURS_PER_DAY: Final = 24
_HOURS_PER_WEEK: Final = 168


class Represents(Protocol):
    """What a window stands for in a month, as a scenario says it."""

    @property
    def kind(self) -> str:
        """``steady``, ``day`` or ``week``."""
        ...

    @property
    def weights(self) -> Sequence[object]:
        """24 or 168 numbers, 1 being the traffic as simulated; empty for ``steady``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of a run that stands for a part of the month.

    Attributes
    ----------
    name : str
        Phase, for messages.
    duration_ns : int
        Simulated time it covers [ns], > 0.
    usage : Usage
        Used in that time, after warm-up.
    events_per_month : int, Decimal, Fraction or None
        How many times a month it happens; None where ``represents`` says what it stands for.
    source : str
        Whose traffic it is. The windows of a source share the month among them; other sources
        send beside it.
    """

    name: str
    duration_ns: int
    usage: Usage
    events_per_month: Number | None = None
    source: str = ""

    def __post_init__(self) -> None:
        if self.duration_ns <= 0:
            raise ValueError(f"window {self.name} must last > 0 ns, got {self.duration_ns}")
        if self.events_per_month is not None and as_fraction(self.events_per_month) < 0:
            raise ValueError(f"window {self.name}: events_per_month must be >= 0")

    @property
    def hours(self) -> Fraction:
        """Simulated time it covers [h]."""
        return Fraction(self.duration_ns, NS_PER_HOUR)


def month_hours(hours: int | Literal["calendar"], start: datetime) -> int:
    """Hours of a month.

    Parameters
    ----------
    hours : int or "calendar"
        730 (an average month), 720 (30 days), or the real month of ``start``.
    start : datetime.datetime
        A time in the month; without a time zone it is taken as UTC.

    Examples
    --------
    >>> month_hours("calendar", datetime(2028, 2, 10, tzinfo=UTC))
    696
    """
    if hours != "calendar":
        return hours
    day = _utc(start)
    return calendar.monthrange(day.year, day.month)[1] * _HOURS_PER_DAY


def weighted_hours(
    represents: Represents, hours: int | Literal["calendar"], start: datetime
) -> Fraction:
    """Hours of the simulated traffic that a month amounts to.

    Parameters
    ----------
    represents : Represents
        ``steady``: every hour is as simulated. ``day``, ``week``: an hour carries its weight times
        the simulated traffic; Monday 00:00 UTC begins a week.
    hours, start
        As :func:`month_hours`. A calendar month has the weekdays it has; in 730 or 720 hours each
        hour of the week has its average share.

    Raises
    ------
    SettingError
        If there are not 24 (168) weights, or one of them is negative.
    """
    month = Fraction(month_hours(hours, start))
    if represents.kind == "steady":
        return month
    # The shortest decimal of a weight is the one that was written: 0.1 is a tenth.
    weights = [Fraction(str(weight)) for weight in represents.weights]
    expected = {"day": _HOURS_PER_DAY, "week": _HOURS_PER_WEEK}[represents.kind]
    if len(weights) != expected or min(weights) < 0:
        raise SettingError(
            ("pricing", "represents", represents.kind),
            f"must be {expected} weights of at least 0, got {len(weights)} from {min(weights)} up",
        )
    if represents.kind == "week" and hours == "calendar":
        first = _utc(start).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        days = (first + timedelta(days=n) for n in range(int(month) // _HOURS_PER_DAY))
        return sum((_day_of(weights, day.weekday()) for day in days), Fraction(0))
    return month * sum(weights) / expected


def _day_of(weights: Sequence[Fraction], weekday: int) -> Fraction:
    return sum(weights[weekday * _HOURS_PER_DAY : (weekday + 1) * _HOURS_PER_DAY], Fraction(0))


def factors_of(
    windows: Sequence[Window],
    represents: Represents | None,
    hours: int | Literal["calendar"],
    start: datetime,
) -> list[Fraction]:
    """How many times each window happens in the month; parameters as :func:`month_quantities`."""
    month = Fraction(month_hours(hours, start))
    per_window = {
        source: _times_of_rest(
            [window for window in windows if window.source == source],
            month,
            None if represents is None else weighted_hours(represents, hours, start),
        )
        for source in dict.fromkeys(window.source for window in windows)
    }
    return [
        per_window[window.source] if window.events_per_month is None else _times(window)
        for window in windows
    ]


def _times_of_rest(windows: Sequence[Window], month: Fraction, hours: Fraction | None) -> Fraction:
    """How many times a month the windows of one source happen that have no count of their own.

    ``hours`` are those of the simulated traffic that a month amounts to, if anybody said so.
    """
    counted = [window for window in windows if window.events_per_month is not None]
    rest = [window for window in windows if window.events_per_month is None]
    counted_hours = sum((_times(window) * window.hours for window in counted), Fraction(0))
    if counted_hours > month:
        names = ", ".join(window.name for window in counted)
        raise SettingError(
            ("pricing", "hours"),
            f"a month of {month} h cannot hold the {round(counted_hours)} h of {names}",
            "lower events_per_month",
        )
    if not rest:
        return Fraction(0)
    if hours is None:
        names = ", ".join(window.name for window in rest)
        raise SettingError(
            ("pricing", "month"),
            f"project needs to know what {names} stands for",
            "write represents: steady, {day: [24 weights]} or {week: [168 weights]}, "
            "or events_per_month: on the phase",
        )
    simulated = sum((window.hours for window in rest), Fraction(0))
    return hours * (month - counted_hours) / month / simulated


def _times(window: Window) -> Fraction:
    return as_fraction(window.events_per_month or 0)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
