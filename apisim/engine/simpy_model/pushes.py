"""What an application pushes in the golden model: broadcasts, and the workers that send them."""

from typing import TYPE_CHECKING, Any

from apisim.draws.discrete import sample_key
from apisim.draws.purposes import Purpose
from apisim.engine.push_records import record_broadcast, record_coalesced, record_delivery
from apisim.engine.senders import (
    TO_ONE,
    TO_SENDER,
    TO_TOPIC,
    begin_broadcast,
    can_start,
    take_target,
)
from apisim.engine.simpy_model.call import Call, Refused
from apisim.engine.simpy_model.environment import ARRIVAL, Process
from apisim.engine.simpy_model.retries import retry_wait_ns
from apisim.engine.simpy_model.sockets import topic_of
from apisim.gateway.sockets import MESSAGE_BYTES, is_same, let_go, strike_out, touch
from apisim.gateway.status import Answer
from apisim.traffic.arrivals import NEVER, next_arrival
from apisim.traffic.connections import transfer_ns
from apisim.traffic.retries import (
    GIVE_UP,
    SEEN_FAILURE,
    SEEN_SUCCESS,
    give_back,
    take_tokens,
)

if TYPE_CHECKING:
    from apisim.engine.simpy_model.model import Model

__all__ = ["arise", "push_source"]

#: ``user`` of the posts of a push; its broadcasts have 0.
_POST = 1


def push_source(model: "Model", source: int) -> Process:
    """Pushes at a rate of their own."""
    tables, state = model.tables, model.state
    keys = tables.draw_keys[source]
    which = model.sources[source].push
    number = 0
    while True:
        due_ns = next_arrival(
            state.flows, tables.pieces, source, keys[Purpose.ARRIVAL], keys[Purpose.SOJOURN]
        )
        if due_ns == NEVER:
            return
        yield model.env.moment(due_ns, ARRIVAL, (source, 0, number, 0))
        number += 1
        arise(model, which, None)


def arise(model: "Model", which: int, message: Call | None) -> None:
    """Something is to be pushed, perhaps because a message has been served."""
    tables = model.tables
    push = model.pushes[which]
    spec = model.sessions[push.sessions]
    on, of = spec.list, -1
    if push.to == TO_TOPIC and message is not None:
        on = topic_of(model, message.source, message.user)
    elif push.to == TO_TOPIC:
        key = tables.draw_keys[push.source, Purpose.TOPIC]
        number = int(model.senders.counts[which])
        cells = tables.popularity_cells
        on = spec.first_topic + sample_key(tables.popularities, cells, spec.topics, key, number, 0)
    elif push.to == TO_SENDER and message is not None:
        is_open = is_same(model.sockets, message.socket, message.serial)
        of = message.socket if is_open else -1
    model.make_room_for_broadcasts()
    number = begin_broadcast(
        model.senders,
        model.sockets,
        tables.pushes,
        tables.senders,
        tables.draw_keys,
        which,
        on,
        of,
        model.now,
    )
    known = int(model.sockets.lists[on]["known"])
    if push.to == TO_SENDER:
        known = int(of >= 0)
    elif push.to == TO_ONE:
        known = min(known, 1)
    record_broadcast(model.recorder.pushes, which, model.now, known)
    if number < 0:
        record_coalesced(model.recorder.pushes, which, model.now)
    else:
        model.env.process(_start_workers(model, push, int(number)))


def _start_workers(model: "Model", push: Any, number: int) -> Process:
    """One worker after the other, as long as the sender has one to spare."""
    while True:
        yield model.env.moment(model.now, ARRIVAL, (push.source, 0, number, 1))
        if not can_start(model.senders, model.tables.senders, push.sender):
            return
        model.senders.rows[push.sender]["busy"] += 1
        model.env.process(_work(model, push.sender))


