"""Access logs: what a line says of a request, and how long it is without being written.

A format's variables are of three kinds. What is known of a call before it is made (its method, its
route, its stage) and what its answer says (status, error) are *text*, once for each cell and
answer. What only the request knows is one of a few *numbers*: times in whole milliseconds, begun
ones not counted, and sizes. What the simulation has no value of but AWS always does (an id, an
address) is a *slot* of stated length. So a line is as long as its text for that answer, and its
numbers' digits: :func:`line_bytes` adds them up, :func:`render` writes the line.

A line has no line feed: CloudWatch Logs keeps events, not files. What AWS does not know prints
``-``, and so does what the simulation does not follow: a caller's identity, the error message of an
integration, the times of single gates other than the authorizer's function.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.digits import digits
from apisim.arrays.jit import kernel
from apisim.gateway.status import ANSWERS, Answer, AnswerFacts
from apisim.scenario.access_log import pieces

__all__ = [
    "LINE_DTYPE",
    "NOT_LOGGED",
    "NUMBERS",
    "SLOTS",
    "UNKNOWN",
    "LoggedCall",
    "line_bytes",
    "lower_line",
    "render",
]

#: What stands for a value that is not known.
UNKNOWN: Final = "-"
#: Length of what the simulation has no value of: ids as they are published, an address as long as
#: the mean one of all IPv4 addresses, a user agent as long as a command's.
SLOTS: Final = {
    "accountId": 12,
    "apiId": 10,
    "awsEndpointRequestId": 36,
    "connectedAt": 13,
    "connectionId": 16,
    "deploymentId": 6,
    "domainPrefix": 10,
    "extendedRequestId": 16,
    "identity.sourceIp": 13,
    "identity.userAgent": 11,
    "integration.requestId": 36,
    "messageId": 16,
    "requestId": 36,
    "requestTime": 26,
    "requestTimeEpoch": 13,
    "resourceId": 6,
    "xrayTraceId": 35,
}
#: Ids of HTTP and WebSocket APIs are as short as extended ones.
_SHORT_ID: Final = 16
#: Numbers of a request, by variable.
NUMBERS: Final = {
    "responseLength": "response",
    "dataProcessed": "processed",
    "responseLatency": "latency",
    "integrationLatency": "integration",
    "integration.latency": "integration",
    "authorizer.latency": "authorizer",
    "authorizer.integrationLatency": "authorizer",
}
#: Text where an authorizer's function was called, ``-`` where not.
_OF_AUTHORIZER: Final = {
    "authorizer.status": 3,
    "authorizer.integrationStatus": 3,
    "authorizer.requestId": 36,
}
#: Only where the integration answered.
_OF_INTEGRATION: Final = ("integration.requestId", "awsEndpointRequestId")
_STATUSES: Final = (
    "integration.status",
    "integration.integrationStatus",
    "integrationStatus",
)
_EVENTS: Final = {"$connect": "CONNECT", "$disconnect": "DISCONNECT"}

#: One row for each cell; counts of what the text for an answer does not have in it.
LINE_DTYPE: Final = np.dtype(
    [
        ("lines", "i8"),  # of each request; a canary's are logged twice
        ("response", "i8"),  # how often each number occurs
        ("processed", "i8"),
        ("latency", "i8"),
        ("integration", "i8"),
        ("authorizer", "i8"),
        ("authorizer_bytes", "i8"),  # more where an authorizer's function was called
        ("bodies", "i8"),  # 1: an execution log has bodies in it
    ],
    align=True,
)

#: Answers that leave no line: the stage was not known yet, what was sent never got to a route, or
#: the gateway has no response type of its own for it (developer guide, "Gateway response types").
NOT_LOGGED: Final = frozenset(
    {
        Answer.SIGN_IN_THROTTLED,
        Answer.MTLS_FAILED,
        Answer.NO_MAPPING,
        Answer.PRIVATE_REFUSED,
        Answer.URL_TOO_LONG,
        Answer.HEADERS_TOO_LARGE,
        Answer.UNAVAILABLE,
        Answer.CONNECTION_GONE,
        Answer.FRAME_TOO_LARGE,
        Answer.BINARY_FRAME,
        Answer.SENT,
    }
)
#: What a backend answered, where it did.
_INTEGRATION_STATUS: Final = {
    Answer.SERVED: 200,
    Answer.CONNECTED: 200,
    Answer.CORS_BLOCKED: 200,
    Answer.EVENT_ACCEPTED: 202,
    # Lambda answers 200 for a function that failed.
    Answer.FUNCTION_ERROR: 200,
    Answer.FUNCTION_MALFORMED: 200,
    Answer.FUNCTION_ANSWER_TOO_LARGE: 200,
    Answer.FUNCTION_ERROR_AS_200: 200,
    Answer.FUNCTION_ERROR_AS_400: 200,
    Answer.FUNCTION_ERROR_AS_500: 200,
    Answer.ANSWER_TOO_LARGE: 200,
    Answer.FUNCTION_REQUEST_TOO_LARGE: 413,
    Answer.FUNCTION_THROTTLED: 429,
    Answer.SERVICE_THROTTLED: 400,
    Answer.SERVICE_ERROR: 500,
    Answer.ENDPOINT_ERROR: 500,
    Answer.ENDPOINT_FULL: 503,
    Answer.TARGET_DOWN: 502,
}
#: Type of the gateway's own answers (the closed list of gateway responses). That a function's
#: malformed answer is an error of configuration is assumed, as is what HTTP APIs say.
_RESPONSE_TYPES: Final = {
    "THROTTLED": (
        Answer.THROTTLED_METHOD,
        Answer.THROTTLED_STAGE,
        Answer.THROTTLED_ACCOUNT,
        Answer.THROTTLED_PLAN,
        Answer.THROTTLED_CONNECTIONS,
    ),
    "QUOTA_EXCEEDED": (Answer.QUOTA_EXCEEDED,),
    "INVALID_API_KEY": (Answer.NO_KEY,),
    "WAF_FILTERED": (Answer.WAF_BLOCKED,),
    "ACCESS_DENIED": (
        Answer.DENIED,
        Answer.POLICY_DENIED,
        Answer.POLICY_SILENT,
        Answer.IAM_DENIED,
        Answer.IMPLICITLY_DENIED,
        Answer.SCOPE_MISSING,
        Answer.INVALIDATION_REFUSED,
    ),
    "UNAUTHORIZED": (
        Answer.NO_IDENTITY,
        Answer.TOKEN_INVALID,
        Answer.TOKEN_EXPIRED,
        Answer.SCOPE_MISSING_COGNITO,
        Answer.UNAUTHORIZED_BY_FUNCTION,
    ),
    "AUTHORIZER_FAILURE": (Answer.AUTHORIZER_FAILED,),
    "MISSING_AUTHENTICATION_TOKEN": (Answer.NO_ROUTE, Answer.IAM_MISSING),
    "INVALID_SIGNATURE": (Answer.BAD_SIGNATURE,),
    "EXPIRED_TOKEN": (Answer.SIGNATURE_EXPIRED,),
    "BAD_REQUEST_PARAMETERS": (Answer.MISSING_PARAMETERS,),
    "BAD_REQUEST_BODY": (Answer.INVALID_BODY,),
    "REQUEST_TOO_LARGE": (Answer.TOO_LARGE, Answer.FUNCTION_REQUEST_TOO_LARGE),
    "INTEGRATION_TIMEOUT": (Answer.TIMEOUT,),
    "INTEGRATION_FAILURE": (
        Answer.FUNCTION_ERROR,
        Answer.FUNCTION_THROTTLED,
        Answer.TARGET_UNREACHABLE,
    ),
    "API_CONFIGURATION_ERROR": (
        Answer.FUNCTION_MALFORMED,
        Answer.FUNCTION_ANSWER_TOO_LARGE,
        Answer.ANSWER_TOO_LARGE,
    ),
}
_TYPE_OF: Final = {answer: kind for kind, answers in _RESPONSE_TYPES.items() for answer in answers}


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """What is known of a call before it is made.

    Attributes
    ----------
    format : str
        Of the access log.
    api_type : str
        ``rest``, ``http`` or ``websocket``.
    stage, region : str
        Where it goes.
    route : str
        Key of the route; empty where none matches.
    method : str
        Its own, also where the route takes any.
    statuses : tuple of int
        Status of each answer.
    is_canary : bool
        Whether the stage's other deployment has it.
    has_waf, is_traced : bool
        Whether the stage has a web ACL, or X-Ray.
    """

    format: str
    api_type: str
    stage: str
    region: str
    route: str
    method: str
    statuses: tuple[int, ...]
    is_canary: bool = False
    has_waf: bool = False
    is_traced: bool = False

    def text(self, variable: str, answer: Answer) -> str | None:
        """What stands for a variable; None: a number, or a slot (:meth:`slot`)."""
        if variable in NUMBERS or variable in _OF_AUTHORIZER or self.slot(variable, answer):
            return None
        return self._known().get(variable, "") or self._said(variable, answer)

    def slot(self, variable: str, answer: Answer) -> int:
        """Length of what the simulation has no value of [bytes]; 0: it has one, or prints ``-``."""
        if variable == "requestId" and self.api_type != "rest":
            return _SHORT_ID
        if variable in _OF_INTEGRATION and answer not in _INTEGRATION_STATUS:
            return 0
        if variable == "xrayTraceId" and not self.is_traced:
            return 0
        return SLOTS.get(variable, 0)

    def _known(self) -> dict[str, str]:
        path = self.route.partition(" ")[2]
        host = "0" * SLOTS["apiId"]
        stage = "" if self.stage == "$default" else f"/{self.stage}"
        return {
            "domainName": f"{host}.execute-api.{self.region}.amazonaws.com",
            "eventType": _EVENTS.get(self.route, "MESSAGE"),
            "httpMethod": self.method,
            "isCanaryRequest": str(self.is_canary).lower(),
            "messageDirection": "IN",
            "path": f"{stage}{path or '/'}",
            "protocol": "HTTP/1.1",
            "resourcePath": path,
            "routeKey": self.route,
            "stage": self.stage,
        }

    def _said(self, variable: str, answer: Answer) -> str:
        """What an answer says."""
        message = _message(ANSWERS[answer], self.api_type)
        if variable == "status":
            return str(self.statuses[answer])
        if variable in _STATUSES:
            return str(_INTEGRATION_STATUS.get(answer, UNKNOWN))
        if variable == "error.message":
            return message or UNKNOWN
        if variable == "error.messageString":
            return f'"{message}"' if message else UNKNOWN
        if variable == "error.responseType":
            return _TYPE_OF.get(answer, UNKNOWN)
        if variable == "waf.status" and self.has_waf:
            return "200"
        if variable == "wafResponseCode" and self.has_waf:
            return "WAF_BLOCK" if answer == Answer.WAF_BLOCKED else "WAF_ALLOW"
        return UNKNOWN


def _message(facts: AnswerFacts, api_type: str) -> str:
    """The message in the body of an answer that is the gateway's own."""
    body = getattr(facts, f"{api_type}_body")
    said = json.loads(body) if body else {}
    return str(said.get("message") or said.get("Message") or "")


