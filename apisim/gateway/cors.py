"""Cross-origin requests: what a browser asks first, and which answers it hides from its page.

The rules are the browser's, not API Gateway's: WHATWG, "Fetch", sections "CORS check",
"CORS-preflight fetch" and "CORS-preflight cache". API Gateway only sends headers. On HTTP APIs it
does so itself and overrides the backend's; on REST APIs they come from an OPTIONS method that
somebody made and, with proxy integrations, from the backend (developer guide, "CORS for REST APIs"
and "Configure CORS for HTTP APIs").

What the headers of an answer are depends on the API, the route and the page's origin, and never on
the time. So everything here is decided once, before a run; while it runs, :func:`seen_answer` only
looks a message up.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from apisim.arrays.jit import constant, inline
from apisim.gateway.status import Answer

__all__ = [
    "BROWSER_CAPS_NS",
    "MESSAGES",
    "CorsHeaders",
    "CorsPolicy",
    "Message",
    "check_answer",
    "check_preflight",
    "headers_for",
    "keeps_preflight_ns",
    "needs_preflight",
    "seen_answer",
    "unsafe_headers",
]

_SECOND_NS: Final = 1_000_000_000
#: Longest a browser keeps a preflight's answer. Firefox a day, Chromium 2 h since version 76 (MDN,
#: "Access-Control-Max-Age"), WebKit 10 min (``CrossOriginPreflightResultCache``).
BROWSER_CAPS_NS: Final = {
    "chromium": 7_200 * _SECOND_NS,
    "firefox": 86_400 * _SECOND_NS,
    "safari": 600 * _SECOND_NS,
}
#: How long it is kept where the answer does not say (Fetch, "CORS-preflight fetch").
_DEFAULT_MAX_AGE_NS: Final = 5 * _SECOND_NS

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "POST"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_SAFE_TYPES: Final = frozenset(
    {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
)
#: Headers a page may set without asking, and those only the browser sets (Fetch, "CORS-safelisted
#: request-header" and "forbidden request-header").
_SAFE_HEADERS: Final = frozenset({"accept", "accept-language", "content-language", "range"})
_BROWSERS_OWN: Final = frozenset(
    {
        "accept-charset",
        "accept-encoding",
        "connection",
        "content-length",
        "cookie",
        "date",
        "dnt",
        "expect",
        "host",
        "keep-alive",
        "origin",
        "referer",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
    }
)
_ANY: Final = "*"

_SERVED: Final = constant(Answer.SERVED)
_HIT: Final = constant(Answer.CACHE_HIT)
_PREFLIGHT: Final = constant(Answer.PREFLIGHT)
_FAILED: Final = constant(Answer.PREFLIGHT_FAILED)
_BLOCKED: Final = constant(Answer.CORS_BLOCKED)


class Message(IntEnum):
    """What the browser says to the page's console."""

    NONE = 0
    NO_ORIGIN = 1
    OTHER_ORIGIN = 2
    WILDCARD_WITH_CREDENTIALS = 3
    NO_CREDENTIALS = 4
    NOT_OK = 5
    METHOD = 6
    HEADER = 7


