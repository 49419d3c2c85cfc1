"""Whose cost a bill is: by API, route, source, customer and plan; refused requests; what is fixed.

Everything is a fraction until it is shown, and every ``by_...`` adds up to the bill's total. What a
group used itself is its own; what is paid for being there is shared by ``pricing.allocation``, and
where that says nothing it has a row of its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np

from apisim.gateway.status import ANSWERS, Answer
from apisim.pricing import Bill
from apisim.pricing.allocation import (
    UNALLOCATED,
    Group,
    Item,
    Rule,
    allocate,
    amounts,
    rule_shares,
)
from apisim.pricing.exact import as_decimal, plain
from apisim.results.cost_items import Used, Weighted
from apisim.results.customer_costs import CustomerCosts, Split
from apisim.results.grouping import Grouping
from apisim.results.usage_groups import OWNER_MEASURES, Owner

__all__ = ["CostRow", "Costing", "Costs", "costs_of"]

_REQUESTS: Final = OWNER_MEASURES.index("requests")
_BYTES: Final = (OWNER_MEASURES.index("bytes_in"), OWNER_MEASURES.index("bytes_out"))
#: Who refuses no request: a backend has worked for it, or it is answered to a browser's liking.
_NO_REFUSAL: Final = frozenset({"", "backend", "connection", "cors"})
_SERVED: Final = frozenset({"served", "cache_hit", "connected"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """What a group costs.

    Attributes
    ----------
    labels : dict of str to str
        Who it is; all are empty for what belongs to nobody.
    requests : Fraction
        Mean of the replications, or of the projected month.
    meters : dict of str to Fraction
        Cost by meter.
    """

    labels: Mapping[str, str]
    requests: Fraction
    meters: Mapping[str, Fraction]

    @property
    def amount(self) -> Fraction:
        """What it costs."""
        return sum(self.meters.values(), Fraction(0))

    @property
    def is_nobody(self) -> bool:
        """Whether this is what belongs to nobody."""
        return not any(self.labels.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Whose cost a bill is.

    Attributes
    ----------
    bill : Bill
    by_api, by_route, by_client : tuples of CostRow
        By API; by API and route; by source of the traffic. Each adds up to the bill's total.
    customers : CustomerCosts
        By customer and by plan; so do these.
    refused : tuple of CostRow
        What requests cost that were refused, by who refused them: a part of the total, without any
        of what is paid for being there.
    requests, served : Fraction
        Mean of the replications, or of the projected month; served from integration or cache.
    by_time, by_use : Fraction
        What is paid for being there whatever the traffic, and what is paid by use.
    """

    bill: Bill
    by_api: tuple[CostRow, ...]
    by_route: tuple[CostRow, ...]
    by_client: tuple[CostRow, ...]
    customers: CustomerCosts
    refused: tuple[CostRow, ...]
    requests: Fraction
    served: Fraction
    by_time: Fraction
    by_use: Fraction

    @property
    def refused_amount(self) -> Fraction:
        """What all refused requests cost."""
        return sum((row.amount for row in self.refused), Fraction(0))

    def per_thousand(self, requests: Fraction) -> Fraction | None:
        """Cost of a thousand of so many requests that share the bill; None for none."""
        return self.bill.exact_total / requests * 1000 if requests else None

    def text(self, amount: Fraction | None) -> str | None:
        """An amount as files and ``--json`` have it."""
        if amount is None:
            return None
        return plain(as_decimal(amount, self.bill.conventions.line_step))

    def to_dict(self, n_customers: int) -> dict[str, Any]:
        """For ``--json``: ``n_customers`` of the customers, those that cost most."""
        found: dict[str, Any] = {
            name: [self._row(row) for row in getattr(self, name)]
            for name in ("by_api", "by_route", "by_client")
        }
        found |= self.customers.to_dict(n_customers, self.text)
        found["refused"] = {
            "total": self.text(self.refused_amount),
            "requests": self.text(sum((row.requests for row in self.refused), Fraction(0))),
            "by": [self._row(row) for row in self.refused],
        }
        found["unit"] = {
            "requests": self.text(self.requests),
            "served": self.text(self.served),
            "per_1000_requests": self.text(self.per_thousand(self.requests)),
            "per_1000_served": self.text(self.per_thousand(self.served)),
        }
        found["baseline"] = {"by_time": self.text(self.by_time), "by_use": self.text(self.by_use)}
        return found

    def _row(self, row: CostRow) -> dict[str, Any]:
        return {
            **row.labels,
            "requests": self.text(row.requests),
            "cost": self.text(row.amount),
            "meters": {meter: self.text(amount) for meter, amount in row.meters.items()},
        }


