"""A ratio of two means over replications: shares of requests, and means per request.

What is reported is the ratio of the sums, in which each request counts alike; the mean of the
replications' own ratios would be another number. Its variance is that of the residuals
``X_r - ratio N_r`` (the delta method), and Student's t is taken of that.
"""

import math
from collections.abc import Sequence

from apisim.results.statistics.interval import Interval, t_quantile

__all__ = ["ratio_interval"]


def ratio_interval(
    numerators: Sequence[float], denominators: Sequence[float], *, resolution: float = 0.0
) -> Interval | None:
    """Interval of the ratio of two means.

    Parameters
    ----------
    numerators, denominators : sequences of float
        One of each for each replication: refused requests and requests, say. The denominators are
        not negative.
    resolution : float
        The least half-width.

    Returns
    -------
    Interval or None
        None for fewer than two replications, or where nothing was counted at all.

    References
    ----------
    .. [1] Law, Simulation Modeling and Analysis, section 9.5 (ratio estimators).
    .. [2] Cochran, Sampling Techniques, 3rd edition, 1977, chapter 6.

    Examples
    --------
    With equal denominators it is Student's t of the ratios.

    >>> interval = ratio_interval([41, 37, 44, 40, 39], [10] * 5)
    >>> round(interval.mean, 2), round(interval.half_width, 6)
    (4.02, 0.321397)
    """
    n = len(numerators)
    total = math.fsum(denominators)
    if n < 2 or not total > 0 or any(math.isnan(value) for value in numerators):
        return None
    ratio = math.fsum(numerators) / total
    squares = math.fsum(
        (above - ratio * below) ** 2 for above, below in zip(numerators, denominators, strict=True)
    )
    half_width = t_quantile(n - 1) * math.sqrt(squares / (n - 1) * n) / total
    half_width = max(half_width, resolution)
    return Interval(ratio, ratio - half_width, ratio + half_width, method="ratio")