def _work(model: "Model", sender: int) -> Process:
    """A worker: whom it posts to next, until nobody is left."""
    tables = model.tables
    row = model.senders.rows[sender]
    while True:
        at = int(take_target(model.senders, model.sockets, tables.pushes, tables.draw_keys, sender))
        if at < 0:
            row["busy"] -= 1
            return
        broadcast = model.senders.broadcasts[row["current"]]
        which, arose_ns = int(broadcast["push"]), int(broadcast["arose_ns"])
        call = yield from _post_and_retry(model, sender, which, at, arose_ns)
        if call.answer == Answer.CONNECTION_GONE:
            strike_out(model.sockets, at)
        let_go(model.sockets, at)


def _post_and_retry(model: "Model", sender: int, which: int, at: int, arose_ns: int) -> Process:
    push, spec = model.pushes[which], model.senders_specs[sender]
    serial = int(model.sockets.rows[at]["serial"])
    k = int(model.state.issued[push.source])
    model.state.issued[push.source] = k + 1
    attempt, wait_ns, cost = 0, 0, 0
    while True:
        phase = model.phase_of(push.source)
        binding = model.sources[push.source].first_binding
        call = Call(push.source, _POST, k, k, binding, phase, model.now, attempt=attempt)
        call.socket, call.serial = at, serial
        yield from _post(model, model.admit(call), spec.call_time, which, arose_ns)
        if spec.client < 0:
            return call
        client, tokens = model.tables.clients[spec.client], model.state.retry_tokens
        api_type = model.apis[model.bindings[binding].api].type
        seen = int(model.tables.verdicts[spec.client, api_type, call.answer])
        process = int(client["first_quota"])
        if seen == SEEN_SUCCESS:
            give_back(client, tokens, process, attempt, cost)
        if seen in (SEEN_SUCCESS, SEEN_FAILURE) or attempt == client["max_retries"]:
            return call
        cost = int(take_tokens(client, tokens, process, seen))
        if cost == GIVE_UP:
            return call
        wait_ns = retry_wait_ns(model, client, call, seen, wait_ns)
        attempt += 1
        yield model.env.moment(model.now + wait_ns, ARRIVAL, (push.source, _POST, k, attempt))


def _post(model: "Model", call: Call, call_time: int, which: int, arose_ns: int) -> Process:
    """``POST @connections/...``: one message to one connection."""
    gateway, draws = model.gateway, model.draws
    time_ns = draws.amount(call, call_time, Purpose.CALL_TIME)
    there_ns = time_ns // 2
    call.back_ns = time_ns - there_ns
    yield from model.wait(call, there_ns, ARRIVAL)
    call.door_ns = model.now
    size = draws.amount(call, model.sources[call.source].message_size, Purpose.REQUEST_SIZE)
    try:
        if size > MESSAGE_BYTES:
            raise Refused(Answer.TOO_LARGE)
        gateway.throttle(call)
        yield from gateway.overhead(call)
        if not is_same(model.sockets, call.socket, call.serial):
            raise Refused(Answer.CONNECTION_GONE)
        call.answer = Answer.SENT
        touch(model.sockets, call.socket, model.now)
        row = model.sockets.rows[call.socket]
        on_the_way_ns = int(row["back_ns"])
        kbps = model.sources[int(row["source"])].kbps
        if kbps:
            on_the_way_ns += int(transfer_ns(size, kbps))
        record_delivery(
            model.recorder.pushes,
            which,
            arose_ns,
            model.now + on_the_way_ns,
        )
    except Refused as refusal:
        call.answer = refusal.answer
        known_ns = model.now
        yield from gateway.refuse(call)
    else:
        known_ns = model.now
    call.gateway_ns = model.now - call.door_ns
    api = model.apis[gateway.binding(call).api]
    call.response_bytes = int(model.tables.body[api.type, call.answer])
    yield from model.wait(call, call.back_ns, ARRIVAL)
    model.record(call)
    if model.now == known_ns:
        # One post after the other, also where none takes any time.
        at_once = model.env.event()
        at_once.succeed()
        yield at_once
