"""Money as figures: a bill step by step, and a bill over the month's volume."""

from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from apisim.pricing import dollars
from apisim.report.log_axis import plain_number
from apisim.report.style import axes, draw_grid, look, say_nothing
from apisim.report.subjects import draws
from apisim.results.money import bill_of, has_volume, volume_frame, waterfall_frame
from apisim.results.result import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from matplotlib.text import Annotation

__all__ = ["plot_cost_over_volume", "plot_cost_waterfall"]

_ROW_INCHES: Final = 0.34
#: Part of the largest volume from which on words stand at the left of their mark.
_NEARLY_ALL: Final = 0.1
#: Amounts whose digits take much of the axis [USD].
_TINY: Final = 0.01
#: How far words may stand from their mark, the nearest first [points]; up is positive.
_PLACES: Final = (8, -14, 20, -26, 32, -38, 44)
#: Points of a line that words must not stand on.
_DENSE: Final = 500


@draws
def plot_cost_waterfall(
    result: Result, bill: Literal["run", "month"] | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Draw a bill from nothing to its total: meters upwards, free tier and discounts downwards.

    Parameters
    ----------
    result : Result
        What is drawn is :func:`apisim.results.money.waterfall_frame`.
    bill : {"run", "month"}, optional
        The projected month where there is one, by default.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ValueError
        If there is no such bill.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    frame = waterfall_frame(result, bill)
    name, chosen = bill_of(result, bill)
    places = np.arange(len(frame))[::-1]
    starts, ends = (frame[column].astype(float).to_numpy() for column in ("start", "end"))
    with axes(ax, height=1.3 + _ROW_INCHES * len(frame)) as drawn:
        draw_grid(drawn, "x")
        # Colour and hatching of a step that costs, that takes off, and of the total.
        now = look()
        looks = {
            "meter": ("#7fb3d9", ""), "off": (now.strokes[2].colour, "...."),
            "total": (now.line, "////"),
        }  # fmt: skip
        for place, step, start, end in zip(
            places, frame.itertuples(index=False), starts, ends, strict=True
        ):
            colour, hatch = looks[str(step.kind)]
            drawn.barh(
                place, end - start, 0.62, left=start, color=colour, hatch=hatch,
                edgecolor=drawn.get_facecolor(), linewidth=0,
            )  # fmt: skip
            drawn.annotate(
                dollars(Decimal(str(step.amount))), (max(start, end), place), (4, 0),
                textcoords="offset points", va="center", color=now.ink, fontsize=8.5,
            )  # fmt: skip
        drawn.vlines(
            ends[:-1], places[:-1] - 0.31, places[1:] + 0.31, color=now.faint, linewidth=0.8
        )
        drawn.set_yticks(places, frame["step"])
        drawn.set_ylim(-0.6, len(frame) - 0.4)
        drawn.margins(x=0.14)
        drawn.set_xlim(left=min(0.0, *starts, *ends))
        if frame["end"].abs().max() < _TINY:  # long numbers need room
            drawn.xaxis.set_major_locator(MaxNLocator(4))
        drawn.xaxis.set_major_formatter(FuncFormatter(lambda amount, _: plain_number(amount)))
        drawn.set_xlabel(f"{chosen.currency} for {'a month' if name == 'month' else 'the run'}")
        words = "month" if name == "month" else "run"
        drawn.set_title(f"What the {words} costs: {dollars(chosen.total)}")
    return drawn


@draws
def plot_cost_over_volume(
    result: Result, units: "Sequence[int] | None" = None, ax: "Axes | None" = None
) -> "Axes":
    """Draw what a million requests cost over the requests of a month; ends of tiers are marked.

    A REST API has a second line by the prices of HTTP APIs, and the other way round; a mark where
    the price of the next million changes says what it is from there.

    Parameters
    ----------
    result : Result
        Its mix is scaled; what is drawn is :func:`apisim.results.money.volume_frame`.
    units : sequence of int, optional
        Volumes, ascending: requests (or messages) a month.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Raises
    ------
    ValueError
        If the result has no price book.
    """
    _, chosen = bill_of(result, None)
    if not has_volume(result):
        with axes(ax) as drawn:
            say_nothing(drawn)
            drawn.set_title("What a million requests cost, by the volume of a month")
        return drawn
    frame = volume_frame(result, units)
    with axes(ax) as drawn:
        words: list[Annotation] = []
        draw_grid(drawn, "y")
        for number, (name, line) in enumerate(frame.groupby("prices", sort=False)):
            colour, dashes, _ = look().strokes[number % 2]
            x, y = line["units"], line["per_million"].astype(float)
            drawn.plot(x, y, linestyle=dashes, color=colour, label=f"{name} prices")
            price = line["price_from_here"].astype(float)
            is_end = price.notna()
            drawn.plot(
                x[is_end], y[is_end], "o", color=colour, markerfacecolor=drawn.get_facecolor(),
                label="_ends",
            )  # fmt: skip
            ends = zip(x[is_end], y[is_end], price[is_end], strict=True)
            for units_, high, from_here in ends:
                is_right = units_ > _NEARLY_ALL * x.max()  # the last is at the border
                words.append(
                    drawn.annotate(
                        f"{_amount(from_here)} from here", (units_, high), (4, _PLACES[0]),
                        textcoords="offset points", color=look().ink, fontsize=8,
                        ha="right" if is_right else "left",
                    )
                )  # fmt: skip
        drawn.set_xscale("log")
        drawn.margins(y=0.12)  # for the words above the marks
        drawn.set_ylim(bottom=0)
        what = "messages" if str(frame["prices"].iloc[0]) == "WebSocket" else "requests"
        drawn.set_xlabel(f"{what} a month")
        drawn.set_ylabel(f"{chosen.currency} for a million {what}, all services")
        drawn.legend(loc="lower left")
        drawn.set_title(f"What a million {what} cost, by the volume of a month")
        _keep_apart(drawn, words)
    return drawn


def _keep_apart(ax: "Axes", words: "Sequence[Annotation]") -> None:
    """Move words that stand on each other or on a line, from the left to the right."""
    ax.autoscale_view()
    inside = ax.get_window_extent()
    lines = np.concatenate([_points(line) for line in ax.lines if line.get_linestyle() != "None"])
    placed: list[Any] = []
    for one in sorted(words, key=lambda one: one.xy[0]):
        usual = one.get_horizontalalignment()
        sides = (usual, "left" if usual == "right" else "right")
        for side, above in product(sides, _PLACES):
            one.set(position=(4 if side == "left" else -4, above), horizontalalignment=side)
            box = one.get_window_extent()
            is_inside = inside.contains(*box.min) and inside.contains(*box.max)
            if is_inside and not box.count_contains(lines) and not box.count_overlaps(placed):
                break
        else:
            one.set(position=(4, _PLACES[0]), horizontalalignment=usual)
        placed.append(one.get_window_extent())


def _points(line: "Line2D") -> "np.ndarray":
    """Points of a line, dense, on the page."""
    x, y = line.get_transform().transform(np.asarray(line.get_xydata(), float)).T
    dense = np.linspace(x[0], x[-1], _DENSE)
    return np.column_stack([dense, np.interp(dense, x, y)])


def _amount(value: float) -> str:
    sign, size = ("-" if value < 0 else ""), abs(value)
    return f"{sign}${size:,.2f}" if size >= 0.1 or size == 0 else f"{sign}${size:.3g}"
