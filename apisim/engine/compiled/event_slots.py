"""Slots of events for functions: an event lives longer than the request that brought it."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.engine.compiled.calendar import RANK_ARRIVAL, schedule_slot, take_slot
from apisim.engine.compiled.stages import CALL_EVENT, STAGE_EVENT
from apisim.engine.tables import NONE
from apisim.engine.world import World
from apisim.traffic.arrivals import NEVER

__all__ = ["accept_event", "await_turn"]

_NONE_YET: Final = constant(0)


@gate
def accept_event(world: World, at: int, now_ns: int) -> None:
    """Lambda takes the event that slot ``at`` brings into the function's queue."""
    calendar = world.calendar
    slot = calendar.slots[at]
    world.state.pools[slot["index"]]["events"] += 1
    mine = calendar.patience[at]
    mine["function"] = slot["index"]
    mine["accepted_ns"] = now_ns
    mine["runs"] = _NONE_YET
    await_turn(world, at, now_ns)


@gate
def await_turn(world: World, at: int, due_ns: int) -> None:
    """The event that slot ``at`` knows of comes to its function at ``due_ns``, in a new slot."""
    calendar = world.calendar
    slot, mine = calendar.slots[at], calendar.patience[at]
    taken = take_slot(calendar)
    event, kept = calendar.slots[taken], calendar.patience[taken]
    for_warm_up = slot["arrival_ns"] < world.recorder.total[0]["warm_up_ns"]
    # Rows of requests need not wait for it: all that is asked of the time is whether it counts.
    event["arrival_ns"] = slot["arrival_ns"] if for_warm_up else NEVER
    event["source"] = slot["source"]
    event["user"] = slot["user"]
    event["ordinal"] = slot["ordinal"]
    event["attempt"] = slot["attempt"]
    event["entity"] = slot["entity"]
    event["binding"] = slot["binding"]
    event["route"] = slot["route"]
    event["api"] = slot["api"]
    event["phase"] = slot["phase"]
    event["cell"] = slot["cell"]
    event["person"] = slot["person"]
    event["job"] = NONE
    event["backend"] = slot["backend"]
    event["call"] = CALL_EVENT
    event["waiting"] = 0
    event["working"] = 0
    kept["function"] = mine["function"]
    kept["accepted_ns"] = mine["accepted_ns"]
    kept["runs"] = mine["runs"]
    kept["throttles"] = _NONE_YET
    schedule_slot(calendar, due_ns, RANK_ARRIVAL, STAGE_EVENT, taken)
