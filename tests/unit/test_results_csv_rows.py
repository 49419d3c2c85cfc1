"""The compiled CSV writer against Python's csv module."""

import csv
import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from apisim.results.csv_rows import NAME, NUMBER_OR_NOTHING, PART, RowFormat

NUMBERS = st.integers(-1, 2**63 - 1)
NAMES = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=6
)


def written(kinds, separators, names, columns):
    lines = RowFormat(kinds, separators, names).lines([np.array(c, np.int64) for c in columns])
    return b"".join(bytes(part) for part in lines).decode()


def expected(rows):
    text = io.StringIO()
    # Line ends inside names are quoted whichever line end the file has.
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        writer.writerow(row)
    return text.getvalue()


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20))
def test_numbers_are_written_as_the_csv_module_writes_them(rows):
    text = written([NUMBER_OR_NOTHING] * 2, [","], [], list(zip(*rows, strict=True)) or [[], []])
    assert text.replace("\n", "\r\n") == expected(
        [["" if value < 0 else value for value in row] for row in rows]
    )


def test_numbers_of_every_length_and_their_neighbours_are_written_in_full():
    values = sorted({0, 2**63 - 1, *(10**n + k for n in range(19) for k in (-1, 0, 1))})
    text = written([NUMBER_OR_NOTHING], [], [], [values])
    assert text.split() == [str(value) for value in values]


@given(NAMES, st.data())
def test_names_are_quoted_as_the_csv_module_quotes_them(names, data):
    places = data.draw(st.lists(st.integers(-1, len(names) - 1), min_size=1, max_size=10))
    text = written([NAME, NUMBER_OR_NOTHING], [","], names, [places, [1] * len(places)])
    rows = [["" if place < 0 else names[place], 1] for place in places]
    assert text == expected(rows).replace(",1\r\n", ",1\n")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [[row[0], "1"] for row in rows]


def test_a_field_may_be_made_of_several_columns():
    kinds = [NAME, NUMBER_OR_NOTHING, NAME, PART, NUMBER_OR_NOTHING]
    text = written(
        kinds, ["/", ",", "", ","], ["web", "office"], [[0, 1], [7, 8], [0, 1], [-1, 25], [1, 2]]
    )
    assert text == "web/7,web,1\noffice/8,office/25,2\n"


def test_more_rows_than_fit_in_one_piece_are_all_written():
    values = list(range(10_000))
    assert written([NUMBER_OR_NOTHING], [], [], [values]).split() == [str(n) for n in values]
