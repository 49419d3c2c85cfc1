"""Latency over time: when the middle got slow, and when only the tail did."""

from typing import TYPE_CHECKING, Final

from apisim.report.log_axis import label_log_axis
from apisim.report.style import axes, look, say_nothing
from apisim.report.subjects import draws
from apisim.report.time_axis import draw_steps, end_of, finish_time_axis, time_axis
from apisim.results.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["latency_of_apis", "plot_latency_over_time"]

#: Column, label and width of each quantile: with one API each has a colour of its own.
_QUANTILES: Final = (
    ("latency_ms_p99", "p99", 1.1),
    ("latency_ms_p90", "p90", 1.6),
    ("latency_ms_p50", "p50", 2.2),
)
#: APIs that are drawn.
_MAX_APIS: Final = 4


def latency_of_apis(result: Result) -> "pd.DataFrame":
    """What is drawn: the frame ``latency_series`` of the four APIs with most requests.

    Returns
    -------
    pandas.DataFrame
        With the columns of ``latency_series``; APIs in the order of the scenario.
    """
    series = result.frame("latency_series")
    requests = series.groupby("api", sort=False, observed=True)["requests"].sum()
    busiest = requests[requests > 0].astype(float).nlargest(_MAX_APIS).index
    return series[series["api"].isin(busiest)].reset_index(drop=True)


@draws
def plot_latency_over_time(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw the median, the 90th and the 99th percentile of the latency over time.

    Parameters
    ----------
    result : Result
        Of :func:`apisim.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Simulated time on the x axis, latency at the client in milliseconds on a logarithmic y axis,
        refusals and the warm-up included, by when requests arrived, of all replications together.
        The numbers are those of ``result.frame("latency_series")``, of four APIs at most.

    Examples
    --------
    >>> import apisim
    >>> result = apisim.run("scenarios/slow-database.yaml")  # doctest: +SKIP
    >>> apisim.plot_latency_over_time(result).figure.savefig("latency.png")  # doctest: +SKIP
    """
    from matplotlib.ticker import NullFormatter, StrMethodFormatter

    series = latency_of_apis(result)
    by_api = list(series.groupby("api", sort=False, observed=True))
    with axes(ax) as ax:
        unit_s = time_axis(ax, result, end_of(series))
        strokes = look().strokes
        for at, (api, rows) in enumerate(by_api):
            for number, (column, quantile, width) in enumerate(_QUANTILES):
                # One API: a look for each quantile. Several: one for each API, quantiles by width.
                stroke = strokes[at if len(by_api) > 1 else number]
                draw_steps(
                    ax, rows, column, unit_s,
                    color=stroke.colour, linestyle=stroke.dashes, linewidth=width,
                    label=f"{api} {quantile}" if len(by_api) > 1 else quantile,
                )  # fmt: skip
        ax.set_ylabel("latency at the client [ms]")
        ax.set_title("Latency over time")
        finish_time_axis(ax, result, unit_s)
        if series.empty:
            say_nothing(ax)
            return ax
        if (series["latency_ms_p50"].dropna() > 0).all():
            ax.set_yscale("log")
            label_log_axis(ax.yaxis, *ax.get_ylim())
        else:  # a refusal by a gateway that takes no time: 0 has no logarithm
            ax.set_yscale("symlog", linthresh=1.0)
            ax.set_ylim(bottom=0)
            ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
            ax.yaxis.set_minor_formatter(NullFormatter())
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax
