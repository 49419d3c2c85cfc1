"""Drawing from a distribution: one uniform, inverted through the quantile function.

A distribution in compiled code is a row of ``DIST_DTYPE``; those that need lists (given quantiles,
samples, the parts of a mixture) find them in one array of values shared by all rows.
``tables.DistributionTable`` makes both. One uniform gives one value, larger for larger u (a
mixture: within each part), so two runs that share the uniform differ only by what was changed.
"""

import math
from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from apisim.arrays.jit import inline, kernel
from apisim.draws.gamma import gamma_quantile
from apisim.draws.generator import UInt64, uniform
from apisim.draws.kernels import exp, log1p, normal_quantile

__all__ = [
    "DIST_DTYPE",
    "LARGEST",
    "Kind",
    "Rows",
    "Values",
    "quantile",
    "sample",
    "sample_int",
    "to_int",
]

#: Draws of whole numbers end here: the largest integer below which a double holds every integer.
LARGEST: Final = 1 << 53

#: One row per distribution.
DIST_DTYPE: Final = np.dtype(
    [
        ("kind", "i8"),  # Kind
        ("rounded", "i8"),  # of a constant: its value as sample_int returns it
        ("first", "i8"),  # where its values begin
        ("count", "i8"),  # how many points, samples or parts it has
        ("a", "f8"),  # parameters, as the kind has them (see _plain_quantile)
        ("b", "f8"),
        ("c", "f8"),
        ("d", "f8"),
    ],
    align=True,
)

Rows: TypeAlias = npt.NDArray[np.void]
Values: TypeAlias = npt.NDArray[np.float64]


class Kind(IntEnum):
    """Kind of distribution of a row."""

    CONSTANT = 0
    LOG_NORMAL = 1
    EXPONENTIAL = 2
    UNIFORM = 3
    PARETO = 4
    QUANTILES = 5
    SAMPLES = 6
    GAMMA = 7
    MIXTURE = 8


_CONSTANT = int(Kind.CONSTANT)
_LOG_NORMAL = int(Kind.LOG_NORMAL)
_EXPONENTIAL = int(Kind.EXPONENTIAL)
_UNIFORM = int(Kind.UNIFORM)
_PARETO = int(Kind.PARETO)
_QUANTILES = int(Kind.QUANTILES)
_SAMPLES = int(Kind.SAMPLES)
_MIXTURE = int(Kind.MIXTURE)

_LARGEST = float(LARGEST)
_HALFWAY = 2.0**52
_SMALLEST_UNIFORM = 2.0**-53
_LARGEST_UNIFORM = 1.0 - 2.0**-53


@inline
def _log_normal(p50: float, sigma: float, u: float) -> float:
    return p50 * exp(sigma * normal_quantile(u))


@kernel
def _interpolated(values: Values, first: int, count: int, u: float) -> float:
    """Given quantiles: probabilities, then values; linear between points, flat outside."""
    at = first + count
    if u <= values[first]:
        return float(values[at])
    for i in range(1, count):
        right = values[first + i]
        if u <= right:
            left = values[first + i - 1]
            low = values[at + i - 1]
            return float(low + (values[at + i] - low) * ((u - left) / (right - left)))
    return float(values[at + count - 1])


@kernel
def _plain_quantile(rows: Rows, values: Values, row: int, u: float) -> float:
    law = rows[row]
    kind = law["kind"]
    if kind == _CONSTANT:
        return float(law["a"])
    if kind == _LOG_NORMAL:
        return _log_normal(law["a"], law["b"], u)
    if kind == _EXPONENTIAL:
        return float(-law["a"] * log1p(-u))
    if kind == _UNIFORM:
        return float(law["a"] + law["b"] * u)
    if kind == _PARETO:
        return float(law["a"] * exp(-log1p(-u) / law["b"]))
    if kind == _QUANTILES:
        return _interpolated(values, law["first"], law["count"], u)
    if kind == _SAMPLES:
        # The smallest sample that at least a share u of them does not exceed.
        count = law["count"]
        position = min(max(math.ceil(u * count) - 1, 0), count - 1)
        return float(values[law["first"] + position])
    return float(law["b"] * gamma_quantile(u, law["a"], law["c"], law["d"]))


