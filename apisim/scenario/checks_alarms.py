"""Alarms against the rest of the scenario: what they look at must be there."""

from apisim.scenario.alarms import Alarm
from apisim.scenario.cloudwatch_metrics import ALARM_METRICS, METRICS_OF_TYPE
from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.scenario import Scenario
from apisim.scenario.units import shown
from apisim.scenario.validation import Validation

__all__ = ["alarm_stages", "check_alarms"]


def alarm_stages(scenario: Scenario, alarm: Alarm) -> list[str]:
    """Keys of ``apis`` that an alarm on a metric looks at."""
    wanted, _, stage = (alarm.api or "").partition("/")
    stage = stage or (alarm.stage or "")
    return [
        name
        for name, api in scenario.apis.items()
        if (not wanted or name.partition("/")[0] == wanted)
        and (not stage or api.stage.name == stage)
    ]


def check_alarms(scenario: Scenario, outcome: Validation) -> None:
    """Names, metrics of each type of API, and composites that look at themselves."""
    for name, alarm in scenario.alarms.items():
        if alarm.composite is None:
            _check_metric(scenario, outcome, name, alarm)
    _check_composites(scenario, outcome)


def _check_metric(scenario: Scenario, outcome: Validation, name: str, alarm: Alarm) -> None:
    at: Path = ("alarms", name)
    known = list(dict.fromkeys(api.partition("/")[0] for api in scenario.apis))
    if alarm.api is None and len(known) > 1:
        outcome.add(at, "api is required where there are several", f"one of {', '.join(known)}")
        return
    if alarm.api is not None and alarm.api.partition("/")[0] not in known:
        written = outcome.names("apis")
        hint = did_you_mean(alarm.api, written or known)
        outcome.add((*at, "api"), f"{shown(alarm.api)} is not defined under apis", hint)
        return
    stages = alarm_stages(scenario, alarm)
    api = alarm.api or known[0]
    if not stages:
        there = [one.stage.name for key, one in scenario.apis.items() if _is_of(key, api)]
        key = "stage" if alarm.stage is not None else "api"
        hint = f"its stages: {', '.join(there)}"
        outcome.add((*at, key), f"the API {api.partition('/')[0]} has no such stage", hint)
        return
    _check_kind(scenario, outcome, at, alarm, stages)
    if alarm.route is not None:
        _check_route(scenario, outcome, at, alarm.route, stages)


def _is_of(key: str, api: str) -> bool:
    return key.partition("/")[0] == api.partition("/")[0]


def _check_kind(
    scenario: Scenario, outcome: Validation, at: Path, alarm: Alarm, stages: list[str]
) -> None:
    kind = scenario.apis[stages[0]].type
    because: tuple[Path, ...] = (("apis", stages[0], "type"),)
    metric = ALARM_METRICS[str(alarm.metric)].get(kind)
    if metric is None:
        hint = f"it has {', '.join(METRICS_OF_TYPE[kind])}"
        message = f"CloudWatch has no {alarm.metric} of a {kind} API"
        outcome.add((*at, "metric"), message, hint, because=because)
    elif metric.startswith("Cache") and not any(
        scenario.apis[one].stage.has_cache for one in stages
    ):
        outcome.add(
            (*at, "metric"),
            f"{alarm.metric} needs a cache, and its stage has none",
            "write cache_cluster_size on the stage",
            because=(("apis", stages[0], "stage"),),
        )


def _check_route(
    scenario: Scenario, outcome: Validation, at: Path, route: str, stages: list[str]
) -> None:
    if len(stages) > 1:
        hint = "a metric of a route is of one stage"
        outcome.add(at, "stage is required with route where there are several", hint)
        return
    api = scenario.apis[stages[0]]
    if route not in api.every_route:
        hint = did_you_mean(route, api.every_route)
        message = f"{shown(route)} is not a route of {stages[0]}"
        outcome.add((*at, "route"), message, hint, because=(("apis", stages[0], "routes"),))
    elif not api.stage.detailed_metrics:
        outcome.add(
            (*at, "route"),
            f"CloudWatch has no metrics of the routes of {stages[0]}",
            "write detailed_metrics: true on its stage (it costs), or leave route out",
            because=(("apis", stages[0], "stage"),),
        )


def _check_composites(scenario: Scenario, outcome: Validation) -> None:
    names = outcome.names("alarms")
    looks_at: dict[str, list[str]] = {}
    for name, alarm in scenario.alarms.items():
        if alarm.composite is None:
            continue
        at: Path = ("alarms", name, "composite")
        looks_at[name] = list(dict.fromkeys(alarm.composite.alarms()))
        for other in looks_at[name]:
            if other not in names and other not in scenario.alarms:
                hint = did_you_mean(other, names) or "define it under alarms:"
                outcome.add(at, f"{shown(other)} is not an alarm", hint)
    for name in looks_at:
        if _reaches(looks_at, name):
            message = "looks at itself, perhaps through others"
            outcome.add(("alarms", name, "composite"), message, "break the circle")


def _reaches(looks_at: dict[str, list[str]], name: str) -> bool:
    """Whether following what alarms look at leads back to where it began."""
    seen: set[str] = set()
    open_ = list(looks_at[name])
    while open_:
        other = open_.pop()
        if other == name:
            return True
        if other not in seen:
            seen.add(other)
            open_ += looks_at.get(other, [])
    return False
