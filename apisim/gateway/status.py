"""Who answers what: every way a request can end, with its status for each API type.

The list is append-only: an answer's number is part of recorded results. Statuses and their sources
are in ``docs/decisions.md`` (REST and HTTP APIs differ in five of them); the two that AWS leaves
open on HTTP APIs are settings.
"""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import constant, inline

__all__ = [
    "ANSWERS",
    "API_TYPES",
    "LEVEL_ANSWERS",
    "Answer",
    "AnswerFacts",
    "body_table",
    "level_answer",
    "status_table",
]


class Answer(IntEnum):
    """How a request ended."""

    SERVED = 0
    CACHE_HIT = 1
    THROTTLED_METHOD = 2
    THROTTLED_STAGE = 3
    THROTTLED_ACCOUNT = 4
    NO_IDENTITY = 5
    DENIED = 6
    AUTHORIZER_FAILED = 7
    NO_ROUTE = 8
    TIMEOUT = 9
    FUNCTION_ERROR = 10
    FUNCTION_THROTTLED = 11
    ENDPOINT_ERROR = 12
    ENDPOINT_FULL = 13
    THROTTLED_PLAN = 14
    QUOTA_EXCEEDED = 15
    NO_KEY = 16
    WAF_BLOCKED = 17
    POLICY_DENIED = 18
    POLICY_SILENT = 19
    PRIVATE_REFUSED = 20
    MTLS_FAILED = 21
    IAM_MISSING = 22
    BAD_SIGNATURE = 23
    SIGNATURE_EXPIRED = 24
    IAM_DENIED = 25
    TOKEN_INVALID = 26
    TOKEN_EXPIRED = 27
    SCOPE_MISSING = 28
    SCOPE_MISSING_COGNITO = 29
    IMPLICITLY_DENIED = 30
    UNAUTHORIZED_BY_FUNCTION = 31
    SIGN_IN_THROTTLED = 32
    MISSING_PARAMETERS = 33
    INVALID_BODY = 34
    TOO_LARGE = 35
    URL_TOO_LONG = 36
    HEADERS_TOO_LARGE = 37
    INVALIDATION_REFUSED = 38
    PREFLIGHT = 39
    PREFLIGHT_FAILED = 40
    CORS_BLOCKED = 41
    CACHED_ERROR = 42
    CACHED_FULL = 43
    FUNCTION_MALFORMED = 44
    FUNCTION_ERROR_AS_200 = 45
    FUNCTION_ERROR_AS_400 = 46
    FUNCTION_ERROR_AS_500 = 47
    NO_MAPPING = 48
    SERVICE_THROTTLED = 49
    SERVICE_ERROR = 50
    TARGET_DOWN = 51
    TARGET_UNREACHABLE = 52
    FUNCTION_ANSWER_TOO_LARGE = 53
    FUNCTION_REQUEST_TOO_LARGE = 54
    ANSWER_TOO_LARGE = 55
    EVENT_ACCEPTED = 56
    CONNECTED = 57
    THROTTLED_CONNECTIONS = 58
    CONNECTION_GONE = 59
    FRAME_TOO_LARGE = 60
    BINARY_FRAME = 61
    SENT = 62
    UNAVAILABLE = 63


class AnswerFacts(NamedTuple):
    """What is fixed about an answer.

    ``outcome`` and ``refused_by`` are the words of the request file; ``rest``, ``http`` and
    ``websocket`` the status codes; ``rest_body``, ``http_body`` and ``websocket_body`` the default
    body of an answer the gateway itself makes ("" where the backend's own answer is passed on).
    """

    outcome: str
    refused_by: str
    rest: int
    http: int
    rest_body: str = ""
    http_body: str = ""
    websocket: int = 0
    websocket_body: str = ""


_SLOW: Final = '{"message":"Too Many Requests"}'
_UNAVAILABLE: Final = '{"message":"Service Unavailable"}'
_BROKEN: Final = '{"message":"Internal server error"}'
_FAILED_HTTP: Final = '{"message":"Internal Server Error"}'
_FORBIDDEN: Final = '{"message":"Forbidden"}'
_UNAUTHORIZED: Final = '{"message":"Unauthorized"}'
_SIGNATURE: Final = (
    '{"message":"The request signature we calculated does not match the signature you provided."}'
)
_EXPLICIT: Final = (
    '{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke'
    ' with an explicit deny"}'
)
_IMPLICIT: Final = '{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke"}'


def _both(outcome: str, refused_by: str, status: int, body: str) -> AnswerFacts:
    """An answer that is the same on REST and HTTP APIs."""
    return AnswerFacts(outcome, refused_by, status, status, body, body)


