"""Tidy tables of a result: one row an observation, one column a variable, units in the names.

Which there are, with the kind, the unit and the meaning of every column, is written down in
:mod:`apisim.results.frame_tables`, from which ``docs/frames.md`` is made. In files amounts of money
are exact decimals, in frames floating-point numbers. Counts leave the warm-up out and are sums over
replications.

What happens over time has the warm-up in it: counts are sums over replications, means over time are
exact (integrated on every change) and means of the replications, peaks the highest of any. Periods
are of 1 s, doubled as often as a long run needs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

from apisim.gateway.status import ANSWERS
from apisim.results.alarms import AlarmHistory
from apisim.results.bill_rows import bill_rows
from apisim.results.calls import GONE
from apisim.results.cost_rows import cost_rows
from apisim.results.frame_columns import columns_of_frame, typed
from apisim.results.groups import GroupStats
from apisim.results.latency_distribution import latency_distribution_rows
from apisim.results.latency_series import latency_series_rows
from apisim.results.mechanism_tables import (
    bucket_series_rows,
    cache_series_rows,
    endpoint_series_rows,
    function_series_rows,
)
from apisim.results.result import Result
from apisim.results.series import series_rows
from apisim.results.websocket_rows import push_row, websocket_row
from apisim.scenario.problems import unknown_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES", "columns_of", "frame", "rows_of"]

Row = dict[str, Any]

_OUTCOMES: Final = (
    "traffic", "phase", "api", "route", "outcome", "refused_by", "status", "requests",
)  # fmt: skip
_ALARMS: Final = tuple(field.name for field in fields(AlarmHistory) if field.name != "transitions")
_SECOND_NS: Final = 1_000_000_000


def rows_of(result: Result, name: str) -> list[Row]:
    """Rows of a table, all with the same columns in the same order.

    Raises
    ------
    ValueError
        If there is no such table.
    """
    if name not in TABLES:
        raise ValueError(unknown_name("frame", name, TABLES))
    return TABLES[name](result)


def columns_of(name: str, rows: Sequence[Row]) -> list[str]:
    """Columns of a table, also of one without rows."""
    if rows:
        return list(rows[0])
    always = [column.name for column in columns_of_frame(name) if column.is_always]
    return [] if "*" in always else always


def frame(result: Result, name: str) -> "pd.DataFrame":
    """A table as a pandas frame; see :meth:`apisim.results.result.Result.frame`."""
    import pandas as pd

    rows = rows_of(result, name)
    return typed(pd.DataFrame(rows, columns=columns_of(name, rows)), columns_of_frame(name))


def _group(row: GroupStats) -> Row:
    columns: Row = {**row.labels}
    for name in (
        "requests", "rps", "throttled", "errors_4xx", "errors_5xx", "cache_hits",
        "cache_misses", "cold_starts", "request_bytes", "response_bytes",
    ):  # fmt: skip
        columns[name] = getattr(row, name)
    for name in ("latency", "integration_latency", "gateway_latency"):
        columns |= _times(row, name)
    for name in (
        "calls", "succeeded", "attempts", "goodput_rps", "availability", "gone", "out_of_tokens",
    ):  # fmt: skip
        columns[name] = getattr(row, name)
    columns |= _times(row, "call_latency")
    return columns | {
        name: getattr(row, name) for name in ("new_connections", "reused_connections")
    }


def _times(row: GroupStats, name: str) -> Row:
    stats = asdict(getattr(row, name))
    del stats["count"]
    return {f"{name}_ms_{statistic}": value for statistic, value in stats.items()}


def _outcomes(result: Result) -> list[Row]:
    measurements = result.measurements
    statuses = measurements.statuses()
    rows: dict[tuple[Any, ...], int] = {}
    for at, cell in enumerate(measurements.program.names.cells):
        for answer, facts in ANSWERS.items():
            count = int(measurements.counts[at, answer])
            late = measurements.calls.late_of(at, answer)
            status = int(statuses[at, answer])
            where = (cell.source, cell.phase, cell.api, cell.route)
            for outcome, n_requests in ((facts.outcome, count - late), (GONE, late)):
                if n_requests:
                    row = (*where, outcome, facts.refused_by, status)
                    # Calls of one log on one route may be in two cells: with GET and without.
                    rows[row] = rows.get(row, 0) + n_requests
    return [dict(zip(_OUTCOMES, (*row, count), strict=True)) for row, count in rows.items()]


def _named(label: str, stats: Mapping[str, Any]) -> list[Row]:
    return [{label: name, **asdict(one)} for name, one in stats.items()]


def _cors(result: Result) -> list[Row]:
    return [
        {"api": api, "message": message, "calls": calls}
        for api, stats in result.cors.items()
        for message, calls in stats.messages.items()
    ]


def _bill(result: Result) -> list[Row]:
    bills = {"run": result.bill.run, "month": result.bill.month}
    return [
        row for name, bill in bills.items() if bill is not None for row in bill_rows(name, bill)
    ]


def _replications(result: Result) -> list[Row]:
    rows = []
    for summary in result.replications:
        values = {
            wanted.label: value / wanted.shown_unit[1]
            for wanted, (value, _) in summary.values.items()
        }
        rows.append(
            {
                "replication": summary.number,
                "requests": summary.requests,
                "end_s": summary.end_ns / _SECOND_NS,
                "completed": summary.completed,
                "digest": f"{summary.digest:016x}",
                **values,
            }
        )
    return rows


def _alarm(history: AlarmHistory) -> Row:
    row = {name: getattr(history, name) for name in _ALARMS[1:]}
    return {"alarm": history.name, **row}


def _groups(name: str) -> Callable[[Result], list[Row]]:
    def rows(result: Result) -> list[Row]:
        groups: Sequence[GroupStats] = getattr(result, name)
        return [_group(row) for row in groups]

    return rows


#: What makes each table.
TABLES: Final[dict[str, Callable[[Result], list[Row]]]] = {
    "series": series_rows,
    "routes": _groups("routes"),
    "variants": _groups("variants"),
    "traffic": _groups("traffic"),
    "phases": _groups("phases"),
    "outcomes": _outcomes,
    "caches": lambda result: _named("api", result.cache),
    "authorizers": lambda result: _named("authorizer", result.authorizers),
    "sign_ins": lambda result: _named("population", result.sign_ins),
    "web_acls": lambda result: _named("api", result.web_acls),
    "functions": lambda result: _named("function", result.functions),
    "endpoints": lambda result: _named("endpoint", result.endpoints),
    "services": lambda result: _named("service", result.services),
    "cors": _cors,
    "websockets": lambda result: [websocket_row(stats) for stats in result.websockets],
    "pushes": lambda result: [
        push_row(push) for stats in result.websockets for push in stats.pushes
    ],
    "throttles": lambda result: [asdict(stats) for stats in result.throttles],
    "customers": lambda result: [asdict(stats) for stats in result.customers.rows()],
    "usage_plans": lambda result: [asdict(stats) for stats in result.customers.plans()],
    "usage": lambda result: [asdict(stats) for stats in result.customers.usage()],
    "bill": _bill,
    "costs": cost_rows,
    "thresholds": lambda result: [verdict.to_dict() for verdict in result.thresholds],
    "alarms": lambda result: [_alarm(history) for history in result.alarms],
    "intervals": lambda result: [
        {"metric": name, **interval.to_dict()} for name, interval in result.intervals.items()
    ],
    "replications": _replications,
    "latency_series": latency_series_rows,
    "bucket_series": bucket_series_rows,
    "function_series": function_series_rows,
    "endpoint_series": endpoint_series_rows,
    "cache_series": cache_series_rows,
    "latency_distribution": latency_distribution_rows,
}
