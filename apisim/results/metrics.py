"""Metrics by the names of the scenario: what a threshold is about, and what gets an interval.

=====================  ==================================================================
``requests``           ``count`` for each replication, ``rate`` per second
``latency`` ...        ``p(N)``, ``mean``, ``min``, ``max`` [ns]; refusals included
``errors_4xx``,        ``count`` for each replication; ``rate`` is the share of requests
``errors_5xx``,
``failed``,
``throttled``,            429s of throttles; those of quotas are ``quota_refused``
``quota_refused``,
``cold_starts``,
``wrong_answers``,     NaN unless a route says on what its answers depend (``depends_on``)
``stale_answers``      or how often they change (``updates``)
``cache_hits``,        ``rate`` is the share of lookups
``cache_misses``
``availability``       ``rate``: the share of logical calls that succeeded; without ``client:``
                       each request is one, and this is ``1 - failed``
``goodput``            ``rate``: logical calls that succeeded a second, ``count``
``call_latency``       as ``latency``: of logical calls that succeeded, over their retries; of
                       sources with ``client:``
``data_processed``     ``count`` of bytes both ways, for each replication
``connections``        ``mean`` over time, and the most there were at one time, ``max``: of
                       WebSocket APIs
``connects``           ``count`` of connections opened, for each replication; ``rate`` per second
``delivery``           as ``latency``: from a push to its clients, waiting at the sender included
``delivery_failures``  ``rate``: the share of messages pushed that no client got, over the
                       sender's retries; ``count`` for each replication
``cost_run``           ``value``: mean of the replications' bills
``cost_month``         ``value``: the projected month
=====================  ==================================================================

``failed`` is a status that is neither of class 2 nor 101 (an upgrade to WebSocket), or an answer
that its page never gets to see.
``failed`` and ``availability`` are shares of what somebody asked for: preflights that went well are
left out, those that failed stay. All other shares are of all requests. Counts are means over
replications, so that a threshold means the same however often a scenario is repeated.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from apisim.gateway.status import Answer
from apisim.results.connections import ConnectionTotals
from apisim.results.sockets import connections_value, delivery_tally
from apisim.results.spans import measured_ns
from apisim.results.tally import LatencyTally, Measurements, Tally
from apisim.scenario.thresholds import Threshold
from apisim.scenario.websocket_routes import CONNECTIONS

__all__ = ["STANDARD_MEASURES", "Costs", "Gauge", "Measure", "Reading"]

_LATENCIES: Final = frozenset(
    {"latency", "integration_latency", "gateway_latency", "call_latency", "delivery"}
)
_SECOND_NS: Final = 1_000_000_000
#: What a route must say before a metric counts anything on it.
_NEEDED: Final = {"wrong_answers": "depends_on", "stale_answers": "updates"}

_Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """A statistic of a metric, perhaps of some requests only.

    Attributes
    ----------
    metric, statistic : str
        As in the table above; ``statistic`` is ``p`` for quantiles.
    quantile : float or None
        Percentage of a ``p``.
    tags : tuple of (str, str)
        What it is narrowed down to.
    """

    metric: str
    statistic: str
    quantile: float | None = None
    tags: _Tags = ()

    @classmethod
    def of(cls, threshold: Threshold) -> "Measure":
        """What a threshold is about."""
        return cls(threshold.metric, threshold.statistic, threshold.quantile, threshold.tags)

    @property
    def shown_unit(self) -> tuple[str, float]:
        """Unit it is shown in, and how many of the units it is measured in that is."""
        return SHOWN_TIME if self.unit == "ns" else (self.unit, 1.0)

    @property
    def label(self) -> str:
        """Name of its interval, e.g. ``latency p(99)`` or ``latency{phase:spike} p(99)``."""
        tags = ",".join(f"{name}:{value}" for name, value in self.tags)
        words = self.statistic if self.quantile is None else f"p({self.quantile:g})"
        return f"{self.metric}{{{tags}}} {words}" if tags else f"{self.metric} {words}"

    @property
    def unit(self) -> str:
        """Unit it is measured in: that of a threshold's limit.

        ``ns``, ``share``, ``count``, ``per_second``, ``bytes`` or ``money``.
        """
        if self.metric in _LATENCIES:
            return "ns"
        if self.metric.startswith("cost_"):
            return "money"
        if self.metric == "data_processed":
            return "bytes"
        if self.statistic == "count" or self.metric == "connections":
            return "count"
        per_second = {"requests", "goodput", "connects"}
        return "per_second" if self.metric in per_second else "share"


#: Unit a time is shown in, and how many nanoseconds it has.
SHOWN_TIME: Final = ("ms", 1e6)

#: What gets an interval whether or not a threshold asks for it.
STANDARD_MEASURES: Final = (
    Measure("latency", "mean"),
    Measure("latency", "p", 50.0),
    Measure("latency", "p", 95.0),
    Measure("latency", "p", 99.0),
    Measure("throttled", "rate"),
    Measure("failed", "rate"),
    Measure("cost_run", "value"),
)


class Reading(NamedTuple):
    """A measure of one replication, and what it is made of.

    Attributes
    ----------
    value : float
        In the measure's unit; NaN where nothing was measured.
    resolution : float
        How finely a quantile can be told from its neighbours, in the same unit; 0 for the others.
    above, below : float
        Numerator and denominator where the value is their ratio, whose sums over replications are
        the ratio of all of them; NaN where it is none.
    """

    value: float
    resolution: float = 0.0
    above: float = float("nan")
    below: float = float("nan")

    @classmethod
    def ratio(cls, above: float, below: float) -> "Reading":
        """One that is a ratio; NaN where there is nothing to divide by."""
        return cls(above / below if below else float("nan"), 0.0, above, below)


@dataclass(frozen=True, slots=True)
class Costs:
    """Totals of bills, in the bill's currency; None where there is no such bill."""

    run: float | None = None
    month: float | None = None


