"""A bill as consoles and notebooks show it."""

from html import escape
from typing import TYPE_CHECKING

from apisim.scenario.html_table import html_table

if TYPE_CHECKING:
    from apisim.pricing.bill import Bill

__all__ = ["ShownBill", "bill_html"]

_COLUMNS = ("Item", ">Quantity", "Unit", ">Price", ">Amount")


class ShownBill:
    """How a bill is shown: one line in a console, a table in a notebook."""

    __slots__ = ()

    def __repr__(self: "Bill") -> str:  # type: ignore[misc]
        return f"<Bill by {self.book}: {self.total:f} {self.currency}>"

    def _repr_html_(self: "Bill") -> str:  # type: ignore[misc]
        return bill_html(self)


def bill_html(bill: "Bill", title: str = "Bill") -> str:
    """A fragment of HTML: a row for each tier that was used, and the total; every text escaped.

    Parameters
    ----------
    bill : Bill
    title : str
        What is billed.
    """
    # The functions below are of the bill's own module, which shows bills by this one.
    from apisim.pricing.bill import dollars

    rows: list[tuple[str, ...]] = [tuple(row) for row in bill.rows()]
    rows.append((f"Total, {bill.currency}", "", "", "", dollars(bill.total)))
    told = (*(f"{item.meter}: {item.note}" for item in bill.unpriced), *bill.notes)
    remarks = "".join(f"<div><small>{escape(one)}</small></div>" for one in told)
    table = html_table(_COLUMNS, rows, {len(rows) - 1: "font-weight: bold"})
    head = f"<h4>{escape(f'{title} ({bill.book})')}</h4>"
    return f'<div class="apisim-bill">{head}{table}{remarks}</div>'
