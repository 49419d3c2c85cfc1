"""What recorders counted, added up over cells and replications.

A :class:`Measurements` holds everything at the recorder's grain: one cell for each source, phase,
API and route. A :class:`Tally` is a part of it, narrowed down by tags. Sums stay integers and
histograms are merged bin by bin, so that the order of replications and of cells does not matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.histogram import hist_merge, hist_quantile
from apisim.engine.program import Cell, Program
from apisim.engine.recorder import HISTOGRAMS, Recorder
from apisim.gateway.status import ANSWERS, Answer
from apisim.results.calls import CallMeasurements, CallTally, add_bins, went_well

__all__ = ["LatencyTally", "Measurements", "Tally"]

_Tags = tuple[tuple[str, str], ...]

_LOW_WORD: Final = 1 << 60
#: Prefix of each latency's two words in a cell.
_WORDS: Final = {
    "latency": "latency",
    "integration_latency": "integration",
    "gateway_latency": "gateway",
}


@dataclass(frozen=True, slots=True, eq=False)
class LatencyTally:
    """Times of some requests.

    Attributes
    ----------
    count : int
        Requests that have such a time.
    total_ns : int
        Their sum [ns], exact.
    bins : BIN_DTYPE[N_BINS]
        Their histogram.
    """

    count: int
    total_ns: int
    bins: NDArray[np.void]

    @property
    def mean_ns(self) -> float:
        """Mean [ns]; NaN without requests."""
        return self.total_ns / self.count if self.count else float("nan")

    @property
    def min_ns(self) -> float:
        """Smallest value [ns], exact; NaN without requests."""
        return float(self.bins["low"][self.bins["count"] > 0][0]) if self.count else float("nan")

    @property
    def max_ns(self) -> float:
        """Largest value [ns], exact; NaN without requests."""
        return float(self.bins["high"][self.bins["count"] > 0][-1]) if self.count else float("nan")

    def quantile_ns(self, percent: float) -> float:
        """Quantile [ns], interpolated by rank inside its bin; NaN without requests."""
        return hist_quantile(self.bins, percent / 100)

    def resolution_ns(self, percent: float) -> float:
        """How far apart the values are in the bin of a quantile [ns]: 0 for a value of its own."""
        if not self.count:
            return 0.0
        rank = int(percent / 100 * (self.count - 1))
        at = int(np.searchsorted(np.cumsum(self.bins["count"]), rank, side="right"))
        return float(self.bins["high"][at] - self.bins["low"][at])


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What some requests came to, after the warm-up, summed over replications.

    Attributes
    ----------
    sums : dict of str to int
        Sums of the fields of ``CELL_DTYPE`` that are counts or bytes.
    by_answer : int64[n_answers]
        Requests by :class:`apisim.gateway.status.Answer`.
    by_status : dict of int to int
        Requests by HTTP status, the gateway's; only those that occurred.
    calls : CallTally
        The logical calls behind them; those of all statuses.
    """

    sums: Mapping[str, int]
    by_answer: NDArray[np.int64]
    by_status: Mapping[int, int]
    calls: CallTally
    _cells: NDArray[np.void]
    _histograms: NDArray[np.void]  # of all cells
    _chosen: NDArray[np.int64]

    @property
    def requests(self) -> int:
        """Requests after the warm-up."""
        return self.sums["requests"]

    def status_class(self, hundreds: int) -> int:
        """Requests with a status of this class: 2 for 200 to 299."""
        return sum(n for status, n in self.by_status.items() if status // 100 == hundreds)

    @property
    def failed(self) -> int:
        """Requests whose status is no good news, or whose caller never gets to see the answer."""
        statuses = np.array(list(self.by_status), np.int64)
        counts = np.array(list(self.by_status.values()), np.int64)
        unseen = self.with_outcome("cors_blocked") + self.calls.gone_in_vain
        return self.requests - int(counts[went_well(statuses)].sum()) + unseen

    def latency(self, name: str = "latency") -> LatencyTally:
        """Times of these requests.

        Parameters
        ----------
        name : str
            ``latency`` (at the client, refusals included), ``integration_latency`` or
            ``gateway_latency`` (CloudWatch's ``Latency``); ``call_latency`` is that of logical
            calls that succeeded, of sources with ``client:``.
        """
        if name == "call_latency":
            bins = hist_merge(self.calls.bins)
            return LatencyTally(int(bins["count"].sum()), self.calls.latency_total_ns, bins)
        words = _WORDS[name]
        # Python's integers: the low words of nine cells may not fit in 64 bits.
        high = sum(self._cells[f"{words}_high"].tolist())
        low = sum(self._cells[f"{words}_low"].tolist())
        used = self._chosen[self._cells["requests"] > 0]
        bins = hist_merge(self._histograms[used, HISTOGRAMS.index(name)])
        return LatencyTally(int(bins["count"].sum()), high * _LOW_WORD + low, bins)

    def with_outcome(self, outcome: str) -> int:
        """Requests with an outcome of the request file."""
        return sum(
            int(self.by_answer[answer])
            for answer, facts in ANSWERS.items()
            if facts.outcome == outcome
        )


@dataclass(frozen=True, slots=True, eq=False)
class Measurements:
    """Recorders of one or more replications of one program, added up.

    Attributes
    ----------
    program : Program
        Supplies names and statuses.
    n_replications : int
    cells : CELL_DTYPE[n_cells]
    counts : int64[n_cells, n_answers]
    histograms : BIN_DTYPE[n_cells, n_latencies, N_BINS]
    calls : CallMeasurements
    """

    program: Program
    n_replications: int
    cells: NDArray[np.void]
    counts: NDArray[np.int64]
    histograms: NDArray[np.void]
    calls: CallMeasurements
    _chosen: dict[_Tags, NDArray[np.int64]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        program: Program,
        recorder: Recorder,
        chosen: dict[_Tags, NDArray[np.int64]] | None = None,
    ) -> "Measurements":
        """Measurements of one replication; the recorder's arrays are taken over, not copied.

        ``chosen`` remembers which cells have which tags, for several replications of a program.
        """
        calls = CallMeasurements.of(recorder)
        known = {} if chosen is None else chosen
        return cls(program, 1, recorder.cells, recorder.counts, recorder.histograms, calls, known)

    def joined(self, other: "Measurements") -> "Measurements":
        """Both together; the histograms of ``self`` are updated in place."""
        cells = self.cells.copy()
        for name in cells.dtype.names or ():
            if name == "latency_max":
                cells[name] = np.maximum(cells[name], other.cells[name])
            else:
                cells[name] += other.cells[name]
        for words in _WORDS.values():
            cells[f"{words}_high"] += cells[f"{words}_low"] // _LOW_WORD
            cells[f"{words}_low"] %= _LOW_WORD
        for cell in np.flatnonzero(other.cells["requests"]):
            for mine, theirs in zip(self.histograms[cell], other.histograms[cell], strict=True):
                add_bins(mine, theirs)
        return Measurements(
            self.program,
            self.n_replications + other.n_replications,
            cells,
            self.counts + other.counts,
            self.histograms,
            self.calls.joined(other.calls),
            self._chosen,
        )

    def select(self, **tags: str) -> Tally:
        """Part of the requests.

        Parameters
        ----------
        **tags : str
            Any of ``api``, ``stage``, ``route``, ``traffic`` (name of the source), ``phase``,
            ``variant`` (``stable`` or ``canary``) and ``status``. Latencies are not kept by status.
        """
        status = tags.pop("status", None)
        chosen = self._cells_with(tags)
        counts = self.counts[chosen]
        statuses = self.statuses()[chosen]
        calls = self.calls.select(self.program, chosen, counts, statuses)
        if status is not None:
            counts = np.where(statuses == int(status), counts, 0)
        cells = self.cells[chosen]
        sums = {
            name: int(cells[name].sum())
            for name in cells.dtype.names or ()
            if not name.endswith(("_low", "_high", "_max"))
        }
        sums["requests"] = int(counts.sum())
        return Tally(
            sums=sums,
            by_answer=counts.sum(axis=0),
            by_status={
                int(code): int(counts[statuses == code].sum())
                for code in np.unique(statuses[counts > 0])
            },
            calls=calls,
            _cells=cells,
            _histograms=self.histograms,
            _chosen=chosen,
        )

    def _cells_with(self, tags: Mapping[str, str]) -> NDArray[np.int64]:
        key = tuple(sorted(tags.items()))
        if key not in self._chosen:
            cells = enumerate(self.program.names.cells)
            self._chosen[key] = np.array(
                [at for at, one in cells if self._has(one, tags)], np.int64
            )
        return self._chosen[key]

    def cells_of(self, tags: Mapping[str, str]) -> list[Cell]:
        """Cells with these tags, whether or not there were requests in them."""
        return [cell for cell in self.program.names.cells if self._has(cell, tags)]

    def _has(self, cell: Cell, tags: Mapping[str, str]) -> bool:
        stage = self.program.scenario.apis[cell.api].stage.name
        has = {
            "api": cell.api,
            "stage": stage,
            "route": cell.route,
            "traffic": cell.source,
            "phase": cell.phase,
            "variant": cell.variant,
        }
        # An API with several stages is one for each; its own name stands for all of them.
        is_whole = tags.get("api") == cell.api.partition("/")[0]
        return all(has[tag] == value or (tag == "api" and is_whole) for tag, value in tags.items())

    def statuses(self) -> NDArray[np.int64]:
        """HTTP status of each answer in each cell, ``[n_cells, n_answers]``."""
        names, tables = self.program.names, self.program.tables
        apis = [names.apis.index(cell.api) for cell in names.cells]
        statuses = tables.status[tables.apis["type"][apis]]
        return np.asarray(statuses, np.int64).reshape(len(names.cells), len(Answer))
