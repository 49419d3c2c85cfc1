"""What an application pushes in the compiled engine: broadcasts, and the workers that send them.

Read ``engine/simpy_model/pushes.py`` first. A worker is the slot of the post that it is at.
"""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.draws.discrete import sample_key
from apisim.draws.purposes import Purpose
from apisim.engine.compiled.calendar import (
    RANK_ARRIVAL,
    at_once,
    free_slot,
    major_word,
    minor_word,
    schedule,
    schedule_slot,
    take_slot,
)
from apisim.engine.compiled.issue import reissue_call, resend_call
from apisim.engine.compiled.retrying import try_again
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.compiled.sockets import message_size, phase_of, topic_of
from apisim.engine.compiled.stages import (
    STAGE_DONE,
    STAGE_DOOR,
    STAGE_POSTED,
    STAGE_PUSH,
    STAGE_REFUSE,
    STAGE_REPOST,
    STAGE_START,
    STAGE_THROTTLE,
    STAGE_WAIT,
)
from apisim.engine.push_records import record_broadcast, record_coalesced, record_delivery
from apisim.engine.senders import (
    TO_ONE,
    TO_SENDER,
    TO_TOPIC,
    begin_broadcast,
    can_start,
    take_target,
)
from apisim.engine.tables import NONE
from apisim.engine.world import World
from apisim.gateway.sockets import MESSAGE_BYTES, is_same, let_go, strike_out, touch
from apisim.gateway.status import Answer
from apisim.traffic.arrivals import NEVER, next_arrival
from apisim.traffic.connections import transfer_ns
from apisim.traffic.retries import (
    GIVE_UP,
    SEEN_FAILURE,
    SEEN_SUCCESS,
    give_back,
)

__all__ = [
    "arise",
    "await_post",
    "deliver",
    "hear_of_post",
    "push_arises",
    "receive_post",
    "send_post_again",
    "start_worker",
]

_ARRIVAL: Final = constant(Purpose.ARRIVAL)
_SOJOURN: Final = constant(Purpose.SOJOURN)
_TOPIC: Final = constant(Purpose.TOPIC)
_CALL_TIME: Final = constant(Purpose.CALL_TIME)
_TOO_LARGE: Final = constant(Answer.TOO_LARGE)
_GONE: Final = constant(Answer.CONNECTION_GONE)
_SENT: Final = constant(Answer.SENT)
_NOWHERE: Final = constant(NONE)
_FIRST: Final = constant(0)
_ONE: Final = constant(1)
_MESSAGE: Final = constant(MESSAGE_BYTES)
#: ``user`` of the posts of a push; its broadcasts have 0.
_POST: Final = constant(1)
_STARTS: Final = constant(1)  # in place of an attempt


@gate
def push_arises(world: World, source: int, now_ns: int) -> None:
    """A push at a rate of its own is due."""
    tables, calendar, _, state, _ = world
    number = state.flows[source]["n_arrivals"]  # those drawn so far, this one included
    keys = tables.draw_keys[source]
    due_ns = next_arrival(state.flows, tables.pieces, source, keys[_ARRIVAL], keys[_SOJOURN])
    if due_ns != NEVER:
        major, minor = major_word(RANK_ARRIVAL, source, 0), minor_word(number, 0)
        schedule(calendar, due_ns, major, minor, STAGE_PUSH, source, 0)
    arise(world, tables.sources[source]["push"], _NOWHERE, now_ns)


@gate
def arise(world: World, which: int, at: int, now_ns: int) -> None:
    """Something is to be pushed, perhaps because the message in slot ``at`` has been served."""
    tables, calendar, _, state, recorder = world
    push = tables.pushes[which]
    spec = tables.sessions[push["sessions"]]
    on = spec["list"]
    of = _NOWHERE
    if push["to"] == TO_TOPIC:
        if at >= 0:
            on = topic_of(world, calendar.slots[at]["source"], calendar.slots[at]["user"])
        else:
            key = tables.draw_keys[push["source"], _TOPIC]
            cells = tables.popularity_cells
            number = state.senders.counts[which]
            topic = sample_key(tables.popularities, cells, spec["topics"], key, number, _FIRST)
            on = spec["first_topic"] + topic
    elif push["to"] == TO_SENDER and at >= 0:
        mine = calendar.patience[at]
        if is_same(state.sockets, mine["socket"], mine["serial"]):
            of = mine["socket"]
    number = begin_broadcast(
        state.senders,
        state.sockets,
        tables.pushes,
        tables.senders,
        tables.draw_keys,
        which,
        on,
        of,
        now_ns,
    )
    known = state.sockets.lists[on]["known"]
    if push["to"] == TO_SENDER:
        known = int(of >= 0)
    elif push["to"] == TO_ONE:
        known = min(known, _ONE)
    record_broadcast(recorder.pushes, which, now_ns, known)
    if number < 0:
        record_coalesced(recorder.pushes, which, now_ns)
    else:
        _schedule_start(world, which, number, now_ns)


@gate
def _schedule_start(world: World, which: int, number: int, now_ns: int) -> None:
    major = major_word(RANK_ARRIVAL, world.tables.pushes[which]["source"], 0)
    schedule(world.calendar, now_ns, major, minor_word(number, _STARTS), STAGE_START, which, 0)


