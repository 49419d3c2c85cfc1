"""What an answer looks like from outside: its headers of interest and the metrics that count it.

REST APIs put an error type into answers the gateway makes itself, and both types the identity of
the request, under names of their own. None of AWS's 429s says when to try again or what the limit
is; the chapter's do, and ``settings.rate_limit_headers`` is that choice. Metrics are CloudWatch's
(developer guide, "Amazon API Gateway dimensions and metrics", "Monitor HTTP APIs with CloudWatch
metrics"): what a client sees as 4XX or 5XX is counted whoever answered. Assumed, because AWS does
not say: a request that was refused early has a ``Latency`` like any other.
"""

from collections.abc import Iterator
from typing import Final

from apisim.gateway.status import ANSWERS, Answer

__all__ = ["ERROR_TYPES", "RATE_LIMIT_HEADERS", "answer_headers", "answer_metrics"]

#: ``x-amzn-ErrorType`` of a REST API's own answers, as far as captures or AWS's pages show it.
ERROR_TYPES: Final[dict[Answer, str]] = {
    **dict.fromkeys(
        (
            Answer.THROTTLED_METHOD,
            Answer.THROTTLED_STAGE,
            Answer.THROTTLED_ACCOUNT,
            Answer.THROTTLED_PLAN,
        ),
        "TooManyRequestsException",
    ),
    Answer.QUOTA_EXCEEDED: "LimitExceededException",
    Answer.NO_KEY: "ForbiddenException",
    Answer.WAF_BLOCKED: "ForbiddenException",
    Answer.DENIED: "AccessDeniedException",
    Answer.IMPLICITLY_DENIED: "AccessDeniedException",
    Answer.IAM_DENIED: "AccessDeniedException",
    Answer.POLICY_DENIED: "AccessDeniedException",
    Answer.POLICY_SILENT: "AccessDeniedException",
    Answer.NO_ROUTE: "MissingAuthenticationTokenException",
    Answer.IAM_MISSING: "MissingAuthenticationTokenException",
    Answer.BAD_SIGNATURE: "InvalidSignatureException",
    Answer.NO_IDENTITY: "UnauthorizedException",
    Answer.TOKEN_INVALID: "UnauthorizedException",
    Answer.TOKEN_EXPIRED: "UnauthorizedException",
    Answer.SCOPE_MISSING_COGNITO: "UnauthorizedException",
    Answer.UNAUTHORIZED_BY_FUNCTION: "UnauthorizedException",
    Answer.MISSING_PARAMETERS: "BadRequestException",
    Answer.INVALID_BODY: "BadRequestException",
    Answer.FUNCTION_ERROR: "InternalServerErrorException",
    Answer.FUNCTION_MALFORMED: "InternalServerErrorException",
    Answer.FUNCTION_THROTTLED: "InternalServerErrorException",
    Answer.TARGET_UNREACHABLE: "InternalServerErrorException",
    Answer.FUNCTION_ANSWER_TOO_LARGE: "InternalServerErrorException",
    Answer.FUNCTION_REQUEST_TOO_LARGE: "BadRequestException",
    Answer.ANSWER_TOO_LARGE: "InternalServerErrorException",
}
#: What the chapter's 429 says beyond AWS's.
RATE_LIMIT_HEADERS: Final = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "Retry-After")

_IDENTITY: Final = {
    "rest": ("x-amzn-RequestId", "x-amz-apigw-id"),
    "http": ("apigw-requestid",),
    "websocket": ("x-amzn-RequestId",),
}
_ERROR_METRICS: Final = {"rest": ("4XXError", "5XXError"), "http": ("4xx", "5xx")}
#: Answers that come from the integration, or from waiting for it.
_INTEGRATION: Final = frozenset(
    {
        Answer.SERVED,
        Answer.TIMEOUT,
        Answer.FUNCTION_ERROR,
        Answer.FUNCTION_MALFORMED,
        Answer.FUNCTION_ERROR_AS_200,
        Answer.FUNCTION_ERROR_AS_400,
        Answer.FUNCTION_ERROR_AS_500,
        Answer.FUNCTION_THROTTLED,
        Answer.ENDPOINT_ERROR,
        Answer.ENDPOINT_FULL,
        Answer.SERVICE_THROTTLED,
        Answer.SERVICE_ERROR,
        Answer.TARGET_DOWN,
        Answer.TARGET_UNREACHABLE,
        Answer.FUNCTION_ANSWER_TOO_LARGE,
        Answer.FUNCTION_REQUEST_TOO_LARGE,
        Answer.ANSWER_TOO_LARGE,
        Answer.EVENT_ACCEPTED,
        Answer.CORS_BLOCKED,
    }
)
#: Answers of WebSocket APIs over HTTP: to an upgrade, or to a push. Others are frames, or the end
#: of a connection, and have no headers; those that may be either are counted among them.
_OVER_HTTP: Final = frozenset(
    {
        Answer.CONNECTED,
        Answer.THROTTLED_CONNECTIONS,
        Answer.CONNECTION_GONE,
        Answer.SENT,
        Answer.UNAVAILABLE,
        Answer.NO_IDENTITY,
        Answer.DENIED,
        Answer.IMPLICITLY_DENIED,
        Answer.AUTHORIZER_FAILED,
        Answer.UNAUTHORIZED_BY_FUNCTION,
        Answer.IAM_MISSING,
        Answer.IAM_DENIED,
        Answer.BAD_SIGNATURE,
        Answer.SIGNATURE_EXPIRED,
        Answer.NO_KEY,
        Answer.THROTTLED_PLAN,
        Answer.QUOTA_EXCEEDED,
        Answer.URL_TOO_LONG,
        Answer.TOO_LARGE,
    }
)
#: Calls that no API saw: a connection that never stood, a token that was never had, a path of a
#: domain that leads to no stage.
_NEVER_ARRIVED: Final = frozenset({Answer.MTLS_FAILED, Answer.SIGN_IN_THROTTLED, Answer.NO_MAPPING})


def answer_headers(
    answer: Answer, api_type: str, *, rate_limit_headers: bool = False
) -> tuple[str, ...]:
    """Headers of interest of an answer, in order.

    Parameters
    ----------
    answer : Answer
    api_type : {"rest", "http", "websocket"}
    rate_limit_headers : bool
        Whether 429s say the limit, what is left of it and when to try again.

    Examples
    --------
    >>> answer_headers(Answer.QUOTA_EXCEEDED, "rest")
    ('x-amzn-RequestId', 'x-amz-apigw-id', 'x-amzn-ErrorType: LimitExceededException')
    """
    if answer in _NEVER_ARRIVED or (api_type == "websocket" and answer not in _OVER_HTTP):
        return ()
    headers = list(_IDENTITY[api_type])
    if api_type == "rest" and answer in ERROR_TYPES:
        headers.append(f"x-amzn-ErrorType: {ERROR_TYPES[answer]}")
    if rate_limit_headers and ANSWERS[answer].rest == 429:
        headers += RATE_LIMIT_HEADERS
    return tuple(headers)


def answer_metrics(
    answer: Answer, api_type: str, status: int, *, cache: str = "none"
) -> tuple[str, ...]:
    """CloudWatch metrics that a request with this answer is counted in, in order.

    Parameters
    ----------
    answer : Answer
    api_type : {"rest", "http"}
    status : int
        As the client has it.
    cache : {"none", "hit", "miss"}
        What the response cache said.

    Examples
    --------
    >>> answer_metrics(Answer.TIMEOUT, "rest", 504)
    ('Count', '5XXError', 'Latency', 'IntegrationLatency')
    """
    return tuple(_metrics(answer, api_type, status, cache))


def _metrics(answer: Answer, api_type: str, status: int, cache: str) -> Iterator[str]:
    if answer in _NEVER_ARRIVED:
        return
    yield "Count"
    if 400 <= status < 600:
        yield _ERROR_METRICS[api_type][status // 100 - 4]
    if cache != "none" and api_type == "rest":
        yield "CacheHitCount" if cache == "hit" else "CacheMissCount"
    yield "Latency"
    if answer in _INTEGRATION:
        yield "IntegrationLatency"
    if api_type == "http":
        yield "DataProcessed"