class Gauge:
    """Reads measures off the measurements of one replication, or of several added up.

    Parameters
    ----------
    measurements : Measurements
    ends_ns : sequence of int
        End of each of those replications [ns].
    costs : Costs
        Bills of the same replications.
    connections : ConnectionTotals, optional
        Of the same replications; None where there is no WebSocket API.
    """

    def __init__(
        self,
        measurements: Measurements,
        ends_ns: Sequence[int],
        costs: Costs,
        connections: ConnectionTotals | None = None,
    ) -> None:
        self._measurements, self._ends_ns, self._costs = measurements, ends_ns, costs
        self._connections = connections
        # Several statistics are asked of the same requests.
        self._tallies: dict[_Tags, Tally] = {}
        self._latencies: dict[tuple[_Tags, str], LatencyTally] = {}

    def read(self, wanted: Measure) -> tuple[float, float]:
        """Value of a measure and its resolution, see :class:`Reading`."""
        return self.reading(wanted)[:2]

    def reading(self, wanted: Measure) -> Reading:
        """A measure, and what it is made of."""
        if wanted.metric.startswith("cost_"):
            costs = self._costs
            total = costs.run if wanted.metric == "cost_run" else costs.month
            return Reading(float("nan") if total is None else total)
        if wanted.metric in _LATENCIES:
            return self._read_latency(wanted)
        if self.unmeasured(wanted):
            return Reading(float("nan"))
        if wanted.metric in {"connections", "connects"}:
            return self._read_connections(wanted)
        if wanted.metric == "delivery_failures":
            return self._read_failures(wanted)
        tally = self._tally(wanted.tags)
        count = _count(wanted.metric, tally)
        if wanted.unit == "share":
            return Reading.ratio(count, _of(wanted.metric, tally))
        if wanted.unit == "per_second":
            return self._rate(count, dict(wanted.tags))
        return Reading.ratio(count, self._measurements.n_replications)

    def unmeasured(self, wanted: Measure) -> str:
        """Why nothing was measured although there may have been requests; "" where that is not so.

        A count of 0 that nobody counted must not pass for one that was.
        """
        key = _NEEDED.get(wanted.metric)
        if key is None:
            return ""
        apis = self._measurements.program.scenario.apis
        cells = self._measurements.cells_of(dict(wanted.tags))
        routes = (apis[cell.api].every_route[cell.route] for cell in cells if cell.route)
        # An empty list is an answer as well: it depends on nothing.
        said = (getattr(route, key) for route in routes)
        return "" if any(one is not None and one != 0 for one in said) else f"no route has {key}"

    def _tally(self, tags: _Tags) -> Tally:
        if tags not in self._tallies:
            self._tallies[tags] = self._measurements.select(**dict(tags))
        return self._tallies[tags]

    def _read_latency(self, wanted: Measure) -> Reading:
        key = (wanted.tags, wanted.metric)
        if key not in self._latencies:
            if wanted.metric == "delivery":
                tags = dict(wanted.tags)
                found = delivery_tally(self._measurements.program, self._connections, tags)
            else:
                found = self._tally(wanted.tags).latency(wanted.metric)
            self._latencies[key] = found
        latency = self._latencies[key]
        if wanted.quantile is not None:
            resolution = latency.resolution_ns(wanted.quantile)
            return Reading(latency.quantile_ns(wanted.quantile), resolution)
        if wanted.statistic == "mean":
            return Reading.ratio(latency.total_ns, latency.count)
        return Reading(latency.min_ns if wanted.statistic == "min" else latency.max_ns)

    def _read_connections(self, wanted: Measure) -> Reading:
        tags = dict(wanted.tags)
        what = wanted.statistic if wanted.metric == "connections" else "opened"
        value = connections_value(self._measurements.program, self._connections, tags, what)
        # Nothing was measured where nobody has sessions, though there may be a WebSocket API.
        if wanted.metric == "connections" or math.isnan(value):
            return Reading(value)
        if wanted.statistic == "rate":
            return self._rate(int(value), {})
        return Reading.ratio(value, self._measurements.n_replications)

    def _read_failures(self, wanted: Measure) -> Reading:
        calls = self._tally((*wanted.tags, ("route", CONNECTIONS))).calls
        failed = calls.total - calls.succeeded
        if wanted.statistic == "count":
            return Reading.ratio(failed, self._measurements.n_replications)
        return Reading.ratio(failed, calls.total)

    def _rate(self, count: int, tags: dict[str, str]) -> Reading:
        length_ns = measured_ns(
            self._measurements.program,
            self._ends_ns,
            traffic=tags.get("traffic"),
            phase=tags.get("phase"),
        )
        return Reading.ratio(count * _SECOND_NS, length_ns)


def _count(metric: str, tally: Tally) -> int:
    sums = tally.sums
    counts = {
        "requests": tally.requests,
        "errors_4xx": tally.status_class(4),
        "errors_5xx": tally.status_class(5),
        "failed": tally.failed,
        "availability": tally.calls.succeeded,
        "goodput": tally.calls.succeeded,
        "throttled": tally.with_outcome("throttled"),
        "quota_refused": tally.with_outcome("quota"),
        "cold_starts": sums["cold_starts"],
        "cache_hits": sums["cache_hits"],
        "cache_misses": sums["cache_misses"],
        "wrong_answers": sums["wrong_answers"],
        "stale_answers": sums["stale_answers"],
        "data_processed": sums["request_bytes"] + sums["response_bytes"],
    }
    return counts[metric]


def _of(metric: str, tally: Tally) -> int:
    """What a share is a share of."""
    if metric in {"cache_hits", "cache_misses"}:
        return tally.sums["cache_hits"] + tally.sums["cache_misses"]
    if metric == "failed":
        return _asked_for(tally)
    return tally.calls.total if metric == "availability" else tally.requests


def _asked_for(tally: Tally) -> int:
    """Requests without the preflights that went well: a browser's question serves nobody.

    One that came too late for its client did not: its request was never sent.
    """
    in_time = tally.by_answer[Answer.PREFLIGHT] - tally.calls.late[Answer.PREFLIGHT]
    return tally.requests - int(in_time)
