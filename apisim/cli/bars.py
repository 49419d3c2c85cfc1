"""The bar for ``progress=`` from Python: in a notebook, in a terminal, nowhere else."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Final

from apisim.cli.progress import drawn_bar, of_points, pace, simulated, time_left
from apisim.studies import Progress, Steps

__all__ = ["progress_bar"]

#: Time between two drawings in a notebook [s]; each is a message to the browser.
_DRAW_EVERY_S: Final = 0.1
_READY: Final = "getting ready"

#: Takes a share in [0, 1], or None where nobody knows, and what stands before and behind the bar.
_Draw = Callable[[float | None, str, str], None]


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress | Steps | str], None]]:
    """Draw how far a study is, in Jupyter and in a terminal; the bar is gone in the end.

    Where there is neither (a script whose stderr is a file) nothing is drawn.

    Yields
    ------
    callable
        For ``progress=`` of :func:`apisim.run`, ``compare``, ``sweep``, ``search``, ``advise``,
        ``limits`` and ``assumptions``.

    Examples
    --------
    >>> import apisim
    >>> with apisim.progress_bar() as bar:
    ...     result = apisim.run("scenario.yaml", progress=bar)  # doctest: +SKIP
    """
    with _notebook_bar() if _is_notebook() else drawn_bar(is_wanted=True) as draw:

        def tell(report: Progress | Steps | str) -> None:
            if draw is not None:
                draw(*_words(report))

        yield tell


def _words(report: Progress | Steps | str) -> tuple[float | None, str, str]:
    if isinstance(report, Progress):
        return min(report.share, 1.0), simulated(report), pace(report)
    if isinstance(report, Steps):
        return report.finished / report.points, of_points(report), time_left(report)
    return None, "tried", report


def _is_notebook() -> bool:
    """Whether somebody in Jupyter is looking: a kernel shows more than text."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


@contextmanager
def _notebook_bar() -> Iterator[_Draw]:
    """Draw a bar below the cell; it is replaced by nothing in the end."""
    from IPython.display import display

    handle: Any = display(_bundle(None, _READY, ""), raw=True, display_id=True)  # type: ignore[no-untyped-call]
    drawn = time.perf_counter()

    def draw(share: float | None, before: str, behind: str) -> None:
        nonlocal drawn
        now = time.perf_counter()
        if share == 1 or now - drawn >= _DRAW_EVERY_S:
            drawn = now
            handle.update(_bundle(share, before, behind), raw=True)

    try:
        yield draw
    finally:
        handle.update({"text/plain": "", "text/html": ""}, raw=True)


def _bundle(share: float | None, before: str, behind: str) -> dict[str, str]:
    value = "" if share is None else f' value="{share:.4f}"'
    bar = f'<progress max="1"{value} aria-label="progress" style="width: 40%"></progress>'
    percent = "" if share is None else f" {share:.0%}"
    return {
        "text/plain": f"{before}{percent} {behind}".strip(),
        "text/html": f"<div>{escape(before)} {bar} {escape(behind)}</div>",
    }
