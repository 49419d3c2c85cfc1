"""Distributions as a scenario writes them, turned into descriptions that can be drawn from.

Wherever a time or a size is asked for: ``40ms`` (constant), ``{p50, p99}`` (log-normal through
both), ``{mean, p99}``, ``{exponential: 20ms}``, ``{uniform: [5ms, 9ms]}``, ``{gamma: {mean, cv}}``,
``{pareto: {min, alpha}}``, ``{quantiles: {50: .., 99: ..}}``, ``{samples: file.csv, column: x}``
(times also need ``unit: ms``) and ``{mixture: [[0.99, {...}], [0.01, {...}]]}``. Times become
nanoseconds, sizes bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException
from itertools import pairwise
from typing import Annotated, Any, Final, TypeAlias

from apisim.draws.distributions import (
    Constant,
    Distribution,
    Exponential,
    Gamma,
    LogNormal,
    LogNormalMean,
    Mixture,
    Pareto,
    Quantiles,
    Samples,
    Uniform,
)
from apisim.scenario.columns import read_column
from apisim.scenario.fields import (
    DURATION_SCHEMA,
    MAX_DURATION,
    SIZE_SCHEMA,
    Reader,
    read_input_file,
)
from apisim.scenario.formats import format_duration, format_size
from apisim.scenario.model import Context, Finding, fail_all
from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.units import (
    DURATION_UNITS_NS,
    SIZE_UNITS_BYTES,
    UnitError,
    decimal_of,
    parse_duration,
    parse_number,
    parse_share,
    parse_size,
    shown,
)

__all__ = ["PayloadDistribution", "SentSizeDistribution", "TimeDistribution"]

#: Largest ratio of p99 to mean a log-normal can have: exp(z^2 / 2) with z the normal 99 % quantile.
_MAX_P99_OVER_MEAN: Final = 14.96


@dataclass(frozen=True)
class _Quantity:
    """What a distribution is of: how its values are read, shown and limited."""

    word: str
    parse: Callable[[object], int]
    format: Callable[[int], str]
    units: Mapping[str, int]
    high: str
    examples: str

    def shows(self, value: float) -> str:
        """Value as a scenario would write it."""
        return self.format(round(value))


_TIME: Final = _Quantity(
    "time", parse_duration, format_duration, DURATION_UNITS_NS, MAX_DURATION, "40ms"
)
#: API Gateway takes at most 10 MB in either direction (quotas of REST and HTTP APIs).
_PAYLOAD: Final = _Quantity("size", parse_size, format_size, SIZE_UNITS_BYTES, "10MB", "2KB")
#: What a caller or a backend sends may be larger than what is taken.
_SENT: Final = _Quantity("size", parse_size, format_size, SIZE_UNITS_BYTES, "1GB", "2KB")

#: The keys of each form, and those of them that may be left out.
_FORMS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "p50": (frozenset({"p50", "p99"}), frozenset()),
    "mean": (frozenset({"mean", "p99"}), frozenset()),
    "exponential": (frozenset({"exponential"}), frozenset()),
    "uniform": (frozenset({"uniform"}), frozenset()),
    "gamma": (frozenset({"gamma"}), frozenset()),
    "pareto": (frozenset({"pareto"}), frozenset()),
    "quantiles": (frozenset({"quantiles"}), frozenset()),
    "samples": (frozenset({"samples", "column", "unit"}), frozenset({"unit"})),
    "mixture": (frozenset({"mixture"}), frozenset()),
}


class _Stop(Exception):
    """Ends the reading of one form whose findings are already noted."""


@dataclass
class _Reading:
    """Reads one distribution; collects findings."""

    quantity: _Quantity
    context: Context
    findings: list[Finding] = field(default_factory=list)

    def refuse(self, at: Path, message: str, hint: str = "") -> _Stop:
        self.findings.append(Finding(at, message, hint))
        return _Stop()

    def read(self, value: Any, at: Path) -> Distribution:
        """Distribution at ``at``; raises _Stop after noting what is wrong."""
        if not isinstance(value, Mapping):
            return Constant(self.amount(value, at))
        keys = [str(key) for key in value]
        form = next((name for name in _FORMS if name in keys), None)
        if form is None:
            unknown = keys[0] if keys else ""
            hint = did_you_mean(unknown, _FORMS) if keys else "write e.g. {p50: 20ms, p99: 90ms}"
            raise self.refuse(at, "is not a distribution", hint)
        known, optional = _FORMS[form]
        wrong = False
        for key in keys:
            if key not in known:
                hint = did_you_mean(key, known) or f"{form} takes {', '.join(sorted(known))}"
                self.refuse((*at, key), "unknown key", hint)
                wrong = True
        for key in sorted(known - optional - set(keys)):
            self.refuse(at, f"{key} is required", f"{form} takes {', '.join(sorted(known))}")
            wrong = True
        if wrong:
            raise _Stop
        build = getattr(self, f"_{form}")
        try:
            result = build(value, at)
        except ValueError as error:
            # The description's own check, in nanoseconds or bytes: reached by what rounding does.
            raise self.refuse(at, str(error)) from None
        assert isinstance(result, Distribution)
        return result

    def amount(self, value: Any, at: Path, *, positive: bool = False) -> float:
        """Time or size in its final unit."""
        try:
            result = self.quantity.parse(value)
        except UnitError as error:
            raise self.refuse(at, error.message, error.hint) from None
        high = self.quantity.high
        if result > self.quantity.parse(high):
            raise self.refuse(at, f"{value} is above the {high} maximum", f"allowed: up to {high}")
        if positive and result == 0:
            raise self.refuse(at, "must be above 0", "a constant 0 is written as 0")
        return float(result)

    def number(self, value: Any, at: Path, low: str, high: str) -> float:
        """Plain number from ``low`` to ``high``."""
        try:
            result = parse_number(value)
        except UnitError as error:
            raise self.refuse(at, error.message, error.hint) from None
        if not Decimal(low) <= result <= Decimal(high):
            raise self.refuse(at, f"{shown(value)} is outside {low} to {high}")
        return float(result)

    def both(self, *readings: Callable[[], float]) -> tuple[float, ...]:
        """All of several values, or _Stop after every one of them was looked at."""
        results = []
        for reading in readings:
            try:
                results.append(reading())
            except _Stop:
                continue
        if len(results) < len(readings):
            raise _Stop
        return tuple(results)

    def parts(self, value: Any, at: Path, keys: tuple[str, str]) -> Mapping[str, Any]:
        """Mapping with exactly the two keys of gamma and pareto."""
        if isinstance(value, Mapping) and set(value) == set(keys):
            return value
        raise self.refuse(at, f"must be {{{keys[0]}: .., {keys[1]}: ..}}, got {shown(value)}")

    def _p50(self, value: Mapping[str, Any], at: Path) -> Distribution:
        p50, p99 = self.both(
            lambda: self.amount(value["p50"], (*at, "p50"), positive=True),
            lambda: self.amount(value["p99"], (*at, "p99"), positive=True),
        )
        if p99 < p50:
            message = f"p99 ({value['p99']}) is below p50 ({value['p50']})"
            raise self.refuse((*at, "p99"), message)
        return LogNormal(p50, p99)

    def _mean(self, value: Mapping[str, Any], at: Path) -> Distribution:
        mean, p99 = self.both(
            lambda: self.amount(value["mean"], (*at, "mean"), positive=True),
            lambda: self.amount(value["p99"], (*at, "p99"), positive=True),
        )
        if not mean <= p99 <= _MAX_P99_OVER_MEAN * mean:
            low, high = (self.quantity.shows(x * mean) for x in (1, _MAX_P99_OVER_MEAN))
            message = f"no log-normal with the mean {value['mean']} has the p99 {value['p99']}"
            raise self.refuse((*at, "p99"), message, f"allowed: {low} to {high}")
        return LogNormalMean(mean, p99)

    def _exponential(self, value: Mapping[str, Any], at: Path) -> Distribution:
        return Exponential(self.amount(value["exponential"], (*at, "exponential"), positive=True))

    def _uniform(self, value: Mapping[str, Any], at: Path) -> Distribution:
        ends, at = value["uniform"], (*at, "uniform")
        if not isinstance(ends, list) or len(ends) != 2:
            raise self.refuse(at, f"must be a list of two ends, got {shown(ends)}")
        low, high = self.both(
            lambda: self.amount(ends[0], (*at, 0)), lambda: self.amount(ends[1], (*at, 1))
        )
        if high < low:
            raise self.refuse(at, f"the ends are in the wrong order: {ends[0]}, {ends[1]}")
        return Uniform(low, high)

    def _gamma(self, value: Mapping[str, Any], at: Path) -> Distribution:
        at = (*at, "gamma")
        inner = self.parts(value["gamma"], at, ("mean", "cv"))
        mean, cv = self.both(
            lambda: self.amount(inner["mean"], (*at, "mean"), positive=True),
            lambda: self.number(inner["cv"], (*at, "cv"), "0.01", "100"),
        )
        return Gamma(mean, cv)

    def _pareto(self, value: Mapping[str, Any], at: Path) -> Distribution:
        at = (*at, "pareto")
        inner = self.parts(value["pareto"], at, ("min", "alpha"))
        minimum, alpha = self.both(
            lambda: self.amount(inner["min"], (*at, "min"), positive=True),
            lambda: self.number(inner["alpha"], (*at, "alpha"), "0.1", "1000"),
        )
        return Pareto(minimum, alpha)

    def _quantiles(self, value: Mapping[str, Any], at: Path) -> Distribution:
        table, at = value["quantiles"], (*at, "quantiles")
        if not isinstance(table, Mapping) or len(table) < 2:
            message = f"must be a mapping of two or more percentages, got {shown(table)}"
            raise self.refuse(at, message, "write {50: 20ms, 99: 90ms}")
        points: list[tuple[float, float]] = []
        wrong = False
        for key, amount in table.items():
            try:
                points.append((self.percentage(key, (*at, key)), self.amount(amount, (*at, key))))
            except _Stop:
                wrong = True
        if wrong:
            raise _Stop
        points.sort()
        for (lower, small), (upper, large) in pairwise(points):
            if lower == upper:
                raise self.refuse(at, f"{lower:g} is given twice")
            if large < small:
                shows = f"{lower:g} is {self.quantity.shows(small)}"
                message = f"{shows}, {upper:g} is only {self.quantity.shows(large)}"
                raise self.refuse(at, message, "values must not fall as percentages rise")
        return Quantiles(tuple(points))

    def percentage(self, key: str, at: Path) -> float:
        """Percentage of a quantile, a key such as 99.9."""
        try:
            return self.number(Decimal(str(key)), at, "0", "100")
        except DecimalException:
            raise self.refuse(at, f"{shown(key)} is not a percentage", "write e.g. 99.9") from None

    def _samples(self, value: Mapping[str, Any], at: Path) -> Distribution:
        quantity = self.quantity
        unit = value.get("unit")
        scale = quantity.units.get(unit) if isinstance(unit, str) else None
        if scale is None and (unit is not None or quantity is _TIME):
            message = f"{quantity.word}s in a file need a unit, got {shown(unit)}"
            units = ", ".join(quantity.units)
            raise self.refuse((*at, "unit") if unit else at, message, f"write unit: one of {units}")
        try:
            path = read_input_file(value["samples"], self.context)
            rows = read_column(path, str(value["column"]))
        except UnitError as error:
            raise self.refuse((*at, "samples"), error.message, error.hint) from None
        high = quantity.parse(quantity.high)
        samples = []
        for row, text in rows:
            number = decimal_of(_decimal_or_none(text))
            if number is None or not 0 <= number * (scale or 1) <= high:
                message = f"{path.name} row {row}: {shown(text)} is not a {quantity.word}"
                hint = f"allowed: 0 to {quantity.high}"
                raise self.refuse((*at, "samples"), message, hint)
            samples.append(float(number * (scale or 1)))
        return Samples(tuple(samples))

    def _mixture(self, value: Mapping[str, Any], at: Path) -> Distribution:
        items, at = value["mixture"], (*at, "mixture")
        if not isinstance(items, list) or not items:
            raise self.refuse(at, f"must be a list of [weight, distribution], got {shown(items)}")
        parts: list[tuple[float, Distribution]] = []
        wrong = False
        for index, item in enumerate(items):
            try:
                parts.append(self.part(item, (*at, index)))
            except _Stop:
                wrong = True
        if wrong:
            raise _Stop
        return Mixture(tuple(parts))

    def part(self, item: Any, at: Path) -> tuple[float, Distribution]:
        """Weight and distribution of one part of a mixture."""
        if not isinstance(item, list) or len(item) != 2:
            raise self.refuse(at, f"must be [weight, distribution], got {shown(item)}")
        weight = item[0]
        if isinstance(weight, str) and weight.strip().endswith("%"):
            # As a number of its own: 0.99 beside 1% is what it looks like.
            try:
                weight = parse_share(weight)
            except UnitError as error:
                raise self.refuse((*at, 0), error.message, error.hint) from None
        share = self.number(weight, (*at, 0), "0.000001", "1000000")
        return share, self.read(item[1], (*at, 1))


def _decimal_or_none(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except DecimalException:
        return None
    return number if number.is_finite() and number.adjusted() < 30 else None


def _reader_of(quantity: _Quantity, schema: dict[str, Any]) -> Reader:
    def read(value: Any, context: Context) -> Distribution:
        reading = _Reading(quantity, context)
        try:
            return reading.read(value, ())
        except _Stop:
            raise fail_all(reading.findings) from None

    return Reader(read, _schema_of(schema))


def _schema_of(amount: dict[str, Any]) -> dict[str, Any]:
    """JSON schema of every form of a distribution whose values look like ``amount``."""

    def mapping(optional: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": properties,
            "required": [key for key in properties if key not in optional],
            "additionalProperties": False,
        }

    number = {"type": "number"}
    pair = {"type": "array", "minItems": 2, "maxItems": 2}
    text = {"type": "string"}
    table = {"type": "object", "minProperties": 2, "additionalProperties": amount}
    return {
        "anyOf": [
            amount,
            mapping(p50=amount, p99=amount),
            mapping(mean=amount, p99=amount),
            mapping(exponential=amount),
            mapping(uniform={**pair, "items": amount}),
            mapping(gamma=mapping(mean=amount, cv=number)),
            mapping(pareto=mapping(min=amount, alpha=number)),
            mapping(quantiles=table),
            mapping(("unit",), samples=text, column=text, unit=text),
            mapping(mixture={"type": "array", "minItems": 1, "items": pair}),
        ],
        "description": "A distribution; a single value is a constant.",
    }


#: Distribution of a time [ns].
TimeDistribution: TypeAlias = Annotated[Distribution, _reader_of(_TIME, DURATION_SCHEMA)]
#: Distribution of a size that is taken [bytes].
PayloadDistribution: TypeAlias = Annotated[Distribution, _reader_of(_PAYLOAD, SIZE_SCHEMA)]
#: Distribution of a size that may be larger than what is taken [bytes].
SentSizeDistribution: TypeAlias = Annotated[Distribution, _reader_of(_SENT, SIZE_SCHEMA)]
