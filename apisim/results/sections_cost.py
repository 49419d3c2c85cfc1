"""A bill as a table: of a run, of a projected month, of quantities without either."""

from decimal import Decimal
from typing import Final

from apisim.pricing import Bill, dollars
from apisim.results.section import TOTAL, Section
from apisim.results.wording import quantity_text

__all__ = ["cost_section"]

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
        unit = _SHORT_UNITS.get(row.unit, row.unit)
        quantity = f"{quantity_text(Decimal(row.quantity.replace(',', '')))} {unit}"
        price = row.price.replace(f" per {row.unit}", f"/{unit}").replace(" per ", "/")
        rows.append((row.item, quantity, price, row.amount))
    rows.append((f"Total, {bill.currency}", "", "", dollars(bill.total)))
    return Section(
        title=f"{title} ({bill.book})",
        columns=("Item", ">Quantity", ">Price", ">Amount"),
        rows=tuple(rows),
        marks={len(rows) - 1: TOTAL},
        remarks=(*remarks, *bill.notes),
    )
