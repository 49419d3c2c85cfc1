"""A bill as consoles and notebooks show it."""

from html import escape
from typing import TYPE_CHECKING, Final

from apisim.scenario.html_table import html_table

if TYPE_CHECKING:
    from apisim.pricing.bill import Bill, BillRow

__all__ = ["ShownBill", "bill_html", "short_price", "short_unit"]

_COLUMNS: Final = ("Item", ">Quantity", ">Price", ">Amount")
#: Units of price books that have a shorter name.
_SHORT_UNITS: Final = {
    "64K-Chunks": "64K chunks",
    "GB-Seconds": "GB-s",
    "Hrs": "h",
    "LCU-Hrs": "LCU-h",
    "Lambda-GB-Second": "GB-s",
    "Metrics": "metrics",
    "PutRequestPayloadUnits": "PUT units",
    "ReadCapacityUnit-Hrs": "RCU-h",
    "ReadRequestUnits": "RRU",
    "Requests": "requests",
    "ShardHour": "shard-h",
    "StreamHour": "stream-h",
    "StateTransitions": "transitions",
    "User-Month": "users",
    "WriteCapacityUnit-Hrs": "WCU-h",
    "WriteRequestUnits": "WRU",
}


class ShownBill:
    """How a bill is shown: one line in a console, a table in a notebook."""

    __slots__ = ()

    def __repr__(self: "Bill") -> str:  # type: ignore[misc]
        return f"<Bill by {self.book}: {self.total:f} {self.currency}>"

    def _repr_html_(self: "Bill") -> str:  # type: ignore[misc]
        return bill_html(self)


def short_unit(row: "BillRow") -> str:
    """The unit of a printed row as tables have it."""
    return _SHORT_UNITS.get(row.unit, row.unit)


def short_price(row: "BillRow") -> str:
    """The price of a printed row as tables have it: ``$3.50/million``."""
    return row.price.replace(f" per {row.unit}", f"/{short_unit(row)}").replace(" per ", "/")


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

    rows: list[tuple[str, ...]] = [
        (row.item, f"{row.quantity} {short_unit(row)}", short_price(row), row.amount)
        for row in bill.rows()
    ]
    rows.append((f"Total, {bill.currency}", "", "", dollars(bill.total)))
    told = (*(f"{item.meter}: {item.note}" for item in bill.unpriced), *bill.notes)
    remarks = "".join(f"<div><small>{escape(one)}</small></div>" for one in told)
    table = html_table(_COLUMNS, rows, {len(rows) - 1: "font-weight: bold"})
    head = f"<h4>{escape(f'{title} ({bill.book})')}</h4>"
    return f'<div class="apisim-bill">{head}{table}{remarks}</div>'
