"""Hypothesis strategies for what is called: backends, authorizers, APIs, settings."""

from dataclasses import dataclass, field
from typing import Any, Final

from tests.equivalence.access import (
    draw_access_settings,
    draw_authorizers,
    usable_authorizers,
)
from tests.equivalence.bodies import draw_bodies
from tests.equivalence.browsers import add_cors_settings, draw_cors, draw_route_cors
from tests.equivalence.calls import add_calls, draw_link, draw_services, service_target
from tests.equivalence.drawing import Drawing
from tests.equivalence.functions import draw_function_depth, draw_lambda_settings
from tests.equivalence.perimeter import draw_endpoint_type, draw_waf
from tests.equivalence.plans import add_key_source
from tests.equivalence.validators import draw_validator

__all__ = ["Parts", "draw_parts", "draw_timeline"]

_PATHS: Final = ("/items", "/items/{id}", "/items/{id}/parts", "/a", "/b", "/{proxy+}")
_METHODS: Final = ("GET", "GET", "GET", "GET", "ANY", "POST", "DELETE", "OPTIONS")
#: Around the shortest time an integration may be given, 50 ms, so that time-outs fire.
_SLOW: Final = ("50ms", "60ms", "40ms", "100ms", "10ms")
#: Transport and work that make 50 ms together, or just half of the way: something happens at the
#: deadline of an integration.
_AT_THE_DEADLINE: Final = (
    ("10ms", "40ms"),
    ("1ms", "49ms"),
    ("20ms", "30ms"),
    ("100ms", "1ms"),
    ("120ms", "1ms"),
)


@dataclass
class Parts:
    """What sources call, as plain data."""

    settings: dict[str, Any] = field(default_factory=dict)
    functions: dict[str, Any] = field(default_factory=dict)
    endpoints: dict[str, Any] = field(default_factory=dict)
    services: dict[str, Any] = field(default_factory=dict)
    authorizers: dict[str, Any] = field(default_factory=dict)
    apis: dict[str, Any] = field(default_factory=dict)


def draw_parts(drawing: Drawing, profile: str) -> Parts:
    """One to three APIs with all they need."""
    parts = Parts()
    _add_settings(drawing, parts.settings, profile)
    work: tuple[Any, ...] = (drawing.time(), drawing.time(), drawing.one(*_SLOW))
    if drawing.maybe(25):
        transport, at_the_deadline = drawing.one(*_AT_THE_DEADLINE)
        parts.settings |= {"lambda_transport": transport, "http_transport": transport}
        parts.settings["service_transport"] = transport
        work = (at_the_deadline, at_the_deadline, drawing.time())
    _add_backends(drawing, parts, work)
    parts.authorizers = draw_authorizers(drawing, list(parts.functions))
    for name in ("one", "two", "three")[: drawing.one(1, 1, 2, 3)]:
        parts.apis[name] = _api(drawing, parts)
    return parts


def _add_backends(drawing: Drawing, parts: Parts, work: tuple[Any, ...]) -> None:
    spec: dict[str, Any]
    for at in range(drawing.one(2, 2, 1, 3)):
        spec = {"duration": drawing.one(*work)}
        if drawing.maybe(60):
            spec["init"] = drawing.time()
        drawing.optional(spec, 20, "timeout", "10ms", "1ms", "20ms", "3s")
        drawing.optional(spec, 25, "errors", "10%", "50%", "100%")
        if drawing.is_crowded:
            drawing.optional(spec, 50, "reserved_concurrency", 1, 2, 3)
        else:
            drawing.optional(spec, 25, "reserved_concurrency", 2, 1, 3, 10, 0)
        draw_function_depth(drawing, spec)
        drawing.optional(spec, 10, "memory", "512MB", "1GB")
        drawing.optional(spec, 10, "architecture", "arm64", "x86")
        parts.functions[f"f{at}"] = spec
    for at in range(1 if drawing.is_crowded else drawing.one(1, 2)):
        spec = {"servers": drawing.one(1, 2, 3), "service_time": drawing.one(*work)}
        drawing.optional(spec, 80 if drawing.is_crowded else 60, "queue_limit", 1, 2, 0, 10)
        drawing.optional(spec, 50, "errors", "50%", "10%", "100%")
        parts.endpoints[f"e{at}"] = spec
    parts.services = draw_services(drawing)
    public = dict(parts.endpoints)
    if drawing.maybe(45):
        parts.endpoints["link"] = {"servers": drawing.one(1, 2), "service_time": drawing.one(*work)}
        draw_link(drawing, parts.endpoints["link"])
    add_calls(drawing, parts.functions, public, parts.services)


