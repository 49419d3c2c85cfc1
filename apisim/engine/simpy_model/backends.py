"""What is behind the gateway in the golden model: functions and HTTP endpoints.

A backend is called by :meth:`Backend.start`, which returns the event of its answer. The work goes
on whether or not anybody still waits for that event.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import simpy

from apisim.arrays.fifo import NOBODY
from apisim.backends import http, lambda_
from apisim.draws.purposes import Purpose
from apisim.engine.simpy_model.bodies import is_answer_too_large, is_request_too_large
from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import ANSWER, ARRIVAL, END_OF_WORK, Process
from apisim.engine.simpy_model.events import accept_event
from apisim.engine.simpy_model.nested import make_calls
from apisim.gateway.status import Answer

if TYPE_CHECKING:
    from apisim.engine.simpy_model.model import Model

__all__ = ["Backend", "Endpoint", "Function"]


class Backend(ABC):
    """Something that answers calls."""

    def __init__(self, model: "Model", index: int) -> None:
        self.model = model
        self.env = model.env
        self.index = index

    def start(self, call: Call, transport_ns: int, purposes: dict[str, Purpose]) -> simpy.Event:
        """Send a call off; the event that is returned fires with the :class:`Answer`."""
        answered = self.env.event()
        self.env.process(self._round_trip(call, transport_ns, purposes, answered))
        return answered

    def _round_trip(
        self, call: Call, transport_ns: int, purposes: dict[str, Purpose], answered: simpy.Event
    ) -> Process:
        there_ns = transport_ns // 2
        yield from self.model.wait(call, there_ns, ARRIVAL)
        answer = yield from self.work(call, purposes)
        yield from self.model.wait(call, transport_ns - there_ns, ANSWER)
        if not answered.triggered:  # else the caller has been told that it took too long
            answered.succeed(answer)

    @abstractmethod
    def work(self, call: Call, purposes: dict[str, Purpose]) -> Process:
        """Serve one call; returns its :class:`Answer`."""


class Function(Backend):
    """A Lambda function: warm pool, concurrency, cold starts, errors, its own time limit."""

    #: A user's own service, see ``apisim.run(extend=...)``; yields times [ns] to spend.
    service: Any = None

    def work(self, call: Call, purposes: dict[str, Purpose]) -> Process:
        """One invocation, or an event for one that comes later."""
        if purposes["service"] == Purpose.SERVICE:
            if is_request_too_large(self.model, call):
                return Answer.FUNCTION_REQUEST_TOO_LARGE
            if self.model.routes[self.model.bindings[call.binding].route].event:
                accept_event(self, call)
                return Answer.EVENT_ACCEPTED
        return (yield from self.run(call, purposes))

    def run(self, call: Call, purposes: dict[str, Purpose]) -> Process:
        """One invocation, by the version that the alias picks."""
        spec = self.model.functions[self.index]
        if spec.other >= 0 and self.model.draws.happens(
            call, spec.other_share, purposes["version"]
        ):
            other = self.model.function_backends[spec.other]
            return (yield from other.invoke(call, purposes))
        return (yield from self.invoke(call, purposes))

    def invoke(self, call: Call, purposes: dict[str, Purpose]) -> Process:
        """Throttled when all concurrency is in use, or it is used or grows too fast."""
        state = self.model.state
        started = lambda_.invoke(
            state.pools,
            state.groups,
            state.idle,
            state.idle_since,
            self.index,
            self.model.now,
            purposes["service"] == Purpose.EVENT_SERVICE,
        )
        if started == lambda_.THROTTLED:
            return Answer.FUNCTION_THROTTLED
        start_ns = self.model.now
        spec = self.model.functions[self.index]
        draws = self.model.draws
        answer = Answer.SERVED
        setup_ns = init_ns = 0
        if started == lambda_.COLD:
            setup = self.model.rules.environment_setup
            setup_ns = draws.amount(call, setup, purposes["setup"])
            init_ns = draws.amount(call, spec.init, purposes["init"])
            # What starts after the caller was told of the time-out is no part of its request.
            if purposes["init"] == Purpose.INIT and not call.is_answered:
                call.cold = True
        is_integration = purposes["service"] == Purpose.SERVICE
        is_too_large = is_integration and is_answer_too_large(self.model, call)
        if self.service is not None:
            if is_too_large:
                answer = self._answers_too_much()
            yield from self.model.wait(call, setup_ns + init_ns, END_OF_WORK)
            yield from self._own_service(call)
        else:
            duration_ns = draws.amount(call, spec.duration, purposes["service"])
            if draws.happens(call, spec.errors, purposes["error"]):
                answer = Answer.FUNCTION_ERROR
                state.pools[self.index]["errors"] += 1
            elif draws.happens(call, spec.malformed, purposes["malformed"]):
                answer = Answer.FUNCTION_MALFORMED
            is_cut = duration_ns > spec.timeout_ns
            if is_cut:
                duration_ns = spec.timeout_ns
                answer = Answer.FUNCTION_ERROR
                state.pools[self.index]["timeouts"] += 1
            elif answer == Answer.SERVED and is_too_large:
                answer = self._answers_too_much()
            cut_ns = start_ns + setup_ns + init_ns + spec.timeout_ns
            yield from self.model.wait(call, setup_ns + init_ns + duration_ns, END_OF_WORK)
            if spec.n_calls and not is_cut:
                answer = yield from make_calls(self, call, answer, cut_ns, purposes)
        now_ns = self.model.now
        self.model.end_work()
        lambda_.release(
            state.pools, state.groups, state.idle, state.idle_since, self.index, started, now_ns
        )
        # What comes before the INIT phase is nobody's bill.
        billed_from_ns = start_ns + setup_ns + (init_ns if spec.init_unbilled else 0)
        self.model.meter_execution(call, self.index, now_ns - billed_from_ns, started)
        return answer

    def _answers_too_much(self) -> Answer:
        """Lambda makes an error of a result that is too large."""
        self.model.state.pools[self.index]["errors"] += 1
        return Answer.FUNCTION_ANSWER_TOO_LARGE

    def _own_service(self, call: Call) -> Generator[simpy.Event, Any, None]:
        for spent_ns in self.service.serve(call, self.model.draws):
            yield from self.model.wait(call, int(spent_ns), END_OF_WORK)


class Endpoint(Backend):
    """c servers and one first-in first-out queue."""

    def __init__(self, model: "Model", index: int) -> None:
        super().__init__(model, index)
        self._turn: dict[int, simpy.Event] = {}

    def begin(self, ticket: int) -> None:
        """A server takes a request that waits."""
        self._turn.pop(ticket).succeed()

    def work(self, call: Call, purposes: dict[str, Purpose]) -> Process:
        """Wait for a server, be served, let the next one in."""
        spec, draws = self.model.endpoints[self.index], self.model.draws
        return self.serve(
            call,
            lambda: draws.happens(call, spec.errors, purposes["error"]),
            lambda: draws.amount(call, spec.service_time, purposes["service"]),
        )

    def serve(
        self,
        call: Call,
        fails: Callable[[], bool],
        service_time: Callable[[], int],
        starts: Callable[[int], None] | None = None,
    ) -> Process:
        """The same for any caller, who says what is drawn; ``starts`` is told the end [ns]."""
        state = self.model.state
        ticket = self.model.take_ticket()
        arrived = http.arrive(
            state.endpoints, self.model.following, self.index, ticket, self.model.now
        )
        if arrived == http.FULL:
            self.model.give_ticket_back(ticket)
            return Answer.ENDPOINT_FULL
        if arrived == http.QUEUED:
            turn = self._turn[ticket] = self.env.event()
            yield turn
        self.model.give_ticket_back(ticket)
        answer = Answer.SERVED
        if fails():
            answer = Answer.ENDPOINT_ERROR
            state.endpoints[self.index]["errors"] += 1
        service_ns = service_time()
        if starts is not None:
            starts(self.model.now + service_ns)
        yield from self.model.wait(call, service_ns, END_OF_WORK)
        self.model.end_work()
        following = http.depart(state.endpoints, self.model.following, self.index, self.model.now)
        if following != NOBODY:
            self.begin(following)
        return answer
