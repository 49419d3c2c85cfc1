"""Control variates: what is known beforehand takes noise out of what is not.

A control is measured in each replication and has a known mean: the number of calls of a Poisson
source, say. Where a replication had more calls than expected its bill was higher than expected;
the regression of the one on the other takes that part of the spread away.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apisim.results.statistics.interval import Interval, t_quantile
from apisim.results.statistics.student import spread

__all__ = ["Controlled", "controlled_interval"]


@dataclass(frozen=True, slots=True)
class Controlled:
    """An estimate with control variates.

    Attributes
    ----------
    interval : Interval
    coefficients : tuple of float
        Of the regression on each control.
    gain : float
        Variance of the plain mean over that of this one, what the regression costs included: so
        many times fewer replications are needed. Below 1 where the controls do not pay; infinite
        where they explain everything.
    """

    interval: Interval
    coefficients: tuple[float, ...]
    gain: float


def controlled_interval(
    values: Sequence[float], controls: Sequence[Sequence[float]], means: Sequence[float]
) -> Controlled | None:
    """Interval of a mean by regression on controls.

    Parameters
    ----------
    values : sequence of float
        One for each replication.
    controls : sequence of sequence of float
        Values of each control, one for each replication.
    means : sequence of float
        Known mean of each control.

    Returns
    -------
    Controlled or None
        None where there are too few replications (at least three more than controls), a value is
        not a number, or the controls do not vary or say the same.

    Notes
    -----
    The estimate is the intercept of the regression of the values on ``control - mean``; its
    interval has R - q - 1 degrees of freedom for q controls, exact for normal values. The gain
    compares expected variances: (R - 2)/(R - q - 2) is what estimating the coefficients costs.

    References
    ----------
    .. [1] Lavenberg and Welch, A perspective on the use of control variables to increase the
       efficiency of Monte Carlo simulations, Management Science 27, 1981.
    .. [2] Law, Simulation Modeling and Analysis, section 11.4.

    Examples
    --------
    Values that are a line in the control have no spread left.

    >>> found = controlled_interval([2.0, 4.0, 6.0, 8.0, 12.0], [[1.0, 2.0, 3.0, 4.0, 6.0]], [3.0])
    >>> round(found.interval.mean, 9), round(found.interval.half_width, 9)
    (6.0, 0.0)
    """
    n, n_controls = len(values), len(controls)
    degrees = n - n_controls - 1
    if degrees < 2 or not n_controls or any(map(math.isnan, values)):
        return None
    y = np.asarray(values, np.float64)
    x = np.asarray(controls, np.float64).T - np.asarray(means, np.float64)
    scale = x.std(axis=0)
    if not np.isfinite(x).all() or not (scale > 0).all():
        return None
    centred = (x - x.mean(axis=0)) / scale
    if np.linalg.matrix_rank(centred) < n_controls:
        return None
    slopes, *_ = np.linalg.lstsq(centred, y - y.mean(), rcond=None)
    offset = x.mean(axis=0) / scale
    estimate = float(y.mean() - slopes @ offset)
    residuals = y - y.mean() - centred @ slopes
    unexplained = float(residuals @ residuals) / degrees
    # Of the intercept: how far the controls' own means were off counts as well.
    reach = float(offset @ np.linalg.solve(centred.T @ centred, offset))
    half_width = t_quantile(degrees) * math.sqrt(unexplained * (1 / n + reach))
    _, plain = spread(values)
    cost = (n - 2) / (degrees - 1)
    gain = plain / (unexplained * cost) if unexplained > 0 else math.inf
    return Controlled(
        Interval(estimate, estimate - half_width, estimate + half_width, method="control variates"),
        tuple(float(one) for one in slopes / scale),
        gain if plain > 0 else math.nan,
    )