#: Facts by :class:`Answer`. Sources: developer guide, "Gateway response types" (401, 403, 429,
#: 504), "Lambda proxy integrations" (502 on REST), "HTTP API Lambda integrations" (500), and public
#: captures for the HTTP API's 503 on a time-out; a route that does not exist is 403 on REST.
_CALLS: Final[dict[Answer, AnswerFacts]] = {
    Answer.SERVED: AnswerFacts("served", "", 200, 200),
    Answer.CACHE_HIT: AnswerFacts("cache_hit", "", 200, 200),
    Answer.THROTTLED_METHOD: AnswerFacts("throttled", "method", 429, 429, _SLOW, _SLOW),
    Answer.THROTTLED_STAGE: AnswerFacts("throttled", "stage", 429, 429, _SLOW, _SLOW),
    Answer.THROTTLED_ACCOUNT: AnswerFacts("throttled", "account", 429, 429, _SLOW, _SLOW),
    Answer.NO_IDENTITY: AnswerFacts(
        "unauthorized",
        "authorizer",
        401,
        401,
        '{"message":"Unauthorized"}',
        '{"message":"Unauthorized"}',
    ),
    Answer.DENIED: AnswerFacts(
        "forbidden",
        "authorizer",
        403,
        403,
        '{"Message":"User is not authorized to access this resource with an explicit deny"}',
        '{"message":"Forbidden"}',
    ),
    Answer.AUTHORIZER_FAILED: AnswerFacts(
        "authorizer_failed", "authorizer", 500, 500, '{"message":null}', _BROKEN
    ),
    Answer.NO_ROUTE: AnswerFacts(
        "not_found",
        "routing",
        403,
        404,
        '{"message":"Missing Authentication Token"}',
        '{"message":"Not Found"}',
    ),
    Answer.TIMEOUT: AnswerFacts(
        "timeout",
        "backend",
        504,
        503,
        '{"message":"Endpoint request timed out"}',
        _UNAVAILABLE,
    ),
    Answer.FUNCTION_ERROR: AnswerFacts("backend_error", "backend", 502, 500, _BROKEN, _FAILED_HTTP),
    Answer.FUNCTION_THROTTLED: AnswerFacts(
        "backend_throttled", "backend", 500, 500, _BROKEN, _BROKEN
    ),
    Answer.ENDPOINT_ERROR: AnswerFacts("backend_error", "backend", 500, 500),
    Answer.ENDPOINT_FULL: AnswerFacts("backend_error", "backend", 503, 503),
    Answer.THROTTLED_PLAN: AnswerFacts("throttled", "usage_plan", 429, 429, _SLOW, _SLOW),
    Answer.QUOTA_EXCEEDED: _both("quota", "quota", 429, '{"message":"Limit Exceeded"}'),
    Answer.NO_KEY: _both("no_key", "api_key", 403, _FORBIDDEN),
    Answer.WAF_BLOCKED: _both("blocked", "waf", 403, _FORBIDDEN),
    Answer.POLICY_DENIED: _both("forbidden", "resource_policy", 403, _EXPLICIT),
    Answer.POLICY_SILENT: _both("forbidden", "resource_policy", 403, _IMPLICIT),
    Answer.PRIVATE_REFUSED: _both("forbidden", "resource_policy", 403, _FORBIDDEN),
    Answer.MTLS_FAILED: _both("forbidden", "mutual_tls", 403, _FORBIDDEN),
    Answer.IAM_MISSING: AnswerFacts(
        "unauthorized",
        "authorizer",
        403,
        403,
        '{"message":"Missing Authentication Token"}',
        _FORBIDDEN,
    ),
    Answer.BAD_SIGNATURE: AnswerFacts(
        "unauthorized", "authorizer", 403, 403, _SIGNATURE, _FORBIDDEN
    ),
    Answer.SIGNATURE_EXPIRED: AnswerFacts(
        "unauthorized", "authorizer", 403, 403, '{"message":"Signature expired"}', _FORBIDDEN
    ),
    Answer.IAM_DENIED: AnswerFacts("forbidden", "authorizer", 403, 403, _IMPLICIT, _FORBIDDEN),
    Answer.TOKEN_INVALID: _both("unauthorized", "authorizer", 401, _UNAUTHORIZED),
    Answer.TOKEN_EXPIRED: AnswerFacts(
        "unauthorized",
        "authorizer",
        401,
        401,
        '{"message":"The incoming token has expired"}',
        _UNAUTHORIZED,
    ),
    Answer.SCOPE_MISSING: _both("forbidden", "authorizer", 403, _FORBIDDEN),
    Answer.SCOPE_MISSING_COGNITO: _both("unauthorized", "authorizer", 401, _UNAUTHORIZED),
    Answer.IMPLICITLY_DENIED: AnswerFacts(
        "forbidden", "authorizer", 403, 403, _IMPLICIT, _FORBIDDEN
    ),
    # The text that makes an error a 401 is documented for REST APIs only; on HTTP APIs a call that
    # fails is a 500 whatever was raised.
    Answer.UNAUTHORIZED_BY_FUNCTION: AnswerFacts(
        "unauthorized", "authorizer", 401, 500, _UNAUTHORIZED, _BROKEN
    ),
    # The caller never called: its user pool refused it a token (TooManyRequestsException, 400).
    Answer.SIGN_IN_THROTTLED: _both("no_token", "sign_in", 400, ""),
    Answer.MISSING_PARAMETERS: _both(
        "invalid", "validation", 400, '{"message":"Missing required request parameters: []"}'
    ),
    Answer.INVALID_BODY: _both("invalid", "validation", 400, '{"message":"Invalid request body"}'),
    Answer.TOO_LARGE: _both("invalid", "limits", 413, '{"message":"Request Too Long"}'),
    Answer.URL_TOO_LONG: _both("invalid", "limits", 414, ""),
    Answer.HEADERS_TOO_LARGE: _both("invalid", "limits", 431, ""),
    Answer.INVALIDATION_REFUSED: _both("forbidden", "cache", 403, _FORBIDDEN),
    Answer.PREFLIGHT: AnswerFacts("preflight", "", 200, 204),
    Answer.PREFLIGHT_FAILED: AnswerFacts("cors_blocked", "cors", 200, 204),
    Answer.CORS_BLOCKED: AnswerFacts("cors_blocked", "cors", 200, 200),
    # An endpoint's error, served from the cache (settings.cache_statuses: all).
    Answer.CACHED_ERROR: AnswerFacts("cache_hit", "backend", 500, 500),
    Answer.CACHED_FULL: AnswerFacts("cache_hit", "backend", 503, 503),
    # What a function returned is no answer: it has no statusCode, or keys that nobody knows.
    Answer.FUNCTION_MALFORMED: AnswerFacts(
        "backend_error", "backend", 502, 500, _BROKEN, _FAILED_HTTP
    ),
    # A custom integration passes a function's error on, under the status of its integration
    # response: 200 unless a selection pattern matches the message.
    Answer.FUNCTION_ERROR_AS_200: AnswerFacts("backend_error", "backend", 200, 200),
    Answer.FUNCTION_ERROR_AS_400: AnswerFacts("backend_error", "backend", 400, 400),
    Answer.FUNCTION_ERROR_AS_500: AnswerFacts("backend_error", "backend", 500, 500),
    # A path of a custom domain that no base path mapping takes.
    Answer.NO_MAPPING: _both("not_found", "domain", 403, _FORBIDDEN),
    # What an AWS service answers is passed on as it is: 400 for what it throttles.
    Answer.SERVICE_THROTTLED: AnswerFacts("backend_throttled", "backend", 400, 400),
    Answer.SERVICE_ERROR: AnswerFacts("backend_error", "backend", 500, 500),
    # An ALB answers for a target that is down; behind an NLB the connection itself fails.
    Answer.TARGET_DOWN: AnswerFacts("backend_error", "backend", 502, 502),
    Answer.TARGET_UNREACHABLE: AnswerFacts(
        "backend_error", "backend", 500, 503, _BROKEN, _UNAVAILABLE
    ),
    # Lambda makes an error of what a function returns beyond 6 MB, and takes no larger event; the
    # latter is captured on REST APIs, with this body, and assumed of HTTP APIs.
    Answer.FUNCTION_ANSWER_TOO_LARGE: AnswerFacts(
        "backend_error", "backend", 502, 500, _BROKEN, _FAILED_HTTP
    ),
    Answer.FUNCTION_REQUEST_TOO_LARGE: _both(
        "invalid", "backend", 413, '{"message":"Request Too Long"}'
    ),
    # An answer that is larger than the gateway passes on (re:Post, "5xx errors for API Gateway").
    Answer.ANSWER_TOO_LARGE: AnswerFacts(
        "backend_error", "backend", 500, 500, _BROKEN, _FAILED_HTTP
    ),
    # Lambda has taken an event; what comes of it nobody is told.
    Answer.EVENT_ACCEPTED: AnswerFacts("served", "", 202, 202),
}

