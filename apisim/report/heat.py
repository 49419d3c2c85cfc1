"""A sweep over two paths as a heat map: a cell for each combination."""

from typing import TYPE_CHECKING, Final

import numpy as np

from apisim.report.measures import scale_of
from apisim.report.style import axes, look
from apisim.report.subjects import draws
from apisim.studies import Sweep
from apisim.studies.wording import measure_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh

__all__ = ["plot_sweep_heat"]

#: From the least to the largest, even in lightness, so that a grey print has the same order; what
#: is large stands out from the page.
_COLOURS: Final = {"light": "cividis_r", "dark": "cividis"}
_COLUMN_INCHES: Final = 0.85
_ROW_INCHES: Final = 0.42
#: Columns and rows up to which a cell has room for its number.
_MOST_COLUMNS: Final = 12
_MOST_ROWS: Final = 25


@draws
def plot_sweep_heat(
    sweep: Sweep, measure: str = "latency p(99)", ax: "Axes | None" = None
) -> "Axes":
    """Draw a measure over two paths, a cell for each combination of their values.

    Parameters
    ----------
    sweep : Sweep
        Of :func:`apisim.sweep`, a grid over two paths; what is drawn is ``sweep.cells(measure)``.
    measure : str
        A column of its frame.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Values of the first path on the x axis, of the second on the y axis, the first at the
        bottom, evenly spaced; means as colours, and as words where there is room. A point that
        failed is an empty cell with a dash.

    Raises
    ------
    ValueError
        If there is no such measure, or the sweep is no grid over two paths.
    """
    cells = sweep.cells(measure)
    columns, rows = (list(dict.fromkeys(cells[name])) for name in ("x", "y"))
    factor, label = scale_of(measure)
    # Points are in order of the grid: the second path varies fastest.
    means = cells["mean"].to_numpy(float).reshape(len(columns), len(rows)).T
    width = max(6.0, 3.0 + _COLUMN_INCHES * min(len(columns), _MOST_COLUMNS))
    height = max(3.2, 1.6 + _ROW_INCHES * min(len(rows), _MOST_ROWS))
    with axes(ax, width=width, height=height) as drawn:
        is_light = look().paper == "white"
        mesh = drawn.pcolormesh(
            np.ma.masked_invalid(means * factor), cmap=_COLOURS["light" if is_light else "dark"],
            edgecolors=look().paper, linewidth=1.5,
        )  # fmt: skip
        _write(drawn, mesh, means, measure)
        drawn.set_xticks(np.arange(len(columns)) + 0.5, columns)
        drawn.set_yticks(np.arange(len(rows)) + 0.5, rows)
        for name in ("left", "bottom"):
            drawn.spines[name].set_visible(False)
        drawn.tick_params(length=0)
        if max(map(len, columns)) * len(columns) > 10 * _MOST_COLUMNS:
            drawn.tick_params(axis="x", labelrotation=45)
        drawn.set_xlabel(sweep.paths[0])
        drawn.set_ylabel(sweep.paths[1])
        drawn.set_title(f"{measure} over two settings")
        assert drawn.figure is not None
        bar = drawn.figure.colorbar(mesh, ax=drawn, label=label)
        bar.outline.set_visible(False)
    return drawn


def _write(ax: "Axes", mesh: "QuadMesh", means: "np.ndarray", measure: str) -> None:
    """Put the numbers into the cells, in whichever of black and white is seen on the colour."""
    n_rows, n_columns = means.shape
    colours = mesh.to_rgba(np.ma.masked_invalid(means * scale_of(measure)[0]))
    is_roomy = n_columns <= _MOST_COLUMNS and n_rows <= _MOST_ROWS
    for (row, column), mean in np.ndenumerate(means):
        place = (column + 0.5, row + 0.5)
        text = measure_text(measure, mean)
        if np.isnan(mean):
            ax.text(*place, text, ha="center", va="center", color=look().ink)
        elif is_roomy:
            red, green, blue, _ = colours[row, column]
            is_pale = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
            seen = "#111111" if is_pale else "#ffffff"
            ax.text(*place, text, ha="center", va="center", fontsize=8, color=seen)
