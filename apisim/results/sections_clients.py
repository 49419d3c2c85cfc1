"""The part of the summary about logical calls: what callers got, and after how many tries."""

from apisim.results.groups import AGGREGATED, GroupStats
from apisim.results.result import Result
from apisim.results.section import TOTAL, Section, section
from apisim.results.wording import (
    count_text,
    counted,
    rate_text,
    share_text,
    three_digits,
    time_text,
)

__all__ = ["client_section"]


def client_section(result: Result) -> Section | None:
    """Calls by phase of the sources that say what their clients are like; None without any."""
    traffic = result.scenario.traffic
    known = [name for name, source in traffic.items() if source.client is not None]
    chosen = [row for row in result.traffic if row.labels["traffic"] in known and row.calls]
    rows = [(" ".join(row.labels.values()), *_numbers(row)) for row in chosen]
    marks = {}
    if len(rows) > 1 and len(known) == len(traffic):
        rows.append((AGGREGATED, *_numbers(result.traffic[-1])))
        marks = {len(rows) - 1: TOTAL}
    columns = "Traffic|>Calls|>Succeeded|>Goodput|>Tries each|>Gave up|>p50|>p99"
    return section(
        "Calls with their retries, at the client", columns, rows, marks, _remarks(chosen)
    )


def _numbers(row: GroupStats) -> tuple[str, ...]:
    return (
        count_text(row.calls),
        share_text(row.availability),
        rate_text(row.goodput_rps),
        three_digits(float(f"{row.attempts / row.calls:.3g}")),
        count_text(row.gone),
        time_text(row.call_latency.p50),
        time_text(row.call_latency.p99),
    )


def _remarks(rows: list[GroupStats]) -> tuple[str, ...]:
    stopped = sum(row.out_of_tokens for row in rows)
    if not stopped:
        return ()
    return (f"{counted(stopped, 'call')} failed for want of tokens in a retry quota.",)
