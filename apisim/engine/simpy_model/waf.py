"""The web application firewall of a stage."""

from typing import TYPE_CHECKING

from apisim.draws.purposes import Purpose
from apisim.engine.simpy_model.call import Call, Refused
from apisim.engine.simpy_model.environment import ARRIVAL, Process
from apisim.gateway.status import Answer
from apisim.gateway.waf import (
    BLOCKED_BY_RATE,
    BLOCKED_BY_RULE,
    PASSED,
    note_inspection,
    over_any_rate,
)

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway

__all__ = ["pass_waf"]


def pass_waf(gateway: "Gateway", call: Call) -> Process:
    """The web ACL takes its time, then lets a call pass or refuses it."""
    model = gateway.model
    latency_ns = model.draws.amount(call, model.rules.waf_latency, Purpose.WAF_LATENCY)
    yield from model.wait(call, latency_ns, ARRIVAL)
    api = model.bindings[call.binding].api
    verdict = _verdict(gateway, call, api)
    is_warm_up = int(call.arrival_ns < model.rules.warm_up_ns)
    note_inspection(model.state.inspections, call.phase, api, is_warm_up, verdict)
    if verdict != PASSED:
        raise Refused(Answer.WAF_BLOCKED)


def _verdict(gateway: "Gateway", call: Call, api: int) -> int:
    tables, model = gateway.tables, gateway.model
    waf = tables.wafs[model.apis[api].waf]
    if over_any_rate(
        waf,
        tables.rate_rules,
        tables.waf_blocks,
        model.state.rates,
        model.state.rate_counts,
        call.ip,
        model.now,
    ):
        return BLOCKED_BY_RATE
    if model.draws.happens(call, float(waf["block"]), Purpose.WAF_BLOCK):
        return BLOCKED_BY_RULE
    return PASSED
