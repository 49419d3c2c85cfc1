"""Results by customer, by usage plan, and what each key used by day.

A customer is one of a population, or an API key with a name. What is kept of it is a few numbers,
whatever the length of the run and the number of replications: counts are sums after the warm-up;
the worst minute is that of any replication, and the time at which a quota was used up the earliest,
both over the whole run. Usage by day is that of the first replication.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.program import Program
from apisim.engine.run import Replication
from apisim.gateway.quota import NO_QUOTA, day_at, window_end

__all__ = ["CustomerStats", "CustomerTotals", "Customers", "PlanStats", "UsageDay"]

_SECOND_NS: Final = 1_000_000_000
_EPOCH: Final = date(1970, 1, 1)
_COUNTS: Final = ("offered", "served", "throttled", "quota_refused")
_NEVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerStats:
    """One customer.

    Attributes
    ----------
    customer, key : str
        Its name and its API key's; "" without a key of its own.
    plan : str
        Usage plans of the key, "" for none.
    offered, served, throttled, quota_refused : int
        Requests after the warm-up, summed over replications; served from integration or cache.
    worst_minute_throttled : int
        Most requests that throttles refused in one minute of the run.
    quota_exhausted_at_s : float or None
        When its quota was used up for the first time, in any replication [s].
    """

    customer: str
    key: str
    plan: str
    offered: int
    served: int
    throttled: int
    quota_refused: int
    worst_minute_throttled: int
    quota_exhausted_at_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStats:
    """One usage plan.

    A request counts by its customer, whose key is in the plan: also one that goes to a stage or
    route for which the plan is not asked, or that is refused before its key is looked at.

    Attributes
    ----------
    plan : str
    keys : int
        Keys in it.
    active_keys : int
        Keys that called, after the warm-up in any replication.
    offered, served, throttled, quota_refused : int
        All requests of the customers whose keys are in it, after the warm-up, summed over
        replications.
    otherwise : int
        What is left of the requests: refused by another gate, or failed behind all of them.
    exhausted_keys : int
        Keys whose quota was used up in any replication.
    price : str
        Price of a key a month, an exact decimal.
    """

    plan: str
    keys: int
    active_keys: int
    offered: int
    served: int
    throttled: int
    quota_refused: int
    otherwise: int
    exhausted_keys: int
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageDay:
    """What a key used on one day, as ``GetUsage`` tells it.

    Attributes
    ----------
    plan, key : str
    date : str
        UTC.
    used : int
        Requests of that day.
    remaining : int or None
        What was left of the quota at its end; None without a quota, and where nothing that is kept
        tells it: on unused days before the first used one, when the period began earlier.
    """

    plan: str
    key: str
    date: str
    used: int
    remaining: int | None


@dataclass(frozen=True, slots=True, eq=False)
class CustomerTotals:
    """Sums over replications, one row a customer.

    Attributes
    ----------
    counts : CUSTOMER_COUNT_DTYPE[n_customers]
    worst_throttled : int64[n_customers]
    exhausted_ns : int64[n_subscriptions]
        The largest integer where the quota was never used up.
    limits : int64[n_limits, 4]
        Of each limit of a plan: refused, first refused [ns], most refused in a second by one key,
        and that second.
    subscriptions, days : arrays
        Final records of the first replication, and its end.
    """

    counts: NDArray[np.void]
    worst_throttled: NDArray[np.int64]
    exhausted_ns: NDArray[np.int64]
    limits: NDArray[np.int64]
    subscriptions: NDArray[np.void]
    days: NDArray[np.void]
    end_ns: int

    @classmethod
    def of(cls, replication: Replication) -> "CustomerTotals":
        """Totals of one replication; its arrays are taken over."""
        n_customers = len(replication.program.names.customers)
        exhausted = replication.subscriptions["exhausted_ns"]
        return cls(
            counts=replication.recorder.customers[:n_customers],
            worst_throttled=replication.customers["worst_throttled"].copy(),
            exhausted_ns=np.where(exhausted < 0, _NEVER, exhausted),
            limits=_limits(replication),
            subscriptions=replication.subscriptions,
            days=replication.plan_days,
            end_ns=replication.end_ns,
        )

    def joined(self, other: "CustomerTotals") -> "CustomerTotals":
        """Both together; what only the first replication tells stays."""
        counts = self.counts.copy()
        for name in _COUNTS:
            counts[name] += other.counts[name]
        limits = self.limits.copy()
        limits[:, 0] += other.limits[:, 0]
        limits[:, 1] = np.minimum(limits[:, 1], other.limits[:, 1])
        is_worse = other.limits[:, 2] > limits[:, 2]
        limits[is_worse, 2:] = other.limits[is_worse, 2:]
        return CustomerTotals(
            counts,
            np.maximum(self.worst_throttled, other.worst_throttled),
            np.minimum(self.exhausted_ns, other.exhausted_ns),
            limits,
            self.subscriptions,
            self.days,
            self.end_ns,
        )


def _limits(replication: Replication) -> NDArray[np.int64]:
    program = replication.program
    found = np.zeros((len(program.names.plan_limits), 4), np.int64)
    found[:, 1] = _NEVER
    n_parts = program.scenario.settings.sloppiness
    before: dict[str, int] = {}
    for at, (plan, _) in enumerate(program.names.plan_limits):
        offset = before.get(plan, 0)
        before[plan] = offset + n_parts
        number = program.names.plans.index(plan)
        own = replication.subscriptions["plan"] == number
        first = replication.subscriptions["first_bucket"][own] + offset
        rows = replication.plan_buckets[(first[:, None] + np.arange(n_parts)).ravel()]
        rows = rows[rows["refused"] > 0]
        if len(rows):
            worst = rows[np.argmax(rows["worst_refused"])]
            found[at] = (
                rows["refused"].sum(),
                rows["first_refused_ns"].min(),
                worst["worst_refused"],
                worst["worst_second"],
            )
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Customers:
    """Results by customer and plan.

    Attributes
    ----------
    program : Program
    totals : CustomerTotals
    """

    program: Program
    totals: CustomerTotals

    def __len__(self) -> int:
        return len(self.program.names.customers)

    def plans_of(self) -> list[str]:
        """Plans of each customer's key, several with a comma between them."""
        subscriptions, plans = self.totals.subscriptions, self.program.names.plans
        found = [""] * len(self)
        for customer, plan in zip(
            subscriptions["customer"].tolist(), subscriptions["plan"].tolist(), strict=True
        ):
            found[customer] += f", {plans[plan]}" if found[customer] else plans[plan]
        return found

    def rows(self, order: NDArray[np.int64] | None = None) -> list[CustomerStats]:
        """Statistics of some customers, of all when left out, in the order of the scenario."""
        totals, names = self.totals, self.program.names.customers
        exhausted = np.full(len(self), _NEVER, np.int64)
        np.minimum.at(exhausted, totals.subscriptions["customer"], totals.exhausted_ns)
        plans, has_key = self.plans_of(), self.program.has_key
        chosen = range(len(self)) if order is None else order.tolist()
        return [
            CustomerStats(
                customer=names[at],
                key=names[at] if has_key[at] else "",
                plan=plans[at],
                **{name: int(totals.counts[name][at]) for name in _COUNTS},
                worst_minute_throttled=int(totals.worst_throttled[at]),
                quota_exhausted_at_s=(
                    None if exhausted[at] == _NEVER else int(exhausted[at]) / _SECOND_NS
                ),
            )
            for at in chosen
        ]

    def top(self, n: int) -> list[CustomerStats]:
        """The ``n`` customers that asked for most, largest first; only such as called."""
        offered = self.totals.counts["offered"]
        order = np.argsort(-offered, kind="stable")[:n]
        return self.rows(order[offered[order] > 0])

    def fairness(self) -> float:
        """Jain's index of what was served, over the customers that called; NaN without any.

        1 where all got the same, 1/n where one of n got everything (Jain, Chiu and Hawe, 1984).
        """
        counts = self.totals.counts
        served = counts["served"][counts["offered"] > 0].astype(np.float64)
        squares = float((served**2).sum())
        return float(served.sum()) ** 2 / (len(served) * squares) if squares else float("nan")

    def summary(self) -> dict[str, Any]:
        """All customers in a few numbers, as ``--json`` prints them."""
        counts = self.totals.counts
        fairness = self.fairness()
        exhausted = self.totals.exhausted_ns != _NEVER
        return {
            "customers": len(self),
            "active": int((counts["offered"] > 0).sum()),
            **{name: int(counts[name].sum()) for name in _COUNTS},
            "throttled_customers": int((counts["throttled"] > 0).sum()),
            "exhausted_keys": int(exhausted.sum()),
            "fairness": None if fairness != fairness else fairness,
        }

    def plans(self) -> list[PlanStats]:
        """By usage plan. A key in several plans counts in each."""
        totals, names = self.totals, self.program.names
        counts = totals.counts
        stats = []
        for at, name in enumerate(names.plans):
            own = totals.subscriptions["plan"] == at
            customers = totals.subscriptions["customer"][own]
            sums = {count: int(counts[count][customers].sum()) for count in _COUNTS}
            told = sums["served"] + sums["throttled"] + sums["quota_refused"]
            stats.append(
                PlanStats(
                    plan=name,
                    keys=len(customers),
                    active_keys=int((counts["offered"][customers] > 0).sum()),
                    **sums,
                    otherwise=sums["offered"] - told,
                    exhausted_keys=int((totals.exhausted_ns[own] != _NEVER).sum()),
                    price=f"{self.program.scenario.usage_plans[name].price:f}",
                )
            )
        return stats

    def usage(self) -> Iterator[UsageDay]:
        """Usage by key and day: the keys that were used, each day that is kept, in order."""
        totals, program = self.totals, self.program
        clock = program.tables.quota_clock[0]
        # What ends at midnight has no part in the next day, unless a request was counted then.
        last = max(int(day_at(clock, totals.end_ns - 1)), int(totals.days["day"].max(initial=0)))
        first = max(int(clock["start_day"]), last + 1 - totals.days.shape[1])
        for at in np.flatnonzero((totals.days["used"] > 0).any(axis=1)):
            plan = int(totals.subscriptions["plan"][at])
            quota = program.tables.quotas[plan]
            key = program.names.customers[int(totals.subscriptions["customer"][at])]
            kept = {int(row["day"]): row for row in totals.days[at] if row["used"] > 0}
            left: int | None = None
            for day in range(first, last + 1):
                if day in kept:
                    left = int(kept[day]["remaining"])
                elif day == clock["start_day"] or (
                    window_end(quota["period"], day - 1, clock["week_start"]) == day
                ):
                    is_first = (
                        window_end(quota["period"], day, clock["week_start"]) == quota["first_end"]
                    )
                    left = max(int(quota["limit"]) - is_first * int(quota["offset"]), 0)
                yield UsageDay(
                    plan=program.names.plans[plan],
                    key=key,
                    date=str(_EPOCH + timedelta(day)),
                    used=int(kept[day]["used"]) if day in kept else 0,
                    remaining=None if quota["limit"] == NO_QUOTA else left,
                )

    def to_dict(self, n: int) -> list[dict[str, Any]]:
        """The top customers as ``--json`` prints them."""
        return [asdict(stats) for stats in self.top(n)]
