"""The jackknife: an estimate made from all replications together, made again without each."""

import math
from collections.abc import Sequence

from apisim.results.statistics.interval import Interval, t_quantile

__all__ = ["jackknife_interval"]


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

    Examples
    --------
    The jackknife of a mean is Student's t of the values.

    >>> values = [4.1, 3.7, 4.4, 4.0, 3.9]
    >>> interval = jackknife_interval(4.02, [(sum(values) - one) / 4 for one in values])
    >>> round(interval.half_width, 6)
    0.321397
    """
    n = len(left_out)
    if n < 2:
        return None
    mean = math.fsum(left_out) / n
    variance = (n - 1) / n * math.fsum((value - mean) ** 2 for value in left_out)
    half_width = t_quantile(n - 1) * math.sqrt(variance)
    return Interval(estimate, estimate - half_width, estimate + half_width, method="jackknife")
