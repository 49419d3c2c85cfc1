"""Bindings of WebSocket APIs: upgrades, messages, what comes of an end, and what is pushed."""

from apisim.draws.discrete import WeightedKeys
from apisim.engine.lowering.apis import LoweredApis
from apisim.engine.lowering.bindings import Bindings, find_route
from apisim.engine.lowering.context import Context
from apisim.engine.tables import (
    GATE_DISCONNECT,
    GATE_MESSAGE,
    GATE_POST,
    GATE_UPGRADE,
    GATE_VALIDATE,
    NONE,
)
from apisim.scenario.traffic import Source
from apisim.scenario.websocket_routes import CONNECT, CONNECTIONS

__all__ = ["add_life", "add_messages", "add_posts", "bind_push"]


def add_messages(
    bindings: Bindings, context: Context, apis: LoweredApis, name: str, source: Source
) -> int:
    """What the users of a WebSocket API send; the popularity row that picks one of its bindings."""
    weights = []
    for entry in source.mix:
        found = find_route(context, apis, entry.api, entry.route.method, "") or ""
        bindings.add(context, apis, name, source, entry.api, found, "")
        if found:
            spec = context.scenario.apis[entry.api].every_route[found]
            bindings.validate(spec, source, "", 0.0)
        row = bindings.rows[-1]
        row["gates"] = GATE_MESSAGE | row["gates"] & GATE_VALIDATE
        weights.append(entry.weight)
    if len(weights) <= 1:
        return NONE
    return context.popularities.add(WeightedKeys(tuple(weights)))


def add_life(
    bindings: Bindings,
    context: Context,
    apis: LoweredApis,
    name: str,
    source: Source,
    api: str,
    route: str,
) -> int:
    """An upgrade, or what comes of the end of a connection; the row of its binding."""
    bindings.add(context, apis, name, source, api, route, "")
    if route == CONNECT:
        bindings.rows[-1]["gates"] |= GATE_UPGRADE
    else:
        bindings.rows[-1]["gates"] = GATE_DISCONNECT
    return len(bindings.rows) - 1


def add_posts(
    bindings: Bindings, context: Context, apis: LoweredApis, name: str, source: Source, api: str
) -> int:
    """What is pushed to the users of an API; the row of its binding."""
    bindings.add(context, apis, name, source, api, CONNECTIONS, "")
    bindings.rows[-1]["gates"] = GATE_POST
    return len(bindings.rows) - 1


def bind_push(bindings: Bindings, first: int, n_messages: int, route: str, push: int) -> None:
    """Have something pushed for each message of a source that a route has served.

    Parameters
    ----------
    bindings : Bindings
    first, n_messages : int
        Bindings of the source's messages.
    route : str
    push : int
        Row of the push.
    """
    for binding in range(first, first + n_messages):
        if bindings.labels[binding][1] == route:
            bindings.rows[binding]["push"] = push
