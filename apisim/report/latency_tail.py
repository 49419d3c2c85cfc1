"""The tail of the latencies by route: which share of requests takes longer than what."""

from typing import TYPE_CHECKING, Final

import numpy as np

from apisim.report.log_axis import label_log_axis
from apisim.report.style import axes, draw_grid, look, say_nothing
from apisim.report.subjects import draws
from apisim.results.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_latency_ccdf", "tails_of_routes"]

#: Routes that are drawn.
_MAX_ROUTES: Final = 6
#: Where the axis ends if no request takes longer than another [%].
_FLOOR: Final = 7.0


def tails_of_routes(result: Result) -> "pd.DataFrame":
    """What is drawn: the frame ``latency_distribution`` of the six routes with most requests.

    Returns
    -------
    pandas.DataFrame
        ``name`` of the route (with that of its API where there are several), ``latency_ms`` and
        ``share_above``; routes in the order of the scenario.
    """
    routes = result.frame("routes")
    busiest = routes[routes["requests"] > 0].nlargest(_MAX_ROUTES, "requests")
    keys = set(zip(busiest["api"], busiest["route"], strict=True))
    tails = result.frame("latency_distribution")
    chosen = [key in keys for key in zip(tails["api"], tails["route"], strict=True)]
    tails = tails.loc[np.array(chosen, bool)]  # of no rows a plain list would choose columns
    route, api = (tails[column].astype(str) for column in ("route", "api"))
    names = route.where(route != "", "(no route)")
    if len(result.scenario.apis) > 1:
        names = api + " " + names
    return tails[["latency_ms", "share_above"]].assign(name=names).reset_index(drop=True)


@draws
def plot_latency_ccdf(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw which share of the requests of each route takes longer than what.

    Parameters
    ----------
    result : Result
        Of :func:`apisim.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The complementary distribution function: latency at the client in milliseconds on the x
        axis, share of requests that take longer in percent on the y axis, both logarithmic. Where
        a line crosses 1 % is the 99th percentile. Refusals are included, the warm-up is not. The
        numbers are those of ``result.frame("latency_distribution")``, of six routes at most.

    Examples
    --------
    >>> import apisim
    >>> result = apisim.run("scenarios/black-friday.yaml")  # doctest: +SKIP
    >>> apisim.plot_latency_ccdf(result).figure.savefig("tail.png")  # doctest: +SKIP
    """
    tails = tails_of_routes(result)
    # What takes no time, and the last step down to nothing, lie at infinity.
    some = tails.loc[tails["latency_ms"] > 0, "latency_ms"]
    left = 0.8 * some.min() if len(some) else 0.0
    with axes(ax) as ax:
        for stroke, (name, rows) in zip(
            look().strokes, tails.groupby("name", sort=False, observed=True), strict=False
        ):
            x, y = rows["latency_ms"].to_numpy(), 100 * rows["share_above"].to_numpy()
            if not y.any():  # all take the same time: nothing but the fall to nothing is left
                x, y = np.array([min(left, x[-1]), x[-1]]), np.array([100.0, 0.0])
            ax.plot(
                x, y, drawstyle="steps-post",
                color=stroke.colour, linestyle=stroke.dashes, linewidth=1.7, label=str(name),
            )  # fmt: skip
        ax.set_xlabel("latency at the client, refusals included [ms]")
        ax.set_ylabel("requests that take longer [%]")
        ax.set_title("Tail of the latencies by route")
        draw_grid(ax, "x")
        draw_grid(ax, "y")
        if tails.empty:
            say_nothing(ax)
            return ax
        if len(some):
            ax.set_xscale("log", nonpositive="clip")
            ax.set_xlim(left, 1.25 * some.max())
            label_log_axis(ax.xaxis, *ax.get_xlim())
        least = tails.loc[tails["share_above"] > 0, "share_above"]
        ax.set_yscale("log", nonpositive="clip")
        ax.set_ylim(70 * least.min() if len(least) else _FLOOR, 115)
        label_log_axis(ax.yaxis, *ax.get_ylim())
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax
