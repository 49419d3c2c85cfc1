"""Hypothesis strategies for alarms."""

from typing import Any, Final

from apisim.scenario.cloudwatch_metrics import METRICS_OF_TYPE
from tests.equivalence.drawing import Drawing

__all__ = ["add_alarms"]

_WORDS: Final = ("above", "at_least", "below", "at_most")


def add_alarms(drawing: Drawing, data: dict[str, Any]) -> None:
    """Alarms on each API, and one on those; changes ``data``."""
    alarms: dict[str, Any] = {}
    for number, (name, api) in enumerate(data["apis"].items()):
        alarms[f"a{number}"] = _alarm(drawing, name, api)
    names = list(alarms)
    rule = f"{names[0]} OR NOT OK({names[-1]})"
    if drawing.maybe(50):
        alarms["all"] = {"composite": drawing.one(rule, f"({rule}) AND INSUFFICIENT_DATA(a0)")}
    data["alarms"] = alarms


def _alarm(drawing: Drawing, name: str, api: dict[str, Any]) -> dict[str, Any]:
    kind = api["type"]
    known = [one for one in METRICS_OF_TYPE[kind] if not one.startswith("Cache")]
    metric = drawing.one(*known)
    alarm: dict[str, Any] = {"metric": metric, "api": name}
    word = drawing.one(*_WORDS)
    if metric.endswith("Latency"):
        alarm["statistic"] = drawing.one("p90", "average", "p99.9", "max")
        alarm[word] = drawing.one("1ms", "2ms", "10ms")
    elif metric == "DataProcessed":
        alarm |= {"statistic": drawing.one("sum", "minimum"), word: drawing.one("1KB", "100KB")}
    else:
        alarm |= {"statistic": drawing.one("sum", "sample_count"), word: drawing.one(1, 3, 10)}
    drawing.optional(alarm, 40, "period", "2m", "1m")
    drawing.optional(alarm, 60, "datapoints", "2 of 3", "1 of 4", 2)
    drawing.optional(alarm, 70, "missing", "breaching", "ignore", "not_breaching", "missing")
    stages = api.get("stages", {"": api.get("stage", {})})
    stage = drawing.one(*stages)
    if stage:
        alarm["stage"] = stage
    elif "name" in stages[""]:
        alarm["stage"] = stages[""]["name"]
    routes = list(api["routes"])
    if stages[stage].get("detailed_metrics") and routes and drawing.maybe(60):
        alarm["route"] = drawing.one(*routes)
    return alarm
