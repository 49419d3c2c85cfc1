"""From the readings of all replications to an interval: which method answers for which measure.

A quantile is that of all replications together, by sectioning. A share, a mean per request, a rate
or a count is a ratio of two sums. Everything else is the mean of the replications' values. Where a
share or a count is of fewer than ten events there is no spread to speak of, and exact bounds take
the place of Student's t.
"""

import math
from collections.abc import Sequence
from typing import Final

from apisim.results.metrics import Measure, Reading
from apisim.results.statistics import (
    Interval,
    few_events_interval,
    ratio_interval,
    sectioned_interval,
    t_interval,
)

__all__ = ["counts_events", "interval_of"]

#: Metrics whose counts are of events that may be rare; shares always are.
_EVENTS: Final = frozenset(
    {
        "errors_4xx",
        "errors_5xx",
        "failed",
        "throttled",
        "quota_refused",
        "cold_starts",
        "wrong_answers",
        "stale_answers",
        "delivery_failures",
    }
)


def counts_events(wanted: Measure) -> bool:
    """Whether a measure is a share or a count of something that may be rare."""
    return wanted.unit == "share" or (wanted.statistic == "count" and wanted.metric in _EVENTS)


def interval_of(wanted: Measure, readings: Sequence[Reading], pooled: float) -> Interval | None:
    """Interval of a measure.

    Parameters
    ----------
    wanted : Measure
    readings : sequence of Reading
        One for each replication.
    pooled : float
        The measure of all of them together, in its unit; only matters for quantiles.

    Returns
    -------
    Interval or None
        In the measure's unit; None for fewer than two replications, or where one of them has no
        value.
    """
    if len(readings) < 2:
        return None
    resolution = max(one.resolution for one in readings)
    if wanted.quantile is not None:
        values = [one.value for one in readings]
        return sectioned_interval(pooled, values, resolution=resolution)
    if any(math.isnan(one.below) for one in readings):
        return t_interval([one.value for one in readings], resolution=resolution)
    above, below = [one.above for one in readings], [one.below for one in readings]
    if counts_events(wanted) and (few := _few(wanted, above, below)) is not None:
        return few
    interval = ratio_interval(above, below)
    if interval is None:
        return None
    # Few replications may give an interval that leaves what a share or a count can be.
    return interval.within(0.0, 1.0 if wanted.unit == "share" else math.inf)


def _few(wanted: Measure, above: Sequence[float], below: Sequence[float]) -> Interval | None:
    events, exposure = round(math.fsum(above)), math.fsum(below)
    if wanted.unit != "share" or 2 * events <= exposure:
        return few_events_interval(events, exposure)
    # Of what nearly always happens the exceptions are the events.
    found = few_events_interval(round(exposure) - events, exposure)
    if found is None:
        return None
    return Interval(
        1 - found.mean, 1 - found.high, 1 - found.low, method=found.method, events=found.events
    ).within(0.0, 1.0)
