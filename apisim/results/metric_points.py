"""One metric in one period: what is left of its samples, mergeable exactly.

Sums, extremes and counts are exact. Percentiles are those of samples rounded to four significant
digits, the smallest sample that at least the given share does not exceed (CloudWatch publishes
neither its method nor its precision).
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["NO_POINT", "Point"]

_DIGITS: Final = 4
_POWERS: Final = 10 ** np.arange(19, dtype=np.int64)
_NONE: Final = np.zeros(0, np.int64)


def _nothing() -> NDArray[np.int64]:
    return _NONE


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Samples, integers in the metric's own small unit (nanoseconds, bytes, 1).

    Attributes
    ----------
    count, total, low, high : int
        How many samples, their sum, the smallest and the largest; without samples all 0.
    values, counts : int64 arrays
        Distinct rounded samples in order, and how many there are of each; empty where percentiles
        are not asked for.
    """

    count: int = 0
    total: int = 0
    low: int = 0
    high: int = 0
    values: NDArray[np.int64] = field(default_factory=_nothing)
    counts: NDArray[np.int64] = field(default_factory=_nothing)

    @classmethod
    def of(cls, samples: NDArray[np.int64]) -> "Point":
        """Point of samples >= 0, with percentiles.

        Examples
        --------
        >>> point = Point.of(np.array([3, 1, 2, 10]))
        >>> point.total, point.high, point.percentile(50)
        (16, 10, 2)
        """
        if not len(samples):
            return NO_POINT
        values, counts = np.unique(_rounded(samples), return_counts=True)
        return cls(
            len(samples),
            # In Python's integers where 64 bits might not do.
            int(samples.sum()) if samples.max() < 1 << 40 else sum(samples.tolist()),
            int(samples.min()),
            int(samples.max()),
            values,
            counts.astype(np.int64),
        )

    @classmethod
    def of_flags(cls, count: int, total: int) -> "Point":
        """Point of ``count`` samples of which ``total`` are 1 and the others 0."""
        return cls(count, total, int(0 < total == count), int(total > 0))

    def joined(self, other: "Point") -> "Point":
        """All samples of both."""
        if not self.count or not other.count:
            return self if self.count else other
        values, counts = self.values, self.counts
        if len(other.values):
            values, at = np.unique(np.concatenate([values, other.values]), return_inverse=True)
            counts = np.zeros(len(values), np.int64)
            np.add.at(counts, at, np.concatenate([self.counts, other.counts]))
        return Point(
            self.count + other.count,
            self.total + other.total,
            min(self.low, other.low),
            max(self.high, other.high),
            values,
            counts,
        )

    def percentile(self, percent: float) -> int:
        """Smallest rounded sample that at least ``percent`` of the samples do not exceed."""
        ranks = np.cumsum(self.counts)
        # Written so that 99 % of 100 samples are 99 and not 99.00000000000001 of them.
        wanted = -(-self.count * round(percent * 1_000_000) // 100_000_000)
        at = int(np.searchsorted(ranks, max(wanted, 1)))
        return min(max(int(self.values[at]), self.low), self.high)

    def statistic(self, name: str) -> float:
        """A statistic by CloudWatch's name: ``Sum``, ``Average``, ..., ``p99.9``."""
        if name == "SampleCount":
            return self.count
        if name == "Sum":
            return self.total
        if name == "Average":
            return self.total / self.count
        if name == "Minimum":
            return self.low
        return self.high if name == "Maximum" else self.percentile(float(name[1:]))


NO_POINT: Final = Point()


def _rounded(samples: NDArray[np.int64]) -> NDArray[np.int64]:
    """Samples with four significant digits."""
    digits = np.searchsorted(_POWERS, samples, side="right")
    scale = _POWERS[np.maximum(digits - _DIGITS, 0)]
    return (samples + scale // 2) // scale * scale
