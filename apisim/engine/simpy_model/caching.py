"""The response cache beyond the plain one, in the golden model.

A route comes here if some of its callers ask for fresh answers, if stale or wrong answers are to be
counted, if errors or encrypted entries are stored, if the instance has a limit, or if the timeline
takes it away.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from apisim.arrays.expiring_lru import lru_find
from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.engine.calls import entry_draw
from apisim.engine.flags import FLAG_INVALIDATION, FLAG_STALE, FLAG_WARNED, FLAG_WRONG
from apisim.engine.recorder import CACHE_HIT, CACHE_MISS
from apisim.engine.simpy_model.call import Call, Refused
from apisim.engine.simpy_model.environment import ARRIVAL, Process
from apisim.engine.tables import (
    CACHE_DEPENDS,
    CACHE_EVERYTHING,
    CACHE_INVALIDATES,
    CACHE_QUEUES,
    CACHE_UPDATES,
)
from apisim.gateway.cache_cluster import is_available, take_turn
from apisim.gateway.cache_control import INVALIDATES, REFUSED, WARNED, answer_to_max_age
from apisim.gateway.cache_entries import is_stale, is_wrong, stored_bytes
from apisim.gateway.response_cache import cache_keep
from apisim.gateway.status import Answer

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway
    from apisim.engine.simpy_model.model import Model

__all__ = ["ask_cache", "keep_answer"]

_CACHED = {
    -Answer.ENDPOINT_ERROR: Answer.CACHED_ERROR,
    -Answer.ENDPOINT_FULL: Answer.CACHED_FULL,
}


def ask_cache(gateway: "Gateway", call: Call) -> Process:
    """Ask the cache for the call's key; whether it was found."""
    model = gateway.model
    rule = model.caching[model.bindings[call.binding].caching]
    cluster = model.state.clusters[rule.cache]
    if rule.what & CACHE_INVALIDATES:
        _read_max_age(model, call, rule)
    if not is_available(cluster, model.now):
        return False
    if rule.what & CACHE_QUEUES:
        served_ns = int(take_turn(cluster, model.now))
        yield from model.wait(call, served_ns - model.now, ARRIVAL)
        if not is_available(cluster, model.now):
            return False
    call.cache = CACHE_MISS
    if rule.what & CACHE_DEPENDS:
        call.about = gateway.key_of(call, rule.depends_part, rule.depends_parts, 0, "depends_hash")
    if call.flags & FLAG_INVALIDATION:
        return False
    found = lru_find(model.store, call.cache_key, model.now)
    if found < 0:
        return False
    _read_entry(model, call, rule, model.store.entries[found])
    return True


def _read_max_age(model: "Model", call: Call, rule: Any) -> None:
    """``Cache-Control: max-age=0``, if the call sends it: the header is the call's own."""
    key = model.tables.draw_keys[call.source, Purpose.INVALIDATE]
    if uniform(key, call.entity, 0) >= rule.invalidate:
        return
    may = bool(uniform(key, call.entity, 1) < rule.authorized)
    said = answer_to_max_age(rule.needs_permission, may, rule.unauthorized)
    if said == REFUSED:
        raise Refused(Answer.INVALIDATION_REFUSED)
    if said == INVALIDATES:
        call.flags |= FLAG_INVALIDATION
    elif said == WARNED:
        call.flags |= FLAG_WARNED


def _read_entry(model: "Model", call: Call, rule: Any, entry: Any) -> None:
    """What a stored answer says, and whether it is still and really the answer."""
    call.cache = CACHE_HIT
    call.answer = Answer.CACHE_HIT
    value = int(entry["value"])
    if value >= 0:
        call.response_bytes = value
    else:
        call.answer = _CACHED[value]
    if is_wrong(entry["about"], call.about):
        call.flags |= FLAG_WRONG
    if rule.what & CACHE_UPDATES:
        stored_ns = int(entry["stored_ns"])
        u = entry_draw(np.uint64(rule.updates_key), call.cache_key, stored_ns)
        if is_stale(model.now - stored_ns, rule.updates_per_s, u):
            call.flags |= FLAG_STALE


def keep_answer(gateway: "Gateway", call: Call) -> None:
    """Store what the integration said, if it may be stored."""
    model = gateway.model
    rule = model.caching[model.bindings[call.binding].caching]
    # A call that found no instance is not written into one that was made in the meantime.
    if call.cache != CACHE_MISS or not is_available(model.state.clusters[rule.cache], model.now):
        return
    value = call.response_bytes
    if call.answer != Answer.SERVED:
        if -call.answer not in _CACHED or not rule.what & CACHE_EVERYTHING:
            return
        value = -int(call.answer)
    model.make_room()
    cache_keep(
        model.store,
        model.bindings[call.binding].cache_line,
        call.cache_key,
        value,
        stored_bytes(max(value, 0), rule.inflation_ppm),
        model.rules.cache_max_object,
        model.rules.cache_entry_overhead,
        call.about,
        bool(call.flags & FLAG_INVALIDATION),
        model.now,
    )
