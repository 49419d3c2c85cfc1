"""What a run has come to while it runs: rates, refusals, waiting, cost.

The figures are read from the recorder's own counters at the moments at which the engine looks at
the clock, so that the engine does nothing for them. Reading and showing takes a hundredth of the
time at most: after a look that took 10 ms the next comes a second later.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.histogram import hist_merge, hist_quantile
from apisim.engine.program import Program
from apisim.engine.run import Replication
from apisim.gateway.status import ANSWERS
from apisim.results.accounts import Accounts
from apisim.results.tally import Measurements
from apisim.results.usage import run_usage

__all__ = ["Figures", "Live", "Onlooker"]

#: Share of the time that may go into looking.
_SHARE: Final = 0.01
_LOOK_EVERY_S: Final = 0.2
_NOTHING: Final = float("nan")
_SECOND_NS: Final = 1_000_000_000
_MS_NS: Final = 1e6
_P99: Final = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Some requests of one replication, warm-up included.

    Attributes
    ----------
    requests : int
        Recorded in that time.
    requests_per_s : float
        For each second of simulated time; NaN where none has passed.
    refused_by : dict of str to int
        Those that were not served, by who refused them.
    throttled, errors_4xx, errors_5xx : float
        Shares of the requests, in [0, 1]: answered with 429, another 4xx, and 5xx. NaN without
        requests.
    p99_ms : float
        Latency at the client, refusals included, without the warm-up [ms]; NaN without requests.
    cost : decimal.Decimal
        By the price book, in its currency.
    cost_per_h : float
        The same for each hour of simulated time.
    """

    requests: int
    requests_per_s: float
    refused_by: Mapping[str, int]
    throttled: float
    errors_4xx: float
    errors_5xx: float
    p99_ms: float
    cost: Decimal
    cost_per_h: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What the replication under way has come to.

    Attributes
    ----------
    number : int
        Of the replication, from 0.
    simulated_s : float
        Its simulated time [s].
    so_far, lately : Figures
        Since its start, and since the look before this one.
    """

    number: int
    simulated_s: float
    so_far: Figures
    lately: Figures


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """Sums at one moment, which grow from look to look."""

    at_ns: int
    counts: NDArray[np.int64]  # [n_cells, n_answers]
    bins: NDArray[np.void]
    cost: Decimal

    def since(self, before: "_Counted", statuses: NDArray[np.int64]) -> Figures:
        """What came after an earlier moment."""
        counts = self.counts - before.counts
        bins = self.bins.copy()
        bins["count"] -= before.bins["count"]
        cost = self.cost - before.cost
        requests = int(counts.sum())
        span_s = (self.at_ns - before.at_ns) / _SECOND_NS
        refused_by: dict[str, int] = {}
        by_answer = counts.sum(axis=0)
        for answer, facts in ANSWERS.items():
            if facts.refused_by and by_answer[answer]:
                so_many = refused_by.get(facts.refused_by, 0)
                refused_by[facts.refused_by] = so_many + int(by_answer[answer])

        def share(chosen: NDArray[np.bool_]) -> float:
            return int(counts[chosen].sum()) / requests if requests else _NOTHING

        is_throttled = statuses == 429
        return Figures(
            requests=requests,
            requests_per_s=requests / span_s if span_s > 0 else _NOTHING,
            refused_by=dict(sorted(refused_by.items(), key=lambda one: -one[1])),
            throttled=share(is_throttled),
            errors_4xx=share((statuses // 100 == 4) & ~is_throttled),
            errors_5xx=share(statuses // 100 == 5),
            p99_ms=hist_quantile(bins, _P99) / _MS_NS,
            cost=cost,
            cost_per_h=float(cost) * 3600 / span_s if span_s > 0 else _NOTHING,
        )


class Onlooker:
    """Looks at one replication at a time: the first of those under way.

    Parameters
    ----------
    program : Program
    accounts : Accounts
        Makes the bills.
    tell : callable
        Told a :class:`Live` now and then, perhaps from another thread.
    share : float, optional
        Share of the time that looking and telling may take, in (0, 1]; 1 % by default.

    Attributes
    ----------
    spent_s : float
        What they have taken so far [s].
    """

    def __init__(
        self,
        program: Program,
        accounts: Accounts,
        tell: Callable[[Live], None],
        *,
        share: float | None = None,
    ) -> None:
        self._program, self._accounts, self._tell = program, accounts, tell
        self._share = _SHARE if share is None else share
        self._under_way: dict[int, Replication] = {}
        self._before: dict[int, _Counted] = {}
        self._next_s = 0.0
        self._lock = threading.Lock()
        self._statuses: NDArray[np.int64] | None = None
        self.spent_s = 0.0

    def begin(self, replication: Replication) -> None:
        """A replication begins; its arrays fill from now on."""
        with self._lock:
            self._under_way[replication.number] = replication

    def look(self, number: int, simulated_ns: int) -> None:
        """One replication's arrays are whole at this moment; its engine's thread calls this."""
        started = time.perf_counter()
        with self._lock:
            if started < self._next_s or number != min(self._under_way, default=None):
                return
            self._show(self._under_way[number], simulated_ns)
            now = time.perf_counter()
            self.spent_s += now - started
            self._next_s = now + max((now - started) / self._share, _LOOK_EVERY_S)

    def finish(self, replication: Replication) -> None:
        """A replication is over."""
        self.look(replication.number, replication.end_ns)
        with self._lock:
            del self._under_way[replication.number]
            self._before.pop(replication.number, None)

    def _show(self, replication: Replication, simulated_ns: int) -> None:
        number, recorder = replication.number, replication.recorder
        if self._statuses is None:
            self._statuses = Measurements.of(self._program, recorder).statuses()
        usage = run_usage(replace(replication, end_ns=simulated_ns))
        used = recorder.cells["requests"] > 0
        now = _Counted(
            at_ns=simulated_ns,
            counts=recorder.usage["requests"].sum(axis=1),
            bins=hist_merge(recorder.histograms[used, 0]),
            cost=self._accounts.run([usage]).total,
        )
        nothing = _Counted(0, np.zeros_like(now.counts), np.zeros_like(now.bins), Decimal(0))
        before = self._before.get(number, nothing)
        self._before[number] = now
        self._tell(
            Live(
                number=number,
                simulated_s=simulated_ns / _SECOND_NS,
                so_far=now.since(nothing, self._statuses),
                lately=now.since(before, self._statuses),
            )
        )
