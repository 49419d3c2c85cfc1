"""Hypothesis strategies for AWS services, and for what functions call while they run."""

from typing import Any

from apisim.scenario.actions import ACTIONS
from tests.equivalence.drawing import Drawing

__all__ = ["add_calls", "draw_link", "draw_services", "service_target"]

_TYPES = ("dynamodb", "dynamodb", "sqs", "kinesis", "sns", "step_functions", "eventbridge")
#: Those whose limits are rates as written; the others have whole units a second.
_RATED = ("sqs", "sns", "step_functions", "eventbridge")
_SIZES = ("1KB", "0B", "5KB", {"mixture": [[0.5, "1KB"], [0.5, "30KB"]]}, "700KB")


def draw_services(drawing: Drawing) -> dict[str, Any]:
    """None, or up to four services with limits that a few hundred requests meet."""
    return {f"s{at}": _service(drawing) for at in range(drawing.one(0, 0, 2, 4))}


def _service(drawing: Drawing) -> dict[str, Any]:
    kind = drawing.one(*(_RATED if drawing.is_exact else _TYPES))
    service: dict[str, Any] = {"type": kind, "latency": drawing.time()}
    drawing.optional(service, 70, "item_size", *_SIZES)
    drawing.optional(service, 30, "errors", "50%", "10%", "100%")
    if kind == "dynamodb":
        drawing.optional(service, 60, "consistency", "strong", "transactional", "eventual")
        if drawing.maybe(40):
            service["read_capacity_units"] = drawing.one(1, 2)
            service["write_capacity_units"] = drawing.one(1, 3)
        else:
            drawing.optional(service, 80, "max_read_request_units", 3, 20, 100)
            drawing.optional(service, 80, "max_write_request_units", 3, 20, 100)
    elif kind == "kinesis":
        drawing.optional(service, 70, "shards", 2, 1, 3)
        if isinstance(service.get("item_size", "1KB"), str):
            drawing.optional(service, 40, "mode", "on_demand", "provisioned")
    else:
        drawing.optional(service, 80, "limit", drawing.throttle())
        if kind in ("sqs", "sns"):
            drawing.optional(service, 50, "fifo", True, False)
        if kind == "step_functions":
            drawing.optional(service, 65, "express", True, False)
            if service.get("express"):
                drawing.optional(service, 80, "execution_duration", "250ms", "1ms")
                drawing.optional(service, 80, "execution_memory", "65MB", "1MB")
            else:
                drawing.optional(service, 50, "transitions", 3, 1)
    return service


def draw_link(drawing: Drawing, endpoint: dict[str, Any]) -> None:
    """Let an endpoint be the targets of a load balancer, some of them down for a while."""
    endpoint["behind"] = drawing.one("nlb", "alb")
    endpoint["targets"] = targets = drawing.one(2, 3, 1, 5)
    drawing.optional(endpoint, 60, "zones", 2, 3, 1)
    drawing.optional(endpoint, 40, "cross_zone", True, False)
    if endpoint["behind"] == "alb":
        drawing.optional(endpoint, 40, "rule_evaluations", 2, 0)
    drawing.optional(endpoint, 30, "requests_per_connection", 1, 50)
    if drawing.maybe(70):
        endpoint["outages"] = outages = []
        for _ in range(drawing.one(1, 2)):
            outage = {"at": drawing.one("0s", "0s", "5ms"), "for": drawing.one("15s", "20ms")}
            drawing.optional(outage, 50, "targets", targets, 1)
            outages.append(outage)
    if drawing.maybe(40):
        endpoint["health_check"] = check = {}
        drawing.optional(check, 70, "interval", "5s", "30s")
        drawing.optional(check, 70, "unhealthy_threshold", 2, 3)
        drawing.optional(check, 70, "healthy_threshold", 2, 5)


def add_calls(
    drawing: Drawing,
    functions: dict[str, Any],
    endpoints: dict[str, Any],
    services: dict[str, Any],
) -> None:
    """Let some functions call endpoints and services, mostly with a time limit of their own."""
    for function in functions.values():
        if not drawing.maybe(35):
            continue
        function["calls"] = calls = []
        for _ in range(drawing.one(1, 2, 2, 3, 0)):
            if services and drawing.maybe(70):
                call = service_target(drawing, services)
            else:
                call = {"endpoint": drawing.one(*endpoints)}
            drawing.optional(call, 40, "on_error", "ignore", "fail")
            calls.append(call)
        if "timeout" not in function:
            drawing.optional(function, 60, "timeout", "10ms", "20ms", "2ms", "50ms")


def service_target(drawing: Drawing, services: dict[str, Any]) -> dict[str, Any]:
    """A service, and what is done to it."""
    name = drawing.one(*services)
    target: dict[str, Any] = {"service": name}
    kind = services[name]["type"]
    drawing.optional(target, 100 if kind == "dynamodb" else 60, "action", *ACTIONS[kind])
    return target
