"""Settings: every decision AWS does not document, with a name, a default and its source.

A *profile* sets them together. The defaults below are those of ``aws``; ``profiles.py`` says what
``chapter`` and ``ideal`` change. Marks: *documented* by AWS, *reported* by others, *assumed* by us.
"""

from fractions import Fraction
from typing import Annotated, Any, Final, Literal

from apisim.scenario.by_type import AuthorizerTimeout, GatewayOverhead, KeySetLifetime
from apisim.scenario.distributions import TimeDistribution
from apisim.scenario.fields import Reader, choice, duration, flag, number, rate, share, size, whole
from apisim.scenario.model import Context, Model, as_written

__all__ = ["Settings"]


_THROUGHPUT: Final = rate(1)
_THROUGHPUT_SCHEMA: Final = {"anyOf": [{"enum": ["off", "by_size", False]}, _THROUGHPUT.schema]}


def _read_throughput(value: Any, context: Context) -> Fraction | str:
    if value is False:  # what older YAML takes `off` for
        return "off"
    if value in ("off", "by_size"):
        return str(value)
    result: Fraction = _THROUGHPUT.read(value, context)
    return result


class Settings(Model):
    """All settings of a run; see each field's description."""

    gateway_overhead: GatewayOverhead = as_written(
        {},
        description="Time the gateway takes for a request it passes on: {rest, http, websocket} or "
        "one for all. HTTP: p99 below 10 ms (AWS Compute Blog, 2020, documented); REST: 10 to 30 "
        "ms reported; WebSocket, of upgrades and of messages: assumed.",
    )
    hit_time: TimeDistribution = as_written(
        {"p50": "5ms", "p99": "20ms"},
        description="Time of a cache hit in place of the integration. Assumed: AWS gives none.",
    )
    refusal_time: TimeDistribution = as_written(
        {"p50": "2ms", "p99": "10ms"},
        description="Time of a request the gateway refuses. Assumed; AWS gives no figure.",
    )
    lambda_transport: TimeDistribution = as_written(
        {"p50": "8ms", "p99": "30ms"},
        description="Time between gateway and a warm Lambda function, both ways. Assumed from "
        "reported totals.",
    )
    http_transport: TimeDistribution = as_written(
        {"p50": "2ms", "p99": "10ms"},
        description="Time between gateway and an HTTP endpoint, both ways. Assumed.",
    )
    vpc_link_time: TimeDistribution = as_written(
        {"p50": "1ms", "p99": "5ms"},
        description="Additional time of a VPC link and the load balancer behind it, both ways. "
        "Assumed.",
    )
    cross_zone_time: TimeDistribution = as_written(
        "1ms",
        description="Additional time of a request that a load balancer sends to another "
        "availability zone, both ways. Assumed; zones are said to be within single-digit "
        "milliseconds.",
    )
    service_transport: TimeDistribution = as_written(
        "3ms",
        description="Time between gateway and an AWS service, both ways, beside the service's own "
        "latency. Assumed from one report of a DynamoDB integration.",
    )
    service_throttle_status: Annotated[Literal[400, 429, 503], choice(400, 429, 503)] = as_written(
        400,
        description="Status of a REST API whose AWS service throttled: the service's own 400, or "
        "what an integration response with a selection pattern makes of it. HTTP APIs pass the "
        "service's on. Documented for integrations without a selection pattern.",
    )
    edge_hop: TimeDistribution = as_written(
        {"p50": "8ms", "p99": "60ms"},
        description="Additional time of an edge-optimized endpoint between edge location and "
        "region. Assumed from qualitative reports.",
    )
    edge_rtt: TimeDistribution = as_written(
        {"p50": "12ms", "p99": "80ms"},
        description="Round trip between caller and edge location where `network:` gives none. "
        "Assumed.",
    )
    cache_max_object: Annotated[int, size("0B", "1GB")] = as_written(
        "1MB",
        description="Largest response that is cached: 1,048,576 bytes (quotas of REST APIs, "
        "documented). Larger ones are served, not cached. May be raised for experiments.",
    )
    cache_entry_overhead: Annotated[int, size("0B", "1MB")] = as_written(
        "200B",
        description="Bytes an entry of the response cache weighs beyond its body. Assumed.",
    )
    cache_statuses: Annotated[Literal["2xx", "all"], choice("2xx", "all")] = as_written(
        "2xx",
        description="Which answers of an integration are cached: those with status 200, or "
        "whatever an endpoint answered, its errors too. AWS does not say; assumed.",
    )
    cache_encryption_inflation: Annotated[float, share()] = as_written(
        "1%",
        description="How much larger an encrypted entry is, and is held to be against "
        "`cache_max_object`. AWS says that it may be larger, not by how much; assumed.",
    )
    cache_create_time: Annotated[int, duration("0s", "1h")] = as_written(
        "240s",
        description="How long a stage has no cache when it is resized: up to four minutes "
        "(developer guide, documented).",
    )
    cache_throughput: Annotated[
        Fraction | Literal["off", "by_size"], Reader(_read_throughput, _THROUGHPUT_SCHEMA)
    ] = as_written(
        "off",
        description="Lookups a second that a stage's cache takes; more have to queue. Only "
        "documented: a larger one is faster. So there is no limit. A rate is one you measured; "
        "`by_size` is an invented table: 2,000/s for 0.5 GB, twice as many with each size.",
    )
    idle_expiry: Annotated[int, duration("1ms")] = as_written(
        "10m",
        description="A Lambda instance is gone when it has been idle for this long. 5 to 7 minutes "
        "were reported in 2021; 10 minutes assumed.",
    )
    method_limit: Annotated[
        Literal["replaces_stage", "within_stage"], choice("replaces_stage", "within_stage")
    ] = as_written(
        "replaces_stage",
        description="Whether a route's own throttle replaces the stage's for that route "
        "(API reference, methodSettings, documented) or is charged beside it, as in the chapter's "
        "three levels.",
    )
    throttle_scope: Annotated[Literal["method", "shared"], choice("method", "shared")] = as_written(
        "method",
        description="Whether a stage's throttle is a bucket for each route (developer guide, "
        "documented) or one bucket for all of them, as in the chapter.",
    )
    throttle_charging: Annotated[
        Literal["all_or_none", "in_order"], choice("all_or_none", "in_order")
    ] = as_written(
        "all_or_none",
        description="What a request costs that one level admits and a later one refuses: nothing, "
        "or a token at each level it had passed. AWS does not say; assumed.",
    )
    buckets_start: Annotated[Literal["full", "empty"], choice("full", "empty")] = as_written(
        "full",
        description="Whether token buckets are full or empty when the run begins. AWS does not "
        "say; assumed.",
    )
    sloppiness: Annotated[int, whole(1, 64)] = as_written(
        1,
        description="Independent parts each throttle limit is divided into, of which a request "
        "meets one at random; each has an equal share of rate and burst, so that a burst is 0 or "
        "at least this. 1 is exact. AWS calls its "
        "limits best effort and says no more; assumed, 4 is a guess at a distributed gateway.",
    )
    plan_method_limit: Annotated[
        Literal["replaces_plan", "within_plan"], choice("replaces_plan", "within_plan")
    ] = as_written(
        "replaces_plan",
        description="Whether a throttle that a usage plan gives one route replaces the plan's own "
        "for that route, or is charged beside it. Not documented; assumed as for stages.",
    )
    quota_week_start: Annotated[
        Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
        choice("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    ] = as_written(
        "monday",
        description="Day on which a quota's week begins, at 00:00 UTC. Assumed: AWS does not say "
        "when a period begins, and reports conflict.",
    )
    refused_use_quota: Annotated[bool, flag()] = as_written(
        False,
        description="Whether requests that a throttle or the quota itself refuses are counted "
        "against a usage plan's quota. What throttle_before_auth refuses never gets to the quota "
        "and is not counted. Not documented; assumed not.",
    )
    path_in_cache_key: Annotated[bool, flag()] = as_written(
        False,
        description="Whether path parameters are part of every cache key. On AWS only when chosen "
        "(developer guide, documented); in the chapter always.",
    )
    http_timeout_status: Annotated[Literal[503, 504], choice(503, 504)] = as_written(
        503,
        description="Status of an HTTP API whose integration timed out. 503 was seen, 504 is in a "
        "support article (reported).",
    )
    lambda_request_rate: Annotated[int, whole(0, 1_000)] = as_written(
        10,
        description="Synchronous requests a second that Lambda takes for each unit of concurrency "
        "of the account, of a reserve or of a provision; 0: no such quota. 10 is documented, "
        "that a second's worth may come at once is assumed.",
    )
    raised_timeout_rate: Annotated[Literal["lower", "same"], choice("lower", "same")] = as_written(
        "lower",
        description="Default rate of an account where an integration of a REST API waits for more "
        "than 29 s: `lower` by as much as the time-out is longer, so that 300 s leave 967/s of "
        "10,000/s (reported by one account; that it may be lower is documented), or the `same`. A "
        "written account.throttle.rate_limit is what it says.",
    )
    lambda_scaling: Annotated[int, whole(0, 1_000_000)] = as_written(
        1_000,
        description="Environments a function may add in 10 s, refilled continuously; 0: no such "
        "limit. 1,000 is documented.",
    )
    lambda_init_billed: Annotated[bool, flag()] = as_written(
        True,
        description="Whether the time of `init` is billed. It is since August 2025 (documented); "
        "before, that of managed runtimes with ZIP packages was not.",
    )
    environment_setup: TimeDistribution = as_written(
        "0s",
        description="Time of a cold start before `init`: a place is found and the package loaded. "
        "Never billed, and in no report of Lambda's. 50 to 150 ms have been reported; 0 assumed.",
    )
    lambda_throttle_status_http: Annotated[Literal[500, 503], choice(500, 503)] = as_written(
        500,
        description="Status of an HTTP API whose function was throttled. Assumed.",
    )
    authorizer_timeout: AuthorizerTimeout = as_written(
        {},
        description="How long the gateway waits for an authorizer. HTTP: 10 s (quotas, "
        "documented); REST: 29 s assumed.",
    )
    throttle_before_auth: Annotated[bool, flag()] = as_written(
        False,
        description="Whether the buckets of method, stage and account are charged before resource "
        "policy and authorizer instead of after the API key; usage plans and quotas stay after it. "
        "An answer of AWS staff says that a throttled request does not call a Lambda authorizer "
        "(reported); off assumed.",
    )
    credential_check_time: TimeDistribution = as_written(
        "1ms",
        description="Time the gateway takes to check a token (cognito, jwt) or a signature (iam). "
        "Assumed.",
    )
    key_set_time: TimeDistribution = as_written(
        {"p50": "60ms", "p99": "400ms"},
        description="Time a jwt authorizer takes to fetch its issuer's keys. Assumed.",
    )
    key_set_timeout: Annotated[int, duration("1ms", "10s")] = as_written(
        "1500ms",
        description="How long a jwt authorizer waits for its issuer's keys: 1,500 ms (quotas of "
        "HTTP APIs, documented; REST assumed alike). A request that waits in vain is a 401.",
    )
    key_set_lifetime: KeySetLifetime = as_written(
        {},
        description="How long a jwt authorizer keeps its issuer's keys. HTTP: 2 h, REST: up to 1 h "
        "(documented).",
    )
    signature_window: Annotated[int, duration("1s", "1d")] = as_written(
        "5m",
        description="How far a caller's clock may be off before its signature counts as expired. "
        "5 minutes is AWS's general practice (assumed).",
    )
    sign_in_time: TimeDistribution = as_written(
        {"p50": "150ms", "p99": "600ms"},
        description="Time a user pool takes to issue a token. Assumed.",
    )
    sign_in_burst: Annotated[int, duration("1ms", "60s")] = as_written(
        "1s",
        description="Sign-ins that a user pool grants at once, as the time in which its quota "
        "grants as many (at least one). AWS gives rates only; one second assumed.",
    )
    waf_latency: TimeDistribution = as_written(
        {"uniform": ["1ms", "3ms"]},
        description="Time the web ACL of a stage takes for each request. Assumed; AWS gives no "
        "figure.",
    )
    compression_ratio: Annotated[float, number("0.001", "2")] = as_written(
        0.3,
        description="What compression leaves of an answer where its route does not say. Assumed: "
        "JSON of some kilobytes comes down to a fifth to a third.",
    )
    mutual_tls_time: TimeDistribution = as_written(
        {"uniform": ["1ms", "3ms"]},
        description="Time to check a client's certificate, for each new connection; without "
        "`network.keep_alive` or `reuse` every call opens one. Assumed.",
    )
    tls_time: TimeDistribution = as_written(
        {"uniform": ["1ms", "2ms"]},
        description="Processor time of a TLS handshake, besides its round trips. Assumed.",
    )
    rate_limit_headers: Annotated[bool, flag()] = as_written(
        False,
        description="Whether a 429 carries X-RateLimit-Limit, X-RateLimit-Remaining and "
        "Retry-After, as in the chapter. AWS sends none of them (reported).",
    )
    retry_after: Annotated[int, duration("0s", "1h")] = as_written(
        "1s",
        description="What Retry-After says on a 429, where there is such a header. The chapter's "
        "example says 1; that it does so whatever the limit is assumed.",
    )
    size_limits: Annotated[
        Literal["before_routing", "after_routing"], choice("before_routing", "after_routing")
    ] = as_written(
        "before_routing",
        description="Whether a request that is too large and has no route is answered for its "
        "size or for its route. AWS does not say; assumed.",
    )
    header_limit_status: Annotated[Literal[431, 400], choice(431, 400)] = as_written(
        431,
        description="Status of a request whose headers are too large. AWS does not say; assumed, "
        "431 is the standard's.",
    )
    http_metering_basis: Annotated[
        Literal["request_payload", "response_payload", "larger", "sum"],
        choice("request_payload", "response_payload", "larger", "sum"),
    ] = as_written(
        "request_payload",
        description="What the 512 KB increments of HTTP API requests are counted of. The pricing "
        "page does not say; assumed.",
    )
    execution_log_size: Annotated[int, size("0B", "1MB")] = as_written(
        "1KB",
        description="Bytes of a request in the execution log of its stage, without the bodies of "
        "data traces, and of a request that fails where only errors are logged. AWS documents no "
        "events; assumed: about ten lines of a hundred bytes.",
    )
    preflight_status: Annotated[Literal[200, 204], choice(200, 204)] = as_written(
        200,
        description="Status of the OPTIONS method that answers preflights on a REST API. It is "
        "whatever its method response says: the console makes 200 (assumed), CDK 204 (reported).",
    )
    http_preflights: Annotated[Literal["counted", "free"], choice("counted", "free")] = as_written(
        "counted",
        description="Whether the preflights that an HTTP API answers by itself are billed and "
        "spend tokens of the account. AWS does not say; counted assumed.",
    )
    http_preflight_refusal: Annotated[Literal["lists", "silent"], choice("lists", "silent")] = (
        as_written(
            "lists",
            description="What an HTTP API says to a preflight of an allowed origin whose method or "
            "headers are not allowed: its lists, or no header at all. AWS does not say; assumed.",
        )
    )
    http_error_cors: Annotated[bool, flag()] = as_written(
        True,
        description="Whether an HTTP API with CORS adds its headers to its own errors too. "
        "Documented are integration responses; assumed.",
    )
    connection_minutes: Annotated[
        Literal["up", "exact", "nearest"], choice("up", "exact", "nearest")
    ] = as_written(
        "up",
        description="How the time of each WebSocket connection becomes minutes on the bill: begun "
        "ones count, fractions do, or it is the nearest number. AWS rounds them to a minute (FAQs) "
        "and does not say which way; up assumed.",
    )
    websocket_idle_timeout: Annotated[int, duration("1s", "1d")] = as_written(
        "10m",
        description="A WebSocket connection on which nothing was said for this long is closed: 10 "
        "minutes (quotas, documented; it cannot be raised).",
    )
    websocket_max_age: Annotated[int, duration("1s", "1d")] = as_written(
        "2h",
        description="A WebSocket connection is closed at this age: 2 hours (quotas, documented; it "
        "cannot be raised).",
    )
    pings_keep_alive: Annotated[bool, flag()] = as_written(
        True,
        description="Whether a client's ping is something said on its connection, as any message "
        "either way is. AWS does not say; assumed.",
    )
    disconnect_delivery: Annotated[float, share()] = as_written(
        "99.9%",
        description="Share of closed connections for which $disconnect is called. AWS says that "
        "it does its best; the number is assumed.",
    )
