"""Exact numbers: fractions inside, decimals where a person or a file sees them.

Hours of a cache are nanoseconds over 3.6 * 10^12, which has a factor 9 that no decimal can hold, so
quantities and amounts are fractions until they are shown. A value that is finite in decimal is
shown in full; one that is not is rounded half up to the price book's line precision, after
everything has been added up.
"""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

__all__ = ["Number", "as_decimal", "as_fraction", "plain", "rounded"]

#: What a quantity may be given as; a binary floating-point number is none of these.
Number = int | Decimal | Fraction


def as_fraction(value: Number) -> Fraction:
    """The same number as a fraction.

    Parameters
    ----------
    value : int, Decimal or Fraction
        Any finite value.

    Raises
    ------
    TypeError
        If ``value`` is a binary floating-point number (it is not what its author wrote) or no
        number at all.
    ValueError
        If ``value`` is not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | Fraction):
        raise TypeError(
            f"need an int, a Decimal or a Fraction, got {value!r} ({type(value).__name__})"
        )
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"need a finite number, got {value}")
    return Fraction(value)


def as_decimal(value: Fraction, step: Decimal) -> Decimal:
    """``value`` in full if it is finite in decimal, else rounded half up to ``step``.

    Parameters
    ----------
    value : Fraction
        Quantity or amount.
    step : Decimal
        Power of ten to round to when ``value`` has no finite decimal expansion.

    Examples
    --------
    >>> as_decimal(Fraction(1, 8), Decimal("0.01"))
    Decimal('0.125')
    >>> as_decimal(Fraction(2, 3), Decimal("0.01"))
    Decimal('0.67')
    """
    rest = value.denominator
    twos = (rest & -rest).bit_length() - 1
    rest >>= twos
    fives = 0
    while rest % 5 == 0:
        rest //= 5
        fives += 1
    if rest != 1:
        return rounded(value, step)
    places = max(twos, fives)
    # From text, because the constructor is exact whatever the caller's decimal context.
    return Decimal(f"{value.numerator * 10**places // value.denominator}e-{places}")


def rounded(value: Fraction, step: Decimal, mode: str = ROUND_HALF_UP) -> Decimal:
    """``value`` rounded to a multiple of ``step``, a power of ten.

    Parameters
    ----------
    value : Fraction
        Quantity or amount.
    step : Decimal
        Power of ten, for example ``Decimal("0.01")``.
    mode : str
        ``decimal.ROUND_HALF_UP`` (away from zero) or ``decimal.ROUND_HALF_EVEN``.

    Examples
    --------
    >>> rounded(Fraction(-5, 1000), Decimal("0.01"))
    Decimal('-0.01')
    """
    exponent = step.as_tuple().exponent
    assert isinstance(exponent, int), "a step is finite"
    steps = value / Fraction(step)
    if mode == ROUND_HALF_EVEN:
        whole = round(steps)
    else:
        whole = (2 * abs(steps.numerator) + steps.denominator) // (2 * steps.denominator)
        whole = whole if steps >= 0 else -whole
    return Decimal(f"{whole}e{exponent}")


def plain(value: Decimal) -> str:
    """Digits without exponent or trailing zeros, as files and ``--json`` write them.

    Examples
    --------
    >>> plain(Decimal("1.50E+3")), plain(Decimal("0.0000035000")), plain(Decimal("-0.0"))
    ('1500', '0.0000035', '0')
    """
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
