"""Rules of WebSocket APIs: what they lack, who may use them, and what is said of their sessions.

What they lack: AWS's "Choose between REST APIs and HTTP APIs", "WebSocket APIs" and their quotas.
Who somebody is is asked once, at ``$connect``: a connection that stands is trusted.
"""

from collections.abc import Callable, Iterator
from typing import Final

from apisim.scenario.api import Api, Route
from apisim.scenario.authorizers import ROUTE_KEY
from apisim.scenario.calls import called_apis
from apisim.scenario.checks_types import refuse_lacking
from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.scenario import Scenario
from apisim.scenario.traffic import Source
from apisim.scenario.units import shown
from apisim.scenario.validation import Validation
from apisim.scenario.websocket_routes import CONNECT, DISCONNECT, LIFE_ROUTES

__all__ = ["WEBSOCKET_RULES"]

#: Authorizers of ``$connect`` (developer guide, "Control access to a WebSocket API").
_AUTHORIZERS: Final = ("request", "iam")
#: What pushes and sessions of other types are told.
_NAMES: Final = {"rest": "a REST API", "http": "an HTTP API"}


def _websockets(scenario: Scenario) -> Iterator[tuple[Path, Api]]:
    for name, api in scenario.apis.items():
        if api.type == "websocket":
            yield ("apis", name), api


def _check_apis(scenario: Scenario, outcome: Validation) -> None:
    """What a WebSocket API lacks as a whole."""
    for at, api in _websockets(scenario):
        kind = ((*at, "type"),)
        given: list[tuple[bool, str, Path]] = [
            (api.endpoint != "regional", api.endpoint, ("endpoint",)),
            (api.resource_policy is not None, "resource_policy", ("resource_policy",)),
            (api.mutual_tls is not None, "mutual_tls", ("mutual_tls",)),
            (api.stage.waf is not None, "waf", ("stage", "waf")),
        ]
        given += [
            (getattr(api.stage, key) is not None, "cache", ("stage", key))
            for key in ("cache_cluster_size", "cache_capacity", "cache_max_entries")
        ]
        for is_given, feature, key_path in given:
            if is_given:
                refuse_lacking(outcome, feature, api, (*at, *key_path))
        if api.cors is not None:
            message = "WebSocket APIs have no CORS: no browser asks before it connects"
            outcome.add((*at, "cors"), message, "remove this key", because=kind)


def _check_routes(scenario: Scenario, outcome: Validation) -> None:
    """What their routes lack, each by itself."""
    for at, api in _websockets(scenario):
        for key, route in api.routes.items():
            _check_route(outcome, (*at, "routes", key), api, route)
            _check_asking(outcome, (*at, "routes", key), key, route)
            _check_messages(outcome, (*at, "routes", key), key, route)


def _check_route(outcome: Validation, at: Path, api: Api, route: Route) -> None:
    integration = route.integration
    given: list[tuple[bool, str, Path]] = [
        (route.cache is not None, "cache", ("cache",)),
        (route.depends_on is not None, "cache", ("depends_on",)),
        (route.updates > 0, "cache", ("updates",)),
        (integration.cache_namespace is not None, "cache", ("integration", "cache_namespace")),
        (route.compression_ratio is not None, "compression", ("compression_ratio",)),
        (integration.content_encoding, "compression", ("integration", "content_encoding")),
    ]
    for is_given, feature, key_path in given:
        if is_given:
            refuse_lacking(outcome, feature, api, (*at, *key_path))
    if route.cors is not None:
        message = "WebSocket APIs have no CORS: no browser asks before it connects"
        outcome.add((*at, "cors"), message, "remove this key", because=((*at[:2], "type"),))


def _check_asking(outcome: Validation, at: Path, key: str, route: Route) -> None:
    """Authorizers and API keys are asked when somebody connects, and then no more."""
    if key == CONNECT:
        return
    kind = ((*at[:2], "type"),)
    asked = (
        ("authorizer", route.authorizer is not None),
        ("api_key_required", route.api_key_required),
    )
    for name, is_given in asked:
        if is_given:
            message = f"only $connect has {name}: who is connected is not asked again"
            outcome.add((*at, name), message, f"write it under {CONNECT}:", because=kind)


