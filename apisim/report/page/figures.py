"""Which figures a page has, when each has something to show, and what is to be seen in it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from apisim.pricing import dollars
from apisim.report.authorizers import plot_authorizers
from apisim.report.buckets import plot_tokens
from apisim.report.caches import plot_cache
from apisim.report.connections import plot_connections
from apisim.report.endpoints import plot_queues
from apisim.report.functions import plot_concurrency
from apisim.report.latency import plot_latency_by_route, quantiles_by_route
from apisim.report.latency_over_time import plot_latency_over_time
from apisim.report.latency_tail import plot_latency_ccdf
from apisim.report.money import plot_cost_waterfall
from apisim.report.requests import plot_requests, requests_by_outcome
from apisim.report.style import fill_of
from apisim.results.result import Result
from apisim.results.wording import count_text, share_text, time_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FIGURES", "PageFigure"]


class PageFigure(NamedTuple):
    """A figure of a page.

    Attributes
    ----------
    title : str
        What it shows.
    has_any : callable
        Whether there is anything to show of a result.
    alt : callable
        What is to be seen, for those who do not see it.
    draw : callable
        Draws a result on axes of its own.
    """

    title: str
    has_any: Callable[[Result], bool]
    alt: Callable[[Result], str]
    draw: "Callable[[Result], Axes]"


def _has_requests(result: Result) -> bool:
    return bool(result.requests.total)


def _takes_time(result: Result) -> bool:
    return result.latency_ms.max > 0


def _has_refusing_buckets(result: Result) -> bool:
    return any(stats.refused for stats in result.throttles) and bool(len(_buckets(result)))


def _buckets(result: Result) -> list[str]:
    return list(dict.fromkeys(result.frame("bucket_series")["bucket"]))


def _of_requests(result: Result) -> str:
    counts = requests_by_outcome(result)
    total = int(counts.to_numpy().sum())
    warm_up = ", warm-up included" if result.scenario.warm_up else ""
    parts = [f"{count_text(total)} requests over time{warm_up}, stacked by how they ended"]
    parts += [
        f"{fill_of(str(end)).label} {share_text(float(counts[end].sum() / total))}"
        for end in counts
    ]
    return "; ".join(parts) + "."


def _of_latency(result: Result) -> str:
    rows = quantiles_by_route(result)
    parts = [
        f"{name}: median {time_text(p50)}, 99th percentile {time_text(p99)}"
        for name, p50, p99 in zip(
            rows["name"], rows["latency_ms_p50"], rows["latency_ms_p99"], strict=True
        )
    ]
    return "Latency by route. " + "; ".join(parts) + "."


def _of_time(result: Result) -> str:
    worst = float(result.frame("latency_series")["latency_ms_p99"].max())
    return (
        "Median, 90th and 99th percentile of the latency over time, warm-up included. The highest "
        f"99th percentile of any period is {time_text(worst)}."
    )


def _of_tail(result: Result) -> str:
    latency = result.latency_ms
    return (
        "Share of the requests that took longer than so long, by route. One of a thousand takes "
        f"longer than {time_text(latency.p99_9)}; the longest took {time_text(latency.max)}."
    )


def _of_tokens(result: Result) -> str:
    parts = [
        f"{stats.limits or stats.level}: {count_text(stats.refused)} refused"
        for stats in result.throttles
        if stats.refused
    ]
    return "Least tokens of each bucket over time; without a token it refuses. " + (
        "; ".join(parts) + "."
    )


def _of_functions(result: Result) -> str:
    parts = [
        f"{name}: at most {count_text(stats.max_concurrency)} at once, "
        f"{count_text(stats.cold_starts)} cold starts"
        for name, stats in result.functions.items()
    ]
    return "Concurrent executions over time. " + "; ".join(parts) + "."


def _of_caches(result: Result) -> str:
    parts = [
        f"{api}: hit ratio {share_text(stats.hit_ratio)}" for api, stats in result.cache.items()
    ]
    return (
        "Hit ratio of the response cache, and what its entries occupy, over time. "
        + "; ".join(parts)
        + "."
    )


def _of_authorizers(result: Result) -> str:
    parts = [
        f"{name}: {count_text(stats.invocations)} calls"
        for name, stats in result.authorizers.items()
    ]
    return "Calls of authorizer functions over time. " + "; ".join(parts) + "."


def _of_queues(result: Result) -> str:
    parts = [
        f"{name}: busy {share_text(stats.utilization)}, {count_text(stats.refused)} refused"
        for name, stats in result.endpoints.items()
    ]
    return "Servers in use and requests that wait, over time. " + "; ".join(parts) + "."


def _of_connections(result: Result) -> str:
    parts = [
        f"{stats.api}: at most {count_text(stats.peak_open)} open at once, "
        f"{count_text(stats.opened)} opened"
        for stats in result.websockets
    ]
    return "Open connections, and new ones a second, over time. " + "; ".join(parts) + "."


def _of_bill(result: Result) -> str:
    bills = result.bill
    total = bills.run.total if bills.month is None else bills.month.total
    return f"Lines of the bill, one on the other, up to the total of {dollars(total)}."


#: In the order of the page.
FIGURES: Final = (
    PageFigure("Requests over time", _has_requests, _of_requests, plot_requests),
    PageFigure("Latency by route", _has_requests, _of_latency, plot_latency_by_route),
    PageFigure("Latency over time", _takes_time, _of_time, plot_latency_over_time),
    PageFigure("Latency, the tail", _takes_time, _of_tail, plot_latency_ccdf),
    PageFigure("Tokens over time", _has_refusing_buckets, _of_tokens, plot_tokens),
    PageFigure(
        "Concurrency over time",
        lambda result: any(one.invocations for one in result.functions.values()),
        _of_functions,
        plot_concurrency,
    ),
    PageFigure(
        "Response cache over time",
        lambda result: any(one.hits + one.misses for one in result.cache.values()),
        _of_caches,
        plot_cache,
    ),
    PageFigure(
        "Authorizer calls over time",
        lambda result: any(one.invocations for one in result.authorizers.values()),
        _of_authorizers,
        plot_authorizers,
    ),
    PageFigure(
        "Queues over time",
        lambda result: any(one.served for one in result.endpoints.values()),
        _of_queues,
        plot_queues,
    ),
    PageFigure(
        "Connections over time",
        lambda result: bool(result.websockets),
        _of_connections,
        plot_connections,
    ),
    PageFigure(
        "The bill, line by line",
        lambda result: bool(result.bill.run.total),
        _of_bill,
        plot_cost_waterfall,
    ),
)
