"""Connections of WebSocket APIs in the compiled engine: the upgrade, messages, and the end."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.draws.discrete import sample_key
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.compiled.calendar import (
    RANK_ARRIVAL,
    RANK_GIVE_UP,
    at_once,
    major_word,
    minor_word,
    schedule,
)
from apisim.engine.compiled.issue import issue_call
from apisim.engine.compiled.sampling import draw_int, happens
from apisim.engine.compiled.stages import (
    STAGE_DONE,
    STAGE_DOOR,
    STAGE_NO_ROUTE,
    STAGE_NOTICE,
    STAGE_PASSED,
    STAGE_REFUSE,
    STAGE_THROTTLE,
    STAGE_WATCH,
)
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
from apisim.engine.tables import NONE
from apisim.engine.world import World
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

__all__ = [
    "answer_message",
    "close",
    "end_disconnect",
    "let_in",
    "message_size",
    "pass_outage",
    "phase_of",
    "receive",
    "topic_of",
    "watch",
]

_RTT: Final = constant(Purpose.RTT)
_TOPIC: Final = constant(Purpose.TOPIC)
_BINARY: Final = constant(Purpose.BINARY)
_REQUEST_SIZE: Final = constant(Purpose.REQUEST_SIZE)
_DISCONNECT_LOST: Final = constant(Purpose.DISCONNECT_LOST)
_CONNECTED: Final = constant(Answer.CONNECTED)
_UNAVAILABLE: Final = constant(Answer.UNAVAILABLE)
_SERVED: Final = constant(Answer.SERVED)
_BINARY_FRAME: Final = constant(Answer.BINARY_FRAME)
_FRAME_TOO_LARGE: Final = constant(Answer.FRAME_TOO_LARGE)
_NOWHERE: Final = constant(NONE)
_MESSAGE: Final = constant(MESSAGE_BYTES)
_FRAME: Final = constant(FRAME_BYTES)
_FIRST: Final = constant(0)
_NOTICE: Final = constant(1)  # in place of an attempt


@gate
def phase_of(world: World, source: int, now_ns: int) -> int:
    """The phase that a source is in, its last one after its end."""
    tables, _, _, state, _ = world
    piece = state.phase_piece[source]
    last = tables.sources[source]["last_piece"]
    while tables.pieces[piece]["end_ns"] <= now_ns and piece + 1 < last:
        piece += 1
    state.phase_piece[source] = piece
    return tables.pieces[piece]["phase"]  # type: ignore[no-any-return]


@gate
def topic_of(world: World, source: int, user: int) -> int:
    """List of the topic that a user follows; ``NONE`` where there are none."""
    tables = world.tables
    spec = tables.sessions[tables.sources[source]["sessions"]]
    if spec["topics"] < 0:
        return _NOWHERE
    key = tables.draw_keys[source, _TOPIC]
    cells = tables.popularity_cells
    drawn = sample_key(tables.popularities, cells, spec["topics"], key, user, _FIRST)
    return spec["first_topic"] + drawn  # type: ignore[no-any-return]


@gate
def pass_outage(world: World, at: int, now_ns: int) -> int:
    """Nobody is let in while the timeline says so; the next stage."""
    slot = world.calendar.slots[at]
    if now_ns < world.state.outage_until[slot["api"]]:
        slot["answer"] = _UNAVAILABLE
        return STAGE_REFUSE
    return STAGE_PASSED


@gate
def let_in(world: World, at: int, now_ns: int) -> None:
    """What ``$connect`` answered lets the client in, or not."""
    tables, calendar, _, state, recorder = world
    slot, mine = calendar.slots[at], calendar.patience[at]
    mine["socket"] = NONE
    if not is_upgraded(tables.status[tables.apis[slot["api"]]["type"], slot["answer"]]):
        return
    slot["answer"] = _CONNECTED
    source = tables.sources[slot["source"]]
    spec = tables.sessions[source["sessions"]]
    topic = topic_of(world, slot["source"], slot["user"])
    opened = open_socket(state.sockets, now_ns, spec["list"], topic, spec["listed"])
    row = state.sockets.rows[opened]
    row["source"] = slot["source"]
    row["user"] = slot["user"]
    row["ordinal"] = slot["ordinal"]
    row["entity"] = slot["entity"]
    row["phase"] = slot["phase"]
    row["session"] = mine["session"]
    row["generation"] = state.sessions.rows[mine["session"]]["generation"]
    rtt_ns = _FIRST
    if source["rtt"] >= 0:
        rtt_ns = draw_int(world, slot, source["rtt"], _RTT)
    row["there_ns"] = rtt_ns // 2
    row["back_ns"] = rtt_ns - rtt_ns // 2
    mine["socket"] = opened
    mine["serial"] = row["serial"]
    hold(state.sockets, opened)  # as long as its user takes it to be open
    record_opened(recorder.connections, slot["api"], now_ns)
    _watch_again(world, opened, now_ns)


@gate
def _due_ns(world: World, at: int, now_ns: int) -> int:
    tables, rows = world.tables, world.state.sockets.rows
    rules = tables.rules[0]
    spec = tables.sessions[tables.sources[rows[at]["source"]]["sessions"]]
    idle_ns, age_ns = rules["socket_idle_ns"], rules["socket_age_ns"]
    return due_ns(rows[at], now_ns, idle_ns, age_ns, spec["pings_ns"])


@gate
def _watch_again(world: World, at: int, now_ns: int) -> None:
    row = world.state.sockets.rows[at]
    schedule(
        world.calendar,
        _due_ns(world, at, now_ns),
        major_word(RANK_GIVE_UP, row["source"], row["user"]),
        minor_word(row["ordinal"], 0),
        STAGE_WATCH,
        at,
        row["uses"],
    )


@gate
def watch(world: World, at: int, now_ns: int) -> None:
    """Close a connection that is too old, or has been idle for too long."""
    if now_ns < _due_ns(world, at, now_ns):
        _watch_again(world, at, now_ns)
        return
    age_ns = now_ns - world.state.sockets.rows[at]["opened_ns"]
    is_old = age_ns >= world.tables.rules[0]["socket_age_ns"]
    close(world, at, CLOSE_AGE if is_old else CLOSE_IDLE, now_ns)


@gate
def close(world: World, at: int, reason: int, now_ns: int) -> None:
    """The gateway closes a connection, or learns that its client has."""
    tables, calendar, _, state, recorder = world
    row = state.sockets.rows[at]
    source = row["source"]
    user = row["user"]
    ordinal = row["ordinal"]
    phase = row["phase"]
    serial = row["serial"]
    entity = row["entity"]
    spec = tables.sessions[tables.sources[source]["sessions"]]
    record_closed(recorder.connections, spec["api"], phase, now_ns, row["opened_ns"], reason)
    if reason != CLOSE_LEFT:
        schedule(
            calendar,
            now_ns + row["back_ns"],
            major_word(RANK_ARRIVAL, source, user),
            minor_word(ordinal, _NOTICE),
            STAGE_NOTICE,
            row["session"],
            row["generation"],
        )
    close_socket(state.sockets, at)
    if spec["disconnect"] < 0:
        return  # the application never learns of it
    key = tables.draw_keys[source, _DISCONNECT_LOST]
    if uniform(key, entity, _FIRST) >= tables.rules[0]["disconnect_delivery"]:
        record_lost_disconnect(recorder.connections, spec["api"], now_ns)
        return
    taken = issue_call(world, source, user, ordinal + 1, spec["disconnect"], phase, now_ns)
    calendar.patience[taken]["socket"] = at
    calendar.patience[taken]["serial"] = serial
    at_once(calendar, STAGE_DOOR, taken)


@gate
def end_disconnect(world: World, at: int) -> None:
    """``$disconnect`` has been called: the application strikes the connection out."""
    tables, calendar, _, state, _ = world
    slot, mine = calendar.slots[at], calendar.patience[at]
    slot["response_bytes"] = 0
    slot["back_ns"] = 0
    status = tables.status[tables.apis[slot["api"]]["type"], slot["answer"]]
    if state.sockets.rows[mine["socket"]]["serial"] == mine["serial"] and is_upgraded(status):
        strike_out(state.sockets, mine["socket"])


@gate
def message_size(world: World, at: int) -> int:
    """Size of a message [bytes]."""
    tables = world.tables
    slot = world.calendar.slots[at]
    own = tables.sources[slot["source"]]["message_size"]
    if own >= 0:
        return draw_int(world, slot, own, _REQUEST_SIZE)
    if slot["route"] < 0:
        return _FIRST
    return draw_int(world, slot, tables.routes[slot["route"]]["request_size"], _REQUEST_SIZE)


@gate
def receive(world: World, at: int, now_ns: int) -> int:
    """A message at the gateway's door: its connection may have gone, or goes for its sake."""
    tables, calendar, _, state, _ = world
    slot, mine = calendar.slots[at], calendar.patience[at]
    spec = tables.sessions[tables.sources[slot["source"]]["sessions"]]
    is_open = is_same(state.sockets, mine["socket"], mine["serial"])
    judged = judge_message(
        is_open,
        happens(world, slot, spec["binary"], _BINARY),
        message_size(world, at),
        spec["max_frame"],
        _MESSAGE,
        _FRAME,
    )
    if is_open:
        touch(state.sockets, mine["socket"], now_ns)
    if judged == _BINARY_FRAME:
        close(world, mine["socket"], CLOSE_BINARY, now_ns)
    elif judged == _FRAME_TOO_LARGE:
        close(world, mine["socket"], CLOSE_TOO_LARGE, now_ns)
    if judged != _SERVED:
        slot["answer"] = judged
        return STAGE_DONE
    return STAGE_NO_ROUTE if slot["route"] < 0 else STAGE_THROTTLE


