"""Latency by route: where the middle, the slow tenth and the slowest hundredth are."""

from typing import TYPE_CHECKING, Final

from apisim.report.style import FAINT, INK, LINE, axes
from apisim.results.result import Result
from apisim.results.wording import time_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_latency_by_route", "quantiles_by_route"]

#: Column of the frame, label and marker of each quantile; readable without colour.
_QUANTILES: Final = (
    ("latency_ms_p50", "p50", "o"),
    ("latency_ms_p90", "p90", "D"),
    ("latency_ms_p99", "p99", ">"),
)
_ROW_INCHES: Final = 0.5
_MAX_INCHES: Final = 40.0


def quantiles_by_route(result: Result) -> "pd.DataFrame":
    """What is drawn: the latencies of the frame ``routes``, by name of the route.

    Returns
    -------
    pandas.DataFrame
        One row for each route that was called, with ``name`` and three quantiles [ms].
    """
    routes = result.frame("routes")
    routes = routes[routes["requests"] > 0]
    names = routes["route"].where(routes["route"] != "", "(no route)")
    if len(result.scenario.apis) > 1:
        names = routes["api"] + " " + names
    columns = [column for column, _, _ in _QUANTILES]
    return routes[columns].assign(name=names).reset_index(drop=True)


def plot_latency_by_route(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw the latency at the client by route: median, 90th and 99th percentile.

    Parameters
    ----------
    result : Result
        Of :func:`apisim.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        With latency in milliseconds on a logarithmic x axis and one row for each route that was
        called. Refusals are included, the warm-up is not. The numbers are those of
        ``result.frame("routes")``.

    Examples
    --------
    >>> apisim.plot_latency_by_route(result).figure.savefig("latency.png")  # doctest: +SKIP
    """
    routes = quantiles_by_route(result)
    rows = range(len(routes))
    height = min(1.4 + _ROW_INCHES * len(routes), _MAX_INCHES)
    low, middle, high = (routes[column] for column, _, _ in _QUANTILES)
    with axes(ax, height=height) as ax:
        ax.hlines(rows, low, high, color=LINE, linewidth=1.2)
        ax.hlines(rows, low, middle, color=LINE, linewidth=4, alpha=0.45)
        for column, label, marker in _QUANTILES:
            ax.plot(
                routes[column],
                rows,
                linestyle="none",
                marker=marker,
                markersize=6,
                color=LINE,
                markeredgecolor="white",
                label=label,
            )
            for row, value in zip(rows, routes[column], strict=True):
                ax.annotate(
                    time_text(value), (value, row), (0, 6), textcoords="offset points",
                    ha="center", fontsize=7.5, color=INK,
                )  # fmt: skip
        if not len(routes):
            ax.text(0.5, 0.5, "no requests", transform=ax.transAxes, ha="center", va="center")
        ax.set_yticks(list(rows), list(routes["name"]))
        ax.set_ylim(len(routes) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color=FAINT, alpha=0.3)
        _set_scale(ax, low, high)
        ax.set_xlabel("latency at the client, refusals included [ms]")
        ax.set_title("Latency by route", pad=8)
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def _set_scale(ax: "Axes", low: "pd.Series[float]", high: "pd.Series[float]") -> None:
    ax.set_xscale("log")
