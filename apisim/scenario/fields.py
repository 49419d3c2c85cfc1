"""Types of single values: what may be written, its range, and what it becomes.

Each type is a pydantic annotation built by one of the functions below: the Python type the engine
sees, the reader that produces it from YAML, and the JSON schema an editor checks it with. A range
belongs to the type, is part of every message about it, and names whose limit it is.
"""

import copy
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from apisim.scenario.model import Context, context_of, fail
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import (
    UnitError,
    decimal_of,
    parse_duration,
    parse_number,
    parse_rate,
    parse_share,
    parse_size,
    shown,
)

__all__ = [
    "DURATION_SCHEMA",
    "MAX_DURATION",
    "MAX_RATE",
    "SIZE_SCHEMA",
    "Reader",
    "choice",
    "decimal",
    "duration",
    "flag",
    "input_file",
    "name",
    "number",
    "rate",
    "read_input_file",
    "share",
    "size",
    "text",
    "whole",
]

#: Longest time anything may take: a leap year.
MAX_DURATION: Final = "366d"
#: Highest rate of anything [1/s].
MAX_RATE: Final = 10_000_000

_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,127}"
DURATION_SCHEMA: Final = {
    "type": ["string", "integer"],
    "pattern": r"^(\s*[0-9]+(\.[0-9]+)?\s*(d|h|min|m|s|ms|us|µs|ns))+\s*$",
    "maximum": 0,
    "minimum": 0,
    "description": "A duration with its unit: 250ms, 10s, 1h30m.",
}
SIZE_SCHEMA: Final = {
    "type": ["string", "integer"],
    "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*([KMGTkmgt][Ii]?)?[Bb]\s*$",
    "maximum": 0,
    "minimum": 0,
    "description": "A size with its unit: 300B, 64KB (65,536 bytes), 1.6GB.",
}
_SHARE_SCHEMA: Final = {
    "type": ["string", "integer"],
    "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*$",
    "maximum": 0,
    "minimum": 0,
    "description": "A share in percent: 1%, 0.5%.",
}
_RATE_SCHEMA: Final = {
    "type": ["string", "number"],
    "pattern": r"^\s*[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?\s*(/(s|min|h|d))?\s*$",
    "minimum": 0,
    "maximum": MAX_RATE,
    "description": "A rate: 500 (per second), 500/s, 30/min, 1/h.",
}


class Reader:
    """Annotation of a value that ``read`` turns from YAML into what the engine sees.

    Parameters
    ----------
    read : callable
        Takes the plain value and the context; raises :class:`UnitError` or what ``fail`` makes.
    schema : dict
        JSON schema of what may be written.
    """

    def __init__(self, read: Callable[[Any, Context], Any], schema: dict[str, Any]) -> None:
        self.read = read
        self.schema = schema

    def validate(self, value: Any, info: ValidationInfo) -> Any:
        """Value the engine sees; what is wrong becomes a finding."""
        try:
            return self.read(value, context_of(info))
        except UnitError as error:
            raise fail(error.message, error.hint) from None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return copy.deepcopy(self.schema)


def _check(value: Any, low: Any, high: Any, shows: tuple[str, str, str], owner: str) -> None:
    """Refuse what is outside ``low`` to ``high``; ``shows`` are value and limits as texts."""
    of = f" of {owner}" if owner else ""
    allowed = f"allowed: {shows[1]} to {shows[2]}"
    if value < low:
        raise UnitError(f"{shows[0]} is below the {shows[1]} minimum{of}", allowed)
    if value > high:
        raise UnitError(f"{shows[0]} is above the {shows[2]} maximum{of}", allowed)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)


def duration(low: str = "0s", high: str = MAX_DURATION, owner: str = "") -> Reader:
    """Duration in nanoseconds, from ``low`` to ``high``; ``owner`` sets that limit."""
    low_ns, high_ns = parse_duration(low), parse_duration(high)

    def read(value: Any, context: Context) -> int:
        result = parse_duration(value)
        _check(result, low_ns, high_ns, (_plain(value), low, high), owner)
        return result

    return Reader(read, DURATION_SCHEMA)


def size(low: str = "0B", high: str = "1TB", owner: str = "", multiple: str = "1B") -> Reader:
    """Size in bytes, from ``low`` to ``high``, a multiple of ``multiple``."""
    low_bytes, high_bytes, step = parse_size(low), parse_size(high), parse_size(multiple)

    unit = multiple.lstrip("0123456789")  # what a bare number is likely to be meant in

    def read(value: Any, context: Context) -> int:
        result = parse_size(value, unit)
        _check(result, low_bytes, high_bytes, (_plain(value), low, high), owner)
        if result % step:
            raise UnitError(f"{_plain(value)} is not a multiple of {multiple}")
        return result

    return Reader(read, SIZE_SCHEMA)


def rate(low: int = 0, high: int = MAX_RATE, owner: str = "") -> Reader:
    """Rate per second as an exact fraction."""

    def read(value: Any, context: Context) -> Fraction:
        shows = (_plain(value), f"{low}/s", f"{high}/s")
        try:
            result = parse_rate(value)
        except UnitError as error:
            hint = error.hint or f"allowed: {low}/s to {high}/s, at most 6 decimal places"
            raise UnitError(error.message, hint) from None
        _check(result, low, high, shows, owner)
        return result

    return Reader(read, {**_RATE_SCHEMA, "minimum": low, "maximum": high})


