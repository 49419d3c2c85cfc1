"""A closed user thinks, then calls again while it is active."""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, part
from apisim.draws.purposes import Purpose
from apisim.engine.compiled.calendar import RANK_ARRIVAL, major_word, minor_word, schedule
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.compiled.stages import STAGE_USER
from apisim.engine.world import World

__all__ = ["think"]

_THINK: Final = constant(Purpose.THINK)


@part
def think(world: World, slot: np.void, answered_ns: int) -> None:
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
