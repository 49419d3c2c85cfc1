"""Statistics of simulation output: what a number over replications is worth.

Each file holds one method, over plain sequences of floats, with its source and an example whose
number was computed elsewhere. What is asked of a run, and which of these methods answers it, is
decided one floor up.

============================  =================================================================
:func:`t_interval`            mean of independent replications
:func:`paired_interval`       mean difference under common random numbers
:func:`welch_interval`        difference of two independent means
:func:`ratio_interval`        shares and means per request: a ratio of two means
:func:`sectioned_interval`    quantile of all replications together
:func:`wilson_interval`       share of independent draws
:func:`few_events_interval`   events of which fewer than ten were seen
:func:`jackknife_interval`    whatever is made from all replications together
:func:`batch_means`           one long run
:func:`mser`                  how much of its beginning to leave out
:func:`controlled_interval`   regression on control variates
:func:`is_precise`            whether an interval is narrow enough, and how many replications are
:func:`holm`                  p-values of several questions at once
============================  =================================================================
"""

from apisim.results.statistics.batch_means import BatchMeans, batch_means
from apisim.results.statistics.control_variates import Controlled, controlled_interval
from apisim.results.statistics.events import FEW_EVENTS, few_events_interval
from apisim.results.statistics.interval import CONFIDENCE, Interval
from apisim.results.statistics.jackknife import jackknife_interval
from apisim.results.statistics.mser import Truncation, mser
from apisim.results.statistics.precision import LEAST, is_precise, replications_needed
from apisim.results.statistics.proportion import wilson_interval
from apisim.results.statistics.ratio import ratio_interval
from apisim.results.statistics.sections import sectioned_interval
from apisim.results.statistics.several import holm, p_value
from apisim.results.statistics.student import (
    paired_interval,
    spread,
    t_interval,
    welch_interval,
)

__all__ = [
    "CONFIDENCE",
    "FEW_EVENTS",
    "LEAST",
    "BatchMeans",
    "Controlled",
    "Interval",
    "Truncation",
    "batch_means",
    "controlled_interval",
    "few_events_interval",
    "holm",
    "is_precise",
    "jackknife_interval",
    "mser",
    "p_value",
    "paired_interval",
    "ratio_interval",
    "replications_needed",
    "sectioned_interval",
    "spread",
    "t_interval",
    "welch_interval",
    "wilson_interval",
]
