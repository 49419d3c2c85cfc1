"""Thresholds in k6's words: a metric, perhaps narrowed down, and what must hold of it.

``latency: ["p(95)<200ms"]``, ``'latency{route:"POST /users",phase:spike}': ["p(95)<900ms"]``,
``availability: ["rate>99.9%"]``, ``cost_run: ["value<5"]``. This module reads them; results decide.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Final, Literal, TypeAlias

from apisim.scenario.fields import Reader
from apisim.scenario.model import Context, Finding, fail, fail_all
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import (
    UnitError,
    parse_duration,
    parse_rate,
    parse_share,
    parse_size,
    shown,
)

__all__ = ["METRICS", "Threshold", "Thresholds", "parse_condition", "parse_figure"]

Statistic: TypeAlias = Literal["p", "mean", "min", "max", "rate", "count", "value"]
Unit: TypeAlias = Literal["ns", "share", "count", "per_second", "bytes", "money"]

_TIMES: Final = {"p": "ns", "mean": "ns", "min": "ns", "max": "ns"}
_SHARES: Final = {"rate": "share", "count": "count", "max": "share"}

#: Statistics of each metric, and the unit its limit is written in.
METRICS: Final[dict[str, dict[str, str]]] = {
    "requests": {"count": "count", "rate": "per_second"},
    "latency": _TIMES,
    "call_latency": _TIMES,
    "gateway_latency": _TIMES,
    "integration_latency": _TIMES,
    "errors_4xx": _SHARES,
    "errors_5xx": _SHARES,
    "failed": _SHARES,
    "availability": {"rate": "share"},
    "goodput": {"count": "count", "rate": "per_second"},
    "throttled": _SHARES,
    "quota_refused": _SHARES,
    "cache_hits": _SHARES,
    "cache_misses": _SHARES,
    "wrong_answers": _SHARES,
    "stale_answers": _SHARES,
    "cold_starts": _SHARES,
    "data_processed": {"count": "bytes"},
    "connections": {"mean": "count", "max": "count"},
    "connects": {"count": "count", "rate": "per_second"},
    "delivery": _TIMES,
    "delivery_failures": {"rate": "share", "count": "count"},
    "dropped": {"count": "count", "rate": "share"},
    "cost_run": {"value": "money"},
    "cost_month": {"value": "money"},
}

TAGS: Final = ("api", "stage", "route", "traffic", "phase", "variant", "status", "window")
_TAGS_LATER: Final = ("by", "client", "customer", "key", "plan")

_MAX_LENGTH: Final = 1_000
_KEY: Final = re.compile(r"\s*([A-Za-z_0-9]+)\s*(?:\{(.*)\})?\s*", re.DOTALL)
_TAG: Final = re.compile(
    r"""\s*([A-Za-z_]+)\s*[:=]\s*(?:"([^"]*)"|'([^']*)'|([^,"'{}]*?))\s*(,|$)"""
)
_CONDITION: Final = re.compile(r"(\s*[A-Za-z_0-9]+\s*(?:\{.*\})?)\s+(\S.*)", re.DOTALL)
_EXPRESSION: Final = re.compile(
    r"\s*(?:p\(\s*([0-9]{1,2}(?:\.[0-9]{1,6})?)\s*\)|([a-z_]+))\s*(<=|>=|==|<|>)\s*(\S(?:.*\S)?)\s*"
)
_FIGURE: Final = re.compile(
    r"(\s*[A-Za-z_0-9]+\s*(?:\{.*\})?)\s+(p\(\s*[0-9]{1,2}(?:\.[0-9]{1,6})?\s*\)|[a-z_]+)\s*",
    re.DOTALL,
)
#: A limit of each unit, for figures that have none.
_ZEROS: Final = {"ns": "0s", "share": "0%", "per_second": "0/s", "bytes": "0B"}


