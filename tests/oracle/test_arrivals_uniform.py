"""Evenly spaced arrivals and published counts fall exactly where the integrated rate says."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import pytest

from tests.support.experiments import Data, mock_api, prepare, rows_of, run, scenario

pytestmark = pytest.mark.oracle

SECOND_NS = 1_000_000_000
#: Operational time is held in parts of 2**-29 of an arrival, rounded once a piece.
PART = Fraction(1, 1 << 29)


class Piece(NamedTuple):
    """A stretch of linear rate: length [s], rate at its start and end [1/s]."""

    length: Fraction
    low: Fraction
    high: Fraction


PIECES = [
    Piece(Fraction(20), Fraction(0), Fraction(40)),
    Piece(Fraction(7), Fraction(40), Fraction(40)),
    Piece(Fraction(5), Fraction(0), Fraction(0)),
    Piece(Fraction(10), Fraction(90), Fraction("0.3")),
    Piece(Fraction(600), Fraction("0.3"), Fraction("0.3")),
    Piece(Fraction("2.5"), Fraction(100, 60), Fraction(1000)),
    Piece(Fraction(10), Fraction(7), Fraction(0)),
]


def phases(pieces: Sequence[Piece]) -> list[Data]:
    written = []
    for at, piece in enumerate(pieces):
        name = f"piece-{at}"
        length = f"{float(piece.length)}s"
        if piece.low == piece.high == 0:
            written.append({"name": name, "pause": length})
            continue
        rate = "100/min" if piece.low == Fraction(100, 60) else f"{float(piece.low)}/s"
        phase = {"name": name, "duration": length, "rate": rate}
        if piece.high != piece.low:
            phase["ramp_to"] = f"{float(piece.high)}/s"
        written.append(phase)
    return written


def integrated(pieces: Sequence[Piece], at: Fraction) -> Fraction:
    """Expected arrivals by time ``at`` [s]."""
    total = Fraction(0)
    for piece in pieces:
        spent = min(max(at, Fraction(0)), piece.length)
        total += piece.low * spent + (piece.high - piece.low) * spent * spent / piece.length / 2
        at -= piece.length
    return total


def uniform(phases: list[Data], **more: object) -> Data:
    source = {"arrivals": "uniform", "phases": phases, "mix": {"GET /": 1}, **more}
    return scenario(apis=mock_api(), traffic={"open": source})


@pytest.mark.parametrize("offset", ["0", "0.999999"])
def test_the_kth_arrival_is_where_the_integrated_rate_reaches_phi_plus_k(offset: str) -> None:
    """Ramps, pauses and steps; to the nanosecond, by the exact integral a nanosecond around."""
    _, rows = rows_of(prepare(uniform(phases(PIECES), offset=float(offset))))
    phi = Fraction(offset)
    whole = integrated(PIECES, sum((piece.length for piece in PIECES), Fraction(0)))
    assert len(rows) == -((phi - whole) // 1)  # the end is exclusive
    slack = PART * (len(PIECES) + 1)
    near = Fraction(1, SECOND_NS)
    for k, time_ns in enumerate(rows["arrival_ns"].tolist()):
        time = Fraction(time_ns, SECOND_NS)
        assert integrated(PIECES, time - near) <= phi + k + slack
        assert integrated(PIECES, time + near) >= phi + k - slack


@pytest.mark.parametrize(
    ("rate", "exact", "minutes"),
    [
        ("3/s", Fraction(3), 30),
        ("7/s", Fraction(7), 30),
        ("800/s", Fraction(800), 1),
        ("0.3/s", Fraction(3, 10), 600),
        ("100/min", Fraction(5, 3), 60),
    ],
)
def test_a_constant_rate_gives_the_rounded_multiples_of_its_gap(
    rate: str, exact: Fraction, minutes: int
) -> None:
    load = [{"name": "p", "duration": f"{minutes}m", "rate": rate}]
    _, rows = rows_of(prepare(uniform(load, offset=0)))
    gap_ns = SECOND_NS / exact
    expected = [round(k * gap_ns) for k in range(-(-60 * minutes * exact // 1))]
    assert rows["arrival_ns"].tolist() == expected


def test_evenly_spread_counts_are_met_in_every_period() -> None:
    counts = [105, 0, 1, 11_321, 98, 7, 0, 0, 59]
    load = [{"name": "match", "per": "1m", "counts": counts}]
    _, rows = rows_of(prepare(uniform(load, offset=0)))
    minutes = (rows["arrival_ns"] // (60 * SECOND_NS)).tolist()
    assert [minutes.count(at) for at in range(len(counts))] == counts


def test_phases_follow_each_other_without_a_gap_or_an_overlap() -> None:
    """The same rate in one phase, or cut into three: the same arrivals."""
    one = prepare(uniform([{"name": "a", "duration": "60s", "rate": "33/s"}], offset=0.25))
    three = [
        {"name": name, "duration": length, "rate": "33/s"}
        for name, length in (("a", "7s"), ("b", "13s"), ("c", "40s"))
    ]
    cut = prepare(uniform(three, offset=0.25))
    assert rows_of(one)[1]["arrival_ns"].tolist() == rows_of(cut)[1]["arrival_ns"].tolist()
    assert run(cut).recorder.counts.sum(axis=1).tolist() == [231, 429, 1320]
