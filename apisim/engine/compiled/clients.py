"""Clients that stop waiting or try again, in the compiled engine.

What a client does takes a slot of its own from the moment it knows of an attempt, since the gateway
may still be at work on the slot of that attempt.
"""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.engine.clients import record_call, record_late, seen_by_client
from apisim.engine.compiled.calendar import (
    RANK_ARRIVAL,
    RANK_GIVE_UP,
    free_slot,
    schedule_slot,
    take_slot,
)
from apisim.engine.compiled.nested import NOT_NESTED
from apisim.engine.compiled.preflights import await_permission, carry
from apisim.engine.compiled.retrying import try_again
from apisim.engine.compiled.stages import STAGE_CLIENT, STAGE_GONE, STAGE_RETRY, STAGE_WAIT
from apisim.engine.compiled.think import think
from apisim.engine.flags import FLAG_CLIENT_GONE
from apisim.engine.preflights import PREFLIGHT_ATTEMPT
from apisim.engine.tables import CLOSED, NONE
from apisim.engine.world import World
from apisim.gateway.status import Answer
from apisim.traffic.arrivals import NEVER
from apisim.traffic.retries import (
    GIVE_UP,
    SEEN_FAILURE,
    SEEN_SUCCESS,
    give_back,
    process_of,
)

__all__ = [
    "answer_client",
    "await_answer",
    "begin_call",
    "decide",
    "leave_behind",
    "lose_patience",
    "mark_late",
]

_PREFLIGHT: Final = constant(Answer.PREFLIGHT)
_FLAG: Final = constant(FLAG_CLIENT_GONE)
_NOBODY: Final = constant(NONE)
_FREE: Final = constant(0)
_LATE: Final = constant(1)
_IN_TIME: Final = constant(0)
_AT_ONCE: Final = constant(0)  # instead of a rank to wait under


@gate
def begin_call(world: World, at: int, now_ns: int) -> None:
    """A call of a client that may give up or try again is about to be sent for the first time."""
    patience = world.calendar.patience[at]
    patience["first_ns"] = now_ns
    patience["retry_wait_ns"] = 0
    patience["retry_cost"] = 0
    await_answer(world, at, now_ns)


@gate
def await_answer(world: World, at: int, now_ns: int) -> None:
    """An attempt is about to be sent: the client looks at its watch."""
    slot = world.calendar.slots[at]
    client = world.tables.clients[world.tables.sources[slot["source"]]["client"]]
    patience = world.calendar.patience[at]
    patience["decided"] = 0
    patience["give_up_ns"] = NEVER
    if client["timeout_ns"] > 0:
        patience["give_up_ns"] = now_ns + client["timeout_ns"]
        schedule_slot(world.calendar, patience["give_up_ns"], RANK_GIVE_UP, STAGE_GONE, at)


@gate
def mark_late(world: World, at: int) -> None:
    """The gateway's answer is known: its client may have gone before it comes."""
    slot = world.calendar.slots[at]
    give_up_ns = world.calendar.patience[at]["give_up_ns"]
    if slot["arrival_ns"] + slot["latency_ns"] > give_up_ns:
        slot["latency_ns"] = give_up_ns - slot["arrival_ns"]
        slot["flags"] |= _FLAG
        recorder = world.recorder
        warm_up_ns = recorder.total[0]["warm_up_ns"]
        record_late(recorder.calls, slot["cell"], slot["answer"], slot["arrival_ns"], warm_up_ns)


@gate
def lose_patience(world: World, at: int, now_ns: int) -> int:
    """The client has waited long enough; if it still waits, it goes. The gateway works on."""
    if world.calendar.patience[at]["decided"] == 0:
        _turn_to_client(world, at, _LATE, now_ns, _AT_ONCE)
    return STAGE_WAIT


@gate
def answer_client(world: World, at: int, answered_ns: int, now_ns: int) -> int:
    """The answer has left the gateway for a client that may give up or try again."""
    calendar = world.calendar
    slot = calendar.slots[at]
    patience = calendar.patience[at]
    back_ns = answered_ns + slot["back_ns"]
    is_late = back_ns > patience["give_up_ns"]
    if slot["answer"] == _PREFLIGHT and not is_late:
        return await_permission(world, at, answered_ns, now_ns)
    if patience["decided"] == 0:
        if is_late:  # it goes behind the other events of its deadline, also if that is now
            _turn_to_client(world, at, _LATE, patience["give_up_ns"], RANK_GIVE_UP)
        else:
            rank = RANK_ARRIVAL if back_ns > now_ns else _AT_ONCE
            _turn_to_client(world, at, _IN_TIME, back_ns, rank)
    if slot["working"] == 0 and world.calendar.patience[at]["nested"] == NOT_NESTED:
        free_slot(calendar, at)
    return STAGE_WAIT