def share() -> Reader:
    """Share in [0, 1], written in percent."""
    return Reader(lambda value, context: parse_share(value), _SHARE_SCHEMA)


def whole(low: int, high: int, owner: str = "") -> Reader:
    """Whole number from ``low`` to ``high``."""

    def read(value: Any, context: Context) -> int:
        exact = decimal_of(value)
        if exact is None or (abs(exact) < Decimal(10) ** 30 and exact != exact.to_integral_value()):
            hint = f"allowed: {low} to {high}"
            if isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]{1,40}", value):
                hint = f"remove the quotes: {value}"
            raise UnitError(f"must be a whole number, got {shown(value)}", hint)
        _check(exact, low, high, (shown(value), str(low), str(high)), owner)
        return int(exact)

    return Reader(read, {"type": "integer", "minimum": low, "maximum": high})


def number(low: str, high: str, *, exclusive_low: bool = False, exact: bool = False) -> Reader:
    """Number from ``low`` (or above it) to ``high``: a float, or a Fraction when ``exact``."""
    low_exact, high_exact = Fraction(low), Fraction(high)

    def read(value: Any, context: Context) -> float | Fraction:
        allowed = f"allowed: {'above ' if exclusive_low else ''}{low} to {high}"
        try:
            result = parse_number(value)
        except UnitError as error:
            raise UnitError(error.message, error.hint or allowed) from None
        if exclusive_low and result == low_exact:
            raise UnitError(f"must be above {low}, got {shown(value)}", allowed)
        _check(result, low_exact, high_exact, (shown(value), low, high), "")
        return result if exact else float(result)

    bound = "exclusiveMinimum" if exclusive_low else "minimum"
    return Reader(read, {"type": "number", bound: float(low_exact), "maximum": float(high_exact)})


def decimal(low: str, high: str) -> Reader:
    """Exact decimal, written as a number or, to keep trailing digits, as a text."""
    low_exact, high_exact = Decimal(low), Decimal(high)

    def read(value: Any, context: Context) -> Decimal:
        result = decimal_of(value)
        written = value.strip() if isinstance(value, str) else ""
        if re.fullmatch(r"[-+]?[0-9]{1,40}(\.[0-9]{1,40})?", written):
            result = Decimal(written)
        if result is None:
            raise UnitError(f"must be a number, got {shown(value)}", f"allowed: {low} to {high}")
        _check(result, low_exact, high_exact, (_plain(value), low, high), "")
        return result

    schema = {"type": ["number", "string"], "pattern": r"^[-+]?[0-9]+(\.[0-9]+)?$"}
    return Reader(read, schema)


def choice(*allowed: str | int, later: tuple[str, ...] = ()) -> Reader:
    """One of a few words or numbers; ``later`` are those a later version will know."""

    def read(value: Any, context: Context) -> str | int:
        for candidate in allowed:
            if not isinstance(value, bool) and value in (candidate, str(candidate)):
                return candidate
        words = ", ".join(map(str, allowed))
        one_of = "one of " if len(allowed) > 1 else ""
        if value in later:
            raise UnitError(f"{value} is not modelled yet", f"use {one_of}{words}")
        hint = ""
        if isinstance(value, str):
            hint = did_you_mean(value, map(str, allowed), may_list=False)
        raise UnitError(f"must be {one_of}{words}, got {shown(value)}", hint)

    numeric = [str(candidate) for candidate in allowed if isinstance(candidate, int)]
    return Reader(read, {"enum": [*allowed, *numeric]})


def flag() -> Reader:
    """True or false."""

    def read(value: Any, context: Context) -> bool:
        if isinstance(value, bool):
            return value
        raise UnitError(f"must be true or false, got {shown(value)}")

    return Reader(read, {"type": "boolean"})


def text(max_length: int) -> Reader:
    """Free text of at most ``max_length`` characters; numbers are taken as they are written."""

    def read(value: Any, context: Context) -> str:
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            value = shown(value)
        if not isinstance(value, str):
            raise UnitError(f"must be a text, got {shown(value)}")
        if len(value) > max_length:
            raise UnitError(f"{len(value):,} characters are above the {max_length:,} maximum")
        return value

    return Reader(read, {"type": ["string", "number"], "maxLength": max_length})


def name() -> Reader:
    """Name other keys refer to: letters, digits, ``_`` and ``-``."""

    def read(value: Any, context: Context) -> str:
        if isinstance(value, str) and re.fullmatch(_NAME, value):
            return value
        hint = "letters, digits, _ and - only, at most 128"
        raise UnitError(f"must be a name, got {shown(value)}", hint)

    return Reader(read, {"type": "string", "pattern": f"^{_NAME}$"})


def read_input_file(value: Any, context: Context) -> Path:
    """Path of an existing file.

    Relative names start where the scenario is; those of ``--set`` were made absolute before.

    Raises
    ------
    UnitError
        If it is no name of a file that exists.
    """
    if not isinstance(value, str) or not value or "\0" in value:
        raise UnitError(f"must be a file name, got {shown(value)}")
    path = context.base / value
    try:
        if path.is_file():
            return path
        wrong = "is not a file" if path.exists() else "does not exist"
    except OSError as error:
        wrong = f"cannot be opened: {error.strerror}"
    raise UnitError(f"{value} {wrong}", "relative names start in the scenario's directory")


def input_file() -> Reader:
    """Existing file, see :func:`read_input_file`."""
    return Reader(read_input_file, {"type": "string"})
