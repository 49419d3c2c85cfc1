"""The export ``xray``: segment documents of the requests that X-Ray's sampling rule chose.

One document for each traced request of the first replication, as ``PutTraceSegments`` takes them:
``.jsonl`` has one a line, ``.json`` an array. The gateway is the segment, its authorizer and its
backend are subsegments. A row knows how long these took and not when: an authorizer comes first, a
backend's answer last, as in the model. What belongs to ``http.request`` is the route's path, for no
row has its parameters.

Sources: X-Ray developer guide, "X-Ray segment documents" (fields, and which error is which) and
"Using AWS X-Ray with API Gateway"; ids are made up (:mod:`apisim.results.request_ids`).
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.flags import FLAG_TRACED
from apisim.engine.program import Cell, Program
from apisim.results.access_logs import RowWriter
from apisim.results.atomic import OutputError
from apisim.results.exporter import ExportKind
from apisim.results.request_ids import RequestIds
from apisim.results.result import Result

__all__ = ["XRAY", "XRaySegments"]

_SECOND_NS: Final = 1_000_000_000
_FIELDS: Final = (
    "cell", "arrival_ns", "gateway_ns", "integration_ns", "authorizer_ns", "status",
    "response_bytes", "source", "user", "ordinal", "attempt",
)  # fmt: skip


class XRaySegments(RowWriter):
    """Segment documents.

    Raises
    ------
    OutputError
        If no stage is traced.
    """

    def __init__(self, path: Path, program: Program, *, is_parallel: bool = False) -> None:
        scenario = program.scenario
        rules = [api.stage.tracing for api in scenario.apis.values()]
        if all(rule is None or rule.is_off for rule in rules):
            raise OutputError(
                f"{path}: no stage is traced (write tracing: true under a stage of a REST API)"
            )
        super().__init__(path, program, is_parallel=is_parallel)
        since = scenario.start.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        self._start_ns = (since.days * 86_400 + since.seconds) * _SECOND_NS
        self._start_ns += since.microseconds * 1000
        self._ids = RequestIds(scenario.seed, 0)
        self._is_array = path.suffix == ".json"
        self._n_written = 0

    def wanted(self, rows: NDArray[np.void]) -> NDArray[np.bool_]:
        """Which rows are traced."""
        found: NDArray[np.bool_] = (rows["flags"] & FLAG_TRACED) > 0
        return found

    def write_rows(self, rows: NDArray[np.void]) -> None:
        """Write a document for each row."""
        for values in zip(*(rows[name].tolist() for name in _FIELDS), strict=True):
            text = json.dumps(self._segment(dict(zip(_FIELDS, values, strict=True))))
            if self._is_array:
                text = ("," if self._n_written else "[") + "\n" + text
            else:
                text += "\n"
            self._n_written += 1
            self.write_text(text)

    def write(self, result: Result) -> None:
        """End the array, and give the file its name."""
        if self._is_array:
            self.write_text("\n]\n" if self._n_written else "[]\n")
        super().write(result)

    def _segment(self, row: dict[str, int]) -> dict[str, Any]:
        names = self.program.names
        cell = names.cells[row["cell"]]
        api = self.program.scenario.apis[cell.api]
        name = cell.api.removesuffix(f"/{api.stage.name}")
        source = names.sources[row["source"]]
        address = f"{source}/{row['user']}/{row['ordinal']}/{row['attempt']}"
        start_ns = self._start_ns + row["arrival_ns"]
        end_ns = start_ns + row["gateway_ns"]
        api_id = self._ids.short(f"api {name}")
        host = f"{api_id}.execute-api.{self.program.scenario.region}.amazonaws.com"
        path = cell.route.partition(" ")[2] or "/"
        segment: dict[str, Any] = {
            "trace_id": self._ids.trace(address, start_ns // _SECOND_NS),
            "id": self._ids.segment("segment", address),
            "name": f"{name}/{api.stage.name}",
            "origin": "AWS::ApiGateway::Stage",
            "start_time": _seconds(start_ns),
            "end_time": _seconds(end_ns),
            "http": {
                "request": {"method": cell.verb, "url": f"https://{host}/{api.stage.name}{path}"},
                "response": {
                    "status": row["status"],
                    "content_length": row["response_bytes"],
                },
            },
            "annotations": {"aws:api_id": api_id, "aws:api_stage": api.stage.name},
            "metadata": {"apisim": {"request_id": address}},
            **_causes(row["status"]),
        }
        parts = []
        if row["authorizer_ns"] >= 0:
            times = (start_ns, start_ns + row["authorizer_ns"])
            parts.append(self._part("authorizer", "Authorizer", address, *times))
        if row["integration_ns"] >= 0:
            times = (end_ns - row["integration_ns"], end_ns)
            backend, namespace = self._backend(cell)
            part = self._part("integration", backend, address, *times)
            parts.append({**part, "namespace": namespace})
        if parts:
            segment["subsegments"] = parts
        return segment

    def _part(
        self, kind: str, name: str, address: str, start_ns: int, end_ns: int
    ) -> dict[str, Any]:
        return {
            "id": self._ids.segment(kind, address),
            "name": name,
            "start_time": _seconds(start_ns),
            "end_time": _seconds(end_ns),
        }

    def _backend(self, cell: Cell) -> tuple[str, str]:
        """What a route calls, by the name of its subsegment, and whose it is."""
        route = self.program.scenario.apis[cell.api].every_route.get(cell.route)
        integration = None if route is None else route.integration
        if integration is None or integration.function is not None:
            return "Lambda", "aws"
        if integration.service is not None:
            return integration.service, "aws"
        return integration.endpoint or "mock", "remote"


def _seconds(time_ns: int) -> float:
    # A double holds today's seconds to a quarter of a microsecond.
    return round(time_ns / _SECOND_NS, 6)


def _causes(status: int) -> dict[str, bool]:
    """Whose fault it was: the client's, the throttle's (which is the client's too), or ours."""
    if status == 429:
        return {"error": True, "throttle": True}
    if 400 <= status < 500:
        return {"error": True}
    return {"fault": True} if status >= 500 else {}


XRAY: Final = ExportKind(
    name="xray",
    endings=(".jsonl", ".json"),
    description="segment documents of traced requests",
    opens=XRaySegments,
)
