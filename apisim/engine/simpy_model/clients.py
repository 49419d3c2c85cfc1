"""Who calls, in the golden model: open sources, traces and closed users."""

from typing import TYPE_CHECKING

from apisim.draws.purposes import Purpose
from apisim.engine.calls import pick_binding
from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import ARRIVAL, Process
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
        model.env.process(model.gateway.request(model.admit(call)))


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
        model.env.process(model.gateway.request(model.admit(call)))


def closed_user(model: "Model", job: int) -> Process:
    """A closed model: a user waits for the answer, thinks, and calls again."""
    tables, state = model.tables, model.state
    spec = model.jobs[job]
    slot = model.sources[spec.source].first_user + spec.user
    ordinal = 0
    due_ns = spec.start_ns
    while True:
        yield model.env.moment(due_ns, ARRIVAL, (spec.source, spec.user, ordinal, 0))
        k = int(state.issued[spec.source])
        state.issued[spec.source] = k + 1
        ordinal = int(state.user_ordinals[slot])
        state.user_ordinals[slot] = ordinal + 1
        piece = int(state.phase_piece[spec.source])
        while tables.pieces["end_ns"][piece] <= model.now:
            piece += 1
        state.phase_piece[spec.source] = piece
        phase = int(tables.pieces["phase"][piece])
        binding = _binding(model, spec.source, k)
        call = Call(spec.source, spec.user, ordinal, k, binding, phase, model.now)
        yield from model.gateway.request(model.admit(call))
        due_ns = model.now + model.draws.amount(call, int(tables.think[phase]), Purpose.THINK)
        if due_ns >= spec.end_ns:
            return
        ordinal = int(state.user_ordinals[slot])


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
