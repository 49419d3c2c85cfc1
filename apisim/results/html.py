"""The summary for a notebook: the same sections as HTML tables."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from apisim.results.headline import headline, reproduction
from apisim.results.result import Result
from apisim.results.sections import FAILED, TOTAL, Section, sections
from apisim.scenario.html_table import html_table

__all__ = ["render_html", "render_page", "render_sections"]

_STYLES: Final = {TOTAL: "font-weight: bold", FAILED: "font-weight: bold; color: #c62828"}


def render_html(result: Result) -> str:
    """A fragment of HTML, with every text escaped and without scripts."""
    return render_page(headline(result), sections(result), result.notes, reproduction(result))


def render_page(
    headline: Sequence[str],
    sections: Iterable[Section],
    notes: Iterable[str],
    footer: Iterable[str] = (),
) -> str:
    """Any headline, tables, notes and last lines, in the same form."""
    first, *rest = headline
    parts = [f"<h3>{escape(first)}</h3>", *(f"<div>{escape(line)}</div>" for line in rest)]
    parts.append(_tables(sections))
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    if items:
        parts.append(f"<ul>{items}</ul>")
    # As text with its line breaks, so that the command can be copied.
    if lines := list(footer):
        parts.append(f"<pre>{escape(chr(10).join(lines))}</pre>")
    return f'<div class="apisim-result">{"".join(parts)}</div>'


def render_sections(sections: Iterable[Section]) -> str:
    """Tables alone, in the same form."""
    return f'<div class="apisim-result">{_tables(sections)}</div>'


def _tables(sections: Iterable[Section]) -> str:
    return "".join(_table(section) for section in sections)


def _table(section: Section) -> str:
    styles = {at: _STYLES[mark] for at, mark in section.marks.items() if mark in _STYLES}
    remarks = "".join(f"<div><small>{escape(remark)}</small></div>" for remark in section.remarks)
    table = html_table(section.columns, section.rows, styles)
    return f"<h4>{escape(section.title)}</h4>{table}{remarks}"
