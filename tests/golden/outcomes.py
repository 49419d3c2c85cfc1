"""One tiny scenario for each way a request can end on each type of API.

Each is the smallest change to one plain scenario that brings the answer about; the columns that
follow are what a caller, the bill and CloudWatch make of it.
"""

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from apisim.gateway.status import Answer
from apisim.scenario import Scenario, loads

__all__ = ["CASES", "EXPECTED", "Case"]

_LOG: Final = "timestamp_s,client,method,path,status,bytes\n0,c,GET,/nowhere,200,5\n"
_FUNCTIONS: Final[dict[str, Any]] = {"f": {"duration": "5ms"}, "check": {"duration": "5ms"}}
_NONE: Final = {"rate_limit": 0, "burst_limit": 0}
_PEOPLE: Final = {"count": 2, "users_each": 2}
_TOKEN: Final = {"header.authorization": {"uniform": 3}}


@dataclass(frozen=True)
class Case:
    """A scenario in which one answer is certain to occur.

    Parameters
    ----------
    answer : Answer
        The answer it is about.
    types : tuple of str
        Types of APIs that can give it.
    api, stage, route, source, authorizer : dict
        What is added to the API, its stage, its route, the source, and the route's authorizer.
    top : dict
        What is added to the scenario itself.
    """

    answer: Answer
    types: tuple[str, ...] = ("rest", "http")
    api: dict[str, Any] = field(default_factory=dict)
    stage: dict[str, Any] = field(default_factory=dict)
    route: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    authorizer: dict[str, Any] = field(default_factory=dict)
    top: dict[str, Any] = field(default_factory=dict)

    def scenario(self, api_type: str, profile: str, folder: Path) -> Scenario:
        """The scenario for one type of API."""
        route = {"integration": {"type": "lambda_proxy", "function": "f"}, **self.route}
        if self.authorizer:
            route["authorizer"] = "auth"
        api: dict[str, Any] = {"type": api_type, "routes": {"GET /x": route}, **self.api}
        if self.stage:
            api["stage"] = self.stage
        source: dict[str, Any] = {
            "arrivals": "uniform",
            "offset": 0,
            "phases": [{"duration": "1s", "rate": 40}],
            "mix": {"GET /x": 1},
        }
        if "trace" in self.source:
            source = {}
        data: dict[str, Any] = {
            "apisim": 1,
            "profile": profile,
            "apis": {"a": api},
            "functions": copy.deepcopy(_FUNCTIONS),
            "traffic": {"web": {**source, **self.source}},
            # The chapter's book charges everything; whether AWS does is what is asked here.
            "pricing": {"book": "aws-us-east-1"},
        }
        if self.authorizer:
            data["authorizers"] = {"auth": self.authorizer}
        for key, value in self.top.items():
            data[key] = {**data.get(key, {}), **value} if isinstance(value, dict) else value
        (folder / "log.csv").write_text(_LOG)
        return loads(yaml.safe_dump(data, sort_keys=False), base=folder)


def _lambda(**more: Any) -> dict[str, Any]:
    return {"type": "request", "function": "check", **more}


def _endpoint(**spec: Any) -> dict[str, Any]:
    return {"endpoints": {"e": {"servers": 1, "service_time": "1ms", **spec}}}


def _queue(**spec: Any) -> dict[str, Any]:
    return {"services": {"q": {"type": "sqs", "latency": "1ms", **spec}}}


def _cors(origin: str) -> dict[str, Any]:
    return {"cors": {"allow_origins": [origin], "allow_headers": ["x-client"]}}


_PAGE: Final = {"origin": "https://app.example.com"}
_ASKS: Final = {"browser": {**_PAGE, "headers": ["x-client"]}}
_HTTP_PROXY: Final = {"integration": {"type": "http_proxy", "endpoint": "e"}}
_DOWN: Final = [{"at": 0, "for": "10s"}]
_SERVICE: Final = {"integration": {"type": "aws_service", "service": "q"}}
_CACHED: Final = {"cache": {"keys": []}}
_IAM: Final = {"type": "iam"}
_REST: Final = ("rest",)

