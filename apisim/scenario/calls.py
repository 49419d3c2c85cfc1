"""Which routes a source of traffic may call."""

from collections.abc import Iterator

from apisim.scenario.api import Api
from apisim.scenario.routes import can_match
from apisim.scenario.scenario import Scenario
from apisim.scenario.traffic import Source

__all__ = ["called_routes"]


def called_routes(scenario: Scenario, source: Source) -> Iterator[tuple[Api, str]]:
    """Routes that a source may call; all of a log's API."""
    if source.trace is not None:
        for name, api in scenario.apis.items():
            if source.trace.api in (None, name):
                yield from ((api, key) for key in api.routes)
    for entry in source.mix:
        called = scenario.apis.get(entry.api)
        if called is None:
            continue
        keys = called.route_keys()
        exact = str(entry.route)
        for key, route_key in keys.items():
            if key == exact or (exact not in keys and can_match(route_key, entry.route)):
                yield called, key
