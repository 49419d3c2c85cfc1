"""Rules between a stage's cache, the routes it serves and the timeline; notes on cache keys."""

from collections.abc import Iterator
from typing import Final

from apisim.scenario.api import Api, Route
from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.remarks import Remark
from apisim.scenario.scenario import Scenario
from apisim.scenario.timeline import PhaseTime
from apisim.scenario.validation import Validation

__all__ = ["cache_remarks", "check_cache_keys", "check_cached_routes", "check_timeline"]

_NO_CACHE: Final = "HTTP APIs have no response cache"
_HINT: Final = "use type: rest, or remove this key"
_CACHING: Final = 'developer guide, "Cache settings for REST APIs"'


def check_cached_routes(scenario: Scenario, outcome: Validation) -> None:
    """What belongs to a cache is on REST APIs, and names parameters that are there."""
    for name, api in scenario.apis.items():
        kind: tuple[Path, ...] = (("apis", name, "type"),)
        for key, route in api.routes.items():
            at: Path = ("apis", name, "routes", key)
            if api.type == "http":
                if route.depends_on is not None:
                    outcome.add((*at, "depends_on"), _NO_CACHE, _HINT, because=kind)
                if route.updates > 0:
                    outcome.add((*at, "updates"), _NO_CACHE, _HINT, because=kind)
                if route.integration.cache_namespace is not None:
                    place = (*at, "integration", "cache_namespace")
                    outcome.add(place, _NO_CACHE, _HINT, because=kind)
            _check_dependencies(api, at, key, route, outcome)


def _check_dependencies(api: Api, at: Path, key: str, route: Route, outcome: Validation) -> None:
    parameters = api.route_keys()[key].parameters
    wanted = route.depends_on or []
    for index, parameter in enumerate(wanted):
        place = (*at, "depends_on", index)
        kind, _, named = parameter.partition(".")
        if kind == "path" and named.removesuffix("+") not in parameters:
            message = f"the path of {key} has no parameter {named}"
            outcome.add(place, message, did_you_mean(named, parameters))
        if parameter in wanted[:index]:
            outcome.add(place, f"{parameter} is given twice", "keep one of them")


def check_timeline(scenario: Scenario, outcome: Validation) -> None:
    """The timeline's phases are there, and its stages with a cache of the kind asked for."""
    for index, entry in enumerate(scenario.timeline):
        at: Path = ("timeline", index)
        if isinstance(entry.at, PhaseTime):
            _check_phase(scenario, outcome, (*at, "at"), entry.at)
        if entry.flush_cache is not None:
            _check_stage(scenario, outcome, (*at, "flush_cache"), entry.flush_cache)
        for stage in entry.resize_cache or ():
            place = (*at, "resize_cache", stage)
            if _check_stage(scenario, outcome, place, stage):
                name = scenario.stage_api(stage)
                if scenario.apis[name].stage.cache_cluster_size is None:
                    message = f"{stage} has no cache_cluster_size to change"
                    because: tuple[Path, ...] = (("apis", name, "stage"),)
                    hint = 'write cache_cluster_size: "0.5" under stage:'
                    outcome.add(place, message, hint, because=because)


def _check_phase(scenario: Scenario, outcome: Validation, at: Path, when: PhaseTime) -> None:
    """One phase is meant, or several that begin together."""
    starts = scenario.starts_of(when)
    because: tuple[Path, ...] = (("traffic",),)
    if not starts:
        sources = scenario.traffic.items()
        known = [phase.name for _, source in sources for phase in source.phases]
        known += [f"{name}.{phase.name}" for name, source in sources for phase in source.phases]
        hint = did_you_mean(str(when), sorted(set(known)))
        outcome.add(at, f"there is no phase {when}", hint, because=because)
    elif len(set(starts.values())) > 1:
        message = f"the phase {when} begins at different times in {', '.join(starts)}"
        hint = f"write e.g. {next(iter(starts))}.{when}+10s"
        outcome.add(at, message, hint, because=because)


