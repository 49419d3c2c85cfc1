"""The one look of all figures: quiet axes, colours that everybody can tell apart.

The hues are those of Okabe and Ito ("Color Universal Design", 2008), lightened for what is usual
and dark for what is not. Areas that could be taken for each other without colour, on a grey print,
also differ in their hatching.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "FAINT",
    "INK",
    "JOINED",
    "LINE",
    "OUTCOMES",
    "Fill",
    "axes",
    "draw_grid",
    "say_nothing",
    "time_scale",
]

INK: Final = "#222222"
FAINT: Final = "#8a8a8a"
LINE: Final = "#0072b2"


class Fill(NamedTuple):
    """How an area is filled: a label, a colour and a hatching ("" for none)."""

    label: str
    colour: str
    hatch: str


#: How requests fared, from the bottom of a stack to its top. The keys are the words of the request
#: file (the outcome of what was answered, ``refused_by`` of what was not) or one of ``JOINED``.
OUTCOMES: Final = {
    "cache_hit": Fill("served from the cache", "#7fb3d9", ""),
    "served": Fill("served", "#c5dff0", ""),
    "preflight": Fill("preflights", "#ece7f2", "oo"),
    "sent": Fill("pushed to clients", "#a6dba0", "OO"),
    "connected": Fill("connected", "#d9f0d3", "oooo"),
    "usage_plan": Fill("throttled: usage plan or quota", "#fdd49e", "++++"),
    "method": Fill("throttled: method limit", "#e69f00", "////"),
    "stage": Fill("throttled: stage limit", "#d55e00", "\\\\\\\\"),
    "account": Fill("throttled: account limit", "#8c2d04", ""),
    "connections": Fill("throttled: new connections", "#fd8d3c", "--//"),
    "authorizer": Fill("refused by an authorizer", "#009e73", "...."),
    "access": Fill("refused: policy, firewall or key", "#56b4e9", "----"),
    "validation": Fill("refused: sizes or validation", "#cc79a7", "||||"),
    "browser": Fill("blocked by the browser", "#bcbddc", "**"),
    "routing": Fill("no such route", "#f0e442", "xxxx"),
    "connection": Fill("no connection", "#bdbdbd", "||//"),
    "backend": Fill("failed at the backend", "#111111", ""),
}

#: Words of the request file that share an area.
JOINED: Final = {
    "domain": "routing",
    "quota": "usage_plan",
    "api_key": "access",
    "waf": "access",
    "resource_policy": "access",
    "mutual_tls": "access",
    "sign_in": "access",
    "cache": "access",
    "limits": "validation",
    "outage": "connection",
    "cors": "browser",
}

_STYLE: Final = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlepad": 9,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "hatch.linewidth": 0.5,
    "legend.frameon": False,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400


@contextmanager
def axes(ax: "Axes | None", *, width: float = 8.0, height: float = 4.0) -> "Iterator[Axes]":
    """Axes to draw on, in the house's style.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        Those of the caller, whose figure stays as it is; None makes a figure of its own.
    width, height : float
        Size of that figure [inch].

    Yields
    ------
    matplotlib.axes.Axes
    """
    import matplotlib.pyplot as plt

    with plt.rc_context(_STYLE):  # type: ignore[arg-type]
        if ax is None:
            ax = plt.subplots(figsize=(width, height), layout="constrained")[1]
        yield ax


def draw_grid(ax: "Axes", axis: Literal["x", "y"]) -> None:
    """Thin lines behind what is drawn, at the ticks of one axis."""
    ax.set_axisbelow(True)
    ax.grid(axis=axis, color="#dddddd", linewidth=0.6)


def say_nothing(ax: "Axes") -> None:
    """Say on empty axes that there is nothing to draw."""
    ax.text(0.5, 0.5, "no requests", transform=ax.transAxes, ha="center", va="center")


def time_scale(length_s: float) -> tuple[float, str]:
    """Unit in which a stretch of simulated time is shown: its length [s] and its symbol.

    Examples
    --------
    >>> time_scale(90.0), time_scale(1500.0), time_scale(86_400.0), time_scale(604_800.0)
    ((1.0, 's'), (60.0, 'min'), (3600.0, 'h'), (86400.0, 'd'))
    """
    for limit_s, unit_s, symbol in (
        (3 * _MINUTE_S, 1, "s"),
        (3 * _HOUR_S, _MINUTE_S, "min"),
        (3 * _DAY_S, _HOUR_S, "h"),
    ):
        if length_s <= limit_s:
            return float(unit_s), symbol
    return float(_DAY_S), "d"
