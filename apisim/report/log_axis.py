"""Logarithmic axes with numbers that people read, however little of a decade they show."""

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.axis import Axis

__all__ = ["is_within_a_decade", "label_log_axis", "plain_number", "ticks_around"]

_MANY_DECADES: Final = 2.5
#: Parts of a decade that hold less than two numbers of the series 1, 2, 5, 10.
_FEW: Final = 0.65


def is_within_a_decade(low: float, high: float) -> bool:
    """Whether a range is so short that numbers of the series 1, 2, 5, 10 do not describe it.

    Examples
    --------
    >>> is_within_a_decade(318.0, 352.0), is_within_a_decade(10.0, 50.0)
    (True, False)
    """
    return math.log10(high / low) < _FEW


def label_log_axis(axis: "Axis", low: float, high: float) -> None:
    """Number a logarithmic axis: decades, or 1, 2 and 5 of each, or even steps of a short range.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
    low, high : float
        What it shows, above 0.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    if is_within_a_decade(low, high):
        axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    else:
        has_many = math.log10(high / low) > _MANY_DECADES
        axis.set_major_locator(LogLocator(subs=(1.0,) if has_many else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain_number(value)))
    axis.set_minor_formatter(NullFormatter())


def plain_number(value: float) -> str:
    """A number of an axis without an exponent.

    Examples
    --------
    >>> plain_number(0.00001), plain_number(0.5), plain_number(20_000.0)
    ('0.00001', '0.5', '20,000')
    """
    whole, _, rest = f"{value:,.12f}".partition(".")
    rest = rest.rstrip("0")
    return f"{whole}.{rest}" if rest else whole


def ticks_around(low: float, high: float) -> tuple[float, float]:
    """Numbers of the series 1, 2, 5, 10, ... next to a range, outside it.

    Examples
    --------
    >>> ticks_around(12.0, 430.0), ticks_around(0.5, 0.7)
    ((10.0, 500.0), (0.5, 1.0))
    """
    first, last = math.floor(math.log10(low)), math.floor(math.log10(high))
    # Written out as decimals: 10.0**-3 * 5 is not 0.005.
    below = [float(f"{digit}e{first}") for digit in (1, 2, 5)]
    above = [float(f"{digit}e{last}") for digit in (1, 2, 5, 10)]
    return max(tick for tick in below if tick <= low), min(tick for tick in above if tick >= high)
