"""Conditions a setting must meet, judged by the interval over replications.

A condition holds *conclusively* if its interval lies on its side of the limit. A share of which few
events were seen has no useful t interval: with fewer than 10 events in all it gets the exact bounds
of :func:`apisim.results.statistics.few_events_interval`. A condition of zero is one on every
replication: no finite number of them can show that a mean is 0.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from apisim.results.metrics import Measure
from apisim.results.statistics import Interval, few_events_interval, t_interval
from apisim.scenario.problems import Problem, ScenarioError
from apisim.scenario.thresholds import Threshold, parse_condition
from apisim.scenario.units import UnitError
from apisim.studies.points import Row

__all__ = ["Condition", "Verdict", "parse_conditions", "verdict_of"]

_EVENTS: Final = frozenset(
    {"throttled", "quota_refused", "failed", "errors_4xx", "errors_5xx", "cold_starts"}
)


class Verdict(Enum):
    """What is known of a setting."""

    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One thing that must hold.

    Attributes
    ----------
    text : str
        As written.
    threshold : Threshold
    """

    text: str
    threshold: Threshold

    @property
    def measure(self) -> Measure:
        """What it is about."""
        return Measure.of(self.threshold)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What must be measured to judge it: also how many requests there were."""
        if self.threshold.metric not in _EVENTS:
            return (self.measure,)
        return self.measure, Measure("requests", "count", None, self.threshold.tags)

    def judge(self, rows: Sequence[Row]) -> tuple[Verdict, Interval | None]:
        """What replications say about it.

        Returns
        -------
        Verdict
        Interval or None
            In the shown unit; None where nothing was measured or there is one replication.
        """
        label, per_unit = self.measure.label, self.measure.shown_unit[1]
        values = [row.values[label] for row in rows]
        if any(math.isnan(value) for value in values):
            return Verdict.UNCLEAR, None
        if self.threshold.limit == 0 and self.threshold.operator in ("==", "<="):
            holds = all(value == 0 for value in values)
            return (Verdict.FEASIBLE if holds else Verdict.INFEASIBLE), t_interval(values)
        interval = self._few(rows, values) or t_interval(values)
        if interval is None:
            return Verdict.UNCLEAR, None
        ends = [self.threshold.holds(end * per_unit) for end in (interval.low, interval.high)]
        if all(ends):
            return Verdict.FEASIBLE, interval
        return (Verdict.UNCLEAR if any(ends) else Verdict.INFEASIBLE), interval

    def _few(self, rows: Sequence[Row], values: Sequence[float]) -> Interval | None:
        """Bounds of a share or count of few events; None where there are enough."""
        if self.threshold.metric not in _EVENTS:
            return None
        requests = [row.values[self.measures[1].label] for row in rows]
        is_share = self.threshold.statistic == "rate"
        events = (
            sum(share * n for share, n in zip(values, requests, strict=True))
            if is_share
            else sum(values)
        )
        exposure = sum(requests) if is_share else float(len(rows))
        return few_events_interval(round(events), exposure)


def parse_conditions(texts: Sequence[str]) -> list[Condition]:
    """What stands behind ``--subject-to``.

    Raises
    ------
    ScenarioError
        With all that cannot be read.
    """
    found, problems = [], []
    for text in texts:
        try:
            found.append(Condition(text.strip(), parse_condition(text)))
        except UnitError as error:
            problems.append(Problem("--subject-to", 1, 1, "", error.message, error.hint))
    if problems:
        raise ScenarioError(problems)
    return found


def verdict_of(conditions: Sequence[Condition], rows: Sequence[Row]) -> Verdict:
    """All conditions together: feasible if all are, infeasible if one is."""
    verdicts = [condition.judge(rows)[0] for condition in conditions]
    if Verdict.INFEASIBLE in verdicts:
        return Verdict.INFEASIBLE
    return Verdict.UNCLEAR if Verdict.UNCLEAR in verdicts else Verdict.FEASIBLE
