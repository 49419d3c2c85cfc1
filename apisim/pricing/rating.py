"""Quantities through a book's tiers: the arithmetic of a bill.

Tiers are graduated: a month's cumulative quantity fills them from the first up, so what a run
costs depends on what the account used before (``month_to_date``). A free-tier plan grants the first
units of the month; by default these fill the first tier too (AWS does not say; a meter can say
otherwise). The cost of a quantity is C(before + quantity) - C(before) for one cumulative cost C, so
a month that is split into parts costs the same as in one piece.

Allowances are granted meter by meter. AWS shares one of them between two meters (400,000 GB-seconds
of Lambda on x86 and arm64 together); here each gets it, because which of the two AWS serves first
is not documented.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from apisim.pricing.bill import FREE, Bill, Line, TierRow, Unpriced
from apisim.pricing.book import NO_FREE_TIER, Meter, PriceBook
from apisim.pricing.errors import SettingError
from apisim.pricing.exact import Number, as_fraction
from apisim.scenario.problems import did_you_mean

__all__ = ["MAX_AGE_DAYS", "graduate", "rate"]

#: A book older than this is named in the bill: list prices change every few years.
MAX_AGE_DAYS: Final = 365


def rate(
    book: PriceBook,
    quantities: Mapping[str, Number],
    *,
    month_to_date: Mapping[str, Number] | None = None,
    free_tier: str | Sequence[str] = NO_FREE_TIER,
    today: date | None = None,
    account_month: int | None = None,
) -> Bill:
    """What some quantities cost.

    Parameters
    ----------
    book : PriceBook
        Prices and tiers.
    quantities : mapping of str to int, Decimal or Fraction
        By meter, in the meter's unit, >= 0, summed over the account; zeros give no line.
    month_to_date : mapping, optional
        What the account had used of each meter in the month before.
    free_tier : str or sequence of str
        Free-tier plans by name; ``none`` grants nothing.
    today : datetime.date, optional
        Day of the bill; a book more than a year older is named in the bill's notes.
    account_month : int, optional
        Which month of the account it is, from 1: some plans end. Without it none does.

    Returns
    -------
    Bill
        Meters without a price are listed as unpriced and are not part of the total.

    Raises
    ------
    SettingError
        If the book has no such free-tier plan, or nobody knows a meter of ``month_to_date``.
    ValueError
        If a quantity is negative or not finite.
    TypeError
        If a quantity is a binary floating-point number.

    Examples
    --------
    >>> from apisim.pricing import load_book
    >>> rate(load_book("aws-us-east-1"), {"apigateway.rest.requests": 21_000_000_000}).total
    Decimal('49763.1')
    """
    plans = book.checked_plans(free_tier)
    used = {name: _quantity(name, value) for name, value in (month_to_date or {}).items()}
    for name in used:
        if not book.unit_of(name):
            raise SettingError(
                ("pricing", "month_to_date", name),
                f"price book {book.reference} has no such meter",
                did_you_mean(name, book.meters),
            )
    wanted = {name: _quantity(name, value) for name, value in quantities.items()}
    lines: list[Line] = []
    unpriced: list[Unpriced] = []
    notes = _age_notes(book, today)
    order = [name for name in book.meters if name in wanted]
    order += [name for name in wanted if name not in book.meters]
    for name in order:
        quantity = wanted[name]
        if quantity == 0:
            continue
        meter = book.meters.get(name)
        if meter is None or not meter.is_priced:
            unpriced.append(_unpriced(book, name, quantity))
            continue
        rows, beyond = _rated(meter, used.get(name, Fraction(0)), quantity, plans, account_month)
        if rows:
            lines.append(Line(meter=meter, rows=rows))
        if beyond:
            unpriced.append(
                Unpriced(
                    meter=name,
                    unit=meter.unit,
                    quantity=beyond,
                    note=f"above the last tier known: {meter.note or 'the tier table ends there'}",
                )
            )
        elif meter.note and meter.tiers[-1].up_to is None:
            notes.append(f"{name}: {meter.note}")
    return Bill(
        book=book.reference,
        currency=book.currency,
        conventions=book.conventions,
        lines=tuple(lines),
        unpriced=tuple(unpriced),
        notes=tuple(notes),
    )


def graduate(
    meter: Meter, before: Fraction, quantity: Fraction
) -> tuple[tuple[TierRow, ...], Fraction]:
    """A quantity cut at the tiers' ends.

    Parameters
    ----------
    meter : Meter
        Supplies the tiers.
    before : Fraction
        Cumulative quantity of the month already rated, >= 0.
    quantity : Fraction
        What is to be rated, >= 0.

    Returns
    -------
    rows : tuple of TierRow
        One for each tier that is reached.
    beyond : Fraction
        What lies above the last tier, 0 if that one is open-ended.
    """
    rows: list[TierRow] = []
    position, end = before, before + quantity
    for number, tier in enumerate(meter.tiers):
        top = end if tier.up_to is None else min(end, Fraction(tier.up_to))
        if top > position:
            rows.append(
                TierRow(
                    tier=number,
                    quantity=top - position,
                    price_per_unit=tier.price_per_unit,
                    listed=_listed(meter, position, top),
                )
            )
            position = top
    return tuple(rows), end - position


def _listed(meter: Meter, start: Fraction, end: Fraction) -> tuple[tuple[Decimal, Fraction], ...]:
    """List prices of the units from ``start`` to ``end``, where an overlay has changed them.

    What lies above the last list price known has none: its own price is taken for it.
    """
    parts: list[tuple[Decimal, Fraction]] = []
    for tier in meter.list_tiers:
        until = end if tier.up_to is None else min(Fraction(tier.up_to), end)
        if until > start:
            parts.append((tier.price_per_unit, until - start))
            start = until
    return tuple(parts)


def _rated(
    meter: Meter,
    before: Fraction,
    quantity: Fraction,
    plans: Sequence[str],
    account_month: int | None,
) -> tuple[tuple[TierRow, ...], Fraction]:
    granted: list[TierRow] = []
    allowance = Fraction(0)
    position, left = before, quantity
    for free in meter.free:
        if free.plan not in plans or free.is_over(account_month):
            continue
        allowance += Fraction(free.quantity)
        taken = min(left, max(Fraction(0), allowance - position))
        if taken:
            granted.append(
                TierRow(tier=FREE, quantity=taken, price_per_unit=Decimal(0), free_tier=free.plan)
            )
        position += taken
        left -= taken
    if meter.tiers_after_free:
        position = max(Fraction(0), position - allowance)
    rows, beyond = graduate(meter, position, left)
    return (*granted, *rows), beyond


def _quantity(meter: str, value: Number) -> Fraction:
    quantity = as_fraction(value)
    if quantity < 0:
        raise ValueError(f"the quantity of {meter} must be at least 0, got {value}")
    return quantity


def _unpriced(book: PriceBook, meter: str, quantity: Fraction) -> Unpriced:
    reason = book.unpriced.get(meter)
    if reason is None:
        where = f"in {book.region}" if meter in book.meters else "at all"
        reason = f"{book.reference} has no price for it {where}"
    return Unpriced(meter=meter, unit=book.unit_of(meter), quantity=quantity, note=reason)


def _age_notes(book: PriceBook, today: date | None) -> list[str]:
    if book.as_of is None or today is None:
        return []
    age_days = (today - book.as_of).days
    if age_days <= MAX_AGE_DAYS:
        return []
    age = f"{age_days} days before {today}"
    return [
        f"prices of {book.reference} are of {book.as_of}, {age}: check them against the price list"
    ]
