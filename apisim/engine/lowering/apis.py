"""APIs, stages and routes: the gates each route passes, its buckets, caches and backend."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.expiring_lru import UNBOUNDED
from apisim.draws.distributions import Constant
from apisim.engine.backend_tables import BACKEND_FUNCTION, BACKEND_MOCK, BACKEND_SERVICE
from apisim.engine.lowering.access import authorizer_row
from apisim.engine.lowering.backends import LoweredBackends
from apisim.engine.lowering.bodies import lower_bodies, no_limits
from apisim.engine.lowering.buckets import (
    ACCOUNT_PLACE,
    AccountBuckets,
    lower_levels,
    shared_bucket,
)
from apisim.engine.lowering.caching import stage_lookup_ns
from apisim.engine.lowering.context import Context
from apisim.engine.lowering.meters import Meters
from apisim.engine.lowering.stages import compressed_ppm, count_canary_routes, lower_canaries
from apisim.engine.program import CachePlan, Cell
from apisim.engine.tables import API_DTYPE, AUTHORIZER_DTYPE, NONE, ROUTE_DTYPE
from apisim.gateway.limits import (
    BODY_BYTES,
    HEADER_BYTES,
    HTTP_HEAD_BYTES,
    UNLIMITED,
    URL_BYTES,
    WEBSOCKET_URL_BYTES,
)
from apisim.gateway.message_routing import MessageRouter
from apisim.gateway.response_cache import CACHE_SIZES_BYTES
from apisim.gateway.routing import Router
from apisim.gateway.status import API_TYPES, Answer
from apisim.gateway.throttle import BUCKET_DTYPE, MAX_LEVELS, NO_BUCKET
from apisim.scenario.api import Api, Route
from apisim.scenario.services import action_of
from apisim.scenario.stages import stage_label
from apisim.scenario.websocket_routes import parse_any_key

__all__ = ["AUTOMATIC", "LoweredApis", "lower_apis"]

#: Preflights that an HTTP API answers by itself: no route takes them.
AUTOMATIC = "OPTIONS *"

#: What a custom integration makes of a function's error.
_ERROR_ANSWERS = {
    200: Answer.FUNCTION_ERROR_AS_200,
    400: Answer.FUNCTION_ERROR_AS_400,
    500: Answer.FUNCTION_ERROR_AS_500,
}


@dataclass(slots=True)
class LoweredApis:
    """APIs, routes and what belongs to them as arrays."""

    apis: NDArray[np.void]
    routes: NDArray[np.void]
    levels: NDArray[np.int64]
    authorizers: NDArray[np.void]
    meters: Meters
    api_names: tuple[str, ...]
    route_names: list[tuple[str, str]] = field(default_factory=list)
    authorizer_names: list[tuple[str, str]] = field(default_factory=list)
    bucket_names: list[tuple[str, str]] = field(default_factory=list)
    bucket_rows: list[NDArray[np.void]] = field(default_factory=list)
    caches: list[CachePlan] = field(default_factory=list)
    lines: list[tuple[int, int]] = field(default_factory=list)
    cache_lines: list[int] = field(default_factory=list)  # by route; NONE without a cache
    key_sets: list[int] = field(default_factory=list)  # lifetimes of the keys of jwt authorizers
    key_set_names: list[tuple[str, str]] = field(default_factory=list)
    lookup_ns: dict[int, int] = field(default_factory=dict)  # by cache
    routers: dict[str, Router] = field(default_factory=dict)  # of REST and HTTP APIs
    message_routers: dict[str, MessageRouter] = field(default_factory=dict)  # of WebSocket APIs
    canary_of: list[int] = field(default_factory=list)  # route of each of the last rows
    canaries: dict[int, int] = field(default_factory=dict)  # the same, from route to row

    @property
    def buckets(self) -> NDArray[np.void]:
        """All buckets, full."""
        if not self.bucket_rows:
            return np.zeros(0, BUCKET_DTYPE)
        return np.concatenate(self.bucket_rows)

    def meters_of(self, cells: Sequence[Cell]) -> tuple[int, ...]:
        """Meter of each cell: its route's, or its API's where no route was found."""
        of_route = dict(zip(self.route_names, self.routes["meter"].tolist(), strict=False))
        return tuple(
            of_route.get((cell.api, cell.route), self.api_names.index(cell.api)) for cell in cells
        )

    def route_index(self, api: str, key: str) -> int:
        """Index of a route."""
        return self.route_names.index((api, key))


def lower_apis(context: Context, backends: LoweredBackends) -> LoweredApis:
    """Lower ``account.throttle``, ``apis:`` and ``authorizers:``."""
    scenario = context.scenario
    n_routes = count_canary_routes(context) + sum(
        len(api.every_route) + _answers_preflights(api) for api in scenario.apis.values()
    )
    lowered = LoweredApis(
        apis=np.zeros(len(scenario.apis), API_DTYPE),
        routes=np.zeros(n_routes, ROUTE_DTYPE),
        levels=np.full((n_routes, MAX_LEVELS), NO_BUCKET, np.int64),
        authorizers=np.zeros(0, AUTHORIZER_DTYPE),
        meters=Meters(context),
        api_names=tuple(scenario.apis),
    )
    account = AccountBuckets(context, lowered)
    authorizer_rows: list[NDArray[np.void]] = []
    for at, (name, api) in enumerate(scenario.apis.items()):
        _lower_api(context, lowered, at, api)
        if api.type == "websocket":
            lowered.message_routers[name] = MessageRouter(list(api.every_route))
        else:
            lowered.routers[name] = Router(api.type, list(api.every_route))
        stage = stage_label(name, api.stage.name)
        cache = _stage_cache(lowered, api, stage)
        lowered.lookup_ns[cache] = stage_lookup_ns(scenario.settings, api.stage)
        shared = shared_bucket(context, lowered, name, stage, api.stage.throttle)
        used: dict[str, int] = {}
        for key, route in api.every_route.items():
            index = len(lowered.route_names)
            lowered.route_names.append((name, key))
            row = lowered.routes[index]
            row["api"] = at
            row["request_size"] = context.dists.add(route.request_size)
            row["response_size"] = context.dists.add(route.response_size)
            row["compressed_ppm"] = compressed_ppm(context, route)
            row["replies"] = int(route.route_response)
            row["meter"] = lowered.meters.of_route(at, route)
            _lower_integration(context, backends, row, route, parse_any_key(key).method)
            lower_bodies(context, row, route)
            row["authorizer"] = NONE
            if route.authorizer is not None:
                if route.authorizer not in used:
                    used[route.authorizer] = len(lowered.authorizer_names)
                    lowered.authorizer_names.append((name, route.authorizer))
                    authorizer_rows.append(
                        _authorizer(context, backends, lowered, api, stage, route.authorizer)
                    )
                row["authorizer"] = used[route.authorizer]
            line = NONE
            if _is_cached(route) and cache != NONE:
                line = len(lowered.lines)
                assert route.cache is not None
                lowered.lines.append((route.cache.ttl, cache))
            lowered.cache_lines.append(line)
            lower_levels(context, lowered, index, route, account, shared)
        if _answers_preflights(api):
            _add_automatic(context, lowered, name, at, account)
    lower_canaries(context, backends, lowered)
    if authorizer_rows:
        lowered.authorizers = np.concatenate(authorizer_rows)
    return lowered


def _answers_preflights(api: Api) -> bool:
    return api.type == "http" and api.cors is not None


def _add_automatic(
    context: Context, lowered: LoweredApis, name: str, api: int, account: AccountBuckets
) -> None:
    """What answers the preflights of an HTTP API: no route's buckets, no integration."""
    row = lowered.routes[len(lowered.route_names)]
    nothing = context.dists.add(Constant(0))
    row["api"], row["authorizer"] = api, NONE
    row["backend"], row["index"] = BACKEND_MOCK, NONE
    row["request_size"] = row["response_size"] = nothing
    no_limits(row)
    row["meter"] = lowered.meters.of_automatic(api)
    if context.scenario.settings.http_preflights == "counted":
        lowered.levels[len(lowered.route_names)][ACCOUNT_PLACE] = account.requests
    lowered.route_names.append((name, AUTOMATIC))
    lowered.cache_lines.append(NONE)