def _api(drawing: Drawing, parts: Parts) -> dict[str, Any]:
    api: dict[str, Any] = {"type": drawing.one("rest", "rest", "http")}
    is_rest = api["type"] == "rest"
    if is_rest:
        draw_endpoint_type(drawing, api)
    stage = _stage(drawing, is_rest=is_rest)
    if stage:
        api["stage"] = stage
    if drawing.maybe(55):
        api["cors"] = draw_cors(drawing, is_rest=is_rest)
    has_cache = any(key.startswith("cache") for key in stage)
    api["routes"] = routes = {}
    for _ in range(drawing.one(1, 2, 3, 4)):
        key = f"{drawing.one(*_METHODS)} {drawing.one(*_PATHS)}"
        if not is_rest and drawing.maybe(10):
            key = "$default"
        if key not in routes:
            routes[key] = _route(drawing, parts, key, is_rest=is_rest, has_cache=has_cache)
    if is_rest:
        add_key_source(drawing, api, parts.authorizers)
    return api


def _stage(drawing: Drawing, *, is_rest: bool) -> dict[str, Any]:
    stage: dict[str, Any] = {}
    drawing.optional(stage, 20, "name", "v1", "live")
    if drawing.maybe(30):
        stage["throttle"] = drawing.throttle()
        drawing.optional(stage["throttle"], 50, "scope", "shared", "method")
    if is_rest and drawing.maybe(80):
        drawing.optional(stage, 45, "cache_max_entries", 3, 1, 10)
        drawing.optional(stage, 45, "cache_capacity", "3KB", "1MB", "1B")
        drawing.optional(stage, 45, "cache_cluster_size", "0.5", "1.6", 6.1, "237")
    if is_rest:
        draw_waf(drawing, stage)
    return stage


def _route(
    drawing: Drawing, parts: Parts, key: str, *, is_rest: bool, has_cache: bool
) -> dict[str, Any]:
    kinds = ["http_proxy", "lambda_proxy"]
    if is_rest:
        kinds += ["http", "lambda", "mock"]
    callable_here = {
        name: service
        for name, service in parts.services.items()
        if is_rest or service["type"] not in ("dynamodb", "sns")
    }
    if callable_here:
        kinds += ["aws_service", "aws_service"]
    integration: dict[str, Any] = {"type": drawing.one(*kinds)}
    if integration["type"] == "aws_service":
        integration |= service_target(drawing, callable_here)
    if integration["type"].startswith("lambda"):
        integration["function"] = drawing.one(*parts.functions)
        if integration["type"] == "lambda":
            drawing.optional(integration, 60, "error_status", 400, 500, 200)
    elif integration["type"].startswith("http"):
        links = [name for name in parts.endpoints if name == "link"]
        integration["endpoint"] = drawing.one(*parts.endpoints, *links)
    limits = ("50ms", "60ms", "50ms", "100ms", "29s")
    if drawing.is_exact:  # the longest time-outs cannot be ten times as long
        integration["timeout"] = drawing.one(*limits[:4])
    else:
        drawing.optional(integration, 80, "timeout", *limits)
    route: dict[str, Any] = {"integration": integration}
    usable = usable_authorizers(parts.authorizers, is_rest=is_rest)
    if usable:
        drawing.optional(route, 65, "authorizer", *usable)
    if parts.authorizers.get(route.get("authorizer"), {}).get("type") in ("cognito", "jwt"):
        drawing.optional(route, 65, "scopes", ["admin"], ["read", "write"], ["read"])
    if is_rest and drawing.maybe(20):
        route["cors"] = draw_route_cors(drawing)
    if drawing.maybe(30):
        route["throttle"] = drawing.throttle()
    if has_cache and drawing.maybe(90):
        route["cache"] = _route_cache(drawing, key)
        drawing.optional(integration, 15, "cache_namespace", "shared")
        if drawing.maybe(60):
            route["depends_on"] = [name for name in _key_names(key) if drawing.maybe(75)]
        if not drawing.is_exact:
            drawing.optional(route, 35, "updates", 100, 1000, 5, "600/min", 0)
    if is_rest:
        drawing.optional(route, 40, "api_key_required", True, True, False)
    draw_bodies(drawing, route, parts.functions, is_rest=is_rest)
    if is_rest and drawing.maybe(30):
        route["validate"] = draw_validator(drawing)
    return route


def _route_cache(drawing: Drawing, key: str) -> dict[str, Any]:
    cache: dict[str, Any] = {"keys": [name for name in _key_names(key) if drawing.maybe(40)]}
    drawing.optional(cache, 15, "enabled", True, False)
    drawing.optional(cache, 15, "encrypted", True, False)
    if drawing.maybe(60):
        cache["invalidation"] = chosen = {}
        policies = ("fail_with_403", "succeed_without_header", "succeed_with_header")
        drawing.optional(chosen, 85, "unauthorized", "fail_with_403", *policies)
        drawing.optional(chosen, 25, "require_authorization", False, True)
    ttls = ("1ms", "2ms", "10ms") if drawing.is_crowded else ("50ms", "10ms", "1s", "0s", "200ms")
    drawing.optional(cache, 100 if drawing.is_exact else 85, "ttl", *ttls)
    return cache


