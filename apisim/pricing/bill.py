"""A bill: lines with their tiers, what has no price, and what its reader should know.

Amounts are fractions inside, so that a total is the sum of its lines exactly; they become decimals
when they are read (:func:`apisim.pricing.exact.as_decimal`). Nothing is rounded before a line is
shown, and the total is not the sum of shown lines: a bill whose lines are 16.425 and 6 totals
22.43, not 22.42 or 22.44. Only :attr:`Bill.invoice_total` is rounded to the cent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import chain
from typing import Any, Final, NamedTuple, Protocol

from apisim.pricing.book import Conventions, Meter
from apisim.pricing.exact import as_decimal, plain, rounded
from apisim.pricing.shown import ShownBill

__all__ = [
    "FREE",
    "Bill",
    "BillRow",
    "Line",
    "TierRow",
    "Unpriced",
    "bill_section",
    "dollars",
    "mean_bill",
    "price_text",
    "quantity_text",
]

#: Tier of units that a free-tier plan grants.
FREE: Final = -1

_MODES: Final = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN}
#: Units whose prices are quoted by the million.
_BY_THE_MILLION: Final = frozenset(
    {
        "64K-Chunks", "Messages", "PutRequestPayloadUnits", "ReadRequestUnits", "Requests",
        "WriteRequestUnits", "minutes", "traces",
    }
)  # fmt: skip
_MILLION: Final = 1_000_000


class Described(Protocol):
    """Something that ``--json`` prints."""

    def to_dict(self) -> dict[str, Any]:
        """As it is printed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRow:
    """The part of a line that falls into one tier.

    Attributes
    ----------
    tier : int
        Position in the meter's tier table, from 0; :data:`FREE` for granted units.
    quantity : Fraction
        In the meter's unit.
    price_per_unit : Decimal
        In the bill's currency.
    free_tier : str
        Plan that grants the units; empty for charged ones.
    listed : tuple of (Decimal, Fraction)
        List prices with the part of the quantity that each is for, where the price is another than
        the list's; empty where it is the list's.
    """

    tier: int
    quantity: Fraction
    price_per_unit: Decimal
    free_tier: str = ""
    listed: tuple[tuple[Decimal, Fraction], ...] = ()

    @property
    def amount(self) -> Fraction:
        """Quantity times price."""
        return self.quantity * Fraction(self.price_per_unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One meter's line.

    Attributes
    ----------
    meter : Meter
        What was used.
    rows : tuple of TierRow
        Free units first, then tier by tier.
    """

    meter: Meter
    rows: tuple[TierRow, ...]

    @property
    def quantity(self) -> Fraction:
        """All units, free ones included, in the meter's unit."""
        return sum((row.quantity for row in self.rows), Fraction(0))

    @property
    def amount(self) -> Fraction:
        """What the line costs."""
        return sum((row.amount for row in self.rows), Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced:
    """Usage the book has no price for; it is not part of the total.

    Attributes
    ----------
    meter, unit, note : str
        Name, unit (empty if unknown) and why there is no price.
    quantity : Fraction
        In ``unit``.
    """

    meter: str
    unit: str
    quantity: Fraction
    note: str


class BillRow(NamedTuple):
    """One printed row of a bill; every field is text."""

    item: str
    quantity: str
    unit: str
    price: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Bill(ShownBill):
    """What some usage costs by one price book.

    Attributes
    ----------
    book, currency : str
        Reference of the price book, with its version, and its currency.
    conventions : Conventions
        How numbers without a finite decimal and invoices are rounded.
    lines : tuple of Line
        In the order of the book.
    unpriced : tuple of Unpriced
        Usage without a price.
    notes : tuple of str
        What the reader should know.
    """

    book: str
    currency: str
    conventions: Conventions
    lines: tuple[Line, ...] = ()
    unpriced: tuple[Unpriced, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def exact_total(self) -> Fraction:
        """Sum of the lines' exact amounts."""
        return sum((line.amount for line in self.lines), Fraction(0))

    @property
    def total(self) -> Decimal:
        """The total in full; rounded to the book's line precision only if it is not finite."""
        return as_decimal(self.exact_total, self.conventions.line_step)

    @property
    def invoice_total(self) -> Decimal:
        """The total rounded once, as the book's invoices are (to the cent, half up)."""
        mode = _MODES[self.conventions.invoice_mode]
        return rounded(self.exact_total, self.conventions.invoice_step, mode)

    def line(self, meter: str) -> Line | None:
        """The line of a meter; None if it was not used."""
        return next((line for line in self.lines if line.meter.name == meter), None)

    def to_dict(self) -> dict[str, Any]:
        """The bill as ``--json`` prints it: every number is an exact decimal as text.

        Returns
        -------
        dict
            ``total``; ``lines`` with ``meter``, ``description``, ``quantity``, ``unit``, ``amount``
            and ``tiers`` (``quantity``, ``price_per_unit``, ``amount``, and ``free_tier`` where a
            plan grants the units); ``unpriced`` and ``notes``.
        """
        return {
            "total": plain(self.total),
            "lines": [self._line_dict(line) for line in self.lines],
            "unpriced": [
                {
                    "meter": item.meter,
                    "quantity": self._text(item.quantity),
                    "unit": item.unit,
                    "note": item.note,
                }
                for item in self.unpriced
            ],
            "notes": list(self.notes),
        }

    def rows(self) -> tuple[BillRow, ...]:
        """Rows of the printed table: one for each tier that was used, then what has no price."""
        printed: list[BillRow] = []
        for line in self.lines:
            unit = line.meter.unit
            for number, row in enumerate(line.rows):
                printed.append(
                    BillRow(
                        item=line.meter.name if number == 0 else "",
                        quantity=quantity_text(row.quantity),
                        unit=unit,
                        price=row.free_tier or price_text(row.price_per_unit, unit),
                        amount=dollars(as_decimal(row.amount, self.conventions.line_step)),
                    )
                )
        printed += [
            BillRow(item.meter, quantity_text(item.quantity), item.unit, "unpriced", "")
            for item in self.unpriced
        ]
        return tuple(printed)

    def _line_dict(self, line: Line) -> dict[str, Any]:
        tiers: list[dict[str, str]] = []
        for row in line.rows:
            tier = {
                "quantity": self._text(row.quantity),
                "price_per_unit": plain(row.price_per_unit),
                "amount": self._text(row.amount),
            }
            if row.free_tier:
                tier["free_tier"] = row.free_tier
            tiers.append(tier)
        return {
            "meter": line.meter.name,
            "description": line.meter.description,
            "quantity": self._text(line.quantity),
            "unit": line.meter.unit,
            "amount": self._text(line.amount),
            "tiers": tiers,
        }

    def _text(self, value: Fraction) -> str:
        return plain(as_decimal(value, self.conventions.line_step))


def mean_bill(bills: Sequence[Bill]) -> Bill:
    """Mean of the bills of replications: each is rated on its own, then averaged line by line.

    Parameters
    ----------
    bills : sequence of Bill
        At least one, all by the same price book.

    Returns
    -------
    Bill
        Its total is the mean of the totals, exactly. A line that some bills lack counts as 0 there.

    Raises
    ------
    ValueError
        If there is no bill, or if they are by different books.
    """
    if not bills:
        raise ValueError("need at least one bill")
    first = bills[0]
    if any(bill.book != first.book for bill in bills):
        raise ValueError(f"bills by different books: {sorted({bill.book for bill in bills})}")
    rows: dict[Meter, dict[int, list[TierRow]]] = {}
    unpriced: dict[tuple[str, str, str], Fraction] = {}
    for bill in bills:
        for line in bill.lines:
            tiers = rows.setdefault(line.meter, {})
            for row in line.rows:
                tiers.setdefault(row.tier, []).append(row)
        for item in bill.unpriced:
            key = (item.meter, item.unit, item.note)
            unpriced[key] = unpriced.get(key, Fraction(0)) + item.quantity
    n_bills = len(bills)
    return Bill(
        book=first.book,
        currency=first.currency,
        conventions=first.conventions,
        lines=tuple(
            Line(
                meter=meter,
                rows=tuple(_mean_row(tiers[tier], n_bills) for tier in sorted(tiers)),
            )
            for meter, tiers in sorted(rows.items(), key=lambda item: item[0].position)
        ),
        unpriced=tuple(
            Unpriced(meter=meter, unit=unit, quantity=quantity / n_bills, note=note)
            for (meter, unit, note), quantity in unpriced.items()
        ),
        notes=_distinct(note for bill in bills for note in bill.notes),
    )


def _mean_row(rows: Sequence[TierRow], n_bills: int) -> TierRow:
    quantity = sum((row.quantity for row in rows), Fraction(0)) / n_bills
    return TierRow(
        tier=rows[0].tier,
        quantity=quantity,
        price_per_unit=rows[0].price_per_unit,
        free_tier=rows[0].free_tier,
        listed=_mean_parts(rows, n_bills),
    )


def _mean_parts(rows: Sequence[TierRow], n_bills: int) -> tuple[tuple[Decimal, Fraction], ...]:
    parts: dict[Decimal, Fraction] = {}
    for price, quantity in chain.from_iterable(row.listed for row in rows):
        parts[price] = parts.get(price, Fraction(0)) + quantity
    return tuple((price, quantity / n_bills) for price, quantity in parts.items())


def _distinct(notes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notes))


def bill_section(
    *,
    run: Bill,
    month: Bill | None = None,
    run_ranges: Sequence[Described] | None = None,
    month_ranges: Sequence[Described] | None = None,
) -> dict[str, Any]:
    """The ``bill`` object of ``--json``.

    Parameters
    ----------
    run : Bill
        What the run itself costs.
    month : Bill, optional
        What a projected month costs.
    run_ranges, month_ranges : sequences of Range
        Between what and what they lie; None: nobody asked.
    """
    section: dict[str, Any] = {"currency": run.currency, "book": run.book}
    section["run"] = run.to_dict()
    if month is not None:
        section["month"] = month.to_dict()
    for name, ranges in (("run", run_ranges), ("month", month_ranges)):
        if ranges is not None and name in section:
            section[name]["ranges"] = [one.to_dict() for one in ranges]
    return section


def dollars(amount: Decimal) -> str:
    """An amount as it is printed: cents from one dollar up, four significant digits below.

    Examples
    --------
    >>> dollars(Decimal("49763.1")), dollars(Decimal("0.000123456")), dollars(Decimal(0))
    ('$49,763.10', '$0.0001235', '$0.00')
    """
    size = abs(amount)
    sign = "-" if amount < 0 else ""
    if size == 0 or size >= 1:
        return f"{sign}${rounded(Fraction(size), Decimal('0.01')):,.2f}"
    step = Decimal(f"1e{size.adjusted() - 3}")
    text = plain(rounded(Fraction(size), min(step, Decimal("0.01"))))
    whole, _, places = text.partition(".")
    return f"{sign}${whole}.{places:0<2}"


def price_text(price_per_unit: Decimal, unit: str) -> str:
    """A price as it is printed: in full, at least to the cent, by the million where that is usual.

    Examples
    --------
    >>> price_text(Decimal("0.0000035"), "Requests"), price_text(Decimal(5), "Month")
    ('$3.50 per million', '$5.00 per Month')
    """
    by = _MILLION if unit in _BY_THE_MILLION else 1
    price = as_decimal(Fraction(price_per_unit) * by, Decimal(1))
    whole, _, places = plain(price).partition(".")
    return f"${whole}.{places:0<2} per {'million' if by > 1 else unit}"


def quantity_text(quantity: Fraction) -> str:
    """A quantity as it is printed: thousands apart, at most six decimals."""
    text = f"{rounded(quantity, Decimal('0.000001')):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
