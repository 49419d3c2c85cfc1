"""The summary for a terminal: 80 columns, good without colour."""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from apisim.results.headline import headline, reproduction
from apisim.results.page_tables import PageTable
from apisim.results.result import Result
from apisim.results.sections import Section, sections

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["plain_text", "render", "render_notes", "render_section", "render_sheet", "summary"]

_MIN_WIDTH: Final = 60


def summary(result: Result, *, width: int = 80) -> str:
    """The summary as plain text, notes included, lines ended by line feeds."""
    return plain_text([render(result), render_notes(result.notes)], width=width)


def plain_text(renderables: "Iterable[RenderableType]", *, width: int = 80) -> str:
    """What rich would show, as plain text, lines ended by line feeds.

    Parameters
    ----------
    renderables : iterable
        One below the other.
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
    for renderable in renderables:
        console.print(renderable, crop=False)
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    return "\n".join(lines).rstrip("\n") + "\n"


def render_sheet(headline: Iterable[str], sections: Iterable[Section]) -> "RenderableType":
    """Some lines, the first of which stands out, and tables, for a rich console."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [
        Text(line, style="" if at else "bold") for at, line in enumerate(headline)
    ]
    for section in sections:
        parts += [Text(""), render_section(section)]
    return Group(*parts)


def render(result: Result) -> "RenderableType":
    """The summary without its notes, for a rich console."""
    from rich.console import Group

    return Group(*_parts(result))


def render_notes(notes: Sequence[str]) -> "RenderableType":
    """The notes, one a paragraph, for a rich console."""
    from rich.table import Table
    from rich.text import Text

    if not notes:
        return Text("")
    table = Table.grid(padding=(0, 1))
    for note in notes:
        table.add_row("note:", Text(note))
    return table


def render_section(section: Section) -> "RenderableType":
    """One titled table with its remarks, for a rich console."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    remarks = (Padding(Text(remark), (0, 0, 0, 2)) for remark in section.remarks)
    return Group(PageTable(section), *remarks)


def _parts(result: Result) -> Iterator["RenderableType"]:
    from rich.text import Text

    for at, line in enumerate(headline(result)):
        yield Text(line, style="bold" if at == 0 else "")
    yield Text("")
    for section in sections(result):
        yield render_section(section)
        yield Text("")
    for line in reproduction(result):
        # A command stays one line, whatever the width: it is there to be copied.
        is_command = line.startswith(" ")
        yield Text(line, no_wrap=is_command, overflow="ignore" if is_command else "fold")
