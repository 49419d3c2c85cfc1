"""CloudWatch's metrics of every minute, added up from the stream of request rows.

A request counts in the minute in which its answer leaves the gateway (AWS publishes no rule; a
metric of a request cannot be known earlier). Rows know the time at the client and at the gateway,
not each way between them: what is left of the latency is taken as half there and half back.

Minutes begin at the scenario's ``start``. A minute is finished when no more rows can end in it, and
is then handed on, so that memory is bounded by what is in flight. Nothing in a minute says in how
many batches its rows came, so both engines give the same numbers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.results.metric_points import NO_POINT, Point
from apisim.results.metric_series import MetricTables
from apisim.traffic.arrivals import NEVER

__all__ = ["MINUTE_NS", "Minute", "MinuteMetrics"]

MINUTE_NS: Final = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute that is finished.

    Attributes
    ----------
    number : int
        From 0 at the start of the run.
    points : dict of (int, str) to Point
        By leaf of :attr:`MetricTables.leaves` and name of the metric.
    """

    number: int
    points: dict[tuple[int, str], Point]

    def point(self, leaves: tuple[int, ...], metric: str) -> Point:
        """Several leaves together; a count of 0 where there is no data."""
        total = NO_POINT
        for leaf in leaves:
            one = self.points.get((leaf, metric))
            if one is not None:
                total = total.joined(one)
        return total


class MinuteMetrics:
    """Adds up one replication; called by the engine as (part of) its ``flush``.

    Parameters
    ----------
    tables : MetricTables
        What is counted where.
    take : callable
        Takes every minute that is finished, in order, those without data too.
    minute_ns : int
        Length of a minute [ns]; others than 60 s are for tests of short runs.
    """

    def __init__(
        self,
        tables: MetricTables,
        take: Callable[[Minute], None],
        *,
        minute_ns: int = MINUTE_NS,
    ) -> None:
        self._minute_ns = minute_ns
        self._tables = tables
        self._take = take
        self._open: dict[int, dict[tuple[int, str], Point]] = {}
        self._next = 0

    def __call__(self, rows: NDArray[np.void], watermark_ns: int) -> None:
        """Take rows (``REQUEST_DTYPE``); all that arrived before ``watermark_ns`` have come."""
        for minute, leaf, part in self._groups(rows):
            points = self._open.setdefault(minute, {})
            for name, point in self._tables.points(leaf, part):
                before = points.get((leaf, name))
                points[leaf, name] = point if before is None else before.joined(point)
        # The last batch of a run says "never", also when the run was interrupted: `finish` knows.
        if watermark_ns != NEVER:
            self._hand_on(watermark_ns // self._minute_ns)

    def finish(self, *, completed: bool, until_ns: int) -> None:
        """The replication is over.

        Parameters
        ----------
        completed : bool
            If not, minutes that were not finished are left out: rows of them never came.
        until_ns : int
            Time to which there are minutes, if need be without data [ns].
        """
        if completed:
            last = max(self._open, default=-1) + 1
            self._hand_on(max(last, until_ns // self._minute_ns))
        self._open.clear()

    def _groups(self, rows: NDArray[np.void]) -> Iterator[tuple[int, int, NDArray[np.void]]]:
        """Rows of one minute and leaf at a time; those that no metric counts are left out."""
        leaf = self._tables.leaf_of(rows)
        is_counted = leaf >= 0
        if not is_counted.all():
            rows, leaf = rows[is_counted], leaf[is_counted]
        if not len(rows):
            return
        n_leaves = len(self._tables.leaves)
        key = ends_ns(rows) // self._minute_ns * n_leaves + leaf
        order = np.argsort(key, kind="stable")
        key, rows = key[order], rows[order]
        firsts = np.flatnonzero(np.diff(key, prepend=key[0] - 1))
        bounds = [*firsts.tolist(), len(key)]
        for first, after in pairwise(bounds):
            minute, of = divmod(int(key[first]), n_leaves)
            yield minute, of, rows[first:after]

    def _hand_on(self, until: int) -> None:
        while self._next < until:
            self._take(Minute(self._next, self._open.pop(self._next, {})))
            self._next += 1


def ends_ns(rows: NDArray[np.void]) -> NDArray[np.int64]:
    """When the answers of some rows left the gateway [ns]."""
    way_ns = np.maximum(rows["latency_ns"] - rows["gateway_ns"], 0)
    found: NDArray[np.int64] = rows["arrival_ns"] + way_ns // 2 + rows["gateway_ns"]
    return found
