"""Limits: how much of each is used, and which one a launch meets first."""

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from apisim.report.style import HATCH, axes, draw_grid, fill_of, look, say_nothing
from apisim.report.subjects import draws
from apisim.report.time_axis import legend_below
from apisim.results.wording import rate_text, share_text, time_text
from apisim.scenario.formats import format_duration
from apisim.studies.limits import Limits
from apisim.studies.quotas.envelope import EnvelopeCell
from apisim.studies.quotas.rows import LimitRow
from apisim.studies.quotas.text import alike, limit_words, shown_rows, value_words, wall_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_launch_envelope", "plot_limits"]

_ROW_INCHES: Final = 0.42
_SECOND_NS: Final = 1_000_000_000
#: Part of the axis, from the left, up to which the words of a meeting stand at its right.
_MIDDLE: Final = 0.6


@draws
def plot_limits(found: Limits, ax: "Axes | None" = None, *, everything: bool = False) -> "Axes":
    """Draw how much of each limit is used at the peak, as a part of it.

    Parameters
    ----------
    found : Limits
        Of :func:`apisim.limits`; what is drawn is ``used``, ``used_low``, ``used_high`` and
        ``limit`` of its frame, for limits of which both are known.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    everything : bool
        Whether limits that are far away are drawn as well, as ``--all`` of the command.

    Returns
    -------
    matplotlib.axes.Axes
        A bar for each limit, in the order of the sheet, with the 95 % interval where there are
        replications, the values in words, and what to ask for; hatched where more was asked for
        than the limit, or it refused.
    """
    rows = [row for row in shown_rows(found, everything=everything) if row.headroom is not None]
    with axes(ax, height=1.5 + _ROW_INCHES * max(len(rows), 2)) as drawn:
        draw_grid(drawn, "x")
        drawn.axvline(100, color=look().ink, linewidth=1.2, label="the limit")
        seen: set[bool] = set()
        for place, row in zip(range(len(rows))[::-1], rows, strict=True):
            _draw_limit(drawn, row, place, seen)
        drawn.set_yticks(np.arange(len(rows))[::-1], [limit_words(row) for row in rows])
        drawn.set_ylim(-0.6, max(len(rows), 1) - 0.4)
        drawn.tick_params(axis="y", length=0)
        drawn.set_xlim(left=0)
        times = "" if found.multiple == 1 else f", {found.multiple:g} times the traffic"
        drawn.set_xlabel(f"used at the peak{times} [% of the limit]")
        drawn.set_title("Limits and their use")
        if rows:
            legend_below(drawn)
        else:
            say_nothing(drawn, "no limit whose use is known")
    return drawn


def _draw_limit(ax: "Axes", row: LimitRow, place: int, seen: set[bool]) -> None:
    assert row.used is not None  # or there is no headroom
    assert row.limit is not None
    percent = 100 / row.limit
    is_over = row.used > row.limit or row.refused > 0
    colour = look().strokes[1].colour if is_over else look().line
    label = "refuses, or is not enough" if is_over else "enough"
    ax.barh(
        place, row.used * percent, 0.6, color=colour, hatch="////" if is_over else "",
        edgecolor=look().paper, linewidth=0, label=f"_{label}" if is_over in seen else label,
    )  # fmt: skip
    seen.add(is_over)
    if (interval := row.used_interval) is not None and interval.low < interval.high:
        low, high = (max(one, 0.0) * percent for one in (interval.low, interval.high))
        ax.hlines(place, low, high, color=look().ink, linewidth=1.4)
    words = f"{value_words(row, row.used)} of {value_words(row, row.limit)}"
    if row.request is not None and row.requestable:
        words += f":\nask for {value_words(row, row.request)}"
    ax.annotate(words, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=8.5)


@draws
def plot_launch_envelope(found: Limits, ax: "Axes | None" = None) -> "Axes":
    """Draw for how long a launch is served in full, and which limit it meets first.

    Parameters
    ----------
    found : Limits
        Of :func:`apisim.limits`; what is drawn is ``found.frame("envelope")``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Time since the launch on a logarithmic x axis, up to the longest launch; a row for each
        multiple of the traffic and each cache-hit ratio, those together that differ by nothing but
        the ratio. Where a limit is met the bar changes, and the limit is named.
    """
    durations = sorted({cell.duration_s for cell in found.envelope})
    groups = [(lines[0], lines[-1][0].hit_ratio) for lines in alike(found.envelope, len(durations))]
    met = [cell.at_s for cell in found.envelope if cell.at_s]
    begin = 10.0 ** math.floor(math.log10(min([*met, *durations[:1], 1.0]) / 1.5))
    end = max([*durations, 10 * begin])
    with axes(ax, height=1.6 + 0.8 * _ROW_INCHES * max(len(groups), 2)) as drawn:
        draw_grid(drawn, "x")
        drawn.set_xscale("log")
        drawn.set_xlim(begin, end)
        places = range(len(groups))[::-1]
        seen: set[str] = set()
        for place, (cells, _) in zip(places, groups, strict=True):
            _draw_launch(drawn, cells, place, (begin, end), seen)
        drawn.set_yticks(list(places), [_launch_words(cells[0], last) for cells, last in groups])
        drawn.set_ylim(-0.6, max(len(groups), 1) - 0.4)
        drawn.tick_params(axis="y", length=0)
        before = [begin * 10**n for n in range(6) if begin * 10**n < min([*durations, end])]
        ticks = [*before, *durations]
        drawn.set_xticks(ticks, [format_duration(round(one * _SECOND_NS)) for one in ticks])
        drawn.minorticks_off()
        drawn.set_xlabel("time since the launch began [logarithmic]")
        drawn.set_title("Launch envelope: served in full until a limit is met")
        if groups:
            legend_below(drawn)
        else:
            say_nothing(drawn, "no launch was looked at")
    return drawn


def _launch_words(cell: EnvelopeCell, last_ratio: float) -> str:
    words = f"{cell.multiple:g}x, {rate_text(cell.rate_rps)}"
    if math.isnan(cell.hit_ratio):
        return words
    hits = share_text(cell.hit_ratio)
    if last_ratio != cell.hit_ratio:
        hits += f" to {share_text(last_ratio)}"
    return f"{words}, hits {hits}"


def _draw_launch(
    ax: "Axes",
    cells: tuple[EnvelopeCell, ...],
    place: int,
    ends: tuple[float, float],
    seen: set[str],
) -> None:
    begin, end = ends
    first = next((cell for cell in cells if cell.at_s is not None), None)
    at = end if first is None or first.at_s is None else max(first.at_s, begin)
    for name, label, left, right in (
        ("served", "served in full", begin, at),
        ("method", "a limit refuses", at, end),
    ):
        if right > left:
            fill = fill_of(name)
            ax.barh(
                place, right - left, 0.7, left=left, color=fill.colour, hatch=fill.hatch,
                edgecolor=HATCH, linewidth=0, label=f"_{label}" if label in seen else label,
            )  # fmt: skip
            seen.add(label)
    if first is None or first.at_s is None:
        return
    is_left = math.log(at / begin) < _MIDDLE * math.log(end / begin)
    ax.annotate(
        f"{wall_words(first.kind or '', first.of or '')}, {time_text(first.at_s * 1000)}",
        (at, place), (5 if is_left else -5, 0), textcoords="offset points", va="center",
        ha="left" if is_left else "right", fontsize=8.5,
        bbox={"facecolor": look().paper, "edgecolor": "none", "pad": 1.2},
    )  # fmt: skip
