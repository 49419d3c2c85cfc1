"""Calls of authorizers over time: what the authorizer cache leaves of the requests."""

from typing import TYPE_CHECKING, Final

from apisim.report.style import axes, look, say_nothing
from apisim.report.subjects import draws
from apisim.report.time_axis import draw_steps, end_of, finish_time_axis, time_axis
from apisim.results.result import Result
from apisim.results.wording import share_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["authorizer_calls", "plot_authorizers"]

#: APIs that are drawn.
_MAX_APIS: Final = 4


def authorizer_calls(result: Result) -> "pd.DataFrame":
    """What is drawn: calls of authorizers, of the frame ``series``.

    Returns
    -------
    pandas.DataFrame
        ``api``, ``time_s``, ``period_s``, ``requests``, ``calls`` (sums of replications) and
        ``calls_rps`` (mean of a replication), of the four APIs with most calls that have any.
    """
    series = result.frame("series")
    calls = series["authorizer_calls"].astype(float)
    rates = calls / series["period_s"] / result.run_info.replications
    rows = series[["api", "time_s", "period_s", "requests"]].assign(
        calls=series["authorizer_calls"], calls_rps=rates
    )
    totals = rows.groupby("api", sort=False, observed=True)["calls"].sum()
    most = totals[totals > 0].astype(float).nlargest(_MAX_APIS).index
    return rows[rows["api"].isin(most)].reset_index(drop=True)


@draws
def plot_authorizers(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw how often authorizers were called over time: what their caches did not answer.

    Parameters
    ----------
    result : Result
        Of :func:`apisim.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Simulated time on the x axis, calls a second (mean of the replications) on the y axis, by
        API. The numbers are those of ``result.frame("series")``, warm-up included, of four APIs at
        most; a call counts when its request arrived.

    Examples
    --------
    >>> import apisim
    >>> result = apisim.run("scenarios/authorizer-ttl.yaml")  # doctest: +SKIP
    >>> apisim.plot_authorizers(result).figure.savefig("authorizers.png")  # doctest: +SKIP
    """
    series = authorizer_calls(result)
    with axes(ax) as ax:
        unit_s = time_axis(ax, result, end_of(series))
        for stroke, (api, rows) in zip(
            look().strokes, series.groupby("api", sort=False, observed=True), strict=False
        ):
            share = share_text(float(rows["calls"].sum() / rows["requests"].sum()))
            draw_steps(
                ax, rows, "calls_rps", unit_s, color=stroke.colour, linestyle=stroke.dashes,
                linewidth=1.7, label=f"{api}, for {share} of requests",
            )  # fmt: skip
        ax.set_ylim(bottom=0)
        n_replications = result.run_info.replications
        mean = f", mean of {n_replications} replications" if n_replications > 1 else ""
        ax.set_ylabel(f"calls/s{mean}")
        ax.set_title("Calls of authorizers over time")
        finish_time_axis(ax, result, unit_s)
        if series.empty:
            say_nothing(ax, "no authorizer was called")
        else:
            ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax
