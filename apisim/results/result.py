"""The result of a run: immutable numbers, each with its meaning and unit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from apisim.pricing import bill_section
from apisim.results.access import AuthorizerStats, SignInStats
from apisim.results.accounts import Bills
from apisim.results.alarms import AlarmHistory
from apisim.results.answers import AnswerStats
from apisim.results.collect import ReplicationSummary, Series
from apisim.results.connections import ConnectionTotals
from apisim.results.controls import ControlledFigure
from apisim.results.cors import CorsStats
from apisim.results.customers import Customers
from apisim.results.groups import GroupStats
from apisim.results.latency import LatencyStats
from apisim.results.latency_series import LatencySeries
from apisim.results.mechanism_series import MechanismSeries
from apisim.results.mechanisms import CacheStats, EndpointStats, FunctionStats, ServiceStats
from apisim.results.statistics import Interval
from apisim.results.tally import Measurements
from apisim.results.throttles import ThrottleStats
from apisim.results.timeline import Happening, happenings
from apisim.results.verdicts import Verdict
from apisim.results.web_acls import WebAclStats
from apisim.results.websockets import WebSocketStats
from apisim.results.whose_costs import WhoseCosts
from apisim.scenario import Scenario
from apisim.scenario.formats import counted, format_duration

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

__all__ = ["RequestCounts", "Result", "RunInfo"]

#: Customers that ``--json`` lists.
_TOP: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """How a result came about: enough to repeat it.

    Attributes
    ----------
    version : str
        Of apisim.
    engine : {"compiled", "simpy"}
        Both give the same numbers.
    seed : int
        Decides every draw.
    replications : int
        Simulated, the one that was interrupted included.
    simulated_s : float
        Simulated time of one replication to the end of its traffic [s].
    setup_s : float
        Reading, compiling and lowering [s].
    wall_s : float
        From the first event to the last record [s].
    requests_per_s : float
        Requests, warm-up included, for each second of ``wall_s``.
    digest : str
        Sum modulo 2**64 of a hash of every row, in hexadecimal: equal digests mean equal runs.
    """

    version: str
    engine: str
    seed: int
    replications: int
    simulated_s: float
    setup_s: float
    wall_s: float
    requests_per_s: float
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCounts:
    """Requests after the warm-up, summed over replications; maps hold what occurred.

    Attributes
    ----------
    total : int
        All of them.
    warm_up : int
        Those of the warm-up, which are counted nowhere else but in the bill.
    by_status, by_outcome, refused_by : dicts
        By HTTP status, by outcome and by who refused, in the words of the request file.
    new_connections : int
        Those that opened a connection first, where connections cost time.
    """

    total: int
    warm_up: int
    by_status: Mapping[int, int]
    by_outcome: Mapping[str, int]
    refused_by: Mapping[str, int]
    new_connections: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {
            "total": self.total,
            "warm_up": self.warm_up,
            "by_status": {str(status): count for status, count in self.by_status.items()},
            "by_outcome": dict(self.by_outcome),
            "refused_by": dict(self.refused_by),
            "new_connections": self.new_connections,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """Everything a run says.

    Attributes
    ----------
    scenario : Scenario
        What was run, as resolved.
    run_info : RunInfo
        How.
    completed : bool
        False if the run was interrupted; the numbers are then about what was simulated so far.
    requests : RequestCounts
        Counts after the warm-up, summed over replications.
    latency_ms, integration_latency_ms, gateway_latency_ms : LatencyStats
        At the client (refusals included), of the integration, and CloudWatch's ``Latency`` [ms].
    routes, variants, traffic, phases : tuples of GroupStats
        By route; by source and phase, everything in the last row; by name of the phase.
    cache, authorizers, sign_ins, web_acls, functions, endpoints, services : dicts
        By API, authorizer, population, function, endpoint and AWS service.
    throttles : tuple of ThrottleStats
        By token bucket; those of a usage plan over all its keys.
    answers : tuple of AnswerStats
        By API and answer, with headers and metrics.
    customers : Customers
        By customer and by usage plan.
    cors : dict of str to CorsStats
        By API that browsers call.
    websockets : tuple of WebSocketStats
        By WebSocket API: connections, messages, pushes, CloudWatch's metrics.
    bill : Bills
        Of the run and, where the scenario asks for it, of the projected month.
    costs : WhoseCosts
        Whose cost these are: ``costs.run`` and ``costs.month`` have ``by_api``, ``by_route``,
        ``by_client``, ``customers``, ``refused`` and what is paid by time and by use.
    intervals : dict of str to Interval
        By metric; empty with one replication. Latencies in milliseconds.
    controlled : dict of str to ControlledFigure
        Mean latency and cost of the run with control variates, and what they gain, by metric;
        empty with fewer than five replications, or without open traffic.
    thresholds : tuple of Verdict
        In the order of the scenario.
    alarms : tuple of AlarmHistory
        By replication, then in the order of the scenario.
    series : Series
        Counts over time, warm-up included.
    latency_series : LatencySeries
        Latencies over time, warm-up included.
    mechanism_series : MechanismSeries
        Functions, endpoints, buckets and caches over time, warm-up included.
    connections : ConnectionTotals or None
        Connections over time and all that is known of them; None without a WebSocket API.
    replications : tuple of ReplicationSummary
        Each in a few numbers.
    notes : tuple of str
        What the reader should know.
    measurements : Measurements
        All counts and histograms, for questions not asked above.
    """

    scenario: Scenario
    run_info: RunInfo
    completed: bool
    requests: RequestCounts
    latency_ms: LatencyStats
    integration_latency_ms: LatencyStats
    gateway_latency_ms: LatencyStats
    routes: tuple[GroupStats, ...]
    variants: tuple[GroupStats, ...]
    traffic: tuple[GroupStats, ...]
    phases: tuple[GroupStats, ...]
    cache: Mapping[str, CacheStats]
    authorizers: Mapping[str, AuthorizerStats]
    sign_ins: Mapping[str, SignInStats]
    web_acls: Mapping[str, WebAclStats]
    functions: Mapping[str, FunctionStats]
    endpoints: Mapping[str, EndpointStats]
    services: Mapping[str, ServiceStats]
    throttles: tuple[ThrottleStats, ...]
    answers: tuple[AnswerStats, ...]
    customers: Customers
    cors: Mapping[str, CorsStats]
    websockets: tuple[WebSocketStats, ...]
    bill: Bills
    costs: WhoseCosts = field(repr=False)
    intervals: Mapping[str, Interval]
    controlled: Mapping[str, ControlledFigure]
    thresholds: tuple[Verdict, ...]
    alarms: tuple[AlarmHistory, ...]
    series: Series
    latency_series: LatencySeries = field(repr=False)
    mechanism_series: MechanismSeries = field(repr=False)
    connections: ConnectionTotals | None = field(repr=False)
    replications: tuple[ReplicationSummary, ...]
    notes: tuple[str, ...]
    measurements: Measurements = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether all thresholds hold, by their point estimates."""
        return all(verdict.ok for verdict in self.thresholds)

    @property
    def timeline(self) -> list[Happening]:
        """What the timeline did, in order of time."""
        return happenings(self.scenario, round(self.run_info.simulated_s * 1e9))

    @property
    def is_conclusive(self) -> bool:
        """Whether every verdict is certain at 95 %; needs more than one replication."""
        return all(verdict.conclusive is True for verdict in self.thresholds)

    def quantile_ms(self, percent: float, latency: str = "latency", **tags: str) -> float:
        """Quantile of a latency [ms], NaN where there were no requests.

        Parameters
        ----------
        percent : float
            0 to 100.
        latency : str
            ``latency``, ``integration_latency`` or ``gateway_latency``.
        **tags : str
            Which requests: ``api``, ``stage``, ``route``, ``traffic``, ``phase``.
        """
        return self.measurements.select(**tags).latency(latency).quantile_ns(percent) / 1e6

    def to_dict(self) -> dict[str, Any]:
        """The object that ``--json`` prints; amounts of money are exact decimals as text."""
        source, info = self.scenario.source, self.run_info
        return {
            "apisim": info.version,
            "scenario": {
                "name": self.scenario.name,
                "file": source.file,
                "sha256": source.sha256,
            },
            "run": {
                "engine": info.engine,
                "seed": info.seed,
                "replications": info.replications,
                "simulated_s": info.simulated_s,
                "setup_s": info.setup_s,
                "wall_s": info.wall_s,
                "requests_per_s": info.requests_per_s,
                "digest": info.digest,
                "completed": self.completed,
                "duration": self._duration(),
            },
            "requests": self.requests.to_dict(),
            "latency_ms": self.latency_ms.to_dict(),
            "integration_latency_ms": self.integration_latency_ms.to_dict(),
            "gateway_latency_ms": self.gateway_latency_ms.to_dict(),
            "cache": {name: stats.to_dict() for name, stats in self.cache.items()},
            "authorizers": {name: stats.to_dict() for name, stats in self.authorizers.items()},
            "sign_ins": {name: stats.to_dict() for name, stats in self.sign_ins.items()},
            "web_acls": {name: stats.to_dict() for name, stats in self.web_acls.items()},
            "functions": {name: stats.to_dict() for name, stats in self.functions.items()},
            "endpoints": {name: stats.to_dict() for name, stats in self.endpoints.items()},
            "timeline": [one.to_dict() for one in self.timeline],
            "services": {name: stats.to_dict() for name, stats in self.services.items()},
            "throttles": [stats.to_dict() for stats in self.throttles if stats.refused],
            "answers": [stats.to_dict() for stats in self.answers],
            "cors": {name: stats.to_dict() for name, stats in self.cors.items()},
            "websockets": [stats.to_dict() for stats in self.websockets],
            "routes": [row.to_dict() for row in self.routes],
            "variants": [row.to_dict() for row in self.variants],
            "traffic": [row.to_dict() for row in self.traffic],
            "phases": [row.to_dict() for row in self.phases],
            "customers": self._customers(),
            "customers_summary": self.customers.summary(),
            "usage_plans": [asdict(stats) for stats in self.customers.plans()],
            "bill": self._bill(),
            "intervals": {name: one.to_dict() for name, one in self.intervals.items()},
            "controlled": {name: one.to_dict() for name, one in self.controlled.items()},
            "thresholds": [verdict.to_dict() for verdict in self.thresholds],
            "alarms": [alarm.to_dict() for alarm in self.alarms],
            "ok": self.ok,
            "notes": list(self.notes),
        }

    def _duration(self) -> str | None:
        """After which nothing more arrives, where that was asked for."""
        limit_ns = self.scenario.duration_limit_ns
        return None if limit_ns is None else format_duration(limit_ns)

    def _customers(self) -> list[dict[str, Any]]:
        """The top customers with what they cost and bring in."""
        costs = self.costs.run
        at = {name: number for number, name in enumerate(costs.customers.names)}
        return [
            stats | costs.customers.row(at[stats["customer"]]).money(costs.text)
            for stats in self.customers.to_dict(_TOP)
        ]

    def _bill(self) -> dict[str, Any]:
        section = bill_section(
            run=self.bill.run,
            month=self.bill.month,
            run_ranges=self.bill.run_ranges,
            month_ranges=self.bill.month_ranges,
        )
        section["run"] |= self.costs.run.to_dict(_TOP)
        if self.costs.month is not None:
            section["month"] |= self.costs.month.to_dict(_TOP)
        return section

    def frame(self, name: str) -> "pd.DataFrame":
        """A tidy pandas frame; see :mod:`apisim.results.tables` for names, columns and units.

        Parameters
        ----------
        name : str
            ``series``, ``latency_series``, ``bucket_series``, ``function_series``,
            ``endpoint_series``, ``cache_series``, ``routes``, ``traffic``, ``phases``,
            ``outcomes``, ``alarms``,
            ``caches``, ``authorizers``, ``sign_ins``, ``web_acls``, ``functions``,
            ``endpoints``, ``services``, ``cors``, ``websockets``, ``pushes``, ``throttles``,
            ``customers``, ``usage_plans``, ``usage``, ``bill``, ``costs``, ``thresholds``,
            ``intervals``, ``replications`` or
            ``latency_distribution``.

        Raises
        ------
        ValueError
            If there is no such frame.
        """
        from apisim.results.tables import frame

        return frame(self, name)

    def summary(self, *, width: int = 80) -> str:
        """The summary as plain text.

        Parameters
        ----------
        width : int
            Columns of the page, at least 60.
        """
        from apisim.results.text import summary

        return summary(self, width=width)

    def __repr__(self) -> str:
        of = self.scenario.name or self.scenario.source.file
        verdict = "" if self.completed else ", interrupted"
        if self.thresholds:
            verdict += ", ok" if self.ok else ", thresholds failed"
        return f"<Result of {of!r}: {counted(self.requests.total, 'request')}{verdict}>"

    def __str__(self) -> str:
        return self.summary()

    def __rich__(self) -> "RenderableType":
        from apisim.results.text import render

        return render(self)

    def _repr_html_(self) -> str:
        from apisim.results.html import render_html

        return render_html(self)
