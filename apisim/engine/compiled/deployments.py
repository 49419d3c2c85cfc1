"""X-Ray, canary and compression in the compiled engine."""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, gate
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.compiled.preflights import carry
from apisim.engine.compiled.sampling import happens
from apisim.engine.flags import FLAG_TRACED
from apisim.engine.world import World
from apisim.gateway.compression import compressed_bytes
from apisim.gateway.tracing import BY_CHANCE, TRACED, sample

__all__ = ["compress", "note_trace", "pick_deployment"]

_CANARY: Final = constant(Purpose.CANARY)
_TRACE: Final = constant(Purpose.TRACE)
_ACCEPT_ENCODING: Final = constant(Purpose.ACCEPT_ENCODING)
_PERCENT: Final = 100.0


@gate
def note_trace(world: World, at: int, now_ns: int) -> None:
    """X-Ray looks at the request in slot ``at``."""
    tables = world.tables
    slot = world.calendar.slots[at]
    api = tables.apis[slot["api"]]
    clock_ns = tables.quota_clock[0]["start_ns"] + now_ns
    verdict = sample(world.state.samplers[slot["api"]], api["reservoir"], api["traced"], clock_ns)
    if verdict == TRACED or (verdict == BY_CHANCE and happens(world, slot, api["traced"], _TRACE)):
        slot["flags"] |= FLAG_TRACED


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