#: What only WebSocket APIs answer. The upgrade is one HTTP request; a connection that the gateway
#: closes has the close code as its status (1009: too large, 1003: not of a kind it takes).
_SOCKETS: Final[dict[Answer, AnswerFacts]] = {
    Answer.CONNECTED: _both("connected", "", 101, ""),
    Answer.THROTTLED_CONNECTIONS: _both("throttled", "connections", 429, _SLOW),
    # Of ``POST @connections``: the client has gone.
    Answer.CONNECTION_GONE: _both("gone", "connection", 410, ""),
    Answer.FRAME_TOO_LARGE: _both("invalid", "limits", 1009, ""),
    Answer.BINARY_FRAME: _both("invalid", "limits", 1003, ""),
    Answer.SENT: _both("sent", "", 200, ""),
    Answer.UNAVAILABLE: _both("unavailable", "outage", 503, _UNAVAILABLE),
}

#: Status of an error frame where it differs from a REST API's: it is ours to choose, as a frame has
#: none, and says what kind of error its text stands for.
_FRAME_STATUS: Final = {
    Answer.TIMEOUT: 500,
    Answer.FUNCTION_ERROR: 500,
    Answer.FUNCTION_MALFORMED: 500,
    Answer.FUNCTION_ANSWER_TOO_LARGE: 500,
    Answer.FUNCTION_REQUEST_TOO_LARGE: 500,
}
#: Text of an error frame, for answers that a message gets. "Forbidden" and "Internal server error"
#: are captured, "Bad request body" is documented (developer guide, "Set up WebSocket API routes"),
#: "Too Many Requests" is assumed.
_FRAME_TEXT: Final = {
    **dict.fromkeys(
        (Answer.THROTTLED_METHOD, Answer.THROTTLED_STAGE, Answer.THROTTLED_ACCOUNT),
        "Too Many Requests",
    ),
    Answer.NO_ROUTE: "Forbidden",
    Answer.INVALID_BODY: "Bad request body",
    **dict.fromkeys(
        (
            *_FRAME_STATUS,
            Answer.FUNCTION_THROTTLED,
            Answer.TARGET_DOWN,
            Answer.TARGET_UNREACHABLE,
            Answer.ANSWER_TOO_LARGE,
        ),
        "Internal server error",
    ),
}


