"""The web application firewall of a stage."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.draws.purposes import Purpose
from apisim.engine.compiled.calendar import RANK_ARRIVAL, schedule_slot
from apisim.engine.compiled.sampling import draw_int, happens
from apisim.engine.compiled.stages import (
    STAGE_EARLY_THROTTLE,
    STAGE_REFUSE,
    STAGE_WAF_VERDICT,
    STAGE_WAIT,
)
from apisim.engine.world import World
from apisim.gateway.status import Answer
from apisim.gateway.waf import (
    BLOCKED_BY_RATE,
    BLOCKED_BY_RULE,
    PASSED,
    note_inspection,
    over_any_rate,
)

__all__ = ["give_verdict", "pass_waf"]

_LATENCY: Final = constant(Purpose.WAF_LATENCY)
_BLOCK: Final = constant(Purpose.WAF_BLOCK)
_BLOCKED: Final = constant(Answer.WAF_BLOCKED)


@gate
def pass_waf(world: World, at: int, now_ns: int) -> int:
    """The web ACL takes its time for the request in slot ``at``; the next stage."""
    slot = world.calendar.slots[at]
    latency_ns = draw_int(world, slot, world.tables.rules[0]["waf_latency"], _LATENCY)
    if latency_ns == 0:
        return STAGE_WAF_VERDICT
    schedule_slot(world.calendar, now_ns + latency_ns, RANK_ARRIVAL, STAGE_WAF_VERDICT, at)
    return STAGE_WAIT


@gate
def give_verdict(world: World, at: int, now_ns: int) -> int:
    """The web ACL's verdict; the next stage."""
    tables, calendar, _, state, _ = world
    slot = calendar.slots[at]
    waf = tables.wafs[tables.apis[slot["api"]]["waf"]]
    verdict = PASSED
    if over_any_rate(
        waf,
        tables.rate_rules,
        tables.waf_blocks,
        state.rates,
        state.rate_counts,
        slot["ip"],
        now_ns,
    ):
        verdict = BLOCKED_BY_RATE
    elif happens(world, slot, waf["block"], _BLOCK):
        verdict = BLOCKED_BY_RULE
    is_warm_up = 1 if slot["arrival_ns"] < tables.rules[0]["warm_up_ns"] else 0
    note_inspection(state.inspections, slot["phase"], slot["api"], is_warm_up, verdict)
    if verdict == PASSED:
        return STAGE_EARLY_THROTTLE
    slot["answer"] = _BLOCKED
    return STAGE_REFUSE
