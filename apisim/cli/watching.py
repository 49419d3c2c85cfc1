"""The live view of a run: a bar, and beneath it what the run has come to so far and lately."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from apisim.cli.progress import pace, progress_bar, simulated
from apisim.cli.streams import is_terminal, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from apisim.studies import Live, Progress

__all__ = ["Tellers", "watching"]

#: Told of progress, and of figures; None where nobody wants to know.
Tellers = tuple["Callable[[Progress], None] | None", "Callable[[Live], None] | None"]

_NO_TERMINAL: Final = "note: --watch needs a terminal; the run goes on without it"
_ELSEWHERE: Final = (
    "note: --watch sees nothing of what a cluster does (--scheduler); there is a bar"
)
_MAX_WIDTH: Final = 100
#: Those who refused that a line has room for.
_MOST_NAMED: Final = 3


@contextmanager
def watching(*, is_wanted: bool, is_quiet: bool, is_here: bool = True) -> Iterator[Tellers]:
    """Show a run on stderr while it runs; everything is gone in the end.

    Parameters
    ----------
    is_wanted : bool
        Whether there is to be more than a bar.
    is_quiet : bool
        Whether nothing at all is to be shown.
    is_here : bool
        Whether the run is in this process, where it can be looked at.

    Yields
    ------
    tuple of callable or None
        What takes progress, and what takes figures.
    """
    if is_wanted and not is_quiet:
        if is_here and is_terminal(sys.stderr):
            with _view() as tellers:
                yield tellers
            return
        say(_NO_TERMINAL if is_here else _ELSEWHERE)
    with progress_bar(is_wanted=not is_quiet) as progress:
        yield progress, None


@contextmanager
def _view() -> Iterator[Tellers]:
    from rich.console import Console
    from rich.live import Live as View

    console = Console(file=sys.stderr)
    state = _State()
    # Drawn only when there is something new, in the thread that has it: what drawing takes is then
    # a part of the time that looking may take.
    with View(
        "getting ready", console=console, auto_refresh=False, transient=True
    ) as view:  # what is said meanwhile stands above it

        def draw() -> None:
            view.update(state.page(min(console.width, _MAX_WIDTH)), refresh=True)

        def progress(report: "Progress") -> None:
            is_first = state.progress is None
            state.progress = report
            if is_first:
                draw()

        def live(figures: "Live") -> None:
            state.live = figures
            draw()

        yield progress, live


class _State:
    """What was told last."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.live: Live | None = None

    def page(self, width: int) -> "RenderableType":
        """All of it, one below the other."""
        from rich.console import Group

        parts: list[RenderableType] = []
        if self.progress is not None:
            parts.append(_bar(self.progress, width))
        if self.live is not None:
            parts.append(_table(self.live, width))
        return Group(*parts)


def _bar(report: "Progress", width: int) -> "RenderableType":
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    row = Table.grid(padding=(0, 1), expand=True)
    row.width = width
    for ratio in (None, 1, None):
        row.add_column(ratio=ratio, no_wrap=True)
    share = min(report.share, 1.0)
    row.add_row(simulated(report), ProgressBar(total=1.0, completed=share), pace(report))
    return row


def _table(live: "Live", width: int) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2), expand=True)
    table.width = width
    table.add_column(no_wrap=True)
    for _ in range(2):
        table.add_column(justify="right", no_wrap=True, min_width=9)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_row("", Text("so far", "bold"), Text("lately", "bold"), "")
    for row in _rows(live):
        style = "red" if row.is_bad else ""
        cells = (Text(cell, style) for cell in (row.so_far, row.lately))
        table.add_row(row.name, *cells, Text(row.remark, "dim"))
    return table


class _Row(NamedTuple):
    name: str
    so_far: str
    lately: str
    remark: str = ""
    is_bad: bool = False


def _rows(live: "Live") -> Iterator[_Row]:
    from apisim.pricing import dollars
    from apisim.results.wording import count_text, rate_text, share_text, time_text

    all_, new = live.so_far, live.lately

    def shares(name: str, field: str) -> _Row:
        one, other = getattr(all_, field), getattr(new, field)
        return _Row(name, share_text(one), share_text(other), is_bad=one > 0)

    yield _Row("requests", count_text(all_.requests), count_text(new.requests))
    rates = (rate_text(all_.requests_per_s), rate_text(new.requests_per_s))
    yield _Row("arriving", *rates, "in simulated time")
    yield shares("throttled (429)", "throttled")
    yield shares("other 4xx", "errors_4xx")
    yield shares("5xx", "errors_5xx")
    most = list(all_.refused_by.items())[:_MOST_NAMED]
    who = ", ".join(f"{name} {count_text(count)}" for name, count in most)
    yield _Row(
        "not served",
        count_text(sum(all_.refused_by.values())),
        count_text(sum(new.refused_by.values())),
        f"because of: {who}" if who else "",
    )
    yield _Row("latency p99", time_text(all_.p99_ms), time_text(new.p99_ms))
    an_hour = "" if math.isnan(new.cost_per_h) else f"${new.cost_per_h:,.2f} an hour"
    yield _Row("cost", dollars(all_.cost), dollars(new.cost), an_hour)
