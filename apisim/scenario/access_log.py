"""Access logs in a scenario's words: presets, formats, and the variables each type of API has.

Sources: developer guide, "Set up logging for REST APIs" and "Configure logging for HTTP APIs" (the
presets, word for word), "Variables for access logging", "Customize HTTP API access logs" and
"WebSocket API mapping template reference". WebSocket APIs have the console's CLF as public
templates copy it; that their other presets say the same is assumed.
"""

import re
from typing import Annotated, Any, Final

from apisim.scenario.fields import Reader
from apisim.scenario.model import Context
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import UnitError, shown

__all__ = ["FORMAT_BYTES", "PRESETS", "AccessLog", "format_of", "pieces", "problems_of"]

#: Longest format (quotas of access-log templates) [bytes].
FORMAT_BYTES: Final = 3 * 1024

_WEBSOCKET_FIELDS: Final = (
    ("requestId", "requestId"),
    ("ip", "identity.sourceIp"),
    ("caller", "identity.caller"),
    ("user", "identity.user"),
    ("requestTime", "requestTime"),
    ("eventType", "eventType"),
    ("routeKey", "routeKey"),
    ("connectionId", "connectionId"),
    ("status", "status"),
)
#: Formats by type of API and name of the preset.
PRESETS: Final[dict[str, dict[str, str]]] = {
    "rest": {
        "clf": "$context.identity.sourceIp $context.identity.caller $context.identity.user"
        ' [$context.requestTime]"$context.httpMethod $context.resourcePath $context.protocol"'
        " $context.status $context.responseLength $context.requestId $context.extendedRequestId",
        "json": '{ "requestId":"$context.requestId",'
        ' "extendedRequestId":"$context.extendedRequestId","ip": "$context.identity.sourceIp",'
        ' "caller":"$context.identity.caller", "user":"$context.identity.user",'
        ' "requestTime":"$context.requestTime", "httpMethod":"$context.httpMethod",'
        ' "resourcePath":"$context.resourcePath", "status":"$context.status",'
        ' "protocol":"$context.protocol", "responseLength":"$context.responseLength" }',
        "xml": '<request id="$context.requestId">'
        " <extendedRequestId>$context.extendedRequestId</extendedRequestId>"
        " <ip>$context.identity.sourceIp</ip> <caller>$context.identity.caller</caller>"
        " <user>$context.identity.user</user> <requestTime>$context.requestTime</requestTime>"
        " <httpMethod>$context.httpMethod</httpMethod>"
        " <resourcePath>$context.resourcePath</resourcePath> <status>$context.status</status>"
        " <protocol>$context.protocol</protocol>"
        " <responseLength>$context.responseLength</responseLength> </request>",
        "csv": "$context.identity.sourceIp,$context.identity.caller,$context.identity.user,"
        "$context.requestTime,$context.httpMethod,$context.resourcePath,$context.protocol,"
        "$context.status,$context.responseLength,$context.requestId,$context.extendedRequestId",
    },
    "http": {
        "clf": "$context.identity.sourceIp - - [$context.requestTime]"
        ' "$context.httpMethod $context.routeKey $context.protocol" $context.status'
        " $context.responseLength $context.requestId $context.extendedRequestId",
        "json": '{ "requestId":"$context.requestId", "ip": "$context.identity.sourceIp",'
        ' "requestTime":"$context.requestTime", "httpMethod":"$context.httpMethod",'
        '"routeKey":"$context.routeKey", "status":"$context.status",'
        '"protocol":"$context.protocol", "responseLength":"$context.responseLength",'
        ' "extendedRequestId": "$context.extendedRequestId" }',
        "xml": '<request id="$context.requestId"> <ip>$context.identity.sourceIp</ip>'
        " <requestTime>$context.requestTime</requestTime>"
        " <httpMethod>$context.httpMethod</httpMethod> <routeKey>$context.routeKey</routeKey>"
        " <status>$context.status</status> <protocol>$context.protocol</protocol>"
        " <responseLength>$context.responseLength</responseLength>"
        " <extendedRequestId>$context.extendedRequestId</extendedRequestId> </request>",
        "csv": "$context.identity.sourceIp,$context.requestTime,$context.httpMethod,"
        "$context.routeKey,$context.protocol,$context.status,$context.responseLength,"
        "$context.requestId,$context.extendedRequestId",
    },
    "websocket": {
        "clf": "$context.identity.sourceIp $context.identity.caller $context.identity.user"
        ' [$context.requestTime] "$context.eventType $context.routeKey $context.connectionId"'
        " $context.status $context.requestId",
        "json": "{ "
        + ", ".join(f'"{key}":"$context.{value}"' for key, value in _WEBSOCKET_FIELDS)
        + " }",
        "xml": '<request id="$context.requestId"> '
        + " ".join(f"<{key}>$context.{value}</{key}>" for key, value in _WEBSOCKET_FIELDS[1:])
        + " </request>",
        "csv": ",".join(f"$context.{value}" for _, value in _WEBSOCKET_FIELDS),
    },
}


def _words(*lines: str) -> list[str]:
    return " ".join(lines).split()


