"""What ``apisim price`` prints: one bill or several months, as tables, JSON, CSV or FOCUS rows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from apisim.pricing import Bill, PriceBook, dollars
from apisim.pricing.exact import plain
from apisim.pricing.focus import Charges, Period, focus_rows, to_focus_csv
from apisim.pricing.months import Statement
from apisim.results.bill_rows import BILL, bill_rows, rows_to_csv
from apisim.results.section import TOTAL, Section
from apisim.results.sections_cost import cost_section

__all__ = [
    "bill_csv",
    "bill_focus",
    "bill_sections",
    "statement_csv",
    "statement_focus",
    "statement_sections",
]

_NAME: Final = "bill"


def bill_sections(bill: Bill, title: str = "Bill") -> Iterator[Section]:
    """One bill as tables."""
    remarks = [f"{item.meter}: {item.note}" for item in bill.unpriced]
    if exact := _in_full(bill.total):
        remarks.insert(0, exact)
    yield cost_section(title, bill, *remarks)


def bill_csv(bill: Bill) -> str:
    """One bill in the columns of a run's ``bill.csv``."""
    return rows_to_csv(BILL, bill_rows(_NAME, bill))


def bill_focus(bill: Bill, book: PriceBook, day: date) -> str:
    """One bill as FOCUS rows, charged in the calendar month of ``day``."""
    return to_focus_csv(focus_rows(Charges(bill=bill, book=book, period=_month(day))))


def statement_sections(statement: Statement) -> Iterator[Section]:
    """Each month, then all of them."""
    for month in statement.months:
        yield from bill_sections(month.bill, month.name)
    rows = []
    for month in statement.months:
        rows.append((month.name, "bill", dollars(month.bill.total)))
        rows += [
            ("", f"credit: {credit.name}", dollars(-statement.decimal(paid)))
            for credit, paid in month.credits
        ]
    currency = statement.months[0].bill.currency
    total, due = statement.decimal(statement.total), statement.decimal(statement.due)
    marks = {len(rows): TOTAL}
    if due != total:
        rows += [("Total", "bills", dollars(total)), ("", "credits", dollars(due - total))]
    rows.append((f"To pay, {currency}", "", dollars(due)))
    remarks = [exact] if (exact := _in_full(due)) else []
    remarks += [
        f"{credit.name}: {dollars(statement.decimal(left))} left"
        + (f", to be used until {credit.until}" if credit.until is not None else "")
        for credit, left in statement.usable
    ]
    remarks += [
        f"{credit.name}: {dollars(statement.decimal(left))} lapsed on {credit.until}"
        for credit, left in statement.lapsed
    ]
    yield Section(
        title="All months",
        columns=("Month", "What", ">Amount"),
        rows=tuple(rows),
        marks=marks,
        remarks=tuple(remarks),
    )


def statement_csv(statement: Statement) -> str:
    """All months in the columns of ``bill.csv``; what a credit pays has its name as meter."""
    rows: list[dict[str, Any]] = []
    for month in statement.months:
        rows += bill_rows(month.name, month.bill)
        for credit, amount in month.credits:
            columns = {"bill": month.name, "meter": f"credit: {credit.name}", "tier": 0}
            columns["amount"] = statement.text(-amount)
            rows.append(dict.fromkeys(BILL, "") | columns)
    return rows_to_csv(BILL, rows)


def statement_focus(statement: Statement, book: PriceBook) -> str:
    """All months as FOCUS rows."""
    rows = []
    for month in statement.months:
        charges = Charges(
            bill=month.bill,
            book=book,
            period=_month(month.first_day),
            credits=tuple((credit.name, amount) for credit, amount in month.credits),
        )
        rows += focus_rows(charges)
    return to_focus_csv(rows)


def _month(day: date) -> Period:
    return Period.month_of(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _in_full(amount: Decimal) -> str:
    """The amount with all its digits, where print leaves some out."""
    exact = plain(amount)
    is_all = exact == plain(Decimal(dollars(amount).replace("$", "").replace(",", "")))
    return "" if is_all else f"exactly {exact}"