def _lower_api(context: Context, lowered: LoweredApis, at: int, api: Api) -> None:
    settings = context.scenario.settings
    row = lowered.apis[at]
    row["type"] = API_TYPES.index(api.type)
    row["edge"] = int(api.endpoint == "edge")
    hosts = [name.partition("/")[0] for name in context.scenario.apis]
    row["host"] = hosts.index(hosts[at])
    row["overhead"] = context.dists.add(getattr(settings.gateway_overhead, api.type))
    row["invalid_certificates"] = api.mutual_tls.invalid_certificates if api.mutual_tls else 0
    row["max_body"] = BODY_BYTES
    least = api.stage.minimum_compression_size
    row["compress_from"] = NONE if least is None else least
    if api.stage.tracing is not None:
        row["reservoir"], row["traced"] = api.stage.tracing.reservoir, api.stage.tracing.rate
    row["max_url"] = row["max_headers"] = row["max_head"] = UNLIMITED
    if api.type == "rest":
        row["max_url"], row["max_headers"] = URL_BYTES[api.endpoint], HEADER_BYTES
    elif api.type == "websocket":
        # Of the upgrade; how large messages and their frames are is no matter of a request's body.
        row["max_url"], row["max_body"] = WEBSOCKET_URL_BYTES, UNLIMITED
    else:
        row["max_url"] = row["max_head"] = HTTP_HEAD_BYTES


