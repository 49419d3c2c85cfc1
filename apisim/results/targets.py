"""Where routes lead: the functions, endpoints and services that calls of a route may have reached.

A timeline may deploy a route anew. Calls are counted by route and not by deployment, so a route is
taken to have led everywhere that it led at any time of the run.
"""

from typing import NamedTuple

from apisim.engine.program import Program
from apisim.scenario import Scenario

__all__ = ["Targets", "calls_of", "targets_of"]


class Targets(NamedTuple):
    """Where a route led in the course of a run; empty where it led to nothing of the kind."""

    functions: frozenset[str]
    endpoints: frozenset[str]
    services: frozenset[str]
    authorizers: frozenset[str]  # their functions


def targets_of(program: Program, api: str, route: str, variant: str) -> Targets:
    """Where a route of an API led, for the calls of one variant (``canary``) of its stage."""
    found = [_at(scenario, api, route, variant) for scenario in _scenarios(program)]
    return Targets(
        *(frozenset(name for name in names if name) for names in zip(*found, strict=True))
    )


def calls_of(program: Program, function: str, service: str) -> int:
    """How many calls of a service each invocation of a function makes, at most in the run."""
    return max(
        sum(call.service == service for call in scenario.functions[function].calls)
        for scenario in _scenarios(program)
    )


def _scenarios(program: Program) -> list[Scenario]:
    scenario = program.scenario
    later = (state for state in scenario.states if state.at_ns < program.horizon_ns)
    return [scenario, *(state.scenario for state in later)]


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
