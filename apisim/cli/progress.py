"""The bar that runs along with a simulation: simulated time, requests/s, time left."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from apisim.cli.streams import is_terminal

if TYPE_CHECKING:
    from apisim.studies import Progress as Report

__all__ = ["clock", "progress_bar"]

_HOUR_S: Final = 3600
_SECOND_NS: Final = 1_000_000_000


@contextmanager
def progress_bar(*, is_wanted: bool) -> "Iterator[Callable[[Report], None] | None]":
    """Draw a bar on stderr if that is a terminal; it is gone in the end.

    Parameters
    ----------
    is_wanted : bool
        Whether there is to be one at all.

    Yields
    ------
    callable or None
        Takes what the bar is to show; None where there is none.
    """
    if not (is_wanted and is_terminal(sys.stderr)):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = [
        SpinnerColumn(),
        TextColumn("{task.fields[time]}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[pace]}"),
    ]
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, expand=True) as bar:
        # Without a total the bar pulses: reading logs and compiling have no measure.
        task = bar.add_task("", total=None, time="getting ready", pace="")

        def show(report: "Report") -> None:
            share = min(report.share, 1.0)
            bar.update(task, total=1.0, completed=share, time=_time(report), pace=_pace(report))

        yield show


def _time(report: "Report") -> str:
    """Simulated time of all replications, and how many of those are over."""
    words = f"{clock(report.simulated_ns / _SECOND_NS)} of {clock(report.total_ns / _SECOND_NS)}"
    if report.replications > 1:
        words += f" ({report.finished}/{report.replications})"
    return words


def _pace(report: "Report") -> str:
    """Requests a second, and the time left at this pace."""
    words = f"{report.requests_per_s:,.0f} requests/s"
    return f"{words}, {clock(report.left_s)} left" if report.share else words


def clock(seconds: float) -> str:
    """Time as ``m:ss`` or ``h:mm:ss``.

    Examples
    --------
    >>> clock(65), clock(3 * 3600 + 59.6)
    ('1:05', '3:01:00')
    """
    whole = round(seconds)
    hours, rest = divmod(whole, _HOUR_S)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
