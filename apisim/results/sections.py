"""The summary as titled tables of text: thresholds first, cost last.

What is said and in which order is decided here, once; ``text`` and ``html`` only lay it out.
Sections about which there is nothing to say are left out.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from apisim.pricing.ranges import Range
from apisim.results.cors import cors_rows
from apisim.results.functions import function_remarks
from apisim.results.groups import AGGREGATED, GroupStats
from apisim.results.mechanisms import CacheStats
from apisim.results.result import Result
from apisim.results.section import FAILED, TOTAL, Section, section
from apisim.results.sections_access import access_sections
from apisim.results.sections_alarms import alarms_section
from apisim.results.sections_clients import client_section
from apisim.results.sections_cost import cost_section
from apisim.results.sections_intervals import interval_section
from apisim.results.sections_services import endpoints_section, services_section
from apisim.results.sections_stages import variant_section
from apisim.results.sections_thresholds import between, threshold_section
from apisim.results.sections_websockets import websocket_sections
from apisim.results.sections_whose import cost_remarks, whose_cost_sections
from apisim.results.statistics import Interval
from apisim.results.timeline import timeline_section
from apisim.results.wording import (
    bytes_text,
    count_text,
    counted,
    moment_text,
    rate_text,
    share_text,
    three_digits,
    time_text,
)

__all__ = ["FAILED", "TOTAL", "Section", "chapters", "sections"]

_SHOWN_CUSTOMERS: Final = 10
_UNMATCHED: Final = "(no route)"


def sections(result: Result) -> list[Section]:
    """All sections of a result, in order."""
    return [one for chapter in chapters(result).values() for one in chapter]


def chapters(result: Result) -> dict[str, list[Section]]:
    """The same in four parts: ``verdict``, ``callers``, ``system`` and ``cost``, in that order."""
    found = {
        "verdict": [threshold_section(result), alarms_section(result.alarms)],
        "callers": [
            timeline_section(result.timeline),
            _traffic(result),
            client_section(result),
            _routes(result),
            variant_section(result),
            interval_section(result),
            *websocket_sections(result.websockets),
        ],
        "system": [
            _throttling(result),
            _plans(result),
            _customers(result),
            _cache(result),
            *access_sections(result),
            _cors(result),
            _functions(result),
            endpoints_section(result.endpoints),
            services_section(result.services),
        ],
        "cost": _costs(result),
    }
    return {name: [one for one in part if one is not None] for name, part in found.items()}


def _traffic(result: Result) -> Section | None:
    rows = [
        (" ".join(label for label in row.labels.values() if label), *_numbers(row))
        for row in result.traffic
        if row.requests or len(result.traffic) == 1
    ]
    columns = "Traffic|>Requests|>/s|>429|>Other 4xx|>5xx|>p50|>p95|>p99"
    return section("Traffic", columns, rows, {len(rows) - 1: TOTAL}, _traffic_intervals(result))


def _traffic_intervals(result: Result) -> tuple[str, ...]:
    """Intervals of the last row, where there are any."""
    shown = {
        "p50": "latency p(50)",
        "p95": "latency p(95)",
        "p99": "latency p(99)",
        "throttled": "throttled rate",  # 429s of quotas are none of them
    }
    words = [
        f"{short} {between(interval, 'share' if short == 'throttled' else 'ms')}"
        for short, label in shown.items()
        if (interval := result.intervals.get(label)) is not None
    ]
    return (f"{AGGREGATED} at 95%: {', '.join(words)}",) if words else ()


def _numbers(row: GroupStats) -> tuple[str, ...]:
    # By status: whoever was over a quota was told the same as whoever was throttled.
    too_many = row.by_status.get(429, 0)
    others = row.errors_4xx - too_many
    return (
        count_text(row.requests),
        rate_text(row.rps).removesuffix("/s"),
        _part(too_many, row.requests),
        _part(others, row.requests),
        _part(row.errors_5xx, row.requests),
        time_text(row.latency.p50),
        time_text(row.latency.p95),
        time_text(row.latency.p99),
    )


def _part(count: int, of: int) -> str:
    return share_text(count / of) if of else share_text(float("nan"))


def _routes(result: Result) -> Section | None:
    several = len(result.scenario.apis) > 1
    rows = []
    for row in result.routes:
        if not row.requests:
            continue
        name = row.labels["route"] or _UNMATCHED
        latency = row.latency
        rows.append(
            (
                f"{row.labels['api']} {name}" if several else name,
                count_text(row.requests),
                time_text(latency.p50),
                time_text(latency.p95),
                time_text(latency.p99),
                time_text(latency.p99_9),
                time_text(latency.max),
            )
        )
    return section(
        "Latency by route, at the client, refusals included",
        "Route|>Requests|>p50|>p95|>p99|>p99.9|>max",
        rows,
        remarks=_handshakes(result),
    )


def _handshakes(result: Result) -> tuple[str, ...]:
    """How many requests had to wait for a new connection, where connections cost time.

    Upgrades always do, and have a section of their own.
    """
    sources = result.scenario.traffic
    connected: dict[str, tuple[int, int]] = {}
    for row in result.traffic[:-1]:  # the last one is about everything
        source = sources.get(row.labels["traffic"])
        if source is None or source.sessions is not None:
            continue
        if row.new_connections or row.reused_connections:
            new, all_ = connected.get(row.labels["traffic"], (0, 0))
            of_row = row.new_connections + row.reused_connections
            connected[row.labels["traffic"]] = new + row.new_connections, all_ + of_row
    count = sum(new for new, _ in connected.values())
    of_all = sum(all_ for _, all_ in connected.values())
    if not count:
        return ()
    words = f"{counted(count, 'request')} ({share_text(count / of_all)}) opened a connection first"
    if len(connected) > 1:
        each = (f"{name} {share_text(new / all_)}" for name, (new, all_) in connected.items())
        words += f": {', '.join(each)}"
    return (words,)


def _throttling(result: Result) -> Section | None:
    rows = [
        (
            stats.level,
            stats.limits,
            f"{rate_text(stats.rate_rps)}, {count_text(stats.burst)}",
            count_text(stats.refused),
            moment_text(stats.first_refused_s),
            f"{count_text(stats.worst_second_refused)} at {moment_text(stats.worst_second_s)}",
        )
        for stats in result.throttles
        if stats.refused
    ]
    return section(
        "Throttling, whole run",
        "Level|Limit on|>Rate, burst|>Refused|>First at|>Worst second",
        rows,
    )


def _plans(result: Result) -> Section | None:
    rows = [
        (
            stats.plan,
            count_text(stats.keys),
            count_text(stats.offered),
            _part(stats.served, stats.offered),
            _part(stats.throttled, stats.offered),
            _part(stats.quota_refused, stats.offered),
            _part(stats.otherwise, stats.offered),
            count_text(stats.exhausted_keys),
        )
        for stats in result.customers.plans()
    ]
    columns = "Plan|>Keys|>Offered|>Served|>Throttled|>Over quota|>Otherwise|>Keys used up"
    remarks: tuple[str, ...] = ()
    if any(stats.otherwise for stats in result.customers.plans()):
        remarks = ("otherwise: refused by another gate, or failed behind all of them",)
    return section("Usage plans", columns, rows, remarks=remarks)


def _customers(result: Result) -> Section | None:
    rows: list[tuple[str, ...]] = [
        (
            stats.customer,
            stats.plan,
            count_text(stats.offered),
            _part(stats.served, stats.offered),
            _part(stats.throttled, stats.offered),
            count_text(stats.worst_minute_throttled),
            "never"
            if stats.quota_exhausted_at_s is None
            else moment_text(stats.quota_exhausted_at_s),
        )
        for stats in result.customers.top(_SHOWN_CUSTOMERS)
    ]
    summary = result.customers.summary()
    remarks: tuple[str, ...] = ()
    if rows:
        remarks = (
            f"{count_text(summary['active'])} of {count_text(summary['customers'])} called; "
            f"{count_text(summary['throttled_customers'])} were throttled; "
            f"Jain's fairness of what was served: {_fairness(summary['fairness'])}",
        )
    columns = "Customer|Plan|>Offered|>Served|>Throttled|>Worst min.|>Quota gone"
    if not result.scenario.usage_plans:
        columns = "Customer|>Offered|>Served|>Throttled|>Worst min."
        rows = [(name, *numbers[:-1]) for name, _, *numbers in rows]
    return section("Customers that asked for most", columns, rows, remarks=remarks)


def _fairness(index: float | None) -> str:
    return "none served" if index is None else three_digits(index)


def _cache(result: Result) -> Section | None:
    rows = [
        (
            api,
            count_text(stats.hits),
            count_text(stats.misses),
            share_text(stats.hit_ratio),
            count_text(stats.evictions),
            three_digits(round(stats.entries, 1)),
            bytes_text(stats.bytes),
        )
        for api, stats in result.cache.items()
    ]
    return section(
        "Response cache",
        "API|>Hits|>Misses|>Hit ratio|>Evictions|>Entries at the end|>Size",
        rows,
        remarks=tuple(
            remark for api, stats in result.cache.items() for remark in _cache_remarks(api, stats)
        ),
    )


def _cache_remarks(api: str, stats: CacheStats) -> list[str]:
    """What else is to be said of a cache, a sentence each."""
    remarks = []
    for count, what in (
        (stats.wrong_answers, "were made for another request: its key is too broad"),
        (stats.stale_answers, "had changed behind the cache"),
    ):
        if count:
            share = share_text(count / stats.hits)
            remarks.append(f"{api}: {count_text(count)} of the hits ({share}) {what}.")
    if stats.invalidations or stats.ignored_invalidations or stats.refused_invalidations:
        others = [
            f", {count_text(count)} {'was' if count == 1 else 'were'} {what}"
            for count, what in (
                (stats.ignored_invalidations, "ignored with a warning"),
                (stats.refused_invalidations, "refused (403)"),
            )
            if count
        ]
        remarks.append(
            f"{api}: {counted(stats.invalidations, 'call')} asked for a fresh answer and got it"
            f"{''.join(others)}."
        )
    if stats.flushes:
        remarks.append(f"{api}: emptied {counted(stats.flushes, 'time')} (timeline), whole run.")
    if stats.max_wait_ms:
        remarks.append(
            f"{api}: lookups waited up to {time_text(stats.max_wait_ms)} for the cache, whole run."
        )
    return remarks


def _cors(result: Result) -> Section | None:
    rows, remarks = cors_rows(result.cors)
    columns = "API|>Preflights|>Spared by memory|>Blocked calls"
    return section("Browsers (CORS)", columns, rows, None, remarks)


def _functions(result: Result) -> Section | None:
    rows = [
        (
            name,
            count_text(stats.invocations),
            count_text(stats.cold_starts),
            count_text(stats.throttles),
            count_text(stats.errors),
            three_digits(round(stats.mean_concurrency, 2)),
            count_text(stats.max_concurrency),
            share_text(stats.utilization),
        )
        for name, stats in result.functions.items()
    ]
    columns = "Function|>Invocations|>Cold|>Throttled|>Errors|>Mean conc.|>Max|>Busy"
    return section("Lambda functions, whole run", columns, rows, None, function_remarks(result))


def _costs(result: Result) -> list[Section | None]:
    bills, n_replications = result.bill, result.run_info.replications
    title = "Cost of the run"
    if n_replications > 1:
        title += f", mean of {n_replications} replications"
    run, month = result.intervals.get("cost_run value"), result.intervals.get("cost_month value")
    of_month = result.costs.month
    # Below the bill that was asked for.
    remarks = cost_remarks(result.costs.run) if of_month is None else ()
    remarks = (*_sampling(run), *_ranges(bills.run_ranges), *remarks)
    found: list[Section | None] = [cost_section(title, bills.run, *remarks)]
    if bills.month is not None and of_month is not None:
        remarks = (*_sampling(month), *_ranges(bills.month_ranges), *cost_remarks(of_month))
        found.append(cost_section("Expected month, projected", bills.month, *remarks))
    return [*found, *whose_cost_sections(result)]


def _ranges(ranges: Iterable[Range]) -> Iterator[str]:
    return (one.sentence for one in ranges if one.sentence)


def _sampling(interval: Interval | None) -> tuple[str, ...]:
    if interval is None or interval.high <= interval.low:
        return ()
    return (f"total at 95%: {between(interval, 'money')}, sampling error only",)
