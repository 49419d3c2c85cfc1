"""Quantiles of the gamma distribution, from own kernels alone.

Inversion keeps what rejection samplers lose: one uniform gives one value, larger for larger u. The
regularized incomplete gamma functions come from their power series and their continued fraction,
and Halley's method solves for the logarithm of x, against the logarithm of whichever tail is the
smaller. Both tails are concave in log x (the gamma distribution has an increasing generalized
failure rate), so the iteration cannot run away.

What depends on the shape alone is computed once, in decimal arithmetic, which is the same on every
machine and leaves no rounding error to speak of.

References
----------
.. [1] W. H. Press et al., "Numerical Recipes", 3rd ed., 6.2 (series, continued fraction).
.. [2] E. B. Wilson, M. M. Hilferty, "The distribution of chi-square", PNAS 17, 1931.
.. [3] M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions", 6.1.41 (Stirling).
.. [4] M. A. Lariviere, "A note on probability distributions with increasing generalized failure
   rates", Operations Research 54, 2006.
"""

import decimal
import math
from decimal import Decimal
from typing import Final

from apisim.arrays.jit import kernel
from apisim.draws.kernels import exp, log, log1p, normal_quantile

__all__ = ["gamma_constants", "gamma_probability", "gamma_quantile"]

_STEPS = 40
_TERMS = 20_000
_NEGLIGIBLE = 1e-17
# Halley's method triples the digits: a step of 1e-6 leaves nothing that a double can hold.
_SMALL_STEP = 1e-6
_TINY = 1e-300

_HALF_LN_2PI: Final = Decimal("0.91893853320467274178032973640561763986")
# Coefficients B_2n / (2n (2n - 1)) of Stirling's series.
_STIRLING: Final = (
    (1, 12),
    (-1, 360),
    (1, 1260),
    (-1, 1680),
    (1, 1188),
    (-691, 360360),
    (1, 156),
    (-3617, 122400),
)


def gamma_constants(shape: float) -> tuple[float, float]:
    """What the quantiles of one shape need again and again.

    Parameters
    ----------
    shape : float
        k > 0.

    Returns
    -------
    tuple of two float
        ln Gamma(k + 1) and k ln k - k - ln Gamma(k + 1), each correctly rounded.
    """
    # A context of its own: whatever the caller's precision is, the digits are the same.
    with decimal.localcontext(decimal.Context(prec=40)):
        k = Decimal(shape)
        x = k + 1
        product = Decimal(1)
        while x < 60:
            product *= x
            x += 1
        series = sum(
            (Decimal(p) / (q * x ** (2 * n + 1)) for n, (p, q) in enumerate(_STIRLING)), Decimal(0)
        )
        log_gamma = (x - Decimal("0.5")) * x.ln() - x + _HALF_LN_2PI + series - product.ln()
        return float(log_gamma), float(k * k.ln() - k - log_gamma)


@kernel
def gamma_probability(x: float, shape: float, peak: float) -> tuple[float, float, float]:
    """Both tails of the gamma distribution with scale 1, and its density in log x.

    Parameters
    ----------
    x : float64
        Where, > 0.
    shape : float64
        k > 0.
    peak : float64
        k ln k - k - ln Gamma(k + 1), from :func:`gamma_constants`.

    Returns
    -------
    tuple of three float64
        P(X <= x), P(X > x), and x times the density at x.
    """
    # x^k e^-x / Gamma(k + 1), with the large terms k ln k and k already taken out.
    excess = (x - shape) / shape
    if -0.5 < excess < 1.0:
        density = exp(shape * (log1p(excess) - excess) + peak)
    else:
        density = exp(shape * (log(x / shape) - excess) + peak)
    if x < shape + 1.0:
        term = 1.0
        total = 1.0
        for n in range(1, _TERMS):
            term *= x / (shape + n)
            total += term
            if term < total * _NEGLIGIBLE:
                break
        lower = min(density * total, 1.0)
        return lower, 1.0 - lower, density * shape
    # Lentz's method.
    b = x + 1.0 - shape
    c = 1.0 / _TINY
    d = 1.0 / b
    fraction = d
    for n in range(1, _TERMS):
        a = n * (shape - n)
        b += 2.0
        d = 1.0 / (a * d + b)
        c = b + a / c
        factor = c * d
        fraction *= factor
        if abs(factor - 1.0) < 1.2e-16:
            break
    upper = min(density * shape * fraction, 1.0)
    return 1.0 - upper, upper, density * shape


@kernel
def gamma_quantile(u: float, shape: float, log_gamma: float, peak: float) -> float:
    """Quantile of the gamma distribution with scale 1, to about 1e-13.

    Parameters
    ----------
    u : float64
        Probability, in (0, 1).
    shape : float64
        k > 0; the time grows with sqrt(k), about a microsecond up to k = 100.
    log_gamma, peak : float64
        From :func:`gamma_constants`.

    Returns
    -------
    float64
        x with P(X <= x) = u; 0 where it is below the smallest double.
    """
    survival = 1.0 - u
    # A lower bound, since P(X <= x) <= x^k / Gamma(k + 1), and as good as exact where it is small.
    bound = exp((log(u) + log_gamma) / shape)
    if bound < _NEGLIGIBLE:
        return bound
    if shape >= 1.0:
        root = 1.0 - 1.0 / (9.0 * shape) + normal_quantile(u) / (3.0 * math.sqrt(shape))
        x = max(bound, shape * root * root * root)
    else:
        split = 1.0 - shape * (0.253 + shape * 0.12)
        x = bound if u < split else 1.0 - log(survival / (1.0 - split))
    for _ in range(_STEPS):
        lower, upper, density = gamma_probability(x, shape, peak)
        if u <= 0.5:
            slope = density / lower
            newton = log(lower / u) / slope
            bend = shape - x - slope
        else:
            slope = density / upper
            newton = -log(upper / survival) / slope
            bend = shape - x + slope
        step = newton / min(max(1.0 - 0.5 * newton * bend, 0.5), 2.0)
        x *= exp(-step)
        if abs(step) < _SMALL_STEP:
            break
    return x
