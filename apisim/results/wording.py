"""Numbers as people read them: three digits, the right unit, thousands apart."""

import math
from decimal import Decimal
from typing import Final

from apisim.scenario.formats import counted

__all__ = [
    "NOTHING",
    "bytes_text",
    "count_text",
    "counted",
    "moment_text",
    "rate_text",
    "share_text",
    "time_text",
]

#: Stands for a number that does not exist.
NOTHING: Final = "-"

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_KILOBYTE: Final = 1024
_MAX_SHOWN: Final = 1000


def three_digits(value: float) -> str:
    """Three significant digits, without an exponent; whole numbers keep all of theirs.

    Examples
    --------
    >>> three_digits(12.345), three_digits(0.98765), three_digits(1234.5), three_digits(7)
    ('12.3', '0.988', '1,234', '7')
    """
    if value == int(value):
        return f"{int(value):,}"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def quantity_text(quantity: Decimal) -> str:
    """A quantity of a bill: whole from 1,000 up, three significant digits below.

    Examples
    --------
    >>> quantity_text(Decimal("46064486.52")), quantity_text(Decimal("0.008333"))
    ('46,064,487', '0.00833')
    """
    if abs(quantity) >= _MAX_SHOWN:
        return f"{quantity:,.0f}"
    return three_digits(_rounded(float(quantity)))


def count_text(count: int) -> str:
    """A count with its thousands apart."""
    return f"{count:,}"


def time_text(time_ms: float) -> str:
    """A time in the unit in which it has at most three digits before the point.

    Parameters
    ----------
    time_ms : float
        In milliseconds; NaN is :data:`NOTHING`.

    Examples
    --------
    >>> time_text(0.0421), time_text(12.345), time_text(1703.5), time_text(150_000)
    ('42.1 µs', '12.3 ms', '1.70 s', '2.50 min')
    """
    if math.isnan(time_ms):
        return NOTHING
    if time_ms == 0:
        return "0 ms"
    units = (("µs", 1e-3), ("ms", 1.0), ("s", 1e3), ("min", 6e4), ("h", 3.6e6))
    chosen, size = units[0]
    for unit, scale in units:
        # 999.96 would be shown as 1,000.
        limit = 0.9995 if unit in {"ms", "s"} else 1.9995
        if time_ms >= scale * limit and unit != "µs":
            chosen, size = unit, scale
    return f"{three_digits(_rounded(time_ms / size))} {chosen}"


def moment_text(time_s: float) -> str:
    """A moment of simulated time, precise enough to be looked up.

    Parameters
    ----------
    time_s : float
        In seconds from the start; NaN is :data:`NOTHING`.

    Examples
    --------
    >>> moment_text(9.9833), moment_text(725.2), moment_text(50_000.4)
    ('9.983 s', '12m 05.2s', '13h 53m 20s')
    """
    if math.isnan(time_s):
        return NOTHING
    if time_s < _MINUTE_S:
        return f"{round(time_s, 3):g} s"
    if round(time_s, 1) < _HOUR_S:
        minutes, seconds = divmod(round(time_s, 1), _MINUTE_S)
        return f"{minutes:.0f}m {seconds:04.1f}s"
    minutes, seconds = divmod(round(time_s), _MINUTE_S)
    hours, minutes = divmod(minutes, _MINUTE_S)
    return f"{hours}h {minutes:02}m {seconds:02}s"


def rate_text(per_second: float) -> str:
    """A rate a second."""
    return NOTHING if math.isnan(per_second) else f"{three_digits(_rounded(per_second))}/s"


def share_text(share: float) -> str:
    """A share in percent; a small one is never shown as 0, a large one never as 100.

    Examples
    --------
    >>> share_text(0.4532), share_text(0.0), share_text(0.00004), share_text(0.99996)
    ('45.3%', '0%', '0.004%', '99.996%')
    """
    if math.isnan(share):
        return NOTHING
    percent = share * 100
    if not 0 < percent < 100:
        return f"{percent:.0f}%"
    distance = min(percent, 100 - percent)
    decimals = 1 if distance >= 0.1 else -math.floor(math.log10(distance))
    return f"{percent:.{decimals}f}%"


def bytes_text(size: float) -> str:
    """A size in B, KB (1,024 B), MB, GB or TB.

    Examples
    --------
    >>> bytes_text(512), bytes_text(1_234_676), bytes_text(float("nan"))
    ('512 B', '1.18 MB', '-')
    """
    if math.isnan(size):
        return NOTHING
    for unit in ("B", "KB", "MB", "GB"):
        if size < _MAX_SHOWN:
            return f"{three_digits(_rounded(size))} {unit}"
        size /= _KILOBYTE
    return f"{three_digits(_rounded(size))} TB"


def _rounded(value: float) -> float:
    """Three significant digits: 999.96 is 1,000 before its digits are counted."""
    return float(f"{value:.3g}") if value < _MAX_SHOWN else value
