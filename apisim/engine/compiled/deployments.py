"""Canary and compression in the compiled engine."""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, gate
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.compiled.preflights import carry
from apisim.engine.compiled.sampling import happens
from apisim.engine.world import World
from apisim.gateway.compression import compressed_bytes

__all__ = ["compress", "pick_deployment"]

_CANARY: Final = constant(Purpose.CANARY)
_ACCEPT_ENCODING: Final = constant(Purpose.ACCEPT_ENCODING)
_PERCENT: Final = 100.0


@gate
def pick_deployment(world: World, at: int) -> None:
    """The stage's deployment answers the request in slot ``at``, or its canary."""
    tables = world.tables
    slot = world.calendar.slots[at]
    share = tables.apis[slot["api"]]["canary_percent"] / _PERCENT
    if happens(world, slot, share, _CANARY):
        carry(world, at, tables.bindings[slot["binding"]]["canary"])


@gate
def compress(world: World, slot: np.void) -> None:
    """An integration's answer, or one from the cache, leaves a stage that compresses."""
    tables = world.tables
    share = tables.sources[slot["source"]]["accept_encoding"]
    if share < 1.0:
        key = tables.draw_keys[slot["source"], _ACCEPT_ENCODING]
        # A caller's software says so with all of a call's attempts, or with none.
        if uniform(key, slot["entity"], 0) >= share:
            return
    slot["response_bytes"] = compressed_bytes(
        slot["response_bytes"],
        tables.apis[slot["api"]]["compress_from"],
        tables.routes[slot["route"]]["compressed_ppm"],
    )
