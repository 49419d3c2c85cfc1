"""The relative-precision rule: when there are replications enough.

An interval whose half-width is g/(1 + g) of its own mean makes a relative error of at most g: the
mean it is divided by is itself an estimate. The first few replications may agree by luck, so at
least ten are looked at.
"""

import math
from collections.abc import Sequence
from typing import Final

from apisim.results.statistics.interval import Interval, t_quantile
from apisim.results.statistics.student import spread

__all__ = ["LEAST", "is_precise", "replications_needed"]

#: Replications below which the rule is not asked.
LEAST: Final = 10
_MOST: Final = 1_000_000


def is_precise(interval: Interval, relative: float) -> bool:
    """Whether an interval keeps a relative error.

    Parameters
    ----------
    interval : Interval
    relative : float
        The error g: 0.05 for 5 %; > 0.

    References
    ----------
    .. [1] Law, Simulation Modeling and Analysis, section 9.4.1.

    Examples
    --------
    >>> is_precise(Interval(1.0, 0.953, 1.047), 0.05), is_precise(Interval(1.0, 0.95, 1.05), 0.05)
    (True, False)
    """
    return interval.half_width <= relative / (1 + relative) * abs(interval.mean)


def replications_needed(
    values: Sequence[float], relative: float, *, least: int = LEAST
) -> int | None:
    """Replications that would do, if mean and spread stayed what they are.

    Parameters
    ----------
    values : sequence of float
        Of the replications so far, at least two.
    relative : float
        The error g: 0.05 for 5 %; > 0.
    least : int
        Never fewer than this, >= 2.

    Returns
    -------
    int or None
        None where a million would not do.

    References
    ----------
    .. [1] Law, Simulation Modeling and Analysis, section 9.4.1.

    Examples
    --------
    >>> replications_needed([4.1, 3.7, 4.4, 4.0, 3.9], 0.05, least=2)
    10
    """
    mean, variance = spread(values)
    wanted = relative / (1 + relative) * abs(mean)

    def suffices(n: int) -> bool:
        return t_quantile(n - 1) * math.sqrt(variance / n) <= wanted

    if suffices(least):
        return least
    if not suffices(_MOST):
        return None
    low, high = least, _MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high
