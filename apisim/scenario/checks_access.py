"""Rules between authorizers, the routes that use them, and who calls those.

What each API type lacks (developer guide, "Choose between REST APIs and HTTP APIs", and the pages
of each authorizer): HTTP APIs have no token and no Cognito authorizer; ``$context.routeKey`` is
theirs alone.
"""

from collections.abc import Callable, Iterable
from typing import Final

from apisim.scenario.api import Api, Route
from apisim.scenario.authorizers import ROUTE_KEY, Authorizer
from apisim.scenario.problems import Path
from apisim.scenario.routes import can_match
from apisim.scenario.scenario import Scenario
from apisim.scenario.validation import Validation
from apisim.scenario.websocket_routes import CONNECT

__all__ = ["ACCESS_RULES", "access_notes"]


def _users(scenario: Scenario) -> Iterable[tuple[Path, Api, Route, str, Authorizer]]:
    """Routes with an authorizer that is defined."""
    for api_name, api in scenario.apis.items():
        for key, route in api.routes.items():
            authorizer = scenario.authorizers.get(route.authorizer or "")
            if authorizer is not None and route.authorizer is not None:
                yield ("apis", api_name, "routes", key), api, route, route.authorizer, authorizer


def _check_types(scenario: Scenario, outcome: Validation) -> None:
    """What an API's type lacks."""
    for at, api, _, name, authorizer in _users(scenario):
        place = (*at, "authorizer")
        because: tuple[Path, ...] = ((*at[:2], "type"), ("authorizers", name, "type"))
        if api.type == "http" and authorizer.type == "token":
            message = f"HTTP APIs have no token authorizers, and {name} is one"
            outcome.add(place, message, "use type: request", because=because)
        if api.type == "http" and authorizer.type == "cognito":
            message = f"HTTP APIs have no cognito authorizers, and {name} is one; REST APIs have"
            outcome.add(place, message, "use type: jwt", because=because)
        if api.type == "rest" and ROUTE_KEY in authorizer.identity_sources:
            message = f"REST APIs have no {ROUTE_KEY}, which {name} asks for; HTTP APIs have"
            hint = "remove it, or use type: http"
            because = (*because, ("authorizers", name, "identity_sources"))
            outcome.add(place, message, hint, because=because)
        if api.type == "rest" and authorizer.type == "jwt":
            bad = [s for s in authorizer.identity_sources if not s.startswith("header.")]
            if bad:
                message = f"jwt authorizers of REST APIs read a header, and {name} reads {bad[0]}"
                outcome.add(place, message, "use a header, or type: http", because=because)


def _check_identities(scenario: Scenario, outcome: Validation) -> None:
    for name, authorizer in scenario.authorizers.items():
        at: Path = ("authorizers", name)
        place = (*at, "identity_sources")
        kind = ((*at, "type"),)
        sources = authorizer.identity_sources
        if authorizer.type in ("token", "cognito") and (
            len(sources) != 1 or not sources[0].startswith("header.")
        ):
            hint = "use type: request" if authorizer.type == "token" else "name one header"
            message = f"a {authorizer.type} authorizer reads exactly one header"
            outcome.add(place, message, hint, because=kind)
        if authorizer.type == "jwt" and (len(sources) != 1 or sources[0].startswith("path.")):
            message = "a jwt authorizer reads exactly one header or query parameter"
            outcome.add(place, message, "name one", because=kind)
        users = [api for _, api, _, used, _ in _users(scenario) if used == name]
        keeps = [authorizer.ttl_on(api.type) > 0 for api in users] or [bool(authorizer.ttl)]
        if set(sources) <= {ROUTE_KEY} and any(keeps):
            message = "results are kept, which needs at least one identity source"
            hint = "name one, or write ttl: 0"
            outcome.add(place, message, hint, because=((*at, "ttl"),))


def _check_scopes(scenario: Scenario, outcome: Validation) -> None:
    for api_name, api in scenario.apis.items():
        for key, route in api.routes.items():
            at: Path = ("apis", api_name, "routes", key)
            authorizer = scenario.authorizers.get(route.authorizer or "")
            if not route.scopes or (authorizer is None and route.authorizer is not None):
                continue
            if authorizer is None or not authorizer.checks_tokens:
                hint = "use an authorizer of type cognito or jwt, or remove scopes"
                message = "scopes are checked by cognito and jwt authorizers only"
                because: tuple[Path, ...] = ((*at, "authorizer"),)
                if route.authorizer is not None:
                    because += (("authorizers", route.authorizer, "type"),)
                outcome.add((*at, "scopes"), message, hint, because=because)
    for name, source in scenario.traffic.items():
        population = scenario.populations.get(source.of or "")
        if source.scopes is not None and population is not None and population.scopes is not None:
            message = f"the users of {source.of} have scopes of their own"
            hint = "remove scopes here or there"
            because = (("populations", str(source.of)),)
            outcome.add(("traffic", name, "scopes"), message, hint, because=because)


def access_notes(scenario: Scenario) -> list[str]:
    """What callers show that nobody looks at."""
    types_met: dict[str, set[str]] = {name: set() for name in scenario.traffic}
    for name, source in scenario.traffic.items():
        for entry in source.mix:
            api = scenario.apis.get(entry.api)
            if api is None:
                continue
            for key, route_key in api.route_keys().items():
                authorizer = scenario.authorizers.get(api.routes[key].authorizer or "")
                is_met = key == CONNECT or can_match(route_key, entry.route)
                if authorizer is not None and is_met:
                    types_met[name].add(authorizer.type)
    notes = []
    for name, source in scenario.traffic.items():
        if source.credentials is not None and source.trace is None and "iam" not in types_met[name]:
            notes.append(f"traffic.{name}: credentials are given, but no iam authorizer sees them")
    for name, population in scenario.populations.items():
        theirs = [key for key, source in scenario.traffic.items() if source.of == name]
        shown = [
            key
            for key in theirs
            if types_met[key] - {"iam"}
            and "header.authorization" not in scenario.traffic[key].values
        ]
        if population.sign_in_quota is not None and theirs and not shown:
            notes.append(
                f"populations.{name}: nobody signs in, because no route that is called looks at a "
                "user's token"
            )
    return notes


#: Rules of this file, in order.
ACCESS_RULES: Final[tuple[Callable[[Scenario, Validation], None], ...]] = (
    _check_types,
    _check_identities,
    _check_scopes,
)
