"""Connections of WebSocket APIs in the golden model: the upgrade, messages, and the end."""

from typing import TYPE_CHECKING

import simpy

from apisim.draws.discrete import sample_key
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.connection_records import (
    CLOSE_AGE,
    CLOSE_BINARY,
    CLOSE_IDLE,
    CLOSE_LEFT,
    CLOSE_TOO_LARGE,
    record_closed,
    record_lost_disconnect,
    record_opened,
    record_undelivered_reply,
)
from apisim.engine.frames import NOTHING, is_upgraded, judge_message, reply_bytes
from apisim.engine.simpy_model.call import Call, Refused
from apisim.engine.simpy_model.environment import ARRIVAL, GIVE_UP, Process
from apisim.engine.simpy_model.validate import pass_validation
from apisim.engine.tables import GATE_VALIDATE
from apisim.gateway.sockets import (
    FRAME_BYTES,
    MESSAGE_BYTES,
    close_socket,
    due_ns,
    hold,
    is_same,
    open_socket,
    strike_out,
    touch,
)
from apisim.gateway.status import Answer
from apisim.traffic.connections import transfer_ns

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway
    from apisim.engine.simpy_model.model import Model

__all__ = ["close", "hang_up", "message", "open_connection", "pass_outage", "topic_of"]


def topic_of(model: "Model", source: int, user: int) -> int:
    """List of the topic that a user follows; -1 where there are none."""
    tables = model.tables
    spec = model.sessions[model.sources[source].sessions]
    if spec.topics < 0:
        return -1
    key = tables.draw_keys[source, Purpose.TOPIC]
    cells = tables.popularity_cells
    drawn = sample_key(tables.popularities, cells, spec.topics, key, user, 0)
    return int(spec.first_topic + drawn)


def pass_outage(gateway: "Gateway", call: Call) -> None:
    """Nobody is let in while the timeline says so."""
    model = gateway.model
    if model.now < model.state.outage_until[gateway.binding(call).api]:
        raise Refused(Answer.UNAVAILABLE)


def open_connection(gateway: "Gateway", call: Call) -> None:
    """What ``$connect`` answered lets the client in, or not."""
    model = gateway.model
    api = gateway.binding(call).api
    if not is_upgraded(model.tables.status[model.apis[api].type, call.answer]):
        return
    call.answer = Answer.CONNECTED
    source = model.sources[call.source]
    spec = model.sessions[source.sessions]
    model.make_room_for_sockets()
    topic = topic_of(model, call.source, call.user)
    at = int(open_socket(model.sockets, model.now, spec.list, topic, spec.listed))
    row = model.sockets.rows[at]
    row["source"], row["user"], row["ordinal"] = call.source, call.user, call.ordinal
    row["entity"], row["phase"] = call.entity, call.phase
    rtt_ns = model.draws.amount(call, source.rtt, Purpose.RTT) if source.rtt >= 0 else 0
    row["there_ns"], row["back_ns"] = rtt_ns // 2, rtt_ns - rtt_ns // 2
    call.socket, call.serial = at, int(row["serial"])
    hold(model.sockets, at)  # as long as its user takes it to be open
    record_opened(model.recorder.connections, api, model.now)
    model.env.process(_watch(model, at, call.serial, call))


def _watch(model: "Model", at: int, serial: int, call: Call) -> Process:
    """Close a connection that is too old, or has been idle for too long."""
    spec = model.sessions[model.sources[call.source].sessions]
    while True:
        due = _due_ns(model, at, spec.pings_ns)
        yield model.env.moment(due, GIVE_UP, call.address)
        if not is_same(model.sockets, at, serial):
            return
        if model.now >= _due_ns(model, at, spec.pings_ns):
            age_ns = model.now - int(model.sockets.rows[at]["opened_ns"])
            is_old = age_ns >= model.rules.socket_age_ns
            close(model, at, CLOSE_AGE if is_old else CLOSE_IDLE)
            return


def _due_ns(model: "Model", at: int, pings_ns: int) -> int:
    rules = model.rules
    row = model.sockets.rows[at]
    return int(due_ns(row, model.now, rules.socket_idle_ns, rules.socket_age_ns, pings_ns))


def close(model: "Model", at: int, reason: int) -> None:
    """The gateway closes a connection, or learns that its client has."""
    row = model.sockets.rows[at]
    source, user, ordinal = int(row["source"]), int(row["user"]), int(row["ordinal"])
    serial, phase = int(row["serial"]), int(row["phase"])
    spec = model.sessions[model.sources[source].sessions]
    record_closed(
        model.recorder.connections,
        spec.api,
        phase,
        model.now,
        row["opened_ns"],
        reason,
    )
    if reason != CLOSE_LEFT:
        notice = model.env.moment(
            model.now + int(row["back_ns"]), ARRIVAL, (source, user, ordinal, 1)
        )
        member = model.members.get((source, user))
        if member is not None:  # else its user has left in the meantime
            notice.callbacks.append(lambda _: member.hear_of_close(serial))
    entity = int(row["entity"])
    close_socket(model.sockets, at)
    if spec.disconnect < 0:
        return  # the application never learns of it
    key = model.tables.draw_keys[source, Purpose.DISCONNECT_LOST]
    if uniform(key, entity, 0) >= model.rules.disconnect_delivery:
        record_lost_disconnect(model.recorder.connections, spec.api, model.now)
        return
    k = int(model.state.issued[source])
    model.state.issued[source] = k + 1
    call = Call(source, user, ordinal + 1, k, spec.disconnect, phase, model.now)
    call.socket, call.serial = at, serial
    begins = model.env.event()
    begins.succeed()
    model.env.process(_disconnect(model.gateway, model.admit(call), begins))


