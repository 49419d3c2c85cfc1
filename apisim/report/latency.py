"""Latency by route: where the middle, the slow tenth and the slowest hundredth are."""

import math
import re
from typing import TYPE_CHECKING, Final

from apisim.report.style import axes, draw_grid, look, say_nothing
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
_MANY_DECADES: Final = 2.5
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
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    if low > 0:
        margin = (high / low) ** _MARGIN * 1.1
        low, high = low / margin, high * margin
        ax.set_xscale("log")
        ax.set_xlim(*_ticks_around(low, high))
        several = math.log10(high / low) > _MANY_DECADES
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if several else (1.0, 2.0, 5.0)))
    else:
        # A mock behind a gateway that takes no time answers at once; 0 has no logarithm.
        ax.set_xscale("symlog", linthresh=1.0)
        ax.set_xlim(-0.5, max(1.0, high) * 2)
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _ticks_around(low: float, high: float) -> tuple[float, float]:
    """Numbers of the series 1, 2, 5, 10, ... next to a range, outside it.

    Examples
    --------
    >>> _ticks_around(12.0, 430.0), _ticks_around(0.5, 0.7)
    ((10.0, 500.0), (0.5, 1.0))
    """
    first, last = math.floor(math.log10(low)), math.floor(math.log10(high))
    # Written out as decimals: 10.0**-3 * 5 is not 0.005.
    below = [float(f"{digit}e{first}") for digit in (1, 2, 5)]
    above = [float(f"{digit}e{last}") for digit in (1, 2, 5, 10)]
    return max(tick for tick in below if tick <= low), min(tick for tick in above if tick >= high)
