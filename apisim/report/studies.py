"""Studies as figures: a measure over what was varied, and differences with their intervals."""

from typing import TYPE_CHECKING, Final

import numpy as np

from apisim.report.measures import scale_of
from apisim.report.style import axes, draw_grid, look
from apisim.report.subjects import draws
from apisim.report.time_axis import legend_below
from apisim.studies import Comparison, Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_comparison", "plot_sweep"]

_ROW_INCHES: Final = 0.45


@draws
def plot_sweep(sweep: Sweep, measure: str = "latency p(99)", ax: "Axes | None" = None) -> "Axes":
    """Draw a measure over what was varied first, with 95 % bands; a line for each other value.

    Points that are no grid are drawn one by one; of a design for Sobol indices these are drawn, as
    bars with their intervals.

    Parameters
    ----------
    sweep : Sweep
        Of :func:`apisim.sweep`; what is drawn is ``sweep.lines(measure)`` or ``sweep.indices()``.
    measure : str
        A column of its frame.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ValueError
        If there is no such measure.
    """
    if sweep.design == "saltelli":
        return _plot_indices(sweep, measure, ax)
    lines = sweep.lines(measure)
    factor, label = scale_of(measure)
    with axes(ax) as drawn:
        draw_grid(drawn, "y")
        strokes = look().strokes
        for number, (name, line) in enumerate(lines.groupby("line", sort=False)):
            colour, dashes, marker = strokes[number % len(strokes)]
            x = line["x"]
            if sweep.design in ("lhs", "sobol"):
                drawn.plot(x, line["mean"] * factor, "o", color=look().line)
                continue
            drawn.plot(
                x, line["mean"] * factor, linestyle=dashes, marker=marker, color=colour,
                label=str(name),
            )  # fmt: skip
            drawn.fill_between(
                x, line["low"] * factor, line["high"] * factor, color=colour, alpha=0.18,
                linewidth=0,
            )  # fmt: skip
        drawn.set_xlabel(sweep.paths[0])
        drawn.set_ylabel(label)
        if lines["line"].nunique() > 1:
            legend_below(drawn)
        drawn.set_title(f"{measure} over {sweep.paths[0]}")
    return drawn


def _plot_indices(sweep: Sweep, measure: str, ax: "Axes | None") -> "Axes":
    rows = [row for row in sweep.indices() if row["measure"] == measure]
    if not rows:
        raise ValueError(f"no indices of {measure!r}: no such measure, or it does not vary")
    with axes(ax, height=1.4 + 2 * _ROW_INCHES * len(rows)) as drawn:
        draw_grid(drawn, "x")
        places = np.arange(len(rows))[::-1]
        # Hatched as well: the two hues are alike on a grey print.
        for which, shift, colour, hatch, words in (
            ("first", 0.2, look().strokes[0].colour, "", "by itself"),
            ("total", -0.2, look().strokes[1].colour, "////", "in all"),
        ):  # fmt: skip
            drawn.barh(
                places + shift, [row[which] for row in rows], 0.36, color=colour, label=words,
                hatch=hatch, edgecolor=look().paper, linewidth=0,
            )  # fmt: skip
            drawn.hlines(
                places + shift, [row[f"{which}_low"] for row in rows],
                [row[f"{which}_high"] for row in rows], color=look().ink, linewidth=1.4,
            )  # fmt: skip
        drawn.set_yticks(places, [row["path"] for row in rows])
        drawn.set_xlabel(f"share of the variance of {measure}")
        legend_below(drawn)
        drawn.set_title("Sobol indices, 95% intervals")
    return drawn


@draws
def plot_comparison(comparison: Comparison, ax: "Axes | None" = None) -> "Axes":
    """Draw each difference with its 95 % interval, as a part of the first scenario's value.

    Parameters
    ----------
    comparison : Comparison
        Of :func:`apisim.compare`; what is drawn is its frame, without measures that are equal, that
        were not measured, or that are 0 in the first scenario.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    """
    frame = comparison.frame()
    frame = frame[~frame["verdict"].isin(["equal", "not measured"]) & (frame["base"] != 0)]
    places = np.arange(len(frame))[::-1]
    names = frame["measure"]
    if len(comparison.variants) > 1:
        names = frame["variant"] + ": " + names
    with axes(ax, height=1.2 + _ROW_INCHES * len(frame)) as drawn:
        draw_grid(drawn, "x")
        drawn.axvline(0, color=look().faint, linewidth=1)
        base = frame["base"].abs()
        middle = 100 * frame["difference"] / base
        drawn.hlines(
            places,
            100 * frame["low"] / base,
            100 * frame["high"] / base,
            color=look().ink,
            linewidth=1.4,
        )
        is_shown = frame["verdict"].isin(["lower", "higher"]).to_numpy()
        for shown, face in ((True, look().line), (False, look().paper)):
            chosen = is_shown == shown
            drawn.plot(
                middle[chosen], places[chosen], "o", color=look().line, markerfacecolor=face,
                label="difference" if shown else "no difference shown",
            )  # fmt: skip
        drawn.set_yticks(places, names)
        drawn.set_xlabel("difference [% of the first scenario]")
        legend_below(drawn)
        drawn.set_title("Paired differences, 95% intervals")
    return drawn
