"""Browsers and what they are told: preflights as bindings of their own, messages by answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.expiring_lru import UNBOUNDED
from apisim.engine.lowering.access import is_token
from apisim.engine.lowering.apis import AUTOMATIC, LoweredApis
from apisim.engine.lowering.bindings import Bindings, find_route
from apisim.engine.lowering.context import Context, name_hash
from apisim.engine.program import CachePlan
from apisim.engine.tables import NONE, PREFLIGHT_DTYPE
from apisim.gateway.cors import (
    BROWSER_CAPS_NS,
    CorsHeaders,
    CorsPolicy,
    Message,
    check_answer,
    check_preflight,
    headers_for,
    keeps_preflight_ns,
    needs_preflight,
    unsafe_headers,
)
from apisim.gateway.status import ANSWERS, Answer
from apisim.scenario.api import Api
from apisim.scenario.cors import Browser, Cors
from apisim.scenario.traffic import MixEntry, Source

__all__ = ["Browsers", "lower_browser"]

#: Answers that come from the integration, with its headers; all others are the gateway's own.
_FROM_BEHIND = frozenset(
    {
        Answer.SERVED,
        Answer.CACHE_HIT,
        Answer.ENDPOINT_ERROR,
        Answer.ENDPOINT_FULL,
        Answer.CACHED_ERROR,
        Answer.CACHED_FULL,
        Answer.FUNCTION_ERROR_AS_200,
        Answer.FUNCTION_ERROR_AS_400,
        Answer.FUNCTION_ERROR_AS_500,
        Answer.EVENT_ACCEPTED,
    }
)
#: The request never reached the API: what went wrong has nothing to do with CORS.
_NOT_SENT = frozenset({Answer.SIGN_IN_THROTTLED, Answer.MTLS_FAILED})


@dataclass(slots=True)
class Browsers:
    """Rows of browsers under construction.

    Attributes
    ----------
    rows : list of arrays
        ``PREFLIGHT_DTYPE``, one for each binding that has to ask first.
    messages : list of lists
        What a browser says to each answer, a row for each binding of a source with a browser.
    lines : dict of int to int
        Line of the store by how long its entries are kept [ns].
    """

    rows: list[NDArray[np.void]] = field(default_factory=list)
    messages: list[list[int]] = field(default_factory=list)
    lines: dict[int, int] = field(default_factory=dict)

    def table(self) -> NDArray[np.void]:
        """``PREFLIGHT_DTYPE[n]``."""
        return np.concatenate([np.zeros(0, PREFLIGHT_DTYPE), *self.rows])

    def message_table(self) -> NDArray[np.int64]:
        """``int64[n, n_answers]``."""
        return np.array(self.messages, np.int64).reshape(len(self.messages), len(ANSWERS))

    def _line(self, apis: LoweredApis, kept_ns: int) -> int:
        """Line whose entries are kept for a time; all browsers' memory is one cache."""
        if kept_ns not in self.lines:
            if not self.lines:
                apis.caches.append(CachePlan("browsers", UNBOUNDED, UNBOUNDED))
            cache = next(k for k, plan in enumerate(apis.caches) if plan.name == "browsers")
            self.lines[kept_ns] = len(apis.lines)
            apis.lines.append((kept_ns, cache))
        return self.lines[kept_ns]


@dataclass(frozen=True, slots=True)
class _Page:
    """What a page asks of one route."""

    browser: Browser
    api: Api
    origin: str
    method: str
    unsafe: tuple[str, ...]

    def headers(self, cors: Cors | None) -> CorsHeaders:
        return headers_for(_policy(cors), self.api.type, self.origin)

    def check(self, headers: CorsHeaders) -> Message:
        return check_answer(headers, self.origin, with_credentials=self.browser.credentials)

    def check_preflight(self, headers: CorsHeaders, *, is_ok: bool) -> Message:
        return check_preflight(
            headers,
            self.origin,
            self.method,
            self.unsafe,
            with_credentials=self.browser.credentials,
            is_ok=is_ok,
        )


def lower_browser(
    context: Context,
    apis: LoweredApis,
    bindings: Bindings,
    browsers: Browsers,
    name: str,
    source: Source,
) -> None:
    """Preflights and messages of a source's bindings, which are the last so far."""
    if source.browser is None or context.problems:
        return  # problems: bindings may be missing, and nothing will run
    actual = len(bindings.rows) - len(source.mix)
    for at, entry in enumerate(source.mix, actual):
        api = context.scenario.apis[entry.api]
        key = bindings.labels[at][1]
        method = entry.method if entry.path and entry.method != "ANY" else "GET"
        sent = _headers(context, source, api, key)
        unsafe = unsafe_headers(method, sent, source.browser.content_type)
        page = _Page(source.browser, api, source.browser.origin, method, unsafe)
        bindings.rows[at]["cors"] = len(browsers.messages)
        browsers.messages.append(_messages_of_actual(context, page, key))
        if needs_preflight(method, unsafe):
            _add_preflight(context, apis, bindings, browsers, name, source, entry, page, at)


def _headers(context: Context, source: Source, api: Api, key: str) -> Iterator[str]:
    """Names of the headers that a source's calls of a route carry beyond a plain request's."""
    assert source.browser is not None
    yield from source.browser.headers
    sent = (*source.values, *source.missing)
    yield from (p.partition(".")[2] for p in sent if p.startswith("header."))
    authorizer = context.scenario.authorizers.get(api.routes[key].authorizer or "")
    if authorizer is not None:
        is_its = any(is_token(source, one) for one in authorizer.identity_sources)
        if is_its or authorizer.type == "iam":
            yield "authorization"
    population = context.scenario.populations.get(source.of or "")
    if getattr(source, "api_key", None) or getattr(population, "key_each", False):
        yield "x-api-key"


