"""The timeline in the compiled engine: one action when it is due."""

from apisim.arrays.fifo import NOBODY
from apisim.arrays.jit import gate
from apisim.engine.actions import CHANGE, DROP
from apisim.engine.compiled.calendar import (
    RANK_TIMELINE,
    at_once,
    major_word,
    minor_word,
    schedule,
)
from apisim.engine.compiled.sockets import close
from apisim.engine.compiled.stages import STAGE_SERVE, STAGE_TIMELINE
from apisim.engine.connection_records import CLOSE_CUT
from apisim.engine.drops import next_dropped
from apisim.engine.timeline import act, change
from apisim.engine.world import World

__all__ = ["carry_out"]


@gate
def carry_out(world: World, at: int, now_ns: int) -> None:
    """Carry out action ``at`` of the timeline."""
    tables, calendar, store, state, _ = world
    action = tables.timeline[at]
    if action["kind"] == CHANGE:
        change(
            tables.patches[action["first"] : action["last"]],
            tables.words,
            tables.quotas,
            state,
            store,
            now_ns,
        )
        return
    if action["kind"] == DROP:
        _drop(world, at, now_ns)
        return
    ticket = act(action, store, state.clusters, state.endpoints, state.following, now_ns)
    if ticket != NOBODY:
        # One event lets one request in, so that there is always room; it comes again for the next.
        at_once(calendar, STAGE_SERVE, ticket)
        major, minor = major_word(RANK_TIMELINE, 0, 0), minor_word(at, 0)
        schedule(calendar, now_ns, major, minor, STAGE_TIMELINE, at, 0)


@gate
def _drop(world: World, at: int, now_ns: int) -> None:
    """Cut one connection off; the event comes again for the next."""
    tables, calendar, _, state, _ = world
    action = tables.timeline[at]
    api = action["api"]
    # A cut does not end an outage that is under way.
    state.outage_until[api] = max(state.outage_until[api], now_ns + action["lasts_ns"])
    found = next_dropped(state.drops[at], action, tables.sessions, state.sockets, tables.draw_keys)
    if found >= 0:
        close(world, found, CLOSE_CUT, now_ns)
        major, minor = major_word(RANK_TIMELINE, 0, 0), minor_word(at, 0)
        schedule(calendar, now_ns, major, minor, STAGE_TIMELINE, at, 0)
