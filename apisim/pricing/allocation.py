"""Whose cost it is: a bill cut up among those who caused it, to the last fraction.

A meter's line is shared in proportion to what each used of *that meter*, so tiers and free tier are
shared by all: nobody is the one whose requests are the cheap ones. Something that was used (an
:class:`Item`: the requests of one API, a function's run time, the hours of a cache) has quantities
of meters and shares of groups, whatever the groups are: routes, callers, refusals. What has no
shares is nobody's and is told as such, so that every allocation adds up to the bill's total
exactly.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal

from apisim.pricing.bill import Bill

__all__ = ["RULES", "UNALLOCATED", "Group", "Item", "Rule", "allocate", "amounts", "rule_shares"]

#: A row of an allocation: names, from the largest to the smallest.
Group = tuple[str, ...]
#: What belongs to nobody.
UNALLOCATED: Final[Group] = ()

Rule = Literal["requests", "bytes", "even", "unallocated"]
RULES: Final[tuple[Rule, ...]] = ("requests", "bytes", "even", "unallocated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that was used, and by whom.

    Attributes
    ----------
    quantities : mapping of str to Fraction
        By meter, in its unit, >= 0.
    shares : mapping of Group to int or Fraction
        What each group used of it, in any unit, >= 0; it is nobody's where all are 0.
    """

    quantities: Mapping[str, Fraction]
    shares: Mapping[Group, int | Fraction] = field(default_factory=dict)


def amounts(bill: Bill, used: Iterable[Mapping[str, Fraction]]) -> list[dict[str, Fraction]]:
    """What each of some uses costs: its part of the lines of its meters.

    Parameters
    ----------
    bill : Bill
        Has a line for each meter that costs something.
    used : iterable of mappings of str to Fraction
        Quantities by meter.

    Returns
    -------
    list of dict of str to Fraction
        Amounts by meter, for each use; a meter's add up to its line's wherever any of it was used.
    """
    uses = list(used)
    totals: dict[str, Fraction] = {}
    for quantities in uses:
        for meter, quantity in quantities.items():
            totals[meter] = totals.get(meter, Fraction(0)) + quantity
    prices = {
        line.meter.name: line.amount / totals[line.meter.name]
        for line in bill.lines
        if totals.get(line.meter.name)
    }
    return [
        {meter: quantity * prices[meter] for meter, quantity in one.items() if meter in prices}
        for one in uses
    ]


def allocate(bill: Bill, items: Collection[Item]) -> dict[Group, dict[str, Fraction]]:
    """What each group pays, by meter.

    Parameters
    ----------
    bill : Bill
        What is cut up.
    items : collection of Item
        All that was used.

    Returns
    -------
    dict of Group to dict of str to Fraction
        All of it adds up to the bill's total exactly; :data:`UNALLOCATED` is a group like others.

    Examples
    --------
    >>> from apisim.pricing import load_book, rate
    >>> bill = rate(load_book("aws-us-east-1"), {"apigateway.rest.requests": 4})
    >>> item = Item(
    ...     quantities={"apigateway.rest.requests": Fraction(4)}, shares={("a",): 3, ("b",): 1}
    ... )
    >>> allocate(bill, [item])[("a",)]
    {'apigateway.rest.requests': Fraction(21, 2000000)}
    """
    found: dict[Group, dict[str, Fraction]] = {}

    def add(group: Group, meter: str, amount: Fraction) -> None:
        if amount:
            of_group = found.setdefault(group, {})
            of_group[meter] = of_group.get(meter, Fraction(0)) + amount

    known: set[str] = set()
    for item, costs in zip(items, amounts(bill, [item.quantities for item in items]), strict=True):
        known.update(costs)
        whole = sum(item.shares.values())
        for meter, cost in costs.items():
            if not whole:
                add(UNALLOCATED, meter, cost)
                continue
            for group, share in item.shares.items():
                add(group, meter, cost * Fraction(share) / whole)
    for line in bill.lines:
        if line.meter.name not in known:
            add(UNALLOCATED, line.meter.name, line.amount)
    return found


def rule_shares(
    rule: Rule, requests: Mapping[Group, int | Fraction], n_bytes: Mapping[Group, int | Fraction]
) -> dict[Group, int | Fraction]:
    """Shares of what belongs to nobody in particular.

    Parameters
    ----------
    rule : {"requests", "bytes", "even", "unallocated"}
        ``even`` counts those who asked for anything.
    requests, n_bytes : mappings of Group to int or Fraction
        What each group that it may belong to asked for. If there is but one, it is that one's,
        whatever the rule.

    Returns
    -------
    dict of Group to int or Fraction
        Empty where it is nobody's.
    """
    if len(requests) == 1:
        return dict.fromkeys(requests, 1)
    if rule == "requests":
        return dict(requests)
    if rule == "bytes":
        return dict(n_bytes)
    if rule == "even":
        return {group: 1 for group, count in requests.items() if count}
    return {}
