"""The sheet and the envelope as titled tables, for a terminal, a notebook and files."""

import math
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from apisim.results.section import FAILED, Section, section
from apisim.results.wording import (
    NOTHING,
    bytes_text,
    counted,
    rate_text,
    share_text,
    three_digits,
    time_text,
)
from apisim.scenario.formats import format_duration
from apisim.studies.quotas.catalogue import OF_RATE, OURS
from apisim.studies.quotas.envelope import EnvelopeCell
from apisim.studies.quotas.rows import LimitRow

if TYPE_CHECKING:
    from apisim.studies.limits import Limits

__all__ = [
    "ENVELOPE",
    "LIMITS",
    "alike",
    "envelope_rows",
    "headline",
    "limit_rows",
    "limit_words",
    "sections",
    "shown_rows",
    "value_words",
    "wall_words",
]

#: Columns of ``limits.csv`` and of the frame of that name.
LIMITS: Final = (
    "quota", "service", "code", "kind", "of", "unit", "limit", "origin", "used", "used_low",
    "used_high", "most_used", "headroom", "refused", "multiple_without", "multiple_refused",
    "request", "requestable", "decided_by",
)  # fmt: skip
#: Columns of ``envelope.csv`` and of the frame of that name.
ENVELOPE: Final = (
    "multiple", "rate_rps", "hit_ratio", "duration_s", "kind", "of", "at_s",
)  # fmt: skip
#: Use of a limit that does not depend on traffic from which on it is shown.
_WORTH_SHOWING: Final = 0.5
_SECOND_NS: Final = 1_000_000_000
_WORDS: Final = {
    "account": "account throttle",
    "connections": "new connections",
    "connection_burst": "burst of new connections",
    "concurrency": "account concurrency",
    "lambda_rate": "requests/s to Lambda",
    "reserved": "reserve of",
    "scaling": "scaling of",
    "method": "throttle of",
    "stage": "stage throttle of",
    "usage_plan": "plan throttle of",
    "plan_quota": "quota of",
    "endpoint": "queue of",
    "sign_in": "sign-ins of",
}


def limit_rows(result: "Limits") -> list[dict[str, Any]]:
    """One for each limit; what is not known is None."""
    found = []
    for row in result.rows:
        interval, first = row.used_interval, row.first_refusal
        cells = (
            row.quota, row.service, row.code, row.kind, row.of, row.unit, row.limit, row.origin,
            row.used, None if interval is None else interval.low,
            None if interval is None else interval.high, row.most_used, row.headroom, row.refused,
            None if first is None else first.without, None if first is None else first.refused,
            row.request, row.requestable, row.decided_by,
        )  # fmt: skip
        found.append(dict(zip(LIMITS, cells, strict=True)))
    return found


def envelope_rows(result: "Limits") -> list[dict[str, Any]]:
    """One for each cell."""
    return [{name: getattr(cell, name) for name in ENVELOPE} for cell in result.envelope]


def headline(result: "Limits") -> list[str]:
    """What the tables are about."""
    scenario = result.scenario
    times = "its own traffic" if result.multiple == 1 else f"{result.multiple:g} times its traffic"
    first = "Limits" if not scenario.name else f"Limits of {scenario.name}"
    return [
        first,
        f"profile {scenario.profile}, {scenario.region}; {times}, "
        f"{counted(scenario.replications, 'replication')}; seed {scenario.seed}",
    ]


def sections(result: "Limits", *, everything: bool = False) -> list[Section]:
    """The tables, in order; ``everything`` shows limits that are far away as well."""
    parts = [_sheet(result, everything), _requests(result), _envelope(result)]
    return [part for part in parts if part is not None]


def shown_rows(result: "Limits", *, everything: bool = False) -> list[LimitRow]:
    """Limits that are worth a line: all of them, or those that are near, refuse, or are known."""
    return [row for row in result.rows if everything or _is_shown(row)]


def _is_shown(row: LimitRow) -> bool:
    if row.refused or row.request is not None or row.first_refusal is not None:
        return True
    if row.used is None or row.limit is None:
        return False
    is_near = row.used > _WORTH_SHOWING * row.limit
    is_main = row.kind in {"account_rate", "account_burst", "concurrency", "connections"}
    return is_near or is_main


def _sheet(result: "Limits", everything: bool) -> Section | None:
    shown = shown_rows(result, everything=everything)
    rows, marks = [], {}
    for at, row in enumerate(shown):
        used = NOTHING if row.used is None else value_words(row, row.used)
        limit = NOTHING if row.limit is None else value_words(row, row.limit)
        rows.append(
            (limit_words(row), limit, used, _left(row), _multiple(row, result), _raise(row))
        )
        if row.refused:
            marks[at] = FAILED
    columns = "Limit|>Value|>Used|>Left|>Refuses at|To raise"
    remarks = tuple(_remarks(result, shown))
    return section("Limits and their use", columns, rows, marks, remarks)


def limit_words(row: LimitRow) -> str:
    """What a line of the sheet is called."""
    if row.service is None:
        return wall_words(row.kind, row.of)
    name = row.quota.partition(" (")[0]
    return name if row.of == "account" else f"{name}, {row.of}"