@dataclass(frozen=True, slots=True)
class Threshold:
    """One condition on one metric.

    Parameters
    ----------
    key : str
        Metric and tags as written.
    metric : str
        One of ``METRICS``.
    tags : tuple of (str, str)
        What the metric is narrowed down to, e.g. ``("phase", "spike")``; ``window`` is a duration.
    expression : str
        Condition as written.
    statistic : str
        ``p``, ``mean``, ``min``, ``max``, ``rate``, ``count`` or ``value``.
    quantile : float or None
        Percentage of a ``p``, e.g. 99.9.
    operator : str
        ``<``, ``<=``, ``>``, ``>=`` or ``==``.
    limit : fractions.Fraction
        Right-hand side in ``unit``; a share is in [0, 1].
    unit : str
        ``ns``, ``share``, ``count``, ``per_second``, ``bytes`` or ``money``.
    """

    key: str
    metric: str
    tags: tuple[tuple[str, str], ...]
    expression: str
    statistic: Statistic
    quantile: float | None
    operator: Literal["<", "<=", ">", ">=", "=="]
    limit: Fraction
    unit: Unit

    def holds(self, value: float) -> bool:
        """Whether a value in ``unit`` meets the condition; NaN meets none."""
        limit = float(self.limit)
        return {
            "<": value < limit,
            "<=": value <= limit,
            ">": value > limit,
            ">=": value >= limit,
            "==": value == limit,
        }[self.operator]


def _parse_key(written: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    match = _KEY.fullmatch(written) if len(written) <= _MAX_LENGTH else None
    if match is None:
        raise UnitError("is not a metric", 'write e.g. latency or latency{phase:"spike"}')
    metric, inside = match[1], match[2]
    if metric not in METRICS:
        hint = did_you_mean(metric, METRICS) or f"metrics: {', '.join(METRICS)}"
        raise UnitError(f"unknown metric {shown(metric)}", hint)
    tags: dict[str, str] = {}
    at = 0
    while inside is not None and at < len(inside):
        tag = _TAG.match(inside, at)
        if tag is None:
            raise UnitError(f"{shown(inside)} are no tags", "write {name: value, ...}")
        name = tag[1]
        if name in _TAGS_LATER:
            raise UnitError(f"the tag {name} is not modelled yet")
        if name not in TAGS:
            raise UnitError(f"unknown tag {shown(name)}", did_you_mean(name, TAGS))
        if name in tags:
            raise UnitError(f"the tag {name} is given twice")
        tags[name] = next(value for value in tag.groups()[1:4] if value is not None).strip()
        at = tag.end()
    if "window" in tags and parse_duration(tags["window"]) == 0:
        raise UnitError("the window must be above 0")
    return metric, tuple(tags.items())


def _limit(text: str, unit: str) -> Fraction:
    if unit == "ns":
        return Fraction(parse_duration(text))
    if unit == "bytes":
        return Fraction(parse_size(text))
    if unit == "share":
        return Fraction(str(parse_share(text)))
    if unit == "per_second":
        return parse_rate(text)
    if not re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,10})?", text):
        raise UnitError(f"{shown(text)} is not a number")
    return Fraction(text)


def _parse(key: str, metric: str, tags: tuple[tuple[str, str], ...], written: Any) -> Threshold:
    is_short = isinstance(written, str) and len(written) <= _MAX_LENGTH
    match = _EXPRESSION.fullmatch(written) if is_short else None
    if match is None:
        hint = "write e.g. p(95)<200ms, rate>99.9% or value<5"
        raise UnitError(f"{shown(written)} is not a condition", hint)
    percent, word, operator, text = match.groups()
    # med and avg are k6's words for p(50) and mean.
    if word == "med":
        percent = "50"
    statistic = "p" if percent else {"avg": "mean"}.get(word, word)
    known = METRICS[metric]
    if statistic not in known:
        words = ", ".join("p(N)" if name == "p" else name for name in known)
        raise UnitError(f"{metric} has no {word or 'p(N)'}", f"{metric} has {words}")
    if statistic == "max" and known is _SHARES and "window" not in dict(tags):
        raise UnitError("max of a share needs windows", f"write '{metric}{{window: 1m}}'")
    if percent and not 0 < Fraction(percent) < 100:
        raise UnitError(f"p({percent}) is outside p(0) to p(100)")
    unit = known[statistic]
    limit = _limit(text, unit)
    # Each word was looked up in the tables above, which hold the literals' values only.
    return Threshold(
        key,
        metric,
        tags,
        written,
        statistic,  # type: ignore[arg-type]
        float(percent) if percent else None,
        operator,  # type: ignore[arg-type]
        limit,
        unit,  # type: ignore[arg-type]
    )


