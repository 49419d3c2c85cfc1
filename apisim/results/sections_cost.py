"""A bill as a table: of a run, of a projected month, of quantities without either."""

from decimal import Decimal

from apisim.pricing import Bill, dollars
from apisim.pricing.shown import short_price, short_unit
from apisim.results.section import TOTAL, Section
from apisim.results.wording import quantity_text

__all__ = ["cost_section"]


def cost_section(title: str, bill: Bill, *remarks: str) -> Section:
    """A row for each tier that was used, and the total.

    Parameters
    ----------
    title : str
        What is billed.
    bill : Bill
        Its lines; its notes stand below the table.
    *remarks : str
        What stands above the notes.
    """
    rows: list[tuple[str, ...]] = []
    for row in bill.rows():
        quantity = quantity_text(Decimal(row.quantity.replace(",", "")))
        rows.append((row.item, f"{quantity} {short_unit(row)}", short_price(row), row.amount))
    rows.append((f"Total, {bill.currency}", "", "", dollars(bill.total)))
    return Section(
        title=f"{title} ({bill.book})",
        columns=("Item", ">Quantity", ">Price", ">Amount"),
        rows=tuple(rows),
        marks={len(rows) - 1: TOTAL},
        remarks=(*remarks, *bill.notes),
    )
