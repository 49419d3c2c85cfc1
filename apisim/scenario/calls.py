"""Which APIs and routes a source of traffic may call."""

from collections.abc import Iterator

from apisim.scenario.api import Api
from apisim.scenario.routes import can_match
from apisim.scenario.scenario import Scenario
from apisim.scenario.traffic import Source
from apisim.scenario.websocket_routes import LIFE_ROUTES

__all__ = ["called_apis", "called_routes"]


def called_apis(scenario: Scenario, source: Source) -> list[str]:
    """Names of the APIs that a source calls; of a log, those that its domain leads to."""
    trace = source.trace
    if trace is None:
        return [name for name in dict.fromkeys(entry.api for entry in source.mix) if name]
    if trace.domain is not None:
        domain = scenario.domains.get(trace.domain)
        mapped = [] if domain is None else domain.mappings.values()
        return list(dict.fromkeys(scenario.stage_api(api) for api in mapped))
    return [scenario.stage_api(trace.api or next(iter(scenario.apis)))]


def called_routes(scenario: Scenario, source: Source) -> Iterator[tuple[Api, str]]:
    """Routes that a source may call; all of a log's API."""
    if source.trace is not None:
        for name in called_apis(scenario, source):
            if name in scenario.apis:
                yield from ((scenario.apis[name], key) for key in scenario.apis[name].routes)
    for entry in source.mix:
        called = scenario.apis.get(entry.api)
        if called is None:
            continue
        keys = called.route_keys()
        exact = str(entry.route)
        for key, route_key in keys.items():
            if key == exact or (exact not in keys and can_match(route_key, entry.route)):
                yield called, key
    if source.sessions is not None:
        for name in called_apis(scenario, source):
            if name in scenario.apis:
                own = scenario.apis[name].routes
                yield from ((scenario.apis[name], key) for key in LIFE_ROUTES if key in own)
