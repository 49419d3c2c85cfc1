"""A tornado: how far each assumption moves one figure, widest first."""

from typing import TYPE_CHECKING, Final

import numpy as np

from apisim.report.measures import scale_of
from apisim.report.style import axes, draw_grid, look
from apisim.report.subjects import draws
from apisim.report.time_axis import legend_below
from apisim.studies import Assumptions
from apisim.studies.wording import measure_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_tornado", "tornado_frame"]

_ROW_INCHES: Final = 0.42


def tornado_frame(found: Assumptions, measure: str | None = None) -> "pd.DataFrame":
    """What is drawn: the least and the largest value that each assumption leads to.

    Parameters
    ----------
    found : Assumptions
        Of :func:`apisim.assumptions`.
    measure : str, optional
        One of its figures; that of the most important effect by default.

    Returns
    -------
    pandas.DataFrame
        ``assumption``, ``low``, ``high`` (in the figure's unit, the value as assumed included),
        ``base`` and ``turns`` (whether one of them turns a verdict), widest first, as many as
        ``found.limit``.

    Raises
    ------
    ValueError
        If no assumption changes that figure.
    """
    import pandas as pd

    frame = pd.DataFrame(found.rows)
    known = [] if frame.empty else list(dict.fromkeys(frame["measure"]))
    chosen = measure if measure is not None else next(iter(known), None)
    if chosen not in known:
        raise ValueError(f"no assumption changes {chosen}; those that change: {', '.join(known)}")
    rows = frame[frame["measure"] == chosen]
    table = pd.DataFrame(
        [
            {
                "assumption": name,
                "low": float(min(of["value"].min(), of["base"].iloc[0])),
                "high": float(max(of["value"].max(), of["base"].iloc[0])),
                "base": float(of["base"].iloc[0]),
                "turns": bool((of["flips"] != "").any()),
            }
            for name, of in rows.groupby("assumption", sort=False)
        ]
    )
    width = table["high"] - table["low"]
    order = np.argsort(-width.to_numpy(), kind="stable")[: found.limit]
    table = table.iloc[order].reset_index(drop=True)
    table.attrs["measure"] = chosen
    return table


@draws
def plot_tornado(
    found: Assumptions, measure: str | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Draw how far each assumption moves a figure, the widest on top.

    Parameters
    ----------
    found : Assumptions
        Of :func:`apisim.assumptions`.
    measure : str, optional
        One of its figures; that of the most important effect by default.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The figure's value on the x axis, one bar for each assumption from its least to its largest
        value; a line where it is as assumed. Hatched bars turn a threshold's verdict. What is drawn
        is :func:`tornado_frame`.

    Raises
    ------
    ValueError
        If no assumption changes that figure.
    """
    table = tornado_frame(found, measure)
    chosen = str(table.attrs["measure"])
    factor, label = scale_of(chosen)
    places = np.arange(len(table))[::-1]
    with axes(ax, height=1.4 + _ROW_INCHES * len(table)) as drawn:
        draw_grid(drawn, "x")
        text = look().ink
        # What turns a verdict has another hue and is hatched, so that a grey print tells.
        turning = look().strokes[1].colour
        first = next((at for at, turns in zip(places, table["turns"], strict=True) if turns), -1)
        for place, low, high, turns in zip(
            places, table["low"], table["high"], table["turns"], strict=True
        ):
            drawn.barh(
                place, (high - low) * factor, 0.6, left=low * factor,
                color=turning if turns else look().line, hatch="///" if turns else None,
                edgecolor=drawn.get_facecolor(), linewidth=0,
                label="turns a verdict" if turns and place == first else "_",
            )  # fmt: skip
            for value, side, offset in ((low, "right", -4), (high, "left", 4)):
                drawn.annotate(
                    measure_text(chosen, value), (value * factor, place), (offset, 0),
                    textcoords="offset points", va="center", ha=side, color=text, fontsize=8.5,
                )  # fmt: skip
        drawn.axvline(
            float(table["base"].iloc[0]) * factor, color=look().faint, linewidth=1.2,
            label="as assumed",
        )  # fmt: skip
        drawn.set_yticks(places, table["assumption"])
        drawn.set_ylim(-0.6, len(table) - 0.4)
        drawn.use_sticky_edges = False  # there is room for the words beside the bars
        drawn.margins(x=0.2)
        drawn.tick_params(axis="y", length=0)
        drawn.set_xlabel(f"{label}, from the least to the largest")
        legend_below(drawn)
        drawn.set_title("What the verdict rests on")
    return drawn
