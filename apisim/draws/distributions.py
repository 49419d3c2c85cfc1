"""Distributions of times and sizes, and how to draw from them.

    description (laws, empirical) --DistributionTable--> rows, values --sample, sample_int--> draws

A scenario's distributions become frozen descriptions in the unit in which draws are wanted; a
table numbers them, one row each; compiled code draws by row number and address. This module is the
one to import from; the modules behind it hold one step each.
"""

from apisim.draws.empirical import Mixture, Quantiles, Samples
from apisim.draws.laws import (
    Constant,
    Distribution,
    Exponential,
    Gamma,
    LogNormal,
    LogNormalMean,
    Pareto,
    Uniform,
)
from apisim.draws.sampling import DIST_DTYPE, quantile, sample, sample_int, to_int
from apisim.draws.tables import DistributionTable

__all__ = [
    "DIST_DTYPE",
    "Constant",
    "Distribution",
    "DistributionTable",
    "Exponential",
    "Gamma",
    "LogNormal",
    "LogNormalMean",
    "Mixture",
    "Pareto",
    "Quantiles",
    "Samples",
    "Uniform",
    "quantile",
    "sample",
    "sample_int",
    "to_int",
]
