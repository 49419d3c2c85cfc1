"""Scalar functions that give the same bits on every machine.

A run's digest must not depend on the machine it was made on, so nothing that decides a draw may
call the C library, whose ``exp`` and ``log`` differ in the last bit between platforms, or use a
fused multiply-add, which rounds once where two operations round twice. Everything here is made of
IEEE-754 additions, multiplications, divisions and square roots, which are correctly rounded
everywhere, and of exact manipulations of bits. ``tests/unit/test_draws_kernels.py`` reads the
machine code to hold numba to that.

Arguments that cannot occur in a draw (NaN, negative arguments of a logarithm) are not defended
against; each docstring gives its range.

References
----------
.. [1] W. J. Cody, W. Waite, "Software Manual for the Elementary Functions", 1980 (reduction of
   the argument by ln 2 in two parts).
.. [2] K. C. Ng, FDLIBM 5.3, Sun Microsystems, 1993 (``e_log.c``: method, minimax polynomial and
   its error bound).
.. [3] W. Kahan, in the HP-15C Advanced Functions Handbook, 1982 (log(1 + x) from log).
.. [4] M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution",
   Applied Statistics 37, 1988 (PPND16).
"""

import math
from typing import Final

import numpy as np

from apisim.arrays.jit import inline

__all__ = [
    "Z99",
    "exp",
    "expm1_over_x",
    "log",
    "log1p",
    "log1p_over_x",
    "normal_quantile",
]

#: 99 % quantile of the standard normal distribution.
Z99: Final = 2.3263478740408408

# ln 2 in two parts: the upper one has 21 trailing zero bits, so a multiple below 2^20 is exact.
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_INVERSE_LN2 = 1.44269504088896338700
_EXP_OVERFLOW = 7.09782712893383973096e02
_EXP_UNDERFLOW = -7.45133219101941108420e02
_EXP_NORMAL = 708.0
# Adding and taking away 1.5 * 2^52 rounds to the nearest integer, in round-to-nearest arithmetic.
_ROUND = 6755399441055744.0

_EXPONENT_BIAS = np.int64(1023)
_MANTISSA_BITS = np.int64(52)
_MANTISSA = np.int64((1 << 52) - 1)
_ONE_BITS = np.int64(1023 << 52)
_SQRT2_MANTISSA = np.int64(0x6A09E667F3BCD)
_SMALLEST_NORMAL = 2.2250738585072014e-308


@inline
def _power_of_two(exponent: int) -> float:
    """2^exponent for an exponent in [-1022, 1023]."""
    pattern = (np.int64(exponent) + _EXPONENT_BIAS) << _MANTISSA_BITS
    return np.int64(pattern).view(np.float64)


@inline
def exp(x: float) -> float:
    """Exponential function, within 1 ulp [1]_.

    Parameters
    ----------
    x : float64
        Any number but NaN.

    Returns
    -------
    float64
        In [0, inf]; 0 below -745.13, infinite above 709.78.
    """
    if x > _EXP_OVERFLOW:
        return math.inf
    if x < _EXP_UNDERFLOW:
        return 0.0
    # x = k ln 2 + r with |r| <= ln(2) / 2, and r = high - low.
    k = (x * _INVERSE_LN2 + _ROUND) - _ROUND
    high = x - k * _LN2_HIGH
    low = k * _LN2_LOW
    r = high - low
    # exp(r) = 1 + r + r^2 q: Taylor's terms up to r^13 / 13!, by Estrin's scheme.
    r2 = r * r
    r4 = r2 * r2
    q = (
        ((1.0 / 2.0 + r * (1.0 / 6.0)) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0)))
        + r4 * ((1.0 / 720.0 + r * (1.0 / 5040.0)) + r2 * (1.0 / 40320.0 + r * (1.0 / 362880.0)))
        + (r4 * r4)
        * (
            (1.0 / 3628800.0 + r * (1.0 / 39916800.0))
            + r2 * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0))
        )
    )
    y = 1.0 + (high + (r2 * q - low))
    if -_EXP_NORMAL < x < _EXP_NORMAL:
        return y * _power_of_two(int(k))
    # In two steps: 2^k alone may be outside the range of normal numbers.
    half = int(k) // 2
    return y * _power_of_two(half) * _power_of_two(int(k) - half)


@inline
def log(x: float) -> float:
    """Natural logarithm, within 1 ulp [2]_.

    Parameters
    ----------
    x : float64
        Positive and finite.

    Returns
    -------
    float64
        ln x.
    """
    shift = 0.0
    if x < _SMALLEST_NORMAL:
        x = x * 18014398509481984.0  # 2^54
        shift = -54.0
    pattern = np.float64(x).view(np.int64)
    mantissa = pattern & _MANTISSA
    # x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)).
    up = np.int64(1) if mantissa >= _SQRT2_MANTISSA else np.int64(0)
    f = np.int64(mantissa | (_ONE_BITS - (up << _MANTISSA_BITS))).view(np.float64) - 1.0
    k = np.float64((pattern >> _MANTISSA_BITS) - _EXPONENT_BIAS + up) + shift
    # log(1 + f) = f - s (f - R), s = f / (2 + f), R a polynomial in s^2, odd and even terms apart.
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (
        3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01)
    )
    odd = z * (
        6.666666666666735130e-01
        + w
        * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))
    )
    half_square = 0.5 * f * f
    correction = s * (half_square + (odd + even)) + k * _LN2_LOW
    return float(k * _LN2_HIGH - ((half_square - correction) - f))


