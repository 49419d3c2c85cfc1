"""Latencies over time: a histogram for each window of arrivals, warm-up included.

There are at most ``N_WINDOWS`` windows, of one second at first; when the run outlasts them they are
joined two by two. A window keeps counts by the bins of :mod:`apisim.arrays.histogram`, and its
smallest and largest value; a request's bin is found once for this and for its cell's histogram.

A window is as long as one or more whole periods of the recorder's series, so whoever turns to
another period turns to its window as well, and nobody divides for each request.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.histogram import N_BINS
from apisim.arrays.jit import inline, kernel
from apisim.engine.periods import FIRST_PERIOD_NS

__all__ = ["N_WINDOWS", "LatencyWindows", "add_latency", "find_window", "new_latency_windows"]

N_WINDOWS: Final = 128
_NOTHING_YET: Final = (1 << 63) - 1

_HEAD_DTYPE: Final = np.dtype([("window_ns", "i8"), ("window", "i8")], align=True)
_EXTREMES_DTYPE: Final = np.dtype([("shortest", "i8"), ("longest", "i8")], align=True)


class LatencyWindows(NamedTuple):
    """Latencies by API and time of arrival."""

    head: NDArray[np.void]  # _HEAD_DTYPE[1]: how long a window is, and which was written to last
    extremes: NDArray[np.void]  # _EXTREMES_DTYPE[n_apis, N_WINDOWS] [ns]
    counts: NDArray[np.int64]  # [n_apis, N_WINDOWS, N_BINS]


def new_latency_windows(n_apis: int) -> LatencyWindows:
    """Empty windows."""
    head = np.zeros(1, _HEAD_DTYPE)
    head["window_ns"] = FIRST_PERIOD_NS
    extremes = np.zeros((n_apis, N_WINDOWS), _EXTREMES_DTYPE)
    extremes["shortest"] = _NOTHING_YET
    return LatencyWindows(head, extremes, np.zeros((n_apis, N_WINDOWS, N_BINS), np.int64))


@kernel
def _widen(windows: LatencyWindows) -> None:
    """Join windows two by two, so that the same arrays cover twice the time."""
    head, extremes, counts = windows
    for api in range(counts.shape[0]):
        for window in range(N_WINDOWS):
            into = extremes[api, window]
            if 2 * window >= N_WINDOWS:
                into["shortest"] = _NOTHING_YET
                into["longest"] = 0
                for at in range(N_BINS):
                    counts[api, window, at] = 0
                continue
            first = extremes[api, 2 * window]
            second = extremes[api, 2 * window + 1]
            into["shortest"] = min(first["shortest"], second["shortest"])
            into["longest"] = max(first["longest"], second["longest"])
            for at in range(N_BINS):
                counts[api, window, at] = (
                    counts[api, 2 * window, at] + counts[api, 2 * window + 1, at]
                )
    head[0]["window_ns"] *= 2


@kernel
def find_window(windows: LatencyWindows, arrival_ns: int) -> None:
    """Turn to the window in which a request arrived [ns]."""
    head = windows.head[0]
    while arrival_ns // head["window_ns"] >= N_WINDOWS:
        _widen(windows)
    head["window"] = arrival_ns // head["window_ns"]


@inline
def add_latency(windows: LatencyWindows, api: int, latency_bin: int, latency_ns: int) -> None:
    """Count a latency in the window that was turned to.

    Parameters
    ----------
    windows : LatencyWindows
        Updated in place.
    api : int
    latency_bin : int
        ``bin_index`` of the latency.
    latency_ns : int
        The latency itself [ns].
    """
    window = windows.head[0]["window"]
    windows.counts[api, window, latency_bin] += 1
    seen = windows.extremes[api, window]
    # Branches that are hardly ever taken, not stores that wait for each other.
    if latency_ns < seen["shortest"]:
        seen["shortest"] = latency_ns
    if latency_ns > seen["longest"]:
        seen["longest"] = latency_ns