@gate
def leave_behind(world: World, at: int) -> int:
    """The slot in which a browser goes on after a preflight that went well.

    It is the preflight's, unless a function that was cut off has called something there which is
    still under way.
    """
    calendar = world.calendar
    if calendar.patience[at]["nested"] == NOT_NESTED:
        return at
    taken = take_slot(calendar)
    generation = calendar.slots[taken]["generation"]
    calendar.slots[taken] = calendar.slots[at]
    calendar.patience[taken] = calendar.patience[at]
    mine, patience = calendar.slots[taken], calendar.patience[taken]
    mine["generation"] = generation
    patience["nested"] = NOT_NESTED
    calendar.patience[at]["decided"] = 1
    if world.tables.sources[mine["source"]]["client"] >= 0 and patience["give_up_ns"] < NEVER:
        mine["attempt"] -= PREFLIGHT_ATTEMPT  # the watch was looked at before the preflight
        schedule_slot(calendar, patience["give_up_ns"], RANK_GIVE_UP, STAGE_GONE, taken)
        mine["attempt"] += PREFLIGHT_ATTEMPT
    return taken


@gate
def _turn_to_client(world: World, at: int, late: int, when_ns: int, rank: int) -> None:
    """Let the client decide when it knows of an attempt, in a slot of its own."""
    tables, calendar = world.tables, world.calendar
    slot = calendar.slots[at]
    patience = calendar.patience[at]
    patience["decided"] = 1
    bound = tables.bindings[slot["binding"]]
    taken = take_slot(calendar)
    mine = calendar.slots[taken]
    kept = calendar.patience[taken]
    kept["seen"] = seen_by_client(
        tables.clients[tables.sources[slot["source"]]["client"]],
        tables.verdicts[tables.sources[slot["source"]]["client"]],
        tables.apis[slot["api"]]["type"],
        slot["answer"],
        slot["flags"],
        bound["actual"] >= 0,
        late == _LATE,
    )
    mine["source"] = slot["source"]
    mine["user"] = slot["user"]
    mine["ordinal"] = slot["ordinal"]
    mine["attempt"] = slot["attempt"]
    mine["entity"] = slot["entity"]
    mine["binding"] = slot["binding"]
    mine["route"] = slot["route"]
    mine["api"] = slot["api"]
    mine["phase"] = slot["phase"]
    mine["cell"] = slot["cell"]
    mine["job"] = slot["job"]
    mine["person"] = slot["person"]
    kept["first_ns"] = patience["first_ns"]
    kept["retry_wait_ns"] = patience["retry_wait_ns"]
    kept["retry_cost"] = patience["retry_cost"]
    mine["client"] = NONE
    mine["target"] = NONE
    mine["trace_bytes"] = NONE
    mine["waiting"] = 0
    mine["working"] = 0
    mine["arrival_ns"] = when_ns
    if bound["actual"] >= 0:
        carry(world, taken, bound["actual"])
    elif bound["stable"] >= 0:  # the next attempt may meet the other deployment
        carry(world, taken, bound["stable"])
    if rank == _AT_ONCE:
        decide(world, taken, when_ns)
    else:
        schedule_slot(calendar, when_ns, rank, STAGE_CLIENT, taken)


@gate
def decide(world: World, at: int, now_ns: int) -> int:
    """The client has its answer, or has stopped waiting: it tries again, or the call is over."""
    tables, calendar, _, state, recorder = world
    slot = calendar.slots[at]
    source = tables.sources[slot["source"]]
    client = tables.clients[source["client"]]
    attempt = slot["attempt"] & (PREFLIGHT_ATTEMPT - 1)
    patience = calendar.patience[at]
    seen = patience["seen"]
    first_person = _FREE
    if source["caller"] >= 0:
        first_person = tables.callers[source["caller"]]["first_person"]
    user = slot["user"] if source["kind"] == CLOSED else _NOBODY
    process = process_of(client, slot["person"], first_person, user, slot["entity"])
    cost = _FREE
    if seen == SEEN_SUCCESS:
        give_back(client, state.retry_tokens, process, attempt, patience["retry_cost"])
    elif seen != SEEN_FAILURE and attempt < client["max_retries"]:
        cost = try_again(world, at, client, process, seen, attempt, now_ns, STAGE_RETRY)
        if cost != GIVE_UP:
            return STAGE_WAIT
    record_call(
        recorder.calls,
        slot["cell"],
        patience["first_ns"],
        now_ns,
        attempt + 1,
        seen == SEEN_SUCCESS,
        cost == GIVE_UP,
        recorder.total[0]["warm_up_ns"],
    )
    if slot["job"] >= 0:
        slot["attempt"] = 0  # a user thinks for as long however often it has tried
        think(world, slot, now_ns)
    free_slot(calendar, at)
    return STAGE_WAIT
