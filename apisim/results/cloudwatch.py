"""The export ``cloudwatch``: the minute metrics of a run as CloudWatch would return them.

``.json`` is the response of ``GetMetricData`` with the oldest value first, all statistics of all
metrics of the first replication (CloudWatch has one history), and beside it the
``MetricDataQueries`` that ask for the same. ``.csv`` has one row for each minute, metric and set of
dimensions of every replication.

Minutes go to a temporary file as they are finished: memory does not grow with the run.
"""

import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.program import Program
from apisim.results.atomic import as_output_error
from apisim.results.exporter import INTERRUPTED, Export, ExportKind, RowExport, RowPart
from apisim.results.metric_series import METRICS, Dimensions, MetricTables
from apisim.results.minute_metrics import Minute, MinuteMetrics
from apisim.results.result import Result

__all__ = ["CLOUDWATCH", "NAMESPACE", "CloudWatchCsv", "CloudWatchJson", "label_of"]

NAMESPACE: Final = "AWS/ApiGateway"
_PERIOD_S: Final = 60
#: Statistics of a row of the table; percentiles are there for some metrics only.
_STATISTICS: Final = ("SampleCount", "Sum", "Average", "Minimum", "Maximum", "p50", "p90", "p99")
_DIMENSIONS: Final = ("ApiName", "ApiId", "Stage", "Method", "Resource", "Route")


class _Minutes:
    """Minutes of one replication, as records in a temporary file.

    A record is the minute, the position in ``series``, and the statistics of :data:`_STATISTICS`.
    """

    RECORD: Final = np.dtype(
        [("minute", "i8"), ("series", "i8"), ("values", "f8", len(_STATISTICS))]
    )

    def __init__(self, export: "_CloudWatch") -> None:
        self._export = export
        with as_output_error(export.path):
            # Closed by `close`, after it has been read.
            self._spool: IO[bytes] = tempfile.TemporaryFile(dir=export.path.parent)  # noqa: SIM115
        self.metrics = MinuteMetrics(export.tables, self._take)

    def _take(self, minute: Minute) -> None:
        if not minute.points:
            return
        records = []
        for at, (dimensions, name) in enumerate(self._export.series):
            point = minute.point(dimensions.leaves, name)
            if point.count:
                metric = METRICS[name]
                known = metric.statistics
                row = [metric.value(point, one) if one in known else np.nan for one in _STATISTICS]
                records.append((minute.number, at, row))
        with as_output_error(self._export.path):
            self._spool.write(np.array(records, self.RECORD).tobytes())

    def records(self) -> NDArray[np.void]:
        """All of them, not in memory but in the file."""
        with as_output_error(self._export.path):
            self._spool.flush()
            if not self._spool.tell():
                return np.zeros(0, self.RECORD)
            found: NDArray[np.void] = np.memmap(self._spool, self.RECORD, "r")
            return found

    def close(self) -> None:
        """Give the temporary file back."""
        self._spool.close()


