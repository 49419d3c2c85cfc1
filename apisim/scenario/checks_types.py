"""What each type of API has: integrations, time-outs, route keys, and what HTTP APIs lack."""

from collections.abc import Callable, Iterable
from typing import Final

from apisim.scenario.api import Api, Route
from apisim.scenario.features import lacks
from apisim.scenario.formats import format_duration
from apisim.scenario.problems import Path
from apisim.scenario.scenario import Scenario
from apisim.scenario.transformation import MAPPED
from apisim.scenario.units import parse_duration, shown
from apisim.scenario.validation import Validation

__all__ = ["TYPE_RULES", "refuse_lacking"]


def _routes(scenario: Scenario) -> Iterable[tuple[Path, Api, str, Route]]:
    for api_name, api in scenario.apis.items():
        for key, route in api.routes.items():
            yield ("apis", api_name, "routes", key), api, key, route


def refuse_lacking(outcome: Validation, feature: str, api: Api, at: Path) -> None:
    """Refuse what stands at ``at`` if the API's type lacks it."""
    found = lacks(feature, api.type)
    if found is not None:
        outcome.add(at, *found, because=((*at[:2], "type"),))


def _check_http_apis(scenario: Scenario, outcome: Validation) -> None:
    """What HTTP APIs lack (developer guide, "Choose between REST APIs and HTTP APIs")."""
    for name, api in scenario.apis.items():
        at: Path = ("apis", name)
        kind = ((*at, "type"),)
        if api.type != "http":
            continue
        if api.endpoint != "regional":
            message = "HTTP APIs have regional endpoints only"
            outcome.add((*at, "endpoint"), message, "use type: rest", because=kind)
        for key in ("cache_cluster_size", "cache_capacity", "cache_max_entries"):
            if getattr(api.stage, key) is not None:
                refuse_lacking(outcome, "cache", api, (*at, "stage", key))
    for at, api, _, route in _routes(scenario):
        if api.type != "http":
            continue
        kind = ((*at[:2], "type"),)
        if route.cache is not None:
            refuse_lacking(outcome, "cache", api, (*at, "cache"))
        if route.validation is not None:
            refuse_lacking(outcome, "validation", api, (*at, "validate"))
        if route.integration.transformation is not None and route.integration.type in MAPPED:
            refuse_lacking(outcome, "mapping", api, (*at, "integration", "transformation"))
        integration = route.integration.type
        if integration not in ("lambda_proxy", "http_proxy", "aws_service"):
            message = f"HTTP APIs have no {integration} integration, REST APIs have it"
            hint = "use lambda_proxy or http_proxy, or type: rest"
            outcome.add((*at, "integration", "type"), message, hint, because=kind)


def _check_timeouts(scenario: Scenario, outcome: Validation) -> None:
    """Longest integration timeouts (quotas of each type, 2025)."""
    for at, api, _, route in _routes(scenario):
        limit, owner = "300s", "regional REST APIs"
        if route.integration.is_streamed:
            limit, owner = "900s", "streamed answers"
        if api.type == "http":
            limit, owner = "30s", "HTTP APIs"
        elif api.type == "websocket":
            limit, owner = "29s", "WebSocket APIs"
        elif api.endpoint == "edge" and not route.integration.is_streamed:
            limit, owner = "29s", "edge-optimized REST APIs"
        if route.integration.timeout > parse_duration(limit):
            written = format_duration(route.integration.timeout)
            message = f"{written} is above the {limit} maximum of {owner}"
            because = ((*at[:2], "type"), (*at[:2], "endpoint"))
            place = (*at, "integration", "timeout")
            outcome.add(place, message, f"allowed: 50ms to {limit}", because=because)


def _check_streams(scenario: Scenario, outcome: Validation) -> None:
    """Where answers cannot be streamed, and that streamed ones are not cached."""
    for at, api, _, route in _routes(scenario):
        if not route.integration.is_streamed:
            continue
        place = (*at, "integration", "response_transfer_mode")
        refuse_lacking(outcome, "streaming", api, place)
        if route.cache is not None and api.type == "rest":
            message = "an answer that is streamed is not cached"
            hint = "remove cache:, or response_transfer_mode: stream"
            outcome.add((*at, "cache"), message, hint, because=(place,))


def _check_route_keys(scenario: Scenario, outcome: Validation) -> None:
    for name, api in scenario.apis.items():
        shapes: dict[str, str] = {}
        for key, route_key in api.route_keys().items():
            at: Path = ("apis", name, "routes", key)
            kind: tuple[Path, ...] = (("apis", name, "type"),)
            is_word = not route_key.path and key != "$default"
            if is_word and api.type != "websocket":
                message = f"{shown(key)} is not a route"
                outcome.add(at, message, "write e.g. GET /users/{userId}", because=kind)
            if route_key.path and api.type == "websocket":
                message = "a WebSocket API has no routes with method and path"
                hint = "write a value of its route_selection_expression, e.g. sendMessage"
                outcome.add(at, message, hint, because=kind)
            if route_key.method == "$default" and api.type == "rest":
                hint = "use ANY /{proxy+}, or type: http"
                message = "REST APIs have no $default route"
                outcome.add(at, message, hint, because=kind)
            first = shapes.setdefault(route_key.shape, key)
            if first != key:
                message = f"matches the same requests as {first}"
                outcome.add(at, message, "keep one of them", because=((*at[:-1], first),))


TYPE_RULES: Final[tuple[Callable[[Scenario, Validation], None], ...]] = (
    _check_http_apis,
    _check_timeouts,
    _check_streams,
    _check_route_keys,
)
