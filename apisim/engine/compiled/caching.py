"""The response cache beyond the plain one: invalidation, queueing, stale and wrong answers.

Read ``engine/simpy_model/caching.py`` first; a route that uses none of this never comes here.
"""

from typing import Final

import numpy as np

from apisim.arrays.expiring_lru import lru_find
from apisim.arrays.jit import constant, gate, part
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.calls import compose_key, entry_draw
from apisim.engine.compiled.calendar import RANK_ARRIVAL, schedule_slot
from apisim.engine.compiled.stages import (
    STAGE_HIT,
    STAGE_INTEGRATION,
    STAGE_LOOKUP,
    STAGE_REFUSE,
    STAGE_WAIT,
)
from apisim.engine.flags import FLAG_INVALIDATION, FLAG_STALE, FLAG_WARNED, FLAG_WRONG
from apisim.engine.recorder import CACHE_HIT, CACHE_MISS
from apisim.engine.tables import (
    CACHE_DEPENDS,
    CACHE_EVERYTHING,
    CACHE_INVALIDATES,
    CACHE_QUEUES,
    CACHE_UPDATES,
)
from apisim.engine.world import World
from apisim.gateway.cache_cluster import is_available, take_turn
from apisim.gateway.cache_control import INVALIDATES, REFUSED, WARNED, answer_to_max_age
from apisim.gateway.cache_entries import UNKNOWN, is_stale, is_wrong, stored_bytes
from apisim.gateway.response_cache import cache_keep
from apisim.gateway.status import Answer

__all__ = ["ask_cache", "keep_answer", "look_up"]

_INVALIDATE: Final = constant(Purpose.INVALIDATE)
_HIT: Final = constant(Answer.CACHE_HIT)
_CACHED_ERROR: Final = constant(Answer.CACHED_ERROR)
_CACHED_FULL: Final = constant(Answer.CACHED_FULL)
_ENDPOINT_ERROR: Final = constant(Answer.ENDPOINT_ERROR)
_ENDPOINT_FULL: Final = constant(Answer.ENDPOINT_FULL)
_SERVED: Final = constant(Answer.SERVED)
_REFUSED: Final = constant(Answer.INVALIDATION_REFUSED)


@gate
def ask_cache(world: World, at: int, now_ns: int) -> int:
    """The request in slot ``at`` comes to the cache with its key; the next stage."""
    tables, calendar, _, state, _ = world
    slot = calendar.slots[at]
    rule = tables.caching[tables.bindings[slot["binding"]]["caching"]]
    if rule["what"] & CACHE_INVALIDATES:
        key = tables.draw_keys[slot["source"], _INVALIDATE]
        if uniform(key, slot["entity"], 0) < rule["invalidate"]:
            may = uniform(key, slot["entity"], 1) < rule["authorized"]
            said = answer_to_max_age(rule["needs_permission"], may, rule["unauthorized"])
            if said == REFUSED:
                slot["answer"] = _REFUSED
                return STAGE_REFUSE
            if said == INVALIDATES:
                slot["flags"] |= FLAG_INVALIDATION
            elif said == WARNED:
                slot["flags"] |= FLAG_WARNED
    cluster = state.clusters[rule["cache"]]
    if not is_available(cluster, now_ns):
        return STAGE_INTEGRATION
    if rule["what"] & CACHE_QUEUES:
        served_ns = take_turn(cluster, now_ns)
        if served_ns > now_ns:
            schedule_slot(calendar, served_ns, RANK_ARRIVAL, STAGE_LOOKUP, at)
            return STAGE_WAIT
    return STAGE_LOOKUP


@gate
def look_up(world: World, at: int, now_ns: int) -> int:
    """The instance looks for the request's entry; the next stage."""
    tables, calendar, store, state, _ = world
    slot = calendar.slots[at]
    binding = tables.bindings[slot["binding"]]
    rule = tables.caching[binding["caching"]]
    if not is_available(state.clusters[rule["cache"]], now_ns):
        return STAGE_INTEGRATION
    slot["cache"] = CACHE_MISS
    slot["about"] = UNKNOWN
    if rule["what"] & CACHE_DEPENDS:
        slot["about"] = _about(world, slot, rule)
    if slot["flags"] & FLAG_INVALIDATION:
        return STAGE_INTEGRATION
    found = lru_find(store, slot["cache_key"], now_ns)
    if found < 0:
        return STAGE_INTEGRATION
    entry = store.entries[found]
    slot["cache"] = CACHE_HIT
    slot["answer"] = _HIT
    if entry["value"] >= 0:
        slot["response_bytes"] = entry["value"]
    else:
        slot["answer"] = _CACHED_ERROR if entry["value"] == -_ENDPOINT_ERROR else _CACHED_FULL
    if is_wrong(entry["about"], slot["about"]):
        slot["flags"] |= FLAG_WRONG
    if rule["what"] & CACHE_UPDATES:
        stored_ns = entry["stored_ns"]
        u = entry_draw(rule["updates_key"], slot["cache_key"], stored_ns)
        if is_stale(now_ns - stored_ns, rule["updates_per_s"], u):
            slot["flags"] |= FLAG_STALE
    return STAGE_HIT


@part
def _about(world: World, slot: np.void, rule: np.void) -> np.uint64:
    """Hash of the parameters the call's answer depends on."""
    tables = world.tables
    target_hash = np.uint64(0)
    client_hash = np.uint64(0)
    if slot["target"] >= 0:
        target_hash = tables.targets[slot["target"]]["depends_hash"]
        client_hash = tables.client_hashes[slot["client"]]
    return compose_key(
        tables.parts,
        rule["depends_part"],
        rule["depends_parts"],
        np.uint64(0),
        tables.popularities,
        tables.popularity_cells,
        slot["entity"],
        target_hash,
        client_hash,
        slot["token"],
    )


@gate
def keep_answer(world: World, slot: np.void, now_ns: int) -> None:
    """The integration has answered: store what it said, if it may be stored."""
    tables, _, store, state, _ = world
    binding = tables.bindings[slot["binding"]]
    rule = tables.caching[binding["caching"]]
    if slot["cache"] != CACHE_MISS or not is_available(state.clusters[rule["cache"]], now_ns):
        return
    value = slot["response_bytes"]
    if slot["answer"] != _SERVED:
        is_endpoints = slot["answer"] == _ENDPOINT_ERROR or slot["answer"] == _ENDPOINT_FULL
        if not is_endpoints or rule["what"] & CACHE_EVERYTHING == 0:
            return
        value = -slot["answer"]
    rules = tables.rules[0]
    cache_keep(
        store,
        binding["cache_line"],
        slot["cache_key"],
        value,
        stored_bytes(max(value, 0), rule["inflation_ppm"]),
        rules["cache_max_object"],
        rules["cache_entry_overhead"],
        slot["about"],
        slot["flags"] & FLAG_INVALIDATION != 0,
        now_ns,
    )
