"""Batch means: the interval of a mean of one long run.

Consecutive observations are alike, so Student's t of them is far too narrow. Long batches are
nearly independent of each other: their means are taken for replications, if nothing shows that
they are not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from apisim.results.statistics.interval import Interval
from apisim.results.statistics.student import spread, t_interval

__all__ = ["BatchMeans", "batch_means"]

#: More than 30 batches gain nothing, fewer than 10 cost width (Schmeiser 1982).
_BATCHES: Final = (10, 30)
#: One-sided 5 % point of the normal distribution.
_Z: Final = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class BatchMeans:
    """A mean by batches.

    Attributes
    ----------
    interval : Interval
        Of the mean.
    batches, size : int
        How many there are, and the observations in each; what does not fill one is left out at the
        beginning.
    lag_1 : float
        Autocorrelation of consecutive batches; NaN where they do not differ.
    is_correlated : bool
        Whether that is significantly positive at 5 %: the interval is then too narrow, and the run
        too short.
    """

    interval: Interval
    batches: int
    size: int
    lag_1: float
    is_correlated: bool


def batch_means(observations: Sequence[float], *, batches: int = 20) -> BatchMeans:
    """Mean of the observations of one long run.

    Parameters
    ----------
    observations : sequence of float
        In order, the warm-up left out.
    batches : int
        10 to 30.

    Returns
    -------
    BatchMeans

    Raises
    ------
    ValueError
        If the number of batches is out of range, or there are fewer observations than batches.

    References
    ----------
    .. [1] Schmeiser, Batch size effects in the analysis of simulation output, Operations Research
       30, 1982.
    .. [2] von Neumann, Annals of Mathematical Statistics 12, 1941: the test of lag 1.

    Examples
    --------
    >>> found = batch_means([1.2, .9, 1.4, 1.1, 1.3, .8, 1.0, 1.5, 1.2, 1.1], batches=10)
    >>> round(found.interval.mean, 2), round(found.interval.half_width, 6), found.is_correlated
    (1.15, 0.155452, False)
    """
    if not _BATCHES[0] <= batches <= _BATCHES[1]:
        raise ValueError(f"batches must be {_BATCHES[0]} to {_BATCHES[1]}, got {batches}")
    size = len(observations) // batches
    if not size:
        message = f"{len(observations)} observations do not fill {batches} batches"
        raise ValueError(message)
    first = len(observations) - batches * size
    means = [
        math.fsum(observations[first + at * size : first + (at + 1) * size]) / size
        for at in range(batches)
    ]
    interval = t_interval(means)
    if interval is None:
        raise ValueError("an observation is not a number")
    mean, variance = spread(means)
    if not variance:
        return BatchMeans(interval, batches, size, math.nan, is_correlated=False)
    squares = variance * (batches - 1)
    lag_1 = math.fsum((one - mean) * (two - mean) for one, two in pairwise(means))
    ends = (means[0] - mean) ** 2 + (means[-1] - mean) ** 2
    # Von Neumann's ratio, centred: unlike the plain coefficient it has no bias.
    statistic = lag_1 / squares + ends / (2 * squares)
    deviation = math.sqrt((batches - 2) / (batches**2 - 1))
    return BatchMeans(
        interval, batches, size, lag_1 / squares, is_correlated=statistic > _Z * deviation
    )
