"""Connections and bandwidth in the compiled engine: what the way of few callers costs besides."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.draws.purposes import Purpose
from apisim.engine.callers import certificate_draw
from apisim.engine.compiled.sampling import draw_int, happens
from apisim.engine.flags import FLAG_NEW_CONNECTION
from apisim.engine.tables import CLOSED, GATE_TLS, NONE, TRACE
from apisim.engine.world import World
from apisim.traffic.connections import (
    EACH_CALL,
    FREE,
    SHARE,
    is_open,
    leave,
    open_connection,
    transfer_ns,
    use,
)

__all__ = ["arrive_back", "set_out"]

_REQUEST_SIZE: Final = constant(Purpose.REQUEST_SIZE)
_REUSE: Final = constant(Purpose.REUSE)
_ORIGIN: Final = constant(Purpose.ORIGIN)
_TLS: Final = constant(Purpose.TLS)
_CERTIFICATE: Final = constant(Purpose.CERTIFICATE)
_NEW: Final = constant(FLAG_NEW_CONNECTION)
_FREE: Final = constant(FREE)
_SHARE: Final = constant(SHARE)
_EACH_CALL: Final = constant(EACH_CALL)


@gate
def set_out(world: World, at: int, now_ns: int, round_trip_ns: int, follows: int) -> int:
    """What a call's way takes besides its round trip [ns]; ``follows``: after a preflight."""
    tables = world.tables
    slot = world.calendar.slots[at]
    source = tables.sources[slot["source"]]
    time_ns = 0
    if source["connects"] != _FREE:
        time_ns = _connect(world, at, now_ns, round_trip_ns, follows)
    if source["kbps"] > 0 and slot["route"] >= 0:
        size = draw_int(world, slot, tables.routes[slot["route"]]["request_size"], _REQUEST_SIZE)
        time_ns += transfer_ns(size, source["kbps"])
    if source["origin_rtt"] >= 0 and tables.apis[slot["api"]]["edge"] == 1:
        origin_ns = draw_int(world, slot, source["origin_rtt"], _ORIGIN)
        time_ns += origin_ns // 2
        slot["back_ns"] += origin_ns - origin_ns // 2
    return time_ns


@gate
def _connect(world: World, at: int, now_ns: int, round_trip_ns: int, follows: int) -> int:
    """Find a connection open, or open one; the time it takes [ns]."""
    slot = world.calendar.slots[at]
    source = world.tables.sources[slot["source"]]
    found = NONE
    if source["connects"] == _SHARE:
        if follows == 1 or happens(world, slot, source["reuse"], _REUSE):
            world.calendar.patience[at]["is_new"] = 0
            return 0
    elif source["connects"] != _EACH_CALL:
        found = _connection_of(world, at)
        if found >= 0 and is_open(world.state.connections[found], source["keep_alive_ns"], now_ns):
            world.calendar.patience[at]["is_new"] = 0
            world.calendar.patience[at]["connection"] = found
            return use(world.state.connections[found], now_ns)
    handshake_ns = source["handshake_trips"] * round_trip_ns
    handshake_ns += draw_int(world, slot, world.tables.rules[0]["tls_time"], _TLS)
    slot["flags"] |= _NEW
    if found >= 0 and not _is_refused(world, at):
        world.calendar.patience[at]["connection"] = found
        open_connection(world.state.connections[found], now_ns, handshake_ns)
    return handshake_ns  # type: ignore[no-any-return]


@gate
def _connection_of(world: World, at: int) -> int:
    """Row of a call's connection; ``NONE`` where nobody is known."""
    tables = world.tables
    slot = world.calendar.slots[at]
    source = tables.sources[slot["source"]]
    caller = NONE
    if source["caller"] >= 0 and slot["person"] >= 0:
        caller = slot["person"]
    elif source["kind"] == CLOSED:
        caller = slot["user"]
    elif source["kind"] == TRACE:
        caller = slot["client"]
    caller -= source["first_peer"]
    if caller < 0 or caller >= source["n_peers"]:
        return NONE
    host = tables.apis[slot["api"]]["host"]
    return source["first_connection"] + caller * tables.apis.shape[0] + host  # type: ignore[no-any-return]


@gate
def _is_refused(world: World, at: int) -> bool:
    """Whether the API will not have the caller's certificate: then no connection comes about."""
    tables = world.tables
    slot = world.calendar.slots[at]
    if tables.bindings[slot["binding"]]["gates"] & GATE_TLS == 0:
        return False
    drawn = certificate_draw(
        tables.callers,
        tables.sources[slot["source"]]["caller"],
        slot["person"],
        tables.draw_keys[slot["source"], _CERTIFICATE],
        slot["entity"],
    )
    return drawn < tables.apis[slot["api"]]["invalid_certificates"]  # type: ignore[no-any-return]


@gate
def arrive_back(world: World, at: int, answered_ns: int) -> None:
    """The answer leaves the gateway: its bytes take time, and the connection is used until then."""
    slot = world.calendar.slots[at]
    source = world.tables.sources[slot["source"]]
    if source["kbps"] > 0:
        slot["back_ns"] += transfer_ns(slot["response_bytes"], source["kbps"])
    connection = world.calendar.patience[at]["connection"]
    if connection >= 0:
        leave(world.state.connections[connection], answered_ns + slot["back_ns"])
