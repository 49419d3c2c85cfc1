"""How studies are shown: a few lines, tables and remarks, in a terminal, a text or a notebook."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from apisim.results.html import render_page
from apisim.results.section import Section

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Sheet", "Shown"]

_MIN_WIDTH = 60


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
    notes: Sequence[str] = field(default=())


class Shown:
    """Something that has a sheet: how it is printed everywhere."""

    def sheet(self) -> Sheet:
        """What it says."""
        raise NotImplementedError

    def summary(self, *, width: int = 80) -> str:
        """The sheet as plain text.

        Parameters
        ----------
        width : int
            Columns of the page, at least 60.
        """
        from rich.console import Console

        text = io.StringIO()
        console = Console(
            file=text,
            width=max(width, _MIN_WIDTH),
            color_system=None,
            force_terminal=False,
            legacy_windows=False,
            _environ={},
        )
        console.print(self.__rich__())
        lines = [line.rstrip() for line in text.getvalue().splitlines()]
        return "\n".join(lines).rstrip("\n") + "\n"

    def __str__(self) -> str:
        return self.summary()

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        from apisim.results.text import render_section

        sheet = self.sheet()
        parts: list[RenderableType] = []
        for at, line in enumerate(sheet.head):
            parts.append(Text(line, style="bold" if at == 0 else ""))
        for section in sheet.sections:
            parts += [Text(""), render_section(section)]
        if sheet.notes:
            parts.append(Text(""))
            parts += [Text(note) for note in sheet.notes]
        return Group(*parts)

    def _repr_html_(self) -> str:
        sheet = self.sheet()
        return render_page(sheet.head, sheet.sections, sheet.notes)
