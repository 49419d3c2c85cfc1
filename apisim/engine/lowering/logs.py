"""Logs of stages as arrays: how much each cell's requests write."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.engine.lowering.apis import AUTOMATIC
from apisim.engine.program import Cell
from apisim.gateway.access_log import LINE_DTYPE, NOT_LOGGED, LoggedCall, lower_line
from apisim.gateway.status import API_TYPES, Answer
from apisim.scenario import Scenario
from apisim.scenario.access_log import format_of

__all__ = ["LoweredLogs", "logged_call", "lower_logs"]

#: Statuses from here on are errors, those of WebSocket closes too.
_FIRST_ERROR: Final = 400


class LoweredLogs(NamedTuple):
    """Logs by cell; without any log all are empty."""

    lines: NDArray[np.void]  # LINE_DTYPE
    texts: NDArray[np.int64]  # [n_cells, n_answers]
    executions: NDArray[np.int64]  # [n_cells, n_answers]


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
    stages = [api.stage for api in scenario.apis.values()]
    is_logged = any(stage.access_log or stage.execution_log for stage in stages)
    n_lines = len(cells) if is_logged else 0
    lowered = LoweredLogs(
        np.zeros(n_lines, LINE_DTYPE),
        np.full((n_lines, len(Answer)), -1, np.int64),
        np.zeros((n_lines, len(Answer)), np.int64),
    )
    known: dict[LoggedCall, tuple[np.void, NDArray[np.int64]]] = {}
    for at, cell in enumerate(cells[:n_lines]):
        call = logged_call(scenario, cell, statuses)
        if call is not None:
            if call not in known:
                known[call] = lower_line(call)
            lowered.lines[at], lowered.texts[at] = known[call]
        _lower_execution_log(scenario, cell, statuses, lowered, at)
    return lowered


def logged_call(scenario: Scenario, cell: Cell, statuses: NDArray[np.int64]) -> LoggedCall | None:
    """What the access log knows of a cell's calls before they are made; None: nothing is logged."""
    api = scenario.apis[cell.api]
    if api.stage.access_log is None or _is_pushed(cell):
        return None
    return LoggedCall(
        format=format_of(api.stage.access_log, api.type),
        api_type=api.type,
        stage=api.stage.name,
        region=scenario.region,
        route="" if cell.route == AUTOMATIC else cell.route,
        method=cell.verb,
        statuses=tuple(statuses[API_TYPES.index(api.type)].tolist()),
        is_canary=cell.variant == "canary",
        has_waf=api.stage.waf is not None,
        is_traced=api.stage.tracing is not None and not api.stage.tracing.is_off,
    )


def _is_pushed(cell: Cell) -> bool:
    """Whether it is what an application pushes to connections, which is no route's request."""
    return "." in cell.source


def _lower_execution_log(
    scenario: Scenario,
    cell: Cell,
    statuses: NDArray[np.int64],
    lowered: LoweredLogs,
    at: int,
) -> None:
    api = scenario.apis[cell.api]
    log = api.stage.execution_log
    if log is None or _is_pushed(cell):
        return
    line, sizes = lowered.lines[at], lowered.executions[at]
    line["lines"] = 2 if cell.variant == "canary" else 1
    line["bodies"] = int(log.data_trace)
    sizes[:] = scenario.settings.execution_log_size
    sizes[sorted(NOT_LOGGED)] = 0
    if log.level == "error":
        sizes[statuses[API_TYPES.index(api.type)] < _FIRST_ERROR] = 0