def _fill(call: LoggedCall, answer: Answer) -> Iterator[tuple[str, str]]:
    """A line as pairs of text and of the variable behind it that is none."""
    for text, variable in pieces(call.format):
        said = call.text(variable, answer) if variable else ""
        yield (text, variable) if said is None else (text + said, "")


def lower_line(call: LoggedCall) -> tuple[np.void, NDArray[np.int64]]:
    """How long a call's lines are.

    Returns
    -------
    LINE_DTYPE record
        How often each number occurs.
    int64[n_answers]
        Bytes of all else (UTF-8) by answer; -1: there is no line.
    """
    line = np.zeros(1, LINE_DTYPE)
    line["lines"] = 2 if call.is_canary else 1
    for _, variable in pieces(call.format):
        if variable in NUMBERS:
            line[NUMBERS[variable]] += 1
        line["authorizer_bytes"] += max(_OF_AUTHORIZER.get(variable, 0) - len(UNKNOWN), 0)
    texts = np.full(len(Answer), -1, np.int64)
    for answer in Answer:
        if answer in NOT_LOGGED:
            continue
        texts[answer] = sum(
            len(text.encode())
            + call.slot(variable, answer)
            + len(UNKNOWN) * (variable in _OF_AUTHORIZER)
            for text, variable in _fill(call, answer)
        )
    return line[0], texts


