"""Measures as people read them, with half-widths and signs."""

import math

from apisim.results.metrics import Measure
from apisim.results.wording import (
    NOTHING,
    bytes_text,
    rate_text,
    share_text,
    three_digits,
    time_text,
)

__all__ = ["difference_text", "measure_text", "unit_of"]


def unit_of(label: str) -> str:
    """Unit that a measure is shown in, by its label.

    Examples
    --------
    >>> unit_of("latency{route:GET /} p(99)"), unit_of("throttled rate"), unit_of("requests count")
    ('ms', 'share', 'count')
    """
    metric, _, rest = label.partition("{") if "{" in label else label.partition(" ")
    statistic = rest.rpartition(" ")[2]
    return Measure(metric, "p" if statistic.startswith("p(") else statistic).shown_unit[0]


def measure_text(label: str, value: float, half_width: float | None = None) -> str:
    """A value with its half-width.

    Examples
    --------
    >>> measure_text("latency p(99)", 412.0, 8.5), measure_text("throttled rate", 0.01)
    ('412 ms ± 8.50 ms', '1.0%')
    """
    if math.isnan(value):
        return NOTHING
    text = _text(unit_of(label), value)
    if half_width is None or math.isnan(half_width):
        return text
    return f"{text} ± {_text(unit_of(label), half_width)}"


def difference_text(label: str, value: float) -> str:
    """A difference with its sign.

    Examples
    --------
    >>> difference_text("latency p(99)", -3.25), difference_text("cost_run value", 0.02)
    ('-3.25 ms', '+$0.0200')
    """
    if math.isnan(value):
        return NOTHING
    if value == 0:
        return "0"
    return f"{'-' if value < 0 else '+'}{_text(unit_of(label), abs(value), is_difference=True)}"


def _text(unit: str, value: float, *, is_difference: bool = False) -> str:
    if unit == "ms":
        return time_text(value)
    if unit == "share":
        if is_difference:
            return f"{_digits(value * 100)} pp"
        return share_text(value)
    if unit == "money":
        return f"${value:,.2f}" if value >= 1 else f"${_digits(value)}"
    if unit == "bytes":
        return bytes_text(round(value))
    return rate_text(value) if unit == "per_second" else _digits(value)


def _digits(value: float) -> str:
    return three_digits(float(f"{value:.3g}")) if value < 1000 else f"{value:,.0f}"
