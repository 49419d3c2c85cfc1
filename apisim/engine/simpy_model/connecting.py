"""Connections and bandwidth in the golden model."""

from typing import TYPE_CHECKING

from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.callers import certificate_draw
from apisim.engine.calls import DRAWS_PER_ATTEMPT
from apisim.engine.flags import FLAG_NEW_CONNECTION
from apisim.engine.simpy_model.call import Call
from apisim.engine.tables import CLOSED, GATE_TLS, TRACE
from apisim.traffic.connections import (
    FREE,
    KEPT,
    SHARE,
    is_open,
    leave,
    open_connection,
    transfer_ns,
    use,
)

if TYPE_CHECKING:
    from apisim.engine.simpy_model.model import Model

__all__ = ["arrive_back", "has_bad_certificate", "set_out"]


def set_out(model: "Model", call: Call, round_trip_ns: int) -> int:
    """What a call's way takes besides its round trip [ns]."""
    source, binding = model.sources[call.source], model.bindings[call.binding]
    time_ns = 0
    if source.connects != FREE:
        time_ns = _connect(model, call, round_trip_ns)
    if source.kbps and binding.route >= 0:
        size = model.routes[binding.route].request_size
        sent = model.draws.amount(call, size, Purpose.REQUEST_SIZE)
        time_ns += int(transfer_ns(sent, source.kbps))
    if source.origin_rtt >= 0 and model.apis[binding.api].edge:
        origin_ns = model.draws.amount(call, source.origin_rtt, Purpose.ORIGIN)
        time_ns += origin_ns // 2
        call.back_ns += origin_ns - origin_ns // 2
    return time_ns


def _connect(model: "Model", call: Call, round_trip_ns: int) -> int:
    """Find a connection open, or open one; the time it takes [ns]."""
    source, connections = model.sources[call.source], model.state.connections
    at = -1
    if source.connects == SHARE:
        # A preflight has just come this way.
        if call.follows or _finds_one(model, call):
            call.is_new = False
            return 0
    elif source.connects == KEPT:
        at = _connection_of(model, call)
        if at >= 0 and is_open(connections[at], source.keep_alive_ns, model.now):
            call.is_new = False
            call.connection = at
            return int(use(connections[at], model.now))
    handshake_ns = source.handshake_trips * round_trip_ns
    handshake_ns += model.draws.amount(call, model.rules.tls_time, Purpose.TLS)
    call.flags |= FLAG_NEW_CONNECTION
    asks = model.bindings[call.binding].gates & GATE_TLS
    if at >= 0 and not (asks and has_bad_certificate(model, call)):
        call.connection = at
        open_connection(connections[at], model.now, handshake_ns)
    return int(handshake_ns)


def _finds_one(model: "Model", call: Call) -> bool:
    reuse = model.sources[call.source].reuse
    key = model.tables.draw_keys[call.source, Purpose.REUSE]
    return reuse > 0 and bool(uniform(key, call.entity, call.attempt * DRAWS_PER_ATTEMPT) < reuse)


def _connection_of(model: "Model", call: Call) -> int:
    """Row of a call's connection; -1 where nobody is known."""
    source = model.sources[call.source]
    caller = -1
    if call.person >= 0:
        caller = call.person
    elif source.kind == CLOSED:
        caller = call.user
    elif source.kind == TRACE:
        caller = call.client
    caller -= source.first_peer
    if not 0 <= caller < source.n_peers:
        return -1
    host = model.apis[model.bindings[call.binding].api].host
    return int(source.first_connection + caller * len(model.apis) + host)


def has_bad_certificate(model: "Model", call: Call) -> bool:
    """Whether the API will not have the caller's certificate."""
    tables = model.tables
    drawn = certificate_draw(
        tables.callers,
        model.sources[call.source].caller,
        call.person,
        tables.draw_keys[call.source, Purpose.CERTIFICATE],
        call.entity,
    )
    api = model.apis[model.bindings[call.binding].api]
    return bool(drawn < api.invalid_certificates)


def arrive_back(model: "Model", call: Call) -> None:
    """The answer leaves the gateway: its bytes take time, and the connection is used until then.

    A line that the timeline has changed counts for answers that were decided after that.
    """
    kbps = call.kbps if call.kbps >= 0 else model.sources[call.source].kbps
    call.kbps = -1
    if kbps:
        call.back_ns += int(transfer_ns(call.response_bytes, kbps))
    if call.connection >= 0:
        leave(model.state.connections[call.connection], model.now + call.back_ns)
