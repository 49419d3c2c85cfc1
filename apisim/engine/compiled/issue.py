"""Calls come into being: open sources, traces and closed users in the compiled engine."""

from typing import Final

import numpy as np

from apisim.arrays.heap import heap_pop, heap_replace
from apisim.arrays.jit import constant, gate, part
from apisim.draws.purposes import Purpose
from apisim.engine.callers import (
    address_of,
    customer_of,
    key_of,
    person_of,
    token_of,
    token_shown,
)
from apisim.engine.calls import pick_binding
from apisim.engine.compiled.calendar import (
    RANK_ARRIVAL,
    major_word,
    minor_word,
    schedule_slot,
    take_slot,
)
from apisim.engine.compiled.clients import await_answer, begin_call
from apisim.engine.compiled.connecting import set_out
from apisim.engine.compiled.preflights import ask_first, take_permission
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.compiled.stages import STAGE_DOOR, STAGE_SOURCE, STAGE_WAIT
from apisim.engine.recorder import CACHE_NONE
from apisim.engine.tables import CLOSED, NONE, SESSIONS, TRACE
from apisim.engine.world import World
from apisim.traffic.arrivals import NEVER, next_arrival

__all__ = [
    "issue_call",
    "issue_from_source",
    "issue_from_user",
    "reissue_call",
    "resend_call",
    "send_actual",
    "send_again",
    "take_event",
    "travel",
]

_ARRIVAL: Final = constant(Purpose.ARRIVAL)
_SOJOURN: Final = constant(Purpose.SOJOURN)
_ROUTE: Final = constant(Purpose.ROUTE)
_RTT: Final = constant(Purpose.RTT)
_EDGE: Final = constant(Purpose.EDGE)
_CUSTOMER: Final = constant(Purpose.CUSTOMER)
_PERSON: Final = constant(Purpose.PERSON)
_ADDRESS: Final = constant(Purpose.ADDRESS)
_RARE: Final = constant(1)  # a browser has asked first
_BEFORE: Final = constant(0)  # no preflight has come the same way
_AFTER: Final = constant(1)


@part
def take_event(world: World) -> None:
    """Take the first event off the calendar."""
    clock = world.calendar.clock[0]
    clock["pending"] = heap_pop(world.calendar.heap, clock["pending"])


@part
def issue_from_source(world: World, at: int, now_ns: int, rare: int | None) -> int:
    """The call of an open source or trace that is due, now first in the calendar.

    Returns
    -------
    int
        Its slot; the call stands at the client. The source's next call has taken its place in the
        calendar.
    """
    tables, calendar, _, state, _ = world
    source = tables.sources[at]
    entity = state.issued[at]
    state.issued[at] = entity + 1
    if source["kind"] == TRACE:
        row = source["trace_start"] + entity
        phase = source["first_phase"]
        next_ns = NEVER
        if row + 1 < source["trace_end"]:
            next_ns = tables.trace_ns[row + 1]
    else:
        phase = tables.pieces[state.flows[at]["piece"]]["phase"]
        next_ns = next_arrival(
            state.flows,
            tables.pieces,
            at,
            tables.draw_keys[at, _ARRIVAL],
            tables.draw_keys[at, _SOJOURN],
        )
    if next_ns == NEVER:
        take_event(world)
    else:
        heap_replace(
            calendar.heap,
            calendar.clock[0]["pending"],
            next_ns,
            major_word(RANK_ARRIVAL, at, 0),
            minor_word(entity + 1, 0),
            STAGE_SOURCE << 56 | at,
        )
    taken = take_slot(calendar)
    slot = calendar.slots[taken]
    slot["client"] = NONE
    slot["target"] = NONE
    slot["trace_bytes"] = NONE
    if source["kind"] == TRACE:
        slot["target"] = tables.trace_target[row]
        slot["client"] = tables.trace_client[row]
        slot["trace_bytes"] = tables.trace_bytes[row]
        binding = tables.targets[slot["target"]]["binding"]
    else:
        binding = pick_binding(
            source,
            tables.popularities,
            tables.popularity_cells,
            tables.draw_keys[at, _ROUTE],
            entity,
        )
    _prepare(world, taken, at, 0, entity, entity, phase, binding, now_ns, rare)
    slot["job"] = NONE
    return taken


