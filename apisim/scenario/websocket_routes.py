"""Routes of WebSocket APIs: their keys, what a message names, and routes that are there unasked.

A route key of a WebSocket API is a word: the value that the API's route selection expression finds
in a message. Three have a meaning of their own: ``$connect`` is asked when a client wants to
connect, ``$disconnect`` when a connection is gone, ``$default`` takes messages that no other route
does (developer guide, "Create routes for WebSocket APIs"). What a backend sends to a client passes
``POST @connections``, which every WebSocket API has and no scenario writes.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from apisim.scenario.routes import METHODS, MixKey, RouteKey, parse_route_key
from apisim.scenario.units import UnitError, shown

if TYPE_CHECKING:
    from apisim.scenario.api import Api, Route

__all__ = [
    "CONNECT",
    "CONNECTIONS",
    "DEFAULT",
    "DISCONNECT",
    "LIFE_PATTERN",
    "LIFE_ROUTES",
    "MOCK",
    "ROUTE_PATTERN",
    "fill_life_routes",
    "is_message_key",
    "is_word",
    "looks_like_websocket",
    "parse_any_key",
    "parse_message_key",
    "with_connections",
]

CONNECT: Final = "$connect"
DISCONNECT: Final = "$disconnect"
DEFAULT: Final = "$default"
#: What a backend calls to send to a client; no route of the API, though it is counted as one.
CONNECTIONS: Final = "POST @connections"
#: Routes that no message reaches: they belong to the life of a connection.
LIFE_ROUTES: Final = (CONNECT, DISCONNECT)

#: Values of a selection expression that are route keys here; longest one assumed.
_WORD: Final = r"[A-Za-z0-9_.-][A-Za-z0-9_./-]{0,127}"
LIFE_PATTERN: Final = r"\$connect|\$disconnect"
ROUTE_PATTERN: Final = rf"{LIFE_PATTERN}|{_WORD}"
MOCK: Final = {"type": "mock"}
#: Neither an upgrade nor the end of a connection has a body, and nobody reads what is answered.
_EMPTY: Final = {"request_size": "0B", "response_size": "0B"}


def is_word(written: str) -> bool:
    """Whether a text can be the value of a route selection expression."""
    return re.fullmatch(_WORD, written) is not None


@lru_cache(maxsize=4096)
def parse_any_key(written: str) -> RouteKey:
    """Route key of any type of API: ``METHOD /path``, ``$default``, or a WebSocket API's word.

    Which of them an API may have is a rule between keys: its type is another one.

    Raises
    ------
    UnitError
        If it is none of them.

    Examples
    --------
    >>> parse_any_key("sendMessage").method, parse_any_key("GET /users").path
    ('sendMessage', '/users')
    """
    if written == CONNECTIONS:
        return RouteKey(*CONNECTIONS.split(" "))
    if written in LIFE_ROUTES or is_word(written):
        return RouteKey(written, "")
    return parse_route_key(written)


def is_message_key(written: str) -> bool:
    """Whether a line of a mix has the form of a message's: ``[API[/STAGE]] WORD``."""
    words = written.split()
    if not 1 <= len(words) <= 2 or words[0] in (*METHODS, "ANY"):
        return False
    return not words[-1].startswith("/")


@lru_cache(maxsize=4096)
def parse_message_key(written: str) -> MixKey:
    """Parts of a mix key ``[API[/STAGE]] WORD``; ``$default`` stands for a message without value.

    Raises
    ------
    UnitError
        If it is no such key.

    Examples
    --------
    >>> key = parse_message_key("chat/prod sendMessage")
    >>> key.api, key.stage, key.route.method
    ('chat', 'prod', 'sendMessage')
    """
    *front, word = written.split()
    if word in LIFE_ROUTES:
        hint = "sessions: says who connects, and when they leave"
        raise UnitError(f"{word} is no message", hint)
    if word != DEFAULT and not is_word(word):
        hint = "letters, digits and any of _ - . /, at most 128"
        raise UnitError(f"{shown(word)} is not the value of a route", hint)
    api, slash, stage = front[0].partition("/") if front else ("", "", "")
    if front and (not api or (slash and not stage)):
        raise UnitError(f"{shown(front[0])} is not API or API/STAGE", "")
    return MixKey(api or None, stage or None, RouteKey(word, ""))


def looks_like_websocket(api: Any) -> bool:
    """Whether what is written of an API is a WebSocket API's, also where its type is misspelt."""
    if not isinstance(api, Mapping) or api.get("type") in ("rest", "http", "websocket"):
        return isinstance(api, Mapping) and api["type"] == "websocket"
    routes = api.get("routes")
    return isinstance(routes, Mapping) and any(is_word(str(key)) for key in routes)


def fill_life_routes(routes: dict[Any, Any]) -> dict[Any, Any]:
    """Routes as written, ``$connect`` and ``$disconnect`` with what may be left out there.

    Whatever the API's type: where they are none of its routes, that is all that is wrong with them.
    """
    filled = dict(routes)
    for key in LIFE_ROUTES:
        if isinstance(routes.get(key), dict):
            filled[key] = {"integration": MOCK, **_EMPTY, **routes[key]}
    return filled


def with_connections(api: "Api") -> dict[str, "Route"]:
    """Routes as written, then ``$connect`` if there is none, and what pushes go through.

    An upgrade takes place without a ``$connect`` route too; without ``$disconnect`` nothing is
    called when a connection is gone.
    """
    found = dict(api.routes)
    route = type(next(iter(found.values())))
    nothing = route.model_validate({"integration": MOCK, **_EMPTY})
    found.setdefault(CONNECT, nothing)
    found[CONNECTIONS] = nothing
    return found
