"""Users of a WebSocket API in the compiled engine: they connect, send, are cut off and come back.

Read ``engine/simpy_model/sessions.py`` first. A session has at most one event of its own in the
calendar; what makes that event stale gives the session's row another generation.
"""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.draws.sampling import sample_int
from apisim.engine.calls import pick_binding
from apisim.engine.compiled.calendar import (
    RANK_ARRIVAL,
    major_word,
    minor_word,
    schedule,
    schedule_slot,
)
from apisim.engine.compiled.issue import issue_call, travel
from apisim.engine.compiled.sockets import close, message_size, phase_of
from apisim.engine.compiled.stages import STAGE_DOOR, STAGE_LEAVE, STAGE_SESSION, STAGE_USER_COMES
from apisim.engine.connection_records import CLOSE_LEFT
from apisim.engine.tables import NONE
from apisim.engine.world import World
from apisim.gateway.sockets import let_go
from apisim.traffic.arrivals import NEVER, next_arrival
from apisim.traffic.connections import transfer_ns
from apisim.traffic.retries import SEEN_RETRYABLE, backoff_ns, needs_draw

__all__ = ["go_on", "hear_of_answer", "hear_of_close", "leave", "user_comes"]

_ARRIVAL: Final = constant(Purpose.ARRIVAL)
_SOJOURN: Final = constant(Purpose.SOJOURN)
_ROUTE: Final = constant(Purpose.ROUTE)
_LENGTH: Final = constant(Purpose.SESSION_LENGTH)
_AWAY: Final = constant(Purpose.AWAY)
_GAP: Final = constant(Purpose.MESSAGE_GAP)
_FIRST_MESSAGE: Final = constant(Purpose.FIRST_MESSAGE)
_RECONNECT: Final = constant(Purpose.RECONNECT)

#: States of a session: what its event is.
_TO_CONNECT: Final = constant(0)
_ANSWERED: Final = constant(1)  # the answer to its upgrade reaches it
_ONLINE: Final = constant(2)  # it sends or leaves

_NOBODY: Final = constant(NONE)
_FIRST: Final = constant(0)
_RARE: Final = constant(1)
_BEFORE: Final = constant(0)
_LEAVES: Final = constant(3)  # in place of an attempt


@gate
def user_comes(world: World, source: int, now_ns: int) -> int:
    """A new user; the slot of its upgrade if that stands at the door at once, else ``NONE``."""
    tables, calendar, _, state, _ = world
    flows = state.flows
    number = flows[source]["n_arrivals"]  # those drawn so far, this one included
    keys = tables.draw_keys[source]
    due_ns = next_arrival(flows, tables.pieces, source, keys[_ARRIVAL], keys[_SOJOURN])
    if due_ns != NEVER:
        major, minor = major_word(RANK_ARRIVAL, source, 0), minor_word(number, 0)
        schedule(calendar, due_ns, major, minor, STAGE_USER_COMES, source, 0)
    sessions = state.sessions
    clock = sessions.clock[0]
    at = clock["free"]
    mine = sessions.rows[at]
    clock["free"] = mine["state"]
    clock["n_free"] -= 1
    mine["source"] = source
    mine["user"] = number
    mine["ordinal"] = 0
    _begin_anew(world, at)
    return _connect(world, at, now_ns)


@gate
def _begin_anew(world: World, at: int) -> None:
    """Its user has not been online yet, or not again."""
    tables, mine = world.tables, world.state.sessions.rows[at]
    spec = tables.sessions[tables.sources[mine["source"]]["sessions"]]
    mine["state"] = _TO_CONNECT
    mine["begun"] = 0
    mine["end_ns"] = spec["until_ns"]
    mine["next_ns"] = NEVER
    mine["left"] = spec["messages"]
    mine["tries"] = 0
    mine["wait_ns"] = 0


@gate
def _schedule(world: World, at: int, time_ns: int) -> None:
    """The session's next step."""
    mine = world.state.sessions.rows[at]
    schedule(
        world.calendar,
        time_ns,
        major_word(RANK_ARRIVAL, mine["source"], mine["user"]),
        minor_word(mine["ordinal"], 0),
        STAGE_SESSION,
        at,
        mine["generation"],
    )


