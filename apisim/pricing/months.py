"""Several months one after the other: each rated on its own, and credits that pay for them.

Tiers and monthly allowances begin anew with each month. A credit is used up month by month, the one
that ends first before the others; it pays for whole bills as far as it goes, and what is left when
it ends is lost. How AWS spreads a credit over the lines of a bill is not documented, so it is one
amount a month. Everything is a fraction until it is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from apisim.pricing.bill import Bill
from apisim.pricing.book import NO_FREE_TIER, PriceBook
from apisim.pricing.exact import Number, as_decimal, plain
from apisim.pricing.rating import rate

__all__ = ["Credit", "MonthBill", "Statement", "month_after", "rate_months"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """An amount that pays for bills.

    Attributes
    ----------
    name : str
        What the statement calls it.
    amount : Decimal
        In the book's currency, > 0.
    until : datetime.date or None
        It pays for months that begin on this day or before it; None: for any.
    """

    name: str
    amount: Decimal
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthBill:
    """One month.

    Attributes
    ----------
    first_day : datetime.date
        Its first day.
    bill : Bill
        What was used costs.
    credits : tuple of (Credit, Fraction)
        What each credit paid, > 0.
    """

    first_day: date
    bill: Bill
    credits: tuple[tuple[Credit, Fraction], ...] = ()

    @property
    def name(self) -> str:
        """Year and month."""
        return f"{self.first_day:%Y-%m}"

    @property
    def paid(self) -> Fraction:
        """What credits paid of it."""
        return sum((amount for _, amount in self.credits), Fraction(0))

    @property
    def due(self) -> Fraction:
        """What is left to pay."""
        return self.bill.exact_total - self.paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """All months.

    Attributes
    ----------
    months : tuple of MonthBill
        At least one, in order.
    left : tuple of (Credit, Fraction)
        What is left of each credit after the last month, whether or not it has ended.
    """

    months: tuple[MonthBill, ...]
    left: tuple[tuple[Credit, Fraction], ...] = ()

    @property
    def usable(self) -> tuple[tuple[Credit, Fraction], ...]:
        """What is left of credits that can still pay in the month after the last."""
        return tuple((credit, left) for credit, left in self.left if left and self._lasts(credit))

    @property
    def lapsed(self) -> tuple[tuple[Credit, Fraction], ...]:
        """What was left of credits that ended by then."""
        return tuple(
            (credit, left) for credit, left in self.left if left and not self._lasts(credit)
        )

    def _lasts(self, credit: Credit) -> bool:
        return credit.until is None or month_after(self.months[-1].first_day) <= credit.until

    @property
    def total(self) -> Fraction:
        """What was used costs in all months."""
        return sum((month.bill.exact_total for month in self.months), Fraction(0))

    @property
    def due(self) -> Fraction:
        """What is left to pay of it."""
        return sum((month.due for month in self.months), Fraction(0))

    def text(self, amount: Fraction) -> str:
        """An amount as files write it."""
        return plain(self.decimal(amount))

    def decimal(self, amount: Fraction) -> Decimal:
        """An amount in full, or to the book's decimals where no decimal holds it."""
        return as_decimal(amount, self.months[0].bill.conventions.line_step)

    def to_dict(self) -> dict[str, Any]:
        """The statement as ``--json`` prints it; what credits pay is negative."""
        return {
            "total": self.text(self.total),
            "credits": self.text(self.due - self.total),
            "due": self.text(self.due),
            "months": [
                {
                    "month": month.name,
                    **month.bill.to_dict(),
                    "credits": [
                        {"name": credit.name, "amount": self.text(-paid)}
                        for credit, paid in month.credits
                    ],
                    "due": self.text(month.due),
                }
                for month in self.months
            ],
            "credits_left": [
                {"name": credit.name, "amount": self.text(left)} for credit, left in self.usable
            ],
            "credits_lapsed": [
                {"name": credit.name, "amount": self.text(left)} for credit, left in self.lapsed
            ],
        }


def rate_months(
    book: PriceBook,
    months: Sequence[Mapping[str, Number]],
    *,
    first_day: date,
    free_tier: str | Sequence[str] = NO_FREE_TIER,
    account_months: int = 0,
    granted: Sequence[Credit] = (),
    today: date | None = None,
) -> Statement:
    """What some months in a row cost.

    Parameters
    ----------
    book : PriceBook
        Prices.
    months : sequence of mappings
        Quantities of each month, as :func:`apisim.pricing.rate` takes them; at least one.
    first_day : datetime.date
        A day of the first month.
    free_tier : str or sequence of str
        Free-tier plans by name; some end after so many months of the account.
    account_months : int
        Months that the account had before the first.
    granted : sequence of Credit
        What pays for bills.
    today : datetime.date, optional
        For the age of the book.

    Raises
    ------
    SettingError
        If the book has no such free-tier plan.
    ValueError
        If there is no month.
    """
    if not months:
        raise ValueError("need at least one month")
    left = [Fraction(credit.amount) for credit in granted]
    by_end = sorted(range(len(granted)), key=lambda at: granted[at].until or date.max)
    billed: list[MonthBill] = []
    day = first_day.replace(day=1)
    for number, quantities in enumerate(months, 1):
        bill = rate(
            book,
            quantities,
            free_tier=free_tier,
            today=today,
            account_month=account_months + number,
        )
        due = bill.exact_total
        used: list[tuple[Credit, Fraction]] = []
        for at in by_end:
            paid, until = min(due, left[at]), granted[at].until
            if paid and (until is None or day <= until):
                used.append((granted[at], paid))
                left[at] -= paid
                due -= paid
        billed.append(MonthBill(first_day=day, bill=bill, credits=tuple(used)))
        day = month_after(day)
    return Statement(months=tuple(billed), left=tuple(zip(granted, left, strict=True)))


def month_after(day: date) -> date:
    """The first day of the next month."""
    year, month = divmod(day.year * 12 + day.month, 12)
    return date(year, month + 1, 1)
