"""CloudWatch alarms in a scenario's words: on a metric of an API, or on other alarms."""

import re
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, Self

from pydantic import model_validator

from apisim.scenario.alarm_rules import Rule, parse_rule
from apisim.scenario.cloudwatch_metrics import ALARM_METRICS, metric_unit
from apisim.scenario.fields import Reader, choice, duration
from apisim.scenario.formats import format_duration
from apisim.scenario.model import Context, Finding, Model, as_written, fail_all
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import (
    UnitError,
    decimal_of,
    parse_duration,
    parse_number,
    parse_share,
    parse_size,
    shown,
)

__all__ = ["COMPARISONS", "Alarm", "Comparison", "Datapoints"]

_DAY_NS: Final = 86_400_000_000_000
_MINUTE_NS: Final = 60_000_000_000
_HOUR_NS: Final = 60 * _MINUTE_NS
#: Words for CloudWatch's four operators.
COMPARISONS: Final = {
    "above": "GreaterThanThreshold",
    "at_least": "GreaterThanOrEqualToThreshold",
    "below": "LessThanThreshold",
    "at_most": "LessThanOrEqualToThreshold",
}
_STATISTICS: Final = {
    "sum": "Sum",
    "average": "Average",
    "mean": "Average",
    "minimum": "Minimum",
    "min": "Minimum",
    "maximum": "Maximum",
    "max": "Maximum",
    "sample_count": "SampleCount",
    "samplecount": "SampleCount",
}
_NO_METRIC: Final = {
    "latency": "CloudWatch knows the gateway's: gateway_latency",
    "throttled": "CloudWatch counts 429s among all errors_4xx",
    "quota_refused": "CloudWatch counts 429s among all errors_4xx",
    "failed": "write errors_4xx and errors_5xx, and a composite alarm on both",
    "availability": "write errors_5xx with statistic: average",
}
_PERCENTILE: Final = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,2})?|100)")
_OF: Final = re.compile(r"\s*([0-9]{1,5})\s*(?:of|/)\s*([0-9]{1,5})\s*")


class Datapoints(NamedTuple):
    """``m`` of the last ``n`` datapoints must breach."""

    m: int
    n: int


class Comparison(NamedTuple):
    """One of :data:`COMPARISONS`, and what a value is compared with, in the metric's unit."""

    word: str
    limit: float
    written: str

    def breaches(self, value: float) -> bool:
        """Whether a value is one that the alarm is about."""
        if self.word in ("above", "at_most"):
            return value > self.limit if self.word == "above" else value <= self.limit
        return value >= self.limit if self.word == "at_least" else value < self.limit


def _read_metric(value: Any, context: Context) -> str:
    if value in ALARM_METRICS:
        return str(value)
    if value in _NO_METRIC:
        raise UnitError(f"CloudWatch has no metric {value}", _NO_METRIC[value])
    hint = did_you_mean(value, ALARM_METRICS, may_list=False) if isinstance(value, str) else ""
    raise UnitError(
        f"{shown(value)} is not a metric of API Gateway",
        hint or f"metrics: {', '.join(name for name in ALARM_METRICS if name.islower())}",
    )


def _read_statistic(value: Any, context: Context) -> str:
    written = value.casefold() if isinstance(value, str) else ""
    if written in _STATISTICS:
        return _STATISTICS[written]
    match = _PERCENTILE.fullmatch(written)
    if match and Fraction(match[1]) > 0:
        return written
    raise UnitError(
        f"{shown(value)} is not a statistic",
        "write sum, average, minimum, maximum, sample_count or a percentile: p99, p99.9",
    )


