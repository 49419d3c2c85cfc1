"""One long run instead of replications: intervals by batch means.

A run under constant traffic is cut into stretches of time, each of which is taken for a replication
of its own. That is right as far as stretches forget each other, which a test looks at; it saves the
warm-up of every replication but one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from apisim.arrays.histogram import hist_quantile
from apisim.results.latency_series import LatencySeries
from apisim.results.statistics import (
    Interval,
    batch_means,
    ratio_interval,
    sectioned_interval,
)
from apisim.scenario.steady import unsteady

if TYPE_CHECKING:
    from apisim.results.result import Result

__all__ = ["LongRun", "long_run"]

_MILLISECOND_NS: Final = 1_000_000
_PERCENTS: Final = (50.0, 90.0, 95.0, 99.0)
#: Fewer tell nothing of their own spread, more are too short (Schmeiser 1982).
_BATCHES: Final = (10, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class LongRun:
    """Intervals of one run.

    Attributes
    ----------
    intervals : dict of str to Interval
        Of the latency at the client [ms]: ``latency mean`` and ``latency p(50)`` to ``p(99)``.
    batches : int
        Stretches after the warm-up.
    batch_s : float
        Length of each [s].
    lag_1 : float
        Autocorrelation of the means of consecutive stretches; NaN where they do not differ.
    is_correlated : bool
        Whether that is significantly positive at 5 %: the intervals are then too narrow, and the
        run too short.
    """

    intervals: Mapping[str, Interval]
    batches: int
    batch_s: float
    lag_1: float
    is_correlated: bool


def long_run(result: "Result", *, batches: int = 20) -> LongRun:
    """Intervals of a single long run; see :meth:`apisim.results.result.Result.batch_means`."""
    if not _BATCHES[0] <= batches <= _BATCHES[1]:
        raise ValueError(f"batches must be {_BATCHES[0]} to {_BATCHES[1]}, got {batches}")
    if result.run_info.replications > 1:
        n = result.run_info.replications
        raise ValueError(f"there are {n} replications: their intervals are in result.intervals")
    if (found := unsteady(result.scenario)) is not None:
        at, reason = found
        raise ValueError(f"batches need constant traffic: {'.'.join(map(str, at))} {reason}")
    series = result.latency_series
    first = -(-result.scenario.warm_up // series.window_ns)
    last = min((result.scenario.run_length_ns or 0) // series.window_ns, series.n_windows)
    size = (last - first) // batches
    if size < 1:
        message = f"{max(last - first, 0)} stretches of {series.window_ns / 1e9:g} s after the "
        raise ValueError(f"the run is too short: {message}warm-up are fewer than {batches} batches")
    # What does not fill a batch is left out at the beginning, as more of the warm-up.
    first = last - batches * size
    joined = [_joined(series, first + at * size, size) for at in range(batches)]
    above = [float((bins["count"] * ((bins["low"] + bins["high"]) / 2)).sum()) for bins in joined]
    below = [float(bins["count"].sum()) for bins in joined]
    if not all(below):
        raise ValueError("the run is too short: there are batches without a request")
    mean = ratio_interval(above, below)
    assert mean is not None, "there are several batches, and none is empty"
    shift_ms = result.latency_ms.mean - mean.mean / _MILLISECOND_NS
    intervals = {"latency mean": _moved(mean.scaled(1 / _MILLISECOND_NS), shift_ms)}
    for percent in _PERCENTS:
        values = [hist_quantile(bins, percent / 100) / _MILLISECOND_NS for bins in joined]
        of_all = result.quantile_ms(percent)
        interval = sectioned_interval(of_all, values)
        assert interval is not None, "there are several batches, and none is empty"
        intervals[f"latency p({percent:g})"] = interval
    means = batch_means([a / b for a, b in zip(above, below, strict=True)], batches=batches)
    return LongRun(
        intervals=intervals,
        batches=batches,
        batch_s=size * series.window_ns / 1e9,
        lag_1=means.lag_1,
        is_correlated=means.is_correlated,
    )


def _joined(series: LatencySeries, first: int, size: int) -> "np.ndarray":
    """Bins of some windows of all APIs, in order; a bin may come several times."""
    apis = range(len(series.shortest))
    parts = [series.histogram(api, first + at) for api in apis for at in range(size)]
    bins = np.concatenate(parts)
    return bins[np.argsort(bins["low"], kind="stable")]


def _moved(interval: Interval, by: float) -> Interval:
    """Round the exact mean: that of a histogram's bins is off by a part of a bin."""
    return Interval(interval.mean + by, interval.low + by, interval.high + by, method="batch means")
