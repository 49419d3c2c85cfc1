"""Figures as SVG that stands in a page: text stays text, colours follow the page's theme.

The neutral colours of the one style sheet become the page's own variables, so that one drawing is
right on a light page, on a dark one and on paper. Names inside of a drawing get a prefix, because
several drawings on one page must not share them.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from apisim.report.page.figures import FIGURES
from apisim.report.style import FAINT, INK, OUTCOMES, STROKES, theme
from apisim.report.tornado import plot_tornado
from apisim.results.result import Result
from apisim.studies import Assumptions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Drawing", "drawings_of", "tornado_of"]

#: Colours of the style sheet, and the variable of the page that takes the place of each.
_NEUTRAL: Final = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    "#ffffff": "var(--paper)",
    "#dddddd": "var(--line)",
    "#000000": "var(--ink)",
    "black": "var(--ink)",
    "white": "var(--paper)",
    OUTCOMES["account"].colour: "var(--account)",
    OUTCOMES["backend"].colour: "var(--failure)",
    # Lines, which are thin, are light on a dark page. Areas of the same hue go with them.
    **{stroke.colour: f"var(--s{number})" for number, stroke in enumerate(STROKES)},
}
_COLOUR: Final = re.compile(
    r"(?<=: )(" + "|".join(re.escape(colour) for colour in _NEUTRAL) + r")(?=[;\"])"
)
_ID: Final = re.compile(r'\bid="([^"]+)"')
_REFERENCE: Final = re.compile(r'(url\(#|href="#)([^)"]+)')
_FONT: Final = re.compile(r"(font: [^;'\"]*?px) [^;\"]*(?=[;\"])")
_SIZE: Final = re.compile(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Drawing:
    """One figure of a page.

    Attributes
    ----------
    name : str
        Prefix of all names in it; ``NAME-alt`` is the element that describes it.
    title : str
        What it shows.
    alt : str
        What is to be seen in it, for those who do not see it.
    svg : str
        An ``<svg>`` element.
    """

    name: str
    title: str
    alt: str
    svg: str


def drawings_of(result: Result) -> list[Drawing]:
    """Figures of a result, those with something to show."""
    return [
        _drawn(f"f{number}", figure.title, figure.alt(result), partial(figure.draw, result))
        for number, figure in enumerate(FIGURES)
        if figure.has_any(result)
    ]


def tornado_of(assumed: Assumptions) -> Drawing | None:
    """How far each assumption moves the figure that depends on them most; None without any."""
    if not assumed.effects:
        return None
    alt = "How far each assumption moves the figure; the table below has the numbers."
    return _drawn("tornado", "What the verdict rests on", alt, partial(plot_tornado, assumed))


def _drawn(name: str, title: str, alt: str, draw: "Callable[[], Axes]") -> Drawing:
    from matplotlib import pyplot as plt
    from matplotlib import rc_context

    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "axes.titlelocation": "left",  # a narrow screen shows the left of a figure first
    }
    # Light, whatever its caller draws in: the page's own theme takes these colours' place.
    with theme("light"), rc_context(settings):
        drawn = draw().figure
        assert drawn is not None
        text = io.StringIO()
        drawn.savefig(text, format="svg", metadata={"Date": None}, transparent=True)  # type: ignore[union-attr]
        plt.close(drawn)  # type: ignore[arg-type]
    return Drawing(
        name=name,
        title=title,
        alt=alt,
        svg=_inline(text.getvalue(), name),
    )


def _inline(svg: str, name: str) -> str:
    """An SVG document as an element of a page."""
    svg = svg[svg.index("<svg ") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = _ID.sub(rf'id="{name}-\1"', svg)
    svg = _REFERENCE.sub(rf"\1{name}-\2", svg)
    svg = _COLOUR.sub(lambda match: _NEUTRAL[match.group(1)], svg)
    # The page's own font: a list of fonts with every word would be half of the file.
    svg = _FONT.sub(r"\1 var(--sans)", svg)
    opening = (
        f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="\\1" role="img" '
        f'aria-labelledby="{name}-alt" focusable="false">'
    )
    return _SIZE.sub(opening, svg, count=1)
