"""The timeline in the golden model: its entries, each when it is due."""

from typing import TYPE_CHECKING, Any

from apisim.arrays.fifo import NOBODY
from apisim.engine.actions import CHANGE, DROP
from apisim.engine.connection_records import CLOSE_CUT
from apisim.engine.drops import next_dropped
from apisim.engine.simpy_model.environment import TIMELINE, Process
from apisim.engine.simpy_model.sockets import close
from apisim.engine.timeline import act, change

if TYPE_CHECKING:
    from apisim.engine.simpy_model.model import Model

__all__ = ["timeline_action"]


def timeline_action(model: "Model", at: int) -> Process:
    """One action of the timeline, before anything else that is due at its time."""
    tables, state = model.tables, model.state
    action = tables.timeline[at]
    yield model.env.moment(int(action["at_ns"]), TIMELINE, (0, 0, at, 0))
    if action["kind"] == CHANGE:
        change(
            tables.patches[action["first"] : action["last"]],
            tables.words,
            tables.quotas,
            state,
            model.store,
            model.now,
        )
        model.read_tables()
        return
    if action["kind"] == DROP:
        yield from _drop(model, at, action)
        return
    while True:
        ticket = act(
            action, model.store, state.clusters, state.endpoints, model.following, model.now
        )
        if ticket == NOBODY:
            return
        model.endpoint_backends[action["endpoint"]].begin(ticket)
        # The request starts before the next one is let in.
        yield model.env.moment(model.now, TIMELINE, (0, 0, at, 0))


def _drop(model: "Model", number: int, action: Any) -> Process:
    """Cut connections off, one after the other."""
    tables, state = model.tables, model.state
    api = action["api"]
    # A cut does not end an outage that is under way.
    until_ns = model.now + int(action["lasts_ns"])
    state.outage_until[api] = max(int(state.outage_until[api]), until_ns)
    while True:
        at = int(
            next_dropped(
                state.drops[number],
                action,
                tables.sessions,
                model.sockets,
                tables.draw_keys,
            )
        )
        if at < 0:
            return
        close(model, at, CLOSE_CUT)
        # What this one's end brings about comes before the next.
        yield model.env.moment(model.now, TIMELINE, (0, 0, number, 0))
