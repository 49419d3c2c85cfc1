"""The one look of all figures: quiet axes, colours that everybody can tell apart.

The hues are those of Okabe and Ito ("Color Universal Design", 2008), lightened for what is usual
and dark for what is not. Areas that could be taken for each other without colour, on a grey print,
also differ in their hatching; lines also differ in their dashes.

There is a light theme and a dark one::

    with theme("dark"):
        plot_requests(result).figure.savefig("requests.png")
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from apisim.scenario.formats import article
from apisim.scenario.problems import unknown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "FAINT",
    "HATCH",
    "INK",
    "JOINED",
    "LINE",
    "OUTCOMES",
    "STROKES",
    "Fill",
    "Look",
    "Stroke",
    "axes",
    "draw_grid",
    "fill_of",
    "look",
    "say_nothing",
    "theme",
    "time_scale",
]

#: Of the light theme; what is drawn takes its colours from :func:`look`.
INK: Final = "#222222"
FAINT: Final = "#8a8a8a"
LINE: Final = "#0072b2"
#: Hatching lies on fills, which are pale in both themes.
HATCH: Final = "#212121"


class Stroke(NamedTuple):
    """How a line is drawn: colour, dashes and marker."""

    colour: str
    dashes: Any
    marker: str


class Look(NamedTuple):
    """Colours of a theme.

    Attributes
    ----------
    ink, faint, grid, paper : str
        Text; axes and side notes; lines behind what is drawn; the background.
    line : str
        The one line of a figure.
    failure : str
        What failed at the backend: far from all that it lies on, in hue and on a grey print.
    strokes : tuple of Stroke
        Several lines of a figure, in this order.
    """

    ink: str
    faint: str
    grid: str
    paper: str
    line: str
    failure: str
    strokes: tuple[Stroke, ...]


_DASHES: Final = (
    "-",
    (0, (5, 1.5)),
    (0, (1, 1.2)),
    (0, (6, 1.5, 1, 1.5)),
    (0, (9, 2)),
    (0, (3, 3)),
)
_MARKERS: Final = ("o", "s", "D", "^", "v", ">")


def _strokes(*colours: str) -> tuple[Stroke, ...]:
    return tuple(Stroke(*one) for one in zip(colours, _DASHES, _MARKERS, strict=True))


_THEMES: Final[Mapping[str, Look]] = {
    "light": Look(
        INK, FAINT, "#dddddd", "white", LINE, "#111111",
        _strokes(LINE, "#d55e00", "#009e73", "#b5527f", "#b07a00", "#4d4d4d"),
    ),
    "dark": Look(
        "#e8e8e8", "#9a9a9a", "#3a3f44", "#16191d", "#56b4e9", "#b265ff",
        _strokes("#56b4e9", "#f08a3c", "#2ec495", "#e39bc4", "#f0d04a", "#d0d0d0"),
    ),
}  # fmt: skip
#: Lines of the light theme, in their order.
STROKES: Final = _THEMES["light"].strokes
_look: ContextVar[Look] = ContextVar("look", default=_THEMES["light"])


def look() -> Look:
    """Colours of the theme that figures are drawn in now."""
    return _look.get()


@contextmanager
def theme(name: str) -> Iterator[Look]:
    """Draw figures in a theme, also on axes that are made inside of the ``with`` statement.

    Parameters
    ----------
    name : {"light", "dark"}

    Raises
    ------
    ValueError
        If there is no such theme.

    Examples
    --------
    >>> with theme("dark") as dark:
    ...     look() is dark
    True
    >>> look() is dark
    False
    """
    if name not in _THEMES:
        raise ValueError(unknown_name("theme", name, _THEMES))
    import matplotlib.pyplot as plt

    token = _look.set(_THEMES[name])
    try:
        with plt.rc_context(_style()):
            yield look()
    finally:
        _look.reset(token)


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

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400


def fill_of(end: str) -> Fill:
    """How the area of one of ``OUTCOMES`` is filled in the theme of now."""
    fill = OUTCOMES[end]
    return fill._replace(colour=look().failure) if end == "backend" else fill


def _style() -> dict[Any, Any]:
    now = look()
    return {
        "figure.dpi": 100,
        "figure.facecolor": now.paper,
        "axes.facecolor": now.paper,
        "axes.edgecolor": now.faint,
        "axes.labelcolor": now.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlepad": 9,
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlecolor": now.ink,
        "font.family": "sans-serif",
        "font.size": 9.5,
        "hatch.linewidth": 0.5,
        "legend.frameon": False,
        "legend.labelcolor": now.ink,
        "text.color": now.ink,
        "xtick.color": now.faint,
        "ytick.color": now.faint,
        "xtick.labelcolor": now.ink,
        "ytick.labelcolor": now.ink,
    }


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

    Raises
    ------
    TypeError
        If ``ax`` is something else, such as the array that ``plt.subplots(2, 2)`` returns.
    """
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes

    given: object = ax
    if not isinstance(given, Axes | None):
        got = article(type(given).__name__)
        raise TypeError(f"ax takes one Axes of matplotlib, such as plt.subplots()[1]; got {got}")
    with plt.rc_context(_style()):
        if ax is None:
            ax = plt.subplots(figsize=(width, height), layout="constrained")[1]
        yield ax


def draw_grid(ax: "Axes", axis: Literal["x", "y"]) -> None:
    """Thin lines behind what is drawn, at the ticks of one axis."""
    ax.set_axisbelow(True)
    ax.grid(axis=axis, color=look().grid, linewidth=0.6)


def say_nothing(ax: "Axes", words: str = "no requests") -> None:
    """Say on empty axes that there is nothing to draw."""
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", color=look().ink)


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
