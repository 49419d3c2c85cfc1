"""The export ``costs``: the bill in the form of Infracost's ``breakdown``.

``.txt`` is its table in a terminal, ``.md`` one to put under a pull request, ``.json`` its JSON
(version 0.2: what its own comments and dashboards read, in the keys that a bill knows). They have
the projected month or, where the scenario projects none, what the run costs, and say which; the
JSON's keys speak of months, so it is refused then. A service is what Infracost calls a resource, a
tier of a meter a cost component. Amounts in the tables are rounded as the summary's; those of a
month in the JSON are exact decimals as text, and those of an hour, a 730th of it, are rounded.

Source: github.com/infracost/infracost, ``internal/output``.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from apisim.engine.program import Program
from apisim.pricing import Bill, dollars
from apisim.pricing.bill import Line, TierRow, price_text, quantity_text
from apisim.pricing.exact import as_decimal, plain
from apisim.results.atomic import OutputError
from apisim.results.exporter import INTERRUPTED, Export, ExportKind
from apisim.results.result import Result

__all__ = ["COSTS", "CostTable"]

_HOURS: Final = 730
_COLUMNS: Final = ("Name", "{} Qty", "Unit", "Price", "{} Cost")


class CostTable(Export):
    """A bill as a table, or as JSON.

    Raises
    ------
    OutputError
        If JSON is asked for and no month is projected.
    """

    def __init__(self, path: Path, program: Program, *, is_parallel: bool = False) -> None:
        if path.suffix == ".json" and program.scenario.pricing.month != "project":
            raise OutputError(
                f"{path}: Infracost's JSON is of a month, and none is projected "
                "(write pricing: {month: project, represents: steady}, or export a table)"
            )
        super().__init__(path, program, is_parallel=is_parallel)

    def write(self, result: Result) -> None:
        """Write the month's bill; without one, the run's."""
        month = result.bill.month
        bill, word = (result.bill.run, "Run") if month is None else (month, "Monthly")
        if self.path.suffix == ".json":
            self.write_text(json.dumps(_document(result, bill), indent=2) + "\n")
        elif self.path.suffix == ".md":
            self.write_text(_markdown(result, bill, word))
        else:
            self.write_text(_text(result, bill, word))
        self.file.keep()


def _services(bill: Bill) -> Mapping[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in bill.lines:
        found.setdefault(line.meter.billed_under or line.meter.service, []).append(line)
    return found


def _amount(bill: Bill, amount: Fraction) -> Decimal:
    return as_decimal(amount, bill.conventions.line_step)


def _name(line: Line, row: TierRow) -> str:
    name = line.meter.description or line.meter.name
    if row.free_tier:
        return f"{name} (free: {row.free_tier})"
    charged = [one for one in line.rows if not one.free_tier]
    return name if len(charged) == 1 else f"{name} (tier {row.tier + 1})"


def _cells(bill: Bill, line: Line, row: TierRow) -> tuple[str, ...]:
    unit = line.meter.unit
    price = "" if row.free_tier else price_text(row.price_per_unit, unit)
    amount = dollars(_amount(bill, row.amount))
    return _name(line, row), quantity_text(row.quantity), unit, price, amount


def _unpriced(bill: Bill) -> list[tuple[str, ...]]:
    return [
        (item.meter, quantity_text(item.quantity), item.unit, "unpriced", "")
        for item in bill.unpriced
    ]


def _title(result: Result, word: str) -> str:
    what = "the projected month" if word == "Monthly" else "the run"
    title = f"{result.scenario.title}: what {what} costs ({result.bill.run.book})"
    return title if result.completed else f"{title}; {INTERRUPTED}"


def _text(result: Result, bill: Bill, word: str) -> str:
    rows: list[tuple[str, ...]] = [tuple(column.format(word) for column in _COLUMNS)]
    for service, lines in _services(bill).items():
        components = [_cells(bill, line, row) for line in lines for row in line.rows]
        rows.append(("", "", "", "", ""))
        rows.append((service, "", "", "", ""))
        marks = ["├─ "] * (len(components) - 1) + ["└─ "]
        rows += [(mark + one[0], *one[1:]) for mark, one in zip(marks, components, strict=True)]
    rows += [("", "", "", "", ""), *_unpriced(bill)]
    rows.append(("OVERALL TOTAL", "", "", "", dollars(bill.total)))
    widths = [max(len(row[at]) for row in rows) for at in range(len(_COLUMNS))]
    lines_of_text = [f"{_title(result, word)}\n"]
    for name, quantity, unit, price, amount in rows:
        line = (
            f" {name:<{widths[0]}}  {quantity:>{widths[1]}}  {unit:<{widths[2]}}"
            f"  {price:>{widths[3]}}  {amount:>{widths[4]}}"
        )
        lines_of_text.append(line.rstrip())
    lines_of_text += ["", *bill.notes] if bill.notes else []
    return "\n".join(lines_of_text) + "\n"


def _markdown(result: Result, bill: Bill, word: str) -> str:
    columns = [column.format(word) for column in _COLUMNS]
    lines = [f"#### {_escaped(_title(result, word))}", "", _row(columns)]
    lines.append("|:--|--:|:--|--:|--:|")
    for service, of_service in _services(bill).items():
        total = dollars(_amount(bill, sum((one.amount for one in of_service), Fraction(0))))
        lines.append(f"| **{_escaped(service)}** | | | | **{_escaped(total)}** |")
        lines += [_row(_cells(bill, line, row)) for line in of_service for row in line.rows]
    lines += [_row(cells) for cells in _unpriced(bill)]
    lines.append(f"| **Total** | | | | **{_escaped(dollars(bill.total))}** |")
    for note in bill.notes:
        lines += ["", _escaped(note)]
    return "\n".join(lines) + "\n"


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(_escaped(cell) for cell in cells) + " |"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is, also inside a table; ``$`` begins a formula on GitHub."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]|#$~" else sign for sign in text)


def _document(result: Result, bill: Bill) -> dict[str, Any]:
    def amounts(total: Fraction) -> dict[str, str]:
        return {
            "hourlyCost": plain(_amount(bill, total / _HOURS)),
            "monthlyCost": plain(_amount(bill, total)),
        }

    resources = [
        {
            "name": service,
            "resourceType": lines[0].meter.service,
            "metadata": {},
            **amounts(sum((line.amount for line in lines), Fraction(0))),
            "costComponents": [
                {
                    "name": _name(line, row),
                    "unit": line.meter.unit,
                    "hourlyQuantity": plain(_amount(bill, row.quantity / _HOURS)),
                    "monthlyQuantity": plain(_amount(bill, row.quantity)),
                    "price": plain(row.price_per_unit),
                    **amounts(row.amount),
                }
                for line in lines
                for row in line.rows
            ],
        }
        for service, lines in _services(bill).items()
    ]
    totals = {
        "totalHourlyCost": plain(_amount(bill, bill.exact_total / _HOURS)),
        "totalMonthlyCost": plain(bill.total),
    }
    return {
        "version": "0.2",
        "currency": bill.currency,
        "projects": [
            {
                "name": result.scenario.title,
                "metadata": {
                    "path": result.scenario.source.file,
                    "type": "apisim",
                    **({} if result.completed else {"errors": [{"message": INTERRUPTED}]}),
                },
                "breakdown": {"resources": resources, **totals},
            }
        ],
        **totals,
        "summary": {
            "totalDetectedResources": len(resources),
            "unsupportedResourceCounts": {item.meter: 1 for item in bill.unpriced},
        },
    }


COSTS: Final = ExportKind(
    name="costs",
    endings=(".txt", ".md", ".json"),
    description="the bill in the form of Infracost",
    opens=CostTable,
)
