"""One titled table of the summary."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["DOUBTFUL", "FAILED", "PASSED", "TOTAL", "Section", "section"]

#: Kinds of rows that are set apart.
TOTAL: Final = "total"
FAILED: Final = "failed"
DOUBTFUL: Final = "doubtful"
PASSED: Final = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table of the summary.

    Attributes
    ----------
    title : str
        What it is about.
    columns : tuple of str
        Headings; those that begin with ``>`` are of numbers.
    rows : tuple of tuples of str
        Cells.
    marks : dict of int to str
        Rows that are set apart, by position: :data:`TOTAL`, :data:`FAILED`,
        :data:`DOUBTFUL` or :data:`PASSED`.
    remarks : tuple of str
        Sentences below the table.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: dict[int, str]
    remarks: tuple[str, ...] = ()


def section(
    title: str,
    columns: str,
    rows: Sequence[tuple[str, ...]],
    marks: dict[int, str] | None = None,
    remarks: tuple[str, ...] = (),
) -> Section | None:
    """Section with its columns as one text, or nothing where there are no rows."""
    if not rows:
        return None
    return Section(
        title=title,
        columns=tuple(columns.split("|")),
        rows=tuple(rows),
        marks=marks or {},
        remarks=remarks,
    )