def _key_names(key: str) -> list[str]:
    """Parameters that may be in a cache key of a route."""
    parameters = [f"path.{name}" for name in ("id", "proxy") if f"{{{name}" in key]
    return [*parameters, "header.authorization", "querystring", "querystring.q"]


def draw_timeline(drawing: Drawing, apis: dict[str, Any]) -> list[dict[str, Any]]:
    """Flushes and resizes of the caches there are."""
    stages = [f"{n}/{a['stage'].get('name', 'prod')}" for n, a in apis.items() if _has_cache(a)]
    sized = [
        f"{name}/{api['stage'].get('name', 'prod')}"
        for name, api in apis.items()
        if "cache_cluster_size" in api.get("stage", {})
    ]
    times: tuple[str, ...] = ("20ms", "10ms", "25ms", "0s", "100ms", "1h")
    if drawing.is_crowded:  # at instants at which calls come
        times = ("10ms", "5ms", "4ms", "8ms", "12ms", "15ms", "20ms", "1h")
    entries: list[dict[str, Any]] = []
    for _ in range(drawing.one(4, 1, 2, 3, 6) if drawing.is_crowded else drawing.one(1, 2, 3)):
        entry: dict[str, Any] = {"at": drawing.one(*times)}
        if sized and drawing.maybe(50):
            entry["resize_cache"] = {drawing.one(*sized): drawing.one("0.5", 1.6)}
        elif stages:
            entry["flush_cache"] = drawing.one(*stages)
        else:
            return []
        entries.append(entry)
    return entries


def _has_cache(api: dict[str, Any]) -> bool:
    return any(key.startswith("cache") for key in api.get("stage", {}))


def _add_settings(drawing: Drawing, chosen: dict[str, Any], profile: str) -> None:
    """Any of the settings; those of time more often where the profile's own have no ties."""
    for key in (
        "gateway_overhead",
        "hit_time",
        "refusal_time",
        "lambda_transport",
        "http_transport",
        "service_transport",
        "vpc_link_time",
        "cross_zone_time",
        "edge_hop",
        "edge_rtt",
        "waf_latency",
        "mutual_tls_time",
        "tls_time",
    ):
        if drawing.is_exact or drawing.maybe(25 if profile == "ideal" else 50):
            chosen[key] = drawing.time()
    if "gateway_overhead" in chosen and drawing.maybe(40):
        types = ("rest", "http") if drawing.is_exact else drawing.one(("rest", "http"), ("http",))
        chosen["gateway_overhead"] = {kind: drawing.time() for kind in types}
    drawing.optional(chosen, 15, "cache_max_object", "1KB", "0B", "1GB")
    drawing.optional(chosen, 15, "cache_entry_overhead", "1KB", "0B")
    drawing.optional(chosen, 85, "cache_statuses", "all", "all", "all", "2xx")
    drawing.optional(chosen, 15, "cache_encryption_inflation", "50%", "1%")
    if not drawing.is_exact:
        throughputs = ("300/s", "1000/s", "by_size", "300/s", "off")
        drawing.optional(chosen, 45, "cache_throughput", *throughputs)
    idle = ("1ms", "2ms", "10ms") if drawing.is_crowded else ("10ms", "1ms", "100ms", "10m")
    drawing.optional(chosen, 50, "idle_expiry", *idle)
    drawing.optional(chosen, 10, "sloppiness", 1, 3)
    drawing.sloppiness = chosen.get("sloppiness", 1)
    drawing.optional(chosen, 20, "throttle_charging", "all_or_none", "in_order")
    drawing.optional(chosen, 20, "buckets_start", "full", "empty")
    drawing.optional(chosen, 25, "method_limit", "within_stage", "replaces_stage")
    drawing.optional(chosen, 25, "throttle_scope", "shared", "method")
    drawing.optional(chosen, 25, "path_in_cache_key", True, False)
    drawing.optional(chosen, 25, "http_timeout_status", 504, 503)
    drawing.optional(chosen, 60, "service_throttle_status", 400, 429, 503)
    drawing.optional(chosen, 20, "raised_timeout_rate", "lower", "same")
    drawing.optional(chosen, 25, "lambda_throttle_status_http", 503, 500)
    drawing.optional(chosen, 25, "size_limits", "after_routing", "before_routing")
    drawing.optional(chosen, 25, "header_limit_status", 400, 431)
    drawing.optional(chosen, 10, "rate_limit_headers", True, False)
    drawing.optional(chosen, 20, "retry_after", "5ms", "0s", "30ms")
    if drawing.is_exact:
        chosen["authorizer_timeout"] = "60ms"
    elif drawing.maybe(40):
        limit = drawing.one("50ms", "60ms")
        chosen["authorizer_timeout"] = drawing.one(limit, {"rest": limit}, {"http": limit})
    draw_access_settings(drawing, chosen)
    add_cors_settings(drawing, chosen)
    draw_lambda_settings(drawing, chosen)
    bases = ("response_payload", "larger", "sum", "request_payload")
    drawing.optional(chosen, 20, "http_metering_basis", *bases)
