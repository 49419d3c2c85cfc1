"""The two bills of a scenario: what a run costs, and what a month like it is expected to cost.

A run is billed as it happened, warm-up included. With replications the bill of the run is the mean
of the replications' bills (:func:`apisim.pricing.bill.mean_bill`); the bill of a month is that of
their mean usage, because tiers and free tier apply to the expected month once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal, Protocol

from apisim.pricing.bill import Bill
from apisim.pricing.book import PriceBook
from apisim.pricing.exact import rounded
from apisim.pricing.project import month_of, month_parts, month_quantities
from apisim.pricing.rating import rate
from apisim.pricing.usage import Usage
from apisim.pricing.windows import Represents, Window, factors_of, month_hours

__all__ = ["PricingSettings", "bill_of_month", "bill_of_run", "leave_one_out"]


class PricingSettings(Protocol):
    """What is used of a scenario's ``pricing:``."""

    @property
    def free_tier(self) -> str:
        """Free-tier plan by name, or ``none``."""
        ...

    @property
    def month_to_date(self) -> Mapping[str, Decimal]:
        """Used before the run, by meter."""
        ...

    @property
    def represents(self) -> Represents | None:
        """What a window stands for; None where the scenario does not say."""
        ...

    @property
    def hours(self) -> int | Literal["calendar"]:
        """Hours of a month."""
        ...


def bill_of_run(
    settings: PricingSettings, usage: Usage, book: PriceBook, *, today: date | None = None
) -> Bill:
    """What one replication itself costs.

    Parameters
    ----------
    settings : PricingSettings
        The scenario's ``pricing:``.
    usage : Usage
        Everything the replication used, warm-up included.
    book : PriceBook
        Prices.
    today : datetime.date, optional
        Day of the bill, for the age of the book.

    Raises
    ------
    SettingError
        If the book has no such free tier, or nobody knows a meter of ``month_to_date``.
    """
    bill = rate(
        book,
        usage.quantities(book),
        month_to_date=settings.month_to_date,
        free_tier=settings.free_tier,
        today=today,
    )
    return replace(bill, notes=(*bill.notes, *usage.notes))


def bill_of_month(
    settings: PricingSettings,
    replications: Sequence[Sequence[Window]],
    book: PriceBook,
    *,
    start: datetime,
    today: date | None = None,
) -> Bill:
    """What a month costs of which the windows are a part.

    Parameters
    ----------
    settings : PricingSettings
        The scenario's ``pricing:``; ``month_to_date`` comes before the projected month.
    replications : sequence of sequences of Window
        The windows of each replication, in the same order.
    book : PriceBook
        Prices.
    start : datetime.datetime
        Start of the run; its calendar month (UTC) has the hours of ``hours: calendar``.
    today : datetime.date, optional
        Day of the bill, for the age of the book.

    Returns
    -------
    Bill
        Tiers and free tier applied once, to the mean usage of the replications.

    Raises
    ------
    SettingError
        If the scenario does not say what a window stands for, or if the counted phases need more
        hours than the month has.
    """
    windows = replications[0]
    factors = factors_of(windows, settings.represents, settings.hours, start)
    quantities = month_quantities(
        replications, book, represents=settings.represents, hours=settings.hours, start=start
    )
    bill = rate(
        book,
        quantities,
        month_to_date=settings.month_to_date,
        free_tier=settings.free_tier,
        today=today,
    )
    used = (window.usage for of_one in replications for window in of_one)
    usage = sum(used, Usage())
    projected = _projection_notes(windows, factors, month_hours(settings.hours, start))
    pools = (
        f"user pool {pool.name}: all {pool.population:,} users are taken to sign in in the month"
        for pool in usage.user_pools
    )
    traced = _notes_on_traces(settings.represents, usage)
    return replace(bill, notes=(*bill.notes, *projected, *pools, *traced, *usage.notes))


def _notes_on_traces(represents: Represents | None, usage: Usage) -> Iterator[str]:
    """A reservoir has so many a second whatever the traffic; a projection scales all alike."""
    weights = [] if represents is None else represents.weights
    varies = any(Fraction(str(weight)) != 1 for weight in weights)
    if varies and any(one.traces for one in usage.traces):
        yield (
            "xray.traces.recorded: the reservoir of so many a second is scaled like the traffic; "
            "hours with less of it record a larger part, hours with more a smaller one"
        )


def leave_one_out(
    settings: PricingSettings,
    replications: Sequence[Sequence[Window]],
    book: PriceBook,
    *,
    start: datetime,
) -> tuple[Decimal, ...]:
    """Monthly totals with each replication left out in turn: the input of a jackknife.

    Parameters
    ----------
    settings, replications, book, start
        As :func:`bill_of_month`; at least two replications.

    Returns
    -------
    tuple of Decimal
        One total for each replication left out, in the book's currency.

    Raises
    ------
    ValueError
        If there are fewer than two replications.
    """
    if len(replications) < 2:
        raise ValueError(f"need at least 2 replications, got {len(replications)}")
    represents, hours = settings.represents, settings.hours
    _, held = month_parts(replications, book, represents=represents, hours=hours, start=start)
    each = [
        month_of(windows, book, represents=represents, hours=hours, start=start)
        for windows in replications
    ]
    total: dict[str, Fraction] = {}
    for used in each:
        for meter, quantity in used.items():
            total[meter] = total.get(meter, Fraction(0)) + quantity
    n_left = len(replications) - 1

    def without(used: Mapping[str, Fraction]) -> Decimal:
        quantities = dict(held)
        for meter, quantity in total.items():
            mean = (quantity - used.get(meter, Fraction(0))) / n_left
            quantities[meter] = quantities.get(meter, Fraction(0)) + mean
        bill = rate(
            book,
            {meter: quantity for meter, quantity in quantities.items() if quantity},
            month_to_date=settings.month_to_date,
            free_tier=settings.free_tier,
        )
        return bill.total

    return tuple(without(used) for used in each)


def _projection_notes(
    windows: Sequence[Window], factors: Sequence[Fraction], hours: int
) -> list[str]:
    """How the month was made of the windows: a projection is read wrongly without it."""
    notes: list[str] = []
    described: list[str] = []
    simulated, taken_for = Fraction(0), Fraction(0)
    for window, factor in zip(windows, factors, strict=True):
        if window.events_per_month is not None:
            notes.append(f"{window.name}: {_short(factor)} times a month, as counted")
        else:
            described.append(window.name)
            simulated += window.hours
            taken_for += window.hours * factor
    if described:
        notes.append(
            f"{', '.join(described)}: {_short(simulated)} h simulated, taken for "
            f"{_short(taken_for)} h of such traffic in a month of {hours} h"
        )
    return notes


def _short(value: Fraction) -> str:
    return f"{rounded(value, Decimal('0.001')).normalize():,f}"