@gate
def _connect(world: World, at: int, now_ns: int) -> int:
    tables, calendar = world.tables, world.calendar
    mine = world.state.sessions.rows[at]
    source = mine["source"]
    spec = tables.sessions[tables.sources[source]["sessions"]]
    phase = phase_of(world, source, now_ns)
    binding = spec["upgrade"]
    taken = issue_call(world, source, mine["user"], mine["ordinal"], binding, phase, now_ns)
    mine["ordinal"] += 2  # one is kept for its $disconnect
    mine["state"] = _ANSWERED
    calendar.patience[taken]["session"] = at
    return taken if travel(world, taken, now_ns, _BEFORE, _RARE) else _NOBODY


@gate
def hear_of_answer(world: World, at: int, known_ns: int, now_ns: int) -> None:
    """The answer to the upgrade in slot ``at`` reaches its client at ``known_ns``."""
    calendar = world.calendar
    slot, kept = calendar.slots[at], calendar.patience[at]
    mine = world.state.sessions.rows[kept["session"]]
    mine["socket"] = kept["socket"]
    mine["upgrade"] = slot["ordinal"]
    mine["entity"] = slot["entity"]
    if known_ns == now_ns:
        _know(world, kept["session"], now_ns)
        return
    schedule(
        calendar,
        known_ns,
        major_word(RANK_ARRIVAL, slot["source"], slot["user"]),
        minor_word(slot["ordinal"], 0),
        STAGE_SESSION,
        kept["session"],
        mine["generation"],
    )


@gate
def go_on(world: World, at: int, now_ns: int) -> int:
    """A session's event; a slot that stands at the door at once, or ``NONE``."""
    mine = world.state.sessions.rows[at]
    if mine["state"] == _TO_CONNECT:
        return _connect(world, at, now_ns)
    if mine["state"] == _ANSWERED:
        _know(world, at, now_ns)
        return _NOBODY
    if now_ns >= mine["end_ns"]:
        _hang_up(world, at, now_ns)
        return _NOBODY
    return _send(world, at, now_ns)


@gate
def _know(world: World, at: int, now_ns: int) -> None:
    """The client knows what has become of its upgrade."""
    mine = world.state.sessions.rows[at]
    if mine["socket"] < 0:
        mine["tries"] += 1
        _come_back(world, at, now_ns)
        return
    mine["tries"] = 0
    mine["wait_ns"] = 0
    if mine["begun"] == 0:
        _begin(world, at, now_ns)
    mine["state"] = _ONLINE
    _stay(world, at, now_ns)


@gate
def _begin(world: World, at: int, now_ns: int) -> None:
    """The user is connected for the first time: how long it stays, and when it sends."""
    tables = world.tables
    dists, values = tables.dists, tables.dist_values
    mine = world.state.sessions.rows[at]
    spec = tables.sessions[tables.sources[mine["source"]]["sessions"]]
    keys = tables.draw_keys[mine["source"]]
    entity = mine["entity"]
    mine["begun"] = 1
    if spec["length"] >= 0:
        length_ns = sample_int(dists, values, spec["length"], keys[_LENGTH], entity, _FIRST)
        mine["end_ns"] = min(mine["end_ns"], now_ns + length_ns)
    if spec["gap"] >= 0 and mine["left"] > 0:
        gap_ns = sample_int(dists, values, spec["gap"], keys[_GAP], entity, _FIRST)
        if spec["even"] == 1:
            gap_ns = int(uniform(keys[_FIRST_MESSAGE], entity, _FIRST) * gap_ns)
        mine["next_ns"] = now_ns + gap_ns


@gate
def _stay(world: World, at: int, now_ns: int) -> None:
    """Until the next message, which is sent now if it was due while nobody was connected."""
    mine = world.state.sessions.rows[at]
    due_ns = max(min(mine["next_ns"], mine["end_ns"]), now_ns)
    if due_ns < NEVER:
        _schedule(world, at, due_ns)


