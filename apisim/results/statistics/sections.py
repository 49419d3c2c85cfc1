"""The interval of a quantile, by sectioning: the replications are the sections.

The quantile that is reported is that of all replications together, whose bias is R times smaller
than that of one replication's. Its variance is taken from how far each replication's own quantile
lies from it, not from their mean: S^2 = sum (Q_r - Q)^2 / (R - 1).
"""

import math
from collections.abc import Sequence

from apisim.results.statistics.interval import Interval, t_quantile

__all__ = ["sectioned_interval"]


def sectioned_interval(
    pooled: float, sections: Sequence[float], *, resolution: float = 0.0
) -> Interval | None:
    """Interval of a quantile of all replications together.

    Parameters
    ----------
    pooled : float
        The quantile of all of them, Q.
    sections : sequence of float
        The quantile of each, Q_r.
    resolution : float
        How finely it can be told from its neighbours: the least half-width.

    Returns
    -------
    Interval or None
        None for fewer than two replications, or where one of them has no value.

    References
    ----------
    .. [1] Asmussen and Glynn, Stochastic Simulation, 2007, section III.5a (sectioning).
    .. [2] Nakayama, Confidence intervals for quantiles using sectioning, ACM TOMACS 24(4), 2014.

    Examples
    --------
    >>> interval = sectioned_interval(4.0, [4.1, 3.7, 4.4, 4.0, 3.9])
    >>> round(interval.half_width, 6)  # t 2.776445, S^2 = 0.27 / 4
    0.322594
    """
    n = len(sections)
    if n < 2 or math.isnan(pooled) or any(math.isnan(value) for value in sections):
        return None
    squares = math.fsum((value - pooled) ** 2 for value in sections)
    half_width = max(t_quantile(n - 1) * math.sqrt(squares / (n - 1) / n), resolution)
    return Interval(pooled, pooled - half_width, pooled + half_width, method="sections")