CASES: Final = (
    Case(Answer.SERVED),
    Case(Answer.CACHE_HIT, _REST, stage={"cache_cluster_size": "0.5"}, route=_CACHED),
    Case(Answer.THROTTLED_METHOD, route={"throttle": _NONE}),
    Case(Answer.THROTTLED_STAGE, stage={"throttle": _NONE}),
    Case(Answer.THROTTLED_ACCOUNT, top={"account": {"throttle": _NONE}}),
    Case(
        Answer.THROTTLED_PLAN,
        _REST,
        route={"api_key_required": True},
        source={"api_key": "k"},
        top={"usage_plans": {"p": {"throttle": _NONE, "api_keys": ["k"], "api_stages": {"a": {}}}}},
    ),
    Case(
        Answer.QUOTA_EXCEEDED,
        _REST,
        route={"api_key_required": True},
        source={"api_key": "k"},
        top={
            "usage_plans": {
                "p": {
                    "quota": {"limit": 1, "period": "day"},
                    "api_keys": ["k"],
                    "api_stages": {"a": {}},
                }
            }
        },
    ),
    Case(Answer.NO_KEY, _REST, route={"api_key_required": True}),
    Case(Answer.NO_IDENTITY, authorizer=_lambda(ttl="60s")),
    Case(Answer.DENIED, authorizer=_lambda(deny_identities="100%"), source={"values": _TOKEN}),
    Case(
        Answer.IMPLICITLY_DENIED,
        authorizer=_lambda(silent_identities="100%"),
        source={"values": _TOKEN},
    ),
    Case(
        Answer.UNAUTHORIZED_BY_FUNCTION,
        authorizer=_lambda(unauthorized="100%"),
        source={"values": _TOKEN},
    ),
    Case(
        Answer.AUTHORIZER_FAILED,
        authorizer=_lambda(),
        source={"values": _TOKEN},
        top={"functions": {"check": {"duration": "5ms", "errors": "100%"}}},
    ),
    Case(Answer.NO_ROUTE, source={"trace": {"file": "log.csv"}}),
    Case(
        Answer.NO_MAPPING,
        source={"trace": {"file": "log.csv", "domain": "api.example.com"}},
        top={"domains": {"api.example.com": {"mappings": {"v1": "a"}}}},
    ),
    Case(
        Answer.TIMEOUT,
        route={"integration": {"type": "lambda_proxy", "function": "f", "timeout": "50ms"}},
        top={"functions": {"f": {"duration": "90ms"}}},
    ),
    Case(Answer.FUNCTION_ERROR, top={"functions": {"f": {"duration": "5ms", "errors": "100%"}}}),
    Case(
        Answer.FUNCTION_MALFORMED,
        top={"functions": {"f": {"duration": "5ms", "malformed": "100%"}}},
    ),
    *(
        Case(
            answer,
            _REST,
            route={"integration": {"type": "lambda", "function": "f", "error_status": status}},
            top={"functions": {"f": {"duration": "5ms", "errors": "100%"}}},
        )
        for status, answer in (
            (200, Answer.FUNCTION_ERROR_AS_200),
            (400, Answer.FUNCTION_ERROR_AS_400),
            (500, Answer.FUNCTION_ERROR_AS_500),
        )
    ),
    Case(
        Answer.FUNCTION_THROTTLED,
        top={"functions": {"f": {"duration": "5ms", "reserved_concurrency": 0}}},
    ),
    Case(Answer.ENDPOINT_ERROR, route=_HTTP_PROXY, top=_endpoint(errors="100%")),
    Case(
        Answer.ENDPOINT_FULL,
        route=_HTTP_PROXY,
        top=_endpoint(service_time="900ms", queue_limit=0),
    ),
    Case(Answer.TARGET_DOWN, route=_HTTP_PROXY, top=_endpoint(behind="alb", outages=_DOWN)),
    Case(Answer.TARGET_UNREACHABLE, route=_HTTP_PROXY, top=_endpoint(behind="nlb", outages=_DOWN)),
    Case(Answer.SERVICE_THROTTLED, route=_SERVICE, top=_queue(limit=_NONE)),
    Case(Answer.SERVICE_ERROR, route=_SERVICE, top=_queue(errors="100%")),
    Case(
        Answer.EVENT_ACCEPTED,
        _REST,
        route={"integration": {"type": "lambda", "function": "f", "invocation": "event"}},
    ),
    Case(Answer.FUNCTION_ANSWER_TOO_LARGE, route={"response_size": "7MB"}),
    Case(Answer.FUNCTION_REQUEST_TOO_LARGE, route={"request_size": "7MB"}),
    Case(
        Answer.ANSWER_TOO_LARGE,
        route={**_HTTP_PROXY, "response_size": "11MB"},
        top=_endpoint(),
    ),
    Case(
        Answer.CACHED_ERROR,
        _REST,
        stage={"cache_cluster_size": "0.5"},
        route={**_HTTP_PROXY, **_CACHED},
        top={**_endpoint(errors="100%"), "settings": {"cache_statuses": "all"}},
    ),
    Case(Answer.WAF_BLOCKED, _REST, stage={"waf": {"rules": 1, "block": "100%"}}),
    Case(
        Answer.POLICY_DENIED,
        _REST,
        api={"resource_policy": [{"effect": "deny", "source_ip": ["203.0.113.0/24"]}]},
        source={"source_ip": "203.0.113.7"},
    ),
    Case(
        Answer.POLICY_SILENT,
        _REST,
        api={"resource_policy": [{"effect": "allow", "source_ip": ["198.51.100.0/24"]}]},
        source={"source_ip": "203.0.113.7"},
    ),
    Case(Answer.PRIVATE_REFUSED, _REST, api={"endpoint": "private"}),
    Case(Answer.MTLS_FAILED, api={"mutual_tls": {"invalid_certificates": "100%"}}),
    Case(Answer.IAM_MISSING, authorizer=_IAM, source={"credentials": {"missing": "100%"}}),
    Case(Answer.BAD_SIGNATURE, authorizer=_IAM, source={"credentials": {"bad_signature": "100%"}}),
    Case(Answer.SIGNATURE_EXPIRED, authorizer=_IAM, source={"credentials": {"clock_skew": "6m"}}),
    Case(Answer.IAM_DENIED, authorizer=_IAM, source={"credentials": {"policy": "silent"}}),
    Case(
        Answer.TOKEN_INVALID,
        authorizer={"type": "jwt", "invalid_tokens": "100%"},
        source={"values": _TOKEN},
    ),
    Case(
        Answer.TOKEN_EXPIRED,
        authorizer={"type": "jwt"},
        source={"of": "people", "phases": [{"duration": "4s", "rate": 20}]},
        top={
            "populations": {"people": {**_PEOPLE, "token_lifetime": "1s", "never_refresh": "100%"}}
        },
    ),
    Case(
        Answer.SCOPE_MISSING,
        authorizer={"type": "jwt"},
        route={"scopes": ["write"]},
        source={"values": _TOKEN, "scopes": "read"},
    ),
    Case(
        Answer.SCOPE_MISSING_COGNITO,
        _REST,
        authorizer={"type": "cognito"},
        route={"scopes": ["write"]},
        source={"values": _TOKEN, "scopes": "read"},
    ),
    Case(
        Answer.SIGN_IN_THROTTLED,
        authorizer={"type": "jwt"},
        source={"of": "people"},
        top={"populations": {"people": {**_PEOPLE, "token_lifetime": "1s", "sign_in_quota": 0}}},
    ),
    Case(Answer.MISSING_PARAMETERS, _REST, route={"validate": {"parameters": ["querystring.id"]}}),
    Case(
        Answer.INVALID_BODY,
        _REST,
        route={"validate": {"body": {"schema": {"type": "object"}}}},
        source={"bodies": {"GET /x": [{"json": [1]}]}},
    ),
    Case(Answer.TOO_LARGE, route={"request_size": "11MB"}),
    Case(Answer.URL_TOO_LONG, source={"url_size": "11KB"}),
    Case(Answer.HEADERS_TOO_LARGE, source={"header_size": "11KB"}),
    Case(
        Answer.INVALIDATION_REFUSED,
        _REST,
        stage={"cache_cluster_size": "0.5"},
        route={"cache": {"keys": [], "invalidation": {"unauthorized": "fail_with_403"}}},
        source={"invalidate": "100%"},
    ),
    Case(Answer.PREFLIGHT, api=_cors("https://app.example.com"), source=_ASKS),
    Case(Answer.PREFLIGHT_FAILED, api=_cors("https://other.example.com"), source=_ASKS),
    Case(Answer.CORS_BLOCKED, source={"browser": _PAGE}),
)

