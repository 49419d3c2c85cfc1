"""Token levels over time: how near each limit is to refusing."""

from typing import TYPE_CHECKING, Final

from apisim.report.style import axes, look, say_nothing
from apisim.report.subjects import draws
from apisim.report.time_axis import draw_steps, end_of, finish_time_axis, legend_below, time_axis
from apisim.results.result import Result
from apisim.results.wording import count_text, rate_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["levels_of_buckets", "plot_tokens"]

#: Buckets that are drawn.
_MAX_BUCKETS: Final = 6


def levels_of_buckets(result: Result) -> "pd.DataFrame":
    """What is drawn: the frame ``bucket_series`` of the six buckets that came nearest to empty.

    Returns
    -------
    pandas.DataFrame
        Columns of that frame, and ``share_left``: least tokens in the period as a share of the
        burst (NaN where the burst is 0). Buckets in the order of the hierarchy.
    """
    buckets = result.frame("bucket_series")
    if buckets.empty:
        return buckets.assign(share_left=[])
    burst = buckets["burst"].where(buckets["burst"] > 0)
    buckets = buckets.assign(share_left=buckets["tokens_min"].clip(upper=burst) / burst)
    least = (
        buckets.groupby(["level", "bucket"], sort=False, observed=True)["share_left"]
        .min()
        .fillna(0)
    )
    nearest = set(least.nsmallest(_MAX_BUCKETS).index)
    keys = zip(buckets["level"], buckets["bucket"], strict=True)
    return buckets.loc[[key in nearest for key in keys]].reset_index(drop=True)


@draws
def plot_tokens(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw how full the token buckets were over time: at 0 a bucket refuses.

    Parameters
    ----------
    result : Result
        Of :func:`apisim.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Simulated time on the x axis, the least number of whole tokens in each period and in any
        replication, in percent of the burst, on the y axis. The numbers are those of
        ``result.frame("bucket_series")``, of six buckets at most; those of usage plans are not
        among them.

    Examples
    --------
    >>> import apisim
    >>> result = apisim.run("scenarios/black-friday.yaml")  # doctest: +SKIP
    >>> apisim.plot_tokens(result).figure.savefig("tokens.png")  # doctest: +SKIP
    """
    levels = levels_of_buckets(result)
    with axes(ax) as ax:
        unit_s = time_axis(ax, result, end_of(levels))
        for stroke, ((level, bucket), rows) in zip(
            look().strokes,
            levels.groupby(["level", "bucket"], sort=False, observed=True),
            strict=False,
        ):
            last, refused = rows.iloc[-1], int(rows["refused"].sum())
            name = level if level == bucket else f"{level} {bucket}"
            draw_steps(
                ax, rows, "share_left", unit_s, factor=100.0,
                color=stroke.colour, linestyle=stroke.dashes, linewidth=1.7,
                label=f"{name}: {rate_text(last['rate_rps'])}, burst "
                f"{count_text(int(last['burst']))}; {count_text(refused)} refused",
            )  # fmt: skip
        ax.set_ylim(-2, 105)
        ax.set_ylabel("least tokens left [% of the burst]")
        ax.set_title("Token buckets over time")
        finish_time_axis(ax, result, unit_s)
        if levels.empty:
            say_nothing(ax, "no token buckets")
        else:
            legend_below(ax, ncols=1)
    return ax
