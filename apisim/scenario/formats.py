"""Exact quantities back to the texts a scenario is written in, for messages and resolved files."""

from decimal import Decimal
from fractions import Fraction

from apisim.scenario.units import (
    DURATION_UNITS_NS,
    MAX_DECIMALS,
    RATE_PERIODS_S,
    SIZE_UNITS_BYTES,
)

__all__ = ["article", "counted", "format_duration", "format_rate", "format_size"]


def article(name: str) -> str:
    """Name of a class with its article.

    Examples
    --------
    >>> article("Sweep"), article("Advised"), article("int")
    ('a Sweep', 'an Advised', 'an int')
    """
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun; a plural that does not end in s is given.

    Examples
    --------
    >>> counted(1, "row"), counted(1234, "row"), counted(2, "entry", "entries")
    ('1 row', '1,234 rows', '2 entries')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def format_duration(duration_ns: int) -> str:
    """Text that :func:`apisim.scenario.units.parse_duration` reads back to the same nanoseconds.

    Examples
    --------
    >>> format_duration(5_400_000_000_000), format_duration(1_500_000_000), format_duration(40_000)
    ('1h30m', '1.5s', '40us')
    """
    if duration_ns == 0:
        return "0s"
    parts = []
    rest = duration_ns
    for unit in ("d", "h", "m"):
        count, rest = divmod(rest, DURATION_UNITS_NS[unit])
        if count:
            parts.append(f"{count}{unit}")
    for unit in ("s", "ms", "us", "ns"):
        scale = DURATION_UNITS_NS[unit]
        if rest >= scale:
            # The largest unit in which six decimals are enough; what they cannot hold follows.
            step = max(1, scale // 10**MAX_DECIMALS)
            whole, rest = rest - rest % step, rest % step
            number = (Decimal(whole) / scale).normalize()
            parts.append(f"{number:f}{unit}")
    return "".join(parts)


def format_size(size_bytes: int) -> str:
    """Text of a size in the largest unit that divides it.

    Examples
    --------
    >>> format_size(65536), format_size(1000)
    ('64KB', '1000B')
    """
    for unit in ("TB", "GB", "MB", "KB"):
        if size_bytes and size_bytes % SIZE_UNITS_BYTES[unit] == 0:
            return f"{size_bytes // SIZE_UNITS_BYTES[unit]}{unit}"
    return f"{size_bytes}B"


def format_rate(rate: Fraction) -> str:
    """Text of a rate per second, minute, hour or day, whichever is a short decimal.

    Examples
    --------
    >>> format_rate(Fraction(500)), format_rate(Fraction(5, 3))
    ('500/s', '100/min')
    """
    for period, seconds in RATE_PERIODS_S.items():
        scaled = rate * seconds * 10**MAX_DECIMALS
        if scaled.denominator == 1:
            number = (Decimal(scaled.numerator) / 10**MAX_DECIMALS).normalize()
            return f"{number:f}/{period}"
    return f"{float(rate):.9g}/s"
