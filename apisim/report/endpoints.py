"""HTTP backends over time: who waits in their queues, and how busy they are."""

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

__all__ = ["busiest_endpoints", "plot_queues"]

#: Endpoints that are drawn.
_MAX_ENDPOINTS: Final = 4
#: Dashes and width of the utilisation, at the right.
_THIN: Final = 0.9


def busiest_endpoints(result: Result) -> "pd.DataFrame":
    """What is drawn: the frame ``endpoint_series`` of the four endpoints with the longest queues.

    Returns
    -------
    pandas.DataFrame
        With the columns of ``endpoint_series``; endpoints in the order of the scenario. Those that
        nobody called are left out.
    """
    series = result.frame("endpoint_series")
    by_endpoint = series.groupby("endpoint", sort=False, observed=True)
    called = by_endpoint["served"].sum() + by_endpoint["refused"].sum() > 0
    queues = by_endpoint["queue_peak"].max()[called].astype(float).nlargest(_MAX_ENDPOINTS)
    return series[series["endpoint"].isin(queues.index)].reset_index(drop=True)


@draws
def plot_queues(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw the queue before each endpoint over time, and how busy its servers were.

    Parameters
    ----------
    result : Result
        Of :func:`apisim.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Simulated time on the x axis; on the left y axis those who wait (mean of each period, strong
        lines, and the peak in any replication, dotted), on a second one at the right the
        utilisation of the servers in percent (thin lines). The numbers are those of
        ``result.frame("endpoint_series")``, of four endpoints at most.

    Examples
    --------
    >>> import apisim
    >>> result = apisim.run("scenarios/slow-database.yaml")  # doctest: +SKIP
    >>> apisim.plot_queues(result).figure.savefig("queues.png")  # doctest: +SKIP
    """
    series = busiest_endpoints(result)
    by_endpoint = list(series.groupby("endpoint", sort=False, observed=True))
    with axes(ax) as ax:
        unit_s = time_axis(ax, result, end_of(series))
        ax.set_ylabel("waiting in the queue")
        ax.set_title("Queues and utilisation of endpoints over time")
        if series.empty:
            finish_time_axis(ax, result, unit_s)
            say_nothing(ax, "no endpoint was called")
            return ax
        right = right_axis(ax, "utilisation [%]")
        right.set_ylim(0, 105)
        strokes = look().strokes
        is_one = len(by_endpoint) == 1
        for at, (endpoint, rows) in enumerate(by_endpoint):
            # Several share the words for what each of them has.
            name = f"{endpoint}: " if is_one else "" if at == 0 else "_"
            stroke = strokes[at]
            # One endpoint has a colour for each of its two axes.
            busy = strokes[1 if is_one else at]
            draw_steps(
                ax, rows, "queue_mean", unit_s, color=stroke.colour, linestyle=stroke.dashes,
                linewidth=2, label=f"{endpoint}: mean queue (left)",
            )  # fmt: skip
            draw_steps(
                ax, rows, "queue_peak", unit_s, color=stroke.colour, linestyle=":",
                linewidth=1.1, label=f"{name}longest queue{'' if is_one else ', dotted'} (left)",
            )  # fmt: skip
            draw_steps(
                right, rows, "utilization", unit_s, factor=100.0, color=busy.colour,
                linestyle=busy.dashes, linewidth=_THIN,
                label=f"{name}utilisation{'' if is_one else ', thin'} (right)",
            )  # fmt: skip
        ax.set_ylim(0, max(1.08 * float(series["queue_peak"].max()), 1.0))
        finish_time_axis(ax, result, unit_s)
        legend_below(ax, right)
    return ax