def _check_stage(scenario: Scenario, outcome: Validation, at: Path, written: str) -> bool:
    name, stage = scenario.stage_api(written), written.partition("/")[2]
    api = scenario.apis.get(name)
    if api is None:
        return False  # cut out; an undefined one is found where the entry is read
    because: tuple[Path, ...] = (("apis", name, "stage"), ("apis", name, "type"))
    if stage != api.stage.name:
        message = f"the API {name} has no stage {stage}"
        outcome.add(at, message, f"its stage is {api.stage.name}", because=because)
        return False
    if api.type == "http":
        outcome.add(at, f"{_NO_CACHE}, REST APIs have one", "use type: rest", because=because)
        return False
    if not api.stage.has_cache:
        hint = 'write cache_cluster_size: "0.5" under stage:'
        outcome.add(at, f"the stage {written} has no cache", hint, because=because)
        return False
    return True


def cache_remarks(scenario: Scenario) -> Iterator[Remark]:
    """Caches that nobody uses, and keys that do not fit what the answer depends on."""
    for name, api in scenario.apis.items():
        if api.stage.has_cache and not any(route.cache for route in api.routes.values()):
            message = "the stage has a cache, but no route uses it"
            hint = "write cache: {ttl: 5m, keys: [...]} on a route, or take the cluster out"
            yield Remark("cache-unused", ("apis", name), message, hint, _CACHING)
    for name, api in scenario.apis.items():
        for key, route in api.routes.items():
            if route.cache is None or route.cache.enabled is False or route.depends_on is None:
                continue
            keys = set(route.cache.keys)
            if scenario.settings.path_in_cache_key:
                keys |= {f"path.{parameter}" for parameter in api.route_keys()[key].parameters}
            at: Path = ("apis", name, "routes", key)
            left_out = [p for p in route.depends_on if not _is_covered(p, keys)]
            if left_out:
                message = (
                    f"the answer depends on {', '.join(left_out)}, not in cache.keys: callers get "
                    "each other's answers"
                )
                hint = f"add {', '.join(left_out)} to cache.keys"
                yield Remark("cache-key-too-broad", at, message, hint, _CACHING)
            needless = [p for p in route.cache.keys if not _is_needed(p, route.depends_on)]
            if needless:
                message = (
                    f"cache.keys has {', '.join(needless)}, on which the answer does not depend: "
                    "fewer hits"
                )
                hint = f"take {', '.join(needless)} out of cache.keys"
                yield Remark("cache-key-too-narrow", at, message, hint, _CACHING)


def _is_needed(key: str, depends_on: list[str]) -> bool:
    """Whether an answer depends on a part of the key, or on a part of that."""
    return key in depends_on or any(one.startswith(f"{key}.") for one in depends_on)


def _is_covered(parameter: str, by: set[str]) -> bool:
    """Whether a parameter is among others; the whole query string holds each of its own."""
    return parameter in by or (parameter.startswith("querystring.") and "querystring" in by)


def _routes(scenario: Scenario) -> Iterator[tuple[Path, Api, str, Route]]:
    for name, api in scenario.apis.items():
        for key, route in api.routes.items():
            yield ("apis", name, "routes", key), api, key, route


def _has_cache(scenario: Scenario, name: str) -> bool:
    """Whether an API's stage has a cache; of several, one of them is enough."""
    own = name.partition("/")[0]
    return any(
        api.stage.has_cache
        for other, api in scenario.apis.items()
        if other.partition("/")[0] == own
    )


def check_cache_keys(scenario: Scenario, outcome: Validation) -> None:
    """Routes are cached where there is a cache, by parameters that there are."""
    for at, api, key, route in _routes(scenario):
        if route.cache is None or api.type != "rest":
            continue
        stage = (*at[:2], "stage")
        if not _has_cache(scenario, str(at[1])):
            hint = 'write cache_cluster_size: "0.5" under stage:'
            message = "the stage has no cache"
            outcome.add((*at, "cache"), message, hint, because=(stage, (*at[:2], "type")))
        parameters = api.route_keys()[key].parameters
        for index, cache_key in enumerate(route.cache.keys):
            place = (*at, "cache", "keys", index)
            kind, _, wanted = cache_key.partition(".")
            if kind == "path" and wanted.removesuffix("+") not in parameters:
                message = f"the path of {key} has no parameter {wanted}"
                outcome.add(place, message, did_you_mean(wanted, parameters))
            if cache_key in route.cache.keys[:index]:
                outcome.add(place, f"{cache_key} is given twice", "keep one of them")
