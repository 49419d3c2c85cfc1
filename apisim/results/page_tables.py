r"""Tables of a summary that fit on a page of any width, with every number whole.

A table that is too wide gives way step by step: texts are broken between words, then the headings
of numbers, then names after their dots, slashes, colons and strokes. Where that is not enough each
row becomes a paragraph, as ``psql`` does it with ``\x auto``.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from apisim.results.section import DOUBTFUL, FAILED, PASSED, TOTAL, Section

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

__all__ = ["PageTable", "column_widths", "name_parts"]

_STYLES: Final = {TOTAL: "bold", FAILED: "bold red"}
#: Of a row's first cell alone: what is well should not shout.
_FIRST_STYLES: Final = {PASSED: "green", DOUBTFUL: "yellow"}
#: Between two columns.
_GAP: Final = 2
#: Columns of texts are not made narrower than this.
_SHORTEST: Final = 8
#: Where a name may be broken: behind what joins its parts, but not inside a number.
_JOINT: Final = re.compile(r"(?<=[^\W\d_]|[}\]])[./_:-](?=[\w{])")


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
    >>> column_widths(table, 16), column_widths(table, 13) is None
    ([10, 4], True)
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
        words = [word for text in (name, *cells) for word in text.split()]
        word, part = longest(words), longest(part for word in words for part in name_parts(word))
        word, part = (min(max(floor, _SHORTEST), whole) for floor in (word, part))
        return cls(whole, (word, word, part))


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
        cells = [
            cell if heading.startswith(">") else _folded(cell, width)
            for heading, cell, width in zip(section.columns, row, widths, strict=True)
        ]
        first = Text(cells[0], style=_FIRST_STYLES.get(mark, ""))
        table.add_row(first, *map(Text, cells[1:]), style=_STYLES.get(mark))
    return table


def name_parts(word: str) -> list[str]:
    """Parts of a name that stay whole.

    Examples
    --------
    >>> name_parts("apigateway.websocket.connection_minutes")
    ['apigateway.', 'websocket.', 'connection_', 'minutes']
    >>> name_parts("/items/{id}"), name_parts("p99.9")
    (['/items/', '{id}'], ['p99.9'])
    """
    ends = [0, *(joint.end() for joint in _JOINT.finditer(word)), len(word)]
    return [word[begin:end] for begin, end in pairwise(ends)]


def _folded(text: str, width: int) -> str:
    r"""A text in lines of a width, broken inside of words only where one is longer than a line.

    Examples
    --------
    >>> _folded("GET /items/{id}", 11), _folded("GET /items/{id}", 8)
    ('GET\n/items/{id}', 'GET\n/items/\n{id}')
    """
    from rich.cells import cell_len

    lines: list[str] = []
    for word in text.split():
        begins_line = not lines or cell_len(f"{lines[-1]} {word}") > width
        for at, part in enumerate([word] if cell_len(word) <= width else name_parts(word)):
            if at and cell_len(lines[-1] + part) <= width:
                lines[-1] += part
            elif at or begins_line:
                lines.append(part)
            else:
                lines[-1] += f" {part}"
    return "\n".join(lines)


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
