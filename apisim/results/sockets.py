"""Metrics of WebSocket APIs, narrowed down by tags: connections by API, deliveries by push."""

from collections.abc import Iterator, Mapping

import numpy as np

from apisim.arrays.histogram import BIN_DTYPE, N_BINS, hist_merge
from apisim.engine.program import Program
from apisim.results.connections import ConnectionTotals
from apisim.results.tally import LatencyTally

__all__ = ["connections_value", "delivery_tally", "push_names", "sockets_of"]


def push_names(program: Program) -> list[str]:
    """Sources of pushes, in the order of their records."""
    return [
        f"{name}.{push}"
        for name, source in program.scenario.traffic.items()
        for push in source.pushes
    ]


def sockets_of(program: Program, tags: Mapping[str, str]) -> Iterator[int]:
    """WebSocket APIs with these tags (``api``, ``stage``), by position."""
    for at, name in enumerate(program.names.apis):
        api = program.scenario.apis[name]
        if api.type != "websocket" or tags.get("stage", api.stage.name) != api.stage.name:
            continue
        if tags.get("api", name) in (name, name.partition("/")[0]):
            yield at


def connections_value(
    program: Program, totals: ConnectionTotals | None, tags: Mapping[str, str], what: str
) -> float:
    """A number about the connections of some APIs.

    Parameters
    ----------
    program : Program
    totals : ConnectionTotals or None
    tags : mapping of str to str
    what : {"mean", "max", "opened"}
        Connections that were open, a mean over time; the most at one time of any of the APIs;
        connections that were opened.
    """
    chosen = [] if totals is None else [totals.apis[at] for at in sockets_of(program, tags)]
    if totals is None or not chosen:
        return float("nan")
    if what == "opened":
        return float(sum(one.opened for one in chosen))
    if what == "max":
        return float(max(one.peak for one in chosen))
    if not totals.measured_ns:
        return float("nan")
    return sum(one.open_ns for one in chosen) / totals.measured_ns


def delivery_tally(
    program: Program, totals: ConnectionTotals | None, tags: Mapping[str, str]
) -> LatencyTally:
    """Times from a push to its clients, of pushes with these tags (``api``, ``traffic``)."""
    cells = [
        cell
        for cell in program.names.cells
        if tags.get("api", cell.api) in (cell.api, cell.api.partition("/")[0])
    ]
    sources = {cell.source for cell in cells} & {tags.get("traffic", cell.source) for cell in cells}
    names = push_names(program)
    chosen = (
        []
        if totals is None
        else [
            pushes.deliveries
            for name, pushes in zip(names, totals.pushes, strict=False)
            if name in sources
        ]
    )
    none = np.zeros((1, N_BINS), BIN_DTYPE)
    return LatencyTally(
        sum(tally.count for tally in chosen),
        sum(tally.total_ns for tally in chosen),
        hist_merge(np.stack([*none, *(tally.bins for tally in chosen)])),
    )
