"""Rules between the keys of CORS, and what is allowed there but may not be meant."""

from collections.abc import Iterator
from typing import Final

from apisim.scenario.calls import called_routes
from apisim.scenario.cors import Browser, Cors
from apisim.scenario.problems import Path
from apisim.scenario.remarks import Remark
from apisim.scenario.scenario import Scenario
from apisim.scenario.validation import Validation

__all__ = ["check_cors", "cors_remarks"]

_CORS: Final = 'developer guide, "CORS for REST APIs in API Gateway"'


def _written(scenario: Scenario) -> Iterator[tuple[Path, str, Cors]]:
    """Each CORS configuration with its place and its API's type."""
    for name, api in scenario.apis.items():
        at: Path = ("apis", name)
        if api.cors is not None:
            yield (*at, "cors"), api.type, api.cors
        for key, route in api.routes.items():
            if route.cors:
                yield (*at, "routes", key, "cors"), api.type, route.cors


def check_cors(scenario: Scenario, outcome: Validation) -> None:
    """What each API type lacks (API reference, ``Cors``; developer guide, "CORS")."""
    for name, api in scenario.apis.items():
        kind: tuple[Path, ...] = (("apis", name, "type"),)
        for key, route in api.routes.items():
            if api.type == "http" and route.cors is not None:
                message = "HTTP APIs have one cors for all routes, REST APIs have it by method"
                hint = "write cors: under the API, or use type: rest"
                outcome.add(("apis", name, "routes", key, "cors"), message, hint, because=kind)
    for at, api_type, cors in _written(scenario):
        kind = ((*at[:2], "type"),)
        if api_type == "http" and cors.error_headers:
            message = "HTTP APIs have no gateway responses to add headers to, REST APIs have them"
            hint = "remove it (settings.http_error_cors), or use type: rest"
            outcome.add((*at, "error_headers"), message, hint, because=kind)
        if api_type == "http" and cors.allow_credentials and "*" in cors.allow_origins:
            message = "an HTTP API does not take credentials from every origin (*)"
            because = (*kind, (*at, "allow_origins"))
            outcome.add((*at, "allow_credentials"), message, "name the origins", because=because)
        for index, origin in enumerate(cors.allow_origins):
            if api_type == "rest" and origin.endswith("://*"):
                message = "REST APIs have no wildcard behind a scheme, HTTP APIs have it"
                place = (*at, "allow_origins", index)
                outcome.add(place, message, "name the origins, or use type: http", because=kind)


def cors_remarks(scenario: Scenario) -> Iterator[Remark]:
    """Strangers' browsers, origins one header cannot hold, pages that are locked out."""
    for name, source in scenario.traffic.items():
        if source.browser is not None and source.of is None and not source.is_closed:
            message = (
                "nobody is known behind the calls, so each comes from another browser and no "
                "preflight's answer is ever kept; write of: or users:"
            )
            yield Remark("browsers-of-nobody", ("traffic", name), message, "", _CORS)
    for at, api_type, cors in _written(scenario):
        if api_type == "rest" and len(cors.allow_origins) > 1 and "*" not in cors.allow_origins:
            message = (
                "a REST API has no list of origins; taken as code that compares the Origin header "
                "and echoes it"
            )
            yield Remark("cors-list-of-origins", at, message, "", _CORS)
        if cors.allow_credentials and "*" in cors.allow_origins:
            message = (
                "allow_origins * is not taken for requests with credentials: browsers hide those "
                "answers; name the origins"
            )
            yield Remark("cors-credentials-of-all", at, message, "", _CORS)
    yield from _locked_out(scenario)


def _locked_out(scenario: Scenario) -> Iterator[Remark]:
    """Pages that no answer will reach, one for each source and reason."""
    for name, source in scenario.traffic.items():
        browser = source.browser
        if browser is None:
            continue
        reasons: dict[str, list[str]] = {}
        for api, key in called_routes(scenario, source):
            own = api.routes[key].cors
            reason = _why_locked_out(browser, api.cors if own is None else own or None)
            if reason:
                reasons.setdefault(reason, []).append(key)
        for reason, keys in reasons.items():
            shown = ", ".join(dict.fromkeys(keys))
            message = f"browsers will hide the answers of {shown}: {reason}"
            hint = "write it into cors: of the API or of the route"
            yield Remark("cors-locked-out", ("traffic", name), message, hint, _CORS)


def _why_locked_out(browser: Browser, cors: Cors | None) -> str:
    if cors is None:
        return "no cors is given for it"
    allowed = cors.allow_origins
    scheme = browser.origin.partition("://")[0]
    if "*" in allowed:
        # With allow_credentials as well as without: the wildcard is for requests without.
        return "it sends credentials, and allow_origins is *" if browser.credentials else ""
    if browser.origin not in allowed and f"{scheme}://*" not in allowed:
        return f"its origin {browser.origin} is not among allow_origins"
    if browser.credentials and not cors.allow_credentials:
        return "it sends credentials, and allow_credentials is not set"
    return ""
