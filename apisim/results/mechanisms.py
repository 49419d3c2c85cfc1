"""What the mechanisms did: caches, functions, endpoints and services.

Hits and misses come from the requests and leave the warm-up out; what is read from a mechanism's
own record (evictions, invocations, concurrency) is about the whole run.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from apisim.engine.actions import PATCH_ENDPOINT, patches_of
from apisim.engine.program import Program
from apisim.gateway.status import Answer
from apisim.results.collect import FinalState
from apisim.results.tally import Measurements
from apisim.scenario.stages import stage_label

__all__ = [
    "CacheStats",
    "EndpointStats",
    "FunctionStats",
    "ServiceStats",
    "Stats",
    "cache_stats",
    "endpoint_stats",
    "function_stats",
    "servers_over",
    "service_stats",
]


class Stats:
    """Numbers that become a JSON object."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The numbers by name; what does not exist is None."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()  # type: ignore[call-overload]
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStats(Stats):
    """Response cache of one API.

    Attributes
    ----------
    hits, misses : int
        Lookups after the warm-up, summed over replications.
    hit_ratio : float
        Hits among lookups; NaN without lookups.
    evictions, expirations : int
        Entries that had to make room, and that became too old; whole run, summed.
    entries, bytes : float
        Live at the end of the run, with their overhead; mean over replications.
    wrong_answers : int
        Hits whose answer was made for another request: a parameter it depends on (``depends_on``)
        is not in the key. Always 0 where nobody said what answers depend on.
    stale_answers : int
        Hits whose answer had changed behind the cache (``updates``).
    invalidations, ignored_invalidations, refused_invalidations : int
        Calls with ``Cache-Control: max-age=0`` that replaced the entry, those that were told by a
        warning header that they may not, and those that were answered 403.
    flushes : int
        Times the timeline emptied it without taking it away; whole run, summed.
    max_wait_ms : float
        Longest wait for the cache's instance [ms] (``settings.cache_throughput``), in any
        replication; whole run.
    """

    hits: int
    misses: int
    hit_ratio: float
    evictions: int
    expirations: int
    entries: float
    bytes: float
    wrong_answers: int = 0
    stale_answers: int = 0
    invalidations: int = 0
    ignored_invalidations: int = 0
    refused_invalidations: int = 0
    flushes: int = 0
    max_wait_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionStats(Stats):
    """One Lambda function, whole run.

    Attributes
    ----------
    invocations, cold_starts, throttles, errors : int
        Summed over replications; a throttled call is no invocation.
    rate_throttles, scaling_throttles : int
        Those of the throttles that were for the quota of requests a second, and for growing too
        fast; the others found all concurrency in use.
    timeouts : int
        Invocations that reached the function's time-out; not among the errors.
    events, event_retries, events_dropped : int
        Events accepted for it, runs that followed a failed one of the same event, and events that
        were too old or failed too often.
    provisioned : int
        Invocations that ran on provisioned concurrency.
    billed_ms : int
        Billed time [ms], summed.
    max_concurrency : int
        Most executions at one time, in any replication.
    mean_concurrency : float
        Executions at a time, time-weighted mean.
    pool_size : float
        Environments, busy or idle, time-weighted mean.
    utilization : float
        Busy part of the environments' lives; NaN if there were none.
    """

    invocations: int
    cold_starts: int
    throttles: int
    rate_throttles: int
    scaling_throttles: int
    errors: int
    timeouts: int
    provisioned: int
    billed_ms: int
    max_concurrency: int
    mean_concurrency: float
    pool_size: float
    utilization: float
    events: int = 0
    event_retries: int = 0
    events_dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStats(Stats):
    """One HTTP endpoint, whole run.

    Attributes
    ----------
    served, refused, errors : int
        Requests, summed over replications; refused ones found the queue full.
    abandoned : int
        Calls whose function was ended by its own time limit before they were done.
    max_waiting : int
        Longest queue, in any replication.
    mean_concurrency : float
        Busy servers, time-weighted mean.
    utilization : float
        Busy share of the servers.
    """

    served: int
    refused: int
    errors: int
    abandoned: int
    max_waiting: int
    mean_concurrency: float
    utilization: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStats(Stats):
    """One AWS service, whole run.

    Attributes
    ----------
    type : str
        Which service.
    requests, throttled, errors : int
        Summed over replications; a throttled request is none that the service took.
    read_units, units : float
        What the service meters, summed: read units of a DynamoDB table, and its write units; of
        the others requests of 64 KB, payload units of 25 KB (Kinesis), executions.
    """

    type: str
    requests: int
    throttled: int
    errors: int
    read_units: float
    units: float


