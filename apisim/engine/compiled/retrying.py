"""The next attempt of whoever tries again: a client, or a sender of pushes."""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, gate
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.calls import DRAWS_PER_ATTEMPT
from apisim.engine.compiled.calendar import RANK_ARRIVAL, schedule_slot
from apisim.engine.world import World
from apisim.traffic.retries import GIVE_UP, backoff_ns, needs_draw, take_tokens

__all__ = ["try_again"]

_BACKOFF: Final = constant(Purpose.BACKOFF)


@gate
def try_again(
    world: World,
    at: int,
    client: np.void,
    process: int,
    seen: int,
    attempt: int,
    now_ns: int,
    stage: int,
) -> int:
    """Schedule the next attempt of the call in slot ``at``, which comes back at ``stage``.

    Returns
    -------
    int
        What it takes of the quota, or ``GIVE_UP`` where that has too few tokens: nothing happens.
    """
    tables, calendar, _, state, _ = world
    slot, kept = calendar.slots[at], calendar.patience[at]
    cost = take_tokens(client, state.retry_tokens, process, seen)
    if cost == GIVE_UP:
        return GIVE_UP
    drawn = 0.0
    if needs_draw(client):
        key = tables.draw_keys[slot["source"], _BACKOFF]
        drawn = uniform(key, slot["entity"], attempt * DRAWS_PER_ATTEMPT)
    wait_ns = backoff_ns(client, attempt + 1, seen, kept["retry_wait_ns"], drawn)
    kept["retry_wait_ns"] = wait_ns
    kept["retry_cost"] = cost
    slot["attempt"] = attempt + 1
    slot["arrival_ns"] = now_ns + wait_ns
    schedule_slot(calendar, now_ns + wait_ns, RANK_ARRIVAL, stage, at)
    return cost
