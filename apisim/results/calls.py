"""Logical calls: what callers asked for, and how many attempts it took.

Where a source says what its clients are like (``client:``), the engine counts calls itself. Where
it does not, each request is a call of its own that succeeds or fails; a preflight that went well is
no call, one that failed stands for the request that was never sent.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.program import Program
from apisim.engine.recorder import Recorder
from apisim.engine.tables import NONE
from apisim.gateway.status import ANSWERS, Answer

__all__ = ["GONE", "CallMeasurements", "CallTally", "add_bins", "went_well"]

#: Outcome of a request whose client did not wait to the end, whatever the gateway answered.
GONE: Final = "client_gone"

_LOW_WORD: Final = 1 << 60
_SWITCHING_PROTOCOLS: Final = 101
_BLOCKED: Final = [a for a, facts in ANSWERS.items() if facts.outcome == "cors_blocked"]


def went_well(statuses: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether these statuses are good news: those of class 2, and of an upgrade to WebSocket."""
    found: NDArray[np.bool_] = (statuses // 100 == 2) | (statuses == _SWITCHING_PROTOCOLS)
    return found


@dataclass(frozen=True, slots=True)
class CallTally:
    """What some logical calls came to, after the warm-up, summed over replications.

    Attributes
    ----------
    total, succeeded : int
        Calls that ended, and those whose last answer was good.
    attempts : int
        Requests they were made of, without preflights.
    gone : int
        Requests that their client did not wait for to the end, preflights among them.
    gone_in_vain : int
        Those of them that went well.
    out_of_tokens : int
        Calls that failed because their process had too few tokens left for a retry.
    late : int64[n_answers]
        Answers whose client had gone.
    latency_total_ns : int
        Time of the calls that succeeded, from the first attempt to the last answer [ns]; only of
        sources with ``client:``.
    bins : BIN_DTYPE[n, N_BINS]
        Histograms of that time.
    """

    total: int
    succeeded: int
    attempts: int
    gone: int
    gone_in_vain: int
    out_of_tokens: int
    late: NDArray[np.int64] = field(repr=False)
    latency_total_ns: int
    bins: NDArray[np.void] = field(repr=False)

    @property
    def availability(self) -> float:
        """Share of the calls that succeeded; NaN without calls."""
        return self.succeeded / self.total if self.total else math.nan

    @property
    def attempts_each(self) -> float:
        """Attempts of a call; NaN without calls."""
        return self.attempts / self.total if self.total else math.nan


@dataclass(frozen=True, slots=True, eq=False)
class CallMeasurements:
    """Recorders' counts of logical calls, added up; of one row where no clients are known.

    Attributes
    ----------
    sums : CALL_DTYPE[n_cells]
    histograms : BIN_DTYPE[n_cells, N_BINS]
    late : int64[n_cells, n_answers]
    """

    sums: NDArray[np.void]
    histograms: NDArray[np.void]
    late: NDArray[np.int64]

    @classmethod
    def of(cls, recorder: Recorder) -> "CallMeasurements":
        """Those of one replication; the recorder's arrays are taken over, not copied."""
        return cls(*recorder.calls)

    def joined(self, other: "CallMeasurements") -> "CallMeasurements":
        """Both together; the histograms of ``self`` are updated in place."""
        sums = self.sums.copy()
        for name in sums.dtype.names or ():
            sums[name] += other.sums[name]
        sums["latency_high"] += sums["latency_low"] // _LOW_WORD
        sums["latency_low"] %= _LOW_WORD
        for cell in np.flatnonzero(other.sums["succeeded"]):
            add_bins(self.histograms[cell], other.histograms[cell])
        return CallMeasurements(sums, self.histograms, self.late + other.late)

    def late_of(self, cell: int, answer: int) -> int:
        """Answers of one kind in one cell whose client had gone."""
        return int(self.late[cell, answer]) if cell < len(self.late) else 0

    def select(
        self,
        program: Program,
        chosen: NDArray[np.int64],
        counts: NDArray[np.int64],
        statuses: NDArray[np.int64],
    ) -> CallTally:
        """Calls of some cells.

        Parameters
        ----------
        program : Program
        chosen : int64[n]
            The cells.
        counts, statuses : int64[n, n_answers]
            Their requests by answer, and the status of each.
        """
        names = program.names
        sources = np.array([names.sources.index(cell.source) for cell in names.cells], np.int64)
        has_client = program.tables.sources["client"][sources[chosen]] != NONE
        known, others = chosen[has_client], ~has_client
        is_good = went_well(statuses)
        is_good[:, _BLOCKED] = False
        asked = counts.copy()
        asked[:, Answer.PREFLIGHT] = 0
        n_others = int(asked[others].sum())
        late = self.late[known] if len(known) else np.zeros_like(counts[:0])
        sums = self.sums[known] if len(known) else self.sums[:0]
        total = {name: sum(sums[name].tolist()) for name in sums.dtype.names or ()}
        return CallTally(
            total=total["calls"] + n_others,
            succeeded=total["succeeded"] + int((asked * is_good)[others].sum()),
            attempts=total["attempts"] + n_others,
            gone=int(late.sum()),
            gone_in_vain=int((late * is_good[has_client]).sum()),
            out_of_tokens=total["out_of_tokens"],
            late=late.sum(axis=0),
            latency_total_ns=total["latency_high"] * _LOW_WORD + total["latency_low"],
            bins=self.histograms[known] if len(known) else self.histograms[:0],
        )


def add_bins(mine: NDArray[Any], theirs: NDArray[Any]) -> None:
    """Add a histogram to another in place; only the bins in use are touched."""
    at = np.flatnonzero(theirs["count"])
    both = np.stack([mine[at], theirs[at]])
    used = both["count"] > 0
    mine["low"][at] = np.where(used, both["low"], np.iinfo(np.int64).max).min(axis=0)
    mine["high"][at] = both["high"].max(axis=0)
    mine["count"][at] += theirs["count"][at]
