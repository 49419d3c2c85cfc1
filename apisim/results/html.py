"""The summary for a notebook: the same sections as HTML tables."""

from html import escape
from typing import Final

from apisim.results.headline import headline, reproduction
from apisim.results.result import Result
from apisim.results.sections import FAILED, TOTAL, Section, sections

__all__ = ["render_html"]

_STYLES: Final = {TOTAL: "font-weight: bold", FAILED: "font-weight: bold; color: #c62828"}


def render_html(result: Result) -> str:
    """A fragment of HTML, with every text escaped and without scripts."""
    first, *rest = headline(result)
    parts = [f"<h3>{escape(first)}</h3>", *(f"<div>{escape(line)}</div>" for line in rest)]
    parts += [_table(section) for section in sections(result)]
    notes = "".join(f"<li>{escape(note)}</li>" for note in result.notes)
    if notes:
        parts.append(f"<ul>{notes}</ul>")
    # As text with its line breaks, so that the command can be copied.
    parts.append(f"<pre>{escape(chr(10).join(reproduction(result)))}</pre>")
    return f'<div class="apisim-result">{"".join(parts)}</div>'


def _table(section: Section) -> str:
    aligns = ["right" if column.startswith(">") else "left" for column in section.columns]
    head = "".join(
        f'<th scope="col" style="text-align: {align}">{escape(column.removeprefix(">"))}</th>'
        for column, align in zip(section.columns, aligns, strict=True)
    )
    body = []
    for at, row in enumerate(section.rows):
        style = _STYLES.get(section.marks.get(at, ""), "")
        cells = "".join(
            f'<td style="text-align: {align}">{escape(cell)}</td>'
            for cell, align in zip(row, aligns, strict=True)
        )
        body.append(f'<tr style="{style}">{cells}</tr>')
    remarks = "".join(f"<div><small>{escape(remark)}</small></div>" for remark in section.remarks)
    return (
        f"<h4>{escape(section.title)}</h4><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table>{remarks}"
    )