@gate
def _send(world: World, at: int, now_ns: int) -> int:
    tables, calendar, _, state, _ = world
    mine = state.sessions.rows[at]
    at_source = mine["source"]
    source = tables.sources[at_source]
    keys = tables.draw_keys[at_source]
    entity = state.issued[at_source]
    binding = pick_binding(
        source, tables.popularities, tables.popularity_cells, keys[_ROUTE], entity
    )
    phase = phase_of(world, at_source, now_ns)
    taken = issue_call(world, at_source, mine["user"], mine["ordinal"], binding, phase, now_ns)
    mine["ordinal"] += 1
    row = state.sockets.rows[mine["socket"]]
    kept = calendar.patience[taken]
    kept["socket"] = mine["socket"]
    kept["serial"] = row["serial"]
    spec = tables.sessions[source["sessions"]]
    mine["left"] -= 1
    mine["next_ns"] = NEVER
    if mine["left"] > 0:
        dists, values = tables.dists, tables.dist_values
        gap_ns = sample_int(dists, values, spec["gap"], keys[_GAP], entity, _FIRST)
        mine["next_ns"] = now_ns + gap_ns
    _stay(world, at, now_ns)
    there_ns = row["there_ns"]
    if source["kbps"] > 0:
        there_ns += transfer_ns(message_size(world, taken), source["kbps"])
    if there_ns == 0:
        return taken
    schedule_slot(calendar, now_ns + there_ns, RANK_ARRIVAL, STAGE_DOOR, taken)
    return _NOBODY


@gate
def _hang_up(world: World, at: int, now_ns: int) -> None:
    """The user leaves: the gateway knows when its close frame has come."""
    mine = world.state.sessions.rows[at]
    row = world.state.sockets.rows[mine["socket"]]
    schedule(
        world.calendar,
        now_ns + row["there_ns"],
        major_word(RANK_ARRIVAL, mine["source"], mine["user"]),
        minor_word(mine["upgrade"], _LEAVES),
        STAGE_LEAVE,
        mine["socket"],
        row["uses"],
    )
    let_go(world.state.sockets, mine["socket"])
    mine["generation"] += 1
    _go_away(world, at, now_ns)


@gate
def leave(world: World, at: int, now_ns: int) -> None:
    """A client's close frame has come."""
    close(world, at, CLOSE_LEFT, now_ns)


@gate
def hear_of_close(world: World, at: int, now_ns: int) -> None:
    """The gateway has closed the connection, and its client knows now."""
    mine = world.state.sessions.rows[at]
    let_go(world.state.sockets, mine["socket"])
    mine["generation"] += 1
    _come_back(world, at, now_ns)


@gate
def _come_back(world: World, at: int, now_ns: int) -> None:
    """Nobody is connected: the client tries again after a wait, or the user has had enough."""
    tables = world.tables
    mine = world.state.sessions.rows[at]
    spec = tables.sessions[tables.sources[mine["source"]]["sessions"]]
    if spec["reconnect"] >= 0:
        client = tables.clients[spec["reconnect"]]
        if mine["tries"] <= client["max_retries"]:
            drawn = 0.0
            if needs_draw(client):
                key = tables.draw_keys[mine["source"], _RECONNECT]
                drawn = uniform(key, mine["entity"], _FIRST)
            # After a loss the first wait is before any failure, at first it is after one.
            tries = mine["tries"] + mine["begun"]
            wait_ns = backoff_ns(client, tries, SEEN_RETRYABLE, mine["wait_ns"], drawn)
            mine["wait_ns"] = wait_ns
            if now_ns + wait_ns < mine["end_ns"]:
                mine["state"] = _TO_CONNECT
                _schedule(world, at, now_ns + wait_ns)
                return
            _go_away(world, at, mine["end_ns"])
            return
    _go_away(world, at, now_ns)


@gate
def _go_away(world: World, at: int, over_ns: int) -> None:
    """The session is over at a time, now or later; its user comes again, or not."""
    tables = world.tables
    sessions = world.state.sessions
    mine = sessions.rows[at]
    spec = tables.sessions[tables.sources[mine["source"]]["sessions"]]
    if spec["away"] >= 0:
        key = tables.draw_keys[mine["source"], _AWAY]
        dists, values = tables.dists, tables.dist_values
        away_ns = sample_int(dists, values, spec["away"], key, mine["entity"], _FIRST)
        if over_ns + away_ns < spec["until_ns"]:
            _begin_anew(world, at)
            _schedule(world, at, over_ns + away_ns)
            return
    mine["generation"] += 1
    clock = sessions.clock[0]
    mine["state"] = clock["free"]
    clock["free"] = at
    clock["n_free"] += 1
