"""Tables of points that fit a page: what was varied in each, and as many measures as there is room.

A measure that reads the same at every point is one remark instead of a column.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from apisim.results.section import FAILED, Section

__all__ = ["point_tables"]

#: Columns of characters of a page, and of what was varied at most.
_PAGE: Final = 80
_WIDEST_NAME: Final = 24
#: Between two columns.
_GAP: Final = 2


def point_tables(
    title: str,
    names: Sequence[str],
    points: Sequence[Sequence[str]],
    cells: Mapping[str, Sequence[str]],
    *,
    failed: frozenset[int] = frozenset(),
    remarks: Sequence[str] = (),
) -> list[Section]:
    """Tables with one row for each point.

    Parameters
    ----------
    title : str
    names : sequence of str
        Of what was varied.
    points : sequence of sequence of str
        Its values, point by point.
    cells : mapping of str to sequence of str
        Of each measure what it reads, point by point.
    failed : set of int
        Points that have none.
    remarks : sequence of str
        Below the last table.

    Examples
    --------
    >>> (table,) = point_tables("P", ["a"], [["1"], ["2"]], {"x": ["5", "6"], "y": ["0", "0"]})
    >>> table.columns, table.rows, table.remarks
    (('a', '>x'), (('1', '5'), ('2', '6')), ('y: 0 at every point',))
    """
    known = [at for at in range(len(points)) if at not in failed]
    same = [label for label, texts in cells.items() if len({texts[at] for at in known}) == 1]
    if len(known) < 2:
        same = []
    shown = [label for label in cells if label not in same] or list(cells)[:1]
    told = [f"{label}: {cells[label][known[0]]} at every point" for label in same]
    told = [line for line in told if line.partition(":")[0] not in shown]
    marks = dict.fromkeys(sorted(failed), FAILED)
    tables = _divided(shown, names, points, cells)
    return [
        Section(
            title=title if at == 0 else f"{title}, continued",
            columns=(*names, *(f">{label}" for label in labels)),
            rows=tuple(
                (*point, *(cells[label][row] for label in labels))
                for row, point in enumerate(points)
            ),
            marks=marks,
            remarks=() if at < len(tables) - 1 else (*told, *remarks),
        )
        for at, labels in enumerate(tables)
    ]


def _divided(
    labels: Sequence[str],
    names: Sequence[str],
    points: Sequence[Sequence[str]],
    cells: Mapping[str, Sequence[str]],
) -> list[list[str]]:
    """Measures by table."""
    columns = [[name, *(point[at] for point in points)] for at, name in enumerate(names)]
    taken = sum(min(max(map(len, column)), _WIDEST_NAME) + _GAP for column in columns)
    tables: list[list[str]] = [[]]
    left = _PAGE - taken
    for label in labels:
        width = max(len(label), *map(len, cells[label])) + _GAP
        if tables[-1] and width > left:
            tables.append([])
            left = _PAGE - taken
        tables[-1].append(label)
        left -= width
    return tables
