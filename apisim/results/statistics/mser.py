"""MSER-5: how much of the beginning of a run is left out.

Observations are averaged in fives. The truncation is where the standard error of the mean of what
is left is smallest: before it, leaving out more takes away bias; after it, only observations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = ["BATCH", "Truncation", "mser"]

#: Observations that are averaged first.
BATCH: Final = 5


@dataclass(frozen=True, slots=True)
class Truncation:
    """What MSER-5 says of a run.

    Attributes
    ----------
    batches : int
        Averages of five that are left out, d*.
    is_too_short : bool
        Whether that is half of them: the rule found no end of the transient, and nothing should be
        left out on its word.
    statistic : float
        Its least value.
    """

    batches: int
    is_too_short: bool
    statistic: float

    @property
    def observations(self) -> int:
        """Observations that are left out."""
        return BATCH * self.batches


def mser(observations: Sequence[float]) -> Truncation:
    """Truncation of a run by MSER-5.

    Parameters
    ----------
    observations : sequence of float
        In order, from the beginning; at least ten. What does not fill five at the end is ignored.

    Returns
    -------
    Truncation

    Raises
    ------
    ValueError
        If there are too few observations, or one is not a number.

    Notes
    -----
    With the averages z_1 to z_n: d* minimises sum over i > d of (z_i - mean)^2 / (n - d)^2 for
    d from 0 to n/2, the smallest of equals.

    References
    ----------
    .. [1] White, An effective truncation heuristic for bias reduction in simulation output,
       Simulation 69, 1997.
    .. [2] Hoad, Robinson and Davies, Automating warm-up length estimation, JORS 61, 2010.

    Examples
    --------
    >>> z = [9, 7, 5, 3] + [1, -1] * 8
    >>> found = mser([value for value in z for _ in range(5)])
    >>> found.batches, found.observations, round(found.statistic, 5)
    (4, 20, 0.0625)
    """
    values = np.asarray(observations, np.float64)
    n = len(values) // BATCH
    if n < 2:
        raise ValueError(f"MSER-5 needs at least {2 * BATCH} observations, got {len(values)}")
    averages = values[: n * BATCH].reshape(n, BATCH).mean(axis=1)
    if np.isnan(averages).any():
        raise ValueError("an observation is not a number")
    statistics = _statistics(averages)
    least = int(np.argmin(statistics))
    # A run without any spread is in its steady state from the beginning.
    is_too_short = least == n // 2 and float(statistics[0]) > 0.0
    return Truncation(least, is_too_short, float(statistics[least]))


def _statistics(averages: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[float]:
    """The statistic for each truncation, 0 to half of the averages."""
    n = len(averages)
    # Sums from the end, about the overall mean: the same, with less cancelled.
    centred = averages - averages.mean()
    sums = np.cumsum(centred[::-1])[::-1]
    squares = np.cumsum((centred**2)[::-1])[::-1]
    left = n - np.arange(n // 2 + 1)
    spread = squares[: n // 2 + 1] - sums[: n // 2 + 1] ** 2 / left
    return [float(value) for value in np.maximum(spread, 0.0) / left.astype(np.float64) ** 2]
