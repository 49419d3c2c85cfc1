"""Where routes lead: the functions, endpoints and services that calls of a route may have reached.

A timeline may deploy a route anew. Calls are counted by route and not by deployment, so a route is
taken to have led everywhere that it led at any time of the run.
"""

from collections.abc import Sequence

from apisim.engine.program import Cell, Targets
from apisim.scenario import Scenario

__all__ = ["lower_calls", "lower_targets", "states_until"]


def states_until(scenario: Scenario, horizon_ns: int) -> list[Scenario]:
    """The scenario as it begins, and as its timeline makes it before the end."""
    later = (state.scenario for state in scenario.states if state.at_ns < horizon_ns)
    return [scenario, *later]


def lower_targets(states: Sequence[Scenario], cells: Sequence[Cell]) -> tuple[Targets, ...]:
    """Where the route of each cell led, for the calls of its variant (``canary``) of the stage."""
    known: dict[tuple[str, str, str], Targets] = {}
    for cell in cells:
        key = cell.api, cell.route, cell.variant
        if key not in known:
            names = zip(*(_at(scenario, *key) for scenario in states), strict=True)
            known[key] = Targets(*(frozenset(filter(None, of_kind)) for of_kind in names))
    return tuple(known[cell.api, cell.route, cell.variant] for cell in cells)


def lower_calls(states: Sequence[Scenario]) -> dict[tuple[str, str], int]:
    """How many calls of a service an invocation of a function makes, at most in the run."""
    found: dict[tuple[str, str], int] = {}
    for scenario in states:
        for name, function in scenario.functions.items():
            services = [call.service for call in function.calls if call.service is not None]
            for service in services:
                key = name, service
                found[key] = max(found.get(key, 0), services.count(service))
    return found


def _at(scenario: Scenario, api: str, route: str, variant: str) -> tuple[str, str, str, str]:
    stage, known = scenario.apis[api].stage, scenario.apis[api].every_route.get(route)
    if known is None:
        return "", "", "", ""
    named = known.integration
    function, endpoint = named.function or "", named.endpoint or ""
    canary = stage.canary
    if canary is not None and (variant == "canary" or canary.promoted):
        function = canary.functions.get(function, function)
        endpoint = canary.endpoints.get(endpoint, endpoint)
    authorizer = scenario.authorizers.get(known.authorizer or "")
    asked = "" if authorizer is None else authorizer.function or ""
    return function, endpoint, named.service or "", asked
