"""Requests and refusals over time, stacked by who refused."""

from typing import TYPE_CHECKING, Final

from apisim.gateway.status import ANSWERS
from apisim.report.style import HATCH, JOINED, OUTCOMES, axes, fill_of, look, say_nothing
from apisim.report.subjects import draws
from apisim.report.time_axis import finish_time_axis, time_axis
from apisim.results.result import Result
from apisim.results.wording import rate_text, share_text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["limits_that_bind", "plot_requests", "requests_by_outcome"]

#: Part of the time axis that is narrower than a line.
_NEEDLE: Final = 0.005
#: So many times what is usual hides it.
_MANY_TIMES: Final = 4.0
_SECOND_NS: Final = 1_000_000_000
#: Limits that are drawn: more lines than these nobody reads.
_MAX_LIMITS: Final = 4
#: Dashes of the limits of each level.
_LIMITS: Final = {
    "account": (0, (8, 2)), "stage": (0, (6, 1.5, 1, 1.5)), "method": (0, (2, 1.5)),
}  # fmt: skip


def requests_by_outcome(result: Result) -> "pd.DataFrame":
    """What is drawn: the frame ``series`` over all APIs, its answers joined by who refused.

    Returns
    -------
    pandas.DataFrame
        Index ``time_s``: start of each period [s]. One column of counts, summed over replications,
        for each way to end that occurred, named and ordered as in ``style.OUTCOMES``.
    """
    import pandas as pd

    answers: dict[str, list[str]] = {end: [] for end in OUTCOMES}
    for answer, facts in ANSWERS.items():
        end = facts.refused_by or facts.outcome
        answers[JOINED.get(end, end)].append(answer.name.lower())
    columns = [name for names in answers.values() for name in names]
    counts = result.frame("series").groupby("time_s", sort=True, observed=True)[columns].sum()
    joined = {end: counts[names].sum(axis=1) for end, names in answers.items()}
    return pd.DataFrame(
        {end: column for end, column in joined.items() if column.any()}, index=counts.index
    )


def limits_that_bind(result: Result) -> "pd.DataFrame":
    """Limits that are drawn: those of the account, of stages and of methods that refused anything.

    Returns
    -------
    pandas.DataFrame
        Rows of the frame ``throttles``, four at most, those that refused most first.
    """
    buckets = result.frame("throttles")
    binds = buckets["level"].isin(list(_LIMITS)) & (buckets["refused"] > 0)
    most = buckets[binds].sort_values("refused", ascending=False, kind="stable")
    return most[:_MAX_LIMITS].reset_index(drop=True)


@draws
def plot_requests(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw how many requests arrived over time, and who refused how many of them.

    Requests count when they arrive. The height of the stack is all traffic; what is refused lies on
    top of what is served. Level lines are the rates of limits that refused: the account's is for
    all traffic, a stage's or a method's for its own part of it. Dashed lines mark the beginnings of
    phases; the warm-up is pale.

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
        Simulated time on the x axis, requests a second (mean of the replications) on the y axis.
        Where a few periods, too short to be seen, are many times as high as all others, the y axis
        ends below them and says how high they are. The numbers are those of
        ``result.frame("series")``, warm-up included, over all APIs, and
        of ``result.frame("throttles")``: rates are those at the end of the traffic.

    Examples
    --------
    >>> import apisim
    >>> result = apisim.run("scenarios/black-friday.yaml")  # doctest: +SKIP
    >>> apisim.plot_requests(result).figure.savefig("requests.png")  # doctest: +SKIP
    """
    import numpy as np

    counts = requests_by_outcome(result)
    period_s = result.series.period_ns / _SECOND_NS
    rates = counts / (period_s * result.run_info.replications)
    starts_s = counts.index.to_numpy(float)
    end_s = float(starts_s[-1] if len(starts_s) else 0) + period_s
    with axes(ax) as ax:
        unit_s = time_axis(ax, result, end_s)
        edges = np.append(starts_s, end_s) / unit_s
        below = np.zeros(len(counts))
        for end in counts:
            fill = fill_of(str(end))
            above = below + rates[end].to_numpy()
            share = share_text(float(counts[end].sum() / counts.to_numpy().sum()))
            ax.stairs(
                # A part without height would still be a thin line on paper.
                np.where(above > below, above, np.nan),
                edges,
                baseline=below,
                fill=True,
                facecolor=fill.colour,
                edgecolor=HATCH,  # of the hatching: there is no outline
                hatch=fill.hatch or None,
                linewidth=0,
                label=f"{fill.label}, {share}",
            )
            below = above
        limits = limits_that_bind(result)
        _draw_limits(ax, limits)
        ax.set_ylim(bottom=0)
        _cut_needles(ax, rates.sum(axis=1), edges[:-1], float(limits["rate_rps"].max() or 0))
        n_replications = result.run_info.replications
        mean = f", mean of {n_replications} replications" if n_replications > 1 else ""
        ax.set_ylabel(f"requests/s{mean}")
        finish_time_axis(ax, result, unit_s)
        ax.set_title("Requests over time, by who refused them")
        if counts.empty:
            say_nothing(ax)
        else:
            # The legend reads from top to bottom, as the stack does.
            ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), reverse=True)
    return ax


def _cut_needles(ax: "Axes", heights: "pd.Series", starts: "np.ndarray", limit_rps: float) -> None:
    """End the y axis below periods that are too few to be seen, and high enough to hide the rest.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    heights : pandas.Series
        Requests of each period [1/s].
    starts : float64[n_periods]
        Where each begins on the x axis.
    limit_rps : float
        Highest limit that is drawn [1/s]; NaN or 0 for none.
    """
    if heights.empty:
        return
    usual, highest = float(heights.quantile(1 - _NEEDLE)), float(heights.max())
    if not 0 < _MANY_TIMES * usual < highest:
        return
    at = float(starts[int(heights.to_numpy().argmax())])
    ax.set_ylim(0, 1.1 * max(1.4 * usual, limit_rps if limit_rps == limit_rps else 0.0))
    is_right = at > sum(ax.get_xlim()) / 2
    ax.annotate(
        f"up to {rate_text(highest)} here", (at, 1.0), (-4 if is_right else 4, -3),
        xycoords=("data", "axes fraction"), textcoords="offset points", va="top",
        ha="right" if is_right else "left", fontsize=8.5,
    )  # fmt: skip


def _draw_limits(ax: "Axes", limits: "pd.DataFrame") -> None:
    """A level line for the rate of each limit, seen on any fill for its edges."""
    from matplotlib.patheffects import withStroke

    edges = [withStroke(linewidth=3, foreground=look().paper)]
    for level, limit, rate_rps in zip(
        limits["level"], limits["limits"], limits["rate_rps"], strict=True
    ):
        of = "" if level == limit else f" of {limit}"
        ax.hlines(
            rate_rps, *ax.get_xlim(), color=look().ink, linewidth=1.3, linestyle=_LIMITS[level],
            path_effects=edges,
            label=f"{level} limit{of}, {rate_text(rate_rps)}",
        )  # fmt: skip
