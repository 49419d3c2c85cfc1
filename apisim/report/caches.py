"""Response caches over time: what they answer, and how much they hold."""

from typing import TYPE_CHECKING, Final

from apisim.report.style import axes, look, say_nothing
from apisim.report.subjects import draws
from apisim.report.time_axis import (
    draw_steps,
    end_of,
    finish_time_axis,
    legend_below,
    right_axis,
    time_axis,
)
from apisim.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_cache"]

_KILOBYTE: Final = 1024.0


@draws
def plot_cache(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw the hit ratio of each response cache over time, and how much it holds.

    Parameters
    ----------
    result : Result
        Of :func:`apisim.run`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Simulated time on the x axis, hits in percent of the lookups of each period on the left y
        axis (strong lines), what valid entries occupy on a second one at the right (thin lines).
        The numbers are those of ``result.frame("cache_series")``.

    Examples
    --------
    >>> import apisim
    >>> result = apisim.run("scenarios/cache-sizes.yaml")  # doctest: +SKIP
    >>> apisim.plot_cache(result).figure.savefig("cache.png")  # doctest: +SKIP
    """
    series = result.frame("cache_series")
    by_api = list(series.groupby("api", sort=False, observed=True))
    with axes(ax) as ax:
        unit_s = time_axis(ax, result, end_of(series))
        ax.set_ylim(0, 105)
        ax.set_ylabel("hits [% of lookups]")
        ax.set_title("Response cache over time")
        if series.empty:
            finish_time_axis(ax, result, unit_s)
            say_nothing(ax, "no response cache")
            return ax
        unit, size = _unit_of(float(series["bytes"].max()))
        right = right_axis(ax, f"occupied [{unit}]")
        strokes = look().strokes
        for at, (api, rows) in enumerate(by_api):
            stroke = strokes[at % len(strokes)]
            name = f"{api}: " if len(by_api) > 1 else ""
            draw_steps(
                ax, rows, "hit_ratio", unit_s, factor=100.0, color=stroke.colour,
                linestyle=stroke.dashes, linewidth=2, label=f"{name}hit ratio (left)",
            )  # fmt: skip
            draw_steps(
                right, rows, "bytes", unit_s, factor=1 / size,
                color=stroke.colour if len(by_api) > 1 else strokes[1].colour,
                linestyle=stroke.dashes if len(by_api) > 1 else strokes[1].dashes,
                linewidth=1, label=f"{name}occupied (right)",
            )  # fmt: skip
        right.set_ylim(0, max(1.08 * float(series["bytes"].max()) / size, 1e-3))
        finish_time_axis(ax, result, unit_s)
        legend_below(ax, right)
    return ax


def _unit_of(most: float) -> tuple[str, float]:
    """Unit in which sizes up to ``most`` bytes are shown, and its length [B].

    Examples
    --------
    >>> _unit_of(900.0), _unit_of(5e6)
    (('B', 1.0), ('MB', 1048576.0))
    """
    size = 1.0
    for unit in ("B", "KB", "MB"):
        if most < size * _KILOBYTE:
            return unit, size
        size *= _KILOBYTE
    return "GB", size
