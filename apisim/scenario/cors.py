"""CORS: what an API allows pages of other origins, and the browsers those pages run in."""

import re
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field

from apisim.scenario.fields import DURATION_SCHEMA, Reader, flag, text
from apisim.scenario.model import Context, Model, as_written, nested
from apisim.scenario.problems import did_you_mean
from apisim.scenario.routes import METHODS
from apisim.scenario.units import UnitError, parse_duration, shown

__all__ = ["NEVER_KEPT", "Browser", "Cors", "RouteCors"]

#: ``max_age: -1``.
NEVER_KEPT: Final = -1
_BROWSERS: Final = ("chromium", "firefox", "safari")
_LONGEST: Final = "86400s"
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.-]+(:[0-9]{1,5})?")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://\*")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'^_`|~+.-]{1,200}")


def _read_origin(value: Any, context: Context) -> str:
    if isinstance(value, str) and _ORIGIN.fullmatch(value):
        return value.lower()
    hint = "write scheme and host, without a path: https://app.example.com"
    raise UnitError(f"must be an origin, got {shown(value)}", hint)


def _read_allowed_origin(value: Any, context: Context) -> str:
    if value == "*" or (isinstance(value, str) and _SCHEME.fullmatch(value)):
        return str(value)
    return _read_origin(value, context)


def _read_method(value: Any, context: Context) -> str:
    if value in (*METHODS, "*"):
        return str(value)
    raise UnitError(f"{shown(value)} is not an HTTP method", did_you_mean(str(value), METHODS))


def _read_header(value: Any, context: Context) -> str:
    if isinstance(value, str) and (value == "*" or _HEADER.fullmatch(value)):
        return value.lower()
    raise UnitError(f"must be the name of a header, got {shown(value)}", "write e.g. authorization")


def _read_max_age(value: Any, context: Context) -> int:
    if value == NEVER_KEPT and not isinstance(value, bool):
        return NEVER_KEPT
    allowed = f"allowed: -1 (never kept), 0s to {_LONGEST}"
    try:
        result = parse_duration(value)
    except UnitError as error:
        raise UnitError(error.message, error.hint or allowed) from None
    if result > parse_duration(_LONGEST):
        raise UnitError(f"{value} is above the {_LONGEST} maximum of API Gateway", allowed)
    return result


def _read_cap(value: Any, context: Context) -> str | int:
    if value in _BROWSERS:
        return str(value)
    if isinstance(value, str) and value.isalpha():
        hint = did_you_mean(value, _BROWSERS, may_list=False) or "or a duration"
        raise UnitError(f"must be one of {', '.join(_BROWSERS)}, got {shown(value)}", hint)
    return parse_duration(value)


_ORIGIN_SCHEMA: Final = {"type": "string", "pattern": r"^[a-z][a-z0-9+.-]*://[^/]+$"}
_ALLOWED_SCHEMA: Final = {"type": "string", "pattern": r"^(\*|[a-z][a-z0-9+.-]*://[^/]+)$"}

Origin: TypeAlias = Annotated[str, Reader(_read_origin, _ORIGIN_SCHEMA)]
AllowedOrigin: TypeAlias = Annotated[str, Reader(_read_allowed_origin, _ALLOWED_SCHEMA)]
AllowedMethod: TypeAlias = Annotated[str, Reader(_read_method, {"enum": [*METHODS, "*"]})]
HeaderName: TypeAlias = Annotated[str, Reader(_read_header, {"type": "string", "minLength": 1})]


class Cors(Model):
    """What an API allows pages of other origins.

    On REST APIs this stands for the OPTIONS methods that one has to make, and for the headers that
    the integrations have to send; on HTTP APIs for their own CORS configuration.

    Attributes
    ----------
    allow_origins : list of str
        Origins, ``*``, or on HTTP APIs a scheme with a wildcard (``https://*``).
    allow_methods : list of str
        Methods, or ``*``; GET, HEAD and POST need not be allowed.
    allow_headers : list of str
        Names of headers, or ``*``, which does not mean ``authorization``.
    expose_headers : list of str
        Names of headers a page may read; changes no number.
    allow_credentials : bool
        Whether pages may send cookies.
    max_age : int or None
        How long a browser may keep a preflight's answer [ns], up to 86,400 s; -1: not at all; None:
        unsaid, which browsers take for 5 s.
    error_headers : bool
        REST only: whether the gateway's own errors carry the headers too (``DEFAULT_4XX`` and
        ``DEFAULT_5XX`` of the gateway responses). Without them a page is told of a CORS error
        instead of the status.
    """

    allow_origins: Annotated[list[AllowedOrigin], Field(min_length=1)]
    allow_methods: list[AllowedMethod] = Field(default_factory=list)
    allow_headers: list[HeaderName] = Field(default_factory=list)
    expose_headers: list[HeaderName] = Field(default_factory=list)
    allow_credentials: Annotated[bool, flag()] = False
    max_age: (
        Annotated[
            int, Reader(_read_max_age, {"anyOf": [{"const": NEVER_KEPT}, {**DURATION_SCHEMA}]})
        ]
        | None
    ) = None
    error_headers: Annotated[bool, flag()] = False


def _read_route_cors(value: Any, context: Context) -> Cors | Literal[False]:
    if value is False:
        return False
    return nested(Cors, value, (), context)


#: ``false``, or what one route says instead of its API.
RouteCors: TypeAlias = Annotated[
    Cors | Literal[False],
    Reader(_read_route_cors, {"anyOf": [{"const": False}, {"type": "object"}]}),
]


class Browser(Model):
    """The pages a source's requests come from.

    What is sent beyond a simple request is asked for first: another method than GET, HEAD and POST,
    a media type that forms do not send, headers that are not safelisted, among them the
    ``header.*`` parameters of ``values:`` and a token or API key.

    Attributes
    ----------
    origin : str
        Of the pages.
    credentials : bool
        Whether requests carry cookies (``credentials: "include"``).
    content_type : str
        Of the bodies of POST, PUT and PATCH, default ``application/json``.
    headers : list of str
        Names of further headers the pages set.
    max_age_cap : {"chromium", "firefox", "safari"} or int
        Longest a preflight's answer is kept: a browser's own limit (2 h, 24 h, 10 min), or a
        time [ns].
    """

    origin: Origin
    credentials: Annotated[bool, flag()] = False
    content_type: Annotated[str, text(200)] = as_written("application/json")
    headers: list[HeaderName] = Field(default_factory=list)
    max_age_cap: Annotated[
        str | int,
        Reader(_read_cap, {"anyOf": [{"enum": [*_BROWSERS]}, {**DURATION_SCHEMA}]}),
    ] = as_written("chromium")