def _check_messages(outcome: Validation, at: Path, key: str, route: Route) -> None:
    """What only messages have, and only those of some integrations."""
    kind = ((*at[:2], "type"),)
    if key in LIFE_ROUTES:
        if route.route_response:
            message = f"what {key} answers is no message to the client"
            outcome.add((*at, "route_response"), message, "remove this key", because=kind)
        if route.validation is not None:
            message = f"{key} has no message to be validated"
            outcome.add((*at, "validate"), message, "remove this key", because=kind)
        if key == DISCONNECT and route.throttle is not None:
            message = "the end of a connection is not throttled"
            outcome.add((*at, "throttle"), message, "remove this key", because=kind)
        return
    asked = route.validation
    if asked is None:
        return
    if route.integration.type.endswith("_proxy"):
        message = f"messages to a {route.integration.type} integration are passed on as they are"
        because = (*kind, (*at, "integration"))
        outcome.add((*at, "validate"), message, "use type: lambda, http or mock", because=because)
    for name, is_given in (("parameters", asked.parameters), ("body", asked.body)):
        if is_given:
            message = f"of WebSocket APIs only a share is modelled, not {name}"
            outcome.add((*at, "validate", name), message, "write reject: 1%", because=kind)


def _check_authorizers(scenario: Scenario, outcome: Validation) -> None:
    """Authorizers that ``$connect`` may have, and where their identities come from."""
    for at, api in _websockets(scenario):
        route = api.routes.get(CONNECT)
        name = None if route is None else route.authorizer
        authorizer = scenario.authorizers.get(name or "")
        if name is None or authorizer is None:
            continue
        place = (*at, "routes", CONNECT, "authorizer")
        because: tuple[Path, ...] = ((*at, "type"), ("authorizers", name, "type"))
        if authorizer.type not in _AUTHORIZERS:
            message = f"WebSocket APIs have no {authorizer.type} authorizers, and {name} is one"
            outcome.add(place, message, "use type: request or iam", because=because)
            continue
        because = (*because, ("authorizers", name, "identity_sources"))
        for source in authorizer.identity_sources if authorizer.is_lambda else ():
            if source == ROUTE_KEY or source.startswith("path."):
                message = f"an upgrade has no {source}, which {name} asks for"
                outcome.add(place, message, "use a header or querystring", because=because)


def _check_backends(scenario: Scenario, outcome: Validation) -> None:
    """Private integrations go through a network load balancer."""
    for at, api in _websockets(scenario):
        for key, route in api.routes.items():
            name = route.integration.endpoint
            endpoint = scenario.endpoints.get(name or "")
            if endpoint is None or endpoint.behind in (None, "nlb"):
                continue
            place = (*at, "routes", key, "integration", "endpoint")
            because: tuple[Path, ...] = ((*at, "type"), ("endpoints", str(name)))
            message = f"WebSocket APIs reach private endpoints behind an nlb, {name} has an alb"
            outcome.add(place, message, "write behind: nlb", because=because)


def _check_others(scenario: Scenario, outcome: Validation) -> None:
    """What only WebSocket APIs have."""
    for name, api in scenario.apis.items():
        at: Path = ("apis", name)
        kind = ((*at, "type"),)
        if api.type == "websocket":
            continue
        hint = "use type: websocket, or remove this key"
        if "route_selection_expression" in api.model_fields_set:
            message = "only messages of WebSocket APIs select their route"
            outcome.add((*at, "route_selection_expression"), message, hint, because=kind)
        for key, route in api.routes.items():
            if route.route_response:
                message = "whoever calls gets the answer, whatever a route says"
                outcome.add((*at, "routes", key, "route_response"), message, hint, because=kind)


