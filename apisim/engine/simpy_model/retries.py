"""Clients that stop waiting or try again, in the golden model."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy

from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.calls import DRAWS_PER_ATTEMPT
from apisim.engine.clients import record_call, seen_by_client
from apisim.engine.simpy_model.browsers import send
from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import ARRIVAL, GIVE_UP, Process
from apisim.engine.tables import CLOSED
from apisim.traffic import retries

if TYPE_CHECKING:
    from apisim.engine.simpy_model.model import Model

__all__ = ["place", "retry_wait_ns"]


def place(model: "Model", call: Call) -> Process:
    """A logical call: attempts until one succeeds, or its client has had enough."""
    at = model.sources[call.source].client
    if at < 0:
        yield from send(model, call)
        return
    client, first_ns = model.tables.clients[at], model.now
    # Of the stage's own deployment: each attempt may meet another, and the call is the route's.
    binding = call.binding
    attempt, wait_ns, cost = call, 0, 0
    while True:
        left_with, is_late = yield from _attempt(model, client, attempt)
        seen = _seen(model, at, left_with, is_late)
        process = _process(model, client, left_with)
        tokens = model.state.retry_tokens
        if seen == retries.SEEN_SUCCESS:
            retries.give_back(client, tokens, process, attempt.attempt, cost)
        if seen in (retries.SEEN_SUCCESS, retries.SEEN_FAILURE):
            break
        if attempt.attempt == client["max_retries"]:
            break
        cost = retries.take_tokens(client, tokens, process, seen)
        if cost == retries.GIVE_UP:
            break
        wait_ns = retry_wait_ns(model, client, attempt, seen, wait_ns)
        number = attempt.attempt + 1
        address = (call.source, call.user, call.ordinal, number)
        # An arrival like any other, also if it comes at once.
        yield model.env.moment(model.now + wait_ns, ARRIVAL, address)
        attempt = Call(
            call.source,
            call.user,
            call.ordinal,
            call.entity,
            binding,
            call.phase,
            model.now,
            attempt=number,
        )
    record_call(
        model.recorder.calls,
        model.cell_of(replace(call, binding=binding)),
        first_ns,
        model.now,
        attempt.attempt + 1,
        seen == retries.SEEN_SUCCESS,
        cost == retries.GIVE_UP,
        model.rules.warm_up_ns,
    )


def _attempt(model: "Model", client: Any, call: Call) -> Process:
    """Send a call and wait for its answer, or as long as its client has patience.

    What is under way when the client goes is not called back: the gateway never knows.
    """
    if not client["timeout_ns"]:
        return (yield from send(model, call)), False
    call.give_up_ns = model.now + int(client["timeout_ns"])
    seen = model.env.event()
    model.env.process(_deliver(model, call, seen))
    patience = model.env.moment(call.give_up_ns, GIVE_UP, call.address)
    patience.callbacks.append(lambda _: _tell(seen, call, is_late=True))
    return (yield seen)


def _deliver(model: "Model", call: Call, seen: simpy.Event) -> Process:
    left_with = yield from send(model, call)
    if model.now <= call.give_up_ns:
        _tell(seen, left_with, is_late=False)


def _tell(seen: simpy.Event, call: Call, *, is_late: bool) -> None:
    if not seen.triggered:
        seen.succeed((call, is_late))


def _seen(model: "Model", client: int, call: Call, is_late: bool) -> int:
    binding = model.bindings[call.binding]
    return int(
        seen_by_client(
            model.tables.clients[client],
            model.tables.verdicts[client],
            model.apis[binding.api].type,
            int(call.answer),
            call.flags,
            binding.actual >= 0,
            is_late,
        )
    )


def _process(model: "Model", client: Any, call: Call) -> int:
    source = model.sources[call.source]
    first_person = 0
    if source.caller >= 0:
        first_person = int(model.callers[source.caller].first_person)
    user = call.user if source.kind == CLOSED else -1
    return int(retries.process_of(client, call.person, first_person, user, call.entity))


def retry_wait_ns(model: "Model", client: Any, call: Call, seen: int, before_ns: int) -> int:
    """Time from one attempt's answer to the next attempt [ns]; ``before_ns``: the one before."""
    drawn = 0.0
    if retries.needs_draw(client):
        key = model.tables.draw_keys[call.source, Purpose.BACKOFF]
        drawn = uniform(key, call.entity, call.attempt * DRAWS_PER_ATTEMPT)
    return int(retries.backoff_ns(client, call.attempt + 1, seen, before_ns, np.float64(drawn)))
