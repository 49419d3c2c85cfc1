"""Route keys, mix keys and parameters: the small texts that say which part of an API is meant.

A route key is ``METHOD /path``, ``ANY /path`` or, on HTTP APIs, ``$default``. Path segments are
literal, ``{name}`` (one segment) or, in the last place, ``{name+}`` (all that is left). A key of a
traffic mix puts the API, and if wanted its stage, in front: ``users/prod GET /users/{userId}``.
A parameter is a part of a request that something depends on: ``path.userId``,
``querystring.include``, ``header.authorization``; AWS's longer spellings mean the same.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Any, Final, TypeAlias

from apisim.scenario.fields import Reader
from apisim.scenario.model import Context
from apisim.scenario.problems import did_you_mean
from apisim.scenario.units import UnitError, shown

__all__ = [
    "METHODS",
    "CacheKey",
    "MixKey",
    "Parameter",
    "RouteKey",
    "can_match",
    "parse_mix_key",
    "parse_parameter",
    "parse_route_key",
]

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

_MAX_LENGTH: Final = 2_000
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z0-9_.:-]+)(\+?)\}")
_LITERAL: Final = re.compile(r"[A-Za-z0-9._~!$&'()*,;=:@%+-]+")
_AWS_PREFIX: Final = re.compile(r"^(?:(?:method|integration|route)\.request|\$?request)\.")
_PARAMETER: Final = re.compile(r"(path|querystring|header)\.([A-Za-z0-9_.$~!*'()%+-]{1,200})")


@dataclass(frozen=True)
class RouteKey:
    """Parsed route key.

    Parameters
    ----------
    method : str
        HTTP method, ``ANY``, or ``$default`` for the route that takes what no other does.
    path : str
        Path template; empty for ``$default``.
    """

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}" if self.path else self.method

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """Path segments; none for ``/`` and ``$default``."""
        return tuple(self.path.split("/")[1:]) if self.path not in ("", "/") else ()

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the path parameters, in order."""
        found = (_PLACEHOLDER.fullmatch(segment) for segment in self.segments)
        return tuple(match[1] for match in found if match)

    @property
    def is_greedy(self) -> bool:
        """Whether the last segment takes all that is left, as ``{proxy+}`` does."""
        return bool(self.segments) and self.segments[-1].endswith("+}")

    @cached_property
    def shape(self) -> str:
        """Key with the parameters' names taken out: equal shapes match the same requests."""
        return _PLACEHOLDER.sub(r"{\2}", str(self))


def _check_path(path: str, written: str) -> None:
    if not path.startswith("/"):
        raise UnitError(f"the path of {shown(written)} must begin with /")
    if len(path) > _MAX_LENGTH:
        raise UnitError(f"a path of {len(path):,} characters is above the {_MAX_LENGTH:,} maximum")
    if "?" in path:
        hint = "give query strings under values: as querystring.name"
        raise UnitError(f"{shown(written)} has a query string", hint)
    names: set[str] = set()
    segments = path.split("/")[1:] if path != "/" else []
    for position, segment in enumerate(segments, 1):
        match = _PLACEHOLDER.fullmatch(segment)
        # A trailing slash is an empty last segment; API Gateway tells it from the path without.
        is_end = position == len(segments)
        if match is None and not _LITERAL.fullmatch(segment) and not (is_end and not segment):
            hint = "a segment is literal, {name}, or {name+} in the last place"
            raise UnitError(f"{shown(segment)} is not a path segment", hint)
        if match and match[1] in names:
            raise UnitError(f"the path parameter {match[1]} is there twice")
        if match and match[2] and not is_end:
            raise UnitError(f"{segment} must be the last segment", "{name+} takes all that is left")
        if match:
            names.add(match[1])


@lru_cache(maxsize=4096)
def parse_route_key(written: str) -> RouteKey:
    """Route key of a text.

    Raises
    ------
    UnitError
        If it is no route key.

    Examples
    --------
    >>> parse_route_key("GET /users/{userId}").parameters
    ('userId',)
    """
    if written == "$default":
        return RouteKey("$default", "")
    method, _, path = written.partition(" ")
    path = path.strip()
    if not path:
        raise UnitError(f"{shown(written)} is not a route", "write e.g. GET /users/{userId}")
    if method not in (*METHODS, "ANY"):
        hint = did_you_mean(method, (*METHODS, "ANY"))
        raise UnitError(f"{shown(method)} is not an HTTP method", hint)
    _check_path(path, written)
    return RouteKey(method, path)


