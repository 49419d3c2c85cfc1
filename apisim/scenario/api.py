"""APIs: type, endpoint, stage and routes.

The models hold what one key can say. Rules that tie keys together (what an HTTP API lacks, caches
that need a cluster, names that must be defined) are in ``checks``, which sees the whole scenario.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from apisim.scenario.actions import ServiceAction
from apisim.scenario.authorizers import Scope
from apisim.scenario.cors import Cors, RouteCors
from apisim.scenario.distributions import SentSizeDistribution
from apisim.scenario.fields import (
    Reader,
    choice,
    duration,
    flag,
    name,
    number,
    rate,
)
from apisim.scenario.model import NOT_YET, Context, Finding, Model, as_written, fail_all
from apisim.scenario.options import with_options
from apisim.scenario.perimeter import MutualTls, Policy
from apisim.scenario.routes import CacheKey, RouteKey
from apisim.scenario.stage import (
    CACHE_SIZES,
    Stage,
    StageName,
    StageThrottle,
    Throttle,
)
from apisim.scenario.stages import Backends, resolve_variables
from apisim.scenario.transformation import Transformation, check_transformation
from apisim.scenario.units import UnitError, shown
from apisim.scenario.validators import RouteValidation
from apisim.scenario.websocket_routes import (
    ROUTE_PATTERN,
    fill_life_routes,
    parse_any_key,
    with_connections,
)

__all__ = [
    "CACHE_SIZES",
    "Api",
    "ApiType",
    "Integration",
    "Invalidation",
    "Route",
    "RouteCache",
    "RouteName",
    "Stage",
    "StageThrottle",
    "Throttle",
]

ApiType = Literal["rest", "http", "websocket"]

#: Longest a result of a cache or an authorizer lives (quotas: "cache TTL", "authorizer TTL").
_TTL: Final = duration("0s", "3600s", "API Gateway")


class Integration(Model):
    """What a route calls.

    Attributes
    ----------
    type : {"lambda_proxy", "lambda", "http_proxy", "http", "aws_service", "mock"}
        HTTP APIs have the two proxies, and some services. ``mock`` answers 200 in no time.
    function : str or None
        Name under ``functions:``; the lambda types need it.
    endpoint : str or None
        Name under ``endpoints:``; the http types need it.
    service : str or None
        Name under ``services:``; the type ``aws_service`` needs it.
    action : str or None
        What is done to the service. A DynamoDB table: ``GetItem`` (the default of GET and HEAD),
        ``Query``, ``PutItem`` (of other methods), ``UpdateItem``, ``DeleteItem``; others have one
        action each.
    timeout : int
        How long the gateway waits [ns]. REST: 50 ms to 29 s, regional ones up to 300 s, what is
        streamed up to 15 minutes, default 29 s. HTTP: 50 ms to 30 s, default 30 s. WebSocket:
        50 ms to 29 s (quotas of each).
    content_encoding : bool
        Whether the backend compresses its answers itself, which a stage then leaves alone.
    cache_namespace : str or None
        Routes of one namespace whose cache keys have the same names share their entries; REST only.
        None is a namespace of the route's own (API reference, ``cacheNamespace``).
    error_status : {200, 400, 500}
        Of a function's error through type ``lambda``: 200 unless a selection pattern matches it.
    invocation : {"request_response", "event"}
        How type ``lambda`` calls its function: it waits for the result, or it hands Lambda an
        event (``X-Amz-Invocation-Type: Event``), which the caller is told with a 202.
    response_transfer_mode : {"buffered", "stream"}
        Whether a proxy integration's answer is taken whole, up to 10 MB (6 MB of a function), or
        sent on as it comes: of any size, within 15 minutes, neither cached nor compressed, and
        billed by each 10 MB; REST only (``responseTransferMode``).
    transformation : Transformation or None
        What templates take and make of bodies; of REST and WebSocket APIs, types ``lambda``,
        ``http`` and ``aws_service``.
    """

    REFUSED: ClassVar[Mapping[str, tuple[str, str]]] = dict.fromkeys(
        ("mapping", "templates", "request_templates", "response_templates"),
        (NOT_YET, "say what it costs in transformation:"),
    )

    type: Annotated[
        Literal["lambda_proxy", "lambda", "http_proxy", "http", "aws_service", "mock"],
        choice("lambda_proxy", "lambda", "http_proxy", "http", "aws_service", "mock"),
    ]
    function: Annotated[str, name()] | None = None
    endpoint: Annotated[str, name()] | None = None
    service: Annotated[str, name()] | None = None
    action: ServiceAction | None = None
    timeout: Annotated[int, duration("50ms", "900s", "API Gateway")] = as_written("29s")
    cache_namespace: Annotated[str, name()] | None = None
    error_status: Annotated[Literal[200, 400, 500], choice(200, 400, 500)] = 200
    content_encoding: Annotated[bool, flag()] = False
    transformation: Transformation | None = None
    invocation: Annotated[
        Literal["request_response", "event"], choice("request_response", "event")
    ] = "request_response"

    response_transfer_mode: Annotated[
        Literal["buffered", "stream"], choice("buffered", "stream")
    ] = "buffered"

    @property
    def is_streamed(self) -> bool:
        """Whether answers are sent on as they come."""
        return self.response_transfer_mode == "stream"

    @model_validator(mode="after")
    def _has_its_backend(self) -> Self:
        kinds = {"lambda": "function", "http": "endpoint", "aws_service": "service"}
        needs = kinds.get(self.type.removesuffix("_proxy"))
        findings = []
        for key in ("function", "endpoint", "service"):
            given = getattr(self, key) is not None
            if key == needs and not given:
                message = f"{key} is required for type {self.type}"
                findings.append(Finding((), message, f"name one of the {key}s: section"))
            elif key != needs and given:
                findings.append(Finding((key,), f"type {self.type} has no {key}", "remove the key"))
        for key in ("error_status", "invocation"):
            if self.type != "lambda" and key in self.model_fields_set:
                message = f"type {self.type} has no {key}"
                findings.append(Finding((key,), message, "use type: lambda"))
        if self.invocation == "event" and "error_status" in self.model_fields_set:
            message = "nobody is told of an error: the caller of an event has gone"
            findings.append(Finding(("error_status",), message, "remove the key"))
        if self.action is not None and needs != "service":
            finding = Finding(("action",), f"type {self.type} has no action", "remove the key")
            findings.append(finding)
        if self.is_streamed and not self.type.endswith("_proxy"):
            message = f"type {self.type} streams nothing"
            hint = "use lambda_proxy or http_proxy"
            findings.append(Finding(("response_transfer_mode",), message, hint))
        findings += check_transformation(self.type, self.transformation)
        if findings:
            raise fail_all(findings)
        return self


class Invalidation(Model):
    """What ``Cache-Control: max-age=0`` does (developer guide, "Invalidate a cache entry").

    Attributes
    ----------
    require_authorization : bool
        Whether a caller needs the permission ``execute-api:InvalidateCache``; by default it does.
    unauthorized : {"succeed_with_header", "succeed_without_header", "fail_with_403"}
        What a caller without it gets: its header is ignored, with or without a warning header, or
        it is refused. Default ``succeed_with_header``, as AWS.
    """

    require_authorization: Annotated[bool, flag()] = True
    unauthorized: Annotated[
        Literal["succeed_with_header", "succeed_without_header", "fail_with_403"],
        choice("succeed_with_header", "succeed_without_header", "fail_with_403"),
    ] = "succeed_with_header"


class RouteCache(Model):
    """Response cache of one route; REST only.

    Attributes
    ----------
    enabled : bool or None
        Whether the route is cached. None, the default, is what enabling a stage's cache does: GET
        only. True caches every verb of the route, each for itself; False none.
    encrypted : bool
        Whether entries are encrypted, which makes them larger by
        ``settings.cache_encryption_inflation``.
    invalidation : Invalidation
        What ``Cache-Control: max-age=0`` does.
    ttl : int
        How long an answer is served from the cache [ns], 0 to 3600 s, default 300 s; 0 caches
        nothing.
    keys : list of str
        Parameters that make up the key: what is not among them is ignored, as AWS does. An empty
        list is one entry for all callers.
    """

    enabled: Annotated[bool, flag()] | None = None
    encrypted: Annotated[bool, flag()] = False
    invalidation: Invalidation = as_written({})
    ttl: Annotated[int, _TTL] = as_written("300s")
    keys: list[CacheKey]


class Route(Model):
    """One route of an API.

    Attributes
    ----------
    integration : Integration
        What answers.
    authorizer : str or None
        Name under ``authorizers:``.
    scopes : list of str
        Scopes of which a token must have at least one, up to 10; for cognito and jwt authorizers.
    throttle : Throttle or None
        The route's own bucket.
    cache : RouteCache or None
        Response cache of the route.
    depends_on : list of str or None
        Parameters the answer depends on: a cached answer made for other values of them is counted
        as wrong. None, the default: nobody said.
    updates : fractions.Fraction
        How often what lies behind each cache key changes [1/s], at random, 0 to 1,000, default 0: a
        cached answer from before the latest change is counted as stale.
    api_key_required : bool
        Whether a call needs an API key that a usage plan attached to the stage knows; of REST APIs
        and of a WebSocket API's ``$connect``.
    request_size : Distribution
        Body of a request [bytes], up to 1 GB, default 1 KB; above 10 MB it is refused with a 413,
        and so is what a function is sent above 6 MB.
    response_size : Distribution
        Body of an answer as the backend makes it [bytes], up to 1 GB, default 1 KB. More than
        10 MB is not passed on, more than 6 MB not taken from a function.
    validation : RouteValidation or None
        Under the key ``validate``: what a request must have; REST, and ``reject`` of messages.
    compression_ratio : float or None
        What compression leaves of an answer, 0.001 to 2; None is ``settings.compression_ratio``.
    cors : Cors, False or None
        REST only: what this route says to other origins instead of its API; False: nothing, the
        method that was forgotten.
    route_response : bool
        WebSocket only: whether what the integration answers goes back to the client as a message.
        False, the default, is one way: nobody is told (developer guide, "Route responses").
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"canary"})

    integration: Integration
    authorizer: Annotated[str, name()] | None = None
    scopes: Annotated[list[Scope], Field(max_length=10)] = Field(default_factory=list)
    throttle: Throttle | None = None
    cache: RouteCache | None = None
    depends_on: list[CacheKey] | None = None
    updates: Annotated[Fraction, rate(0, 1_000)] = Fraction(0)
    request_size: SentSizeDistribution = as_written("1KB")
    response_size: SentSizeDistribution = as_written("1KB")
    api_key_required: Annotated[bool, flag()] = False
    validation: RouteValidation | None = Field(
        default=None, alias="validate", description="What a request must have; not of HTTP APIs."
    )
    compression_ratio: Annotated[float, number("0.001", "2")] | None = None
    cors: RouteCors | None = None
    route_response: Annotated[bool, flag()] = False


