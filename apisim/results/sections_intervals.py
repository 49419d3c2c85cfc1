"""How well the numbers of the other tables are known: half-widths of their 95 % intervals."""

from collections.abc import Iterator
from typing import Final

from apisim.results.controls import ControlledFigure
from apisim.results.groups import AGGREGATED, GroupStats
from apisim.results.metrics import Measure
from apisim.results.result import Result
from apisim.results.section import TOTAL, Section, section
from apisim.results.statistics import FEW_EVENTS, Interval
from apisim.results.wording import share_text, three_digits, time_text

__all__ = ["interval_section"]

_PERCENTS: Final = (50.0, 95.0, 99.0)
_SHARES: Final = ("throttled", "errors_5xx")
_MOST_ROUTES: Final = 20
_NONE: Final = "-"
_ALL: Final = 1e6

_Tags = tuple[tuple[str, str], ...]


def interval_section(result: Result) -> Section | None:
    """Half-widths by phase and by route, and of everything; None where there are no intervals."""
    if not result.intervals:
        return None
    rows = [(name, *_cells(result, tags)) for name, tags in _shown(result)]
    columns = "Of|>mean|>p50|>p95|>p99|>Throttled|>5xx"
    title = f"Half-widths of 95% intervals over {result.run_info.replications} replications"
    said = [cell for row in rows for cell in row[1:]]
    remarks = []
    if any(cell.startswith("<") for cell in said):
        remarks.append("<: none was seen, so that a share is at most this (3/R a replication)")
    if any(cell.startswith("few") for cell in said):
        remarks.append(f"few: inconclusive, fewer than {FEW_EVENTS} events in all replications")
    remarks += [_controlled(name, one) for name, one in result.controlled.items()]
    return section(title, columns, rows, {len(rows) - 1: TOTAL}, tuple(remarks))


def _controlled(name: str, one: ControlledFigure) -> str:
    """What control variates make of a figure."""
    text = time_text if name.startswith("latency") else three_digits
    said = f"{name} with control variates ({', '.join(one.controls)}): {text(one.interval.mean)}"
    if one.gain >= _ALL:  # where calls all cost the same, rounding is all that is left
        return f"{said}, exactly"
    return f"{said} ±{text(one.interval.half_width)}, as with {one.gain:.2g} times the replications"


def _shown(result: Result) -> Iterator[tuple[str, _Tags]]:
    phases = [row for row in result.phases if row.requests]
    if len(phases) > 1:
        yield from ((row.labels["phase"], (("phase", row.labels["phase"]),)) for row in phases)
    several = len({row.labels["api"] for row in result.routes}) > 1
    routes = [row for row in result.routes if row.requests and row.labels["route"]]
    if len(routes) > 1:
        yield from (_route(row, several=several) for row in routes[:_MOST_ROUTES])
    yield AGGREGATED, ()


def _route(row: GroupStats, *, several: bool) -> tuple[str, _Tags]:
    route = ("route", row.labels["route"])
    if not several:
        return row.labels["route"], (route,)
    api = row.labels["api"]
    return f"{api} {row.labels['route']}", (("api", api), route)


def _cells(result: Result, tags: _Tags) -> Iterator[str]:
    wanted = [Measure("latency", "mean", None, tags)]
    wanted += [Measure("latency", "p", percent, tags) for percent in _PERCENTS]
    for measure in wanted:
        interval = result.intervals.get(measure.label)
        yield _NONE if interval is None else f"±{time_text(interval.half_width)}"
    for name in _SHARES:
        yield _share(result.intervals.get(Measure(name, "rate", None, tags).label))


def _share(interval: Interval | None) -> str:
    if interval is None:
        return _NONE
    if interval.events is None:
        return f"±{share_text(interval.half_width)}"
    if interval.events:
        return "few"
    return f"<{share_text(interval.high if not interval.mean else 1 - interval.low)}"