@part
def issue_from_user(world: World, at_job: int, now_ns: int, rare: int | None) -> int:
    """The call of a closed user that is due; returns its slot."""
    tables, calendar, _, state, _ = world
    job = tables.jobs[at_job]
    at = job["source"]
    source = tables.sources[at]
    entity = state.issued[at]
    state.issued[at] = entity + 1
    user = source["first_user"] + job["user"]
    ordinal = state.user_ordinals[user]
    state.user_ordinals[user] = ordinal + 1
    # Calls come in order of time, so the source's place among its phases only goes forward.
    piece = state.phase_piece[at]
    while tables.pieces[piece]["end_ns"] <= now_ns:
        piece += 1
    state.phase_piece[at] = piece
    binding = pick_binding(
        source,
        tables.popularities,
        tables.popularity_cells,
        tables.draw_keys[at, _ROUTE],
        entity,
    )
    taken = take_slot(calendar)
    slot = calendar.slots[taken]
    slot["client"] = NONE
    slot["target"] = NONE
    slot["trace_bytes"] = NONE
    phase = tables.pieces[piece]["phase"]
    _prepare(world, taken, at, job["user"], ordinal, entity, phase, binding, now_ns, rare)
    slot["job"] = at_job
    return taken


@gate
def issue_call(
    world: World, at: int, user: int, ordinal: int, binding: int, phase: int, now_ns: int
) -> int:
    """A call that comes of something else than a source's arrivals; returns its slot."""
    taken = take_slot(world.calendar)
    reissue_call(world, taken, at, user, ordinal, binding, phase, now_ns)
    return taken


@gate
def reissue_call(
    world: World,
    taken: int,
    at: int,
    user: int,
    ordinal: int,
    binding: int,
    phase: int,
    now_ns: int,
) -> None:
    """The same in a slot that is there."""
    state, slot = world.state, world.calendar.slots[taken]
    entity = state.issued[at]
    state.issued[at] = entity + 1
    slot["client"] = NONE
    slot["target"] = NONE
    slot["trace_bytes"] = NONE
    slot["job"] = NONE
    _prepare(world, taken, at, user, ordinal, entity, phase, binding, now_ns, _RARE)


@gate
def resend_call(world: World, at: int, phase: int, now_ns: int) -> None:
    """The next attempt of a call in its slot."""
    slot = world.calendar.slots[at]
    source = world.tables.sources[slot["source"]]
    slot["phase"] = phase
    slot["cell"] = (
        source["first_cell"]
        + (phase - source["first_phase"]) * source["n_bindings"]
        + (slot["binding"] - source["first_binding"])
    )
    world.calendar.clock[0]["in_flight"] += 1
    _clear(world, at, now_ns, _RARE)


@part
def _prepare(
    world: World,
    taken: int,
    at: int,
    user: int,
    ordinal: int,
    entity: int,
    phase: int,
    binding: int,
    now_ns: int,
    rare: int | None,
) -> None:
    tables, calendar, _, _, _ = world
    slot = calendar.slots[taken]
    bound = tables.bindings[binding]
    source = tables.sources[at]
    slot["arrival_ns"] = now_ns
    slot["source"] = at
    slot["user"] = user
    slot["ordinal"] = ordinal
    slot["attempt"] = 0
    slot["entity"] = entity
    slot["binding"] = binding
    slot["route"] = bound["route"]
    slot["api"] = bound["api"]
    slot["phase"] = phase
    slot["cell"] = (
        source["first_cell"]
        + (phase - source["first_phase"]) * source["n_bindings"]
        + (binding - source["first_binding"])
    )
    calendar.clock[0]["in_flight"] += 1
    _clear(world, taken, now_ns, rare)
    if rare is not None and source["client"] >= 0:
        begin_call(world, taken, now_ns)
    if rare is not None and bound["preflight"] >= 0:
        ask_first(world, taken, now_ns)


