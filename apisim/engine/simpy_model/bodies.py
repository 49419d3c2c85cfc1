"""Bodies at an integration in the golden model: how large they are, may be and become."""

from typing import TYPE_CHECKING, Any

import numpy as np

from apisim.draws.purposes import Purpose
from apisim.engine.calls import keyed_size
from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import ARRIVAL, Process
from apisim.gateway.limits import UNLIMITED
from apisim.gateway.mapping import TOO_LARGE, UNCHANGED_PPM, mapped_bytes, passed_on_bytes
from apisim.gateway.status import Answer
from apisim.gateway.streaming import streamed_ns

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway
    from apisim.engine.simpy_model.model import Model

__all__ = [
    "answer_bytes",
    "is_answer_too_large",
    "is_request_too_large",
    "map_request",
    "map_response",
    "pass_on",
]

_REST = 0


def answer_bytes(model: "Model", call: Call) -> int:
    """Size of the answer that the backend makes [bytes]."""
    if call.trace_bytes >= 0:
        return call.trace_bytes
    binding = model.bindings[call.binding]
    route = model.routes[binding.route]
    if binding.cache_line < 0:
        return model.draws.amount(call, route.response_size, Purpose.RESPONSE_SIZE)
    return int(
        keyed_size(
            model.tables.dists,
            model.tables.dist_values,
            route.response_size,
            np.uint64(route.sizes_key),
            call.cache_key,
        )
    )


def is_request_too_large(model: "Model", call: Call) -> bool:
    """Whether Lambda refuses what the call's integration sends."""
    route = model.routes[model.bindings[call.binding].route]
    if route.max_request == UNLIMITED:
        return False
    size = model.draws.amount(call, route.request_size, Purpose.REQUEST_SIZE)
    return bool(mapped_bytes(size, route.request_ppm) > route.max_request)


def is_answer_too_large(model: "Model", call: Call) -> bool:
    """Whether what the backend answers is more than is taken from it."""
    route = model.routes[model.bindings[call.binding].route]
    return bool(route.max_answer < UNLIMITED and answer_bytes(model, call) > route.max_answer)


def map_request(gateway: "Gateway", call: Call, route: Any) -> Process:
    """The request's template runs, before the integration is called."""
    time_ns = gateway.draws.amount(call, route.request_time, Purpose.REQUEST_MAPPING)
    yield from gateway.model.wait(call, time_ns, ARRIVAL)


def map_response(gateway: "Gateway", call: Call, route: Any) -> Process:
    """The answer's template runs, or its end is streamed; the gateway's own have neither."""
    if gateway.tables.body[_REST, call.answer] > 0:
        return
    if call.answer == Answer.SERVED and is_answer_too_large(gateway.model, call):
        return
    if route.streams:
        time_ns = int(streamed_ns(answer_bytes(gateway.model, call)))
    else:
        time_ns = gateway.draws.amount(call, route.response_time, Purpose.RESPONSE_MAPPING)
    yield from gateway.model.wait(call, time_ns, ARRIVAL)


def pass_on(call: Call, route: Any) -> None:
    """What callers get of an answer that was served, or that it is too large for them."""
    # The sizes of a log are those that its callers got.
    ratio_ppm = UNCHANGED_PPM if call.trace_bytes >= 0 else route.response_ppm
    if route.max_answer == UNLIMITED and ratio_ppm == UNCHANGED_PPM:
        return
    passed_on = int(passed_on_bytes(call.response_bytes, route.max_answer, ratio_ppm))
    if passed_on == TOO_LARGE:
        call.answer = Answer.ANSWER_TOO_LARGE
    else:
        call.response_bytes = passed_on
