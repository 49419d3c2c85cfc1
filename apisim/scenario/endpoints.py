"""HTTP endpoints behind the API: servers with a queue, and the load balancer before them."""

from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from apisim.scenario.distributions import TimeDistribution
from apisim.scenario.fields import choice, duration, flag, share, whole
from apisim.scenario.model import Context, Finding, Model, as_written, fail_all

__all__ = ["HealthCheck", "HttpEndpoint", "Outage"]

_OF_BALANCERS: Final = ("targets", "zones", "cross_zone", "health_check", "outages")


class HealthCheck(Model):
    """How a load balancer learns that a target is down, or up again.

    Attributes
    ----------
    interval : int
        Time between two checks [ns], default 30 s, as of both types of balancers.
    unhealthy_threshold, healthy_threshold : int
        Checks that have to fail or to pass, 2 to 10, default 2 and 5 (ALB).
    """

    interval: Annotated[int, duration("5s", "300s", "Elastic Load Balancing")] = as_written("30s")
    unhealthy_threshold: Annotated[int, whole(2, 10)] = 2
    healthy_threshold: Annotated[int, whole(2, 10)] = 5


class Outage(Model):
    """Some targets of a load balancer are down for a while.

    Attributes
    ----------
    targets : int
        How many: the first of the endpoint's.
    at : int
        When it begins [ns].
    lasts : int
        How long it lasts [ns]; ``for`` in a scenario.
    """

    targets: Annotated[int, whole(1, 100)] = 1
    at: Annotated[int, duration()]
    lasts: Annotated[int, duration("1ms")] = Field(alias="for")


class HttpEndpoint(Model):
    """HTTP backend: a number of servers with one queue, or as many of them as it has targets.

    Attributes
    ----------
    servers : int
        Requests served at a time, 1 to 1,000,000.
    queue_limit : int or None
        Requests that may wait; more are answered with an error. None has no limit.
    service_time : Distribution
        Time a server needs for one request [ns].
    errors : float
        Share of requests that fail, in [0, 1], default 0.
    behind : {"nlb", "alb"} or None
        Load balancer in a VPC that a VPC link leads to; None is a public endpoint.
    targets : int
        Targets of the load balancer, each with ``servers`` and a queue of its own, 1 to 100.
    zones : int
        Availability zones that the targets are spread over in turn, 1 to 6.
    cross_zone : bool
        Whether a request may go to a target of another zone. Default: of an ALB yes, of an NLB no
        (Elastic Load Balancing guide, documented).
    requests_per_connection : int or None
        Requests that the gateway sends over one connection to the balancer, 1 to 1,000,000: new
        connections are one of the dimensions of its capacity units. None, the default: nobody
        knows, and they are left out.
    rule_evaluations : int
        Rules that an ALB evaluates for one request beyond those that are free, 0 to 200, default 0:
        one of the dimensions of its capacity units.
    health_check : HealthCheck
        When the balancer notices that a target is down, or up again.
    outages : list of Outage
        When targets are down.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"calls", "discipline"})

    servers: Annotated[int, whole(1, 1_000_000)]
    queue_limit: Annotated[int, whole(0, 1_000_000_000)] | None = None
    service_time: TimeDistribution
    errors: Annotated[float, share()] = as_written(0)
    behind: Annotated[Literal["nlb", "alb"], choice("nlb", "alb")] | None = None
    targets: Annotated[int, whole(1, 100)] = 1
    zones: Annotated[int, whole(1, 6)] = 1
    cross_zone: Annotated[bool, flag()] = False
    requests_per_connection: Annotated[int, whole(1, 1_000_000)] | None = None
    rule_evaluations: Annotated[int, whole(0, 200)] = 0
    health_check: HealthCheck = as_written({})
    outages: Annotated[list[Outage], Field(max_length=100)] = Field(default_factory=list)

    @classmethod
    def fill(cls, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """What a balancer does by default."""
        return {"cross_zone": True, **data} if data.get("behind") == "alb" else data

    @model_validator(mode="after")
    def _has_a_balancer(self) -> Self:
        findings = []
        if self.behind is None:
            for key in (*_OF_BALANCERS, "requests_per_connection", "rule_evaluations"):
                if key in self.model_fields_set:
                    message = "a public endpoint has none"
                    is_rule = key == "rule_evaluations"
                    hint = "write behind: alb" if is_rule else "write behind: nlb, or alb"
                    findings.append(Finding((key,), message, hint))
        if self.behind == "nlb" and "rule_evaluations" in self.model_fields_set:
            message = "a Network Load Balancer has no rules"
            findings.append(Finding(("rule_evaluations",), message, "write behind: alb"))
        for at, outage in enumerate(self.outages):
            if outage.targets > self.targets:
                message = f"there are {self.targets} targets"
                findings.append(Finding(("outages", at, "targets"), message, "name fewer"))
        if findings:
            raise fail_all(findings)
        return self
