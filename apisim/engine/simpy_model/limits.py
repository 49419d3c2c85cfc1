"""Sizes and URL: what is too large is answered before anything else looks at it."""

from typing import TYPE_CHECKING

from apisim.draws.purposes import Purpose
from apisim.engine.simpy_model.call import Call, Refused
from apisim.engine.simpy_model.environment import Process
from apisim.gateway.limits import WITHIN, limits_answer
from apisim.gateway.status import Answer

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway

__all__ = ["pass_limits"]


def pass_limits(gateway: "Gateway", call: Call) -> Process:
    """Let a call pass, or refuse it; that takes no time of its own."""
    yield from ()
    model, draws = gateway.model, gateway.draws
    source, binding = model.sources[call.source], model.bindings[call.binding]
    api = model.apis[binding.api]
    url = draws.amount(call, source.url_size, Purpose.URL_SIZE) if source.url_size >= 0 else 0
    headers = 0
    if source.header_size >= 0:
        headers = draws.amount(call, source.header_size, Purpose.HEADER_SIZE)
    body = 0
    if binding.route >= 0:
        size = model.routes[binding.route].request_size
        body = draws.amount(call, size, Purpose.REQUEST_SIZE)
    answer = limits_answer(
        url, headers, body, api.max_url, api.max_headers, api.max_head, api.max_body
    )
    if answer != WITHIN:
        raise Refused(Answer(answer))
