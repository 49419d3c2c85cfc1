"""Whose cost it is as rows of one table."""

from collections.abc import Iterator
from typing import Any, Final

from apisim.results.costs import Costs
from apisim.results.result import Result

__all__ = ["COSTS", "MONEY", "cost_rows"]

_NAMES: Final = ("api", "route", "client", "plan", "customer", "refused_by")
#: Exact decimals as text.
MONEY: Final = ("requests", "cost", "revenue", "margin")
COSTS: Final = ("bill", "by", *_NAMES, *MONEY)
#: Customers that are listed one by one.
_TOP: Final = 20


def cost_rows(result: Result) -> list[dict[str, Any]]:
    """Rows of each subtotal of each bill."""
    bills = {"run": result.costs.run, "month": result.costs.month}
    return [
        dict.fromkeys(COSTS, "") | {"bill": bill} | row
        for bill, costs in bills.items()
        if costs is not None
        for row in _of(costs)
    ]


def _of(costs: Costs) -> Iterator[dict[str, Any]]:
    text = costs.text
    groups = {
        "api": costs.by_api,
        "route": costs.by_route,
        "client": costs.by_client,
        "refused": costs.refused,
    }
    for by, rows in groups.items():
        for row in rows:
            yield {
                "by": by, **row.labels, "requests": text(row.requests), "cost": text(row.amount),
            }  # fmt: skip
    for by, of_customers in (
        ("plan", costs.customers.by_plan()),
        ("customer", costs.customers.top(_TOP)),
    ):
        for one in of_customers:
            plan = {"plan": one.plan} if by == "customer" else {}
            yield {
                "by": by, by: one.name, **plan,
                "requests": text(one.requests), **one.money(text),
            }  # fmt: skip
