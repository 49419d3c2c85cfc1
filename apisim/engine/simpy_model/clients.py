"""Who calls, in the golden model: open sources, traces and closed users."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from apisim.draws.purposes import Purpose
from apisim.engine.calls import pick_binding
from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import ARRIVAL, Process
from apisim.engine.simpy_model.retries import place
from apisim.traffic.arrivals import NEVER, next_arrival

if TYPE_CHECKING:
    from apisim.engine.simpy_model.model import Model

__all__ = ["closed_user", "open_source", "trace_source"]


def open_source(model: "Model", source: int) -> Process:
    """An open model: calls come whatever the answers."""
    tables, state = model.tables, model.state
    keys = tables.draw_keys[source]
    while True:
        due_ns = next_arrival(
            state.flows, tables.pieces, source, keys[Purpose.ARRIVAL], keys[Purpose.SOJOURN]
        )
        if due_ns == NEVER:
            return
        k = int(state.issued[source])
        yield model.env.moment(due_ns, ARRIVAL, (source, 0, k, 0))
        state.issued[source] = k + 1
        phase = int(tables.pieces[state.flows[source]["piece"]]["phase"])
        call = Call(source, 0, k, k, _binding(model, source, k), phase, model.now)
        model.env.process(place(model, call))


def trace_source(model: "Model", source: int) -> Process:
    """What really happened: one call per row of a log."""
    tables, state = model.tables, model.state
    spec = model.sources[source]
    for k, row in enumerate(range(spec.trace_start, spec.trace_end)):
        yield model.env.moment(int(tables.trace_ns[row]), ARRIVAL, (source, 0, k, 0))
        state.issued[source] = k + 1
        target = int(tables.trace_target[row])
        call = Call(
            source,
            0,
            k,
            k,
            int(tables.targets["binding"][target]),
            spec.first_phase,
            model.now,
            client=int(tables.trace_client[row]),
            target=target,
            trace_bytes=int(tables.trace_bytes[row]),
        )
        model.env.process(place(model, call))


def closed_user(model: "Model", active_times: Sequence[Any]) -> Process:
    """A closed model: a user waits for the answer, thinks, and calls again while it is active."""
    tables, state = model.tables, model.state
    source, user = active_times[0].source, active_times[0].user
    ordinal, due_ns = 0, 0
    for active in active_times:
        due_ns = max(due_ns, active.start_ns)
        while due_ns < active.end_ns:
            yield model.env.moment(due_ns, ARRIVAL, (source, user, ordinal, 0))
            k = int(state.issued[source])
            state.issued[source] = k + 1
            piece = int(state.phase_piece[source])
            while tables.pieces["end_ns"][piece] <= model.now:
                piece += 1
            state.phase_piece[source] = piece
            phase = int(tables.pieces["phase"][piece])
            binding = _binding(model, source, k)
            call = Call(source, user, ordinal, k, binding, phase, model.now)
            yield from place(model, call)
            due_ns = model.now + model.draws.amount(call, int(tables.think[phase]), Purpose.THINK)
            ordinal += 1


def _binding(model: "Model", source: int, k: int) -> int:
    tables = model.tables
    return int(
        pick_binding(
            tables.sources[source],
            tables.popularities,
            tables.popularity_cells,
            tables.draw_keys[source, Purpose.ROUTE],
            k,
        )
    )
