"""What all figures over simulated time share: the axis, the warm-up, phases, steps and legends."""

from typing import TYPE_CHECKING, Any, Final

from apisim.report.phases import mark_phases
from apisim.report.style import draw_grid, look, time_scale
from apisim.results.result import Result

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = [
    "draw_steps",
    "end_of",
    "finish_time_axis",
    "legend_below",
    "right_axis",
    "runs_of",
    "time_axis",
]

_SECOND_NS: Final = 1_000_000_000
#: Room for the ticks and the label of an x axis.
_BELOW_POINTS: Final = 36


def end_of(frame: "pd.DataFrame") -> float:
    """End of the last period of a frame over time [s]; 1 if it has none, for an axis to exist."""
    return float((frame["time_s"] + frame["period_s"]).max()) if len(frame) else 1.0


def time_axis(ax: "Axes", result: Result, end_s: float) -> float:
    """Set up an x axis of simulated time, with the warm-up made pale.

    Returns
    -------
    float
        Unit of the axis [s]: x is a time in seconds divided by it.
    """
    unit_s, unit = time_scale(end_s)
    ax.set_xlim(0, end_s / unit_s)
    ax.set_xlabel(f"simulated time [{unit}]")
    if warm_up_ns := result.scenario.warm_up:
        ax.axvspan(
            0, warm_up_ns / _SECOND_NS / unit_s, facecolor=look().paper, edgecolor=look().faint,
            linewidth=0.5, alpha=0.65, zorder=2.5, label="warm-up, not in the statistics",
        )  # fmt: skip
    return unit_s


def finish_time_axis(ax: "Axes", result: Result, unit_s: float) -> None:
    """Grid, plain numbers and phases, when everything else is drawn."""
    from matplotlib.ticker import StrMethodFormatter

    draw_grid(ax, "y")
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    mark_phases(ax, result, unit_s)


def draw_steps(ax: "Axes", rows: "pd.DataFrame", column: str, unit_s: float, **drawn: Any) -> None:
    """Draw a column of a frame over time: level through each period, with gaps where it is NaN.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    rows : pandas.DataFrame
        Of one mechanism: ``time_s``, ``period_s`` and the column, periods one after the other.
    column : str
    unit_s : float
        Unit of the x axis [s].
    **drawn
        How, as of :meth:`matplotlib.axes.Axes.stairs`; ``factor`` multiplies the values (100 for
        shares shown in percent).
    """
    import numpy as np

    if rows.empty:
        return
    values = rows[column].to_numpy(float) * drawn.pop("factor", 1.0)
    edges = np.append(rows["time_s"].to_numpy(float), end_of(rows)) / unit_s
    # Lines start and end where they are, not on the axis.
    drawn.setdefault("baseline", 0.0 if drawn.get("fill") else None)
    ax.stairs(values, edges, **drawn)


def runs_of(
    rows: "pd.DataFrame", column: str
) -> "tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]":
    """Stretches in which a column does not change: values, starts and ends [s].

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"time_s": [0, 1, 2], "period_s": 1, "limit": [5, 5, 9]})
    >>> [part.tolist() for part in runs_of(rows, "limit")]
    [[5.0, 9.0], [0.0, 2.0], [2.0, 3.0]]
    """
    import numpy as np

    values, starts = rows[column].to_numpy(float), rows["time_s"].to_numpy(float)
    if rows.empty:
        return values, starts, starts
    first = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    return values[first], starts[first], np.append(starts[first][1:], end_of(rows))


def right_axis(ax: "Axes", label: str) -> "Axes":
    """A second y axis at the right, from 0, for what has another unit."""
    from matplotlib.ticker import StrMethodFormatter

    right = ax.twinx()
    right.spines["right"].set_visible(True)
    right.set_ylabel(label)
    right.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    # Behind the left one, so that what makes the warm-up pale lies on both.
    ax.set_zorder(right.get_zorder() + 1)
    ax.patch.set_visible(False)
    return right


def legend_below(ax: "Axes", *others: "Axes", ncols: int = 2) -> None:
    """One legend for axes that lie on each other, under them: beside them is no room."""
    from matplotlib.transforms import ScaledTranslation

    handles, labels = ax.get_legend_handles_labels()
    for other in others:
        more, words = other.get_legend_handles_labels()
        handles, labels = handles + more, labels + words
    figure = ax.get_figure(root=True)
    assert figure is not None
    # So many points under the axes, whatever their height: below the ticks and the label.
    below = ScaledTranslation(0, -_BELOW_POINTS / 72, figure.dpi_scale_trans)
    ax.legend(
        handles, labels, loc="upper left", bbox_to_anchor=(-0.02, 0), ncols=ncols, borderaxespad=0,
        bbox_transform=ax.transAxes + below,
    )  # fmt: skip
