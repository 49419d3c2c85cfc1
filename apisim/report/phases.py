"""Phases of the traffic, marked on an axis of simulated time."""

from typing import TYPE_CHECKING, Final

from apisim.report.style import FAINT
from apisim.results.result import Result
from apisim.results.spans import phase_spans

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["mark_phases", "phases_of"]

_SECOND_NS: Final = 1_000_000_000
_FONT_SIZE: Final = 8.0
_LINE_HEIGHT: Final = 11.0
#: Mean width of a letter, in parts of the size of the font.
_LETTER: Final = 0.62
_MAX_LANES: Final = 3


def phases_of(result: Result) -> list[tuple[float, float, str]]:
    """Start [s], end [s] and name of each phase, in order; phases of several sources once.

    Phases that last the whole run mark nothing and are left out.
    """
    program = result.measurements.program
    spans = {
        (start_ns, end_ns, name)
        for (_, name), (start_ns, end_ns) in phase_spans(program).items()
        if start_ns < end_ns and end_ns - start_ns < program.horizon_ns
    }
    return [(start / _SECOND_NS, end / _SECOND_NS, name) for start, end, name in sorted(spans)]


def mark_phases(ax: "Axes", result: Result, unit_s: float) -> int:
    """Draw a line where a phase begins and write its name above the axes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Its x axis is simulated time, with its limits set.
    result : Result
    unit_s : float
        Unit of the x axis [s].

    Returns
    -------
    int
        Lines of text above the axes. Names that find no room in the lines there are, are left out.
    """
    left, right = ax.get_xlim()
    width_points = ax.get_window_extent().width / ax.get_figure(root=True).dpi * 72  # type: ignore[union-attr]
    lanes: list[float] = []  # where the last name of each ends
    for start_s, end_s, name in phases_of(result):
        start = start_s / unit_s
        for bound in (start, end_s / unit_s):
            if left < bound < right:
                ax.axvline(bound, color=FAINT, linewidth=0.8, linestyle=(0, (3, 3)), gid="phase")
        name_width = (len(name) + 1) * _LETTER * _FONT_SIZE / width_points * (right - left)
        free = [at for at, end in enumerate(lanes) if end <= start]
        if not free and len(lanes) == _MAX_LANES:
            continue
        if not free:
            lanes.append(left)
            free = [len(lanes) - 1]
        lanes[free[0]] = start + name_width
        ax.annotate(
            name,
            xy=(start, 1),
            xycoords=("data", "axes fraction"),
            xytext=(1, 4 + free[0] * _LINE_HEIGHT),
            textcoords="offset points",
            fontsize=_FONT_SIZE,
            annotation_clip=False,
            gid="phase",
        )
    return len(lanes)


def title_pad(n_lines: int) -> float:
    """Distance between axes and title that leaves room for the names [points]."""
    return 8 + n_lines * _LINE_HEIGHT
