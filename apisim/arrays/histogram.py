"""Log-linear histograms of non-negative integers, mergeable exactly.

Each power of two is cut into 128 equal bins, so a bin is at most 1/128 = 0.8 % wide; below 256 each
value has a bin of its own. A bin keeps its count and the smallest and largest value it saw, so a
value that occurs often (a time-out, a constant) is kept exactly and quantiles interpolate by rank
between values that occurred.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import inline

__all__ = [
    "BIN_DTYPE",
    "N_BINS",
    "bin_index",
    "bin_limits",
    "hist_add",
    "hist_add_at",
    "hist_merge",
    "hist_quantile",
]

_SUB_BITS: Final = 7
_SUB: Final = 1 << _SUB_BITS
#: Values from 2**52 (52 days in nanoseconds) share the last bin.
_TOP_BITS: Final = 52
N_BINS: Final = (_TOP_BITS - _SUB_BITS + 1) * _SUB

BIN_DTYPE: Final = np.dtype([("count", "i8"), ("low", "i8"), ("high", "i8")], align=True)

_MANTISSA: Final = np.int64(52)
_BIAS: Final = np.int64(1023)


@inline
def bin_index(value: int) -> int:
    """Bin of a value >= 0."""
    if value < _SUB:
        return value
    if value >= 1 << _TOP_BITS:
        return N_BINS - 1
    # The exponent of the double nearest to an integer below 2**53 is its bit length less one.
    exponent = (np.float64(value).view(np.int64) >> _MANTISSA) - _BIAS
    at: int = ((exponent - _SUB_BITS) << _SUB_BITS) + (value >> (exponent - _SUB_BITS))  # type: ignore[assignment]
    return at


@inline
def hist_add(bins: NDArray[np.void], value: int) -> None:
    """Count one value >= 0 in a histogram ``bins[N_BINS]``."""
    hist_add_at(bins, bin_index(value), value)


@inline
def hist_add_at(bins: NDArray[np.void], at: int, value: int) -> None:
    """The same for a value whose ``bin_index`` is known."""
    row = bins[at]
    if row["count"] == 0:
        row["low"] = value
        row["high"] = value
    elif value < row["low"]:
        row["low"] = value
    elif value > row["high"]:
        row["high"] = value
    row["count"] += 1


def bin_limits() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Smallest and largest value that each bin takes; the last one's largest is as if it ended.

    Examples
    --------
    >>> low, high = bin_limits()
    >>> at = int(bin_index(1_000_000))
    >>> int(low[at]), int(high[at])
    (999424, 1003519)
    """
    at = np.arange(N_BINS)
    shift = np.maximum(at // _SUB - 1, 0)
    low = (at - shift * _SUB) << shift
    return low, low + (np.int64(1) << shift) - 1


def hist_merge(histograms: NDArray[np.void]) -> NDArray[np.void]:
    """One histogram of all values of ``histograms[n, N_BINS]``; exact."""
    merged = np.zeros(N_BINS, BIN_DTYPE)
    if len(histograms) == 0:
        return merged
    seen = histograms["count"] > 0
    merged["count"] = histograms["count"].sum(axis=0)
    largest = np.iinfo(np.int64).max
    merged["low"] = np.where(seen, histograms["low"], largest).min(axis=0)
    merged["high"] = np.where(seen, histograms["high"], -1).max(axis=0)
    merged["low"][merged["count"] == 0] = 0
    merged["high"][merged["count"] == 0] = 0
    return merged


def hist_quantile(bins: NDArray[np.void], q: float) -> float:
    """Quantile ``q`` in [0, 1] of the counted values, NaN for an empty histogram.

    The rank ``q * (n - 1)`` is found as numpy's default method does; inside a bin values are taken
    as evenly spaced between the smallest and the largest seen there.
    """
    total = int(bins["count"].sum())
    if total == 0:
        return float("nan")
    rank = q * (total - 1)
    cumulative = np.cumsum(bins["count"])
    below = int(rank)
    value = _ranked(bins, cumulative, below)
    fraction = rank - below
    if fraction == 0.0 or below + 1 >= total:
        return value
    return value + fraction * (_ranked(bins, cumulative, below + 1) - value)


def _ranked(bins: NDArray[np.void], cumulative: NDArray[np.int64], rank: int) -> float:
    at = int(np.searchsorted(cumulative, rank, side="right"))
    count, low, high = (int(bins[name][at]) for name in ("count", "low", "high"))
    if count == 1 or low == high:
        return float(low)
    inside = rank - (int(cumulative[at]) - count)
    return low + (high - low) * inside / (count - 1)