@dataclass(frozen=True)
class MixKey:
    """Parsed key of a traffic mix.

    Parameters
    ----------
    api, stage : str or None
        As written; None when left out. Of a custom domain: its name and the beginning of a path.
    route : RouteKey
        A route's key, or a method with a concrete path.
    """

    api: str | None
    stage: str | None
    route: RouteKey


@lru_cache(maxsize=4096)
def parse_mix_key(written: str) -> MixKey:
    """Parts of a mix key ``[API[/STAGE]] METHOD /path``.

    Raises
    ------
    UnitError
        If it is no such key.

    Examples
    --------
    >>> key = parse_mix_key("users/prod GET /users/7")
    >>> key.api, key.stage, str(key.route)
    ('users', 'prod', 'GET /users/7')
    """
    words = written.split()
    is_default = words[-1:] == ["$default"]
    front, route = (words[:-1], words[-1]) if is_default else (words[:-2], " ".join(words[-2:]))
    if len(front) > 1 or not route:
        hint = "write [API[/STAGE]] METHOD /path"
        raise UnitError(f"{shown(written)} is not a route", hint)
    api, slash, stage = front[0].partition("/") if front else ("", "", "")
    stage = stage.rstrip("/") if "." in api else stage  # a base path of a domain
    if front and (not api or (slash and not stage)):
        raise UnitError(f"{shown(front[0])} is not API or API/STAGE", "")
    return MixKey(api or None, stage or None, parse_route_key(route))


def can_match(route: RouteKey, wanted: RouteKey) -> bool:
    """Whether a request made for ``wanted`` can reach ``route``.

    A path parameter of ``wanted`` stands for values given elsewhere, so it only reaches the
    parameter of the same name, or a greedy one.

    Parameters
    ----------
    route : RouteKey
        A route of an API.
    wanted : RouteKey
        What a traffic mix names: a route key, or a method and a concrete path.
    """
    if route.method == "$default" or route == wanted:
        return True
    if wanted.method == "$default" or route.method not in (wanted.method, "ANY"):
        return False
    steps = route.segments
    for position, segment in enumerate(wanted.segments):
        if position >= len(steps):
            return False
        if steps[position].endswith("+}"):
            return segment != ""
        if steps[position] == segment:
            continue
        is_open = _PLACEHOLDER.fullmatch(steps[position]) is not None
        if not is_open or not segment or _PLACEHOLDER.fullmatch(segment):
            return False
    return len(wanted.segments) == len(steps)


def parse_parameter(written: object) -> str:
    """Parameter in its short form; header names are lower case, as HTTP does not tell cases apart.

    Raises
    ------
    UnitError
        If it names no part of a request.

    Examples
    --------
    >>> parse_parameter("method.request.header.Authorization")
    'header.authorization'
    """
    if not isinstance(written, str):
        raise UnitError(f"must be a parameter, got {shown(written)}", "write e.g. path.userId")
    match = _PARAMETER.fullmatch(_AWS_PREFIX.sub("", written.strip()))
    if match is None:
        if re.match(r"\$?(context|stageVariables|stage_variables)\b", written):
            raise UnitError(
                f"{shown(written)} is not modelled yet", "use path, querystring, header"
            )
        hint = "write path.NAME, querystring.NAME or header.NAME"
        raise UnitError(f"{shown(written)} is not a parameter", hint)
    return f"{match[1]}.{match[2].lower() if match[1] == 'header' else match[2]}"


def _read_parameter(value: Any, context: Context) -> str:
    return parse_parameter(value)


def _read_cache_key(value: Any, context: Context) -> str:
    if isinstance(value, str) and _AWS_PREFIX.sub("", value) == "querystring":
        return "querystring"
    return parse_parameter(value)


_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "pattern": r"^((method|integration)\.request\.|\$?request\.)?(path|querystring|header)\..+$",
}
_CACHE_KEY_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "pattern": r"^((method|integration)\.request\.)?((path|querystring|header)\..+|querystring)$",
}

#: ``path.NAME``, ``querystring.NAME`` or ``header.name``.
Parameter: TypeAlias = Annotated[str, Reader(_read_parameter, _SCHEMA)]
#: A parameter, or ``querystring`` alone for the whole query string.
CacheKey: TypeAlias = Annotated[str, Reader(_read_cache_key, _CACHE_KEY_SCHEMA)]
