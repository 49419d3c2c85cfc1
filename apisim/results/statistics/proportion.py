"""Wilson's interval: the share of independent draws.

Only for independent draws. Refusals of a throttle come in runs: Wilson's 95 % interval of them
covers 28 to 75 % (docs/interval-coverage.md), so apisim's own shares have the interval of a
ratio over replications (:mod:`apisim.results.statistics.ratio`).
"""

import math

from apisim.results.statistics.interval import CONFIDENCE, Interval

__all__ = ["wilson_interval"]


def wilson_interval(successes: int, trials: int) -> Interval:
    """Interval of a share of independent draws.

    Parameters
    ----------
    successes, trials : int
        ``0 <= successes <= trials``, at least one trial.

    Returns
    -------
    Interval
        Inside [0, 1]; it is not centred at the share.

    Raises
    ------
    ValueError
        If the counts are out of range.

    References
    ----------
    .. [1] Wilson, Journal of the American Statistical Association 22, 1927, 209-212.

    Examples
    --------
    >>> interval = wilson_interval(13, 1000)
    >>> round(interval.low, 6), round(interval.high, 6)
    (0.007613, 0.022114)
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"{successes} of {trials} is no share of trials")
    from scipy.special import ndtri

    z = float(ndtri((1 + CONFIDENCE) / 2))
    share = successes / trials
    middle = share + z * z / (2 * trials)
    reach = z * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    low, high = ((middle + sign * reach) / (1 + z * z / trials) for sign in (-1, 1))
    # At the ends the formula is exact up to rounding.
    low, high = (0.0 if not successes else low), (1.0 if successes == trials else high)
    return Interval(share, low, high, method="wilson")