_EVERYWHERE: Final = _words(
    "accountId apiId authorizer.error authorizer.integrationStatus authorizer.latency",
    "authorizer.principalId authorizer.requestId authorizer.status awsEndpointRequestId",
    "domainName domainPrefix error.message error.messageString error.responseType",
    "extendedRequestId identity.accountId identity.caller identity.cognitoAuthenticationProvider",
    "identity.cognitoAuthenticationType identity.cognitoIdentityId identity.cognitoIdentityPoolId",
    "identity.principalOrgId identity.sourceIp identity.user identity.userAgent identity.userArn",
    "integration.error integration.integrationStatus integration.latency integration.requestId",
    "integration.status integrationErrorMessage integrationLatency integrationStatus requestId",
    "requestTime requestTimeEpoch stage status",
)
_CERTIFICATE: Final = _words(
    "identity.clientCert.clientCertPem identity.clientCert.issuerDN",
    "identity.clientCert.serialNumber identity.clientCert.subjectDN",
    "identity.clientCert.validity.notAfter identity.clientCert.validity.notBefore",
)
_GATES: Final = _words(
    "authenticate.error authenticate.latency authenticate.status authorize.error authorize.latency",
    "authorize.status authorizer.integrationLatency waf.error waf.latency waf.status",
    "error.validationErrorString identity.apiKey identity.apiKeyId wafResponseCode webaclArn",
)
_REQUESTS: Final = _words(
    "customDomain.basePathMatched httpMethod path protocol responseLatency responseLength"
)
#: Variables by type of API, without their ``$context.``.
_VARIABLES: Final[dict[str, frozenset[str]]] = {
    "rest": frozenset(
        [
            *_EVERYWHERE,
            *_CERTIFICATE,
            *_GATES,
            *_REQUESTS,
            *_words("deploymentId isCanaryRequest resourceId resourcePath xrayTraceId"),
        ]
    ),
    "http": frozenset(
        [
            *_EVERYWHERE,
            *_CERTIFICATE,
            *_REQUESTS,
            *_words("awsEndpointRequestId2 dataProcessed routeKey"),
        ]
    ),
    "websocket": frozenset(
        [
            *_EVERYWHERE,
            *_GATES,
            *_words("connectedAt connectionId eventType messageDirection messageId routeKey"),
        ]
    ),
}
#: What an authorizer returns has whatever names its author gave it.
_OWN: Final = re.compile(r"authorizer\.(claims\.)?[\w-]+")
_VARIABLE: Final = re.compile(r"\$context((?:\.[A-Za-z0-9_-]+)+)")
_IDS: Final = ("requestId", "extendedRequestId")


def _read_log(value: Any, context: Context) -> str:
    if not isinstance(value, str) or not value:
        hint = f"write one of {', '.join(PRESETS['rest'])}, or a format with $context variables"
        raise UnitError(f"must be an access log's format, got {shown(value)}", hint)
    if value in PRESETS["rest"]:
        return value
    if "$context." not in value:
        hint = did_you_mean(value, PRESETS["rest"]) or "e.g. $context.requestId $context.status"
        raise UnitError(f"{shown(value)} has no $context variable and is no preset", hint)
    if "\n" in value.rstrip("\n"):
        raise UnitError("an access log's format is a single line", "write >- in front of it")
    if (size := len(value.encode())) > FORMAT_BYTES:
        raise UnitError(f"{size:,} bytes are above the {FORMAT_BYTES:,} maximum of API Gateway")
    return value.rstrip("\n")


#: A preset or a format.
AccessLog = Annotated[
    str, Reader(_read_log, {"anyOf": [{"enum": [*PRESETS["rest"]]}, {"type": "string"}]})
]


def format_of(log: str, api_type: str) -> str:
    """Format behind what a scenario says, a preset's name or a format."""
    return PRESETS[api_type].get(log, log)


def pieces(text: str) -> list[tuple[str, str]]:
    """A format as pairs of text and of the variable behind it; the last has none.

    Examples
    --------
    >>> pieces('[$context.requestTime] "$context.error.message"')
    [('[', 'requestTime'), ('] "', 'error.message'), ('"', '')]
    """
    words = [*_VARIABLE.split(text), ""]
    return [(words[at], words[at + 1][1:]) for at in range(0, len(words), 2)]


def problems_of(log: str, api_type: str) -> list[tuple[str, str]]:
    """What is wrong with an access log on an API of one type, as message and hint."""
    if log in PRESETS[api_type]:
        return []
    found = []
    used = [variable for _, variable in pieces(log) if variable]
    known = _VARIABLES[api_type]
    name = {"rest": "REST", "http": "HTTP", "websocket": "WebSocket"}[api_type]
    for variable in dict.fromkeys(used):
        if variable not in known and not _OWN.fullmatch(variable):
            hint = did_you_mean(variable, sorted(known)) or "see the developer guide's list"
            found.append((f"{name} APIs' access logs have no $context.{variable}", hint))
    if not any(one in used for one in _IDS):
        hint = "put $context.requestId into it"
        found.append(("the format has neither requestId nor extendedRequestId", hint))
    return found