@kernel
def quantile(rows: Rows, values: Values, row: int, u: float) -> float:
    """Value that a uniform draw ``u`` stands for.

    Parameters
    ----------
    rows : DIST_DTYPE[n]
        Distributions.
    values : float64[m]
        Their lists.
    row : int
        Which distribution.
    u : float64
        Uniform draw or probability, in (0, 1).

    Returns
    -------
    float64
        The quantile; of a mixture, the quantile of the part that ``u`` falls to, at the place of
        ``u`` within that part's share.
    """
    law = rows[row]
    if law["kind"] != _MIXTURE:
        return _plain_quantile(rows, values, row, u)
    # Upper ends of the shares, then the parts' rows. Parts are plain: tables flatten mixtures.
    first = law["first"]
    count = law["count"]
    part = 0
    while part < count - 1 and u >= values[first + part]:
        part += 1
    left = values[first + part - 1] if part > 0 else 0.0
    within = (u - left) / (values[first + part] - left)
    within = min(max(within, _SMALLEST_UNIFORM), _LARGEST_UNIFORM)
    return _plain_quantile(rows, values, int(values[first + count + part]), within)


@kernel
def _draw_log_normal(p50: float, sigma: float, key: UInt64, index: int, draw: int) -> float:
    return _log_normal(p50, sigma, uniform(key, index, draw))


@kernel
def _draw(rows: Rows, values: Values, row: int, key: UInt64, index: int, draw: int) -> float:
    return quantile(rows, values, row, uniform(key, index, draw))


# The two below are pasted into their callers, so they hold no more than two short cuts: constants,
# and the law that most rows have, whose call takes no arrays along. numba compiles a function anew
# for every literal that it is called with; int() takes that away from what they call.


@inline
def sample(rows: Rows, values: Values, row: int, key: UInt64, index: int, draw: int) -> float:
    """Draw from a distribution at one address of one stream.

    Parameters
    ----------
    rows : DIST_DTYPE[n]
        Distributions.
    values : float64[m]
        Their lists.
    row : int
        Which distribution.
    key, index, draw
        Address of the draw, as for ``generator.uniform``. Constants draw nothing.

    Returns
    -------
    float64
        Draw, in the unit in which the distribution was given.
    """
    law = rows[row]
    if law["kind"] == _CONSTANT:
        return float(law["a"])
    if law["kind"] == _LOG_NORMAL:
        return _draw_log_normal(law["a"], law["b"], key, int(index), int(draw))
    return _draw(rows, values, int(row), key, int(index), int(draw))


@inline
def sample_int(rows: Rows, values: Values, row: int, key: UInt64, index: int, draw: int) -> int:
    """Draw a whole number (nanoseconds, bytes) at one address of one stream.

    Parameters
    ----------
    rows, values, row, key, index, draw
        As for :func:`sample`.

    Returns
    -------
    int64
        The draw rounded to the nearest integer, halves to even, in [0, 2^53].
    """
    law = rows[row]
    if law["kind"] == _CONSTANT:
        return int(law["rounded"])
    return to_int(sample(rows, values, int(row), key, int(index), int(draw)))


@inline
def to_int(value: float) -> int:
    """Nearest whole number, halves to even, at most 2^53.

    Parameters
    ----------
    value : float64
        Any number >= 0.

    Returns
    -------
    int64
        In [0, 2^53].
    """
    if value < _HALFWAY:
        # Numbers from 2^52 on are whole, so adding and taking away 2^52 rounds, halves to even.
        return int((value + _HALFWAY) - _HALFWAY)
    return int(min(value, _LARGEST))