class _CloudWatch(RowExport):
    """What both forms have in common."""

    def __init__(self, path: Path, program: Program, *, is_parallel: bool = False) -> None:
        self._minutes: dict[int, _Minutes] = {}
        super().__init__(path, program, is_parallel=is_parallel)
        self.tables = MetricTables(program)
        self.series: list[tuple[Dimensions, str]] = [
            (dimensions, name)
            for dimensions in self.tables.dimensions()
            for name in dimensions.metrics
        ]

    def part(self, replication: int) -> RowPart:
        """What takes one replication's rows."""
        self._minutes[replication] = minutes = _Minutes(self)
        return minutes.metrics

    def finish_part(self, replication: int, *, completed: bool) -> None:
        """Hand on what is left of a replication."""
        minutes = self._minutes[replication]
        minutes.metrics.finish(completed=completed, until_ns=0)

    def discard(self) -> None:
        """Remove what was written."""
        for minutes in self._minutes.values():
            minutes.close()
        super().discard()

    def time(self, minute: int) -> str:
        """Beginning of a minute, in UTC."""
        begins = self.program.scenario.start + timedelta(seconds=minute * _PERIOD_S)
        return begins.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class CloudWatchJson(_CloudWatch):
    """``GetMetricData``: query by query, from the first replication."""

    def part(self, replication: int) -> RowPart:
        """What takes one replication's rows."""
        return super().part(replication) if replication == 0 else _no_rows

    def finish_part(self, replication: int, *, completed: bool) -> None:
        """Hand on what is left of a replication."""
        if replication == 0:
            super().finish_part(replication, completed=completed)

    def write(self, result: Result) -> None:
        """Write the response, a query at a time."""
        queries = list(self._queries())
        status = "Complete" if result.completed else "PartialData"
        self.write_text('{\n"MetricDataResults": [')
        for at, text in enumerate(self._results(queries, status)):
            self.write_text(("," if at else "") + "\n" + text)
        messages = [] if result.completed else [{"Code": status, "Value": INTERRUPTED}]
        self.write_text(f'\n],\n"Messages": {json.dumps(messages)},\n"MetricDataQueries": [')
        lines = (json.dumps(query, ensure_ascii=False) for query in queries)
        self.write_text("\n" + ",\n".join(lines))
        self.write_text("\n]\n}\n")
        self.file.keep()

    def _queries(self) -> Iterator[dict[str, Any]]:
        n_queries = 0
        for dimensions, name in self.series:
            for statistic in METRICS[name].statistics:
                n_queries += 1
                yield {
                    "Id": f"m{n_queries}",
                    "Label": label_of(dimensions, name, statistic),
                    "MetricStat": {
                        "Metric": {
                            "Namespace": NAMESPACE,
                            "MetricName": name,
                            "Dimensions": [
                                {"Name": key, "Value": value} for key, value in dimensions.names
                            ],
                        },
                        "Period": _PERIOD_S,
                        "Stat": statistic,
                        "Unit": METRICS[name].unit,
                    },
                }

    def _results(self, queries: list[dict[str, Any]], status: str) -> Iterator[str]:
        records = self._minutes[0].records() if 0 in self._minutes else np.zeros(0, _Minutes.RECORD)
        at_query = iter(queries)
        for at, (_, name) in enumerate(self.series):
            mine = records[records["series"] == at]
            times = [self.time(minute) for minute in mine["minute"].tolist()]
            for statistic in METRICS[name].statistics:
                query = next(at_query)
                values = mine["values"][:, _STATISTICS.index(statistic)].tolist()
                found = {
                    "Id": query["Id"],
                    "Label": query["Label"],
                    "Timestamps": times,
                    "Values": values,
                    "StatusCode": status,
                }
                yield json.dumps(found, ensure_ascii=False)


class CloudWatchCsv(_CloudWatch):
    """A tidy table of all replications."""

    def __init__(self, path: Path, program: Program, *, is_parallel: bool = False) -> None:
        super().__init__(path, program, is_parallel=is_parallel)
        columns = ("timestamp", "replication", *_DIMENSIONS, "metric", "unit", *_STATISTICS)
        self.write_text(",".join(columns) + "\n")

    def finish_part(self, replication: int, *, completed: bool) -> None:
        """Write the rows of a replication."""
        super().finish_part(replication, completed=completed)
        minutes = self._minutes.pop(replication)
        ends = [self._labels(*one) for one in self.series]
        records = minutes.records()
        for first in range(0, len(records), 1 << 14):
            block = records[first : first + (1 << 14)]
            columns = (block[name].tolist() for name in ("minute", "series", "values"))
            lines = [
                f"{self.time(minute)},{replication},{ends[series]},{_numbers(values)}\n"
                for minute, series, values in zip(*columns, strict=True)
            ]
            self.write_text("".join(lines))
        minutes.close()

    def write(self, result: Result) -> None:  # noqa: ARG002 (minutes know it all)
        """Give the file its name."""
        self.file.keep()

    def _labels(self, dimensions: Dimensions, name: str) -> str:
        named = dict(dimensions.names)
        texts = [*(named.get(key, "") for key in _DIMENSIONS), name, METRICS[name].unit]
        return ",".join(_quoted(text) for text in texts)


def label_of(dimensions: Dimensions, name: str, statistic: str) -> str:
    """What a query is called in a legend: ``shop prod Latency p99``."""
    return " ".join([*(value for _, value in dimensions.names), name, statistic])


def _no_rows(rows: NDArray[np.void], watermark_ns: int) -> None:
    """Take rows that nobody asked for."""


def _numbers(values: list[float]) -> str:
    return ",".join("" if value != value else f"{value!r}".removesuffix(".0") for value in values)


def _quoted(text: str) -> str:
    if any(character in text for character in ',"\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _opened(path: Path, program: Program, *, is_parallel: bool = False) -> Export:
    kind = CloudWatchJson if path.suffix == ".json" else CloudWatchCsv
    return kind(path, program, is_parallel=is_parallel)


CLOUDWATCH: Final = ExportKind(
    name="cloudwatch",
    endings=(".json", ".csv"),
    description="minute metrics of API Gateway, as GetMetricData or as a table",
    opens=_opened,
)
