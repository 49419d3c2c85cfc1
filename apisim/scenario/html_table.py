"""A table as notebooks show it."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

__all__ = ["html_table"]


def html_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Mapping[int, str] | None = None
) -> str:
    """A table of text, with every cell escaped.

    Parameters
    ----------
    columns : sequence of str
        Headings; those that begin with ``>`` are of numbers and stand on the right.
    rows : iterable of sequences of str
        Cells.
    styles : mapping of int to str, optional
        CSS of rows that are set apart, by position.

    Examples
    --------
    >>> html_table(["a", ">b"], [["<1>", "2"]])  # doctest: +ELLIPSIS
    '<table><thead><tr><th scope="col" style="text-align: left">a</th>...&lt;1&gt;...'
    """
    aligns = ["right" if column.startswith(">") else "left" for column in columns]
    head = "".join(
        f'<th scope="col" style="text-align: {align}">{escape(column.removeprefix(">"))}</th>'
        for column, align in zip(columns, aligns, strict=True)
    )
    body = []
    for at, row in enumerate(rows):
        style = "" if styles is None else styles.get(at, "")
        cells = "".join(
            f'<td style="text-align: {align}">{escape(cell)}</td>'
            for cell, align in zip(row, aligns, strict=True)
        )
        body.append(f'<tr style="{style}">{cells}</tr>' if style else f"<tr>{cells}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
