"""Browsers in the golden model: they ask before they send, and hide what a page may not see."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from apisim.engine.backend_tables import BACKEND_MOCK
from apisim.engine.flags import FLAG_CORS_BLOCKED
from apisim.engine.preflights import PREFLIGHT_ATTEMPT, is_remembered, preflight_key, remember
from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import Process
from apisim.gateway.cors import seen_answer
from apisim.gateway.status import Answer

if TYPE_CHECKING:
    from apisim.engine.simpy_model.model import Model

__all__ = ["look_as_browser", "send"]

_HTTP = 1


def send(model: "Model", call: Call) -> Process:
    """A call from the client and back, after its preflight if a browser has to ask first.

    Returns what the client is left with: the call, or the preflight after which there was none.
    """
    number = model.bindings[call.binding].preflight
    if number >= 0:
        model.identify(call)
        line = model.preflights[number].line
        key = _key(model, call, number)
        if line < 0 or not is_remembered(model.store, key, model.now):
            preflight = replace(
                call,
                binding=model.preflights[number].binding,
                attempt=call.attempt + int(PREFLIGHT_ATTEMPT),
            )
            model.admit(preflight)
            # A browser attaches nothing of the caller's to it.
            preflight.token, preflight.key = np.uint64(0), -1
            yield from model.gateway.request(preflight)
            if preflight.answer != Answer.PREFLIGHT or model.now > call.give_up_ns:
                return preflight  # the request itself is never sent
            if line >= 0:
                model.make_room()
                remember(model.store, line, key, model.now)
            call.arrival_ns = model.now
            call.follows = True
    yield from model.gateway.request(model.admit(call))
    return call


def _key(model: "Model", call: Call, number: int) -> np.uint64:
    """Where the call's browser remembers the answer: that of a person, or of a closed user."""
    tables = model.tables
    browser = call.person if call.person >= 0 else call.user
    return np.uint64(
        preflight_key(
            tables.preflights[number],
            tables.parts,
            tables.popularities,
            tables.popularity_cells,
            call.entity,
            browser,
        )
    )


def look_as_browser(model: "Model", call: Call) -> None:
    """The answer of a call of a page: what it is to the page."""
    binding = model.bindings[call.binding]
    message = int(model.tables.cors_messages[binding.cors, call.answer])
    is_preflight = binding.actual >= 0
    if message:
        call.flags |= FLAG_CORS_BLOCKED
    if is_preflight and call.answer == Answer.SERVED and model.apis[binding.api].type == _HTTP:
        # An HTTP API has no mocks: that is the gateway's own answer, behind which there is nothing.
        is_mock = model.routes[binding.route].backend == BACKEND_MOCK
        call.integration_ns = -1 if is_mock else call.integration_ns
    call.answer = Answer(seen_answer(call.answer, message, int(is_preflight)))
