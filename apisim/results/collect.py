"""Replications in, one after the other; sums out.

A replication's recorder takes half a megabyte a cell. It is added to the sums as soon as the
replication is over, and of each replication only a few numbers are kept: those whose spread over
replications makes an interval, its usage for the bill, and the last state of its mechanisms.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apisim.engine.program import Program
from apisim.engine.recorder import N_COLUMNS, Recorder
from apisim.engine.run import Replication
from apisim.pricing import Usage, Window
from apisim.results.accounts import Accounts
from apisim.results.connections import ConnectionTotals
from apisim.results.controls import controls_of
from apisim.results.customers import CustomerTotals
from apisim.results.estimates import interval_of
from apisim.results.latency_series import LatencySeries
from apisim.results.mechanism_series import MechanismSeries
from apisim.results.metrics import STANDARD_MEASURES, Costs, Gauge, Measure, Reading
from apisim.results.reported import reported_measures
from apisim.results.statistics import Interval
from apisim.results.tally import Measurements
from apisim.results.usage import run_usage, windows_of
from apisim.results.usage_groups import GroupedUsage

__all__ = ["Collector", "FinalState", "ReplicationSummary", "Series"]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Counts over time, warm-up included, summed over replications.

    Attributes
    ----------
    period_ns : int
        Length of a period [ns]: 1 s, doubled until 4,096 periods are enough.
    values : int64[n_apis, n_periods, N_COLUMNS]
        Requests by answer, then the columns named in ``engine/recorder.py``, by time of arrival.
    """

    period_ns: int
    values: NDArray[np.int64]

    @classmethod
    def of(cls, recorder: Recorder) -> "Series":
        """Series of one replication, without the periods in which nothing arrived at its end."""
        used = np.flatnonzero(recorder.series.any(axis=(0, 2)))
        n_periods = int(used[-1]) + 1 if len(used) else 0
        return cls(int(recorder.total["period_ns"][0]), recorder.series[:, :n_periods].copy())

    def joined(self, other: "Series") -> "Series":
        """Both together, in the longer of the two periods."""
        period_ns = max(self.period_ns, other.period_ns)
        one = self.in_periods(period_ns, other.in_periods(period_ns, 0).values.shape[1])
        two = other.in_periods(period_ns, one.values.shape[1])
        return Series(period_ns, one.values + two.values)

    def in_periods(self, period_ns: int, n_periods: int) -> "Series":
        """The same in longer periods (a multiple of its own), as many as asked for or more."""
        n_joined = period_ns // self.period_ns
        n_apis, n_shorter, _ = self.values.shape
        n_longer = max(-(-n_shorter // n_joined), n_periods)
        padded = np.zeros((n_apis, n_longer * n_joined, N_COLUMNS), np.int64)
        padded[:, :n_shorter] = self.values
        longer = padded.reshape(n_apis, n_longer, n_joined, N_COLUMNS).sum(axis=2)
        return Series(period_ns, longer)


@dataclass(frozen=True, slots=True, eq=False)
class FinalState:
    """Records of the mechanisms at the end of one replication, warm-up included.

    Attributes
    ----------
    pools, endpoints, buckets, caches, clusters, key_sets, sign_ins, inspections, services : arrays
        As in :class:`apisim.engine.run.Replication`.
    billed_ms : int64[n_functions]
        Billed time of each function [ms].
    end_ns : int
        End of the replication [ns].
    """

    pools: NDArray[np.void]
    endpoints: NDArray[np.void]
    buckets: NDArray[np.void]
    caches: NDArray[np.void]
    clusters: NDArray[np.void]
    key_sets: NDArray[np.void]
    sign_ins: NDArray[np.void]
    inspections: NDArray[np.void]
    services: NDArray[np.void]
    billed_ms: NDArray[np.int64]
    end_ns: int


@dataclass(frozen=True, slots=True)
class ReplicationSummary:
    """One replication in a few numbers.

    Attributes
    ----------
    number : int
        From 0.
    requests : int
        Rows, warm-up included.
    digest : int
        Sum of the hashes of its rows.
    end_ns : int
        End of its traffic or of its last request [ns].
    completed : bool
        False if it was interrupted.
    values : dict of Measure to (float, float)
        Value and resolution of each measure.
    """

    number: int
    requests: int
    digest: int
    end_ns: int
    completed: bool
    values: dict[Measure, tuple[float, float]]


@dataclass(slots=True)
class Collector:
    """Adds up the replications of one program.

    Attributes
    ----------
    program : Program
    accounts : Accounts
        Makes the bills.
    measurements, series, latency_series, mechanism_series, customers, grouped
        Sums so far; None before the first replication.
    connections : ConnectionTotals or None
        Likewise; None where nobody has sessions.
    states, usages, windows, summaries, readings, controls : lists
        One entry for each replication, in order. ``windows`` is empty where no month is projected,
        ``readings`` (of each of ``measures``) and ``controls`` (variates of known mean) where there
        is one replication, and no interval.
    planned : int
        Replications there are to be: the scenario's, or as many as turned out to be enough.
    """

    program: Program
    accounts: Accounts
    measurements: Measurements | None = None
    series: Series | None = None
    latency_series: LatencySeries | None = None
    mechanism_series: MechanismSeries | None = None
    customers: CustomerTotals | None = None
    grouped: GroupedUsage | None = None
    connections: ConnectionTotals | None = None
    states: list[FinalState] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    windows: list[list[Window]] = field(default_factory=list)
    summaries: list[ReplicationSummary] = field(default_factory=list)
    readings: list[NDArray[np.float64]] = field(default_factory=list)
    controls: list[dict[str, float]] = field(default_factory=list)
    planned: int = 0
    _measures: dict[Measure, int] = field(default_factory=dict)
    _chosen: dict[tuple[tuple[str, str], ...], NDArray[np.int64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.planned = self.planned or self.program.scenario.replications

    @property
    def ends_ns(self) -> list[int]:
        """End of each replication [ns]."""
        return [summary.end_ns for summary in self.summaries]

    @property
    def asked(self) -> list[Measure]:
        """What thresholds and the table of replications ask for, each once."""
        asked = [Measure.of(threshold) for threshold in self.program.scenario.thresholds]
        return list(dict.fromkeys([*STANDARD_MEASURES, *asked]))

    @property
    def measures(self) -> Sequence[Measure]:
        """What gets an interval where there are several replications, each once."""
        if not self._measures:
            is_repeated = self.program.scenario.replications > 1
            wanted = reported_measures(self.program) if is_repeated else []
            self._measures = {
                one: at for at, one in enumerate(dict.fromkeys([*wanted, *self.asked]))
            }
        return list(self._measures)

    def interval_of(self, wanted: Measure) -> Interval | None:
        """Interval of a measure over the replications so far that came to their end."""
        pooled = float("nan")
        if wanted.quantile is not None and self.measurements is not None:
            gauge = Gauge(self.measurements, self.ends_ns, Costs(), self.connections)
            pooled = gauge.read(wanted)[0]
        return interval_of(wanted, self.readings_of(wanted), pooled)

    def readings_of(self, wanted: Measure) -> list[Reading]:
        """A measure in each replication that came to its end."""
        at = self._measures[wanted]
        return [
            Reading(*(float(part) for part in readings[at]))
            for readings, summary in zip(self.readings, self.summaries, strict=True)
            if summary.completed
        ]

    def add(self, replication: Replication) -> None:
        """Add a replication; its arrays are taken over."""
        recorder = replication.recorder
        usage = run_usage(replication)
        self.usages.append(usage)
        if self.accounts.projects_month:
            self.windows.append(windows_of(replication))
        self.states.append(
            FinalState(
                pools=replication.pools.copy(),
                endpoints=replication.endpoints.copy(),
                buckets=replication.buckets.copy(),
                caches=replication.caches.copy(),
                clusters=replication.clusters.copy(),
                key_sets=replication.key_sets.copy(),
                sign_ins=replication.sign_ins.copy(),
                inspections=replication.inspections.copy(),
                billed_ms=(
                    recorder.executions["billed_ms"] + recorder.executions["provisioned_ms"]
                ).sum(axis=(0, 2)),
                services=replication.services.copy(),
                end_ns=replication.end_ns,
            )
        )
        mine = Measurements.of(self.program, recorder, self._chosen)
        costs = Costs(run=float(self.accounts.run([usage]).total))
        connections = self._connections_of(replication)
        gauge = Gauge(mine, [replication.end_ns], costs, connections)
        self.summaries.append(
            ReplicationSummary(
                number=replication.number,
                requests=replication.n_requests,
                digest=replication.digest,
                end_ns=replication.end_ns,
                completed=replication.completed,
                values={wanted: gauge.read(wanted) for wanted in self.asked},
            )
        )
        if self.program.scenario.replications > 1:
            self.controls.append(controls_of(replication))
            self.readings.append(np.array([gauge.reading(one) for one in self.measures]))
        series = Series.of(recorder)
        latencies = LatencySeries.of(recorder.latencies)
        inside = MechanismSeries.of(recorder.mechanisms)
        totals = CustomerTotals.of(replication)
        grouped = GroupedUsage.of(replication, with_month=self.accounts.projects_month)
        self.grouped = grouped if self.grouped is None else self.grouped + grouped
        self.customers = totals if self.customers is None else self.customers.joined(totals)
        self.series = series if self.series is None else self.series.joined(series)
        times = self.latency_series
        self.latency_series = latencies if times is None else times.joined(latencies)
        before = self.mechanism_series
        self.mechanism_series = inside if before is None else before.joined(inside)
        self.measurements = mine if self.measurements is None else self.measurements.joined(mine)
        if connections is not None:
            known = self.connections
            self.connections = connections if known is None else known.joined(connections)

    def _connections_of(self, replication: Replication) -> ConnectionTotals | None:
        if len(self.program.tables.sessions) == 0:
            return None
        recorder = replication.recorder
        return ConnectionTotals.of(recorder.connections, recorder.pushes, replication.end_ns)
