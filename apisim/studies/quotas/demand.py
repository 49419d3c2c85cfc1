"""What a scenario asks of its limits: rates, mix, and how long what is behind it takes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from apisim.draws.distributions import Distribution
from apisim.scenario import Scenario
from apisim.studies.quotas.using import RouteShare, Usage

__all__ = ["Demand", "demand_of", "mean_s"]

_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Demand:
    """What a scenario asks in its busiest ten seconds.

    Attributes
    ----------
    scenario : Scenario
    rate_rps : float
        Requests of all APIs that draw on the account's bucket [1/s].
    connects_rps : float
        New WebSocket connections in the busiest second [1/s].
    shares : mapping of (str, str) to float
        Part of the requests, by API and route.
    lookups : mapping of (str, str) to float
        Part of a route's requests that are looked for in the response cache.
    hit_ratio : float
        Hits among all lookups; NaN without any.
    authorizer_calls : mapping of (str, str) to float
        Calls of a route's authorizer for each of its requests.
    warm_s, cold_s : mapping of str to float
        Mean time of an invocation that finds a warm environment, and of one that does not [s].
    """

    scenario: Scenario
    rate_rps: float
    connects_rps: float
    shares: dict[tuple[str, str], float]
    lookups: dict[tuple[str, str], float]
    hit_ratio: float
    authorizer_calls: dict[tuple[str, str], float]
    warm_s: dict[str, float]
    cold_s: dict[str, float]

    @property
    def has_cache(self) -> bool:
        """Whether anything is looked for in a cache."""
        return any(self.lookups.values())


def demand_of(scenario: Scenario, usages: Sequence[Usage], multiple: Fraction) -> Demand:
    """What a scenario asks for, from simulations of a multiple of its traffic.

    Parameters
    ----------
    scenario : Scenario
    usages : sequence of Usage
        One for each replication.
    multiple : Fraction
        What its traffic was multiplied by in them.
    """
    n, times = len(usages), float(multiple)
    sums: dict[tuple[str, str], RouteShare] = {}
    for usage in usages:
        for one in usage.routes:
            before = sums.get((one.api, one.route))
            sums[(one.api, one.route)] = one if before is None else _added(before, one)
    total = sum(one.requests for one in sums.values())
    lookups = sum(one.hits + one.misses for one in sums.values())
    warm_s, cold_s = {}, {}
    for name, function in scenario.functions.items():
        known = [(u.busy_s[name], u.cold_share[name]) for u in usages if u.busy_s[name] >= 0]
        init_s = mean_s(function.cold_start)
        busy_s = math.fsum(busy for busy, _ in known) / len(known) if known else math.nan
        cold = math.fsum(share for _, share in known) / len(known) if known else 0.0
        warm_s[name] = max(busy_s - cold * init_s, 0.0) if known else math.nan
        cold_s[name] = warm_s[name] + init_s
    connections = ("connections", "account")
    return Demand(
        scenario=scenario,
        rate_rps=math.fsum(usage.sustained_rps for usage in usages) / n / times,
        connects_rps=sum(usage.rates_rps.get(connections, 0) for usage in usages) / n / times,
        shares={key: one.requests / total if total else 0.0 for key, one in sums.items()},
        lookups={
            key: (one.hits + one.misses) / one.requests if one.requests else 0.0
            for key, one in sums.items()
        },
        hit_ratio=sum(one.hits for one in sums.values()) / lookups if lookups else math.nan,
        authorizer_calls={
            key: one.authorizer_calls / one.requests if one.requests else 0.0
            for key, one in sums.items()
        },
        warm_s=warm_s,
        cold_s=cold_s,
    )


def _added(one: RouteShare, two: RouteShare) -> RouteShare:
    return RouteShare(
        one.api,
        one.route,
        one.requests + two.requests,
        one.hits + two.hits,
        one.misses + two.misses,
        one.authorizer_calls + two.authorizer_calls,
    )


def mean_s(law: Distribution) -> float:
    """Mean of a law of times [s]."""
    return law.mean() / _SECOND_NS
