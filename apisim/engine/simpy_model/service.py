"""AWS services in the golden model: as many requests at a time as come, within their limits."""

from collections.abc import Callable

from apisim.backends.service import MAX_LIMITS, request_service
from apisim.draws.purposes import Purpose
from apisim.engine.calls import share_at
from apisim.engine.simpy_model.backends import Backend
from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import END_OF_WORK, Process
from apisim.gateway.status import Answer

__all__ = ["Service"]


class Service(Backend):
    """A service that takes a request if its limits do."""

    def work(self, call: Call, purposes: dict[str, Purpose]) -> Process:
        """Serve a request of the gateway itself."""
        model = self.model
        spec, draws = model.services[self.index], model.draws
        action = model.routes[model.bindings[call.binding].route].action
        return self.serve(
            call,
            action,
            lambda: draws.amount(call, spec.item_size, Purpose.ITEM_SIZE),
            lambda: draws.share(call, Purpose.SHARD),
            lambda: draws.happens(call, spec.errors, purposes["error"]),
            lambda: draws.amount(call, spec.latency, purposes["service"]),
        )

    def serve(
        self,
        call: Call,
        action: int,
        item_size: Callable[[], int],
        shard: Callable[[], float],
        fails: Callable[[], bool],
        latency: Callable[[], int],
        starts: Callable[[int], None] | None = None,
    ) -> Process:
        """The same for any caller, who says what is drawn; ``starts`` is told the end [ns]."""
        model, state = self.model, self.model.state
        spec = model.services[self.index]
        first = spec.first_limit
        if spec.shards > 1:
            first += MAX_LIMITS * share_at(shard(), spec.shards)
        cost = model.tables.actions[action]
        admitted = request_service(
            state.services,
            state.service_limits,
            self.index,
            first,
            cost,
            item_size(),
            model.now,
        )
        if not admitted:
            return Answer.SERVICE_THROTTLED
        answer = Answer.SERVED
        if fails():
            answer = Answer.SERVICE_ERROR
            state.services[self.index]["errors"] += 1
        latency_ns = latency()
        if starts is not None:
            starts(model.now + latency_ns)
        yield from model.wait(call, latency_ns, END_OF_WORK)
        model.end_work()
        return answer
