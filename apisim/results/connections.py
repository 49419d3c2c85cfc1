"""Connections of WebSocket APIs and what was pushed to them, added up over replications.

The engine's records are arrays with times in two words; here they are whole numbers that cannot
overflow, and the series is in the longest of the periods that the replications ended up with.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.connection_records import ConnectionRecords, settle
from apisim.engine.push_records import PushRecords
from apisim.results.calls import add_bins
from apisim.results.tally import LatencyTally

__all__ = ["ConnectionSeries", "ConnectionTotals", "Connections", "Pushes"]

_SECOND: Final = 1_000_000_000
_MINUTE: Final = 60 * _SECOND


@dataclass(frozen=True, slots=True, eq=False)
class Connections:
    """Connections of one API, summed over replications.

    Attributes
    ----------
    open_ns : int
        Time of all connections while it is measured: after the warm-up, up to the end of the
        traffic [ns].
    lifetime_ns : int
        Time of all connections in the whole run [ns].
    peak, peak_ns : int
        Most connections at one time after the warm-up in any replication, and when there first
        were so many.
    opened, warm_up_opened : int
        Connections that the gateway opened after the warm-up and in it.
    most_in_second, busiest_second : int
        Most openings in a second after the warm-up in any replication, and which second.
    closes : tuple of int
        By reason, as in ``CLOSES``, after the warm-up.
    durations : LatencyTally
        How long those had lasted.
    undelivered_replies, lost_disconnects : int
        Route responses whose connection was gone; closes of which ``$disconnect`` was not told.
    billed_ns : int
        Time on the bill, warm-up included [ns].
    """

    open_ns: int
    lifetime_ns: int
    peak: int
    peak_ns: int
    opened: int
    warm_up_opened: int
    most_in_second: int
    busiest_second: int
    closes: tuple[int, ...]
    durations: LatencyTally
    undelivered_replies: int
    lost_disconnects: int
    billed_ns: int

    @classmethod
    def of(cls, records: ConnectionRecords, api: int) -> "Connections":
        """Those of one replication."""
        row = records.apis[api]
        times = [_ns(time, "open") for time in records.times[api]]
        minutes = records.minutes[:, api]
        return cls(
            open_ns=times[0],
            lifetime_ns=sum(times),
            peak=int(row["peak"]),
            peak_ns=int(row["peak_ns"]),
            opened=int(row["opened"]),
            warm_up_opened=int(row["warm_up_opened"]),
            most_in_second=int(row["most_in_second"]),
            busiest_second=int(row["busiest_second"]),
            closes=tuple(records.closes[api].tolist()),
            durations=_times(records.durations[api], _ns(row, "duration")),
            undelivered_replies=int(row["undelivered_replies"]),
            lost_disconnects=int(row["lost_disconnects"]),
            billed_ns=int(minutes["minutes"].sum()) * _MINUTE + int(minutes["rest_ns"].sum()),
        )

    def joined(self, other: "Connections") -> "Connections":
        """Both together; the histogram of ``self`` is updated in place."""
        highest = self if self.peak >= other.peak else other
        busiest = self if self.most_in_second >= other.most_in_second else other
        return Connections(
            open_ns=self.open_ns + other.open_ns,
            lifetime_ns=self.lifetime_ns + other.lifetime_ns,
            peak=highest.peak,
            peak_ns=highest.peak_ns,
            opened=self.opened + other.opened,
            warm_up_opened=self.warm_up_opened + other.warm_up_opened,
            most_in_second=busiest.most_in_second,
            busiest_second=busiest.busiest_second,
            closes=tuple(sum(pair) for pair in zip(self.closes, other.closes, strict=True)),
            durations=_joined(self.durations, other.durations),
            undelivered_replies=self.undelivered_replies + other.undelivered_replies,
            lost_disconnects=self.lost_disconnects + other.lost_disconnects,
            billed_ns=self.billed_ns + other.billed_ns,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Pushes:
    """Pushes of one source after the warm-up, summed over replications.

    Attributes
    ----------
    arose, audience : int
        Events to be told, and connections on their lists when they arose.
    coalesced : int
        Those that a newer one replaced before they were sent.
    deliveries : LatencyTally
        Times from the event to a client.
    """

    arose: int
    audience: int
    coalesced: int
    deliveries: LatencyTally

    @classmethod
    def of(cls, records: PushRecords, push: int) -> "Pushes":
        """Those of one replication."""
        row = records.sums[push]
        return cls(
            arose=int(row["arose"]),
            audience=int(row["audience"]),
            coalesced=int(row["coalesced"]),
            deliveries=_times(records.deliveries[push], _ns(row, "delivery")),
        )

    def joined(self, other: "Pushes") -> "Pushes":
        """Both together; the histogram of ``self`` is updated in place."""
        return Pushes(
            arose=self.arose + other.arose,
            audience=self.audience + other.audience,
            coalesced=self.coalesced + other.coalesced,
            deliveries=_joined(self.deliveries, other.deliveries),
        )


@dataclass(frozen=True, slots=True, eq=False)
class ConnectionSeries:
    """Connections over time, warm-up included, summed over replications.

    Attributes
    ----------
    period_ns : int
        Length of a period [ns].
    open_s : float64[n_apis, n_periods]
        Time of all connections in each period [connection-seconds].
    opened, closed : int64[n_apis, n_periods]
    peak : int64[n_apis, n_periods]
        Most connections at one time in any replication.
    """

    period_ns: int
    open_s: NDArray[np.float64]
    opened: NDArray[np.int64]
    closed: NDArray[np.int64]
    peak: NDArray[np.int64]

    @classmethod
    def of(cls, records: ConnectionRecords) -> "ConnectionSeries":
        """Those of one replication, up to the last period in which anything was open."""
        series = records.series
        used = np.flatnonzero((series["peak"] > 0).any(axis=0) | (series["closed"] > 0).any(axis=0))
        series = series[:, : int(used[-1]) + 1 if len(used) else 0]
        return cls(
            period_ns=int(records.head["period_ns"][0]),
            open_s=series["open_s"] + series["open_rest_ns"] / _SECOND,
            opened=series["opened"].copy(),
            closed=series["closed"].copy(),
            peak=series["peak"].copy(),
        )

    def in_periods(self, period_ns: int, n_periods: int) -> "ConnectionSeries":
        """The same in longer periods (a multiple of its own), as many as asked for or more."""
        n_joined = period_ns // self.period_ns
        n_longer = max(-(-self.opened.shape[1] // n_joined), n_periods)

        def split(values: NDArray[np.generic]) -> NDArray[np.generic]:
            padded = np.zeros((len(values), n_longer * n_joined), values.dtype)
            padded[:, : values.shape[1]] = values
            return padded.reshape(len(values), n_longer, n_joined)

        return ConnectionSeries(
            period_ns=period_ns,
            open_s=split(self.open_s).sum(axis=2),
            opened=split(self.opened).sum(axis=2),
            closed=split(self.closed).sum(axis=2),
            peak=split(self.peak).max(axis=2),
        )

    def joined(self, other: "ConnectionSeries") -> "ConnectionSeries":
        """Both together, in the longer of the two periods."""
        period_ns = max(self.period_ns, other.period_ns)
        one = self.in_periods(period_ns, other.in_periods(period_ns, 0).opened.shape[1])
        two = other.in_periods(period_ns, one.opened.shape[1])
        return ConnectionSeries(
            period_ns=period_ns,
            open_s=one.open_s + two.open_s,
            opened=one.opened + two.opened,
            closed=one.closed + two.closed,
            peak=np.maximum(one.peak, two.peak),
        )


@dataclass(frozen=True, slots=True, eq=False)
class ConnectionTotals:
    """Everything about the connections of one or more replications.

    Attributes
    ----------
    measured_ns : int
        Time in which connections were measured, summed over replications [ns].
    apis : tuple of Connections
        By API, as the program numbers them; only the WebSocket ones ever have any.
    pushes : tuple of Pushes
        By source of pushes.
    series : ConnectionSeries
    """

    measured_ns: int
    apis: tuple[Connections, ...]
    pushes: tuple[Pushes, ...]
    series: ConnectionSeries

    @classmethod
    def of(cls, records: ConnectionRecords, pushes: PushRecords, end_ns: int) -> "ConnectionTotals":
        """Those of one replication that came to its end at ``end_ns``."""
        settle(records, end_ns)
        head = records.head[0]
        until_ns = min(int(head["until_ns"]), end_ns)
        return cls(
            measured_ns=max(until_ns - int(head["warm_up_ns"]), 0),
            apis=tuple(Connections.of(records, api) for api in range(len(records.apis))),
            pushes=tuple(Pushes.of(pushes, push) for push in range(len(pushes.sums))),
            series=ConnectionSeries.of(records),
        )

    def joined(self, other: "ConnectionTotals") -> "ConnectionTotals":
        """Both together; the histograms of ``self`` are updated in place."""
        return ConnectionTotals(
            measured_ns=self.measured_ns + other.measured_ns,
            apis=tuple(a.joined(b) for a, b in zip(self.apis, other.apis, strict=True)),
            pushes=tuple(a.joined(b) for a, b in zip(self.pushes, other.pushes, strict=True)),
            series=self.series.joined(other.series),
        )


def _ns(row: np.void, name: str) -> int:
    """A time of the engine's, in whole seconds and their rest."""
    return int(row[f"{name}_s"]) * _SECOND + int(row[f"{name}_rest_ns"])


def _times(bins: NDArray[np.void], total_ns: int) -> LatencyTally:
    return LatencyTally(int(bins["count"].sum()), total_ns, bins)


def _joined(mine: LatencyTally, theirs: LatencyTally) -> LatencyTally:
    add_bins(mine.bins, theirs.bins)
    return LatencyTally(mine.count + theirs.count, mine.total_ns + theirs.total_ns, mine.bins)