@part
def _clear(world: World, taken: int, now_ns: int, rare: int | None) -> None:
    """Nothing has happened yet to the call in a slot; who makes it is known."""
    tables, calendar, _, _, _ = world
    slot = calendar.slots[taken]
    slot["integration_ns"] = NONE
    slot["authorizer_ns"] = NONE
    slot["request_bytes"] = 0
    slot["response_bytes"] = 0
    slot["cache"] = CACHE_NONE
    slot["cold"] = 0
    slot["waiting"] = 0
    slot["working"] = 0
    slot["customer"] = NONE
    slot["flags"] = 0
    slot["token"] = np.uint64(0)
    if rare is not None:
        slot["person"] = NONE
        slot["ip"] = NONE
        slot["key"] = NONE
        calendar.patience[taken]["connection"] = NONE
        calendar.patience[taken]["is_new"] = 1
        if tables.sources[slot["source"]]["caller"] >= 0:
            _identify(world, taken, now_ns)


@gate
def _identify(world: World, taken: int, now_ns: int) -> None:
    """Who calls, where something is known of it."""
    tables = world.tables
    slot = world.calendar.slots[taken]
    at = slot["source"]
    source = tables.sources[at]
    caller = tables.callers[source["caller"]]
    slot["person"] = person_of(
        caller,
        tables.popularities,
        tables.popularity_cells,
        tables.draw_keys[at, _CUSTOMER],
        tables.draw_keys[at, _PERSON],
        slot["entity"],
        slot["user"] if source["kind"] == CLOSED or source["kind"] == SESSIONS else NONE,
    )
    slot["customer"] = customer_of(caller, slot["person"])
    slot["ip"] = address_of(
        caller, slot["customer"], tables.draw_keys[at, _ADDRESS], slot["entity"]
    )
    slot["key"] = key_of(caller, slot["customer"])
    number = token_shown(caller, slot["person"], now_ns)
    slot["token"] = token_of(caller, slot["person"], number)
    if slot["customer"] < 0:
        slot["customer"] = caller["fixed_customer"]


@part
def travel(world: World, taken: int, now_ns: int, follows: int, rare: int | None) -> bool:
    """Send a new call on its way; whether it stands at the gateway's door at once.

    ``follows`` is 1 where a preflight has come the same way.
    """
    tables, calendar, _, _, _ = world
    slot = calendar.slots[taken]
    source = tables.sources[slot["source"]]
    is_edge = tables.apis[slot["api"]]["edge"] == 1
    rtt = source["edge_rtt"] if is_edge else source["rtt"]
    there_ns = 0
    round_trip_ns = 0
    slot["back_ns"] = 0
    if rtt >= 0:
        round_trip_ns = draw_int(world, slot, rtt, _RTT)
        there_ns = round_trip_ns // 2
        slot["back_ns"] = round_trip_ns - there_ns
    if is_edge:
        hop_ns = draw_int(world, slot, tables.rules[0]["edge_hop"], _EDGE)
        there_ns += hop_ns // 2
        slot["back_ns"] += hop_ns - hop_ns // 2
    if rare is not None and source["way"] == 1:
        there_ns += set_out(world, taken, now_ns, round_trip_ns, follows)
    if there_ns == 0:
        return True
    schedule_slot(calendar, now_ns + there_ns, RANK_ARRIVAL, STAGE_DOOR, taken)
    return False


@gate
def send_actual(world: World, at: int, now_ns: int) -> int:
    """A browser sends the request it has asked for; the next stage."""
    take_permission(world, at, now_ns)
    _clear(world, at, now_ns, _RARE)
    return STAGE_DOOR if travel(world, at, now_ns, _AFTER, _RARE) else STAGE_WAIT


@gate
def send_again(world: World, at: int, now_ns: int) -> int:
    """A client tries again; the next stage."""
    world.calendar.clock[0]["in_flight"] += 1
    _clear(world, at, now_ns, _RARE)
    await_answer(world, at, now_ns)
    if world.tables.bindings[world.calendar.slots[at]["binding"]]["preflight"] >= 0:
        ask_first(world, at, now_ns)
    return STAGE_DOOR if travel(world, at, now_ns, _BEFORE, _RARE) else STAGE_WAIT
