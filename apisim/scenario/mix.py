"""Which routes a source calls, and how often each: the lines of a mix."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

from apisim.scenario.domains import base_path, refuse_api
from apisim.scenario.fields import Reader
from apisim.scenario.model import Context, Finding, fail, fail_all
from apisim.scenario.popularity import read_weights
from apisim.scenario.problems import did_you_mean
from apisim.scenario.routes import MixKey, RouteKey, parse_mix_key
from apisim.scenario.units import UnitError, shown
from apisim.scenario.websocket_routes import is_message_key, parse_message_key

__all__ = ["Mix", "MixEntry"]


@dataclass(frozen=True, slots=True)
class MixEntry:
    """One line of a mix.

    Parameters
    ----------
    text : str
        The line as written, its key under ``mix:``.
    api : str
        Name of the API.
    stage : str or None
        Stage as written; None when left out.
    route : RouteKey
        A route's key, a method and a concrete path, or what a message of a WebSocket API says:
        the word is its ``method``.
    weight : float
        Relative share of the requests, >= 0.
    """

    text: str
    api: str
    stage: str | None
    route: RouteKey
    weight: float

    @property
    def method(self) -> str:
        """HTTP method, ``ANY``, ``$default``, or the word of a message."""
        return self.route.method

    @property
    def path(self) -> str:
        """Path, a template or a concrete one; empty for ``$default``."""
        return self.route.path


def _read_mix(value: Any, context: Context) -> tuple[MixEntry, ...]:
    if not isinstance(value, Mapping):
        raise fail(
            f"must be a mapping of route to weight, got {shown(value)}", "write {GET /users: 9}"
        )
    findings: list[Finding] = []
    parsed = []
    for written in value:
        try:
            parsed.append((written, *_read_line(written, context)))
        except UnitError as error:
            findings.append(Finding((written,), error.message, error.hint))
    if findings:
        raise fail_all(findings)
    entries = tuple(
        MixEntry(written, api, stage, route, weight)
        for (written, api, stage, route), weight in zip(parsed, read_weights(value), strict=True)
    )
    seen: dict[tuple[str, str], str] = {}
    for entry in entries:
        first = seen.setdefault((entry.api, str(entry.route)), entry.text)
        if first != entry.text:
            findings.append(Finding((entry.text,), f"is the same route as {first}", "keep one"))
    if findings:
        raise fail_all(findings)
    return entries


def _read_line(written: str, context: Context) -> tuple[str, str | None, RouteKey]:
    """API, stage and route of a line."""
    is_message = bool(context.websockets) and is_message_key(written)
    api, stage, route = _place(
        parse_message_key(written) if is_message else parse_mix_key(written), context
    )
    if api in context.websockets and route.path:
        message = f"messages of the WebSocket API {api} have no method and path"
        raise UnitError(message, f"write {api} and a route key, e.g. {api} sendMessage")
    if is_message and api not in context.websockets:
        parse_mix_key(written)  # says what is wrong with it
    return api, stage, route


def _place(key: MixKey, context: Context) -> tuple[str, str | None, RouteKey]:
    """API, stage and route of a line's key."""
    if key.api in context.domains:
        api, route = _behind_domain(key, context.domains[key.api])
        return api, None, route
    if f"{key.api}/{key.stage}" in context.split:
        return f"{key.api}/{key.stage}", None, key.route
    if key.stage and any(name.startswith(f"{key.api}/") for name in context.split):
        refuse_api(f"{key.api}/{key.stage}", context)
    return _api_of(key.api, context), key.stage, key.route


def _behind_domain(key: MixKey, mappings: Mapping[str, str]) -> tuple[str, RouteKey]:
    path = f"/{key.stage}{key.route.path}" if key.stage else key.route.path or "/"
    found = base_path(mappings, path)
    if found is None:
        known = ", ".join(mappings) or "none"
        raise UnitError(
            f"no base path mapping of {key.api} takes {path}", f"its mappings are: {known}"
        )
    api, rest = found
    return api, key.route if key.route.method == "$default" else RouteKey(key.route.method, rest)


def _api_of(written: str | None, context: Context) -> str:
    if written is None:
        if len(context.apis) > 1:
            names = ", ".join(context.apis)
            raise UnitError(f"there are several APIs ({names})", "write API METHOD /path")
        return context.apis[0] if context.apis else ""
    stages = [name for name in context.split if name.startswith(f"{written}/")]
    if stages:
        hint = f"write {' or '.join(stages)} METHOD /path"
        raise UnitError(f"the API {written} has several stages", hint)
    if written not in context.apis:
        raise UnitError(
            f"the API {shown(written)} is not defined", did_you_mean(written, context.apis)
        )
    return written


_MIX_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"type": ["number", "string"]},
    "description": "Weights of routes: {'[API[/STAGE]] METHOD /path': weight}; of a WebSocket "
    "API's messages: {'[API[/STAGE]] WORD': weight}.",
}

Mix: TypeAlias = Annotated[tuple[MixEntry, ...], Reader(_read_mix, _MIX_SCHEMA)]
