"""Rare events: what may be said when fewer than ten were seen.

Student's t needs a spread, and a handful of events has none worth the name. Their number is given
the exact bounds of a Poisson count instead, and is *inconclusive*. Where none was seen the upper
bound is the rule of three: at 95 % there are at most 3/R of them in a replication.
"""

from typing import Final

from apisim.results.statistics.interval import CONFIDENCE, Interval

__all__ = ["FEW_EVENTS", "few_events_interval"]

#: Fewer events than this, in all replications together, are few.
FEW_EVENTS: Final = 10


def few_events_interval(events: int, exposure: float) -> Interval | None:
    """Interval of a rate of events of which few were seen.

    Parameters
    ----------
    events : int
        In all replications together, >= 0.
    exposure : float
        What they are divided by: the number of replications for a mean count, the number of
        requests for a share; > 0.

    Returns
    -------
    Interval or None
        None where there are ten or more, or nothing to divide by.

    References
    ----------
    .. [1] Garwood, Fiducial limits for the Poisson distribution, Biometrika 28, 1936, 437-442.
    .. [2] Hanley and Lippman-Hand, If nothing goes wrong, is everything all right? JAMA 249, 1983.

    Examples
    --------
    >>> few_events_interval(0, 20).high
    0.15
    >>> interval = few_events_interval(4, 1)
    >>> round(interval.low, 4), round(interval.high, 4)
    (1.0899, 10.2416)
    """
    if events >= FEW_EVENTS or not exposure > 0:
        return None
    if not events:
        return Interval(0.0, 0.0, 3 / exposure, method="events", events=0)
    from scipy.special import gammaincinv

    tail = (1 - CONFIDENCE) / 2
    low = float(gammaincinv(events, tail)) / exposure
    high = float(gammaincinv(events + 1, 1 - tail)) / exposure
    return Interval(events / exposure, low, high, method="events", events=events)
