"""How callers behave when they are refused, and what browsers get to see of it."""

from collections.abc import Iterator
from typing import Final

from apisim.scenario.calls import called_apis
from apisim.scenario.cors import NEVER_KEPT, Cors
from apisim.scenario.formats import format_duration
from apisim.scenario.problems import Path
from apisim.scenario.remarks import Remark
from apisim.scenario.scenario import Scenario
from apisim.scenario.websocket_routes import DEFAULT

__all__ = ["calling_remarks"]

_RETRIES: Final = 'Builders\' Library, "Timeouts, retries, and backoff with jitter"'
_CORS: Final = 'developer guide, "CORS for REST APIs in API Gateway"'
_HTTP_CORS: Final = 'developer guide, "Configure CORS for HTTP APIs"'
_TIP: Final = "tip 4 of the chapter: configure CORS properly"
_QUOTAS: Final = 'developer guide, "Quotas for WebSocket APIs"'
_WITHOUT_JITTER: Final = frozenset({"none", "fixed", "exponential"})
#: Longest that Chromium keeps a preflight's answer [ns].
_KEPT_NS: Final = 2 * 3600 * 1_000_000_000
_IDLE_NS: Final = 600_000_000_000
_SECOND_NS: Final = 1_000_000_000


def calling_remarks(scenario: Scenario) -> Iterator[Remark]:
    """All remarks on callers."""
    yield from _retries(scenario)
    yield from _idle(scenario)
    browsing = {
        api
        for source in scenario.traffic.values()
        if source.browser is not None
        for api in called_apis(scenario, source)
    }
    for name, api in scenario.apis.items():
        written: list[tuple[Path, Cors]] = []
        if api.cors is not None:
            written.append((("apis", name, "cors"), api.cors))
        for key, route in api.routes.items():
            if route.cors:
                written.append((("apis", name, "routes", key, "cors"), route.cors))
        for at, cors in written:
            yield from _of_cors(at, cors, is_rest=api.type == "rest", is_called=name in browsing)
        yield from _preflights(scenario, name, is_called=name in browsing)


def _retries(scenario: Scenario) -> Iterator[Remark]:
    hint = "write backoff: full_jitter"
    for name, source in scenario.traffic.items():
        retries = source.client.retries if source.client is not None else None
        if retries is not None and retries.max > 0 and retries.backoff in _WITHOUT_JITTER:
            message = (
                f"backoff {retries.backoff} has no jitter: callers that were refused together come "
                "back together"
            )
            at: Path = ("traffic", name, "client", "retries")
            yield Remark("retries-without-jitter", at, message, hint, _RETRIES)
        reconnect = source.sessions.reconnect if source.sessions is not None else None
        if reconnect is not None and reconnect.max > 0 and reconnect.backoff in _WITHOUT_JITTER:
            message = (
                f"reconnecting with backoff {reconnect.backoff} has no jitter: clients that were "
                "cut off together come back together, and new connections have a limit"
            )
            at = ("traffic", name, "sessions", "reconnect")
            hint = "write reconnect: {jitter: 30s}"
            yield Remark("retries-without-jitter", at, message, hint, _RETRIES)


def _idle(scenario: Scenario) -> Iterator[Remark]:
    """Connections on which less is said than keeps them open."""
    for name, source in scenario.traffic.items():
        sessions = source.sessions
        if sessions is None or source.pushes or sessions.messages_per_session is not None:
            continue
        gap_ns = float("inf")
        if sessions.think_time is not None:
            gap_ns = sessions.think_time.mean()
        elif sessions.messages:
            gap_ns = _SECOND_NS / float(sessions.messages)
        pings = sessions.pings
        if gap_ns >= _IDLE_NS and (pings is None or pings >= _IDLE_NS):
            message = (
                "less is said than once in 10 minutes, after which the gateway closes a connection"
            )
            hint = "write pings: 5m"
            yield Remark("idle-connections", ("traffic", name, "sessions"), message, hint, _QUOTAS)


def _of_cors(at: Path, cors: Cors, *, is_rest: bool, is_called: bool) -> Iterator[Remark]:
    source = _CORS if is_rest else _HTTP_CORS
    if "*" in cors.allow_origins:
        message = "every origin may call: any page can use the API with its visitor's browser"
        hint = "name the origins: [https://app.example.com]"
        yield Remark("cors-wildcard", (*at, "allow_origins"), message, hint, _TIP)
    if cors.max_age is None or cors.max_age == NEVER_KEPT:
        message = "no max_age: browsers ask again after 5 s"
        if cors.max_age == NEVER_KEPT:
            message = "max_age -1: browsers ask before every call"
        place = at if cors.max_age is None else (*at, "max_age")
        yield Remark("cors-short-lived", place, message, "write max_age: 2h", source)
    elif cors.max_age > _KEPT_NS:
        message = f"max_age {format_duration(cors.max_age)}: Chromium keeps no answer beyond 2h"
        yield Remark("cors-beyond-the-cap", (*at, "max_age"), message, "write max_age: 2h", source)
    if is_rest and is_called and not cors.error_headers:
        message = (
            "the gateway's own errors have no CORS headers: pages are told of a CORS error, not of "
            "a 429 or 401"
        )
        hint = "write error_headers: true (DEFAULT_4XX and DEFAULT_5XX of the gateway responses)"
        yield Remark("cors-hidden-errors", at, message, hint, _CORS)


def _preflights(scenario: Scenario, name: str, *, is_called: bool) -> Iterator[Remark]:
    """Preflights that need a token, which browsers never send with them."""
    api = scenario.apis[name]
    for key, route in api.routes.items():
        at: Path = ("apis", name, "routes", key, "authorizer")
        method = key.partition(" ")[0]
        if route.authorizer is None:
            continue
        if method == "OPTIONS":
            message = "browsers send no credentials with a preflight: each of them is refused"
            yield Remark("preflight-needs-token", at, message, "take the authorizer out", _CORS)
        elif key == DEFAULT and api.type == "http" and is_called and api.cors is None:
            message = "$default takes preflights as well, which have no token: each is refused"
            hint = "write cors: under the API, or a route OPTIONS /{proxy+} without authorizer"
            yield Remark("preflight-needs-token", at, message, hint, _HTTP_CORS)
