"""Tidy tables of a result: one row an observation, one column a variable, units in the names.

==============  ===================================================================================
``series``      api, time_s (start of the period), period_s, requests, rps (mean of a
                replication), then requests by answer, cache_misses, cold_starts,
                authorizer_calls; by time of arrival, warm-up included. With a WebSocket API also
                mean_open and peak_open (connections), connects and closes
``routes``      api, route; then the columns of a group
``variants``    api, route, variant (stable or canary); then the columns of a group, whose calls are
                all with the stage's own
``traffic``     traffic (source), phase; then the columns of a group; the last row is everything
``phases``      phase; then the columns of a group
``outcomes``    traffic, phase, api, route, outcome, refused_by, status, requests
``caches``      api; hits, misses, hit_ratio, evictions, ...
``authorizers`` authorizer; hits, invocations, ...
``sign_ins``    population; quota_rps, sign_ins, refreshes, refused
``web_acls``    api; inspected, blocked_by_rate, blocked_by_rules
``functions``   function; invocations, cold_starts, ..., utilization
``endpoints``   endpoint; served, refused, ..., utilization
``services``    service; type, requests, throttled, errors, read_units, units
``throttles``   level, limits, rate_rps, burst, refused, first_refused_s, worst_second_s,
                worst_second_refused
``customers``   customer, key, plan, offered, served, throttled, quota_refused,
                worst_minute_throttled, quota_exhausted_at_s; all customers
``usage_plans`` plan, keys, active_keys, offered, ..., exhausted_keys, price (a month)
``usage``       plan, key, date, used, remaining: what ``GetUsage`` would tell, of the first
                replication, keys that were used only
``cors``        api, message, calls: those that browsers blocked
``websockets``  api; connections, messages and costs of WebSocket APIs, cost in the bill's currency
``pushes``      push; arose, audience, ..., delivered, delivery_ms_mean to delivery_ms_max
``bill``        bill (run or month), meter, tier, free_tier, quantity, unit, price_per_unit, amount;
                exact decimals as text in files, floating-point numbers in a frame
``costs``       bill (run or month), by (api, route, client, plan, customer, refused), then names of
                who it is (all empty: nobody), requests, cost, revenue, margin; exact decimals as
                text in files, floating-point numbers in a frame
``thresholds``  metric, expression, value, unit, ok, conclusive
``alarms``      alarm, condition, replication, state, first_alarm_s, alarms, alarm_s,
                refused_before_alarm, failed_before_alarm
``intervals``   metric, mean, low, high, confidence
``latency_distribution``  api, route, latency_ms, share_above (share of the route's requests that
                took longer); one row for each occupied bin of the route's histogram
``replications`` replication, requests, end_s, completed, digest; then a column for each measure
``latency_series`` api, time_s (start of the period), period_s, requests, latency_ms_p50,
                latency_ms_p90, latency_ms_p99, latency_ms_max; by time of arrival
``bucket_series`` level, bucket, time_s, period_s, tokens_min (least whole tokens in the period, in
                any replication), burst, rate_rps (at its end), admitted, refused; no usage plans
``function_series`` function, time_s, period_s, concurrency_mean, concurrency_peak, limit (shared
                with other functions unless it is reserved), invocations, cold_starts, throttles
``endpoint_series`` endpoint, time_s, period_s, utilization, queue_mean, queue_peak, served, refused
``cache_series`` api, time_s, period_s, hits, misses, hit_ratio, entries, bytes (at the end of the
                period), evictions
==============  ===================================================================================

A group has requests, rps, throttled, errors_4xx, errors_5xx, cache_hits, cache_misses, cold_starts,
request_bytes, response_bytes, and latency_ms_mean to latency_ms_max, likewise for
integration_latency and gateway_latency; then calls, succeeded, attempts, goodput_rps, availability,
gone, out_of_tokens and call_latency likewise, new_connections and reused_connections. Counts leave
the warm-up out and are sums over replications.

What happens over time has the warm-up in it: counts are sums over replications, means over time are
exact (integrated on every change) and means of the replications, peaks the highest of any. Periods
are of 1 s, doubled as often as a long run needs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

from apisim.gateway.status import ANSWERS
from apisim.results.access import AuthorizerStats, SignInStats
from apisim.results.alarms import AlarmHistory
from apisim.results.bill_rows import AMOUNTS, BILL, bill_rows
from apisim.results.calls import GONE
from apisim.results.cost_rows import COSTS, MONEY, cost_rows
from apisim.results.customers import CustomerStats, PlanStats, UsageDay
from apisim.results.groups import GroupStats
from apisim.results.latency_distribution import LATENCY_DISTRIBUTION, latency_distribution_rows
from apisim.results.latency_series import LATENCY_SERIES, latency_series_rows
from apisim.results.mechanism_tables import (
    BUCKET_SERIES,
    CACHE_SERIES,
    ENDPOINT_SERIES,
    FUNCTION_SERIES,
    bucket_series_rows,
    cache_series_rows,
    endpoint_series_rows,
    function_series_rows,
)
from apisim.results.mechanisms import CacheStats, EndpointStats, FunctionStats, ServiceStats
from apisim.results.result import Result
from apisim.results.series import SERIES, series_rows
from apisim.results.statistics import Interval
from apisim.results.web_acls import WebAclStats
from apisim.results.websocket_rows import PUSHES, WEBSOCKETS, push_row, websocket_row

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
        raise ValueError(f"there is no frame {name!r}; there are {', '.join(TABLES)}")
    return TABLES[name](result)


def columns_of(name: str, rows: Sequence[Row]) -> list[str]:
    """Columns of a table, also of one without rows."""
    return list(rows[0]) if rows else list(_COLUMNS.get(name, ()))


def frame(result: Result, name: str) -> "pd.DataFrame":
    """A table as a pandas frame; see :meth:`apisim.results.result.Result.frame`."""
    import pandas as pd

    rows = rows_of(result, name)
    table = pd.DataFrame(rows, columns=columns_of(name, rows))
    if amounts := {"bill": AMOUNTS, "costs": MONEY}.get(name):
        for column in amounts:
            table[column] = pd.to_numeric(table[column], errors="coerce")
    return table


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


def _fields(label: str, stats: type) -> list[str]:
    return [label, *(field.name for field in fields(stats))]


#: Columns of tables that may have no rows.
_COLUMNS: Final[dict[str, Sequence[str]]] = {
    "series": SERIES,
    "latency_series": LATENCY_SERIES,
    "bucket_series": BUCKET_SERIES,
    "function_series": FUNCTION_SERIES,
    "endpoint_series": ENDPOINT_SERIES,
    "cache_series": CACHE_SERIES,
    "latency_distribution": LATENCY_DISTRIBUTION,
    "outcomes": _OUTCOMES,
    "caches": _fields("api", CacheStats),
    "authorizers": _fields("authorizer", AuthorizerStats),
    "sign_ins": _fields("population", SignInStats),
    "web_acls": _fields("api", WebAclStats),
    "functions": _fields("function", FunctionStats),
    "endpoints": _fields("endpoint", EndpointStats),
    "services": _fields("service", ServiceStats),
    "customers": [field.name for field in fields(CustomerStats)],
    "usage_plans": [field.name for field in fields(PlanStats)],
    "usage": [field.name for field in fields(UsageDay)],
    "cors": ("api", "message", "calls"),
    "websockets": WEBSOCKETS,
    "pushes": PUSHES,
    "bill": BILL,
    "costs": COSTS,
    "thresholds": ("metric", "expression", "value", "unit", "ok", "conclusive", "reason"),
    "alarms": _ALARMS,
    "intervals": _fields("metric", Interval),
}

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
