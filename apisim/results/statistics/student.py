"""Student's t: the mean of independent values, and the difference of two such means."""

import math
from collections.abc import Sequence

from apisim.results.statistics.interval import Interval, t_quantile

__all__ = ["paired_interval", "spread", "t_interval", "welch_interval"]


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and variance (divided by n - 1) of at least two values."""
    n = len(values)
    mean = math.fsum(values) / n
    return mean, math.fsum((value - mean) ** 2 for value in values) / (n - 1)


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

    References
    ----------
    .. [1] Law, Simulation Modeling and Analysis, chapter 9.

    Examples
    --------
    >>> interval = t_interval([4.1, 3.7, 4.4, 4.0, 3.9])
    >>> round(interval.mean, 2), round(interval.half_width, 6)
    (4.02, 0.321397)
    """
    n = len(values)
    if n < 2 or any(math.isnan(value) for value in values):
        return None
    mean, variance = spread(values)
    half_width = max(t_quantile(n - 1) * math.sqrt(variance / n), resolution)
    return Interval(mean, mean - half_width, mean + half_width)


def paired_interval(first: Sequence[float], second: Sequence[float]) -> Interval | None:
    """Interval of the mean of ``first - second``, pair by pair.

    Parameters
    ----------
    first, second : sequences of float
        Of the same replications, in the same order: common random numbers make them alike.

    Returns
    -------
    Interval or None
        As :func:`t_interval`.

    Raises
    ------
    ValueError
        If there are not as many of one as of the other.

    References
    ----------
    .. [1] Law, Simulation Modeling and Analysis, chapter 10.

    Examples
    --------
    >>> interval = paired_interval([3.2, 4.1, 2.9, 3.8, 3.5], [2.8, 3.6, 2.7, 3.3, 3.2])
    >>> round(interval.mean, 2), round(interval.half_width, 6)
    (0.38, 0.161893)
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} values cannot be paired with {len(second)}")
    return t_interval([one - two for one, two in zip(first, second, strict=True)])


def welch_interval(first: Sequence[float], second: Sequence[float]) -> Interval | None:
    """Interval of the difference of two means of independent values, whose variances may differ.

    What pairing would not have given; the degrees of freedom are those of Welch (1947) and
    Satterthwaite, which need not be whole.

    Returns
    -------
    Interval or None
        None for fewer than two values on a side, or where one of them is not a number.

    Examples
    --------
    >>> interval = welch_interval([3.2, 4.1, 2.9, 3.8, 3.5], [2.8, 3.6, 2.7, 3.3, 3.2])
    >>> round(interval.half_width, 3)
    0.627
    """
    if min(len(first), len(second)) < 2 or any(map(math.isnan, (*first, *second))):
        return None
    (one, one_variance), (two, two_variance) = spread(first), spread(second)
    parts = one_variance / len(first), two_variance / len(second)
    variance = sum(parts)
    if not variance:
        return Interval(one - two, one - two, one - two)
    degrees = variance**2 / (parts[0] ** 2 / (len(first) - 1) + parts[1] ** 2 / (len(second) - 1))
    half_width = t_quantile(degrees) * math.sqrt(variance)
    return Interval(one - two, one - two - half_width, one - two + half_width)
