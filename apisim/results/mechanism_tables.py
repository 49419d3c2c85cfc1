"""Tables of what happened inside over time: one row for each mechanism and period."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from apisim.engine.recorder import CACHE_HITS, CACHE_MISSES
from apisim.results.mechanisms import servers_over
from apisim.results.throttles import bucket_limit
from apisim.scenario.stages import stage_label

if TYPE_CHECKING:
    from apisim.results.result import Result

__all__ = [
    "BUCKET_SERIES",
    "CACHE_SERIES",
    "ENDPOINT_SERIES",
    "FUNCTION_SERIES",
    "bucket_series_rows",
    "cache_series_rows",
    "endpoint_series_rows",
    "function_series_rows",
]

_SECOND_NS: Final = 1_000_000_000
#: Columns of the tables.
BUCKET_SERIES: Final = (
    "level", "bucket", "time_s", "period_s", "tokens_min", "burst", "rate_rps", "admitted",
    "refused",
)  # fmt: skip
FUNCTION_SERIES: Final = (
    "function", "time_s", "period_s", "concurrency_mean", "concurrency_peak", "limit",
    "invocations", "cold_starts", "throttles",
)  # fmt: skip
ENDPOINT_SERIES: Final = (
    "endpoint", "time_s", "period_s", "utilization", "queue_mean", "queue_peak", "served",
    "refused",
)  # fmt: skip
CACHE_SERIES: Final = (
    "api", "time_s", "period_s", "hits", "misses", "hit_ratio", "entries", "bytes", "evictions",
)  # fmt: skip

_Rows = list[dict[str, Any]]


def _periods(result: "Result") -> Iterator[tuple[int, float, float]]:
    """Number of each period, its start and its length [s]."""
    series = result.mechanism_series
    period_s = series.period_ns / _SECOND_NS
    for period in range(series.n_periods):
        yield period, period * period_s, period_s


def bucket_series_rows(result: "Result") -> _Rows:
    """One row for each bucket and period, in that order; rate and burst are those at its end."""
    series, program = result.mechanism_series, result.measurements.program
    rows = []
    for at, (level, bucket) in enumerate(program.names.buckets):
        columns = {name: values[at].tolist() for name, values in series.buckets.items()}
        for period, time_s, period_s in _periods(result):
            end_ns = (period + 1) * series.period_ns
            rate_rps, burst = bucket_limit(program, at, end_ns - 1)
            row = (
                level, bucket, time_s, period_s, columns["least"][period], burst, rate_rps,
                columns["admitted"][period], columns["refused"][period],
            )  # fmt: skip
            rows.append(dict(zip(BUCKET_SERIES, row, strict=True)))
    return rows


def function_series_rows(result: "Result") -> _Rows:
    """One row for each function and period, in that order."""
    series, n_replications = result.mechanism_series, result.run_info.replications
    rows = []
    for at, function in enumerate(result.measurements.program.names.functions):
        columns = {name: values[at].tolist() for name, values in series.functions.items()}
        for period, time_s, period_s in _periods(result):
            row = (
                function, time_s, period_s, columns["busy_s"][period] / period_s / n_replications,
                *(columns[name][period] for name in ("peak", "limit", *FUNCTION_SERIES[6:])),
            )  # fmt: skip
            rows.append(dict(zip(FUNCTION_SERIES, row, strict=True)))
    return rows


def endpoint_series_rows(result: "Result") -> _Rows:
    """One row for each endpoint and period, in that order."""
    series, n_replications = result.mechanism_series, result.run_info.replications
    program = result.measurements.program
    rows = []
    for at, endpoint in enumerate(program.names.endpoints):
        columns = {name: values[at].tolist() for name, values in series.endpoints.items()}
        for period, time_s, period_s in _periods(result):
            start_ns = period * series.period_ns
            until_ns = start_ns + series.period_ns
            servers_s = (
                (servers_over(program, at, until_ns) - servers_over(program, at, start_ns))
                / _SECOND_NS
                * n_replications
            )
            row = (
                endpoint, time_s, period_s,
                columns["busy_s"][period] / servers_s if servers_s else float("nan"),
                columns["waiting_s"][period] / period_s / n_replications,
                *(columns[name][period] for name in ("peak", "served", "refused")),
            )  # fmt: skip
            rows.append(dict(zip(ENDPOINT_SERIES, row, strict=True)))
    return rows


def cache_series_rows(result: "Result") -> _Rows:
    """One row for each API with a response cache and period, in that order.

    Hits and misses are of requests that arrived in the period, the rest is at its end or in it;
    entries and bytes are means over the replications that lasted so long.
    """
    series, program = result.mechanism_series, result.measurements.program
    requests = result.series.in_periods(series.period_ns, series.n_periods).values
    if series.n_periods:  # who comes at the very end belongs to the last period
        requests[:, series.n_periods - 1] += requests[:, series.n_periods :].sum(axis=1)
    positions = {plan.name: at for at, plan in enumerate(program.caches)}
    rows = []
    for api, (name, of_api) in enumerate(result.scenario.apis.items()):
        at = positions.get(stage_label(name, of_api.stage.name))
        if at is None:
            continue
        for period, time_s, period_s in _periods(result):
            hits, misses = (int(requests[api, period, of]) for of in (CACHE_HITS, CACHE_MISSES))
            lookups, lasted = hits + misses, int(series.lasted[period])
            row = (
                name, time_s, period_s, hits, misses, hits / lookups if lookups else float("nan"),
                *(float(series.caches[of][at, period] / lasted) for of in ("entries", "bytes")),
                int(series.caches["evictions"][at, period]),
            )  # fmt: skip
            rows.append(dict(zip(CACHE_SERIES, row, strict=True)))
    return rows