def _left(row: LimitRow) -> str:
    if row.headroom is None:
        return NOTHING
    return share_text(row.headroom) if row.headroom >= 0 else f"-{share_text(-row.headroom)}"


def _raise(row: LimitRow) -> str:
    """What can be done about a limit."""
    if row.requestable:
        return "on request"
    return {OURS: "yours", OF_RATE: "not on request"}.get(row.decided_by, "fixed")


def _remarks(result: "Limits", shown: list[LimitRow]) -> Iterator[str]:
    intervals = [
        f"{limit_words(row)} {value_words(row, max(interval.low, 0.0))} to "
        f"{value_words(row, interval.high)}"
        for row in shown
        if (interval := row.used_interval) is not None and interval.low < interval.high
    ]
    if intervals:
        yield f"used, 95% interval: {'; '.join(intervals)}"
    refused = [f"{limit_words(row)} {row.refused:,}" for row in _once(shown) if row.refused]
    if refused:
        yield f"refused at this traffic: {'; '.join(refused)}"
    left_out = len(result.rows) - len(shown)
    if left_out:
        are = "is" if left_out == 1 else "are"
        yield (
            f"{counted(left_out, 'more limit')} refused nothing and {are} used to half at most, or "
            "not measured (--all)"
        )
    yield (
        f"{counted(result.n_simulations, 'simulation')}; refuses at: largest multiple of the "
        "scenario's traffic without a refusal, and smallest with one"
    )


def _once(rows: list[LimitRow]) -> Iterator[LimitRow]:
    """Rate and burst of one bucket refuse together."""
    return (row for row in rows if row.kind not in {"account_burst", "connection_burst"})


def _requests(result: "Limits") -> Section | None:
    rows = [
        (
            row.quota,
            row.service or NOTHING,
            row.code or NOTHING,
            NOTHING if row.limit is None else value_words(row, row.limit),
            value_words(row, row.request),
        )
        for row in result.rows
        if row.request is not None and row.requestable
    ]
    remarks = (f"{share_text(result.reserve)} above the peak, in two digits",)
    columns = "Quota|Service|Code|>Now|>Ask for"
    return section("To request from Service Quotas", columns, rows, None, remarks)


def _multiple(row: LimitRow, result: "Limits") -> str:
    if not row.grows:
        return NOTHING
    first = row.first_refusal
    if first is None or first.refused is None:
        return f">{result.up_to:g}x"
    if first.without == 0:
        return f"<{first.refused:.3g}x"
    return f"{first.without:.3g}-{first.refused:.3g}x"


def value_words(row: LimitRow, value: float) -> str:
    """A value of a limit, or of its use, with its unit."""
    if row.unit.startswith("1/s"):
        return rate_text(value)
    if row.unit == "bytes":
        return bytes_text(value)
    if row.unit == "s":
        return time_text(value * 1000)
    return three_digits(float(f"{value:.6g}"))


def _envelope(result: "Limits") -> Section | None:
    durations = list(dict.fromkeys(cell.duration_s for cell in result.envelope))
    with_hits = any(not math.isnan(cell.hit_ratio) for cell in result.envelope)
    rows: list[tuple[str, ...]] = []
    for cells in alike(result.envelope, len(durations)):
        first, last = cells[0][0], cells[-1][0]
        met = next((cell for cell in cells[0] if cell.kind is not None), None)
        hits = share_text(first.hit_ratio)
        if last.hit_ratio != first.hit_ratio:
            hits = f"{hits} to {share_text(last.hit_ratio)}"
        rows.append(
            (
                f"{first.multiple:g}x",
                rate_text(first.rate_rps),
                *((hits,) if with_hits else ()),
                NOTHING if met is None else wall_words(met.kind or "", met.of or ""),
                NOTHING if met is None or met.at_s is None else time_text(met.at_s * 1000),
                *("ok" if cell.kind is None else "no" for cell in cells[0]),
            )
        )
    lengths = "|".join(format_duration(round(duration * _SECOND_NS)) for duration in durations)
    columns = f">Traffic|>Rate|{'>Hits|' if with_hits else ''}Meets first|>After|{lengths}"
    remarks = (
        "1x is the scenario's busiest 10 s; a step to an even rate with its mix, from full buckets "
        "and without warm environments, for so long; by mean times, so that clusters of calls meet "
        "a near limit sooner",
    )
    return section("Launch envelope", columns, rows, None, remarks)


def alike(cells: tuple[EnvelopeCell, ...], step: int) -> Iterator[list[tuple[EnvelopeCell, ...]]]:
    """Lines of cells, those together that differ by nothing but the hit ratio."""
    lines = [cells[at : at + step] for at in range(0, len(cells), step or 1)]

    def outcome(line: tuple[EnvelopeCell, ...]) -> object:
        return [(cell.multiple, cell.kind, cell.of, cell.at_s) for cell in line]

    for _, group in groupby(lines, key=outcome):
        yield list(group)


def wall_words(kind: str, of: str) -> str:
    """A limit in words.

    Examples
    --------
    >>> wall_words("reserved", "checkout"), wall_words("account", "account")
    ('reserve of checkout', 'account throttle')
    """
    words = _WORDS.get(kind, kind.replace("_", " "))
    return f"{words} {of}" if words.endswith(" of") else words
