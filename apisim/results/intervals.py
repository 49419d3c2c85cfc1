"""Confidence intervals over independent replications.

Each replication gives one value; their mean has Student's t interval. A quantile's interval is
never narrower than the histogram bin it was read from, and what is a function of the mean usage of
all replications (the projected month) is jackknifed: computed again with each replication left out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["CONFIDENCE", "Interval", "jackknife_interval", "t_interval"]

CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over replications and how well it is known.

    Attributes
    ----------
    mean, low, high : float
        In the metric's unit.
    confidence : float
        Share of such intervals that contain the expected value.
    """

    mean: float
    low: float
    high: float
    confidence: float = CONFIDENCE

    def within(self, least: float, most: float) -> "Interval":
        """The same interval, without what lies outside ``[least, most]``."""
        low, high = max(self.low, least), min(self.high, most)
        return Interval(self.mean, low, high, self.confidence)

    def scaled(self, factor: float) -> "Interval":
        """The same in another unit."""
        return Interval(self.mean * factor, self.low * factor, self.high * factor, self.confidence)

    def to_dict(self) -> dict[str, float]:
        """The interval as ``--json`` prints it."""
        return {
            "mean": self.mean,
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
        }


def t_interval(values: Sequence[float], *, resolution: float = 0.0) -> Interval | None:
    """Interval of the mean of independent values.

    Parameters
    ----------
    values : sequence of float
        One for each replication.
    resolution : float
        How finely a value can be told from its neighbours: the least half-width.

    Returns
    -------
    Interval or None
        None for fewer than two values, or where one of them is not a number.

    Examples
    --------
    >>> interval = t_interval([1.0, 2.0, 3.0])
    >>> round(interval.low, 4), round(interval.high, 4)
    (-0.4841, 4.4841)
    """
    n = len(values)
    if n < 2 or any(math.isnan(value) for value in values):
        return None
    mean = math.fsum(values) / n
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    half_width = max(_t_quantile(n - 1) * math.sqrt(variance / n), resolution)
    return Interval(mean, mean - half_width, mean + half_width)


def jackknife_interval(estimate: float, left_out: Sequence[float]) -> Interval | None:
    """Interval of an estimate made from all replications together.

    Parameters
    ----------
    estimate : float
        From all of them.
    left_out : sequence of float
        The same with each replication left out in turn.

    Returns
    -------
    Interval or None
        None for fewer than two replications.

    References
    ----------
    .. [1] Efron, The Jackknife, the Bootstrap and Other Resampling Plans, 1982, chapter 3.
    """
    n = len(left_out)
    if n < 2:
        return None
    mean = math.fsum(left_out) / n
    variance = (n - 1) / n * math.fsum((value - mean) ** 2 for value in left_out)
    half_width = _t_quantile(n - 1) * math.sqrt(variance)
    return Interval(estimate, estimate - half_width, estimate + half_width)


def _t_quantile(degrees: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + CONFIDENCE) / 2))
