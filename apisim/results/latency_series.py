"""Latencies over time: quantiles of the requests that arrived in each window."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.histogram import BIN_DTYPE, N_BINS, bin_limits, hist_quantile
from apisim.engine.latency_windows import LatencyWindows

if TYPE_CHECKING:
    from apisim.results.result import Result

__all__ = ["LATENCY_SERIES", "LatencySeries", "latency_series_rows"]

_SECOND_NS: Final = 1_000_000_000
_MILLISECOND_NS: Final = 1_000_000
_NONE: Final = np.iinfo(np.int64).max
#: Columns of the table.
LATENCY_SERIES: Final = (
    "api", "time_s", "period_s", "requests",
    "latency_ms_p50", "latency_ms_p90", "latency_ms_p99", "latency_ms_max",
)  # fmt: skip
_QUANTILES: Final = (0.5, 0.9, 0.99)


@dataclass(frozen=True, slots=True, eq=False)
class LatencySeries:
    """Latencies by API and window of arrivals, warm-up included, over replications.

    Only bins in which something is are kept: of some 750,000 for each API they are a few thousand.

    Attributes
    ----------
    window_ns : int
        Length of a window [ns]: 1 s, doubled until 128 windows are enough.
    bins : int64[n]
        Where each count belongs, ascending: window within API, bin within window.
    counts : int64[n]
        Requests, summed.
    shortest, longest : int64[n_apis, n_windows]
        Extremes in any replication [ns]; ``shortest`` is the largest integer without requests.
    """

    window_ns: int
    bins: NDArray[np.int64]
    counts: NDArray[np.int64]
    shortest: NDArray[np.int64]
    longest: NDArray[np.int64]

    @classmethod
    def of(cls, windows: LatencyWindows) -> "LatencySeries":
        """Those of one replication, up to the last window in which anything arrived."""
        used = np.flatnonzero((windows.extremes["shortest"] < _NONE).any(axis=0))
        n_windows = int(used[-1]) + 1 if len(used) else 0
        counts = windows.counts[:, :n_windows].ravel()
        bins = np.flatnonzero(counts)
        return cls(
            window_ns=int(windows.head["window_ns"][0]),
            bins=bins,
            counts=counts[bins],
            shortest=windows.extremes["shortest"][:, :n_windows].copy(),
            longest=windows.extremes["longest"][:, :n_windows].copy(),
        )

    @property
    def n_windows(self) -> int:
        """Windows, of which the last may be empty."""
        return int(self.shortest.shape[1])

    def in_windows(self, window_ns: int, n_windows: int) -> "LatencySeries":
        """The same in longer windows (a multiple of its own), as many as asked for or more."""
        n_joined = window_ns // self.window_ns
        n_longer = max(-(-self.n_windows // n_joined), n_windows)
        api, rest = np.divmod(self.bins, max(self.n_windows, 1) * N_BINS)
        window, at = np.divmod(rest, N_BINS)
        bins, counts = _summed((api * n_longer + window // n_joined) * N_BINS + at, self.counts)
        return LatencySeries(
            window_ns,
            bins,
            counts,
            _grouped(self.shortest, n_longer, n_joined, _NONE).min(axis=2),
            _grouped(self.longest, n_longer, n_joined, 0).max(axis=2),
        )

    def joined(self, other: "LatencySeries") -> "LatencySeries":
        """Both together, in the longer of the two windows."""
        window_ns = max(self.window_ns, other.window_ns)
        one = self.in_windows(window_ns, other.in_windows(window_ns, 0).n_windows)
        two = other.in_windows(window_ns, one.n_windows)
        bins, counts = _summed(
            np.concatenate([one.bins, two.bins]), np.concatenate([one.counts, two.counts])
        )
        return LatencySeries(
            window_ns,
            bins,
            counts,
            np.minimum(one.shortest, two.shortest),
            np.maximum(one.longest, two.longest),
        )

    def histogram(self, api: int, window: int) -> NDArray[np.void]:
        """Bins of one window that have something in them, for :func:`hist_quantile`.

        Values are taken to lie anywhere in their bin, but for the window's smallest and largest.
        """
        start = (api * self.n_windows + window) * N_BINS
        first, last = np.searchsorted(self.bins, (start, start + N_BINS))
        at = self.bins[first:last] - start
        low, high = bin_limits()
        found = np.zeros(len(at), BIN_DTYPE)
        found["count"] = self.counts[first:last]
        found["low"] = np.maximum(low[at], self.shortest[api, window])
        found["high"] = np.minimum(high[at], self.longest[api, window])
        if len(at):
            found["high"][-1] = self.longest[api, window]  # the very last bin has no end
        return found


def _summed(
    bins: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each bin once, in order, with the sum of its counts."""
    once, which = np.unique(bins, return_inverse=True)
    sums = np.zeros(len(once), np.int64)
    np.add.at(sums, which, counts)
    return once, sums


def _grouped(
    values: NDArray[np.int64], n_longer: int, n_joined: int, nothing: int
) -> NDArray[np.int64]:
    padded = np.full((len(values), n_longer * n_joined), nothing, np.int64)
    padded[:, : values.shape[1]] = values
    return padded.reshape(len(values), n_longer, n_joined)


def latency_series_rows(result: "Result") -> list[dict[str, Any]]:
    """One row for each API and window, in that order; no quantiles where nothing arrived."""
    series = result.latency_series
    window_s = series.window_ns / _SECOND_NS
    rows = []
    for at, api in enumerate(result.scenario.apis):
        for window in range(series.n_windows):
            bins = series.histogram(at, window)
            requests = int(bins["count"].sum())
            times = [hist_quantile(bins, q) / _MILLISECOND_NS for q in _QUANTILES]
            longest = series.longest[at, window] / _MILLISECOND_NS if requests else float("nan")
            row = (api, window * window_s, window_s, requests, *times, float(longest))
            rows.append(dict(zip(LATENCY_SERIES, row, strict=True)))
    return rows
