"""The export ``access-log``: what a stage would have logged, in its own format.

One line for each request of the first replication that AWS would log (a log has one history), in
the order in which they reached the gateway, at the scenario's ``start`` plus the time of the run.
Text is that of :mod:`apisim.gateway.access_log`, which counts the same bytes for the bill;
identities are made up (:mod:`apisim.results.request_ids`). What the simulation does not know is
``-``, and paths are those of routes: ``/users/{userId}``. A request of a canary has one line here,
as in the log of its deployment.
"""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.lowering.logs import logged_call
from apisim.engine.program import Cell, Program
from apisim.gateway.access_log import NOT_LOGGED, LoggedCall
from apisim.gateway.status import Answer
from apisim.results.atomic import OutputError
from apisim.results.exporter import ExportKind, RowExport, RowPart
from apisim.results.logged_requests import LoggedRequests
from apisim.results.request_ids import RequestIds
from apisim.results.requests import RequestOrder
from apisim.results.result import Result
from apisim.scenario.access_log import pieces
from apisim.traffic.arrivals import NEVER

__all__ = ["ACCESS_LOG", "AccessLogFile", "RowWriter", "at_gateway"]

#: Rows made into text at once.
_ROWS: Final = 1 << 14


def at_gateway(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Copies of rows that say when they reached the gateway, as if they had been sent then.

    What is left of the latency is half the way there and half the way back, as in the minute
    metrics. No request arrives before it was sent, so that a watermark of one holds for the other.
    """
    moved = rows.copy()
    moved["arrival_ns"] += np.maximum(rows["latency_ns"] - rows["gateway_ns"], 0) // 2
    return moved


class RowWriter(RowExport):
    """An export of the first replication's requests, in the order in which they arrive."""

    def __init__(self, path: Path, program: Program, *, is_parallel: bool = False) -> None:
        super().__init__(path, program, is_parallel=is_parallel)
        self._order = RequestOrder()

    def part(self, replication: int) -> RowPart:
        """What takes one replication's rows."""
        return self._take if replication == 0 else _no_rows

    def finish_part(self, replication: int, *, completed: bool) -> None:
        """Write what is left; of a replication that was interrupted that would have gaps."""
        if replication == 0 and completed:
            self._write_before(NEVER)

    def write(self, result: Result) -> None:  # noqa: ARG002 (rows know it all)
        """Give the file its name."""
        self.file.keep()

    @abstractmethod
    def wanted(self, rows: NDArray[np.void]) -> NDArray[np.bool_]:
        """Which rows become something in the file."""

    @abstractmethod
    def write_rows(self, rows: NDArray[np.void]) -> None:
        """Write rows that are in order."""

    def _take(self, rows: NDArray[np.void], watermark_ns: int) -> None:
        self._order.add(at_gateway(rows[self.wanted(rows)]))
        # The last batch says "never", also of a run that was interrupted: `finish_part` knows.
        if watermark_ns != NEVER:
            self._write_before(watermark_ns)

    def _write_before(self, watermark_ns: int) -> None:
        rows = self._order.take_before(watermark_ns)
        for first in range(0, len(rows), _ROWS):
            self.write_rows(rows[first : first + _ROWS])


class AccessLogFile(RowWriter):
    """Lines of access logs.

    Raises
    ------
    OutputError
        If no stage has an access log, or two that are called have different formats.
    """

    def __init__(self, path: Path, program: Program, *, is_parallel: bool = False) -> None:
        cells = program.names.cells
        calls = [logged_call(program.scenario, cell, program.tables.status) for cell in cells]
        _check_formats(path, cells, calls)
        self._calls = calls
        self._ids = RequestIds(program.scenario.seed, 0)
        self._templates: dict[tuple[int, int], tuple[str, list[str]]] = {}
        is_logged = np.array([call is not None for call in calls], np.bool_)
        has_line = np.array([answer not in NOT_LOGGED for answer in Answer], np.bool_)
        self._is_logged = is_logged[:, np.newaxis] & has_line
        super().__init__(path, program, is_parallel=is_parallel)

    def wanted(self, rows: NDArray[np.void]) -> NDArray[np.bool_]:
        """Which rows are logged."""
        found: NDArray[np.bool_] = self._is_logged[rows["cell"], rows["answer"]]
        return found

    def write_rows(self, rows: NDArray[np.void]) -> None:
        """Write a line for each row."""
        lines = np.empty(len(rows), object)
        # All lines of a cell and an answer have the same text between their variables.
        kinds = rows["cell"] * len(Answer) + rows["answer"]
        for kind in np.unique(kinds).tolist():
            alike = kinds == kind
            cell, answer = divmod(kind, len(Answer))
            lines[alike] = self._lines(cell, answer, rows[alike])
        self.write_text("".join(lines))

    def _lines(self, cell: int, answer: int, rows: NDArray[np.void]) -> list[str]:
        template = self._templates.get((cell, answer))
        if template is None:
            template = self._templates[cell, answer] = self._template(cell, Answer(answer))
        text, variables = template
        if not variables:
            return [text % ()] * len(rows)
        requests = LoggedRequests(rows, self.program, self._ids)
        call = self._calls[cell]
        assert call is not None, "only what is logged has a line"
        is_short = call.api_type != "rest"
        columns = [requests.column(variable, is_short=is_short) for variable in variables]
        return [text % values for values in zip(*columns, strict=True)]

    def _template(self, cell: int, answer: Answer) -> tuple[str, list[str]]:
        """A line as a text with ``%s`` for each of the variables that only the request knows."""
        call = self._calls[cell]
        assert call is not None, "only what is logged has a line"
        # A variable that depends on the API or the route alone is text as well.
        of_cell = self._of_cell(cell)
        words, variables = [], []
        for text, variable in pieces(call.format):
            words.append(text.replace("%", "%%"))
            if not variable:
                continue
            said = call.text(variable, answer)
            if said is not None and variable == "domainName":
                said = self._api_id(cell) + said[said.index(".") :]
            if said is None:
                said = of_cell.get(variable)
            if said is None:
                variables.append(variable)
            words.append("%s" if said is None else said.replace("%", "%%"))
        return "".join([*words, "\n"]), variables

    def _of_cell(self, cell: int) -> dict[str, str]:
        names, ids = self.program.names.cells[cell], self._ids
        return {
            "accountId": "123456789012",
            "apiId": self._api_id(cell),
            "deploymentId": ids.short(f"deployment {names.api} {names.variant}", 6),
            "domainPrefix": self._api_id(cell),
            "identity.userAgent": "curl/8.14.1",
            "resourceId": ids.short(f"resource {names.api} {names.route.partition(' ')[2]}", 6),
        }

    def _api_id(self, cell: int) -> str:
        name = self.program.names.cells[cell].api
        stage = self.program.scenario.apis[name].stage.name
        return self._ids.short(f"api {name.removesuffix(f'/{stage}')}")


def _check_formats(path: Path, cells: Sequence[Cell], calls: Sequence[LoggedCall | None]) -> None:
    formats: dict[str, str] = {}
    for cell, call in zip(cells, calls, strict=True):
        if call is not None:
            formats.setdefault(call.format, cell.api)
    if not formats:
        raise OutputError(
            f"{path}: no stage that is called has an access log "
            "(write access_log: clf, or json, xml, csv, or a format, under its stage)"
        )
    if len(formats) > 1:
        one, other = list(formats.values())[:2]
        raise OutputError(
            f"{path}: {one} and {other} log in different formats "
            "(give them the same access_log, or take it away from one)"
        )


def _no_rows(rows: NDArray[np.void], watermark_ns: int) -> None:
    """Take rows that nobody asked for."""


ACCESS_LOG: Final = ExportKind(
    name="access-log",
    endings=(".log", ".txt", ".json", ".jsonl", ".xml", ".csv"),
    description="access logs of stages, in their own format",
    opens=AccessLogFile,
)
