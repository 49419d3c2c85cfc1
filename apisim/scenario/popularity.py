"""Popularity of values: which user, product or token a request is about.

``{zipf: s, of: n}`` and ``{uniform: n}`` number the values, rank 0 first; ``{value: weight, ...}``
names them. The result is a description that can be drawn from; names are kept beside it, in the
order in which they are written.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Final, TypeAlias

from apisim.draws.discrete import UniformKeys, WeightedKeys, ZipfKeys
from apisim.scenario.fields import Reader
from apisim.scenario.model import Context, Finding, fail, fail_all
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import UnitError, parse_number, parse_share, shown

__all__ = ["KeySpec", "Popularity", "names_of", "read_weights"]

KeySpec: TypeAlias = UniformKeys | ZipfKeys | WeightedKeys

_MAX_KEYS: Final = 1_000_000_000
_MAX_WEIGHT: Final = 1_000_000_000
_MAX_EXPONENT: Final = 20


def _weight(value: Any) -> Fraction:
    if isinstance(value, str) and value.strip().endswith("%"):
        return Fraction(str(parse_share(value)))
    weight = parse_number(value)
    if not 0 <= weight <= _MAX_WEIGHT:
        raise UnitError(f"{shown(value)} is outside 0 to {_MAX_WEIGHT}", "weights are 0 or more")
    return weight


def read_weights(value: Mapping[str, Any]) -> tuple[float, ...]:
    """Weights of a mapping name -> weight, each a number or a percentage.

    Raises
    ------
    PydanticCustomError
        If one is no weight, or all are 0.
    """
    weights: list[Fraction] = []
    findings: list[Finding] = []
    for name, written in value.items():
        try:
            weights.append(_weight(written))
        except UnitError as error:
            findings.append(Finding((name,), error.message, error.hint))
    if findings:
        raise fail_all(findings)
    if not any(weights):
        raise fail("all weights are 0" if weights else "is empty", "give one a weight above 0")
    return tuple(float(weight) for weight in weights)


def _count(value: Any, at: str) -> int:
    exact: Fraction | None
    try:
        exact = parse_number(value)
    except UnitError:
        exact = None
    if exact is None or exact.denominator != 1 or not 1 <= exact <= _MAX_KEYS:
        message = f"must be a whole number from 1 to {_MAX_KEYS}, got {shown(value)}"
        raise fail(message, at=(at,))
    return exact.numerator


def _read(value: Any, context: Context) -> KeySpec:
    if not isinstance(value, Mapping):
        hint = "write {zipf: 1.1, of: 50000}, {uniform: 25} or {red: 3, blue: 1}"
        raise fail(f"must be a mapping, got {shown(value)}", hint)
    if "zipf" in value:
        for key in value:
            if key not in ("zipf", "of"):
                raise fail("unknown key", did_you_mean(key, ("zipf", "of")), at=(key,))
        if "of" not in value:
            raise fail("of is required", "write {zipf: 1.1, of: 50000}")
        n = _count(value["of"], "of")
        try:
            s = parse_number(value["zipf"])
        except UnitError as error:
            raise fail(error.message, error.hint, at=("zipf",)) from None
        if not 0 <= s <= _MAX_EXPONENT:
            raise fail(f"{shown(value['zipf'])} is outside 0 to {_MAX_EXPONENT}", at=("zipf",))
        return ZipfKeys(float(s), n)
    if set(value) == {"uniform"}:
        return UniformKeys(_count(value["uniform"], "uniform"))
    return WeightedKeys(read_weights(value))


def names_of(value: Any) -> tuple[str, ...]:
    """Names of the values in the order of their ranks; empty when they are only numbered."""
    if not isinstance(value, Mapping) or "zipf" in value or set(value) == {"uniform"}:
        return ()
    return tuple(map(str, value))


_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"type": ["number", "string"]},
    "description": "Popularity: {zipf: s, of: n}, {uniform: n} or {value: weight, ...}.",
}
#: Popularity of the values of one parameter.
Popularity: TypeAlias = Annotated[KeySpec, Reader(_read, _SCHEMA)]