@inline
def log1p(x: float) -> float:
    """ln(1 + x), within 3 ulp [3]_.

    Parameters
    ----------
    x : float64
        Above -1 and finite.

    Returns
    -------
    float64
        ln(1 + x).
    """
    one_plus = 1.0 + x
    rounded = one_plus - 1.0
    if rounded == x:  # always so for minus a uniform draw
        return log(one_plus)
    if rounded == 0.0:
        return x
    return log(one_plus) * (x / rounded)


@inline
def log1p_over_x(x: float) -> float:
    """ln(1 + x) / x, continued by 1 at x = 0.

    Parameters
    ----------
    x : float64
        Above -1 and finite.

    Returns
    -------
    float64
        Positive, within 4 ulp.
    """
    if x == 0.0:
        return 1.0
    return log1p(x) / x


@inline
def expm1_over_x(x: float) -> float:
    """(exp(x) - 1) / x, continued by 1 at x = 0.

    Parameters
    ----------
    x : float64
        Below 709 and finite.

    Returns
    -------
    float64
        Positive, within 3 ulp.
    """
    # Kahan's companion of log1p: the rounding error of y cancels between y - 1 and ln y.
    y = exp(x)
    if y == 1.0:
        return 1.0
    if -0.6931471805599453 < x < 0.6931471805599453:
        return (y - 1.0) / log(y)
    return (y - 1.0) / x


@inline
def _polynomial7(
    x: float,
    p0: float,
    p1: float,
    p2: float,
    p3: float,
    p4: float,
    p5: float,
    p6: float,
    p7: float,
) -> float:
    """Sum of p_i x^i by Estrin's scheme: half as deep as Horner's, and a draw waits for it."""
    x2 = x * x
    return ((p0 + p1 * x) + (p2 + p3 * x) * x2) + ((p4 + p5 * x) + (p6 + p7 * x) * x2) * (x2 * x2)


@inline
def normal_quantile(u: float) -> float:
    """Quantile of the standard normal distribution by AS 241, to 1e-15 [4]_.

    The tails are taken from min(u, 1 - u), which is exact for a uniform draw, so the quantiles of
    u and 1 - u are equal but for the sign.

    Parameters
    ----------
    u : float64
        In (0, 1).

    Returns
    -------
    float64
        z with P(Z <= z) = u.
    """
    q = u - 0.5
    if -0.425 <= q <= 0.425:
        r = 0.180625 - q * q
        numerator = _polynomial7(
            r,
            3.3871328727963666080e0,
            1.3314166789178437745e2,
            1.9715909503065514427e3,
            1.3731693765509461125e4,
            4.5921953931549871457e4,
            6.7265770927008700853e4,
            3.3430575583588128105e4,
            2.5090809287301226727e3,
        )
        denominator = _polynomial7(
            r,
            1.0,
            4.2313330701600911252e1,
            6.8718700749205790830e2,
            5.3941960214247511077e3,
            2.1213794301586595867e4,
            3.9307895800092710610e4,
            2.8729085735721942674e4,
            5.2264952788528545610e3,
        )
        return q * (numerator / denominator)
    r = math.sqrt(-log(min(u, 1.0 - u)))
    if r <= 5.0:
        r -= 1.6
        numerator = _polynomial7(
            r,
            1.42343711074968357734e0,
            4.63033784615654529590e0,
            5.76949722146069140550e0,
            3.64784832476320460504e0,
            1.27045825245236838258e0,
            2.41780725177450611770e-1,
            2.27238449892691845833e-2,
            7.74545014278341407640e-4,
        )
        denominator = _polynomial7(
            r,
            1.0,
            2.05319162663775882187e0,
            1.67638483018380384940e0,
            6.89767334985100004550e-1,
            1.48103976427480074590e-1,
            1.51986665636164571966e-2,
            5.47593808499534494600e-4,
            1.05075007164441684324e-9,
        )
    else:
        r -= 5.0
        numerator = _polynomial7(
            r,
            6.65790464350110377720e0,
            5.46378491116411436990e0,
            1.78482653991729133580e0,
            2.96560571828504891230e-1,
            2.65321895265761230930e-2,
            1.24266094738807843860e-3,
            2.71155556874348757815e-5,
            2.01033439929228813265e-7,
        )
        denominator = _polynomial7(
            r,
            1.0,
            5.99832206555887937690e-1,
            1.36929880922735805310e-1,
            1.48753612908506148525e-2,
            7.86869131145613259100e-4,
            1.84631831751005468180e-5,
            1.42151175831644588870e-7,
            2.04426310338993978564e-15,
        )
    z = numerator / denominator
    return -z if q < 0.0 else z
