"""The table of what happened over time: requests, and connections where there are any."""

from typing import TYPE_CHECKING, Any, Final

from apisim.engine.recorder import AUTHORIZER_CALLS, CACHE_HITS, CACHE_MISSES, COLD_STARTS
from apisim.gateway.status import Answer

if TYPE_CHECKING:
    from apisim.results.result import Result

__all__ = ["SERIES", "series_rows"]

_SECOND_NS: Final = 1_000_000_000
_ANSWERS: Final = tuple(answer.name.lower() for answer in Answer)
#: Columns of every run.
SERIES: Final = (
    "api", "time_s", "period_s", "requests", "rps", *_ANSWERS,
    "cache_misses", "cold_starts", "authorizer_calls",
)  # fmt: skip
#: Further columns of every API, where one is a WebSocket API.
_OF_CONNECTIONS: Final = ("mean_open", "peak_open", "connects", "closes")


def series_rows(result: "Result") -> list[dict[str, Any]]:
    """One row for each API and period, in that order."""
    # The recorder's columns begin with the answers and go on as named in `SERIES`.
    assert tuple(range(len(_ANSWERS), len(_ANSWERS) + 3)) == (
        CACHE_MISSES,
        COLD_STARTS,
        AUTHORIZER_CALLS,
    )
    series, n_replications = result.series, result.run_info.replications
    more: list[list[tuple[Any, ...]]] | None = None
    if result.connections is not None:
        connections = result.connections.series
        period_ns = max(series.period_ns, connections.period_ns)
        connections = connections.in_periods(period_ns, 0)
        series = series.in_periods(period_ns, connections.opened.shape[1])
        connections = connections.in_periods(period_ns, series.values.shape[1])
        mean_open = connections.open_s * _SECOND_NS / period_ns / n_replications
        columns = (mean_open, connections.peak, connections.opened, connections.closed)
        more = [
            list(zip(*(column[api].tolist() for column in columns), strict=True))
            for api in range(len(mean_open))
        ]
    period_s = series.period_ns / _SECOND_NS
    rows = []
    for at, (api, counts) in enumerate(
        zip(result.scenario.apis, series.values.tolist(), strict=True)
    ):
        for period, of_period in enumerate(counts):
            requests = sum(of_period[: len(_ANSWERS)])
            rate = requests / period_s / n_replications
            row = (api, period * period_s, period_s, requests, rate, *of_period[:CACHE_HITS])
            columns_of_row = dict(zip(SERIES, row, strict=True))
            if more is not None:
                columns_of_row |= zip(_OF_CONNECTIONS, more[at][period], strict=True)
            rows.append(columns_of_row)
    return rows
