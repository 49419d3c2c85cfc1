"""Phases of the traffic, marked on an axis of simulated time."""

from typing import TYPE_CHECKING, Final

from apisim.report.style import look
from apisim.results.result import Result
from apisim.results.spans import phase_spans
from apisim.scenario import PausePhase

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["mark_phases", "phase_starts"]

_SECOND_NS: Final = 1_000_000_000
_POINTS_PER_INCH: Final = 72
_FONT_SIZE: Final = 8.0
#: Mean width of a letter, in parts of the size of the font.
_LETTER: Final = 0.62
_MAX_LINES: Final = 3


def phase_starts(result: Result) -> list[tuple[float, str]]:
    """When each phase begins [s], and its name, in order; phases that sources share are one.

    Pauses, and phases that last the whole run, tell nothing and are left out.
    """
    program = result.measurements.program
    pauses = {
        (name, phase.name)
        for name, source in program.scenario.traffic.items()
        for phase in source.phases
        # While a population is connected, nobody arrives, and yet it is no pause.
        if isinstance(phase, PausePhase) and source.sessions is None
    }
    starts = {
        (start_ns, phase)
        for (source, phase), (start_ns, end_ns) in phase_spans(program).items()
        if (source, phase) not in pauses and 0 < end_ns - start_ns < program.horizon_ns
    }
    return [(start_ns / _SECOND_NS, name) for start_ns, name in sorted(starts)]


def mark_phases(ax: "Axes", result: Result, unit_s: float) -> None:
    """Draw a line where a phase begins and write its name above the axes.

    The names are the labels of a second x axis, so that titles keep clear of them. A name for which
    there is no room is left out, its line is not.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Its x axis is simulated time, with its limits set.
    result : Result
        Whose phases.
    unit_s : float
        Unit of the x axis [s].
    """
    left, right = ax.get_xlim()
    width_points = ax.get_window_extent().width / ax.figure.dpi * _POINTS_PER_INCH
    ends: list[float] = []  # of the last name in each line of text
    names: list[tuple[float, str]] = []
    for start_s, name in phase_starts(result):
        start = start_s / unit_s
        if left < start < right:
            ax.axvline(start, color=look().faint, linewidth=0.8, linestyle=(0, (3, 3)))
        line = next((at for at, end in enumerate(ends) if end <= start), len(ends))
        if line == _MAX_LINES:
            continue
        letters = (len(name) + 1) * _LETTER * _FONT_SIZE
        ends[line : line + 1] = [start + letters / width_points * (right - left)]
        names.append((start, name + line * "\n"))
    above = ax.secondary_xaxis("top")
    above.spines["top"].set_visible(False)
    above.set_xticks(
        [start for start, _ in names],
        [name for _, name in names],
        ha="left",
        fontsize=_FONT_SIZE,
    )
    above.tick_params(length=0, pad=2)
