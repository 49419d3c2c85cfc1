"""Zipf ranks without a table, by rejection-inversion.

P(rank k) is proportional to (k + 1)^-s for k in [0, n). The area under x^-s is inverted, which
gives the right rank at once for most draws and is corrected by a rejection for the rest; memory
and time do not grow with n, and any s >= 0 will do, 1 included.

The integral of x^-s is (x^(1-s) - 1) / (1 - s), or ln x at s = 1; both are written as
ln x * (exp(t) - 1) / t with t = (1 - s) ln x, which is smooth through s = 1.

References
----------
.. [1] W. Hoermann, G. Derflinger, "Rejection-inversion to generate variates from monotone discrete
   distributions", ACM TOMACS 6(3), 1996.
"""

import math
from typing import Final

from apisim.arrays.jit import inline, kernel
from apisim.draws.generator import UInt64, uniform
from apisim.draws.kernels import exp, expm1_over_x, log, log1p_over_x

__all__ = ["ZIPF_DRAWS", "zipf_constants", "zipf_rank"]

#: Draws that one rank may take: an address (key, index, draw) reserves draw ... draw + 63.
ZIPF_DRAWS: Final = 64


@inline
def _density(x: float, s: float) -> float:
    """x^-s."""
    return exp(-s * log(x))


@inline
def _area(x: float, s: float) -> float:
    """Integral of y^-s from 1 to x."""
    log_x = log(x)
    return expm1_over_x((1.0 - s) * log_x) * log_x


@inline
def _area_inverse(area: float, s: float) -> float:
    """Where the integral from 1 reaches ``area``."""
    t = area * (1.0 - s)
    if t <= -1.0:  # by rounding only: the integral of x^-s up to infinity
        return math.inf
    return exp(log1p_over_x(t) * area)


@kernel
def zipf_constants(s: float, n: int) -> tuple[float, float, float]:
    """What ranks of one law need again and again.

    Parameters
    ----------
    s : float64
        Exponent, >= 0.
    n : int64
        Number of ranks, >= 1.

    Returns
    -------
    tuple of three float64
        Ends of the area to draw from, and the distance from a rank within which every draw is
        accepted.
    """
    # The first rank's bar begins where its area is exactly its probability.
    start = _area(1.5, s) - 1.0
    end = _area(n + 0.5, s)
    safe = 2.0 - _area_inverse(_area(2.5, s) - _density(2.0, s), s)
    return start, end, safe


@kernel
def zipf_rank(
    s: float, n: int, start: float, end: float, safe: float, key: UInt64, index: int, draw: int
) -> int:
    """Rank drawn at one address of one stream.

    Parameters
    ----------
    s : float64
        Exponent, >= 0.
    n : int64
        Number of ranks, >= 1.
    start, end, safe : float64
        From :func:`zipf_constants`.
    key, index, draw
        Address of the first draw, as for ``generator.uniform``; at most 1.02 are made on average,
        and never more than :data:`ZIPF_DRAWS`.

    Returns
    -------
    int64
        Rank in [0, n); 0 is the most popular.
    """
    nearest = 1.0
    for attempt in range(ZIPF_DRAWS):
        area = end + uniform(key, index, draw + attempt) * (start - end)
        x = min(max(_area_inverse(area, s), 1.0), float(n))
        nearest = float(math.floor(x + 0.5))
        if nearest - x <= safe or area >= _area(nearest + 0.5, s) - _density(nearest, s):
            break
    # Running out of draws has a probability below 1e-100; the last candidate will do.
    return int(min(nearest, float(n))) - 1
