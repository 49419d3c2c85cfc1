"""The export ``access-log``: what a stage would have logged, in its own format.

One line for each request of the first replication that AWS would log (a log has one history), in
the order in which they reached the gateway, at the scenario's ``start`` plus the time of the run.
Text is that of :mod:`apisim.gateway.access_log`, which counts the same bytes for the bill;
identities are made up (:mod:`apisim.results.request_ids`). What the simulation does not know is
``-``, and paths are those of routes: ``/users/{userId}``. A request of a canary has one line here,
as in the log of its deployment.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.lowering.logs import logged_call
from apisim.engine.program import Cell, Program
from apisim.engine.tables import CLOSED, SESSIONS
from apisim.gateway.access_log import NOT_LOGGED, NUMBERS, UNKNOWN, LoggedCall
from apisim.gateway.status import Answer
from apisim.results.atomic import OutputError
from apisim.results.exporter import ExportKind, RowExport, RowPart
from apisim.results.request_ids import RequestIds
from apisim.results.requests import RequestOrder
from apisim.results.result import Result
from apisim.scenario.access_log import pieces
from apisim.traffic.arrivals import NEVER

__all__ = ["ACCESS_LOG", "AccessLogFile", "RowWriter", "at_gateway"]

_MS: Final = 1_000_000
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
#: Rows made into text at once.
_ROWS: Final = 1 << 14
_FIELDS: Final = (
    "arrival_ns", "gateway_ns", "integration_ns", "authorizer_ns", "request_bytes",
    "response_bytes", "source", "user", "ordinal", "attempt", "client", "customer",
)  # fmt: skip


def at_gateway(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Copies of rows that say when they reached the gateway, as if they had been sent then.

    What is left of the latency is half the way there and half the way back, as in the minute
    metrics. No request arrives before it was sent, so that a watermark of one holds for the other.
    """
    moved = rows.copy()
    moved["arrival_ns"] += np.maximum(rows["latency_ns"] - rows["gateway_ns"], 0) // 2
    return moved


@dataclass(frozen=True, slots=True)
class _Request:
    """One request while its line is written."""

    address: str
    client: str
    connection: str
    time: datetime
    epoch_ms: int
    numbers: Mapping[str, int]


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

    def wanted(self, rows: NDArray[np.void]) -> NDArray[np.bool_]:
        """Which rows become something in the file."""
        raise NotImplementedError

    def write_rows(self, rows: NDArray[np.void]) -> None:
        """Write rows that are in order."""
        raise NotImplementedError

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
        self._templates: dict[tuple[int, int], list[tuple[str, str]]] = {}
        self._makers = self._made()
        is_logged = np.array([call is not None for call in calls], np.bool_)
        has_line = np.array([answer not in NOT_LOGGED for answer in Answer], np.bool_)
        self._is_logged = is_logged[:, np.newaxis] & has_line
        self._has_users = np.isin(program.tables.sources["kind"], (CLOSED, SESSIONS))
        super().__init__(path, program, is_parallel=is_parallel)

    def wanted(self, rows: NDArray[np.void]) -> NDArray[np.bool_]:
        """Which rows are logged."""
        found: NDArray[np.bool_] = self._is_logged[rows["cell"], rows["answer"]]
        return found

    def write_rows(self, rows: NDArray[np.void]) -> None:
        """Write a line for each row."""
        fields = [rows[name].tolist() for name in ("cell", "answer", *_FIELDS)]
        lines = [
            self._line(cell, answer, self._request(*values))
            for cell, answer, *values in zip(*fields, strict=True)
        ]
        self.write_text("".join(lines))

    def _line(self, cell: int, answer: int, request: _Request) -> str:
        template = self._templates.get((cell, answer))
        if template is None:
            template = self._templates[cell, answer] = self._template(cell, Answer(answer))
        words = []
        for text, variable in template:
            words.append(text)
            if variable:
                words.append(self._value(variable, self._calls[cell], request))
        return "".join([*words, "\n"])

    def _template(self, cell: int, answer: Answer) -> list[tuple[str, str]]:
        """A line as text and the variables between it that only the request knows."""
        call = self._calls[cell]
        assert call is not None, "only what is logged has a line"
        parts: list[tuple[str, str]] = []
        for text, variable in pieces(call.format):
            said = call.text(variable, answer) if variable else ""
            if said is not None and variable == "domainName":
                said = self._api_id(cell) + said[said.index(".") :]
            parts.append((text, variable) if said is None else (text + said, ""))
        # A variable that depends on the API or the route alone is text as well.
        of_cell = self._of_cell(cell)
        return [
            (text + of_cell[variable], "") if variable in of_cell else (text, variable)
            for text, variable in parts
        ]

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

    def _value(self, variable: str, call: LoggedCall | None, request: _Request) -> str:
        if variable in NUMBERS:
            number = request.numbers[NUMBERS[variable]]
            return str(number) if number >= 0 else UNKNOWN
        if variable in ("authorizer.status", "authorizer.integrationStatus"):
            return "200" if request.numbers["authorizer"] >= 0 else UNKNOWN
        if variable == "authorizer.requestId" and request.numbers["authorizer"] < 0:
            return UNKNOWN
        is_short = call is not None and call.api_type != "rest"
        if variable == "requestId" and is_short:
            return self._ids.extended("request", request.address)
        return self._makers[variable](request)

    def _made(self) -> dict[str, Callable[[_Request], str]]:
        ids = self._ids
        return {
            "authorizer.requestId": lambda one: ids.uuid("authorizer", one.address),
            "awsEndpointRequestId": lambda one: ids.uuid("endpoint", one.address),
            # When a connection began is not in a request's row.
            "connectedAt": lambda one: "0" * len(str(one.epoch_ms)),
            "connectionId": lambda one: ids.extended("connection", one.connection),
            "extendedRequestId": lambda one: ids.extended("extended", one.address),
            "identity.sourceIp": lambda one: ids.address(one.client),
            "integration.requestId": lambda one: ids.uuid("integration", one.address),
            "messageId": lambda one: ids.extended("message", one.address),
            "requestId": lambda one: ids.uuid("request", one.address),
            "requestTime": lambda one: _clf_time(one.time),
            "requestTimeEpoch": lambda one: str(one.epoch_ms),
            "xrayTraceId": lambda one: ids.trace(one.address, one.epoch_ms // 1000),
        }

    def _request(
        self, arrival_ns: int, gateway_ns: int, integration_ns: int, authorizer_ns: int,
        request_bytes: int, response_bytes: int, source: int, user: int, ordinal: int,
        attempt: int, client: int, customer: int,
    ) -> _Request:  # fmt: skip
        names = self.program.names
        name = names.sources[source]
        time = self.program.scenario.start.astimezone(UTC)
        time += timedelta(microseconds=arrival_ns // 1000)
        if client >= 0:
            who = names.clients[client]
        elif customer >= 0:
            who = names.customers[customer]
        else:
            who = f"{name}/{user}" if self._has_users[source] else name
        return _Request(
            address=f"{name}/{user}/{ordinal}/{attempt}",
            client=who,
            connection=f"{name}/{user}",
            time=time,
            epoch_ms=_epoch_ms(time),
            numbers={
                "response": response_bytes,
                "processed": request_bytes + response_bytes,
                "latency": gateway_ns // _MS,
                "integration": integration_ns // _MS,
                "authorizer": authorizer_ns // _MS,
            },
        )


def _epoch_ms(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _clf_time(time: datetime) -> str:
    # Not strftime: its months have the user's language.
    return f"{time.day:02}/{_MONTHS[time.month - 1]}/{time.year:04}:{time:%H:%M:%S} +0000"


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
