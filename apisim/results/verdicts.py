"""Thresholds: what was asked of the results, and whether it holds.

The verdict is the point estimate's: quantiles of all replications together, counts and shares over
all of them. It is *conclusive* if the interval over replications lies on the same side of the
limit; with one replication nobody knows, and with fewer than ten events in all chance made it. A
limit of zero holds in every replication or not at all. What was not measured meets no condition,
and that is never conclusive.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apisim.results.metrics import Gauge, Measure
from apisim.results.statistics import FEW_EVENTS, Interval
from apisim.scenario import Scenario, ScenarioError
from apisim.scenario.formats import counted
from apisim.scenario.thresholds import Threshold

__all__ = ["Verdict", "check_thresholds", "judge"]

#: Tags of the metrics of WebSocket APIs.
_OF_SOCKETS: Final = {
    "connections": ("api", "stage"),
    "connects": ("api", "stage"),
    "delivery": ("api", "traffic"),
    "delivery_failures": ("api", "stage", "traffic", "phase"),
}
_NOT_MEASURED: Final = {
    "dropped": "nothing is ever dropped by the traffic modelled so far",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One threshold after a run.

    Attributes
    ----------
    metric : str
        With its tags, as written.
    expression : str
        Condition as written.
    value : float
        Measured, in ``unit``; NaN where nothing was.
    unit : str
        ``ms``, ``share``, ``count``, ``per_second``, ``bytes`` or ``money``.
    ok : bool
        Whether the condition holds; where nothing was measured it does not.
    conclusive : bool or None
        Whether the interval over replications says the same; None with one replication, False
        where nothing was measured.
    interval : Interval or None
        That interval, in ``unit``.
    reason : str
        Why it is not conclusive; "" where it is.
    """

    metric: str
    expression: str
    value: float
    unit: str
    ok: bool
    conclusive: bool | None
    interval: Interval | None = None
    reason: str = ""

    @property
    def is_measured(self) -> bool:
        """Whether there is anything to judge."""
        return not math.isnan(self.value)

    def to_dict(self) -> dict[str, Any]:
        """The verdict as ``--json`` prints it."""
        return {
            "metric": self.metric,
            "expression": self.expression,
            "value": self.value if self.is_measured else None,
            "unit": self.unit,
            "ok": self.ok,
            "conclusive": self.conclusive,
            "reason": self.reason,
        }


def check_thresholds(scenario: Scenario) -> None:
    """Refuse, before anything is simulated, thresholds on what is not measured.

    Raises
    ------
    ScenarioError
        With the position of each.
    """
    problems = [
        scenario.problem(at, *found)
        for at, threshold in scenario.figures
        if (found := _unmeasured(threshold, scenario)) is not None
    ]
    if problems:
        raise ScenarioError(list(dict.fromkeys(problems)))


def _unmeasured(threshold: Threshold, scenario: Scenario) -> tuple[str, str] | None:
    tags = dict(threshold.tags)
    if threshold.metric == "call_latency" and not _knows_clients(scenario, tags):
        hint = "write client: {} under the source, or use latency"
        return "call_latency is not measured of traffic without client:", hint
    if threshold.metric in _NOT_MEASURED:
        return f"{threshold.metric} is not measured", _NOT_MEASURED[threshold.metric]
    if (found := _of_sockets(threshold.metric, scenario, tags)) is not None:
        return found
    if "window" in tags:
        return "thresholds on windows are not measured yet", "remove the tag window"
    if "status" in tags and threshold.metric != "requests":
        return f"{threshold.metric} is not kept by status", "only requests is"
    if "status" in tags and not (tags["status"].isascii() and tags["status"].isdigit()):
        return f"a status is a number, got {tags['status']}", "write e.g. status:429"
    if tags and threshold.metric.startswith("cost_"):
        return f"{threshold.metric} is the whole bill's", "remove the tags"
    return None


def _of_sockets(metric: str, scenario: Scenario, tags: Mapping[str, str]) -> tuple[str, str] | None:
    """What is wrong with a threshold on connections or pushes; None for any other."""
    allowed = _OF_SOCKETS.get(metric)
    if allowed is None:
        return None
    if all(api.type != "websocket" for api in scenario.apis.values()):
        return f"{metric} is measured of WebSocket APIs, and there is none", "remove it"
    is_pushed = any(source.pushes for source in scenario.traffic.values())
    if metric.startswith("delivery") and not is_pushed:
        return f"{metric} is measured of pushes, and there are none", "write pushes: under a source"
    others = [tag for tag in tags if tag not in allowed]
    if others:
        hint = f"tags of {metric}: {', '.join(allowed)}"
        return f"{metric} is not kept by {others[0]}", hint
    return None


def _knows_clients(scenario: Scenario, tags: Mapping[str, str]) -> bool:
    """Whether a source that the tags leave says what its clients are like."""
    return any(
        source.client is not None
        for name, source in scenario.traffic.items()
        if tags.get("traffic", name) == name
    )


def judge(
    thresholds: Sequence[Threshold],
    gauge: Gauge,
    n_replications: int,
    intervals: Mapping[Measure, Interval],
) -> tuple[Verdict, ...]:
    """Verdict on each threshold.

    Parameters
    ----------
    thresholds : sequence of Threshold
    gauge : Gauge
        Reads measures off all replications together.
    n_replications : int
    intervals : mapping of Measure to Interval
        In the unit it is measured in; one that is missing could not be made.
    """
    verdicts = []
    for threshold in thresholds:
        wanted = Measure.of(threshold)
        value, _ = gauge.read(wanted)
        ok = threshold.holds(value)
        interval = intervals.get(wanted)
        conclusive = None if n_replications == 1 else _is_conclusive(threshold, ok, interval)
        if math.isnan(value):
            conclusive = False
            why = gauge.unmeasured(wanted)
            reason = f"nothing measured: {why}" if why else "nothing measured"
        else:
            reason = "" if conclusive else _doubt(n_replications, interval)
        unit, per_unit = wanted.shown_unit
        verdicts.append(
            Verdict(
                metric=threshold.key,
                expression=threshold.expression,
                value=value / per_unit,
                unit=unit,
                ok=ok,
                conclusive=conclusive,
                interval=None if interval is None else interval.scaled(1 / per_unit),
                reason=reason,
            )
        )
    return tuple(verdicts)


def _is_conclusive(threshold: Threshold, ok: bool, interval: Interval | None) -> bool:
    if interval is None:
        return False
    if threshold.limit == 0 and threshold.operator in ("==", "<="):
        # No number of replications shows that a mean is 0: it holds in each of them, or it does
        # not hold.
        return True
    ends = (interval.low, interval.high)
    return interval.is_conclusive and all(threshold.holds(end) == ok for end in ends)


def _doubt(n_replications: int, interval: Interval | None) -> str:
    """Why a verdict is not conclusive."""
    if n_replications == 1:
        return "one replication has no interval"
    if interval is None:
        return "not every replication has a value for an interval"
    if interval.events:
        events = counted(interval.events, "event")
        return f"only {events} in all replications: at least {FEW_EVENTS} are needed"
    return "the 95% interval over replications reaches over the limit"
