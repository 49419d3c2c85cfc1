"""Advice: what each change does to a measure, in dollars unless asked otherwise."""

import textwrap
from typing import TYPE_CHECKING, Final

import numpy as np

from apisim.report.measures import scale_of
from apisim.report.style import axes, draw_grid, look, say_nothing
from apisim.report.subjects import draws
from apisim.report.time_axis import legend_below
from apisim.studies.advice.advised import WORDS, Advice, Advised
from apisim.studies.wording import difference_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_advice"]

_ROW_INCHES: Final = 0.5
_NAME_WIDTH: Final = 38
#: More rows than these can only be read in the table.
_MOST: Final = 20


@draws
def plot_advice(advised: Advised, measure: str | None = None, ax: "Axes | None" = None) -> "Axes":
    """Draw what each change does, with its 95 % interval; what is advised has a star.

    Parameters
    ----------
    advised : Advised
        Of :func:`apisim.advise`; what is drawn is ``difference``, ``low`` and ``high`` of one
        measure of its frame.
    measure : str, optional
        One that was judged; dollars by default, of a month where one was projected.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The difference on the x axis, a row for each change, the best on top, twenty at most. Hollow
        where it may be chance. The verdict stands at the right, with the difference that decided
        it, which may be one in another measure.

    Raises
    ------
    ValueError
        If that measure was not judged.
    """
    known = list(dict.fromkeys(label for one in advised.advice for label in one.effects))
    dollars = [label for label in known if label.startswith("cost_")]
    chosen = measure if measure is not None else next(iter([*dollars, *known]), None)
    if measure is not None and measure not in known:
        raise ValueError(f"{measure!r} was not judged; there are {', '.join(known) or 'none'}")
    shown = advised.advice[:_MOST]
    with axes(ax, height=1.6 + _ROW_INCHES * max(len(shown), 2)) as drawn:
        if chosen is None or not shown:
            say_nothing(drawn, "nothing was tried")
            return drawn
        draw_grid(drawn, "x")
        drawn.axvline(0, color=look().faint, linewidth=1)
        factor, label = scale_of(chosen, is_difference=True)
        places = np.arange(len(shown))[::-1]
        for place, one in zip(places, shown, strict=True):
            _draw(drawn, one, chosen, float(place), factor)
        names = [textwrap.fill(one.candidate.name, _NAME_WIDTH) for one in shown]
        drawn.set_yticks(places, names, fontsize=8.5)
        drawn.set_ylim(-0.6, len(shown) - 0.4)
        drawn.tick_params(axis="y", length=0)
        drawn.set_xlabel(f"change of {label}, 95% interval")
        more = len(advised.advice) - len(shown)
        drawn.set_title("What each change does" + (f"; {more} more are not drawn" if more else ""))
        for words, marker, face in (
            ("advised", "*", look().strokes[2].colour),
            ("a difference beyond chance", "o", look().line),
            ("no difference shown", "o", look().paper),
        ):
            drawn.plot([], [], marker, color=_edge(marker), markerfacecolor=face, label=words)
        legend_below(drawn)
    return drawn


def _edge(marker: str) -> str:
    return look().strokes[2].colour if marker == "*" else look().line


def _draw(ax: "Axes", one: Advice, measure: str, place: float, factor: float) -> None:
    effect = one.effects.get(measure)
    if effect is not None and effect.difference.interval is not None:
        interval = effect.difference.interval
        ax.hlines(
            place, interval.low * factor, interval.high * factor, color=look().ink, linewidth=1.4
        )
        marker = "*" if one.is_advised else "o"
        ax.plot(
            [effect.difference.mean * factor], [place], marker, color=_edge(marker),
            markersize=12 if one.is_advised else 6.5,
            markerfacecolor=_edge(marker) if effect.is_significant else look().paper,
        )  # fmt: skip
    ax.annotate(
        _verdict(one), (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=8.5
    )


def _verdict(one: Advice) -> str:
    words = one.verdict
    if one.is_advised:
        words += "" if one.is_confirmed else ", NOT confirmed"
        words += ", tied" if one.is_tied else ""
    if one.decides:
        mean = one.effects[one.decides].difference.mean
        words += f":\n{WORDS[one.decides]} {difference_text(one.decides, mean)}"
    return words