def _read_datapoints(value: Any, context: Context) -> Datapoints:
    match = _OF.fullmatch(value) if isinstance(value, str) else None
    if match:
        found = Datapoints(int(match[1]), int(match[2]))
    else:
        exact = decimal_of(value)
        if exact is None or exact != exact.to_integral_value() or not 0 <= exact < 100_000:
            raise UnitError(f"{shown(value)} are no datapoints", "write 3 of 5, or 3 for 3 of 3")
        found = Datapoints(int(exact), int(exact))
    if not 1 <= found.m <= found.n:
        raise UnitError(f"{shown(value)} cannot be", "write M of N with 1 <= M <= N, e.g. 3 of 5")
    return found


def _read_limit(value: Any, context: Context) -> Any:
    if isinstance(value, str) or decimal_of(value) is not None:
        return value
    raise UnitError(f"must be a number, got {shown(value)}", "write e.g. 60, 500ms or 5%")


def _read_rule(value: Any, context: Context) -> Rule:
    if not isinstance(value, str) or not value.strip():
        raise UnitError(f"must be a rule, got {shown(value)}", "write e.g. throttling AND NOT slow")
    return parse_rule(value)


def _read_period(value: Any, context: Context) -> int:
    period = int(_PERIOD.read(value, context))
    if period % _MINUTE_NS:
        raise UnitError(
            f"{shown(value)} is not a multiple of 1m",
            "API Gateway's metrics have a value a minute",
        )
    return period


_PERIOD: Final = duration("1m", "1d", owner="an alarm")
_LIMIT: Final = Reader(
    _read_limit,
    {
        "type": ["number", "string"],
        "description": "A number; a duration (500ms) for latencies, a size (1MB) for data, a "
        "share (5%) for the average of errors and cache hits.",
    },
)
_Limit = Annotated[Any, _LIMIT]
_TEXT: Final = Reader(
    lambda value, _: _text(value), {"type": "string", "minLength": 1, "maxLength": 2000}
)
_OptionalText = Annotated[str, _TEXT]


def _text(value: Any) -> str:
    if isinstance(value, str) and 0 < len(value) <= 2000:
        return value
    raise UnitError(f"must be a name, got {shown(value)}")


