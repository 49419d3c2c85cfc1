"""Asynchronous invocations in the golden model: an event waits for its function, not a caller."""

from dataclasses import replace
from typing import TYPE_CHECKING

from apisim.backends.events import NO_RETRY, error_wait_ns, throttle_wait_ns
from apisim.draws.purposes import Purpose
from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import ARRIVAL, Process
from apisim.gateway.status import Answer

if TYPE_CHECKING:
    from apisim.engine.simpy_model.backends import Function

__all__ = ["accept_event"]

_EVENT = {
    "service": Purpose.EVENT_SERVICE,
    "init": Purpose.EVENT_INIT,
    "setup": Purpose.EVENT_SETUP,
    "malformed": Purpose.MALFORMED,  # nobody looks at what it returns
    "version": Purpose.EVENT_VERSION,
    "error": Purpose.EVENT_ERROR,
}


def accept_event(function: "Function", call: Call) -> None:
    """Lambda takes a call's event into the function's queue."""
    function.model.state.pools[function.index]["events"] += 1
    function.model.env.process(_see_to(function, replace(call)))


def _see_to(function: "Function", event: Call) -> Process:
    """Run the function for an event until that goes well, or too much time has passed."""
    model = function.model
    spec, pool = model.functions[function.index], model.state.pools[function.index]
    accepted_ns = due_ns = model.now
    n_throttles = 0
    while True:
        yield model.env.moment(due_ns, ARRIVAL, event.address)
        answer = yield from function.run(event, _EVENT)
        age_ns = model.now - accepted_ns
        if answer == Answer.FUNCTION_THROTTLED:
            n_throttles += 1
            wait_ns = int(throttle_wait_ns(n_throttles, age_ns, spec.max_age_ns))
        else:
            n_throttles = 0
            if event.runs > 0:
                pool["event_retries"] += 1
            event.runs += 1
            if answer != Answer.FUNCTION_ERROR:
                return
            wait_ns = int(error_wait_ns(event.runs, spec.max_retries, age_ns, spec.max_age_ns))
        if wait_ns == NO_RETRY:
            pool["events_dropped"] += 1
            return
        due_ns = model.now + wait_ns