def _read_route_name(value: Any, context: Context) -> str:
    return str(parse_any_key(str(value)))


def _read_selection(value: Any, context: Context) -> str:
    if isinstance(value, str) and re.fullmatch(r"\$request\.\S{1,500}", value):
        return value
    hint = "write e.g. $request.body.action"
    raise UnitError(f"must be a part of $request, got {shown(value)}", hint)


#: Key of a route in a scenario.
RouteName = Annotated[
    str,
    Reader(
        _read_route_name,
        {"type": "string", "pattern": rf"^(\$default|[A-Z]+ +/.*|{ROUTE_PATTERN})$"},
    ),
]


class Api(Model):
    """An API with one stage; one with several is read as one for each (``stages``).

    Attributes
    ----------
    type : {"rest", "http", "websocket"}
        Product: REST APIs have caches and more; HTTP APIs are quicker and cheaper; clients of
        WebSocket APIs stay connected.
    endpoint : {"regional", "edge", "private"}
        Where callers arrive. Default ``regional``, the only one HTTP APIs have (AWS's own default
        for REST APIs is ``edge``).
    stage : Stage
        The deployed stage.
    stages : dict of str to Stage or None
        Several stages by name, instead of ``stage``; only written, see
        :mod:`apisim.scenario.stages`.
    canary_backends : dict of str to tuple
        Function and endpoint of each route for the stage's canary; not written.
    resource_policy : list of Statement or None
        Who may call; REST only, and a private API needs one.
    mutual_tls : MutualTls or None
        Client certificates, on regional APIs.
    routes : dict of str to Route
        Routes by their keys, in the order written.
    api_key_source : {"header", "authorizer"}
        Where the key of a call comes from: the client sends it (``x-api-key``), or the Lambda
        authorizer's answer names it and the client sends none. REST only.
    cors : Cors or None
        What pages of other origins may do; None: the API knows nothing of them.
    route_selection_expression : str
        WebSocket only: where a message says which route is meant, default
        ``$request.body.action``. A mix names its values.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"custom_domain", "domain"})
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"canary_backends"})

    type: Annotated[ApiType, choice("rest", "http", "websocket")]
    endpoint: Annotated[
        Literal["regional", "edge", "private"], choice("regional", "edge", "private")
    ] = "regional"
    stage: Stage = as_written({})
    stages: Annotated[dict[StageName, Stage], Field(min_length=1)] | None = None
    canary_backends: dict[str, Backends] = Field(default_factory=dict)
    resource_policy: Policy | None = None
    mutual_tls: MutualTls | None = None
    routes: Annotated[dict[RouteName, Route], Field(min_length=1)]
    api_key_source: Annotated[Literal["header", "authorizer"], choice("header", "authorizer")] = (
        "header"
    )
    cors: Cors | None = None
    route_selection_expression: Annotated[
        str, Reader(_read_selection, {"type": "string", "pattern": r"^\$request\.\S+$"})
    ] = "$request.body.action"

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Defaults that depend on the API's type."""
        is_http = data.get("type") == "http"
        filled = dict(data)
        stage = data.get("stage", {})
        if isinstance(stage, dict):
            filled["stage"] = {"name": "$default" if is_http else "prod", **stage}
        if isinstance(data.get("routes"), dict):
            timeout = "30s" if is_http else "29s"
            routes = fill_life_routes(data["routes"])
            filled["routes"] = {key: _with_timeout(one, timeout) for key, one in routes.items()}
        return resolve_variables(filled)

    def route_keys(self) -> dict[str, RouteKey]:
        """Parsed key of each route, in the order written."""
        return {key: parse_any_key(key) for key in self.routes}

    def cors_of(self, key: str) -> Cors | None:
        """What the answers of one route say to other origins."""
        own = self.every_route[key].cors
        if own is None:
            return self.cors
        return own or None

    @cached_property
    def every_route(self) -> dict[str, Route]:
        """Routes as written, then those that are there unasked.

        On a REST API the OPTIONS methods that CORS adds, on a WebSocket API ``$connect`` and
        ``POST @connections``.
        """
        return with_connections(self) if self.type == "websocket" else with_options(self)


def _with_timeout(route: Any, timeout: str) -> Any:
    """Route as written, with the default timeout of its API type."""
    if isinstance(route, dict) and isinstance(route.get("integration"), dict):
        return {**route, "integration": {"timeout": timeout, **route["integration"]}}
    return route
