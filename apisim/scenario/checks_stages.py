"""Rules of stages, canaries and custom domains."""

from apisim.scenario.access_log import problems_of
from apisim.scenario.features import lacks
from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.scenario import Scenario
from apisim.scenario.units import shown
from apisim.scenario.validation import Validation

__all__ = ["check_stage", "check_stages", "stage_notes"]

#: Keys of a stage that not every type of API has, and their features.
_FEATURES = {
    "canary": "canary",
    "minimum_compression_size": "compression",
    "tracing": "tracing",
    "execution_log": "execution_log",
}
#: Metrics of logical calls; others are of attempts, each of which has one deployment.
_OF_CALLS = ("availability", "goodput", "call_latency")


def check_stage(scenario: Scenario, outcome: Validation, at: Path, written: str) -> None:
    """Refuse ``API`` or ``API/STAGE`` that stands for nothing."""
    if written in outcome.names("apis"):
        return
    name, _, stage = written.partition("/")
    api = scenario.apis.get(name)
    if api is None:
        names = outcome.names("apis")
        if name not in names:
            hint = did_you_mean(name, names) or "define it under apis:"
            outcome.add(at, f"{shown(written)} is not defined under apis", hint)
    elif stage != api.stage.name:
        message = f"the API {name} has no stage {shown(stage)}"
        because: tuple[Path, ...] = (("apis", name, "stage"),)
        outcome.add(at, message, f"its stage is {api.stage.name}", because=because)


def check_stages(scenario: Scenario, outcome: Validation) -> None:
    """Check canaries, compression and domains."""
    for name, api in scenario.apis.items():
        at: Path = ("apis", name, "stage")
        kind: tuple[Path, ...] = (("apis", name, "type"),)
        if api.stages is not None:
            outcome.add(("apis", name, "stages"), "must be a mapping of stage to its settings")
        for key, feature in _FEATURES.items():
            if getattr(api.stage, key) is not None:
                found = lacks(feature, api.type)
                if found is not None:
                    outcome.add((*at, key), *found, because=kind)
        if api.stage.access_log is not None:
            for found in problems_of(api.stage.access_log, api.type):
                outcome.add((*at, "access_log"), *found, because=kind)
        _check_canary(scenario, outcome, name)
    _check_domains(scenario, outcome)
    for at, threshold in scenario.figures:
        if threshold.metric in _OF_CALLS and "variant" in dict(threshold.tags):
            message = f"{threshold.metric} is of calls, whose attempts may meet both deployments"
            outcome.add(at, message, "use latency or errors_5xx")


def _check_canary(scenario: Scenario, outcome: Validation, name: str) -> None:
    api = scenario.apis[name]
    canary = api.stage.canary
    if canary is None:
        return
    at: Path = ("apis", name, "stage", "canary")
    routes: Path = ("apis", name, "routes")
    backends = list(api.canary_backends.values())
    for section, position in (("functions", 0), ("endpoints", 1)):
        defined = outcome.names(section)
        for old, new in getattr(canary, section).items():
            place: Path = (*at, section, old)
            for one in (old, new):
                if one not in defined:
                    hint = did_you_mean(one, defined) or f"define it under {section}:"
                    outcome.add(place, f"{shown(one)} is not defined under {section}", hint)
            if old in defined and not any(found[position] == new for found in backends):
                outcome.add(place, f"no route of the canary calls {old}", because=(routes,))
        for key, found in api.canary_backends.items():
            called = found[position]
            own = api.routes[key].integration if key in api.routes else None
            given = getattr(canary, section).values()
            stable = getattr(own, section[:-1], None)
            if called is not None and called != stable and called not in (*defined, *given):
                message = f"the canary calls {shown(called)}, which is not defined under {section}"
                hint = did_you_mean(called, defined) or f"define it under {section}:"
                place = (*routes, key, "integration", section[:-1])
                outcome.add(place, message, hint, because=(at,))


def _check_domains(scenario: Scenario, outcome: Validation) -> None:
    for name, domain in scenario.domains.items():
        for path, target in domain.mappings.items():
            at: Path = ("domains", name, "mappings", path)
            check_stage(scenario, outcome, at, target)
            api = scenario.apis.get(scenario.stage_api(target))
            if api is not None and "/" in path and api.endpoint == "edge":
                message = f"edge-optimized APIs have no base path with several levels ({path})"
                hint = "use endpoint: regional, or one level"
                because: tuple[Path, ...] = (("apis", scenario.stage_api(target), "endpoint"),)
                outcome.add(at, message, hint, because=because)


def stage_notes(scenario: Scenario) -> list[str]:
    """Canaries that change nothing, or share what they should not."""
    notes = []
    for name, api in scenario.apis.items():
        canary = api.stage.canary
        if canary is None:
            continue
        place = f"apis.{name}.stage.canary"
        changed = [
            key
            for key, (function, endpoint) in api.canary_backends.items()
            if key in api.routes
            and (function, endpoint)
            != (api.routes[key].integration.function, api.routes[key].integration.endpoint)
        ]
        if not changed:
            notes.append(f"{place}: it calls what the stage calls")
        shared = [key for key in changed if api.routes[key].cache is not None]
        if canary.use_stage_cache and not canary.is_new_deployment and shared:
            notes.append(
                f"{place}: same deployment and the stage's cache, so that each may answer with "
                f"what the other made: {', '.join(shared)}"
            )
    return notes
