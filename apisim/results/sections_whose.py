"""Whose cost it is, as tables: the subtotals a scenario asks for, and what plans bring in."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from apisim.pricing import dollars
from apisim.pricing.exact import as_decimal
from apisim.results.costs import CostRow, Costs
from apisim.results.customer_costs import (
    NO_CUSTOMER,
    OTHERS,
    UNALLOCATED_ROW,
    CustomerCost,
    CustomerCosts,
)
from apisim.results.result import Result
from apisim.results.section import TOTAL, Section, section
from apisim.results.wording import count_text, share_text

__all__ = ["cost_remarks", "whose_cost_sections"]

_MOST_ROWS: Final = 20
_UNMATCHED: Final = "(no route)"
_TITLES: Final = {
    "api": "API",
    "route": "Route",
    "client": "Source",
    "plan": "Usage plan",
    "customer": "Customer",
}
#: Name, and what it costs in the run and in the month.
_Line = tuple[str, Fraction, list[Fraction]]


def cost_remarks(costs: Costs) -> tuple[str, ...]:
    """What is said below a bill: what is fixed, what a thousand requests cost, what refusals do."""
    found = []
    total = costs.bill.exact_total
    if costs.by_time and costs.by_use:
        share = share_text(float(costs.by_time / total))
        found.append(
            f"paid by the hour whatever the traffic {_money(costs.by_time)} ({share}), "
            f"by use {_money(costs.by_use)}"
        )
    each = costs.per_thousand(costs.requests)
    if each:
        served = costs.per_thousand(costs.served)
        of_served = f", {_money(served)} for 1,000 served" if served not in (None, each) else ""
        found.append(f"{_money(each)} for 1,000 requests{of_served}")
    if costs.refused_amount:
        whose = ", ".join(
            f"{row.labels['refused_by']} {_money(row.amount)}" for row in costs.refused
        )
        found.append(
            f"refused requests cost {_money(costs.refused_amount)} of {_money(total)}: {whose}"
        )
    return tuple(found)


def whose_cost_sections(result: Result) -> list[Section | None]:
    """Tables of ``pricing.by``, and one of plans where a plan has a price."""
    shown = [_subtotals(result, by) for by in result.scenario.pricing.by]
    if any(plan.price for plan in result.scenario.usage_plans.values()):
        shown.append(_margins(result))
    return shown


def _subtotals(result: Result, by: str) -> Section | None:
    run, month = result.costs.run, result.costs.month
    bills = [run] if month is None else [run, month]
    found: dict[str, _Line] = {}
    several = len(result.scenario.apis) > 1
    for at, costs in enumerate(bills):
        for name, requests, amount in _rows(costs, by, bills[-1].customers, several=several):
            _, known, amounts = found.setdefault(name, (name, requests, [Fraction(0)] * len(bills)))
            amounts[at] += amount
            found[name] = (name, known, amounts)
    lines = _shortened(list(found.values()))
    total = bills[-1].bill.exact_total
    rows = [
        (
            name,
            count_text(round(requests)),
            *(_money(amount) for amount in amounts),
            share_text(float(amounts[-1] / total)) if total else "",
        )
        for name, requests, amounts in lines
    ]
    totals = [_money(costs.bill.exact_total) for costs in bills]
    rows.append(("Total", count_text(round(run.requests)), *totals, ""))
    columns = f"{_TITLES[by]}|>Requests|>Run{'|>Month' if month is not None else ''}|>Share"
    title = f"Cost by {_TITLES[by] if by == 'api' else _TITLES[by].lower()}"
    return section(title, columns, rows, {len(rows) - 1: TOTAL})


def _rows(
    costs: Costs, by: str, most: CustomerCosts, *, several: bool
) -> list[tuple[str, Fraction, Fraction]]:
    if by in ("plan", "customer"):
        customers = costs.customers
        of_customers: Sequence[CustomerCost] = (
            customers.by_plan() if by == "plan" else customers.top(_MOST_ROWS, most)
        )
        return [(row.name, row.requests, row.cost) for row in of_customers]
    rows: Sequence[CostRow] = getattr(costs, f"by_{by}")
    return [(_name(row, several=several), row.requests, row.amount) for row in rows]


def _name(row: CostRow, *, several: bool) -> str:
    if row.is_nobody:
        return UNALLOCATED_ROW
    labels: Mapping[str, str] = row.labels
    if "route" not in labels:
        return next(iter(labels.values()))
    route = labels["route"] or _UNMATCHED
    return f"{labels['api']} {route}" if several else route


def _shortened(lines: list[_Line]) -> list[_Line]:
    """Those that cost most first, the rest in one row, and last what is nobody's."""
    last = (OTHERS, NO_CUSTOMER, UNALLOCATED_ROW)
    own = sorted((one for one in lines if one[0] not in last), key=lambda one: -one[2][-1])
    rest = own[_MOST_ROWS:]
    if rest:
        amounts = [
            sum(column, Fraction(0)) for column in zip(*(one[2] for one in rest), strict=True)
        ]
        own = [*own[:_MOST_ROWS], (OTHERS, sum((one[1] for one in rest), Fraction(0)), amounts)]
    return [*own, *(one for name in last for one in lines if one[0] == name)]


def _margins(result: Result) -> Section | None:
    month = result.costs.month
    costs = result.costs.run if month is None else month
    rows = [
        (
            row.name,
            count_text(row.customers) if row.customers else "",
            count_text(round(row.requests)),
            _money(row.cost),
            "" if row.per_thousand is None else _money(row.per_thousand),
            _money(row.revenue),
            _money(row.margin),
        )
        for row in costs.customers.by_plan()
    ]
    when = "run's share of a month" if month is None else "month"
    return section(
        f"What usage plans cost and bring in, {'run' if month is None else 'expected month'}",
        "Plan|>Keys|>Requests|>Cost|>For 1,000|>Revenue|>Margin",
        rows,
        remarks=(f"revenue: the price of each key for the {when}",),
    )


def _money(amount: Fraction) -> str:
    return dollars(as_decimal(amount, Decimal("1e-12")))