@gate
def answer_message(world: World, at: int, now_ns: int) -> bool:
    """What is sent back for a message, if anything: a frame of the gateway, the route response."""
    tables, calendar, _, state, recorder = world
    slot, mine = calendar.slots[at], calendar.patience[at]
    replies = _FIRST
    if slot["route"] >= 0:
        replies = tables.routes[slot["route"]]["replies"]
    is_open = is_same(state.sockets, mine["socket"], mine["serial"])
    body = tables.body[tables.apis[slot["api"]]["type"], slot["answer"]]
    response_bytes = slot["response_bytes"] if slot["answer"] == _SERVED else _FIRST
    size = reply_bytes(slot["answer"], replies, body, response_bytes, is_open)
    slot["response_bytes"] = 0
    slot["back_ns"] = 0
    if size == NOTHING:
        if replies == 1 and slot["answer"] == _SERVED:
            record_undelivered_reply(recorder.connections, slot["api"], slot["arrival_ns"])
        return False
    touch(state.sockets, mine["socket"], now_ns)
    slot["response_bytes"] = size
    slot["back_ns"] = state.sockets.rows[mine["socket"]]["back_ns"]
    kbps = tables.sources[slot["source"]]["kbps"]
    if kbps > 0:
        slot["back_ns"] += transfer_ns(size, kbps)
    return True
