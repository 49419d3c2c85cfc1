"""The bar that runs along with a simulation: simulated time, requests/s, time left."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from apisim.cli.streams import is_terminal

if TYPE_CHECKING:
    from apisim.studies import Progress as Report
    from apisim.studies import Steps

__all__ = [
    "clock",
    "drawn_bar",
    "of_points",
    "pace",
    "progress_bar",
    "simulated",
    "steps_bar",
    "time_left",
]

_HOUR_S: Final = 3600
_SECOND_NS: Final = 1_000_000_000


@contextmanager
def progress_bar(*, is_wanted: bool) -> "Iterator[Callable[[Report], None] | None]":
    """Draw a bar of simulated time on stderr if that is a terminal; it is gone in the end.

    Parameters
    ----------
    is_wanted : bool
        Whether there is to be one at all.

    Yields
    ------
    callable or None
        Takes what the bar is to show; None where there is none.
    """
    with drawn_bar(is_wanted=is_wanted) as draw:
        if draw is None:
            yield None
        else:
            yield lambda report: draw(min(report.share, 1.0), simulated(report), pace(report))


@contextmanager
def steps_bar(*, is_wanted: bool) -> "Iterator[Callable[[Steps], None] | None]":
    """Draw a bar of the points of a study; otherwise as :func:`progress_bar`."""
    with drawn_bar(is_wanted=is_wanted) as draw:
        if draw is None:
            yield None
        else:
            yield lambda steps: draw(
                steps.finished / steps.points, of_points(steps), time_left(steps)
            )


@contextmanager
def drawn_bar(*, is_wanted: bool) -> Iterator[Callable[[float | None, str, str], None] | None]:
    """A bar that takes a share in [0, 1], or None, and what stands before and behind it."""
    if not (is_wanted and is_terminal(sys.stderr)):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns = [
        SpinnerColumn(),
        TextColumn("{task.fields[before]}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[behind]}"),
    ]
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, expand=True) as bar:
        # Without a total the bar pulses: reading logs and compiling have no measure.
        task = bar.add_task("", total=None, before="getting ready", behind="")

        def draw(share: float | None, before: str, behind: str) -> None:
            total = None if share is None else 1.0
            bar.update(task, total=total, completed=share, before=before, behind=behind)

        yield draw


def of_points(steps: "Steps") -> str:
    """How many points are done."""
    words = f"{steps.finished} of {steps.points}"
    return f"{words}, {steps.found} found done" if steps.found else words


def time_left(steps: "Steps") -> str:
    """Time left at this pace; nothing before the first point is done."""
    return f"{clock(steps.left_s)} left" if math.isfinite(steps.left_s) else ""


def simulated(report: "Report") -> str:
    """Simulated time of all replications, and how many of those are over."""
    words = f"{clock(report.simulated_ns / _SECOND_NS)} of {clock(report.total_ns / _SECOND_NS)}"
    if report.replications > 1:
        words += f" ({report.finished}/{report.replications})"
    return words


def pace(report: "Report") -> str:
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
