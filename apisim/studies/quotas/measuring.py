"""How much of each quota a scenario needs at its peak, replication by replication.

Where a quota of AWS's refuses, what was used is what it let by. What would have been asked for is
seen without it: the quotas are lifted and the same draws simulated again. What a bucket of tokens
or an account's concurrency must hold at least is found by bisection over it: the least that refuses
nothing, which is exactly the most that is taken out of it (up to the first refusal the run is the
same).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apisim.scenario import Scenario
from apisim.studies.quotas.observing import Observation, Simulator, Wall, all_walls
from apisim.studies.quotas.searching import least
from apisim.studies.quotas.using import Usage

__all__ = ["ACCOUNT", "CONCURRENCY", "CONNECTIONS", "Measured", "lifted", "measure"]

ACCOUNT: Final = Wall("account", "account")
CONNECTIONS: Final = Wall("connections", "account")
CONCURRENCY: Final = Wall("concurrency", "account")
#: Kinds of walls that are lifted to see what is asked of them.
_LIFTED: Final = frozenset({"account", "connections", "concurrency", "lambda_rate", "scaling"})
_HIGHEST: Final = 10_000_000
#: Concurrency that stands for as much as is asked for: a ring of so many places for each function.
_MUCH_CONCURRENCY: Final = 100_000


@dataclass(frozen=True, slots=True)
class Measured:
    """What a scenario used, one value a replication.

    Attributes
    ----------
    scenario : Scenario
    actual : list of Observation
        With its limits as they are.
    usages : list of Usage
        With the quotas of AWS's lifted where one of them refused.
    burst, connection_burst : list of int
        Tokens that the account's bucket, and that of new connections, must hold; all of them where
        it refused.
    concurrency : list of int
        Executions at one time of the functions without a reserve.
    """

    scenario: Scenario
    actual: list[Observation]
    usages: list[Usage]
    burst: list[int]
    connection_burst: list[int]
    concurrency: list[int]


def lifted(scenario: Scenario) -> Scenario:
    """The scenario with as much of AWS's quotas as is asked for."""
    account = scenario.account
    values: dict[str, Any] = {
        "account.throttle.rate_limit": _HIGHEST,
        "account.throttle.burst_limit": _HIGHEST,
        "account.lambda_concurrency": max(_MUCH_CONCURRENCY, account.lambda_concurrency),
        "settings.lambda_request_rate": 0,
        "settings.lambda_scaling": 0,
    }
    if _has_websockets(scenario):
        values["account.new_connections"] = {"rate_limit": _HIGHEST, "burst_limit": _HIGHEST}
    return scenario.with_(**values)


def measure(simulator: Simulator, scenario: Scenario) -> Measured:
    """Simulate a scenario until it is known what it uses."""
    actual = simulator.observe(scenario, with_usage=True)
    free, seen = scenario, actual
    if any(wall.kind in _LIFTED for wall in all_walls(actual)):
        free = lifted(scenario)
        seen = simulator.observe(free, with_usage=True)
    usages = [one.usage for one in seen if one.usage is not None]
    throttle, accepts = scenario.account.throttle, scenario.account.new_connections
    bursts = _Bursts(simulator, scenario, actual)
    connection_burst = [0] * len(actual)
    if _has_websockets(scenario):
        connection_burst = bursts.needed(
            CONNECTIONS,
            accepts.burst_limit,
            [usage.rates_rps[CONNECTIONS] for usage in usages],
            lambda burst: {"account.new_connections.burst_limit": burst},
        )
    return Measured(
        scenario=scenario,
        actual=actual,
        usages=usages,
        burst=bursts.needed(
            ACCOUNT,
            throttle.burst_limit,
            [usage.rates_rps[ACCOUNT] for usage in usages],
            lambda burst: {"account.throttle.burst_limit": burst},
        ),
        connection_burst=connection_burst,
        concurrency=[
            _concurrency(simulator, scenario, one.number, usage)
            for one, usage in zip(actual, usages, strict=True)
        ],
    )


def _has_websockets(scenario: Scenario) -> bool:
    return any(api.type == "websocket" for api in scenario.apis.values())


@dataclass(frozen=True)
class _Bursts:
    """Finds what buckets must hold."""

    simulator: Simulator
    scenario: Scenario
    actual: Sequence[Observation]

    def needed(
        self,
        wall: Wall,
        limit: int,
        rates: Sequence[int],
        values: Callable[[int], dict[str, Any]],
    ) -> list[int]:
        """Tokens for each replication, at most ``limit``."""
        found = []
        for one, rate in zip(self.actual, rates, strict=True):
            if wall in one.refused or not rate:
                found.append(limit if rate else 0)
                continue

            def refuses(burst: int, number: int = one.number) -> bool:
                changed = self.scenario.with_(**values(burst))
                return wall in self.simulator.observe(changed, numbers=[number])[0].refused

            low = self.scenario.settings.sloppiness - 1  # what each part needs at least
            high = low + 1
            while high < limit and refuses(high):
                low, high = high, min(2 * high, limit)
            found.append(least(low, min(high, limit), refuses))
        return found


def _concurrency(simulator: Simulator, scenario: Scenario, number: int, usage: Usage) -> int:
    """Executions at one time of all functions without a reserve in one replication."""
    reserved = {
        name for name, f in scenario.functions.items() if f.reserved_concurrency is not None
    }
    peaks = [
        most for name, most in usage.concurrency.items() if name.partition(":")[0] not in reserved
    ]
    # They need not all have their peak at the same time.
    low, high = max(peaks, default=0), sum(peaks)
    if low == high:
        return high
    aside = sum(function.concurrency_set_aside for function in scenario.functions.values())
    aside += scenario.account.background.lambda_concurrency
    free = lifted(scenario)

    def refuses(concurrency: int) -> bool:
        changed = free.with_(**{"account.lambda_concurrency": concurrency + aside})
        return CONCURRENCY in simulator.observe(changed, numbers=[number])[0].refused

    return least(low - 1, high, refuses)
