"""What the strategies of a scenario's parts share: draws in the style of one example."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hypothesis import strategies as st

from tests.equivalence.laws import atom_times, crowded_times, throttles, times

__all__ = ["Drawing", "Style"]


class Style(Enum):
    """What an example is made for."""

    #: Everything a scenario can say.
    ANY = "any"
    #: Much at every instant: all times are 0, 1 or 2 ms, everything is scarce.
    CROWDED = "crowded"
    #: Times that are whole milliseconds and arrivals that fall on whole tenths of them, so that
    #: everything is exact at ten times the size too.
    EXACT = "exact"


@dataclass
class Drawing:
    """Draws of one example, and the files it needs.

    Parameters
    ----------
    draw
        Given by hypothesis.
    style : Style
        What the example is made for.
    files : dict of str to str
        Text of each file by its name.
    sloppiness : int
        Parts each throttle is divided into; no smaller burst but 0 is drawn.
    """

    draw: Any
    style: Style
    files: dict[str, str] = field(default_factory=dict)
    sloppiness: int = 1

    @property
    def is_exact(self) -> bool:
        """Whether all times are whole milliseconds."""
        return self.style is Style.EXACT

    @property
    def is_crowded(self) -> bool:
        """Whether much happens at every instant."""
        return self.style is Style.CROWDED

    def maybe(self, percent: int) -> bool:
        """True in about ``percent`` of a hundred draws; shrinks to False."""
        return bool(self.draw(st.integers(0, 99)) >= 100 - percent)

    def one(self, *options: Any) -> Any:
        """One of several values; shrinks to the first."""
        return self.draw(st.sampled_from(options))

    def optional(self, into: dict[str, Any], percent: int, key: str, *options: Any) -> None:
        """Give a key one of several values, or leave it out."""
        if self.maybe(percent):
            into[key] = self.one(*options)

    def time(self) -> Any:
        """A distribution of times."""
        of_style = {Style.ANY: times, Style.CROWDED: crowded_times, Style.EXACT: atom_times}
        return self.draw(of_style[self.style]())

    def throttle(self) -> dict[str, Any]:
        """A token bucket."""
        return dict(self.draw(throttles(self.sloppiness)))
