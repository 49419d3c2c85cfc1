"""Intervals over independent replications, by the names most of the house asks for them."""

from apisim.results.statistics.interval import CONFIDENCE, Interval
from apisim.results.statistics.jackknife import jackknife_interval
from apisim.results.statistics.student import t_interval

__all__ = ["CONFIDENCE", "Interval", "jackknife_interval", "t_interval"]
