r"""Tables of a summary that fit on a page of any width, with every number whole.

A table that is too wide gives way step by step: texts are broken between words, then the headings
of numbers, then texts inside words. Where that is not enough each row becomes a paragraph, as
``psql`` does it with ``\x auto``.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from apisim.results.section import DOUBTFUL, FAILED, PASSED, TOTAL, Section

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

__all__ = ["PageTable", "column_widths"]

_STYLES: Final = {TOTAL: "bold", FAILED: "bold red"}
#: Of a row's first cell alone: what is well should not shout.
_FIRST_STYLES: Final = {PASSED: "green", DOUBTFUL: "yellow"}
#: Between two columns.
_GAP: Final = 2
#: Texts are not broken into pieces shorter than this.
_SHORTEST: Final = 8


class PageTable:
    """One titled table, for a rich console.

    Parameters
    ----------
    section : Section
        Its remarks are left out.
    """

    def __init__(self, section: Section) -> None:
        self._section = section

    def __rich_console__(
        self, console: "Console", options: "ConsoleOptions"
    ) -> "Iterator[RenderableType]":
        widths = column_widths(self._section, options.max_width)
        if widths is None:
            yield from _paragraphs(self._section, options.max_width)
        else:
            yield _table(self._section, widths)


def column_widths(section: Section, width: int) -> list[int] | None:
    """Widths of the columns on a page; None where a table does not fit.

    Parameters
    ----------
    section : Section
    width : int
        Of the page [columns].

    Examples
    --------
    >>> from apisim.results.section import section
    >>> table = section("Routes", "Route|>Keys used up", [("GET /items/{itemId}", "12")])
    >>> column_widths(table, 80), column_widths(table, 30), column_widths(table, 22)
    ([19, 12], [16, 12], [15, 5])
    >>> column_widths(table, 13) is None
    True
    """
    columns = [_Column.of(section, at) for at in range(len(section.columns))]
    widths = [column.whole for column in columns]
    room = width - _GAP * (len(columns) - 1)
    for floors in zip(*(column.floors for column in columns), strict=True):
        _shrink(widths, floors, room)
    return widths if sum(widths) <= room else None


class _Column(NamedTuple):
    """How wide a column is, and how narrow it may become at each step."""

    whole: int
    floors: tuple[int, int, int]

    @classmethod
    def of(cls, section: Section, at: int) -> "_Column":
        from rich.cells import cell_len

        def longest(texts: Iterable[str]) -> int:
            return max(map(cell_len, texts), default=0)

        heading, cells = section.columns[at], [row[at] for row in section.rows]
        name = heading.removeprefix(">")
        whole = longest([name, *cells])
        if heading.startswith(">"):
            word = longest([*name.split(), *cells])
            return cls(whole, (whole, word, word))
        word = longest(word for text in (name, *cells) for word in text.split())
        word = min(max(word, _SHORTEST), whole)
        return cls(whole, (word, word, min(_SHORTEST, whole)))


def _shrink(widths: list[int], floors: Sequence[int], room: int) -> None:
    """Make the widest column narrower, one at a time, as long as one may."""
    while sum(widths) > room:
        above = [at for at, floor in enumerate(floors) if widths[at] > floor]
        if not above:
            return
        widths[max(above, key=lambda at: widths[at])] -= 1


def _table(section: Section, widths: Sequence[int]) -> "RenderableType":
    from rich import box
    from rich.align import Align
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(section.title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        collapse_padding=True,
    )
    for heading, width in zip(section.columns, widths, strict=True):
        side: Literal["left", "right"] = "right" if heading.startswith(">") else "left"
        # A heading of several lines stands on the rule.
        name = Align(Text(heading.removeprefix(">"), justify=side), side, vertical="bottom")
        table.add_column(name, justify=side, width=width, overflow="fold")
    for at, row in enumerate(section.rows):
        mark = section.marks.get(at, "")
        if mark == TOTAL and at:
            table.add_section()
        first = Text(row[0], style=_FIRST_STYLES.get(mark, ""))
        table.add_row(first, *(Text(cell) for cell in row[1:]), style=_STYLES.get(mark))
    return table


def _paragraphs(section: Section, width: int) -> "Iterator[RenderableType]":
    """Each row as its texts, and below them its numbers with their names."""
    from rich.text import Text

    yield Text(section.title, style="bold")
    is_number = [heading.startswith(">") for heading in section.columns]
    n_first = is_number.index(True) if any(is_number) else len(is_number)
    for at, row in enumerate(section.rows):
        mark = section.marks.get(at, "")
        style = _STYLES.get(mark, "")
        if mark == TOTAL and at:
            yield Text("")
        texts = Text("  ".join(filter(None, row[:n_first])), style=style)
        texts.stylize(_FIRST_STYLES.get(mark, ""), 0, len(row[0]))
        yield texts
        pairs = [
            f"{heading.removeprefix('>')}: {cell}"
            for heading, cell in zip(section.columns[n_first:], row[n_first:], strict=True)
            if cell
        ]
        yield from (Text(line, style=style) for line in _lines(pairs, width))
    if section.remarks:
        yield Text("")  # they are indented as the numbers are


def _lines(pairs: Sequence[str], width: int) -> Iterator[str]:
    """Pairs in lines of a width, indented, none broken unless it is longer than a line."""
    from rich.cells import cell_len

    line = ""
    for pair in pairs:
        longer = f"{line}  {pair}"
        if line and cell_len(longer) > width:
            yield line
            longer = f"  {pair}"
        line = longer
    if line:
        yield line
