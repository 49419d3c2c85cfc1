"""Authorizers, and what callers show to them.

Five types (developer guide, "Control and manage access to REST APIs in API Gateway", "Control and
manage access to HTTP APIs"): ``token`` and ``request`` call a Lambda function; ``cognito`` and
``jwt`` check a token, ``iam`` a signature, without any function. What each type lacks is refused
here; what each API type lacks is refused in ``checks_access``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from apisim.scenario.distributions import TimeDistribution
from apisim.scenario.fields import Reader, choice, duration, name, share
from apisim.scenario.model import Context, Finding, Model, as_written, fail, fail_all
from apisim.scenario.popularity import read_weights
from apisim.scenario.problems import did_you_mean
from apisim.scenario.routes import parse_parameter
from apisim.scenario.units import UnitError, shown

__all__ = [
    "LAMBDA_TYPES",
    "MAX_SCOPE_SETS",
    "ROUTE_KEY",
    "TOKEN_TYPES",
    "Authorizer",
    "Credentials",
    "Scope",
    "ScopeSets",
    "Scopes",
]

#: Types that call a function, and types that check a token themselves.
LAMBDA_TYPES: Final = ("token", "request")
TOKEN_TYPES: Final = ("cognito", "jwt")
#: Identity source of HTTP APIs that keeps the results of each route apart.
ROUTE_KEY: Final = "context.routeKey"
#: Sets of scopes that callers of one source may have: a bit each in a word of 64.
MAX_SCOPE_SETS: Final = 62

_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}")  # RFC 6749, section 3.3
_VERDICTS: Final = ("allow", "silent", "deny")
#: Keys of an authorizer that only some types have.
_KEYS_OF_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "function": LAMBDA_TYPES,
    "ttl": LAMBDA_TYPES,
    "deny_identities": LAMBDA_TYPES,
    "silent_identities": LAMBDA_TYPES,
    "unauthorized": LAMBDA_TYPES,
    "identity_validation": ("token",),
    "identity_sources": (*LAMBDA_TYPES, *TOKEN_TYPES),
    "invalid_tokens": TOKEN_TYPES,
}


def _read_identity_source(value: Any, context: Context) -> str:
    if isinstance(value, str) and value.removeprefix("$") == ROUTE_KEY:
        return ROUTE_KEY
    return parse_parameter(value)


#: A parameter, or ``context.routeKey``.
IdentitySource: TypeAlias = Annotated[
    str,
    Reader(
        _read_identity_source,
        {
            "type": "string",
            "pattern": r"^(\$?context\.routeKey"
            r"|((method|integration|route)\.request\.|\$?request\.)?(path|querystring|header)\..+)$",
        },
    ),
]


def _read_scope(value: Any, context: Context) -> str:
    if not isinstance(value, str) or not _SCOPE.fullmatch(value):
        raise UnitError(f"must be a scope, got {shown(value)}", "write e.g. orders.read")
    return value


#: One OAuth 2.0 scope.
Scope: TypeAlias = Annotated[str, Reader(_read_scope, {"type": "string", "minLength": 1})]


@dataclass(frozen=True, slots=True)
class ScopeSets:
    """Scopes of the tokens that callers have.

    Parameters
    ----------
    sets : tuple of frozenset of str
        What a token may be good for; an empty set has no scope.
    weights : tuple of float
        How often each is met, relative to their sum.
    """

    sets: tuple[frozenset[str], ...]
    weights: tuple[float, ...]


def _read_scope_sets(value: Any, context: Context) -> ScopeSets:
    if isinstance(value, str):
        value = {value: 1}
    if not isinstance(value, Mapping):
        hint = 'write {"orders.read orders.write": 1, orders.read: 9}'
        raise fail(f"must be a mapping of scopes to weights, got {shown(value)}", hint)
    weights = read_weights(value)
    if len(weights) > MAX_SCOPE_SETS:
        raise fail(f"{len(weights)} sets of scopes are more than {MAX_SCOPE_SETS}")
    findings: list[Finding] = []
    sets = []
    for written in value:
        words = str(written).split()
        findings += [
            Finding((written,), f"{shown(word)} is no scope", "")
            for word in words
            if not _SCOPE.fullmatch(word)
        ]
        sets.append(frozenset(words))
    if findings:
        raise fail_all(findings)
    return ScopeSets(tuple(sets), weights)


#: Scopes of tokens, several in one text: ``{"orders.read orders.write": 1, orders.read: 9}``.
Scopes: TypeAlias = Annotated[
    ScopeSets,
    Reader(
        _read_scope_sets,
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {"type": ["number", "string"]},
                },
            ],
            "description": "Scopes of tokens with weights: {'orders.read orders.write': 1}.",
        },
    ),
]


def _read_verdicts(value: Any, context: Context) -> tuple[float, ...]:
    hint = "write allow, silent or deny, or {allow: 9, deny: 1}"
    if isinstance(value, str):
        value = {value: 1}
    if not isinstance(value, Mapping):
        raise fail(f"must be a word or a mapping of words to weights, got {shown(value)}", hint)
    for key in value:
        if key not in _VERDICTS:
            meant = did_you_mean(str(key), _VERDICTS, may_list=False) or hint
            raise fail(f"{shown(key)} is none of {', '.join(_VERDICTS)}", meant)
    weights = dict(zip(value, read_weights(value), strict=True))
    return tuple(weights.get(verdict, 0.0) for verdict in _VERDICTS)


_VERDICTS_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"enum": list(_VERDICTS)},
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {verdict: {"type": ["number", "string"]} for verdict in _VERDICTS},
        },
    ]
}


class Credentials(Model):
    """How the callers of a source sign their requests, for routes with an ``iam`` authorizer.

    Shares are of callers: a user of a population or a closed user keeps what it was given; where
    nobody is known, each call is another caller. What is wrong is looked at in the order missing,
    clock_skew, bad_signature, policy, and each share is of the callers that those before it left:
    ``missing: 50%`` with ``bad_signature: 50%`` leaves a quarter.

    Attributes
    ----------
    missing : float
        Share of callers that do not sign at all, in [0, 1].
    bad_signature : float
        Share whose signature does not match, in [0, 1], of the callers that sign, and in time.
    clock_skew : Distribution or None
        How far the clock of a caller is off, either way [ns]; None: all are right. Beyond the
        setting ``signature_window`` every request of that caller is refused as expired.
    policy : tuple of float
        Weights of what the own policies of those callers that are left say: allow, silent, deny.
        Default: all allow.
    account : {"same", "cross"}
        Whether the callers belong to the API's account; another account's need both sides' allow.
    """

    missing: Annotated[float, share()] = as_written(0)
    bad_signature: Annotated[float, share()] = as_written(0)
    clock_skew: TimeDistribution | None = None
    policy: Annotated[tuple[float, ...], Reader(_read_verdicts, _VERDICTS_SCHEMA)] = as_written(
        "allow"
    )
    account: Annotated[Literal["same", "cross"], choice("same", "cross")] = "same"


class Authorizer(Model):
    """What decides who may call a route.

    Attributes
    ----------
    type : {"token", "request", "cognito", "jwt", "iam"}
        ``token`` (a Lambda function reads one header) and ``cognito`` are of REST APIs only.
    function : str or None
        Name under ``functions:``; the Lambda types need it.
    ttl : int or None
        Lambda types: how long a result is kept [ns], 0 to 3600 s; None is the API type's default,
        see :meth:`ttl_on`. WebSocket APIs keep none.
    deny_identities : float
        Lambda types: share of identities that are denied, in [0, 1]. Drawn for each identity and
        kept for the whole run: of few identities the part that is denied can be far from it (of
        5 at 20%, none in every third run), and so can the part of the requests.
    silent_identities : float
        Lambda types: share of identities whose policy neither allows nor denies the route; drawn
        for each identity.
    unauthorized : float
        Lambda types: share of identities for which the function raises ``Unauthorized``: 401
        on REST, 500 on HTTP APIs, and not kept; drawn for each identity.
    identity_validation : float
        Type token: share of tokens that do not match the expression: 401 without a call; drawn for
        each token.
    identity_sources : list of str
        What makes up the identity. One that is missing from a call is a 401, but not on a REST
        API's request authorizer that keeps no results. ``context.routeKey`` (HTTP APIs) keeps the
        results of each route apart.
    invalid_tokens : float
        Types cognito and jwt: share of tokens with a wrong signature, issuer or audience; drawn for
        each token.
    """

    LATER: ClassVar[frozenset[str]] = frozenset(
        {"audiences", "issuer", "jwks", "payload_format", "scopes"}
    )

    type: Annotated[
        Literal["token", "request", "cognito", "jwt", "iam"],
        choice("token", "request", "cognito", "jwt", "iam"),
    ]
    function: Annotated[str, name()] | None = None
    ttl: Annotated[int, duration("0s", "3600s", "API Gateway")] | None = None
    deny_identities: Annotated[float, share()] = as_written(0)
    silent_identities: Annotated[float, share()] = as_written(0)
    unauthorized: Annotated[float, share()] = as_written(0)
    identity_validation: Annotated[float, share()] = as_written(0)
    identity_sources: list[IdentitySource] = Field(default_factory=lambda: ["header.authorization"])
    invalid_tokens: Annotated[float, share()] = as_written(0)

    @property
    def is_lambda(self) -> bool:
        """Whether a function decides."""
        return self.type in LAMBDA_TYPES

    @property
    def checks_tokens(self) -> bool:
        """Whether the gateway checks a token itself."""
        return self.type in TOKEN_TYPES

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        findings = [
            Finding((key,), f"{self.type} authorizers have none", f"{_list_of(types)} have it")
            for key, types in _KEYS_OF_TYPES.items()
            if key in self.model_fields_set and self.type not in types
        ]
        if self.is_lambda and self.function is None:
            findings.append(
                Finding((), "function is required", "name one of the functions: section")
            )
        if self.deny_identities + self.silent_identities > 1:
            message = "deny_identities and silent_identities are more than 100% together"
            findings.append(Finding(("silent_identities",), message, ""))
        if findings:
            raise fail_all(findings)
        return self

    def ttl_on(self, api_type: str) -> int:
        """Time a result is kept on an API of this type [ns].

        Where ``ttl`` is left out: 300 s on REST APIs (API reference,
        ``authorizerResultTtlInSeconds``) and no caching on HTTP APIs, whose reference states no
        default. WebSocket APIs keep none (API reference: of HTTP APIs only).
        """
        if not self.is_lambda or api_type == "websocket":
            return 0
        if self.ttl is not None:
            return self.ttl
        return 300_000_000_000 if api_type == "rest" else 0


def _list_of(types: tuple[str, ...]) -> str:
    return " and ".join(types) + (" authorizers" if len(types) > 1 else " authorizers only")
