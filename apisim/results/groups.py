"""Requests by route, by phase and by source: one row of numbers for each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apisim.engine.program import Program
from apisim.results.latency import LatencyStats
from apisim.results.spans import measured_ns
from apisim.results.tally import Measurements
from apisim.scenario.websocket_routes import CONNECT

__all__ = ["AGGREGATED", "GroupStats", "phase_rows", "route_rows", "traffic_rows", "variant_rows"]

#: Name of the row that is about everything, as Locust calls it.
AGGREGATED: Final = "Aggregated"
_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStats:
    """Some requests after the warm-up, summed over replications.

    Attributes
    ----------
    labels : dict of str to str
        Which requests: some of ``api``, ``route``, ``traffic``, ``phase`` and ``variant``. An
        empty route is that of requests no route matched.
    requests : int
        How many.
    rps : float
        Per second of the simulated time in which they could come, a replication [1/s]; NaN for no
        time.
    by_status : dict of int to int
        By HTTP status.
    throttled : int
        Refused by a bucket.
    errors_4xx, errors_5xx : int
        By class of status.
    cache_hits, cache_misses, cold_starts : int
        Lookups in the response cache, and cold starts of integrations.
    request_bytes, response_bytes : int
        Payloads [bytes].
    latency, integration_latency, gateway_latency : LatencyStats
        At the client; of the integration; CloudWatch's ``Latency``.
    calls, succeeded, attempts : int
        Logical calls, those that succeeded, and the requests they were made of; a call belongs
        where its first attempt does. Without ``client:`` each request but preflights is a call.
    goodput_rps : float
        Calls that succeeded per second of the same time as ``rps``, a replication [1/s].
    gone, out_of_tokens : int
        Requests whose client did not wait to the end, and calls without tokens for a retry.
    call_latency : LatencyStats
        Of calls that succeeded, over their retries; only of sources with ``client:``.
    new_connections, reused_connections : int
        Requests that opened a connection first, and those that came on an open one; only of sources
        with ``network.keep_alive`` or ``reuse``.
    """

    labels: Mapping[str, str]
    requests: int
    rps: float
    by_status: Mapping[int, int]
    throttled: int
    errors_4xx: int
    errors_5xx: int
    cache_hits: int
    cache_misses: int
    cold_starts: int
    request_bytes: int
    response_bytes: int
    latency: LatencyStats
    integration_latency: LatencyStats
    gateway_latency: LatencyStats
    calls: int
    succeeded: int
    attempts: int
    goodput_rps: float
    gone: int
    out_of_tokens: int
    call_latency: LatencyStats
    new_connections: int
    reused_connections: int

    @property
    def availability(self) -> float:
        """Share of the calls that succeeded; NaN without calls."""
        return self.succeeded / self.calls if self.calls else math.nan

    def to_dict(self) -> dict[str, Any]:
        """The row as ``--json`` prints it."""
        return {
            **self.labels,
            "requests": self.requests,
            "rps": None if math.isnan(self.rps) else self.rps,
            "by_status": {str(status): count for status, count in self.by_status.items()},
            "throttled": self.throttled,
            "errors_4xx": self.errors_4xx,
            "errors_5xx": self.errors_5xx,
            "cache_hits": self.cache_hits,
            "cache_misses": self.cache_misses,
            "cold_starts": self.cold_starts,
            "request_bytes": self.request_bytes,
            "response_bytes": self.response_bytes,
            "latency_ms": self.latency.to_dict(),
            "integration_latency_ms": self.integration_latency.to_dict(),
            "gateway_latency_ms": self.gateway_latency.to_dict(),
            "calls": self.calls,
            "succeeded": self.succeeded,
            "attempts": self.attempts,
            "goodput_rps": None if math.isnan(self.goodput_rps) else self.goodput_rps,
            "availability": None if math.isnan(self.availability) else self.availability,
            "gone": self.gone,
            "out_of_tokens": self.out_of_tokens,
            "call_latency_ms": self.call_latency.to_dict(),
            "new_connections": self.new_connections,
            "reused_connections": self.reused_connections,
        }


def route_rows(measurements: Measurements, ends_ns: Sequence[int]) -> tuple[GroupStats, ...]:
    """One row for each route in the order of the scenario, then for calls that matched none."""
    names = measurements.program.names
    keys = list(names.routes)
    keys += list(dict.fromkeys((cell.api, "") for cell in names.cells if not cell.route))
    return tuple(
        _group(measurements, ends_ns, {"api": api, "route": route}, {}) for api, route in keys
    )


def variant_rows(measurements: Measurements, ends_ns: Sequence[int]) -> tuple[GroupStats, ...]:
    """Two rows for each route of a stage with a canary: what it and its canary answered."""
    program = measurements.program
    keys = [
        (api, route)
        for api, route in program.names.routes
        if program.scenario.apis[api].stage.canary is not None
    ]
    return tuple(
        _group(measurements, ends_ns, {"api": api, "route": route, "variant": variant}, {})
        for api, route in keys
        for variant in ("stable", "canary")
    )


def traffic_rows(measurements: Measurements, ends_ns: Sequence[int]) -> tuple[GroupStats, ...]:
    """One row for each phase of each source, and one for everything at the end."""
    rows = [
        _group(measurements, ends_ns, labels, labels)
        for source, phase in _phases_with_requests(measurements.program)
        for labels in [{"traffic": source, "phase": phase}]
    ]
    everything = _group(measurements, ends_ns, {}, {})
    return (*rows, _relabelled(everything, {"traffic": AGGREGATED, "phase": ""}))


def phase_rows(measurements: Measurements, ends_ns: Sequence[int]) -> tuple[GroupStats, ...]:
    """One row for each name of a phase, whichever sources have it."""
    phases = dict.fromkeys(phase for _, phase in _phases_with_requests(measurements.program))
    return tuple(
        _group(measurements, ends_ns, {"phase": phase}, {"phase": phase}) for phase in phases
    )


def _phases_with_requests(program: Program) -> list[tuple[str, str]]:
    """Phases in which anything may arrive: a pause has no row, unless somebody is connected."""
    pauses = {
        (name, phase.name)
        for name, source in program.scenario.traffic.items()
        for phase in source.phases
        if hasattr(phase, "pause") and source.sessions is None
    }
    return [key for key in program.names.phases if key not in pauses]


def _group(
    measurements: Measurements,
    ends_ns: Sequence[int],
    labels: Mapping[str, str],
    times: Mapping[str, str],
) -> GroupStats:
    """Row of the requests with these labels, in the time of the phases ``times`` names."""
    tally = measurements.select(**labels)
    length_ns = measured_ns(measurements.program, ends_ns, **times)
    sums, calls = tally.sums, tally.calls
    return GroupStats(
        labels=labels,
        requests=tally.requests,
        rps=tally.requests * _SECOND_NS / length_ns if length_ns else float("nan"),
        by_status=tally.by_status,
        throttled=tally.with_outcome("throttled"),
        errors_4xx=tally.status_class(4),
        errors_5xx=tally.status_class(5),
        cache_hits=sums["cache_hits"],
        cache_misses=sums["cache_misses"],
        cold_starts=sums["cold_starts"],
        request_bytes=sums["request_bytes"],
        response_bytes=sums["response_bytes"],
        latency=LatencyStats.of(tally.latency("latency")),
        integration_latency=LatencyStats.of(tally.latency("integration_latency")),
        gateway_latency=LatencyStats.of(tally.latency("gateway_latency")),
        calls=calls.total,
        succeeded=calls.succeeded,
        attempts=calls.attempts,
        goodput_rps=calls.succeeded * _SECOND_NS / length_ns if length_ns else float("nan"),
        gone=calls.gone,
        out_of_tokens=calls.out_of_tokens,
        call_latency=LatencyStats.of(tally.latency("call_latency")),
        new_connections=sums["new_connections"],
        reused_connections=_on_connections(measurements, labels) - sums["new_connections"],
    )


def _on_connections(measurements: Measurements, labels: Mapping[str, str]) -> int:
    """Requests with these labels for which it matters whether a connection is open.

    Of sessions these are the upgrades: each opens one of its own.
    """
    found = 0
    for name, source in measurements.program.scenario.traffic.items():
        network = source.network
        if network is None or labels.get("traffic", name) != name:
            continue
        mine = {**labels, "traffic": name}
        if source.sessions is not None:
            if labels.get("route", CONNECT) == CONNECT:
                found += measurements.select(**{**mine, "route": CONNECT}).requests
        elif network.has_connections:
            found += measurements.select(**mine).requests
    return found


def _relabelled(row: GroupStats, labels: Mapping[str, str]) -> GroupStats:
    from dataclasses import replace

    return replace(row, labels=labels)
