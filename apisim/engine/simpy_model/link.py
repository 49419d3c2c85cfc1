"""Endpoints behind the load balancer of a VPC link, in the golden model."""

from typing import TYPE_CHECKING

import simpy

from apisim.backends.targets import crosses_zones, is_down, pick_target
from apisim.draws.purposes import Purpose
from apisim.engine.calls import share_at
from apisim.engine.simpy_model.backends import Backend, Endpoint
from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import Process
from apisim.gateway.status import Answer

if TYPE_CHECKING:
    from apisim.engine.simpy_model.model import Model

__all__ = ["Link"]


class Link:
    """A VPC link with a load balancer: it picks a target when the call leaves the gateway."""

    def __init__(self, model: "Model", index: int) -> None:
        self.model = model
        self.index = index

    def start(self, call: Call, transport_ns: int, purposes: dict[str, Purpose]) -> simpy.Event:
        """Send a call off by way of the link to one of the targets."""
        model, draws = self.model, self.model.draws
        link, outages = model.tables.links[self.index], model.tables.outages
        n_zones = int(link["zones"])
        zone = int(share_at(draws.share(call, Purpose.ZONE), n_zones)) if n_zones > 1 else 0
        u = draws.share(call, Purpose.TARGET) if link["targets"] > 1 else 0.0
        target = int(pick_target(link, outages, zone, u, model.now))
        transport_ns += draws.amount(call, model.rules.vpc_link_time, Purpose.LINK)
        if crosses_zones(link, zone, target):
            transport_ns += draws.amount(call, model.rules.cross_zone_time, Purpose.CROSS_ZONE)
        if is_down(link, outages, target, model.now):
            answer = Answer.TARGET_DOWN if link["application"] else Answer.TARGET_UNREACHABLE
            return _Down(model, answer).start(call, transport_ns, purposes)
        endpoint: Endpoint = model.endpoint_backends[int(link["first"]) + target]
        return endpoint.start(call, transport_ns, purposes)


class _Down(Backend):
    """A target that is down: the answer is there as soon as the call is."""

    def __init__(self, model: "Model", answer: Answer) -> None:
        super().__init__(model, 0)
        self.answer = answer

    def work(self, call: Call, purposes: dict[str, Purpose]) -> Process:  # noqa: ARG002
        """Answer at once."""
        yield from ()
        return self.answer
