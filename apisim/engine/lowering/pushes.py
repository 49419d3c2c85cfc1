"""What is pushed to users of WebSocket APIs: a source of its own for each, behind all others."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from apisim.engine.lowering.apis import LoweredApis
from apisim.engine.lowering.bindings import Bindings
from apisim.engine.lowering.clients import Clients, lower_retries
from apisim.engine.lowering.context import Context
from apisim.engine.lowering.message_bindings import add_posts, bind_push
from apisim.engine.lowering.sources import LoweredSources, add_cells, add_open_phases
from apisim.engine.senders import (
    SENDER_SPEC_DTYPE,
    TO_ALL,
    TO_ONE,
    TO_SENDER,
    TO_SHARE,
    TO_TOPIC,
)
from apisim.engine.tables import NONE, PUSHES
from apisim.scenario.phases import OpenPhase

__all__ = ["lower_pushes", "push_source_name"]

_TO = {"all": TO_ALL, "one": TO_ONE, "topic": TO_TOPIC, "sender": TO_SENDER, "share": TO_SHARE}
_NOTHING = (
    "mix",
    "rtt",
    "edge_rtt",
    "origin_rtt",
    "caller",
    "url_size",
    "header_size",
    "client",
    "sessions",
)


def push_source_name(source: str, push: str) -> str:
    """Name of the source of a push's posts.

    Examples
    --------
    >>> push_source_name("traders", "quotes")
    'traders.quotes'
    """
    return f"{source}.{push}"


def lower_pushes(
    context: Context, apis: LoweredApis, bindings: Bindings, lowered: LoweredSources
) -> None:
    """Lower ``pushes:`` of all sources and ``senders:``; the other sources have been."""
    scenario, sessions = context.scenario, lowered.sessions
    senders = list(scenario.senders)
    if sessions.pushes:
        sessions.senders = [_sender(context, lowered.behaviours, one) for one in senders]
    for which, (of, written, push) in enumerate(sessions.pushes):
        source = scenario.traffic[written]
        spec = source.pushes[push]
        name = push_source_name(written, push)
        at = len(lowered.names)
        lowered.names.append(name)
        row = lowered.sources[at]
        for column in _NOTHING:
            row[column] = NONE
        row["kind"], row["push"] = PUSHES, which
        row["first_phase"] = len(lowered.phases)
        row["message_size"] = context.dists.add(spec.size)
        row["first_binding"] = add_posts(bindings, context, apis, name, source, source.mix[0].api)
        row["n_bindings"] = 1
        rate = Fraction(0) if spec.rate is None else spec.rate
        phases = [
            OpenPhase.model_construct(
                name=phase.name, duration=phase.length_ns, rate=rate, ramp_to=None
            )
            for phase in source.phases
        ]
        add_open_phases(context, lowered, row, name, phases, spec.arrivals, None)
        add_cells(lowered, bindings, row, name)
        sender = senders.index(spec.by)
        sessions.push_rows.append((at, of, sender, _TO[spec.to], spec.share))
        if spec.on is not None:
            users = lowered.sources[sessions.rows[of]["source"][0]]
            bind_push(bindings, int(users["first_binding"]), len(source.mix), spec.on, which)


def _sender(context: Context, clients: Clients, name: str) -> NDArray[np.void]:
    """One sender, as a row of its own."""
    spec = context.scenario.senders[name]
    row = np.zeros(1, SENDER_SPEC_DTYPE)
    row["parallelism"] = spec.parallelism
    row["coalesces"] = int(spec.coalesce)
    row["call_time"] = context.dists.add(spec.call_time)
    row["client"] = NONE if spec.retries is None else lower_retries(context, clients, spec.retries)
    return row
