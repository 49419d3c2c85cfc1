"""The answer leaves the gateway: the request is written down, a closed user thinks."""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, part
from apisim.draws.purposes import Purpose
from apisim.engine.compiled.calendar import RANK_ARRIVAL, major_word, minor_word, schedule
from apisim.engine.compiled.preflights import look_as_browser
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.compiled.stages import STAGE_USER
from apisim.engine.preflights import PREFLIGHT_ATTEMPT
from apisim.engine.recorder import record
from apisim.engine.world import World
from apisim.gateway.metering import metered_units
from apisim.gateway.status import Answer

__all__ = ["finish"]

_REQUEST_SIZE: Final = constant(Purpose.REQUEST_SIZE)
_THINK: Final = constant(Purpose.THINK)
_HIT: Final = constant(Answer.CACHE_HIT)
_PREFLIGHT: Final = constant(Answer.PREFLIGHT)


@part
def finish(world: World, slot: np.void, answered_ns: int, rare: int | None) -> None:
    """The answer leaves the gateway at ``answered_ns``: write the request down."""
    tables, calendar, _, _, recorder = world
    api = tables.apis[slot["api"]]
    answer = slot["answer"]
    slot["gateway_ns"] = answered_ns - slot["door_ns"]
    slot["latency_ns"] = answered_ns + slot["back_ns"] - slot["arrival_ns"]
    if answer > _HIT:
        slot["response_bytes"] = tables.body[api["type"], answer]
    if rare is not None and tables.bindings[slot["binding"]]["cors"] >= 0:
        look_as_browser(world, slot)
        answer = slot["answer"]
    slot["status"] = tables.status[api["type"], answer]
    if slot["route"] >= 0:
        size = tables.routes[slot["route"]]["request_size"]
        slot["request_bytes"] = draw_int(world, slot, size, _REQUEST_SIZE)
    slot["units"] = metered_units(
        tables.charged[slot["api"]],
        answer,
        api["increment_bytes"],
        api["basis"],
        slot["request_bytes"],
        slot["response_bytes"],
    )
    record(recorder, slot, tables.cell_hashes, rare)
    calendar.clock[0]["in_flight"] -= 1
    if slot["job"] >= 0 and answer != _PREFLIGHT:
        if rare is not None:
            slot["attempt"] &= PREFLIGHT_ATTEMPT - 1  # a user goes on after a preflight in vain
        _think(world, slot, answered_ns + slot["back_ns"])


@part
def _think(world: World, slot: np.void, answered_ns: int) -> None:
    """A closed user has its answer: it thinks, then calls again while it is active."""
    tables, calendar, _, state, _ = world
    jobs = tables.jobs
    job = slot["job"]
    next_ns = answered_ns + draw_int(world, slot, tables.think[slot["phase"]], _THINK)
    while next_ns >= jobs[job]["end_ns"]:
        job += 1
        if job == jobs.shape[0]:
            return
        following = jobs[job]
        if following["source"] != slot["source"] or following["user"] != slot["user"]:
            return
        next_ns = max(next_ns, following["start_ns"])
    user = tables.sources[slot["source"]]["first_user"] + slot["user"]
    schedule(
        calendar,
        next_ns,
        major_word(RANK_ARRIVAL, slot["source"], slot["user"]),
        minor_word(state.user_ordinals[user], 0),
        STAGE_USER,
        job,
        0,
    )
