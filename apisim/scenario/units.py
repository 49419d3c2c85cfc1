"""Quantities with units: the texts a scenario is written in, and the exact integers inside.

Durations become integer nanoseconds, sizes integer bytes, rates exact fractions per second and
shares floats in [0, 1]. Everything is computed from the decimal as written, never through a binary
float: 0.3/s is three tenths. A bare number is a rate per second or a plain number; a bare duration,
size or share is refused, because nobody can tell which unit was meant. Zero needs no unit.
"""

import re
from decimal import Decimal, DecimalException
from fractions import Fraction
from typing import Final

from apisim.scenario.problems import printable

__all__ = [
    "DURATION_UNITS_NS",
    "MAX_DECIMALS",
    "RATE_PERIODS_S",
    "SIZE_UNITS_BYTES",
    "UnitError",
    "decimal_of",
    "parse_bandwidth",
    "parse_duration",
    "parse_number",
    "parse_rate",
    "parse_share",
    "parse_size",
    "shown",
]

#: Decimal places a rate or a quantity may have: what makes token buckets exact in 62 bits.
MAX_DECIMALS: Final = 6

#: Largest power of ten looked at; far above every documented range, far below what would be slow.
_MAX_EXPONENT: Final = 30
_MAX_DIGITS: Final = 100

DURATION_UNITS_NS: Final[dict[str, int]] = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "min": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "µs": 1_000,
    "ns": 1,
}

#: KB is 1,024 bytes, as AWS counts payloads; KiB says the same.
SIZE_UNITS_BYTES: Final[dict[str, int]] = {
    "B": 1,
    **{f"{prefix}{i}B": 1024**n for n, prefix in enumerate("KMGT", 1) for i in ("", "i")},
}

#: Bits per second count in thousands.
BANDWIDTH_UNITS_BPS: Final[dict[str, int]] = {
    "bps": 1,
    "kbps": 1_000,
    "Mbps": 1_000_000,
    "Gbps": 1_000_000_000,
}

RATE_PERIODS_S: Final[dict[str, int]] = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}

_DURATION_PART = re.compile(r"\s*([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*(d|h|min|ms|m|s|us|µs|μs|ns)")
_QUANTITY = re.compile(r"\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*([A-Za-z%/]*)\s*")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


class UnitError(ValueError):
    """A text that is not the quantity asked for.

    Parameters
    ----------
    message : str
        What is wrong with it.
    hint : str
        What to write instead; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def shown(value: object) -> str:
    """Value as an error message shows it: short, and in YAML's words.

    Examples
    --------
    >>> shown("abc"), shown(None), shown([1, 2])
    ('"abc"', 'nothing', 'a list')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= 15:
        value = f"{value:f}" if value else "0"
        return value if len(value) <= 60 else value[:57] + "..."
    if isinstance(value, int) and value.bit_length() > 10_000:  # str() refuses 4,300 digits
        return "a number of thousands of digits"
    text = str(value)
    text = text if len(text) <= 60 else text[:57] + "..."
    if isinstance(value, str):
        return '"' + printable(text.replace("\\", r"\\").replace('"', r"\"")) + '"'
    return text