def _stage_cache(lowered: LoweredApis, api: Api, stage: str) -> int:
    spec = api.stage
    capacity = UNBOUNDED
    if spec.cache_capacity is not None:
        capacity = spec.cache_capacity
    elif spec.cache_cluster_size is not None:
        capacity = CACHE_SIZES_BYTES[spec.cache_cluster_size]
    elif spec.cache_max_entries is None:
        return NONE
    entries = UNBOUNDED if spec.cache_max_entries is None else spec.cache_max_entries
    lowered.caches.append(CachePlan(stage, capacity, entries))
    return len(lowered.caches) - 1


def _is_cached(route: Route) -> bool:
    return route.cache is not None and route.cache.ttl > 0 and route.cache.enabled is not False


def _lower_integration(
    context: Context, backends: LoweredBackends, row: np.void, route: Route, method: str
) -> None:
    integration, settings = route.integration, context.scenario.settings
    row["timeout_ns"] = integration.timeout
    row["backend"], row["index"] = BACKEND_MOCK, NONE
    if integration.function is not None:
        row["backend"] = BACKEND_FUNCTION
        row["index"] = backends.function_names.index(integration.function)
        if integration.type == "lambda":
            row["error_answer"] = _ERROR_ANSWERS[integration.error_status]
        row["transport"] = context.dists.add(settings.lambda_transport)
    elif integration.endpoint is not None:
        row["backend"], row["index"] = backends.of_endpoint(integration.endpoint)
        row["transport"] = context.dists.add(settings.http_transport)
    elif integration.service is not None:
        services = backends.services
        name = integration.service
        action = action_of(context.scenario.services[name], integration.action, method)
        assert action is not None
        row["backend"], row["index"] = BACKEND_SERVICE, services.index(name)
        row["action"] = services.action(name, action)
        row["transport"] = context.dists.add(settings.service_transport)


def _authorizer(
    context: Context,
    backends: LoweredBackends,
    lowered: LoweredApis,
    api: Api,
    stage: str,
    name: str,
) -> NDArray[np.void]:
    """One authorizer of one stage: its results and its keys belong to both."""
    spec, settings = context.scenario.authorizers[name], context.scenario.settings
    row = authorizer_row(context, backends.function_names, api, name)
    ttl_ns = spec.ttl_on(api.type)
    if ttl_ns > 0:
        row["line"] = len(lowered.lines)
        lowered.lines.append((ttl_ns, len(lowered.caches)))
        lowered.caches.append(CachePlan(f"{stage}/{name}", UNBOUNDED, UNBOUNDED))
    if spec.type == "jwt":
        row["key_set"] = len(lowered.key_sets)
        kept = settings.key_set_lifetime
        lowered.key_sets.append(kept.http if api.type == "http" else kept.rest)
        lowered.key_set_names.append((lowered.route_names[-1][0], name))
    return row