def _messages_of_actual(context: Context, page: _Page, key: str) -> list[int]:
    """What the browser says to each answer of the request itself."""
    cors = page.api.cors_of(key)
    from_behind, own = page.check(page.headers(cors)), _own_headers(context, page, cors)
    found = [_message(answer, from_behind, page.check(own)) for answer in ANSWERS]
    found[Answer.CORS_BLOCKED] = from_behind
    return found


def _message(answer: Answer, from_behind: Message, own: Message) -> int:
    if answer in _NOT_SENT:
        return 0
    return int(from_behind if answer in _FROM_BEHIND else own)


def _own_headers(context: Context, page: _Page, cors: Cors | None) -> CorsHeaders:
    """Headers of the gateway's own answers."""
    if page.api.type == "http":
        says = context.scenario.settings.http_error_cors
    else:
        # Gateway responses belong to the API, not to the method.
        cors = page.api.cors or cors
        says = cors is not None and cors.error_headers
    return page.headers(cors if says else None)


def _add_preflight(
    context: Context,
    apis: LoweredApis,
    bindings: Bindings,
    browsers: Browsers,
    name: str,
    source: Source,
    entry: MixEntry,
    page: _Page,
    actual: int,
) -> None:
    found: str | None = "$default"
    if entry.path:
        found = find_route(context, apis, entry.api, "OPTIONS", entry.path)
    if page.api.type == "http" and page.api.cors is not None:
        # A route with an authorizer, `$default` above all, takes the preflight for itself.
        routes = page.api.routes
        if found is None or routes[found].authorizer is None:
            found = AUTOMATIC
    at = len(bindings.rows)
    bindings.add_preflight(context, apis, name, source, entry.api, found or "")
    cors = _cors_of_preflight(page.api, found, bindings.labels[actual][1])
    headers = page.headers(cors)
    fate = page.check_preflight(headers, is_ok=True)
    is_silent = context.scenario.settings.http_preflight_refusal == "silent"
    if page.api.type == "http" and is_silent and fate in (Message.METHOD, Message.HEADER):
        fate = Message.NO_ORIGIN
    own = page.check_preflight(_own_headers(context, page, cors), is_ok=False)
    from_behind = page.check_preflight(headers, is_ok=False)
    messages = [_message(answer, from_behind, own) for answer in ANSWERS]
    for answer in (Answer.SERVED, Answer.CACHE_HIT, Answer.PREFLIGHT, Answer.PREFLIGHT_FAILED):
        messages[answer] = int(fate)
    bindings.rows[at] |= {"cors": len(browsers.messages), "actual": actual}
    browsers.messages.append(messages)
    row = np.zeros(1, PREFLIGHT_DTYPE)
    row["binding"], row["line"] = at, NONE
    cap = page.browser.max_age_cap
    kept_ns = keeps_preflight_ns(headers, BROWSER_CAPS_NS[cap] if isinstance(cap, str) else cap)
    # Nobody asks twice in a browser that is used once: nothing is kept then.
    is_known = source.of is not None or source.is_closed
    if fate == Message.NONE and kept_ns > 0 and is_known:
        row["line"] = browsers._line(apis, kept_ns)
    owner = ("population", source.of) if source.of is not None else ("source", name)
    row["salt"] = name_hash(
        "preflight",
        *owner,
        page.origin,
        str(page.browser.credentials),
        entry.api,
        page.api.stage.name,
        entry.path,
        repr(cors),
        str(cap),
    )
    row["part"] = len(bindings.parts)
    bindings.add_parts(context, name, source, _url_parameters(source, entry))
    row["parts"] = len(bindings.parts) - row["part"][0]
    bindings.rows[actual]["preflight"] = len(browsers.rows)
    browsers.rows.append(row)


def _cors_of_preflight(api: Api, options: str | None, key: str) -> Cors | None:
    """What the answer to a preflight says.

    The OPTIONS method that CORS made on a REST API speaks for the method that is asked for; one
    that somebody wrote speaks for itself.
    """
    if options is None:
        return None
    if api.type == "http" or options in api.routes:
        return api.cors if options == AUTOMATIC else api.cors_of(options)
    return api.cors_of(key) or api.cors or next(iter(_neighbours(api, options)), None)


def _neighbours(api: Api, options: str) -> Iterator[Cors]:
    """CORS of the other methods of a resource."""
    path = options.partition(" ")[2]
    for key, parsed in api.route_keys().items():
        cors = api.cors_of(key)
        if parsed.path == path and cors is not None:
            yield cors


def _url_parameters(source: Source, entry: MixEntry) -> Sequence[str]:
    """Parameters whose values make up the URL of a call."""
    path = {f"path.{name}" for name in entry.route.parameters}
    return sorted(p for p in source.values if p in path or p.startswith("querystring."))


def _policy(cors: Cors | None) -> CorsPolicy | None:
    if cors is None:
        return None
    return CorsPolicy(
        allow_origins=tuple(cors.allow_origins),
        allow_methods=tuple(cors.allow_methods),
        allow_headers=tuple(cors.allow_headers),
        allow_credentials=cors.allow_credentials,
        max_age_ns=cors.max_age,
    )