MESSAGES: Final[dict[Message, str]] = {
    Message.NO_ORIGIN: "No 'Access-Control-Allow-Origin' header is present on the response",
    Message.OTHER_ORIGIN: "'Access-Control-Allow-Origin' names another origin",
    Message.WILDCARD_WITH_CREDENTIALS: "'Access-Control-Allow-Origin' is the wildcard '*', which "
    "a request with credentials may not be answered with",
    Message.NO_CREDENTIALS: "Credentials flag is true, but 'Access-Control-Allow-Credentials' is "
    "missing",
    Message.NOT_OK: "Response to the preflight request has no HTTP ok status",
    Message.METHOD: "Method is not allowed by 'Access-Control-Allow-Methods'",
    Message.HEADER: "Request header is not allowed by 'Access-Control-Allow-Headers'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CorsPolicy:
    """What an API says about other origins.

    Attributes
    ----------
    allow_origins : tuple of str
        Origins, ``*``, or on HTTP APIs a scheme with a wildcard (``https://*``).
    allow_methods, allow_headers : tuple of str
        Methods, and names of headers in lower case; ``*`` stands for all.
    allow_credentials : bool
    max_age_ns : int or None
        How long a browser may keep a preflight's answer [ns]; negative: not at all; None: unsaid.
    """

    allow_origins: tuple[str, ...]
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorsHeaders:
    """The ``Access-Control-...`` headers of one answer; ``allow_origin`` None: there are none."""

    allow_origin: str | None
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age_ns: int | None = None


def headers_for(policy: CorsPolicy | None, api_type: str, origin: str) -> CorsHeaders:
    """Headers that an answer to a page of ``origin`` carries.

    An HTTP API echoes the origin if it is among the allowed ones and sends nothing otherwise. A
    REST API sends what was written: one origin as it stands, whoever asks; with several, the code
    that answers compares and echoes, as the header can hold only one.

    Parameters
    ----------
    policy : CorsPolicy or None
        None: the API knows nothing of CORS.
    api_type : {"rest", "http"}
    origin : str
        Of the page that calls, e.g. ``https://app.example.com``.

    Examples
    --------
    >>> policy = CorsPolicy(allow_origins=("https://*",))
    >>> headers_for(policy, "http", "https://app.example.com").allow_origin
    'https://app.example.com'
    """
    if policy is None:
        return CorsHeaders(allow_origin=None)
    allowed = policy.allow_origins
    echoed: str | None
    if _ANY in allowed:
        echoed = _ANY
    elif api_type == "rest" and len(allowed) == 1:
        echoed = allowed[0]
    else:
        echoed = origin if any(_matches(one, origin) for one in allowed) else None
    if echoed is None:
        return CorsHeaders(allow_origin=None)
    return CorsHeaders(
        allow_origin=echoed,
        allow_methods=policy.allow_methods,
        allow_headers=policy.allow_headers,
        allow_credentials=policy.allow_credentials,
        max_age_ns=policy.max_age_ns,
    )


def _matches(allowed: str, origin: str) -> bool:
    if allowed.endswith("://*"):
        return origin.startswith(allowed[:-1])
    return allowed == origin


def unsafe_headers(
    method: str, headers: Iterable[str], content_type: str | None
) -> tuple[str, ...]:
    """Headers of a request that a browser asks about first, in lower case and order.

    Parameters
    ----------
    method : str
        ``content-type`` goes with the methods that have a body: POST, PUT and PATCH.
    headers : iterable of str
        Names of the headers the page sets.
    content_type : str or None
        Media type of the body.

    Examples
    --------
    >>> unsafe_headers("POST", ["Authorization", "Accept"], "application/json")
    ('authorization', 'content-type')
    """
    found = {name.lower() for name in headers} - _SAFE_HEADERS - _BROWSERS_OWN - {"content-type"}
    found = {name for name in found if not name.startswith(("proxy-", "sec-"))}
    if method in _WITH_BODY and content_type is not None:
        essence = content_type.partition(";")[0].strip().lower()
        if essence not in _SAFE_TYPES:
            found.add("content-type")
    return tuple(sorted(found))


def needs_preflight(method: str, unsafe: tuple[str, ...]) -> bool:
    """Whether a request is not simple."""
    return method not in _SAFE_METHODS or bool(unsafe)


def check_answer(headers: CorsHeaders, origin: str, *, with_credentials: bool) -> Message:
    """Whether a page may see an answer: Fetch's "CORS check", ``NONE`` if it may."""
    allowed = headers.allow_origin
    if allowed is None:
        return Message.NO_ORIGIN
    if allowed == _ANY:
        return Message.WILDCARD_WITH_CREDENTIALS if with_credentials else Message.NONE
    if allowed != origin:
        return Message.OTHER_ORIGIN
    if with_credentials and not headers.allow_credentials:
        return Message.NO_CREDENTIALS
    return Message.NONE


def check_preflight(
    headers: CorsHeaders,
    origin: str,
    method: str,
    unsafe: tuple[str, ...],
    *,
    with_credentials: bool,
    is_ok: bool,
) -> Message:
    """What a browser makes of a preflight's answer; ``NONE``: the request may be sent.

    Parameters
    ----------
    headers : CorsHeaders
        Of the answer.
    origin, method, unsafe : str, str, tuple of str
        Of the request it was asked for; ``unsafe`` as :func:`unsafe_headers` gives them.
    with_credentials : bool
        Whether the request carries cookies: a wildcard then is a plain text that means nothing.
    is_ok : bool
        Whether the answer's status is of class 2.
    """
    message = check_answer(headers, origin, with_credentials=with_credentials)
    if message != Message.NONE:
        return message
    if not is_ok:
        return Message.NOT_OK
    takes_any_method = _ANY in headers.allow_methods and not with_credentials
    is_allowed = method in headers.allow_methods or method in _SAFE_METHODS
    if not is_allowed and not takes_any_method:
        return Message.METHOD
    takes_any_header = _ANY in headers.allow_headers and not with_credentials
    for name in unsafe:
        # A wildcard never means `authorization` (Fetch, "CORS non-wildcard request-header name").
        is_covered = takes_any_header and name != "authorization"
        if name not in headers.allow_headers and not is_covered:
            return Message.HEADER
    return Message.NONE


def keeps_preflight_ns(headers: CorsHeaders, cap_ns: int) -> int:
    """How long a browser keeps a preflight's answer [ns]; 0 for not at all.

    Examples
    --------
    >>> keeps_preflight_ns(CorsHeaders(allow_origin="*"), BROWSER_CAPS_NS["chromium"])
    5000000000
    """
    said = headers.max_age_ns
    return max(0, min(_DEFAULT_MAX_AGE_NS if said is None else said, cap_ns))


@inline
def seen_answer(answer: int, message: int, is_preflight: int) -> int:
    """What a request is to its page, whose browser has ``message`` to say about the answer.

    A refusal of the gateway stays what it is, whether the page sees it or not.

    Parameters
    ----------
    answer : int
        How the gateway ended the request.
    message : int
        What the browser says to this answer, a :class:`Message`.
    is_preflight : int
        1 for a preflight.
    """
    if answer != _SERVED and answer != _HIT:
        return answer
    if is_preflight == 1:
        return _PREFLIGHT if message == 0 else _FAILED
    return answer if message == 0 else _BLOCKED
