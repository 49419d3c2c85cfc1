"""Access logs as arrays: how long the lines of each cell are."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.engine.lowering.apis import AUTOMATIC
from apisim.engine.program import Cell
from apisim.gateway.access_log import LINE_DTYPE, LoggedCall, lower_line
from apisim.gateway.status import API_TYPES, Answer
from apisim.scenario import Scenario
from apisim.scenario.access_log import format_of

__all__ = ["LoweredLogs", "logged_call", "lower_logs"]


class LoweredLogs(NamedTuple):
    """Lines by cell; without any log both are empty."""

    lines: NDArray[np.void]  # LINE_DTYPE
    texts: NDArray[np.int64]  # [n_cells, n_answers]


def lower_logs(
    scenario: Scenario, cells: Sequence[Cell], statuses: NDArray[np.int64]
) -> LoweredLogs:
    """How long the lines of each cell are.

    Parameters
    ----------
    scenario : Scenario
    cells : sequence of Cell
    statuses : int64[n_types, n_answers]
        As :func:`apisim.gateway.status.status_table` makes them.
    """
    logged = [logged_call(scenario, cell, statuses) for cell in cells]
    n_lines = len(cells) if any(call is not None for call in logged) else 0
    lines = np.zeros(n_lines, LINE_DTYPE)
    texts = np.full((n_lines, len(Answer)), -1, np.int64)
    known: dict[LoggedCall, tuple[np.void, NDArray[np.int64]]] = {}
    for at, call in enumerate(logged):
        if call is not None:
            if call not in known:
                known[call] = lower_line(call)
            lines[at], texts[at] = known[call]
    return LoweredLogs(lines, texts)


def logged_call(scenario: Scenario, cell: Cell, statuses: NDArray[np.int64]) -> LoggedCall | None:
    """What the access log knows of a cell's calls before they are made; None: nothing is logged."""
    api = scenario.apis[cell.api]
    # What an application pushes to connections is no route's request.
    if api.stage.access_log is None or "." in cell.source:
        return None
    return LoggedCall(
        format=format_of(api.stage.access_log, api.type),
        api_type=api.type,
        stage=api.stage.name,
        region=scenario.region,
        route="" if cell.route == AUTOMATIC else cell.route,
        method=cell.method,
        statuses=tuple(statuses[API_TYPES.index(api.type)].tolist()),
        is_canary=cell.variant == "canary",
        has_waf=api.stage.waf is not None,
        is_traced=api.stage.tracing is not None and not api.stage.tracing.is_off,
    )