class Alarm(Model):
    """One alarm, on a metric or composite.

    Attributes
    ----------
    metric : str or None
        Of API Gateway, in a scenario's word (``errors_4xx``) or CloudWatch's (``4XXError``).
    api, stage, route : str or None
        What the metric is of; the API may be left out where there is one. A route needs
        ``detailed_metrics`` on its stage.
    statistic : str or None
        In CloudWatch's word: ``Sum``, ``Average``, ``Minimum``, ``Maximum``, ``SampleCount`` or a
        percentile.
    period : int
        What one datapoint is about [ns], whole minutes up to a day, default one.
    above, at_least, below, at_most : str or number
        Exactly one: what a datapoint must be to breach.
    datapoints : Datapoints
        How many of how many must breach, default 1 of 1.
    missing : {"missing", "ignore", "breaching", "not_breaching"}
        What a datapoint without data is taken for.
    composite : Rule or None
        Instead of all that: states of other alarms.
    """

    REFUSED: ClassVar = {
        "threshold": ("is written with its operator", "write above, at_least, below or at_most"),
        "comparison_operator": (
            "is written with its threshold",
            "write above, at_least, below or at_most",
        ),
        "evaluation_periods": ("is written in datapoints", "write datapoints: 3 of 5"),
        "datapoints_to_alarm": ("is written in datapoints", "write datapoints: 3 of 5"),
        "treat_missing_data": ("is written missing", "write e.g. missing: not_breaching"),
        "actions": ("nothing is done when an alarm goes off", "remove the key"),
    }

    metric: Annotated[str, Reader(_read_metric, {"enum": list(ALARM_METRICS)})] | None = None
    api: _OptionalText | None = None
    stage: _OptionalText | None = None
    route: _OptionalText | None = None
    statistic: Annotated[str, Reader(_read_statistic, {"type": "string"})] | None = None
    period: Annotated[
        int,
        Reader(
            _read_period,
            {**_PERIOD.schema, "description": "Whole minutes, up to a day: 1m, 5m, 1h."},
        ),
    ] = as_written("1m")
    above: _Limit | None = None
    at_least: _Limit | None = None
    below: _Limit | None = None
    at_most: _Limit | None = None
    datapoints: Annotated[Datapoints, Reader(_read_datapoints, {"type": ["string", "integer"]})] = (
        as_written(1, "Breaching datapoints of the last ones: 3 of 5; 3 is 3 of 3.")
    )
    missing: Annotated[
        Literal["missing", "ignore", "breaching", "not_breaching"],
        choice("missing", "ignore", "breaching", "not_breaching"),
    ] = "missing"
    composite: Annotated[Rule, Reader(_read_rule, {"type": "string", "minLength": 1})] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        findings = list(self._problems())
        if findings:
            raise fail_all(findings)
        return self

    def _problems(self) -> "list[Finding]":
        given = self.model_fields_set
        if self.composite is not None:
            others = [name for name in type(self).model_fields if name in given - {"composite"}]
            message = "a composite alarm has nothing else: it looks at other alarms"
            return [Finding((name,), message, "remove this key") for name in others]
        found = []
        if self.metric is None:
            found.append(Finding((), "metric is required", "or write composite"))
        if self.statistic is None:
            hint = "write e.g. sum for counts, average or p99 for times"
            found.append(Finding((), "statistic is required", hint))
        words = [word for word in COMPARISONS if word in given]
        if len(words) != 1:
            message = "exactly one of above, at_least, below and at_most is required"
            found.append(Finding((words[1],) if words else (), message, "write e.g. above: 60"))
        if self.metric is None or self.statistic is None or found:
            return found
        if self.statistic[0] == "p" and metric_unit(self.metric) == "Count":
            message = f"a percentile of {self.metric} says nothing: its samples are 0 and 1"
            found.append(Finding(("statistic",), message, "write sum or average"))
        try:
            self._limit(words[0])
        except UnitError as error:
            found.append(Finding((words[0],), error.message, error.hint))
        span_ns = self.period * self.datapoints.n
        most_ns = _DAY_NS if self.period < _HOUR_NS else 7 * _DAY_NS
        if span_ns > most_ns:
            message = (
                f"{self.datapoints.n} periods of {format_duration(self.period)} are above the "
                f"{format_duration(most_ns)} maximum of CloudWatch"
            )
            found.append(Finding(("datapoints",), message, "look at fewer datapoints"))
        return found

    @property
    def comparison(self) -> Comparison:
        """What a datapoint is compared with."""
        word = next(word for word in COMPARISONS if word in self.model_fields_set)
        return Comparison(word, self._limit(word), shown_limit(getattr(self, word)))

    def _limit(self, word: str) -> float:
        """Threshold in the metric's unit: milliseconds, bytes or a number."""
        value = getattr(self, word)
        unit = metric_unit(str(self.metric))
        if self.statistic == "SampleCount":
            unit = "Count"
        if unit == "Milliseconds":
            return parse_duration(value) / 1e6
        if unit == "Bytes":
            return float(parse_size(value))
        if isinstance(value, str) and value.strip().endswith("%"):
            if self.statistic != "Average":
                raise UnitError(f"{value} is a share", "write statistic: average, or a number")
            return parse_share(value)
        return float(parse_number(value))

    @property
    def condition(self) -> str:
        """The condition in one line: ``sum of errors_4xx above 60, 3 of 5 of 1m``."""
        if self.composite is not None:
            return str(self.composite)
        comparison, (m, n) = self.comparison, self.datapoints
        words = self.statistic if str(self.statistic)[0] == "p" else str(self.statistic).lower()
        return (
            f"{words} of {self.metric} {comparison.word.replace('_', ' ')} {comparison.written}, "
            f"{m} of {n} of {format_duration(self.period)}"
        )


def shown_limit(value: Any) -> str:
    """A threshold as it is written."""
    return value if isinstance(value, str) else shown(value)
