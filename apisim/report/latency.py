"""Latency by route: where the middle, the slow tenth and the slowest hundredth are."""

import re
from typing import TYPE_CHECKING, Final

from apisim.report.log_axis import is_within_a_decade, label_log_axis, ticks_around
from apisim.report.style import axes, draw_grid, look, say_nothing
from apisim.report.subjects import draws
from apisim.results.result import Result
from apisim.results.wording import time_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_latency_by_route", "quantiles_by_route"]

#: Column of the frame, label and marker of each quantile: told apart without colour.
_QUANTILES: Final = (
    ("latency_ms_p50", "p50", "o"),
    ("latency_ms_p90", "p90", "D"),
    ("latency_ms_p99", "p99", ">"),
)
#: Where the values stand: offset from the marker [points], alignment. They never meet.
_PLACES: Final = {"p50": (-7, 0, "right"), "p90": (0, 8, "center"), "p99": (7, 0, "left")}

_HEAD_INCHES: Final = 1.3
_ROW_INCHES: Final = 0.48
_MAX_INCHES: Final = 40.0
#: Room for values at either side of the ranges, in parts of their width.
_MARGIN: Final = 0.11
#: Letters of a route's name in one line.
_LINE_LETTERS: Final = 36


def quantiles_by_route(result: Result) -> "pd.DataFrame":
    """What is drawn: three quantiles of the frame ``routes``.

    Returns
    -------
    pandas.DataFrame
        One row for each route that was called, in the order of the scenario: ``name`` and the
        quantiles' columns [ms].
    """
    routes = result.frame("routes")
    routes = routes[routes["requests"] > 0]
    route, api = (routes[column].astype(str) for column in ("route", "api"))
    names = route.where(route != "", "(no route)")
    if len(result.scenario.apis) > 1:
        names = api + " " + names
    columns = [column for column, _, _ in _QUANTILES]
    return routes[columns].assign(name=names).reset_index(drop=True)


@draws
def plot_latency_by_route(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw the latency at the client by route: median, 90th and 99th percentile.

    Parameters
    ----------
    result : Result
        Of :func:`apisim.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default. One with ``layout="constrained"`` has room for the
        legend beside the axes.

    Returns
    -------
    matplotlib.axes.Axes
        Latency in milliseconds on a logarithmic x axis, one row for each route that was called.
        Refusals are included, the warm-up is not. The numbers are those of
        ``result.frame("routes")``.

    Examples
    --------
    >>> import apisim
    >>> result = apisim.run("scenarios/black-friday.yaml")  # doctest: +SKIP
    >>> apisim.plot_latency_by_route(result).figure.savefig("latency.png")  # doctest: +SKIP
    """
    routes = quantiles_by_route(result)
    rows = list(range(len(routes)))
    p50, p90, p99 = (routes[column] for column, _, _ in _QUANTILES)
    with axes(ax, height=min(_HEAD_INCHES + _ROW_INCHES * len(rows), _MAX_INCHES)) as ax:
        now = look()
        ax.hlines(rows, p50, p99, color=now.line, linewidth=1.2)
        ax.hlines(rows, p50, p90, color=now.line, linewidth=4, alpha=0.45)
        for column, label, marker in _QUANTILES:
            values = routes[column]
            ax.plot(
                values,
                rows,
                linestyle="none",
                marker=marker,
                markersize=6.5,
                color=now.line,
                markeredgecolor=now.paper,
                label=label,
            )
            right, up, side = _PLACES[label]
            for row, value in zip(rows, values, strict=True):
                ax.annotate(
                    time_text(value), (value, row), (right, up), textcoords="offset points",
                    ha=side, va="center", fontsize=8, color=now.ink,
                )  # fmt: skip
        ax.set_yticks(rows, [_in_lines(name) for name in routes["name"]])
        ax.set_ylim(max(len(rows), 1) - 0.5, -0.6)
        ax.tick_params(axis="y", length=0)
        draw_grid(ax, "x")
        ax.set_xlabel("latency at the client, refusals included [ms]")
        ax.set_title("Latency by route")
        if routes.empty:
            say_nothing(ax)
        else:
            _scale(ax, float(p50.min()), float(p99.max()))
            ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def _in_lines(name: str) -> str:
    """A route's name in lines that leave room for what is drawn, broken before a slash.

    Examples
    --------
    >>> _in_lines("GET /items/{id}")
    'GET /items/{id}'
    >>> print(_in_lines("GET /organisations/{organisation}/departments/{department}"))
    GET /organisations/{organisation}
    /departments/{department}
    """
    lines = [""]
    for part in re.split(r"(?=/)", name):
        if lines[-1] and len(lines[-1] + part) > _LINE_LETTERS:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _scale(ax: "Axes", low: float, high: float) -> None:
    """Logarithmic x axis from below ``low`` to above ``high`` [ms], with numbers people read."""
    from matplotlib.ticker import NullFormatter, StrMethodFormatter

    if low > 0:
        margin = (high / low) ** _MARGIN * 1.1
        low, high = low / margin, high * margin
        ax.set_xscale("log")
        is_short = is_within_a_decade(low, high)
        ax.set_xlim((low, high) if is_short else ticks_around(low, high))
        label_log_axis(ax.xaxis, low, high)
        return
    # A mock behind a gateway that takes no time answers at once; 0 has no logarithm.
    ax.set_xscale("symlog", linthresh=1.0)
    ax.set_xlim(-0.5, max(1.0, high) * 2)
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