#: Answer, type of API: status, body, header of interest, billed, CloudWatch. One line each, as
#: read in the sources that ``gateway/status`` and ``gateway/replies`` name; "-" is nothing.
EXPECTED: Final = """
SERVED                   rest 200 backend  -                                   billed Count Latency IntegrationLatency
SERVED                   http 200 backend  -                                   billed Count Latency IntegrationLatency DataProcessed
CACHE_HIT                rest 200 cached   -                                   billed Count Latency
THROTTLED_METHOD         rest 429 json     TooManyRequestsException            free   Count 4XXError Latency
THROTTLED_METHOD         http 429 json     -                                   free   Count 4xx Latency DataProcessed
THROTTLED_STAGE          rest 429 json     TooManyRequestsException            free   Count 4XXError Latency
THROTTLED_STAGE          http 429 json     -                                   free   Count 4xx Latency DataProcessed
THROTTLED_ACCOUNT        rest 429 json     TooManyRequestsException            free   Count 4XXError Latency
THROTTLED_ACCOUNT        http 429 json     -                                   free   Count 4xx Latency DataProcessed
THROTTLED_PLAN           rest 429 json     TooManyRequestsException            free   Count 4XXError Latency
QUOTA_EXCEEDED           rest 429 json     LimitExceededException              free   Count 4XXError Latency
NO_KEY                   rest 403 json     ForbiddenException                  free   Count 4XXError Latency
NO_IDENTITY              rest 401 json     UnauthorizedException               free   Count 4XXError Latency
NO_IDENTITY              http 401 json     -                                   free   Count 4xx Latency DataProcessed
DENIED                   rest 403 json     AccessDeniedException               free   Count 4XXError Latency
DENIED                   http 403 json     -                                   free   Count 4xx Latency DataProcessed
IMPLICITLY_DENIED        rest 403 json     AccessDeniedException               free   Count 4XXError Latency
IMPLICITLY_DENIED        http 403 json     -                                   free   Count 4xx Latency DataProcessed
UNAUTHORIZED_BY_FUNCTION rest 401 json     UnauthorizedException               free   Count 4XXError Latency
UNAUTHORIZED_BY_FUNCTION http 500 json     -                                   billed Count 5xx Latency DataProcessed
AUTHORIZER_FAILED        rest 500 json     -                                   billed Count 5XXError Latency
AUTHORIZER_FAILED        http 500 json     -                                   billed Count 5xx Latency DataProcessed
NO_ROUTE                 rest 403 json     MissingAuthenticationTokenException billed Count 4XXError Latency
NO_ROUTE                 http 404 json     -                                   billed Count 4xx Latency DataProcessed
NO_MAPPING               rest 403 json     -                                   free   -
NO_MAPPING               http 403 json     -                                   free   -
TIMEOUT                  rest 504 json     -                                   billed Count 5XXError Latency IntegrationLatency
TIMEOUT                  http 503 json     -                                   billed Count 5xx Latency IntegrationLatency DataProcessed
FUNCTION_ERROR           rest 502 json     InternalServerErrorException        billed Count 5XXError Latency IntegrationLatency
FUNCTION_ERROR           http 500 json     -                                   billed Count 5xx Latency IntegrationLatency DataProcessed
FUNCTION_MALFORMED       rest 502 json     InternalServerErrorException        billed Count 5XXError Latency IntegrationLatency
FUNCTION_MALFORMED       http 500 json     -                                   billed Count 5xx Latency IntegrationLatency DataProcessed
FUNCTION_ERROR_AS_200    rest 200 backend  -                                   billed Count Latency IntegrationLatency
FUNCTION_ERROR_AS_400    rest 400 backend  -                                   billed Count 4XXError Latency IntegrationLatency
FUNCTION_ERROR_AS_500    rest 500 backend  -                                   billed Count 5XXError Latency IntegrationLatency
FUNCTION_THROTTLED       rest 500 json     InternalServerErrorException        billed Count 5XXError Latency IntegrationLatency
FUNCTION_THROTTLED       http 500 json     -                                   billed Count 5xx Latency IntegrationLatency DataProcessed
ENDPOINT_ERROR           rest 500 backend  -                                   billed Count 5XXError Latency IntegrationLatency
ENDPOINT_ERROR           http 500 backend  -                                   billed Count 5xx Latency IntegrationLatency DataProcessed
ENDPOINT_FULL            rest 503 backend  -                                   billed Count 5XXError Latency IntegrationLatency
ENDPOINT_FULL            http 503 backend  -                                   billed Count 5xx Latency IntegrationLatency DataProcessed
TARGET_DOWN              rest 502 backend  -                                   billed Count 5XXError Latency IntegrationLatency
TARGET_DOWN              http 502 backend  -                                   billed Count 5xx Latency IntegrationLatency DataProcessed
TARGET_UNREACHABLE       rest 500 json     InternalServerErrorException        billed Count 5XXError Latency IntegrationLatency
TARGET_UNREACHABLE       http 503 json     -                                   billed Count 5xx Latency IntegrationLatency DataProcessed
SERVICE_THROTTLED        rest 400 backend  -                                   billed Count 4XXError Latency IntegrationLatency
SERVICE_THROTTLED        http 400 backend  -                                   billed Count 4xx Latency IntegrationLatency DataProcessed
SERVICE_ERROR            rest 500 backend  -                                   billed Count 5XXError Latency IntegrationLatency
SERVICE_ERROR            http 500 backend  -                                   billed Count 5xx Latency IntegrationLatency DataProcessed
FUNCTION_ANSWER_TOO_LARGE rest 502 json    InternalServerErrorException        billed Count 5XXError Latency IntegrationLatency
FUNCTION_ANSWER_TOO_LARGE http 500 json    -                                   billed Count 5xx Latency IntegrationLatency DataProcessed
FUNCTION_REQUEST_TOO_LARGE rest 413 json   BadRequestException                 billed Count 4XXError Latency IntegrationLatency
FUNCTION_REQUEST_TOO_LARGE http 413 json   -                                   billed Count 4xx Latency IntegrationLatency DataProcessed
ANSWER_TOO_LARGE         rest 500 json     InternalServerErrorException        billed Count 5XXError Latency IntegrationLatency
ANSWER_TOO_LARGE         http 500 json     -                                   billed Count 5xx Latency IntegrationLatency DataProcessed
EVENT_ACCEPTED           rest 202 backend  -                                   billed Count Latency IntegrationLatency
CACHED_ERROR             rest 500 cached   -                                   billed Count 5XXError Latency
WAF_BLOCKED              rest 403 json     ForbiddenException                  free   Count 4XXError Latency
POLICY_DENIED            rest 403 json     AccessDeniedException               free   Count 4XXError Latency
POLICY_SILENT            rest 403 json     AccessDeniedException               free   Count 4XXError Latency
PRIVATE_REFUSED          rest 403 json     -                                   free   Count 4XXError Latency
MTLS_FAILED              rest 403 json     -                                   free   -
MTLS_FAILED              http 403 json     -                                   free   -
IAM_MISSING              rest 403 json     MissingAuthenticationTokenException free   Count 4XXError Latency
IAM_MISSING              http 403 json     -                                   free   Count 4xx Latency DataProcessed
BAD_SIGNATURE            rest 403 json     InvalidSignatureException           free   Count 4XXError Latency
BAD_SIGNATURE            http 403 json     -                                   free   Count 4xx Latency DataProcessed
SIGNATURE_EXPIRED        rest 403 json     -                                   free   Count 4XXError Latency
SIGNATURE_EXPIRED        http 403 json     -                                   free   Count 4xx Latency DataProcessed
IAM_DENIED               rest 403 json     AccessDeniedException               free   Count 4XXError Latency
IAM_DENIED               http 403 json     -                                   free   Count 4xx Latency DataProcessed
TOKEN_INVALID            rest 401 json     UnauthorizedException               free   Count 4XXError Latency
TOKEN_INVALID            http 401 json     -                                   free   Count 4xx Latency DataProcessed
TOKEN_EXPIRED            rest 401 json     UnauthorizedException               free   Count 4XXError Latency
TOKEN_EXPIRED            http 401 json     -                                   free   Count 4xx Latency DataProcessed
SCOPE_MISSING            rest 403 json     -                                   free   Count 4XXError Latency
SCOPE_MISSING            http 403 json     -                                   free   Count 4xx Latency DataProcessed
SCOPE_MISSING_COGNITO    rest 401 json     UnauthorizedException               free   Count 4XXError Latency
SIGN_IN_THROTTLED        rest 400 nothing  -                                   free   -
SIGN_IN_THROTTLED        http 400 nothing  -                                   free   -
MISSING_PARAMETERS       rest 400 json     BadRequestException                 billed Count 4XXError Latency
INVALID_BODY             rest 400 json     BadRequestException                 billed Count 4XXError Latency
TOO_LARGE                rest 413 json     -                                   billed Count 4XXError Latency
TOO_LARGE                http 413 json     -                                   billed Count 4xx Latency DataProcessed
URL_TOO_LONG             rest 414 nothing  -                                   billed Count 4XXError Latency
URL_TOO_LONG             http 414 nothing  -                                   billed Count 4xx Latency DataProcessed
HEADERS_TOO_LARGE        rest 431 nothing  -                                   billed Count 4XXError Latency
HEADERS_TOO_LARGE        http 431 nothing  -                                   billed Count 4xx Latency DataProcessed
INVALIDATION_REFUSED     rest 403 json     -                                   free   Count 4XXError Latency
PREFLIGHT                rest 200 nothing  -                                   billed Count Latency
PREFLIGHT                http 204 nothing  -                                   billed Count Latency DataProcessed
PREFLIGHT_FAILED         rest 200 nothing  -                                   billed Count Latency
PREFLIGHT_FAILED         http 204 nothing  -                                   billed Count Latency DataProcessed
CORS_BLOCKED             rest 200 backend  -                                   billed Count Latency IntegrationLatency
CORS_BLOCKED             http 200 backend  -                                   billed Count Latency IntegrationLatency DataProcessed
"""  # noqa: E501
