"""Rules about what APIs and functions call: endpoints and AWS services, and their actions."""

from collections.abc import Iterator

from apisim.scenario.actions import ACTIONS
from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.scenario import Scenario
from apisim.scenario.services import ON_HTTP_APIS, action_of
from apisim.scenario.units import UnitError, shown
from apisim.scenario.validation import Validation
from apisim.scenario.websocket_routes import parse_any_key

__all__ = ["check_services"]


def _calls(scenario: Scenario) -> Iterator[tuple[Path, str, str | None, str]]:
    """Place, service, action and method of all that calls a service."""
    for api_name, api in scenario.apis.items():
        for key, route in api.routes.items():
            integration = route.integration
            if integration.service is not None:
                try:
                    method = parse_any_key(key).method
                except UnitError:
                    continue  # reported where the routes are read
                place = ("apis", api_name, "routes", key, "integration")
                yield place, integration.service, integration.action, method
    for name, function in scenario.functions.items():
        for at, call in enumerate(function.calls):
            if call.service is not None:
                yield ("functions", name, "calls", at), call.service, call.action, "GET"


def check_services(scenario: Scenario, outcome: Validation) -> None:
    """What is called is there, has that action, and may be called by that type of API."""
    for name, function in scenario.functions.items():
        for at, call in enumerate(function.calls):
            if call.endpoint is not None:
                place: Path = ("functions", name, "calls", at, "endpoint")
                _is_there(outcome, place, call.endpoint)
                endpoint = scenario.endpoints.get(call.endpoint)
                if endpoint is not None and endpoint.behind is not None:
                    message = f"{call.endpoint} is behind a load balancer"
                    hint = "functions call endpoints without behind: so far"
                    of_endpoint = (("endpoints", call.endpoint),)
                    outcome.add(place, message, hint, because=of_endpoint)
    for place, name, action, method in _calls(scenario):
        _is_there(outcome, (*place, "service"), name)
        service = scenario.services.get(name)
        if service is None:
            continue
        because: tuple[Path, ...] = (("services", name, "type"),)
        if action is not None and action not in ACTIONS[service.type]:
            message = f"{service.type} has no action {action}"
            outcome.add((*place, "action"), message, "remove the key", because=because)
        elif action_of(service, action, method) is None:
            message = f"{method} does not say what is done to {name}"
            hint = "write action: GetItem or another"
            outcome.add((*place, "service"), message, hint, because=because)
        is_http = place[0] == "apis" and scenario.apis[str(place[1])].type == "http"
        if is_http and service.type not in ON_HTTP_APIS:
            message = f"HTTP APIs have no integration with {service.type}, REST APIs have it"
            hint = f"use type: rest, or one of {', '.join(ON_HTTP_APIS)}"
            of_api = (*because, (*place[:2], "type"))
            outcome.add((*place, "service"), message, hint, because=of_api)


def _is_there(outcome: Validation, at: Path, name: str) -> None:
    section = f"{at[-1]}s"
    names = outcome.names(section)
    if name not in names:
        hint = did_you_mean(name, names) or f"define it under {section}:"
        outcome.add(at, f"{shown(name)} is not defined under {section}", hint)
