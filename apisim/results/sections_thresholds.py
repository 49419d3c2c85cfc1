"""What was asked of a run, and whether it holds: the first table of the summary."""

import math
from decimal import Decimal

from apisim.pricing import dollars
from apisim.results.result import Result
from apisim.results.section import DOUBTFUL, FAILED, PASSED, Section, section
from apisim.results.statistics import Interval
from apisim.results.wording import bytes_text, rate_text, share_text, three_digits, time_text

__all__ = ["between", "threshold_section", "value_text"]


def threshold_section(result: Result) -> Section | None:
    """A row for each threshold."""
    rows: list[tuple[str, ...]] = []
    marks = {}
    for at, verdict in enumerate(result.thresholds):
        word = "ok" if verdict.ok else "FAILED"
        marks[at] = PASSED if verdict.ok else FAILED
        if verdict.conclusive is False:
            word += "?"
            marks[at] = DOUBTFUL if verdict.ok else FAILED
        value = value_text(verdict.value, verdict.unit)
        interval = "" if verdict.interval is None else between(verdict.interval, verdict.unit)
        rows.append((word, verdict.metric, verdict.expression, value, interval))
    columns = "Verdict|Metric|Condition|>Value|>95% interval"
    if not any(row[-1] for row in rows):
        columns, rows = columns.rpartition("|")[0], [row[:-1] for row in rows]
    reasons = [verdict.reason for verdict in result.thresholds if verdict.conclusive is False]
    remarks = tuple(f"? {reason}" for reason in dict.fromkeys(reasons))
    return section("Thresholds", columns, rows, marks, remarks)


def value_text(value: float, unit: str) -> str:
    """A value in the unit of a threshold, as people read it.

    Examples
    --------
    >>> value_text(412.3, "ms"), value_text(0.012, "share"), value_text(0.1234, "money")
    ('412 ms', '1.2%', '$0.1234')
    """
    if math.isnan(value):
        return "nothing measured"
    texts = {
        "ms": time_text,
        "share": share_text,
        "per_second": rate_text,
        "bytes": bytes_text,
        "count": three_digits,
        "money": _money,
    }
    return texts[unit](value)


def between(interval: Interval, unit: str) -> str:
    """An interval in such a unit; nothing that is measured is below zero."""
    ends = (max(interval.low, 0.0), interval.high)
    low, high = (value_text(end, unit) for end in ends)
    return f"{low} to {high}"


def _money(amount: float) -> str:
    return dollars(Decimal(repr(amount)))
