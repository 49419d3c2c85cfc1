"""Preflights in the compiled engine: a slot carries the question first, then the request itself."""

from typing import Final

import numpy as np

from apisim.arrays.jit import constant, gate
from apisim.engine.backend_tables import BACKEND_MOCK
from apisim.engine.compiled.calendar import RANK_ARRIVAL, schedule_slot
from apisim.engine.compiled.stages import STAGE_SEND, STAGE_WAIT
from apisim.engine.flags import FLAG_CORS_BLOCKED
from apisim.engine.preflights import PREFLIGHT_ATTEMPT, is_remembered, preflight_key, remember
from apisim.engine.tables import NONE
from apisim.engine.world import World
from apisim.gateway.cors import seen_answer
from apisim.gateway.status import Answer

__all__ = ["ask_first", "await_permission", "carry", "look_as_browser", "take_permission"]

_HTTP: Final = constant(1)
_SERVED: Final = constant(Answer.SERVED)
_FLAG: Final = constant(FLAG_CORS_BLOCKED)


@gate
def _browser_of(world: World, at: int) -> int:
    """Number of the browser a call comes from: that of a person, or of a closed user."""
    slot = world.calendar.slots[at]
    person = NONE
    if world.tables.sources[slot["source"]]["caller"] >= 0:
        person = slot["person"]
    return person if person >= 0 else slot["user"]


@gate
def _key_of(world: World, at: int, preflight: int) -> np.uint64:
    tables = world.tables
    return preflight_key(
        tables.preflights[preflight],
        tables.parts,
        tables.popularities,
        tables.popularity_cells,
        world.calendar.slots[at]["entity"],
        _browser_of(world, at),
    )


@gate
def carry(world: World, at: int, binding: int) -> None:
    """Let the slot stand for a call of another binding of the same source."""
    tables = world.tables
    slot = world.calendar.slots[at]
    bound = tables.bindings[binding]
    slot["cell"] += binding - slot["binding"]  # a phase's cells are its source's bindings in order
    slot["binding"] = binding
    slot["route"] = bound["route"]
    slot["api"] = bound["api"]


@gate
def ask_first(world: World, at: int, now_ns: int) -> None:
    """A call is about to be sent: its preflight goes first, unless the browser knows the answer."""
    tables = world.tables
    slot = world.calendar.slots[at]
    number = tables.bindings[slot["binding"]]["preflight"]
    preflight = tables.preflights[number]
    if preflight["line"] >= 0 and is_remembered(world.store, _key_of(world, at, number), now_ns):
        return
    carry(world, at, preflight["binding"])
    slot["attempt"] += PREFLIGHT_ATTEMPT
    slot["token"] = np.uint64(0)
    slot["key"] = NONE
    if tables.sources[slot["source"]]["caller"] < 0:
        slot["person"] = NONE
        slot["ip"] = NONE


@gate
def _is_mock(world: World, slot: np.void) -> bool:
    return world.tables.routes[slot["route"]]["backend"] == BACKEND_MOCK  # type: ignore[no-any-return]


@gate
def look_as_browser(world: World, slot: np.void) -> None:
    """The answer of a call of a page: what it is to the page."""
    tables = world.tables
    bound = tables.bindings[slot["binding"]]
    message = tables.cors_messages[bound["cors"], slot["answer"]]
    is_preflight = 1 if bound["actual"] >= 0 else 0
    if message > 0:
        slot["flags"] |= _FLAG
    # An HTTP API has no mocks: this is the gateway's own answer, behind which there is nothing.
    is_http = tables.apis[slot["api"]]["type"] == _HTTP
    if is_preflight == 1 and is_http and slot["answer"] == _SERVED and _is_mock(world, slot):
        slot["integration_ns"] = NONE
    slot["answer"] = seen_answer(slot["answer"], message, is_preflight)


@gate
def await_permission(world: World, at: int, answered_ns: int, now_ns: int) -> int:
    """A preflight was answered well: the request itself leaves when the browser knows."""
    back_ns = answered_ns + world.calendar.slots[at]["back_ns"]
    if back_ns <= now_ns:
        return STAGE_SEND
    schedule_slot(world.calendar, back_ns, RANK_ARRIVAL, STAGE_SEND, at)
    return STAGE_WAIT


@gate
def take_permission(world: World, at: int, now_ns: int) -> None:
    """The browser has the preflight's answer: keep it, and make the slot the request itself."""
    tables, calendar, store, _, _ = world
    slot = calendar.slots[at]
    actual = tables.bindings[slot["binding"]]["actual"]
    number = tables.bindings[actual]["preflight"]
    line = tables.preflights[number]["line"]
    if line >= 0:
        remember(store, line, _key_of(world, at, number), now_ns)
    carry(world, at, actual)
    slot["attempt"] -= PREFLIGHT_ATTEMPT
    slot["arrival_ns"] = now_ns
    calendar.clock[0]["in_flight"] += 1
