"""What the token buckets refused: the hierarchy's, and those of usage plans."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apisim.engine.actions import PATCH_BUCKET, patches_of
from apisim.engine.program import Program
from apisim.results.collect import FinalState
from apisim.results.customers import Customers
from apisim.results.mechanisms import Stats
from apisim.results.tally import Measurements

__all__ = ["ThrottleStats", "bucket_limit", "plan_throttle_stats", "throttle_stats"]

_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleStats(Stats):
    """One token bucket, whole run.

    Attributes
    ----------
    level : str
        ``method``, ``stage`` or ``account``.
    limits : str
        What it limits: a route, a stage, or the account.
    rate_rps : float
        Tokens a second [1/s].
    burst : int
        Tokens it holds.
    refused : int
        Requests it refused, summed over replications.
    first_refused_s : float
        Time of its first refusal in any replication [s]; NaN if it refused none.
    worst_second_s : float
        Start of the second with the most refusals in any replication [s]; NaN if none.
    worst_second_refused : int
        Refusals in that second.
    """

    level: str
    limits: str
    rate_rps: float
    burst: int
    refused: int
    first_refused_s: float
    worst_second_s: float
    worst_second_refused: int


def throttle_stats(
    measurements: Measurements, states: Sequence[FinalState]
) -> tuple[ThrottleStats, ...]:
    """One for each bucket, in the order of the hierarchy's levels as lowered."""
    stats = []
    program = measurements.program
    for at, (level, limits) in enumerate(program.names.buckets):
        rate_rps, burst = bucket_limit(program, at, program.horizon_ns)
        rows = [state.buckets[at] for state in states]
        first_ns = [int(row["first_refused_ns"]) for row in rows if row["refused"]]
        worst = max(rows, key=lambda row: int(row["worst_refused"]))
        nothing = float("nan")
        stats.append(
            ThrottleStats(
                level=level,
                limits=limits,
                rate_rps=rate_rps,
                burst=burst,
                refused=sum(int(row["refused"]) for row in rows),
                first_refused_s=min(first_ns) / _SECOND_NS if first_ns else nothing,
                worst_second_s=float(worst["worst_second"]) if first_ns else nothing,
                worst_second_refused=int(worst["worst_refused"]),
            )
        )
    return tuple(stats)


def bucket_limit(program: Program, at: int, at_ns: int) -> tuple[float, int]:
    """Rate [1/s] and burst of a bucket, with all that the timeline did to it by ``at_ns``."""
    row, tables = program.buckets[at], program.tables
    per_ns, capacity = int(row["parts_per_ns"]), int(row["capacity"])
    for changed_ns, (new_capacity, new_per_ns, _) in patches_of(
        tables.timeline, tables.patches, PATCH_BUCKET, at
    ):
        if changed_ns <= at_ns:
            per_ns, capacity = new_per_ns, new_capacity
    parts = int(row["parts_per_token"])
    return per_ns * _SECOND_NS / parts, capacity // parts


def plan_throttle_stats(customers: Customers) -> tuple[ThrottleStats, ...]:
    """One for each throttle of each usage plan, over all its keys; the numbers are of one key."""
    program, nothing = customers.program, float("nan")
    plans = program.scenario.at(program.horizon_ns).usage_plans
    stats = []
    for (plan, label), row in zip(
        program.names.plan_limits, customers.totals.limits.tolist(), strict=True
    ):
        spec = plans[plan]
        throttle = spec.throttle
        if label != plan:
            api, _, route = label.removeprefix(f"{plan}: ").partition(" ")
            throttle = spec.apis[api][route]
        assert throttle is not None
        refused, first_ns, worst, second = row
        stats.append(
            ThrottleStats(
                level="usage_plan",
                limits=label,
                rate_rps=float(throttle.rate_limit),
                burst=throttle.burst_limit,
                refused=refused,
                first_refused_s=first_ns / _SECOND_NS if refused else nothing,
                worst_second_s=float(second) if refused else nothing,
                worst_second_refused=worst,
            )
        )
    return tuple(stats)