def render(
    call: LoggedCall, answer: Answer, numbers: Mapping[str, int], slots: Mapping[str, str]
) -> str:
    """One line; empty where there is none.

    Parameters
    ----------
    call : LoggedCall
    answer : Answer
    numbers : mapping of str to int
        The numbers among the fields of :data:`LINE_DTYPE`: sizes [bytes] and times [ms]; a negative
        one is not known.
    slots : mapping of str to str
        What fills the slots, each as long as :meth:`LoggedCall.slot` says. Those left out, and an
        authorizer's status and id, are filled with zeros.
    """
    if answer in NOT_LOGGED:
        return ""
    words = []
    for text, variable in _fill(call, answer):
        words.append(text)
        if variable in NUMBERS:
            number = numbers[NUMBERS[variable]]
            words.append(str(number) if number >= 0 else UNKNOWN)
        elif variable in _OF_AUTHORIZER:
            known = numbers["authorizer"] >= 0
            words.append("0" * _OF_AUTHORIZER[variable] if known else UNKNOWN)
        elif variable:
            words.append(slots.get(variable, "0" * call.slot(variable, answer)))
    return "".join(words)


@kernel
def line_bytes(line: np.void, text: int, row: np.void) -> int:
    """Bytes that a request writes to its stage's access log.

    Parameters
    ----------
    line : LINE_DTYPE record
        Of the request's cell.
    text : int
        Bytes of all that is no number, of the request's answer; -1: there is no line.
    row : record with the sizes and times of REQUEST_DTYPE

    Returns
    -------
    int
        Bytes, of both lines where there are two.
    """
    if text < 0:
        return 0
    size = text
    if line["response"] > 0:
        size += line["response"] * digits(row["response_bytes"])
    if line["processed"] > 0:
        size += line["processed"] * digits(row["request_bytes"] + row["response_bytes"])
    if line["latency"] > 0:
        size += line["latency"] * digits(row["gateway_ns"] // 1_000_000)
    if line["integration"] > 0:
        size += line["integration"] * digits(max(row["integration_ns"], 0) // 1_000_000)
    if line["authorizer"] > 0:
        size += line["authorizer"] * digits(max(row["authorizer_ns"], 0) // 1_000_000)
    if row["authorizer_ns"] >= 0:
        size += line["authorizer_bytes"]
    return size * line["lines"]  # type: ignore[no-any-return]
