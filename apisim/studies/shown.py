"""How studies are shown: a few lines, tables and remarks, in a terminal, a text or a notebook."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apisim.results.html import render_page
from apisim.results.section import Section
from apisim.results.text import plain_text, render_sheet

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Sheet", "Shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a study says.

    Attributes
    ----------
    head : sequence of str
        First lines; the very first is the title.
    sections : sequence of Section
    notes : sequence of str
        What a reader must know.
    """

    head: Sequence[str]
    sections: Sequence[Section] = ()
    notes: Sequence[str] = ()


class Shown(ABC):
    """Something that has a sheet: how it is printed everywhere."""

    @abstractmethod
    def sheet(self) -> Sheet:
        """What it says."""

    def summary(self, *, width: int = 80) -> str:
        """The sheet as plain text.

        Parameters
        ----------
        width : int
            Columns of the page, at least 60.
        """
        return plain_text([self.__rich__()], width=width)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.sheet().head[0]}>"

    def __str__(self) -> str:
        return self.summary()

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        sheet = self.sheet()
        notes = [Text(""), *(Text(note) for note in sheet.notes)] if sheet.notes else []
        return Group(render_sheet(sheet.head, sheet.sections), *notes)

    def _repr_html_(self) -> str:
        sheet = self.sheet()
        return render_page(sheet.head, sheet.sections, sheet.notes)
