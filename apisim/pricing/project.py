"""From a window of a run to the expected usage of a month.

A month is projected only from what the scenario says its window stands for: ``steady``; the weight
of each hour of a day or of a week (1 is the traffic as simulated; a week begins on Monday, UTC); or
how many times a month a phase happens. Phases with a count fill their share of the month; what
``represents`` describes fills the rest.

Usage is scaled by exact fractions and averaged over replications, before tiers and free tier. Cache
clusters, load balancers, interface endpoints and capacity that is held cost the month's hours
whatever the traffic, and each user of a user pool is one a month. A log holds what is written
within its retention, as it does when it has been there for that long. What does not scale (quotas,
cold caches) is not in the projection: the caller leaves the warm-up out of the windows.
"""

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final, Literal, Protocol

from apisim.pricing.book import PriceBook
from apisim.pricing.counting import NS_PER_HOUR
from apisim.pricing.doubts import Doubt, added
from apisim.pricing.errors import SettingError
from apisim.pricing.exact import Number, as_fraction
from apisim.pricing.neighbours import ServiceUsage
from apisim.pricing.usage import Usage

__all__ = [
    "Represents",
    "Window",
    "factors_of",
    "month_doubts",
    "month_events",
    "month_hours",
    "month_parts",
    "month_quantities",
    "scaling_part",
    "weighted_hours",
]

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
    """

    name: str
    duration_ns: int
    usage: Usage
    events_per_month: Number | None = None

    def __post_init__(self) -> None:
        if self.duration_ns <= 0:
            raise ValueError(f"window {self.name} must last > 0 ns, got {self.duration_ns}")
        if self.events_per_month is not None and as_fraction(self.events_per_month) < 0:
            raise ValueError(f"window {self.name}: events_per_month must be >= 0")

    @property
    def hours(self) -> Fraction:
        """Simulated time it covers [h]."""
        return Fraction(self.duration_ns, NS_PER_HOUR)


def month_quantities(
    replications: Sequence[Sequence[Window]],
    book: PriceBook,
    *,
    represents: Represents | None,
    hours: int | Literal["calendar"],
    start: datetime,
) -> dict[str, Fraction]:
    """Expected quantities of a month, in the units of the book's meters, exact.

    Parameters
    ----------
    replications, book, start
        As :func:`apisim.pricing.billing.bill_of_month`.
    represents : Represents or None
        What windows without ``events_per_month`` stand for.
    hours : int or "calendar"
        Hours of the month.

    Raises
    ------
    SettingError
        As :func:`apisim.pricing.billing.bill_of_month`.
    """
    used, held = month_parts(replications, book, represents=represents, hours=hours, start=start)
    return {meter: used.get(meter, 0) + held.get(meter, Fraction(0)) for meter in {**used, **held}}


def scaling_part(usage: Usage, month_h: Fraction | None = None) -> Usage:
    """The part of a usage that grows with the traffic; what is left is paid for being there.

    With the hours of a month, what is stored of logs is a part of it.

    Clusters exist whether or not they are busy; so do web ACLs, of which only the requests scale,
    provisioned concurrency, tables and streams with capacity, load balancers, interface endpoints,
    detailed metrics, and the users of a user pool.
    """
    return Usage(
        apis=usage.apis,
        functions=tuple(replace(function, provisioned_ns=0) for function in usage.functions),
        wafs=tuple(replace(waf, provisioned_ns=0) for waf in usage.wafs),
        services=tuple(replace(service, provisioned_ns=0) for service in usage.services),
        balancers=tuple(replace(balancer, provisioned_ns=0) for balancer in usage.balancers),
        logs=tuple(replace(log, month_h=month_h) for log in usage.logs),
        traces=usage.traces,
    )


def month_parts(
    replications: Sequence[Sequence[Window]],
    book: PriceBook,
    *,
    represents: Represents | None,
    hours: int | Literal["calendar"],
    start: datetime,
) -> tuple[dict[str, Fraction], dict[str, Fraction]]:
    """What a month uses as its traffic does, and what it has whatever the traffic.

    Parameters, and what is raised, as :func:`month_quantities`.
    """
    used: dict[str, Fraction] = {}
    month = Fraction(month_hours(hours, start))
    for windows in replications:
        factors = factors_of(windows, represents, hours, start)
        for window, factor in zip(windows, factors, strict=True):
            for meter, quantity in scaling_part(window.usage, month).quantities(book).items():
                share = quantity * factor / len(replications)
                used[meter] = used.get(meter, Fraction(0)) + share
    held = _held(replications, book, month)
    return (
        {meter: quantity for meter, quantity in used.items() if quantity},
        {meter: quantity for meter, quantity in held.items() if quantity},
    )


def _held(
    replications: Sequence[Sequence[Window]], book: PriceBook, month: Fraction
) -> dict[str, Fraction]:
    """What is paid for being there all the month."""
    quantities: dict[str, Fraction] = {}
    held = {
        function.name: replace(
            function,
            invocations=0, billed_ms=0, provisioned_ms=0,
            provisioned_ns=int(month * NS_PER_HOUR),
        )
        for windows in replications
        for window in windows
        for function in window.usage.functions
        if function.provisioned_concurrency
    }  # fmt: skip
    for meter, quantity in Usage(functions=tuple(held.values())).quantities(book).items():
        quantities[meter] = quantities.get(meter, Fraction(0)) + quantity
    for meter, hours in _of_clusters(replications, month):
        quantities[meter] = quantities.get(meter, Fraction(0)) + hours
    acls = {
        (waf.api, waf.stage, waf.rules)
        for windows in replications
        for window in windows
        for waf in window.usage.wafs
    }
    if acls:
        quantities["waf.web_acls"] = Fraction(len(acls))
    if n_rules := sum(rules for _, _, rules in acls):
        quantities["waf.rules"] = Fraction(n_rules)
    for meter, quantity in _of_time(replications, book, month):
        quantities[meter] = quantities.get(meter, Fraction(0)) + quantity
    return quantities


def month_events(
    replications: Sequence[Sequence[Window]], factors: Sequence[Sequence[Fraction]]
) -> dict[str, Fraction]:
    """Calls of the month behind metered units, by meter.

    Parameters
    ----------
    replications : sequence of sequences of Window
        The windows of each replication.
    factors : sequence of sequences of Fraction
        How many times a month each of them happens, as :func:`factors_of` says.
    """
    found: dict[str, Fraction] = {}
    for windows, times in zip(replications, factors, strict=True):
        for window, factor in zip(windows, times, strict=True):
            for meter, calls in window.usage.events().items():
                share = calls * factor / len(replications)
                found[meter] = found.get(meter, Fraction(0)) + share
    return found


def month_doubts(
    replications: Sequence[Sequence[Window]], factors: Sequence[Sequence[Fraction]]
) -> tuple[Doubt, ...]:
    """What else the month might be; parameters as :func:`month_events`."""
    return added(
        doubt.times(factor / len(replications))
        for windows, times in zip(replications, factors, strict=True)
        for window, factor in zip(windows, times, strict=True)
        for doubt in window.usage.doubts
    )


def _of_clusters(
    replications: Sequence[Sequence[Window]], month: Fraction
) -> Iterator[tuple[str, Fraction]]:
    """Hours of each cluster; of one that was resized, each size has its share of the run."""
    held_ns: dict[tuple[str, str], dict[str, int]] = {}
    for windows in replications:
        for cache in (cache for window in windows for cache in window.usage.caches):
            sizes = held_ns.setdefault((cache.api, cache.stage), {})
            sizes[cache.size] = sizes.get(cache.size, 0) + cache.provisioned_ns
    for sizes in held_ns.values():
        whole = sum(sizes.values())
        for size, part_ns in sizes.items():
            share = Fraction(part_ns, whole) if whole else Fraction(1, len(sizes))
            yield f"apigateway.cache.{size}", month * share


def _of_time(
    replications: Sequence[Sequence[Window]], book: PriceBook, month: Fraction
) -> Iterator[tuple[str, Fraction]]:
    """What neighbours cost a month for being there, and the users there are in a month.

    A table whose capacity was changed has each of its capacities for the share of the month that it
    had of the run. All users of a pool are taken to sign in once a month.
    """
    usages = [window.usage for windows in replications for window in windows]
    held_ns: dict[str, dict[ServiceUsage, int]] = {}
    for usage in usages:
        for service in usage.services:
            if service.is_provisioned and service.provisioned_ns:
                kind = replace(
                    service, requests=0, half_reads=0, units=0, provisioned_ns=NS_PER_HOUR
                )
                of_service = held_ns.setdefault(service.name, {})
                of_service[kind] = of_service.get(kind, 0) + service.provisioned_ns
    for of_service in held_ns.values():
        for kind, part_ns in of_service.items():
            for meter, hourly in kind.quantities(book):
                yield meter, hourly * month * Fraction(part_ns, sum(of_service.values()))
    balancers = {one.name: one.kind for usage in usages for one in usage.balancers}
    for balancer in balancers.values():
        yield f"elb.{balancer}.hours", month
    zones = {one.name: one.zones or 0 for usage in usages for one in usage.vpc_endpoints}
    yield "privatelink.endpoint_hours", month * sum(zones.values())
    metrics = {(one.api, one.route): one.metrics for usage in usages for one in usage.route_metrics}
    yield "cloudwatch.metrics", Fraction(sum(metrics.values()))
    pools = {one.name: one for usage in usages for one in usage.user_pools}
    for pool in pools.values():
        yield f"cognito.mau.{pool.tier}", Fraction(pool.population)


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
    per_window = Fraction(0)
    if rest:
        if represents is None:
            names = ", ".join(window.name for window in rest)
            raise SettingError(
                ("pricing", "month"),
                f"project needs to know what {names} stands for",
                "write represents: steady, {day: [24 weights]} or {week: [168 weights]}, "
                "or events_per_month: on the phase",
            )
        free = (month - counted_hours) / month
        simulated = sum((window.hours for window in rest), Fraction(0))
        per_window = weighted_hours(represents, hours, start) * free / simulated
    return [per_window if window.events_per_month is None else _times(window) for window in windows]


def _times(window: Window) -> Fraction:
    return as_fraction(window.events_per_month or 0)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
