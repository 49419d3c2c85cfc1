"""Concurrency of functions over time, and their cold starts."""

from typing import TYPE_CHECKING, Final

from apisim.report.style import axes, look, say_nothing
from apisim.report.subjects import draws
from apisim.report.time_axis import draw_steps, end_of, finish_time_axis, runs_of, time_axis
from apisim.results.result import Result
from apisim.results.wording import count_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["busiest_functions", "plot_concurrency"]

#: Functions that are drawn.
_MAX_FUNCTIONS: Final = 4
#: A limit is drawn if it is at most so many times the highest peak: others would flatten all else.
_NEAR: Final = 3.0


#: Levels, starts and ends of limits, and the functions that have them.
_Limits = dict[tuple[tuple[float, ...], ...], list[str]]


def busiest_functions(result: Result) -> "pd.DataFrame":
    """What is drawn: the frame ``function_series`` of the four functions with the highest peaks.

    Returns
    -------
    pandas.DataFrame
        With the columns of ``function_series``; functions in the order of the scenario. Those that
        were never invoked are left out.
    """
    series = result.frame("function_series")
    by_function = series.groupby("function", sort=False, observed=True)
    asked = by_function["invocations"].sum() + by_function["throttles"].sum()
    busiest = (
        by_function["concurrency_peak"].max()[asked > 0].astype(float).nlargest(_MAX_FUNCTIONS)
    )
    return series[series["function"].isin(busiest.index)].reset_index(drop=True)


@draws
def plot_concurrency(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw how many instances of each function were busy, with their limits and cold starts.

    Parameters
    ----------
    result : Result
        Of :func:`apisim.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Simulated time on the x axis, concurrent executions on the y axis: the mean of each period
        as a strong line, the peak (in any replication) as a thin one, on it a triangle where there
        were cold starts. Limits are level lines where they are within three times the peak. The
        numbers are those of ``result.frame("function_series")``, of four functions at most.

    Examples
    --------
    >>> import apisim
    >>> result = apisim.run("scenarios/lambda-concurrency-wall.yaml")  # doctest: +SKIP
    >>> apisim.plot_concurrency(result).figure.savefig("concurrency.png")  # doctest: +SKIP
    """
    series = busiest_functions(result)
    highest = float(series["concurrency_peak"].max()) if len(series) else 0.0
    with axes(ax) as ax:
        unit_s = time_axis(ax, result, end_of(series))
        limits: _Limits = {}  # functions with the same limit share a line
        for stroke, (function, rows) in zip(
            look().strokes, series.groupby("function", sort=False, observed=True), strict=False
        ):
            looks = {"color": stroke.colour, "linestyle": stroke.dashes}
            draw_steps(ax, rows, "concurrency_mean", unit_s, linewidth=2, label=f"{function}, mean",
                       **looks)  # fmt: skip
            draw_steps(ax, rows, "concurrency_peak", unit_s, linewidth=0.8, alpha=0.75,
                       label=f"{function}, peak", **looks)  # fmt: skip
            cold = rows[rows["cold_starts"] > 0]
            if len(cold):
                ax.plot(
                    (cold["time_s"] + cold["period_s"] / 2) / unit_s, cold["concurrency_peak"],
                    linestyle="none", marker=stroke.marker, markersize=4.5, color=stroke.colour,
                    markeredgecolor=look().paper, markeredgewidth=0.5,
                    label=f"{function}, {count_text(int(cold['cold_starts'].sum()))} cold starts",
                )  # fmt: skip
            near = rows[rows["limit"].astype(float) <= _NEAR * highest]
            limits.setdefault(tuple(map(tuple, runs_of(near, "limit"))), []).append(str(function))
        for stroke, ((levels, starts, ends), names) in zip(
            look().strokes, limits.items(), strict=False
        ):
            if levels:
                ax.hlines(
                    levels, [at / unit_s for at in starts], [at / unit_s for at in ends],
                    color=look().ink, linewidth=1.2, linestyle=stroke.dashes,
                    label=_limit_of(names, limits),
                )  # fmt: skip
        ax.set_ylim(bottom=0)
        ax.set_ylabel("concurrent executions")
        ax.set_title("Concurrency of functions over time")
        finish_time_axis(ax, result, unit_s)
        if series.empty:
            say_nothing(ax, "no function was invoked")
        else:
            ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def _limit_of(names: list[str], limits: _Limits) -> str:
    if len(names) == 1:
        return f"{names[0]}, limit"
    return "limit of each" if len(limits) == 1 else f"limit of each: {', '.join(names)}"