@gate
def start_worker(world: World, which: int, major: int, minor: int, now_ns: int) -> int:
    """One of a sender's workers starts, if it can; the slot of its post at the door, or ``NONE``.

    The event comes again, under the same words, for the next worker.
    """
    tables, calendar, _, state, _ = world
    sender = tables.pushes[which]["sender"]
    if not can_start(state.senders, tables.senders, sender):
        return _NOWHERE
    schedule(calendar, now_ns, major, minor, STAGE_START, which, 0)
    state.senders.rows[sender]["busy"] += 1
    taken = take_slot(calendar)
    return taken if _post_next(world, taken, sender, now_ns) == STAGE_DOOR else _NOWHERE


@gate
def _post_next(world: World, at: int, sender: int, now_ns: int) -> int:
    """A worker, whose slot is ``at``, posts to whom it is to post to next; the next stage."""
    tables, calendar, _, state, _ = world
    senders, sockets = state.senders, state.sockets
    found = take_target(senders, sockets, tables.pushes, tables.draw_keys, sender)
    row = senders.rows[sender]
    if found < 0:
        row["busy"] -= 1
        free_slot(calendar, at)
        return STAGE_WAIT
    broadcast = senders.broadcasts[row["current"]]
    which = broadcast["push"]
    source = tables.pushes[which]["source"]
    ordinal = state.issued[source]
    phase = phase_of(world, source, now_ns)
    binding = tables.sources[source]["first_binding"]
    reissue_call(world, at, source, _POST, ordinal, binding, phase, now_ns)
    mine = calendar.patience[at]
    mine["socket"] = found
    mine["serial"] = sockets.rows[found]["serial"]
    mine["push"] = which
    mine["arose_ns"] = broadcast["arose_ns"]
    mine["retry_wait_ns"] = 0
    mine["retry_cost"] = 0
    return _set_out(world, at, now_ns)


@gate
def _set_out(world: World, at: int, now_ns: int) -> int:
    """A post sets out from its worker; the next stage."""
    calendar, tables = world.calendar, world.tables
    slot = calendar.slots[at]
    sender = tables.pushes[calendar.patience[at]["push"]]["sender"]
    time_ns = draw_int(world, slot, tables.senders[sender]["call_time"], _CALL_TIME)
    there_ns = time_ns // 2
    slot["back_ns"] = time_ns - there_ns
    if there_ns == 0:
        return STAGE_DOOR
    schedule_slot(calendar, now_ns + there_ns, RANK_ARRIVAL, STAGE_DOOR, at)
    return STAGE_WAIT


@gate
def receive_post(world: World, at: int) -> int:
    """``POST @connections/...`` at the gateway's door; the next stage."""
    if message_size(world, at) > _MESSAGE:
        world.calendar.slots[at]["answer"] = _TOO_LARGE
        return STAGE_REFUSE
    return STAGE_THROTTLE


@gate
def deliver(world: World, at: int, now_ns: int) -> int:
    """Behind the gateway's overhead: the message goes to its client, or there is none."""
    tables, calendar, _, state, recorder = world
    slot, mine = calendar.slots[at], calendar.patience[at]
    if not is_same(state.sockets, mine["socket"], mine["serial"]):
        slot["answer"] = _GONE
        return STAGE_REFUSE
    slot["answer"] = _SENT
    touch(state.sockets, mine["socket"], now_ns)
    row = state.sockets.rows[mine["socket"]]
    on_the_way_ns = row["back_ns"]
    kbps = tables.sources[row["source"]]["kbps"]
    if kbps > 0:
        on_the_way_ns += transfer_ns(message_size(world, at), kbps)
    delivered_ns = now_ns + on_the_way_ns
    record_delivery(recorder.pushes, mine["push"], mine["arose_ns"], delivered_ns)
    return STAGE_DONE


@gate
def await_post(world: World, at: int, answered_ns: int, now_ns: int) -> int:
    """The answer to a post is on its way to its worker; the next stage."""
    slot = world.calendar.slots[at]
    known_ns = answered_ns + slot["back_ns"]
    if known_ns == now_ns:  # one after the other: nobody knows how many there are
        at_once(world.calendar, STAGE_POSTED, at)
    else:
        schedule_slot(world.calendar, known_ns, RANK_ARRIVAL, STAGE_POSTED, at)
    return STAGE_WAIT


@gate
def hear_of_post(world: World, at: int, now_ns: int) -> int:
    """A worker has the answer to its post: it tries again, or goes on; the next stage."""
    tables, calendar, _, state, _ = world
    slot, mine = calendar.slots[at], calendar.patience[at]
    sender = tables.pushes[mine["push"]]["sender"]
    at_client = tables.senders[sender]["client"]
    if at_client >= 0:
        client = tables.clients[at_client]
        seen = tables.verdicts[at_client, tables.apis[slot["api"]]["type"], slot["answer"]]
        process = client["first_quota"]
        attempt = slot["attempt"]
        if seen == SEEN_SUCCESS:
            give_back(client, state.retry_tokens, process, attempt, mine["retry_cost"])
        elif seen != SEEN_FAILURE and attempt < client["max_retries"]:
            cost = try_again(world, at, client, process, seen, attempt, now_ns, STAGE_REPOST)
            if cost != GIVE_UP:
                return STAGE_WAIT
    if slot["answer"] == _GONE:
        strike_out(state.sockets, mine["socket"])
    let_go(state.sockets, mine["socket"])
    return _post_next(world, at, sender, now_ns)


@gate
def send_post_again(world: World, at: int, now_ns: int) -> int:
    """A worker tries again; the next stage."""
    slot = world.calendar.slots[at]
    resend_call(world, at, phase_of(world, slot["source"], now_ns), now_ns)
    return _set_out(world, at, now_ns)