def parse_condition(text: str) -> Threshold:
    """A metric and a condition in one text.

    Raises
    ------
    UnitError
        If it is none.

    Examples
    --------
    >>> one = parse_condition('latency{phase:spike} p(99)<300ms')
    >>> one.metric, one.quantile, float(one.limit)
    ('latency', 99.0, 300000000.0)
    """
    match = _CONDITION.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if match is None:
        hint = 'write a metric and a condition, e.g. "latency p(99)<300ms"'
        raise UnitError(f"{shown(text)} is no condition on a metric", hint)
    metric, tags = _parse_key(match[1])
    return _parse(match[1].strip(), metric, tags, match[2])


def parse_figure(text: Any) -> Threshold:
    """A metric and a statistic without a condition, as a threshold whose limit means nothing.

    Raises
    ------
    UnitError
        If it is none.

    Examples
    --------
    >>> one = parse_figure("latency{phase:spike} p(99)")
    >>> one.metric, one.tags, one.quantile
    ('latency', (('phase', 'spike'),), 99.0)
    """
    hint = "write a metric and a statistic, e.g. latency p(99), throttled rate or cost_run value"
    is_short = isinstance(text, str) and len(text) <= _MAX_LENGTH
    match = _FIGURE.fullmatch(text) if is_short else None
    if match is None:
        raise UnitError(f"{shown(text)} is no figure", hint)
    metric, tags = _parse_key(match[1])
    word = {"med": "p", "avg": "mean"}.get(match[2], match[2].partition("(")[0])
    zero = _ZEROS.get(METRICS[metric].get(word, ""), "0")
    return _parse(match[1].strip(), metric, tags, f"{match[2]}>={zero}")


def _read(value: Any, context: Context) -> tuple[Threshold, ...]:
    if not isinstance(value, Mapping):
        raise fail(f"must be a mapping of metric to conditions, got {shown(value)}")
    findings: list[Finding] = []
    thresholds: list[Threshold] = []
    for key, conditions in value.items():
        try:
            metric, tags = _parse_key(key)
        except UnitError as error:
            findings.append(Finding((key,), error.message, error.hint))
            continue
        if not isinstance(conditions, list) or not conditions:
            message = f"must be a list of conditions, got {shown(conditions)}"
            findings.append(Finding((key,), message, 'write ["p(95)<200ms"]'))
            continue
        for index, written in enumerate(conditions):
            try:
                thresholds.append(_parse(key, metric, tags, written))
            except UnitError as error:
                findings.append(Finding((key, index), error.message, error.hint))
    if findings:
        raise fail_all(findings)
    return tuple(thresholds)


_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    "description": (
        "Conditions by metric: {latency: ['p(95)<200ms']}. Metrics: "
        f"{', '.join(METRICS)}. throttled counts the 429s of throttles (usage plan, method, stage, "
        "account); those of quotas are quota_refused. The shares failed and availability add up to "
        "1 and leave out preflights that went well. wrong_answers needs a route with depends_on, "
        "stale_answers one with updates: without, nothing is measured and the condition does not "
        "hold."
    ),
}

#: The ``thresholds:`` section, one entry per condition.
Thresholds: TypeAlias = Annotated[tuple[Threshold, ...], Reader(_read, _SCHEMA)]
