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

    console = Console(file=sys.stderr)
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=None)
    with Progress(*columns, console=console, transient=True) as bar:
        # Without a total the bar pulses: reading logs and compiling have no measure.
        task = bar.add_task("getting ready", total=None)

        def show(report: "Report") -> None:
            bar.update(task, description=_told(report), total=1.0, completed=min(report.share, 1.0))

        yield show


def _told(report: "Report") -> str:
    """What the bar says.

    E.g. ``16:40 of 25:00 simulated, 3 of 5 replications, 1,234,567 requests/s, 0:07 left``.
    """
    n_replications = report.replications
    simulated_s = report.simulated_ns / _SECOND_NS
    total_s = report.total_ns / _SECOND_NS
    words = [f"{clock(simulated_s)} of {clock(total_s)} simulated"]
    if n_replications > 1:
        words.append(f"{report.finished} of {n_replications} replications")
    words.append(f"{report.requests_per_s:,.0f} requests/s")
    if report.share:
        words.append(f"{clock(report.left_s)} left")
    return ", ".join(words)


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