def _disconnect(gateway: "Gateway", call: Call, begins: simpy.Event) -> Process:
    """``$disconnect``: nobody waits for it; the application strikes the connection out."""
    yield begins
    model = gateway.model
    call.door_ns = model.now
    route = model.routes[gateway.binding(call).route]
    try:
        yield from gateway.integrate(call, route)
    except Refused as refusal:
        call.answer = refusal.answer
    call.gateway_ns = model.now - call.door_ns
    call.response_bytes = 0
    api = model.apis[gateway.binding(call).api]
    row = model.sockets.rows[call.socket]
    if row["serial"] == call.serial and is_upgraded(model.tables.status[api.type, call.answer]):
        strike_out(model.sockets, call.socket)
    model.record(call)


def hang_up(model: "Model", upgrade: Call) -> None:
    """A client leaves: the gateway knows when its close frame has come."""
    there_ns = int(model.sockets.rows[upgrade.socket]["there_ns"])
    model.env.process(_hang_up(model, upgrade, there_ns))


def _hang_up(model: "Model", upgrade: Call, there_ns: int) -> Process:
    address = (upgrade.source, upgrade.user, upgrade.ordinal, 3)
    yield model.env.moment(model.now + there_ns, ARRIVAL, address)
    if is_same(model.sockets, upgrade.socket, upgrade.serial):
        close(model, upgrade.socket, CLOSE_LEFT)


def message(gateway: "Gateway", call: Call) -> Process:
    """One message of a client, and what goes back to it if anything does."""
    model = gateway.model
    source = model.sources[call.source]
    size = 0
    dist = model.size_of(call)
    if dist >= 0:
        size = model.draws.amount(call, dist, Purpose.REQUEST_SIZE)
    there_ns = int(model.sockets.rows[call.socket]["there_ns"])
    if source.kbps:
        there_ns += int(transfer_ns(size, source.kbps))
    yield from model.wait(call, there_ns, ARRIVAL)
    call.door_ns = model.now
    gates = gateway.binding(call).gates
    try:
        _receive(gateway, call, size)
        route = gateway.route(call)
        gateway.throttle(call)
        yield from gateway.overhead(call)
        if gates & GATE_VALIDATE:
            yield from pass_validation(gateway, call)
        yield from gateway.integrate(call, route)
        _answer(gateway, call)
    except Refused as refusal:
        call.answer = refusal.answer
        _answer(gateway, call)
        if not refusal.at_once:
            yield from gateway.refuse(call)
    call.gateway_ns = model.now - call.door_ns
    if call.answer == Answer.SERVED and gateway.binding(call).push >= 0:
        model.arise(gateway.binding(call).push, call)
    yield from model.wait(call, call.back_ns, ARRIVAL)
    model.record(call)


def _receive(gateway: "Gateway", call: Call, size: int) -> None:
    """A message at the gateway's door: its connection may have gone, or goes for its sake."""
    model = gateway.model
    spec = model.sessions[model.sources[call.source].sessions]
    is_open = bool(is_same(model.sockets, call.socket, call.serial))
    is_binary = model.draws.happens(call, spec.binary, Purpose.BINARY)
    judged = judge_message(is_open, is_binary, size, spec.max_frame, MESSAGE_BYTES, FRAME_BYTES)
    if is_open:
        touch(model.sockets, call.socket, model.now)
    if judged == Answer.BINARY_FRAME:
        close(model, call.socket, CLOSE_BINARY)
    elif judged == Answer.FRAME_TOO_LARGE:
        close(model, call.socket, CLOSE_TOO_LARGE)
    if judged != Answer.SERVED:
        raise Refused(Answer(judged), at_once=True)


def _answer(gateway: "Gateway", call: Call) -> None:
    """What is sent back for a message: a frame of the gateway's own, the route response, nothing.

    It is decided when the gateway knows how the message has ended.
    """
    model, tables = gateway.model, gateway.model.tables
    binding = gateway.binding(call)
    replies = model.routes[binding.route].replies if binding.route >= 0 else 0
    is_open = bool(is_same(model.sockets, call.socket, call.serial))
    body = int(tables.body[model.apis[binding.api].type, call.answer])
    size = int(reply_bytes(call.answer, replies, body, call.response_bytes, is_open))
    call.replied = size != NOTHING
    call.back_ns = call.response_bytes = 0
    if not call.replied:
        if replies and call.answer == Answer.SERVED:
            connections = model.recorder.connections
            record_undelivered_reply(connections, binding.api, call.arrival_ns)
        return
    touch(model.sockets, call.socket, model.now)
    call.response_bytes = size
    call.back_ns = int(model.sockets.rows[call.socket]["back_ns"])
    kbps = model.sources[call.source].kbps
    if kbps:
        call.back_ns += int(transfer_ns(size, kbps))
