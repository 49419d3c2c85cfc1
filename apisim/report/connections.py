"""Connections of WebSocket APIs over time."""

from typing import TYPE_CHECKING, Final

from apisim.report.style import axes, look, say_nothing
from apisim.report.subjects import draws
from apisim.report.time_axis import (
    draw_steps,
    end_of,
    finish_time_axis,
    legend_below,
    right_axis,
    time_axis,
)
from apisim.results.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["open_connections", "plot_connections"]

#: APIs that are drawn.
_MAX_APIS: Final = 4


def open_connections(result: Result) -> "pd.DataFrame":
    """What is drawn: connections, of the frame ``series``.

    Returns
    -------
    pandas.DataFrame
        ``api``, ``time_s``, ``period_s``, ``mean_open`` and ``peak_open`` (connections),
        ``connects`` (sum of replications) and ``connects_rps`` (mean of a replication), of the
        four APIs with most connects that have any.
    """
    series = result.frame("series")
    columns = ["api", "time_s", "period_s", "mean_open", "peak_open", "connects"]
    if "connects" not in series:
        series = series.iloc[:0].reindex(columns=columns)
    rates = series["connects"] / series["period_s"] / result.run_info.replications
    rows = series[columns].assign(connects_rps=rates)
    totals = rows.groupby("api", sort=False, observed=True)["connects"].sum()
    most = totals[totals > 0].astype(float).nlargest(_MAX_APIS).index
    return rows[rows["api"].isin(most)].reset_index(drop=True)


@draws
def plot_connections(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw how many WebSocket connections were open over time, and how many were opened.

    Parameters
    ----------
    result : Result
        Of :func:`apisim.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Simulated time on the x axis; on the left y axis open connections (mean of each period,
        strong lines, and the peak in any replication, dotted), on a second one at the right new
        connections a second (thin lines, mean of the replications). The numbers are those of
        ``result.frame("series")``, of four APIs at most.

    Examples
    --------
    >>> import apisim
    >>> result = apisim.run("scenarios/websocket-reconnect-storm.yaml")  # doctest: +SKIP
    >>> apisim.plot_connections(result).figure.savefig("connections.png")  # doctest: +SKIP
    """
    series = open_connections(result)
    by_api = list(series.groupby("api", sort=False, observed=True))
    with axes(ax) as ax:
        unit_s = time_axis(ax, result, end_of(series))
        ax.set_ylabel("open connections")
        ax.set_title("WebSocket connections over time")
        if series.empty:
            finish_time_axis(ax, result, unit_s)
            say_nothing(ax, "no WebSocket connections")
            return ax
        right = right_axis(ax, "new connections/s")
        strokes = look().strokes
        for at, (api, rows) in enumerate(by_api):
            stroke, new = strokes[at], strokes[at if len(by_api) > 1 else 1]
            name = f"{api}: " if len(by_api) > 1 else ""
            draw_steps(
                right, rows, "connects_rps", unit_s, color=new.colour, linestyle=new.dashes,
                linewidth=0.9, label=f"{name}new (right)",
            )  # fmt: skip
            draw_steps(
                ax, rows, "mean_open", unit_s, color=stroke.colour, linestyle=stroke.dashes,
                linewidth=2, label=f"{name}open, mean (left)",
            )  # fmt: skip
            draw_steps(
                ax, rows, "peak_open", unit_s, color=stroke.colour, linestyle=":", linewidth=1.1,
                label=f"{name}open, peak (left)",
            )  # fmt: skip
        ax.set_ylim(bottom=0)
        right.set_ylim(0, 1.08 * float(series["connects_rps"].max()))
        finish_time_axis(ax, result, unit_s)
        legend_below(ax, right)
    return ax
