"""What a function calls while it runs: endpoints and AWS services, one after the other.

The function's instance is held until the last call has come back. Its own time limit ends the
function; what it had called is served all the same.
"""

from typing import TYPE_CHECKING, Any

import simpy

from apisim.draws.purposes import Purpose
from apisim.engine.backend_tables import BACKEND_ENDPOINT, BACKEND_SERVICE
from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import END_OF_WORK, Process
from apisim.gateway.status import Answer

if TYPE_CHECKING:
    from apisim.engine.simpy_model.backends import Function

__all__ = ["make_calls"]

_QUEUES = -1
_FOR_FUNCTION = {
    "service": Purpose.CALLED_SERVICE,
    "error": Purpose.CALLED_ERROR,
    "size": Purpose.CALLED_ITEM_SIZE,
    "shard": Purpose.CALLED_SHARD,
}
_FOR_AUTHORIZER = {
    "service": Purpose.AUTH_CALLED_SERVICE,
    "error": Purpose.AUTH_CALLED_ERROR,
    "size": Purpose.AUTH_CALLED_ITEM_SIZE,
    "shard": Purpose.AUTH_CALLED_SHARD,
}
_FOR_EVENT = {
    "service": Purpose.EVENT_CALLED_SERVICE,
    "error": Purpose.EVENT_CALLED_ERROR,
    "size": Purpose.EVENT_CALLED_ITEM_SIZE,
    "shard": Purpose.EVENT_CALLED_SHARD,
}
#: By the purpose that the function's own duration is drawn for.
_CALLED = {
    Purpose.SERVICE: _FOR_FUNCTION,
    Purpose.AUTH_SERVICE: _FOR_AUTHORIZER,
    Purpose.EVENT_SERVICE: _FOR_EVENT,
}


def make_calls(
    function: "Function",
    call: Call,
    answer: Answer,
    cut_ns: int,
    purposes: dict[str, Purpose],
) -> Process:
    """Make an invocation's calls; its :class:`Answer`.

    Parameters
    ----------
    function : Function
    call : Call
        The request that the function works on.
    answer : Answer
        What comes of the function by itself.
    cut_ns : int
        When its time limit ends it [ns].
    purposes : dict
        Draws of the function.
    """
    model = function.model
    spec = model.functions[function.index]
    for number in range(spec.n_calls):
        behind = model.calls[spec.first_call + number]
        one = _CallBehind(function, call, number, behind, purposes)
        cut = model.env.moment(cut_ns, END_OF_WORK, call.address)
        cut.callbacks.append(one.give_up)
        said = yield one.answered
        if said == Answer.TIMEOUT:
            if behind.kind == BACKEND_ENDPOINT:
                model.state.endpoints[behind.index]["abandoned"] += 1
            model.state.pools[function.index]["timeouts"] += 1
            return Answer.FUNCTION_ERROR
        if said != Answer.SERVED and behind.fails:
            if answer not in (Answer.FUNCTION_ERROR, Answer.FUNCTION_ANSWER_TOO_LARGE):
                model.state.pools[function.index]["errors"] += 1
            return Answer.FUNCTION_ERROR
    return answer


class _CallBehind:
    """One call; it goes on whether or not its function still waits."""

    def __init__(
        self,
        function: "Function",
        call: Call,
        number: int,
        behind: Any,
        purposes: dict[str, Purpose],
    ) -> None:
        self.model, self.call, self.number, self.behind = function.model, call, number, behind
        self.purposes = _CALLED[purposes["service"]]
        self.end_ns = _QUEUES
        self.answered = self.model.env.event()
        self.model.env.process(self._call())

    def _call(self) -> Process:
        work = self._of_service() if self.behind.kind == BACKEND_SERVICE else self._of_endpoint()
        answer = yield from work
        if not self.answered.triggered:  # else its function has been ended
            self.answered.succeed(answer)

    def _of_endpoint(self) -> Process:
        spec = self.model.endpoints[self.behind.index]
        return (
            yield from self.model.endpoint_backends[self.behind.index].serve(
                self.call,
                lambda: self._happens(spec.errors),
                lambda: self._amount(spec.service_time, "service"),
                self._starts,
            )
        )

    def _of_service(self) -> Process:
        spec, draws = self.model.services[self.behind.index], self.model.draws
        return (
            yield from self.model.service_backends[self.behind.index].serve(
                self.call,
                self.behind.action,
                lambda: self._amount(spec.item_size, "size"),
                lambda: draws.share_behind(self.call, self.number, self.purposes["shard"]),
                lambda: self._happens(spec.errors),
                lambda: self._amount(spec.latency, "service"),
                self._starts,
            )
        )

    def _amount(self, dist: int, what: str) -> int:
        purpose = self.purposes[what]
        return self.model.draws.amount_behind(self.call, self.number, dist, purpose)

    def _happens(self, share: float) -> bool:
        purpose = self.purposes["error"]
        return self.model.draws.happens_behind(self.call, self.number, share, purpose)

    def _starts(self, end_ns: int) -> None:
        self.end_ns = end_ns

    def give_up(self, _: simpy.Event) -> None:
        """The function's time is over; an answer that comes just now is in time."""
        if not self.answered.triggered and self.end_ns != self.model.now:
            self.answered.succeed(Answer.TIMEOUT)