def _frame(message: str) -> str:
    """An error frame as clients have seen it; both identities are as long as real ones."""
    return (
        f'{{"message": "{message}", "connectionId":"L0SM9cOFvHcCIhw=",'
        ' "requestId":"L0SNGdnUvHcFV_g="}'
    )


def _on_websocket(answer: Answer, facts: AnswerFacts) -> AnswerFacts:
    text = _FRAME_TEXT.get(answer)
    body = facts.rest_body if text is None else _frame(text)
    status = _FRAME_STATUS.get(answer, facts.rest)
    return facts._replace(websocket=status, websocket_body=body)


#: Facts by :class:`Answer`, those of WebSocket APIs with them.
ANSWERS: Final[dict[Answer, AnswerFacts]] = {
    answer: _on_websocket(answer, facts) for answer, facts in (_CALLS | _SOCKETS).items()
}

#: Answer of each throttle level, by the kind of its bucket.
LEVEL_ANSWERS: Final = (
    Answer.THROTTLED_METHOD,
    Answer.THROTTLED_STAGE,
    Answer.THROTTLED_ACCOUNT,
    Answer.THROTTLED_CONNECTIONS,
)
_FIRST_LEVEL: Final = constant(LEVEL_ANSWERS[0])
_CONNECTIONS_KIND: Final = constant(3)
_CONNECTIONS: Final = constant(LEVEL_ANSWERS[3])


@inline
def level_answer(kind: int) -> int:
    """Answer to a request that a bucket of this kind refused; ``LEVEL_ANSWERS`` for kernels."""
    return _CONNECTIONS if kind == _CONNECTIONS_KIND else _FIRST_LEVEL + kind


#: Types of APIs by their number in tables.
API_TYPES: Final = ("rest", "http", "websocket")


def body_table() -> NDArray[np.int64]:
    """Default body lengths [bytes] as ``[api type, answer]``, types as in ``API_TYPES``."""
    bodies = [
        (facts.rest_body, facts.http_body, facts.websocket_body) for facts in ANSWERS.values()
    ]
    return np.array([[len(body) for body in row] for row in zip(*bodies, strict=True)], np.int64)


def status_table(
    *,
    http_timeout_status: int = 503,
    lambda_throttle_status_http: int = 500,
    header_limit_status: int = 431,
    preflight_status: int = 200,
    service_throttle_status: int = 400,
) -> NDArray[np.int64]:
    """Status codes as ``[api type, answer]``, types as in ``API_TYPES``."""
    table = np.array(
        [[getattr(facts, kind) for facts in ANSWERS.values()] for kind in API_TYPES], np.int64
    )
    table[0, [Answer.PREFLIGHT, Answer.PREFLIGHT_FAILED]] = preflight_status
    table[1, Answer.TIMEOUT] = http_timeout_status
    table[1, Answer.FUNCTION_THROTTLED] = lambda_throttle_status_http
    table[:, Answer.HEADERS_TOO_LARGE] = header_limit_status
    table[[0, 2], Answer.SERVICE_THROTTLED] = service_throttle_status
    return table