@dataclass(slots=True, eq=False)
class Costing:
    """All that a bill is cut up by.

    Attributes
    ----------
    bill : Bill
    owners : sequence of Owner
    parts : sequence of (Fraction, PartUsage)
        Sums over replications, each with how often it happens.
    scaling, held : sequences of Used
        What grew with the traffic, and what was paid for being there.
    rule : Rule
        The scenario's ``pricing.allocation``.
    n_replications : int
    """

    bill: Bill
    owners: Sequence[Owner]
    parts: Sequence[Weighted]
    scaling: Sequence[Used]
    held: Sequence[Used]
    rule: Rule
    n_replications: int

    @property
    def used(self) -> list[Used]:
        """Everything."""
        return [*self.scaling, *self.held]

    def rows(self, names: Sequence[str], group_of: Callable[[Owner], Group]) -> tuple[CostRow, ...]:
        """The bill by groups of owners; empty names are no group's."""
        groups = Grouping(group_of(owner) for owner in self.owners)
        found = allocate(self.bill, [self._item(used, groups) for used in self.used])
        requests = self.weights(groups, (_REQUESTS,))
        rows = [
            CostRow(
                labels=dict(zip(names, group, strict=True)),
                requests=requests[group] / self.n_replications,
                meters=found.get(group, {}),
            )
            for group in groups.names
            if group != UNALLOCATED and (group in found or requests[group])
        ]
        if UNALLOCATED in found:
            nobody = dict.fromkeys(names, "")
            rows.append(CostRow(labels=nobody, requests=Fraction(0), meters=found[UNALLOCATED]))
        return tuple(rows)

    def _item(self, used: Used, groups: Grouping) -> Item:
        return Item(quantities=used.quantities, shares=self.shares(used, groups))

    def shares(self, used: Used, groups: Grouping) -> dict[Group, int | Fraction]:
        """What each group of owners used of a thing."""
        found: dict[Group, int | Fraction] = {}
        for claim in used.claims:
            sums = self.weights(groups, (claim.measure,), claim.owners, claim.answers)
            for group, count in sums.items():
                if group != UNALLOCATED:
                    found[group] = found.get(group, 0) + claim.weight * count
        if used.claims:
            return found  # without any use it is nobody's
        requests = self.weights(groups, (_REQUESTS,), used.scope)
        n_bytes = self.weights(groups, _BYTES, used.scope)
        for one in (requests, n_bytes):
            one.pop(UNALLOCATED, None)
        return rule_shares(self.rule, requests, n_bytes)

    def by_answer(self, used: Used) -> dict[Group, int | Fraction]:
        """How much of a thing was used by requests with each answer."""
        found: dict[Group, int | Fraction] = {}
        for claim in used.claims:
            for times, part in self.parts:
                own = np.flatnonzero(claim.owners)
                counts = part.counts[own, :, claim.measure].sum(axis=0)
                for at in np.flatnonzero(counts * claim.answers).tolist():
                    group = (Answer(at).name,)
                    found[group] = found.get(group, 0) + times * claim.weight * int(counts[at])
        return found

    def refused(self) -> tuple[CostRow, ...]:
        """What refused requests cost."""
        items = [Item(quantities=u.quantities, shares=self.by_answer(u)) for u in self.scaling]
        items += [Item(quantities=used.quantities) for used in self.held]
        found = allocate(self.bill, items)
        meters: dict[str, dict[str, Fraction]] = {}
        requests: dict[str, Fraction] = {}
        for answer, facts in ANSWERS.items():
            who = facts.refused_by
            if who in _NO_REFUSAL:
                continue
            n = sum((times * int(part.counts[:, answer, _REQUESTS].sum()) for times, part in
                     self.parts), Fraction(0))  # fmt: skip
            if n:
                requests[who] = requests.get(who, Fraction(0)) + n / self.n_replications
                of_who = meters.setdefault(who, {})
                for meter, amount in found.get((answer.name,), {}).items():
                    of_who[meter] = of_who.get(meter, Fraction(0)) + amount
        return tuple(
            CostRow(labels={"refused_by": who}, requests=n, meters=meters[who])
            for who, n in requests.items()
        )

    def requests_with(self, outcomes: frozenset[str] | None) -> Fraction:
        """Requests with some outcomes, all if None."""
        wanted = [
            answer
            for answer, facts in ANSWERS.items()
            if outcomes is None or facts.outcome in outcomes
        ]
        total = sum(
            (times * int(part.counts[:, wanted, _REQUESTS].sum()) for times, part in self.parts),
            Fraction(0),
        )
        return total / self.n_replications

    def weights(
        self,
        groups: Grouping,
        measures: Sequence[int],
        owners: Any = None,
        answers: Any = None,
    ) -> dict[Group, Fraction]:
        """Sums of some measures by group: of some owners, with some answers; all if None."""
        sums: dict[Group, Fraction] = {}
        for times, part in self.parts:
            for group, n in groups.sums(part.counts, owners, measures, answers).items():
                sums[group] = sums.get(group, Fraction(0)) + times * n
        return sums


def costs_of(costing: Costing, split: Split) -> Costs:
    """Whose cost a bill is.

    Parameters
    ----------
    costing : Costing
        The bill, and what was used.
    split : Split
        What is known of customers, and what their plans bring in.
    """
    scaling, held = costing.scaling, costing.held
    costs = amounts(costing.bill, [used.quantities for used in (*scaling, *held)])
    by_use = _total(costs[: len(scaling)])
    return Costs(
        bill=costing.bill,
        by_api=costing.rows(("api",), lambda owner: (owner.api,)),
        by_route=costing.rows(("api", "route"), lambda owner: (owner.api, owner.route)),
        by_client=costing.rows(
            ("client",), lambda owner: (owner.source,) if owner.source else UNALLOCATED
        ),
        customers=split.costs(costing, [sum(one.values(), Fraction(0)) for one in costs]),
        refused=costing.refused(),
        requests=costing.requests_with(None),
        served=costing.requests_with(_SERVED),
        by_time=costing.bill.exact_total - by_use,
        by_use=by_use,
    )


def _total(costs: Iterable[Mapping[str, Fraction]]) -> Fraction:
    return sum((sum(one.values(), Fraction(0)) for one in costs), Fraction(0))