def _check_sources(scenario: Scenario, outcome: Validation) -> None:
    """Sessions are of one WebSocket API, and nothing else calls one."""
    for name, source in scenario.traffic.items():
        at: Path = ("traffic", name)
        if source.sessions is None:
            _check_callers(scenario, outcome, name, source)
            continue
        first = source.mix[0].api if source.mix else ""
        for entry in source.mix:
            api = scenario.apis.get(entry.api)
            place: Path = (*at, "mix", entry.text)
            because: tuple[Path, ...] = (("apis", entry.api, "type"), (*at, "sessions"))
            if api is not None and api.type != "websocket":
                message = f"sessions are of a WebSocket API, and {entry.api} is {_NAMES[api.type]}"
                outcome.add(place, message, "use two sources", because=because)
            elif entry.api != first:
                message = f"these sessions are of {first} already"
                outcome.add(place, message, "use a source for each API", because=((*at, "mix"),))
        _check_pushes(scenario, outcome, name, source)


def _check_callers(scenario: Scenario, outcome: Validation, name: str, source: Source) -> None:
    hint = "write sessions: {...} in the source"
    because: tuple[Path, ...] = (("traffic", name, "sessions"),)
    for entry in source.mix:
        api = scenario.apis.get(entry.api)
        if api is not None and api.type == "websocket":
            message = f"{entry.api} is a WebSocket API: messages need somebody who is connected"
            place: Path = ("traffic", name, "mix", entry.text)
            outcome.add(place, message, hint, because=(*because, ("apis", entry.api, "type")))
    if source.trace is not None:
        for called in called_apis(scenario, source):
            api = scenario.apis.get(called)
            if api is not None and api.type == "websocket":
                message = f"a log of requests is none of {called}, which is a WebSocket API"
                kind: tuple[Path, ...] = (("apis", called, "type"),)
                outcome.add(("traffic", name, "trace"), message, "", because=kind)


def _check_pushes(scenario: Scenario, outcome: Validation, name: str, source: Source) -> None:
    senders = outcome.names("senders")
    for push_name, push in source.pushes.items():
        at: Path = ("traffic", name, "pushes", push_name)
        if push.by not in senders:
            hint = did_you_mean(push.by, senders) or "define it under senders:"
            outcome.add((*at, "by"), f"{shown(push.by)} is not defined under senders", hint)
        api = source.mix[0].api if source.mix else ""
        routes = [key for key in outcome.names("apis", api, "routes") if key not in LIFE_ROUTES]
        if push.on is not None and api and push.on not in routes:
            message = f"the API {api} has no route {shown(push.on)}"
            hint = did_you_mean(push.on, routes)
            outcome.add((*at, "on"), message, hint, because=(("traffic", name, "mix"),))


def _check_timeline(scenario: Scenario, outcome: Validation) -> None:
    """Only connections can be cut."""
    for index, entry in enumerate(scenario.timeline):
        if entry.disconnect is None:
            continue
        at: Path = ("timeline", index, "disconnect")
        name = scenario.stage_api(entry.disconnect)
        stage = "" if entry.disconnect in scenario.apis else entry.disconnect.partition("/")[2]
        api = scenario.apis.get(name)
        if api is None:
            continue  # cut out; an undefined one is found where the entry is read
        because: tuple[Path, ...] = (("apis", name, "type"), ("apis", name, "stage"))
        if api.type != "websocket":
            message = f"nobody stays connected to {name}, which is {_NAMES[api.type]}"
            outcome.add(at, message, "name a WebSocket API", because=because)
        elif stage and stage != api.stage.name:
            message = f"the API {name} has no stage {shown(stage)}"
            outcome.add(at, message, f"its stage is {api.stage.name}", because=because)


def _check_domains(scenario: Scenario, outcome: Validation) -> None:
    for domain_name, domain in scenario.domains.items():
        for path, target in domain.mappings.items():
            api = scenario.apis.get(scenario.stage_api(target))
            if api is not None and api.type == "websocket":
                message = "custom domains of WebSocket APIs are not modelled yet"
                at: Path = ("domains", domain_name, "mappings", path)
                because: tuple[Path, ...] = (("apis", scenario.stage_api(target), "type"),)
                outcome.add(at, message, "name the API in the mix", because=because)


WEBSOCKET_RULES: Final[tuple[Callable[[Scenario, Validation], None], ...]] = (
    _check_apis,
    _check_routes,
    _check_authorizers,
    _check_backends,
    _check_others,
    _check_sources,
    _check_timeline,
    _check_domains,
)
