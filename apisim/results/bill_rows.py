"""Bills as rows of text, and rows as CSV: what a bill without a simulation needs, too."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from apisim.pricing import Bill

__all__ = ["AMOUNTS", "BILL", "bill_rows", "rows_to_csv"]

#: Columns of a bill's table, and those of them that are exact decimals.
BILL: Final = (
    "bill", "meter", "tier", "free_tier", "quantity", "unit", "price_per_unit", "amount",
)  # fmt: skip
AMOUNTS: Final = ("quantity", "price_per_unit", "amount")


def bill_rows(name: str, bill: Bill) -> list[dict[str, Any]]:
    """Rows of one bill, which is called ``name`` in their first column."""
    rows = []
    section = bill.to_dict()
    for line in section["lines"]:
        for number, tier in enumerate(line["tiers"], 1):
            granted, unit = tier.get("free_tier", ""), line["unit"]
            price, amount = tier["price_per_unit"], tier["amount"]
            rows.append(
                (name, line["meter"], number, granted, tier["quantity"], unit, price, amount)
            )
    rows += [
        (name, item["meter"], 0, "", item["quantity"], item["unit"], "", "")
        for item in section["unpriced"]
    ]
    return [dict(zip(BILL, row, strict=True)) for row in rows]


def rows_to_csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """A table as CSV: a header, line feeds, nothing for what is not a number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_field(value) for value in row.values()] for row in rows)
    return text.getvalue()


def _field(value: Any) -> Any:
    return "" if isinstance(value, float) and math.isnan(value) else value
