"""Distributions given by numbers: quantiles, samples, and mixtures of other distributions."""

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from apisim.draws.laws import Distribution, require
from apisim.draws.sampling import Kind
from apisim.draws.tables import Lowered

__all__ = ["Mixture", "Quantiles", "Samples"]

# So that sums of millions of them stay finite.
_LARGEST: Final = 1e300


@dataclass(frozen=True, slots=True)
class Quantiles(Distribution):
    """Through given quantiles, linear between them.

    Between two points the value grows linearly with the probability. Nothing is made up outside
    them: what lies below the lowest point has its value, and what lies above the highest one has
    that one's. Without points at 0 and 100 the ends are therefore atoms; {50: 40, 99: 300} draws
    exactly 40 half of the time, and never more than 300.

    Parameters
    ----------
    points : tuple of (float, float)
        Percentage in [0, 100] and value in [0, 1e300]: at least two, percentages ascending, values
        not descending. Any iterable of pairs will do.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        points = tuple((float(percent), float(value)) for percent, value in self.points)
        object.__setattr__(self, "points", points)
        require(len(points) >= 2, "quantiles need at least two points", len(points))
        require(
            all(0 <= percent <= 100 for percent, _ in points),
            "percentages of quantiles must be in [0, 100]",
            [percent for percent, _ in points],
        )
        require(
            all(0 <= value <= _LARGEST for _, value in points),
            "values of quantiles must be in [0, 1e300]",
            [value for _, value in points],
        )
        require(
            all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(points)),
            "quantiles must ascend in percentage and not descend in value",
            points,
        )

    def mean(self) -> float:
        """Area under the quantile function."""
        first, last = self.points[0], self.points[-1]
        parts = [first[0] * first[1], (100.0 - last[0]) * last[1]]
        parts += [
            (right[0] - left[0]) * 0.5 * (left[1] + right[1])
            for left, right in pairwise(self.points)
        ]
        return math.fsum(parts) / 100.0

    def cdf(self, x: float) -> float:
        """Largest probability whose quantile is at most x."""
        values = [value for _, value in self.points]
        after = bisect_right(values, x)
        if after == 0:
            return 0.0
        if after == len(values):
            return 1.0
        (left, low), (right, high) = self.points[after - 1], self.points[after]
        return (left + (right - left) * (x - low) / (high - low)) / 100.0

    def lower(self) -> Lowered:
        """Kind QUANTILES: probabilities, then values."""
        probabilities = [percent / 100.0 for percent, _ in self.points]
        values = [value for _, value in self.points]
        return Lowered(Kind.QUANTILES, count=len(values), values=probabilities + values)


@dataclass(frozen=True, slots=True)
class Samples(Distribution):
    """Each of the given samples with the same probability.

    Parameters
    ----------
    values : tuple of float
        In [0, 1e300], at least one; kept in ascending order. Any iterable will do.
    """

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        values = tuple(sorted(float(value) for value in self.values))
        object.__setattr__(self, "values", values)
        require(len(values) >= 1, "there must be at least one sample", 0)
        # Not by the ends: sorting puts a NaN anywhere.
        for value in values:
            require(0 <= value <= _LARGEST, "samples must be in [0, 1e300]", value)

    def mean(self) -> float:
        """Mean of the samples."""
        return math.fsum(self.values) / len(self.values)

    def cdf(self, x: float) -> float:
        """Share of the samples up to x."""
        return bisect_right(self.values, x) / len(self.values)

    def lower(self) -> Lowered:
        """Kind SAMPLES: the samples in ascending order."""
        return Lowered(Kind.SAMPLES, count=len(self.values), values=self.values)


@dataclass(frozen=True, slots=True)
class Mixture(Distribution):
    """One of several distributions, chosen by weight.

    One uniform draw picks the part and, by its place within the part's share, the value. A part
    may be a mixture itself.

    Parameters
    ----------
    parts : tuple of (float, Distribution)
        Weight, in (0, 1e300], and distribution: at least one. Weights are relative: their sum
        stands for the whole. Any iterable of pairs will do.
    """

    parts: tuple[tuple[float, Distribution], ...]

    def __post_init__(self) -> None:
        parts = tuple((float(weight), part) for weight, part in self.parts)
        object.__setattr__(self, "parts", parts)
        require(len(parts) >= 1, "a mixture needs at least one part", 0)
        for weight, _ in parts:
            require(0 < weight <= _LARGEST, "weights of a mixture must be in (0, 1e300]", weight)

    def shares(self) -> list[tuple[float, Distribution]]:
        """Parts that are no mixtures themselves, with their shares of the whole.

        Returns
        -------
        list of (float, Distribution)
            Shares in (0, 1], in the order of the parts; they sum to 1 but for rounding.
        """
        total = math.fsum(weight for weight, _ in self.parts)
        flat: list[tuple[float, Distribution]] = []
        for weight, part in self.parts:
            inner: Iterable[tuple[float, Distribution]] = (
                part.shares() if isinstance(part, Mixture) else [(1.0, part)]
            )
            flat += [(weight / total * share, plain) for share, plain in inner]
        return flat

    def mean(self) -> float:
        """Means of the parts, weighted."""
        return math.fsum(share * part.mean() for share, part in self.shares())

    def cdf(self, x: float) -> float:
        """Probabilities of the parts, weighted."""
        return min(math.fsum(share * part.cdf(x) for share, part in self.shares()), 1.0)

    def _quantile(self, q: float) -> float:
        # Between the parts' own quantiles, by bisection down to neighbouring doubles.
        inner = [part.quantile(q) for _, part in self.shares()]
        low, high = min(inner), max(inner)
        if self.cdf(low) >= q:
            return low
        while low < (middle := low + 0.5 * (high - low)) < high:
            if self.cdf(middle) >= q:
                high = middle
            else:
                low = middle
        return high

    def lower(self) -> Lowered:
        """Kind MIXTURE: upper ends of the shares, then the rows of the parts."""
        shares = self.shares()
        ends = list(accumulate(share for share, _ in shares))
        ends[-1] = 1.0
        parts = tuple(part for _, part in shares)
        return Lowered(Kind.MIXTURE, count=len(parts), values=ends, parts=parts)
