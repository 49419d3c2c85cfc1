"""Draws of a request in flight."""

import numpy as np

from apisim.arrays.jit import part
from apisim.draws.generator import uniform
from apisim.draws.sampling import sample_int
from apisim.engine.calls import DRAWS_PER_ATTEMPT
from apisim.engine.world import World

__all__ = ["draw_int", "happens"]


@part
def draw_int(world: World, slot: np.void, dist: int, purpose: int) -> int:
    """A time or size of this attempt."""
    tables = world.tables
    return sample_int(
        tables.dists,
        tables.dist_values,
        dist,
        tables.draw_keys[slot["source"], purpose],
        slot["entity"],
        slot["attempt"] * DRAWS_PER_ATTEMPT,
    )


@part
def happens(world: World, slot: np.void, share: float, purpose: int) -> bool:
    """Whether something that befalls a share of attempts befalls this one."""
    if share <= 0.0:
        return False
    key = world.tables.draw_keys[slot["source"], purpose]
    return uniform(key, slot["entity"], slot["attempt"] * DRAWS_PER_ATTEMPT) < share
