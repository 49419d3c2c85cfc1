"""Random draws that belong to what they are for.

    purposes, keys      what a stream is named after, and its 64-bit key
    generator           (key, index, draw) -> bits, uniform: a pure function, Squares or Philox
    kernels, gamma      exp, log, normal and gamma quantiles, the same bits on every machine
    distributions       times and sizes: description -> row -> sample, sample_int
    discrete, zipf      popularity of keys: description -> row -> sample_key

Nothing here has a state, so nothing depends on the order of events: two variants of a scenario
draw the same numbers wherever they do the same thing.
"""

from apisim.draws.discrete import KeyTable, UniformKeys, WeightedKeys, ZipfKeys
from apisim.draws.distributions import (
    Constant,
    Distribution,
    DistributionTable,
    Exponential,
    Gamma,
    LogNormal,
    LogNormalMean,
    Mixture,
    Pareto,
    Quantiles,
    Samples,
    Uniform,
)
from apisim.draws.generator import GENERATOR
from apisim.draws.keys import stream_key
from apisim.draws.purposes import Purpose

__all__ = [
    "GENERATOR",
    "Constant",
    "Distribution",
    "DistributionTable",
    "Exponential",
    "Gamma",
    "KeyTable",
    "LogNormal",
    "LogNormalMean",
    "Mixture",
    "Pareto",
    "Purpose",
    "Quantiles",
    "Samples",
    "Uniform",
    "UniformKeys",
    "WeightedKeys",
    "ZipfKeys",
    "stream_key",
]
