"""The OPTIONS methods that CORS brings into being on a REST API."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from apisim.scenario.api import Api, Route

__all__ = ["with_options"]

#: What such a method is: nothing to read and nothing to send.
_OPTIONS: Final = {"integration": {"type": "mock"}, "request_size": "0B", "response_size": "0B"}


def with_options(api: "Api") -> dict[str, "Route"]:
    """Routes as written, then the OPTIONS methods that answer preflights.

    A resource of a REST API has one, a mock without authorizer, if any of its methods has CORS and
    nobody wrote an OPTIONS for it (developer guide, "Enable CORS on a resource").
    """
    found = dict(api.routes)
    if api.type != "rest":
        return found
    keys = {
        key: (parsed, parsed.shape.partition(" ")[2]) for key, parsed in api.route_keys().items()
    }
    answered = {place for parsed, place in keys.values() if parsed.method == "OPTIONS"}
    for key, (parsed, place) in keys.items():
        route = api.routes[key]
        if place not in answered and (api.cors if route.cors is None else route.cors):
            answered.add(place)
            found[f"OPTIONS {parsed.path}"] = type(route).model_validate(_OPTIONS)
    return found
