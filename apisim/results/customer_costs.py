"""Costs, revenue and margin of customers and their usage plans.

Of a customer it is kept what it used of each API, not on which routes nor in which phase. So what
the callers of a population used of something is shared among them by what each has of the same
count on the same API: bytes by bytes, function calls by the requests that reached an integration.
In a month every customer is taken to have the share of each phase that it has of the run.

A key has a price a month (``usage_plans.NAME.price``). The run brings in the run's share of it; a
projected month all of it, whatever the key was used for. Tax, refunds and keys that come or go are
nobody's here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.engine.program import Program
from apisim.results.cost_items import Used
from apisim.results.grouping import Grouping
from apisim.results.usage_groups import MEASURES, OWNER_MEASURES

if TYPE_CHECKING:
    from apisim.results.costs import Costing

__all__ = ["NO_CUSTOMER", "OTHERS", "UNALLOCATED_ROW", "CustomerCost", "CustomerCosts", "Split"]

#: Rows that are no customer's.
NO_CUSTOMER: Final = "(no customer)"
OTHERS: Final = "(all others)"
UNALLOCATED_ROW: Final = "(unallocated)"
NO_PLAN: Final = "(no plan)"

_REQUESTS: Final = MEASURES.index("requests")
_BYTES: Final = (MEASURES.index("bytes_in"), MEASURES.index("bytes_out"))
#: In the place of a count: the time of connections.
_CONNECTED: Final = -1
Text = Callable[[Fraction | None], str | None]


class CustomerCost(NamedTuple):
    """What a customer, or all of a usage plan, costs and brings in.

    Attributes
    ----------
    name : str
        Of the customer or plan, or one of the rows that are nobody's.
    plan : str
        Plans of a customer's key.
    customers : int
        How many these are; of a plan, its keys.
    requests, cost, revenue : Fraction
        Mean of the replications, or of the projected month; the currency is the book's.
    """

    name: str
    plan: str
    customers: int
    requests: Fraction
    cost: Fraction
    revenue: Fraction

    @property
    def margin(self) -> Fraction:
        """What is left of what it brings in."""
        return self.revenue - self.cost

    @property
    def per_thousand(self) -> Fraction | None:
        """Cost of a thousand of its requests; None without any."""
        return self.cost / self.requests * 1000 if self.requests else None

    def money(self, text: Text) -> dict[str, str | None]:
        """Cost, revenue and margin as ``--json`` has them."""
        return {name: text(getattr(self, name)) for name in ("cost", "revenue", "margin")}

    def to_dict(self, label: str, text: Text) -> dict[str, Any]:
        """For ``--json``."""
        return {
            label: self.name,
            **({"plan": self.plan} if label == "customer" else {"keys": self.customers}),
            "requests": text(self.requests),
            **self.money(text),
            "per_1000_requests": text(self.per_thousand),
        }


@dataclass(frozen=True, slots=True, eq=False)
class CustomerCosts:
    """Costs and revenue of all customers.

    Attributes
    ----------
    names, plans : sequences of str
        Of each customer: its name, and its plans.
    requests : sequence of int
        Summed over replications, as they were simulated.
    scale : Fraction
        From these to the mean replication or the month.
    numerators, denominator : object[n_customers], int
        Cost of each customer, as fractions of one denominator: there may be a million of them.
    revenues : dict of str to Fraction
        What a customer brings in, by its plans.
    nobody : Fraction
        Cost of callers that are no customers.
    nobody_requests : Fraction
    unallocated : Fraction
        What belongs to nobody.
    """

    names: Sequence[str]
    plans: Sequence[str]
    requests: NDArray[np.int64]
    scale: Fraction
    numerators: NDArray[np.object_]
    denominator: int
    revenues: Mapping[str, Fraction]
    nobody: Fraction
    nobody_requests: Fraction
    unallocated: Fraction

    def cost(self, at: int) -> Fraction:
        """What one customer costs."""
        return Fraction(int(self.numerators[at]), self.denominator)

    def row(self, at: int) -> CustomerCost:
        """One customer."""
        plan = self.plans[at]
        requests = int(self.requests[at]) * self.scale
        return CustomerCost(
            self.names[at], plan, 1, requests, self.cost(at), self.revenues.get(plan, Fraction(0))
        )

    def top(self, n: int, by: "CustomerCosts | None" = None) -> list[CustomerCost]:
        """The ``n`` that cost most (by another bill if given), and the others: all there is."""
        most = self if by is None else by
        order = sorted(range(len(self.names)), key=lambda at: -most.numerators[at])
        rows = [self.row(at) for at in order[:n]]
        rest = order[n:]
        if rest:
            rows.append(self._sum(OTHERS, "", rest))
        return [*rows, *self._rest()]

    def by_plan(self) -> list[CustomerCost]:
        """By usage plan; customers whose key is in several are a row of their own."""
        members: dict[str, list[int]] = {name: [] for name in self.revenues}
        for at, plan in enumerate(self.plans):
            members.setdefault(plan, []).append(at)
        rows = [self._sum(plan, plan, of) for plan, of in members.items() if plan and of]
        if members.get(""):
            rows.append(self._sum(NO_PLAN, "", members[""]))
        return [*rows, *self._rest()]

    def _sum(self, name: str, plan: str, members: Sequence[int]) -> CustomerCost:
        requests = int(self.requests[list(members)].sum()) * self.scale
        cost = Fraction(int(self.numerators[list(members)].sum()), self.denominator)
        counted: dict[str, int] = {}
        for at in members:
            counted[self.plans[at]] = counted.get(self.plans[at], 0) + 1
        revenue = sum(
            (n * self.revenues.get(of, Fraction(0)) for of, n in counted.items()), Fraction(0)
        )
        return CustomerCost(name, plan, len(members), requests, cost, revenue)

    def _rest(self) -> Iterator[CustomerCost]:
        nothing = Fraction(0)
        if self.nobody or self.nobody_requests:
            yield CustomerCost(NO_CUSTOMER, "", 0, self.nobody_requests, self.nobody, nothing)
        if self.unallocated:
            yield CustomerCost(UNALLOCATED_ROW, "", 0, nothing, self.unallocated, nothing)

    def total(self) -> CustomerCost:
        """All customers together, without what is no customer's."""
        return self._sum("", "", range(len(self.names)))

    def to_dict(self, n: int, text: Text) -> dict[str, Any]:
        """Rows by plan and by customer, as ``--json`` has them."""
        return {
            "by_plan": [row.to_dict("plan", text) for row in self.by_plan()],
            "by_customer": [row.to_dict("customer", text) for row in self.top(n)],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Cuts a bill up among customers.

    Attributes
    ----------
    program : Program
    used : int64[n_customers, n_apis, len(MEASURES)]
        What each used, summed over replications.
    plans : sequence of str
        Plans of each customer's key.
    months : Fraction
        Part of a month that keys are paid for.
    """

    program: Program
    used: NDArray[np.int64]
    plans: Sequence[str]
    months: Fraction

    def costs(self, costing: "Costing", amounts: Sequence[Fraction]) -> CustomerCosts:
        """What each customer costs.

        Parameters
        ----------
        costing : Costing
        amounts : sequence of Fraction
            What each of ``costing.used`` costs.
        """
        names, groups = self.program.names, self._groups(costing)
        prices: dict[tuple[str, int, int], Fraction] = {}
        nobody = unallocated = Fraction(0)
        alike: dict[tuple[bytes, bool], Fraction] = {}
        for used, amount in zip(costing.used, amounts, strict=True):
            if not amount:
                continue
            if not used.claims and costing.rule in ("even", "unallocated"):
                callers, has_others = self._callers(costing, groups, used)
                is_alone = callers.sum() == 1 and not has_others
                if costing.rule == "even" or is_alone:
                    key_of = callers.tobytes(), has_others
                    alike[key_of] = alike.get(key_of, Fraction(0)) + amount
                else:
                    unallocated += amount
                continue
            weights = self._weights(costing, groups, used)
            whole = sum(weights.values())
            if not whole:
                unallocated += amount
            for key, weight in weights.items():
                prices[key] = prices.get(key, Fraction(0)) + amount * weight / (whole or 1)
        # What no item explains is nobody's.
        unallocated += costing.bill.exact_total - sum(amounts, Fraction(0))
        requests = self.used[:, :, _REQUESTS].sum(axis=1)
        totals = self._totals(costing, groups)
        in_all = sum(int(part.counts[:, :, _REQUESTS].sum()) for _, part in costing.parts)
        nobody_requests = max(in_all - int(requests.sum()), 0)
        evenly: list[tuple[NDArray[np.bool_], Fraction]] = []
        for (mask, has_others), amount in alike.items():
            callers = np.frombuffer(mask, bool)
            n_callers = int(callers.sum()) + has_others
            if not n_callers:
                unallocated += amount
                continue
            evenly.append((callers, amount / n_callers))
            nobody += amount / n_callers if has_others else 0
        per_unit: list[tuple[slice, int, int, Fraction]] = []
        for (group, api, measure), amount in prices.items():
            own = self._members(group)
            # The time of connections is not known by customer: their requests stand for it. What
            # is pushed to them is nobody's request, so it takes no part.
            is_time, measure = measure == _CONNECTED, max(measure, _REQUESTS)
            of_customers = int(self.used[own, api, measure].sum())
            in_use = max(totals[group, api, measure], of_customers)
            if is_time and of_customers:
                in_use = of_customers
            if not in_use:
                unallocated += amount
                continue
            per_unit.append((own, api, measure, amount / in_use))
            nobody += amount * (in_use - of_customers) / in_use
        shares = [price for *_, price in per_unit] + [each for _, each in evenly]
        denominator = lcm(*(share.denominator for share in shares))
        numerators = np.zeros(len(names.customers), object)
        for own, api, measure, price in per_unit:
            numerators[own] += self.used[own, api, measure].astype(object) * int(
                price * denominator
            )
        for callers, each in evenly:
            numerators[callers] += int(each * denominator)
        scaled = costing.requests_with(None)
        scale = scaled / in_all if in_all else Fraction(0)
        return CustomerCosts(
            names=names.customers,
            plans=self.plans,
            requests=requests,
            scale=scale,
            numerators=numerators,
            denominator=denominator,
            revenues=self._revenues(),
            nobody=nobody,
            nobody_requests=nobody_requests * scale,
            unallocated=unallocated,
        )

    def _revenues(self) -> dict[str, Fraction]:
        prices = self.program.scenario.usage_plans
        return {
            plans: self.months
            * sum((Fraction(prices[plan].price) for plan in plans.split(", ")), Fraction(0))
            for plans in dict.fromkeys(self.plans)
            if plans
        }

    def _holder(self, source: str) -> str:
        """Whose customers call through a source: a population's or a key's; "" for nobody."""
        spec = self.program.scenario.traffic.get(source)
        if spec is None:
            return ""
        return f"of {spec.of}" if spec.of is not None else f"key {spec.api_key or ''}"

    def _members(self, holder: str) -> slice:
        """Customers of a holder: those of the populations come first, in order."""
        kind, _, name = holder.partition(" ")
        first = 0
        for population, spec in self.program.scenario.populations.items():
            if kind == "of" and population == name:
                return slice(first, first + spec.count)
            first += spec.count
        if kind == "key" and name:
            at = self.program.names.customers.index(name, first)
            return slice(at, at + 1)
        return slice(0, 0)

    def _groups(self, costing: "Costing") -> Grouping:
        holders = {owner.source: self._holder(owner.source) for owner in costing.owners}
        return Grouping((holders[owner.source], owner.api) for owner in costing.owners)

    def _weights(
        self, costing: "Costing", groups: Grouping, used: Used
    ) -> dict[tuple[str, int, int], Fraction]:
        """How much of a thing was used, by holder, API and what is counted."""
        apis = self.program.names.apis
        found: dict[tuple[str, int, int], Fraction] = {}

        def add(measure: int, owners: Any, answers: Any, weight: int = 1) -> None:
            sums = costing.weights(groups, (measure,), owners, answers)
            known = measure if measure < len(MEASURES) else _CONNECTED
            for (holder, api), count in sums.items():
                if count:
                    key = holder, apis.index(api), known
                    found[key] = found.get(key, Fraction(0)) + weight * count

        for claim in used.claims:
            add(claim.measure, claim.owners, claim.answers, claim.weight)
        if used.claims:
            return found
        for measure in {"requests": (_REQUESTS,), "bytes": _BYTES}.get(costing.rule, ()):
            add(measure, used.scope, None)
        return found

    def _callers(
        self, costing: "Costing", groups: Grouping, used: Used
    ) -> tuple[NDArray[np.bool_], bool]:
        """Customers that asked for anything where a thing may be used, and whether others did."""
        apis = self.program.names.apis
        callers = np.zeros(len(self.program.names.customers), bool)
        has_others = False
        for (holder, api), count in costing.weights(groups, (_REQUESTS,), used.scope).items():
            own = self.used[self._members(holder), apis.index(api), _REQUESTS]
            callers[self._members(holder)] |= own > 0
            # A count of a month is scaled; that of customers is not.
            has_others |= bool(count) and not own.any()
        return callers, has_others

    def _totals(self, costing: "Costing", groups: Grouping) -> dict[tuple[str, int, int], int]:
        """Sums of what is counted, as simulated, by holder, API and count."""
        found: dict[tuple[str, int, int], int] = {}
        for measure, name in enumerate(MEASURES):
            for _, part in costing.parts:
                sums = groups.sums(part.counts, None, (OWNER_MEASURES.index(name),), None)
                for (holder, api), n in sums.items():
                    key = holder, self.program.names.apis.index(api), measure
                    found[key] = found.get(key, 0) + n
        return found
