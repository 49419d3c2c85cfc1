"""Several questions at once: each has its chance of a false alarm, and together they have many."""

import math
from collections.abc import Sequence

from apisim.results.statistics.student import spread

__all__ = ["holm", "p_value"]


def p_value(values: Sequence[float]) -> float:
    """Two-sided p-value of Student's t: how likely a mean so far from 0 is if there is nothing.

    Parameters
    ----------
    values : sequence of float
        Paired differences, one for each replication.

    Returns
    -------
    float
        1 where all are 0; 0 where all are the same and not 0; NaN for fewer than two values or
        where one is not a number.

    Examples
    --------
    >>> round(p_value([0.4, 0.5, 0.2, 0.5, 0.3]), 5)  # t = 0.38/(0.130384/sqrt(5)), 4 degrees
    0.00286
    """
    if len(values) < 2 or any(math.isnan(value) for value in values):
        return math.nan
    from scipy.special import stdtr

    mean, variance = spread(values)
    if not variance:
        return 0.0 if mean else 1.0
    statistic = abs(mean) / math.sqrt(variance / len(values))
    return float(2 * stdtr(len(values) - 1, -statistic))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted by Holm's step-down method.

    What is below 5 % afterwards is significant with at most 5 % chance of any false alarm among
    all, however the questions depend on each other.

    Parameters
    ----------
    p_values : sequence of float
        Each in [0, 1]; NaN stays NaN and is not counted as a question.

    Returns
    -------
    list of float
        In the order given, each at most 1 and never smaller than it was.

    Raises
    ------
    ValueError
        If one is outside [0, 1].

    References
    ----------
    .. [1] Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
       Statistics 6, 1979.

    Examples
    --------
    >>> [round(one, 3) for one in holm([0.01, 0.04, 0.03, 0.005])]
    [0.03, 0.06, 0.06, 0.02]
    """
    asked = [at for at, value in enumerate(p_values) if not math.isnan(value)]
    if any(not 0 <= p_values[at] <= 1 for at in asked):
        raise ValueError("a p-value is in [0, 1]")
    adjusted = [float(value) for value in p_values]
    least = 0.0
    for rank, at in enumerate(sorted(asked, key=lambda at: p_values[at])):
        least = max(least, min(1.0, (len(asked) - rank) * p_values[at]))
        adjusted[at] = least
    return adjusted
