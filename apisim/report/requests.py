"""Requests and refusals over time, stacked by who refused."""

from typing import TYPE_CHECKING, Final

from apisim.gateway.status import ANSWERS
from apisim.report.phases import mark_phases, title_pad
from apisim.report.style import INK, OUTCOMES, axes, time_scale
from apisim.results.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_requests", "rates_by_outcome"]

_SECOND_NS: Final = 1_000_000_000
_WARM_UP: Final = "warm-up (pale)"


def rates_by_outcome(result: Result) -> "pd.DataFrame":
    """What is drawn: the frame ``series`` over all APIs, its answers joined by who refused.

    Returns
    -------
    pandas.DataFrame
        Index ``time_s``: start of each period [s]. One column for each way of faring that occurred,
        in the order of the stack: arrivals a second, mean of the replications [1/s].
    """
    import pandas as pd

    series = result.frame("series")
    periods = series.groupby("time_s", sort=True)
    length_s = periods["period_s"].first() * result.run_info.replications
    answers: dict[str, list[str]] = {fate: [] for fate in OUTCOMES}
    for answer, facts in ANSWERS.items():
        answers[facts.refused_by or facts.outcome].append(answer.name.lower())
    counts = periods[[name for names in answers.values() for name in names]].sum()
    return pd.DataFrame(
        {
            fate: counts[names].sum(axis=1) / length_s
            for fate, names in answers.items()
            if counts[names].to_numpy().any()
        },
        index=counts.index,
    )


def plot_requests(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw how many requests arrived over time and who refused how many of them.

    Requests count when they arrive. The height of the stack is all traffic; what is refused lies on
    top of what is served. Dashed lines are the beginnings of phases; the warm-up is pale.

    Parameters
    ----------
    result : Result
        Of :func:`apisim.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        With simulated time on the x axis and requests a second (mean of the replications) on the
        y axis. The numbers are those of ``result.frame("series")``.

    Examples
    --------
    >>> apisim.plot_requests(result).figure.savefig("requests.png")  # doctest: +SKIP
    """
    import numpy as np

    rates = rates_by_outcome(result)
    period_s = result.series.period_ns / _SECOND_NS
    starts_s = rates.index.to_numpy(float)
    end_s = float(starts_s[-1]) + period_s if len(starts_s) else period_s
    unit_s, unit = time_scale(end_s)
    edges = np.append(starts_s, end_s) / unit_s
    with axes(ax) as ax:
        below = np.zeros(len(rates))
        for fate in rates:
            fill = OUTCOMES[str(fate)]
            above = below + rates[fate].to_numpy()
            ax.stairs(
                above,
                edges,
                baseline=below,
                fill=True,
                facecolor=fill.colour,
                edgecolor=INK,
                hatch=fill.hatch or None,
                linewidth=0,
                label=fill.label,
            )
            below = above
        if not len(rates):
            ax.text(0.5, 0.5, "no requests", transform=ax.transAxes, ha="center", va="center")
        ax.set_xlim(0, edges[-1])
        ax.set_ylim(bottom=0)
        if warm_up_ns := result.scenario.warm_up:
            warm_up = warm_up_ns / _SECOND_NS / unit_s
            ax.axvspan(0, warm_up, facecolor="white", alpha=0.6, linewidth=0, label=_WARM_UP)
        ax.grid(axis="y")
        ax.set_xlabel(f"simulated time [{unit}]")
        replications = result.run_info.replications
        mean = f", mean of {replications} replications" if replications > 1 else ""
        ax.set_ylabel(f"requests/s{mean}")
        n_lines = mark_phases(ax, result, unit_s)
        ax.set_title("Requests over time, by who refused them", pad=title_pad(n_lines))
        # The legend reads from top to bottom, as the stack does.
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), reverse=True)
    return ax
