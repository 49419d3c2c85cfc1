"""What lets callers in: authorizers and API keys; and time limits that do not fit each other."""

from collections.abc import Iterator
from typing import Final

from apisim.scenario.api import Api, Route
from apisim.scenario.formats import format_duration
from apisim.scenario.problems import Path
from apisim.scenario.remarks import Remark
from apisim.scenario.scenario import Scenario

__all__ = ["guard_remarks"]

_AUTHORIZERS: Final = 'developer guide, "Use API Gateway Lambda authorizers"; tip 3 of the chapter'
_KEYS: Final = 'developer guide, "Usage plans and API keys for REST APIs"'
_TIMEOUTS: Final = 'developer guide, "Quotas and important notes" (integration timeout)'


def guard_remarks(scenario: Scenario) -> Iterator[Remark]:
    """All remarks on authorizers, keys and time limits."""
    yield from _authorizers(scenario)
    for name, api in scenario.apis.items():
        for key, route in api.routes.items():
            at: Path = ("apis", name, "routes", key)
            if route.api_key_required and _is_open(api, route):
                message = (
                    "an API key is all that is asked for: it tells who calls, it proves nothing"
                )
                hint = "write an authorizer beside it, or a resource_policy"
                place = (*at, "api_key_required")
                yield Remark("key-as-authorization", place, message, hint, _KEYS)
            yield from _outliving(scenario, at, route)


def _is_open(api: Api, route: Route) -> bool:
    return (
        route.authorizer is None
        and api.resource_policy is None
        and api.mutual_tls is None
        and api.api_key_source == "header"
    )


def _authorizers(scenario: Scenario) -> Iterator[Remark]:
    for name, authorizer in scenario.authorizers.items():
        if not authorizer.is_lambda:
            continue
        types = {
            api.type
            for api in scenario.apis.values()
            for route in api.routes.values()
            if route.authorizer == name and api.type != "websocket"
        }
        unkept = sorted(kind for kind in types if authorizer.ttl_on(kind) == 0)
        if not unkept:
            continue
        message = f"its results are not kept: {authorizer.function} is called for every request"
        at: Path = ("authorizers", name, "ttl")
        if authorizer.ttl is None:
            message = f"{message} (HTTP APIs keep none unless ttl is written)"
            at = ("authorizers", name)
        yield Remark("authorizer-ttl-zero", at, message, "write ttl: 5m, up to 1h", _AUTHORIZERS)


def _outliving(scenario: Scenario, at: Path, route: Route) -> Iterator[Remark]:
    """Functions that work on for callers who were told that it took too long."""
    integration = route.integration
    function = scenario.functions.get(integration.function or "")
    if function is None or integration.invocation == "event" or integration.is_streamed:
        return
    if function.timeout > integration.timeout:
        message = (
            f"{integration.function} may take {format_duration(function.timeout)}, the caller is "
            f"told after {format_duration(integration.timeout)}: the rest is worked and billed for "
            "nobody"
        )
        hint = "make the function's timeout shorter than the integration's"
        place = (*at, "integration")
        yield Remark("function-outlives-gateway", place, message, hint, _TIMEOUTS)
