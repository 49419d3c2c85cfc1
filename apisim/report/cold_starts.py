"""Cold starts over time: when callers waited for an instance to start."""

from typing import TYPE_CHECKING, Final

import numpy as np

from apisim.report.style import HATCH, axes, look, say_nothing
from apisim.report.subjects import draws
from apisim.report.time_axis import end_of, finish_time_axis, time_axis
from apisim.results.result import Result
from apisim.results.wording import count_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["cold_starts_of_apis", "plot_cold_starts"]

#: APIs that are drawn, and the hatching of each.
_HATCHES: Final = ("", "////", "....", "xxxx")


def cold_starts_of_apis(result: Result) -> "pd.DataFrame":
    """What is drawn: requests whose integration met a cold start, of the frame ``series``.

    Returns
    -------
    pandas.DataFrame
        ``api``, ``time_s``, ``period_s`` and ``cold_starts`` (sum of replications), of the four
        APIs with most cold starts that have any.
    """
    rows = result.frame("series")[["api", "time_s", "period_s", "cold_starts"]]
    totals = rows.groupby("api", sort=False, observed=True)["cold_starts"].sum()
    most = totals[totals > 0].astype(float).nlargest(len(_HATCHES)).index
    return rows[rows["api"].isin(most)].reset_index(drop=True)


@draws
def plot_cold_starts(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw when requests had to wait for an instance of a function to start, stacked by API.

    Cold starts are those of integrations: those of authorizers are in ``function_series`` only.

    Parameters
    ----------
    result : Result
        Of :func:`apisim.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Simulated time on the x axis, requests with a cold start in each period (sum of the
        replications, by time of arrival) on the y axis. The numbers are those of
        ``result.frame("series")``, warm-up included, of four APIs at most.

    Examples
    --------
    >>> import apisim
    >>> result = apisim.run("scenarios/lambda-concurrency-wall.yaml")  # doctest: +SKIP
    >>> apisim.plot_cold_starts(result).figure.savefig("cold.png")  # doctest: +SKIP
    """
    series = cold_starts_of_apis(result)
    with axes(ax) as ax:
        unit_s = time_axis(ax, result, end_of(series))
        below = np.zeros(series["time_s"].nunique())
        for stroke, hatch, (api, rows) in zip(
            look().strokes, _HATCHES, series.groupby("api", sort=False, observed=True), strict=False
        ):
            above = below + rows["cold_starts"].to_numpy(float)
            edges = np.append(rows["time_s"].to_numpy(float), end_of(rows)) / unit_s
            ax.stairs(
                above, edges, baseline=below, fill=True, facecolor=stroke.colour, edgecolor=HATCH,
                hatch=hatch or None, linewidth=0,
                label=f"{api}, {count_text(int(rows['cold_starts'].sum()))}",
            )  # fmt: skip
            below = above
        ax.set_ylim(bottom=0)
        period_s = float(series["period_s"].iloc[0]) if len(series) else 1.0
        n_replications = result.run_info.replications
        of = f", sum of {n_replications} replications" if n_replications > 1 else ""
        ax.set_ylabel(f"cold starts in {period_s:g} s{of}")
        ax.set_title("Cold starts over time")
        finish_time_axis(ax, result, unit_s)
        if series.empty:
            say_nothing(ax, "no cold starts")
        else:
            ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), reverse=True)
    return ax
