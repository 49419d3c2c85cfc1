"""Requests and refusals over time, stacked by who refused."""

from typing import TYPE_CHECKING, Final

from apisim.gateway.status import ANSWERS
from apisim.report.phases import mark_phases
from apisim.report.style import (
    FAINT,
    INK,
    JOINED,
    OUTCOMES,
    axes,
    draw_grid,
    say_nothing,
    time_scale,
)
from apisim.results.result import Result
from apisim.results.wording import share_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_requests", "requests_by_outcome"]

_SECOND_NS: Final = 1_000_000_000


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
    counts = result.frame("series").groupby("time_s", sort=True)[columns].sum()
    joined = {end: counts[names].sum(axis=1) for end, names in answers.items()}
    return pd.DataFrame(
        {end: column for end, column in joined.items() if column.any()}, index=counts.index
    )


def plot_requests(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw how many requests arrived over time, and who refused how many of them.

    Requests count when they arrive. The height of the stack is all traffic; what is refused lies on
    top of what is served. Dashed lines mark the beginnings of phases; the warm-up is pale.

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
        The numbers are those of ``result.frame("series")``, warm-up included, over all APIs.

    Examples
    --------
    >>> import apisim
    >>> result = apisim.run("scenarios/black-friday.yaml")  # doctest: +SKIP
    >>> apisim.plot_requests(result).figure.savefig("requests.png")  # doctest: +SKIP
    """
    import numpy as np
    from matplotlib.ticker import StrMethodFormatter

    counts = requests_by_outcome(result)
    period_s = result.series.period_ns / _SECOND_NS
    rates = counts / (period_s * result.run_info.replications)
    starts_s = counts.index.to_numpy(float)
    end_s = float(starts_s[-1] if len(starts_s) else 0) + period_s
    unit_s, unit = time_scale(end_s)
    edges = np.append(starts_s, end_s) / unit_s
    with axes(ax) as ax:
        ax.set_xlim(0, edges[-1])
        if warm_up_ns := result.scenario.warm_up:
            _veil(ax, warm_up_ns / _SECOND_NS / unit_s)
        below = np.zeros(len(counts))
        for end in counts:
            fill = OUTCOMES[str(end)]
            above = below + rates[end].to_numpy()
            share = share_text(float(counts[end].sum() / counts.to_numpy().sum()))
            ax.stairs(
                # A part without height would still be a thin line on paper.
                np.where(above > below, above, np.nan),
                edges,
                baseline=below,
                fill=True,
                facecolor=fill.colour,
                edgecolor=INK,  # of the hatching: there is no outline
                hatch=fill.hatch or None,
                linewidth=0,
                label=f"{fill.label}, {share}",
            )
            below = above
        ax.set_ylim(bottom=0)
        draw_grid(ax, "y")
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        ax.set_xlabel(f"simulated time [{unit}]")
        n_replications = result.run_info.replications
        mean = f", mean of {n_replications} replications" if n_replications > 1 else ""
        ax.set_ylabel(f"requests/s{mean}")
        mark_phases(ax, result, unit_s)
        ax.set_title("Requests over time, by who refused them")
        if counts.empty:
            say_nothing(ax)
        else:
            # The legend reads from top to bottom, as the stack does.
            ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), reverse=True)
    return ax


def _veil(ax: "Axes", end: float) -> None:
    """Make what is drawn from 0 to ``end`` pale."""
    ax.axvspan(
        0, end, facecolor="white", edgecolor=FAINT, linewidth=0.5, alpha=0.65, zorder=2.5,
        label="warm-up, not in the statistics",
    )  # fmt: skip