def decimal_of(value: object) -> Decimal | None:
    """Exact decimal of a number, or None when the value is not a finite number of sane size.

    Parameters
    ----------
    value : object
        int, float, Decimal or Fraction with a finite decimal expansion; bool is not a number.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        # str() of an integer is quadratic and limited to 4,300 digits.
        return Decimal(value) if value.bit_length() <= 4 * _MAX_EXPONENT else Decimal("1e999")
    if isinstance(value, float):
        value = Decimal(repr(float(value)))  # numpy's floats are floats with another repr
    if isinstance(value, Fraction):
        value = Decimal(value.numerator) / Decimal(value.denominator)
    if isinstance(value, Decimal) and value.is_finite():
        return value
    return None


def _exact(number: Decimal, text: str) -> Fraction:
    """Fraction of a decimal with at most six places; refuses what only looks like a number.

    The magnitude is looked at first: turning 1e-400000000 into a fraction would take for ever.
    """
    if not number:
        return Fraction(0)
    if number.adjusted() > _MAX_EXPONENT:
        raise UnitError(f"{text} is too large")
    if number.adjusted() >= -MAX_DECIMALS and len(number.as_tuple().digits) <= _MAX_DIGITS:
        exact = Fraction(number)
        if (exact * 10**MAX_DECIMALS).denominator == 1:
            return exact
    raise UnitError(f"{text} has more than {MAX_DECIMALS} decimal places")


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except DecimalException:
        raise UnitError(f"{shown(text)} is not a number") from None
    if not number.is_finite():
        raise UnitError(f"{shown(text)} is not a finite number")
    return number


def parse_number(value: object) -> Fraction:
    """Plain number, exact.

    Parameters
    ----------
    value : object
        int, float or Decimal; a string is refused.

    Returns
    -------
    fractions.Fraction
        The decimal as written.

    Raises
    ------
    UnitError
        If it is not a finite number with at most six decimal places.
    """
    number = decimal_of(value)
    if number is None:
        hint = ""
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            hint = f"remove the quotes: {value}"
        raise UnitError(f"must be a number, got {shown(value)}", hint)
    return _exact(number, shown(value))


def _bare_duration(shows: str, number: str) -> UnitError:
    hint = f"write {number}s or {number}ms" if len(number) <= 20 else "write e.g. 250ms or 10s"
    return UnitError(f"{shows} has no unit; a duration needs one", hint)


def parse_duration(value: object) -> int:
    """Duration in nanoseconds.

    Parameters
    ----------
    value : object
        Text such as ``250ms``, ``1h30m``, ``1.5s``, ``500us``; or 0.

    Returns
    -------
    int
        Duration [ns], >= 0.

    Raises
    ------
    UnitError
        If there is no unit, the text is no duration, or it is no whole number of nanoseconds.

    Examples
    --------
    >>> parse_duration("1h30m"), parse_duration("1.5s"), parse_duration("100ns")
    (5400000000000, 1500000000, 100)
    """
    number = decimal_of(value)
    if number is not None:
        if number == 0:
            return 0
        raise _bare_duration(shown(value), shown(value))
    if not isinstance(value, str):
        raise UnitError(f"must be a duration, got {shown(value)}", "write e.g. 250ms, 10s or 1h30m")
    text = value.strip()
    if text.startswith("-"):
        raise UnitError(f"{shown(value)} is negative", "durations are 0 or more")
    if _NUMBER.fullmatch(text):
        raise _bare_duration(shown(value), text)
    total, at, last = Fraction(0), 0, None
    while at < len(text):
        part = _DURATION_PART.match(text, at)
        # Units fall from left to right: 30m1h and 1s1s are more likely slips than meant.
        scale = DURATION_UNITS_NS[part[2].replace("\u03bc", "µ")] if part else 0
        if part is None or (last is not None and scale >= last):
            raise UnitError(f"{shown(value)} is not a duration", "write e.g. 250ms, 10s or 1h30m")
        total += _exact(_decimal(part[1]), value) * scale
        last, at = scale, part.end()
    if last is None:
        raise UnitError("is empty", "write e.g. 250ms, 10s or 1h30m")
    if total.denominator != 1:
        raise UnitError(f"{value} is not a whole number of nanoseconds")
    return total.numerator


def parse_size(value: object, unit: str = "B") -> int:
    """Size in bytes; a decimal number of units is rounded to the nearest byte.

    Parameters
    ----------
    value : object
        Text such as ``300B``, ``64KB`` (the same as ``64KiB``), ``1.6GB``; or 0.
    unit : str
        What the hint proposes for a number without one.

    Returns
    -------
    int
        Size [bytes], >= 0.

    Raises
    ------
    UnitError
        If there is no unit or the text is no size.

    Examples
    --------
    >>> parse_size("64KB"), parse_size("64KiB"), parse_size("300B")
    (65536, 65536, 300)
    """
    number = decimal_of(value)
    if number is not None:
        if number == 0:
            return 0
        raise UnitError(
            f"{shown(value)} has no unit; a size needs one", f"write {shown(value)}{unit}"
        )
    if not isinstance(value, str):
        raise UnitError(f"must be a size, got {shown(value)}", "write e.g. 300B, 64KB or 1.6GB")
    match = _QUANTITY.fullmatch(value)
    if match and not match[2]:
        raise UnitError(f"{shown(value)} has no unit; a size needs one", f"write {match[1]}{unit}")
    units = {unit.casefold(): scale for unit, scale in SIZE_UNITS_BYTES.items()}
    if match is None or match[2].casefold() not in units:
        raise UnitError(f"{shown(value)} is not a size", "write e.g. 300B, 64KB or 1.6GB")
    amount = _exact(_decimal(match[1]), value)
    if amount < 0:
        raise UnitError(f"{shown(value)} is negative", "sizes are 0 or more")
    return round(amount * units[match[2].casefold()])


def parse_bandwidth(value: object) -> Fraction:
    """Bits per second.

    Parameters
    ----------
    value : object
        Text such as ``20Mbps``, ``500kbps``, ``1.5Gbps``; letters may be large or small, but
        ``MBps`` is refused: it would be bytes.

    Raises
    ------
    UnitError
        If there is no unit, it is one of bytes, or the text is no bandwidth.

    Examples
    --------
    >>> parse_bandwidth("20Mbps")
    Fraction(20000000, 1)
    """
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match and match[2] in ("Bps", "kBps", "KBps", "MBps", "GBps"):
        hint = "write eight times as many bits, e.g. 20Mbps for 2.5 megabytes"
        raise UnitError(f"{shown(value)} is in bytes, a bandwidth is in bits", hint)
    units = {unit.casefold(): scale for unit, scale in BANDWIDTH_UNITS_BPS.items()}
    if match is None or match[2].casefold() not in units:
        raise UnitError(f"{shown(value)} is not a bandwidth", "write e.g. 20Mbps or 500kbps")
    return _exact(_decimal(match[1]), shown(value)) * units[match[2].casefold()]


def parse_rate(value: object) -> Fraction:
    """Rate per second, exactly the decimal as written.

    Parameters
    ----------
    value : object
        A number (per second) or a text such as ``500/s``, ``30/min``, ``1/h``.

    Returns
    -------
    fractions.Fraction
        Rate [1/s]; the caller checks its range.

    Raises
    ------
    UnitError
        If it is no rate or has more than six decimal places.

    Examples
    --------
    >>> parse_rate("100/min"), parse_rate(0.3)
    (Fraction(5, 3), Fraction(3, 10))
    """
    number = decimal_of(value)
    if number is not None:
        return _exact(number, shown(value))
    if not isinstance(value, str):
        raise UnitError(f"must be a rate, got {shown(value)}", "write e.g. 500/s, 30/min or 500")
    match = _QUANTITY.fullmatch(value)
    period = match[2].removeprefix("/") if match else ""
    if match is None or (match[2] and not match[2].startswith("/")):
        raise UnitError(f"{shown(value)} is not a rate", "write e.g. 500/s, 30/min or 500")
    if match[2] and period not in RATE_PERIODS_S:
        hint = "write min for a minute" if period == "m" else "use /s, /min, /h or /d"
        raise UnitError(f"{shown(value)} is not a rate", hint)
    return _exact(_decimal(match[1]), shown(value)) / RATE_PERIODS_S[period or "s"]


def parse_share(value: object) -> float:
    """Share of a whole, written in percent.

    Parameters
    ----------
    value : object
        Text such as ``1%`` or ``0.5%``; or 0.

    Returns
    -------
    float
        Share in [0, 1].

    Raises
    ------
    UnitError
        If it is not a percentage from 0% to 100%.

    Examples
    --------
    >>> parse_share("0.5%")
    0.005
    """
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    number = decimal_of(value)
    if match and not match[2]:
        number = _decimal(match[1])
    if number is not None:
        if number == 0 and not match:
            return 0.0
        hint = "write e.g. 1% or 0.5%"
        if 0 < number <= 1 and number.adjusted() >= -MAX_DECIMALS:
            hint = f"write {(number * 100).normalize():f}%, or {number:f}% if that was meant"
        raise UnitError(f"{shown(value)} has no percent sign; a share needs one", hint)
    if match is None or match[2] != "%":
        raise UnitError(f"must be a share, got {shown(value)}", "write e.g. 1% or 0.5%")
    share = _exact(_decimal(match[1]), shown(value)) / 100
    if not 0 <= share <= 1:
        raise UnitError(f"{value} is outside 0% to 100%")
    return float(share)