def cache_stats(measurements: Measurements, states: Sequence[FinalState]) -> dict[str, CacheStats]:
    """By API; only those with a cache."""
    program = measurements.program
    positions = {plan.name: at for at, plan in enumerate(program.caches)}
    stats = {}
    for name, api in program.scenario.apis.items():
        at = positions.get(stage_label(name, api.stage.name))
        if at is None:
            continue
        tally = measurements.select(api=name)
        sums = tally.sums
        hits, misses = sums["cache_hits"], sums["cache_misses"]
        stats[name] = CacheStats(
            hits=hits,
            misses=misses,
            hit_ratio=_ratio(hits, hits + misses),
            evictions=_total(states, "caches", at, "evictions"),
            expirations=_total(states, "caches", at, "expirations"),
            entries=_ratio(_total(states, "caches", at, "entries"), len(states)),
            bytes=_ratio(_total(states, "caches", at, "weight"), len(states)),
            wrong_answers=sums["wrong_answers"],
            stale_answers=sums["stale_answers"],
            invalidations=sums["invalidations"],
            ignored_invalidations=sums["ignored_invalidations"],
            refused_invalidations=int(tally.by_answer[Answer.INVALIDATION_REFUSED]),
            flushes=_total(states, "clusters", at, "flushes"),
            max_wait_ms=max(int(state.clusters["max_wait_ns"][at]) for state in states) / 1e6,
        )
    return stats


def function_stats(
    measurements: Measurements, states: Sequence[FinalState]
) -> dict[str, FunctionStats]:
    """By function."""
    length_ns = sum(state.end_ns for state in states)
    stats = {}
    for at, name in enumerate(measurements.program.names.functions):
        busy_ns = _total(states, "pools", at, "busy_ns")
        alive_ns = _total(states, "pools", at, "alive_ns")
        stats[name] = FunctionStats(
            invocations=_total(states, "pools", at, "invocations"),
            cold_starts=_total(states, "pools", at, "cold_starts"),
            throttles=_total(states, "pools", at, "throttles"),
            rate_throttles=_total(states, "pools", at, "rate_throttles"),
            scaling_throttles=_total(states, "pools", at, "scaling_throttles"),
            timeouts=_total(states, "pools", at, "timeouts"),
            events=_total(states, "pools", at, "events"),
            event_retries=_total(states, "pools", at, "event_retries"),
            events_dropped=_total(states, "pools", at, "events_dropped"),
            provisioned=_total(states, "pools", at, "provisioned"),
            errors=_total(states, "pools", at, "errors"),
            billed_ms=sum(int(state.billed_ms[at]) for state in states),
            max_concurrency=max(int(state.pools["max_busy"][at]) for state in states),
            mean_concurrency=_ratio(busy_ns, length_ns),
            pool_size=_ratio(alive_ns, length_ns),
            utilization=_ratio(busy_ns, alive_ns),
        )
    return stats


def endpoint_stats(
    measurements: Measurements, states: Sequence[FinalState]
) -> dict[str, EndpointStats]:
    """By endpoint."""
    length_ns = sum(state.end_ns for state in states)
    stats = {}
    for at, name in enumerate(measurements.program.names.endpoints):
        busy_ns = sum(
            # What an interrupted run was still serving has not been subtracted yet.
            int(row["busy_ns"]) + state.end_ns * int(row["busy"])
            for state in states
            for row in [state.endpoints[at]]
        )
        server_ns = sum(servers_over(measurements.program, at, state.end_ns) for state in states)
        stats[name] = EndpointStats(
            served=_total(states, "endpoints", at, "served"),
            refused=_total(states, "endpoints", at, "refused"),
            errors=_total(states, "endpoints", at, "errors"),
            abandoned=_total(states, "endpoints", at, "abandoned"),
            max_waiting=max(int(state.endpoints["max_waiting"][at]) for state in states),
            mean_concurrency=_ratio(busy_ns, length_ns),
            utilization=_ratio(busy_ns, server_ns),
        )
    return stats


def servers_over(program: Program, at: int, end_ns: int) -> int:
    """Integral of an endpoint's servers up to ``end_ns``; the timeline may change their number."""
    servers, since_ns, integral = program.endpoints[at][0], 0, 0
    tables = program.tables
    for at_ns, (now, *_) in patches_of(tables.timeline, tables.patches, PATCH_ENDPOINT, at):
        until_ns = min(at_ns, end_ns)
        integral += servers * (until_ns - since_ns)
        servers, since_ns = now, until_ns
    return integral + servers * (end_ns - since_ns)


def service_stats(
    measurements: Measurements, states: Sequence[FinalState]
) -> dict[str, ServiceStats]:
    """By service."""
    scenario = measurements.program.scenario
    return {
        name: ServiceStats(
            type=scenario.services[name].type,
            requests=_total(states, "services", at, "requests"),
            throttled=_total(states, "services", at, "throttled"),
            errors=_total(states, "services", at, "errors"),
            read_units=_total(states, "services", at, "read_units") / 2,
            units=float(_total(states, "services", at, "units")),
        )
        for at, name in enumerate(measurements.program.names.services)
    }


def _total(states: Sequence[FinalState], records: str, at: int, field: str) -> int:
    """Sum of one field over replications, in Python's integers: integrals may be large."""
    return sum(int(getattr(state, records)[field][at]) for state in states)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
