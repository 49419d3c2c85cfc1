"""Reading access logs: exact times, interned text, and every kind of damage named by its row."""

import csv
import gzip
import io
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.scenario.problems import ScenarioError, TraceError
from apisim.traffic.trace import MAX_PROBLEMS, Trace, read_trace

HEADER = "timestamp_s,client,method,path,status,bytes"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write lines, or bytes as they are, to a file of a given name."""

    def _write(*lines: str, raw: bytes | None = None, name: str = "log.csv") -> Path:
        file = tmp_path / name
        file.write_bytes(raw if raw is not None else "".join(f"{x}\n" for x in lines).encode())
        return file

    return _write


def refusal(file: Path, **options: object) -> list[str]:
    """What is said about a trace, without the folder it is in."""
    with pytest.raises(TraceError) as caught:
        read_trace(file, **options)
    assert isinstance(caught.value, ScenarioError)
    return [str(problem).removeprefix(f"{file.parent}/") for problem in caught.value.problems]


def test_a_trace_is_read_into_packed_columns(write: Write) -> None:
    trace = read_trace(
        write(
            HEADER,
            "1700158546.680590,c1,GET,/a?x=%20y,200,17",
            "1700158546.680591,c2,POST,/a,500,",
            '1700158550,,GET,"/a?x=%20y",200,0',
            '1700158550.5,c1,GET,"/b,""c""",404,9007199254740992',
        )
    )
    assert trace.arrival_ns.tolist() == [0, 1_000, 3_319_410_000, 3_819_410_000]
    assert trace.clients == ["c1", "c2"]
    assert trace.client_index.tolist() == [0, 1, -1, 0]
    assert trace.targets == [("GET", "/a?x=%20y"), ("POST", "/a"), ("GET", '/b,"c"')]
    assert trace.target_index.tolist() == [0, 1, 0, 2]
    assert trace.response_bytes.tolist() == [17, -1, 0, 1 << 53]
    assert (len(trace), trace.n_skipped, trace.skipped) == (4, 0, ())
    columns = (trace.arrival_ns, trace.client_index, trace.target_index, trace.response_bytes)
    assert [column.dtype.str for column in columns] == ["<i8", "<i4", "<i4", "<i8"]


def test_only_time_method_and_path_are_needed_and_columns_stand_in_any_order(write: Write) -> None:
    trace = read_trace(write("path, extra ,method,timestamp_s", "/a,?,GET,3", "/b,!,PUT,4.25"))
    assert trace.arrival_ns.tolist() == [0, 1_250_000_000]
    assert trace.targets == [("GET", "/a"), ("PUT", "/b")]
    assert trace.client_index.tolist() == [-1, -1]
    assert trace.response_bytes.tolist() == [-1, -1]
    assert trace.clients == []


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log"])
def test_compression_is_told_by_content_not_by_name(write: Write, name: str) -> None:
    plain = f"{HEADER}\n1,c,GET,/,200,1\n2,c,GET,/,200,1\n".encode()
    for raw in (plain, gzip.compress(plain), gzip.compress(plain[:60]) + gzip.compress(plain[60:])):
        assert read_trace(write(raw=raw, name=name)).arrival_ns.tolist() == [0, 1_000_000_000]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\r\n1,c,GET,/,200,1\r\n2,d,GET,/b,200,1\r\n",
        f"\ufeff{HEADER}\n1,c,GET,/,200,1\n2,d,GET,/b,200,1",
        f"{HEADER}\n\n1,c,GET,/,200,1\n\n\n2,d,GET,/b,200,1\n\n",
        f"{HEADER}\r\n1,c,GET,/,200,1\r\n2,d,GET,/b,200,1\r",
    ],
    ids=["CRLF", "byte order mark", "blank lines", "cut off in a line end"],
)
def test_line_ends_and_marks_do_not_matter(write: Write, text: str) -> None:
    trace = read_trace(write(raw=text.encode()))
    assert trace.clients == ["c", "d"]
    assert trace.response_bytes.tolist() == [1, 1]


def test_text_beyond_ascii_is_kept(write: Write) -> None:
    trace = read_trace(write(HEADER, "1,Zoë,GET,/caf\u00e9/\u2028,200,1", "2,\U0001f600,GET,/,,"))
    assert trace.clients == ["Zoë", "\U0001f600"]
    assert trace.targets[0] == ("GET", "/caf\u00e9/\u2028")


@pytest.mark.parametrize(
    ("stamps", "speed", "arrival_ns"),
    [
        (["10", "11"], "2", [0, 500_000_000]),
        (["10", "11"], "0.5", [0, 2_000_000_000]),
        (["0", "1"], "3", [0, 333_333_333]),
        (["0", "2"], "3", [0, 666_666_667]),
        # half of a nanosecond goes to the even neighbour
        (["0", "0.000000001", "0.000000003"], "2", [0, 0, 2]),
        (["0", "0.0000000005", "0.0000000015"], "1", [0, 0, 2]),
        # the difference counts, not each rounded time
        (["0.0000000004", "0.0000000012"], "1", [0, 1]),
        (["1e9", "1.00000000025e9"], "1", [0, 250_000_000]),
        (["-1.5", "0", ".5", "1."], "1", [0, 1_500_000_000, 2_000_000_000, 2_500_000_000]),
        # too large for a product of 64 bits, exact all the same
        (["0", "4000000000"], "0.999999999999", [0, 4_000_000_000_004_000_000]),
        (["0", "3000000000.000000001"], "1.000000000001", [0, 2_999_999_999_997_000_001]),
    ],
)
def test_times_are_exact(
    write: Write, stamps: list[str], speed: str, arrival_ns: list[int]
) -> None:
    file = write("timestamp_s,method,path", *(f"{stamp},GET,/" for stamp in stamps))
    assert read_trace(file, speed=Fraction(speed)).arrival_ns.tolist() == arrival_ns


def test_a_float_would_have_lost_the_order(write: Write) -> None:
    # Both are the same double: 2^-22 s apart there is no other one.
    one, other = "1700158546.68059010", "1700158546.68059011"
    assert float(one) == float(other)
    trace = read_trace(write("timestamp_s,method,path", f"{one},GET,/", f"{other},GET,/"))
    assert trace.arrival_ns.tolist() == [0, 10]
    assert refusal(write("timestamp_s,method,path", f"{other},GET,/", f"{one},GET,/"))


def test_sorting_keeps_the_file_order_of_equal_times(write: Write) -> None:
    file = write(HEADER, "3,a,GET,/3,,30", "1,b,GET,/1,,10", "3,c,PUT,/3,,31", "1.0,d,GET,/1,,11")
    trace = read_trace(file, sort=True)
    assert trace.arrival_ns.tolist() == [0, 0, 2_000_000_000, 2_000_000_000]
    assert [trace.clients[i] for i in trace.client_index] == ["b", "d", "a", "c"]
    assert [trace.targets[i][1] for i in trace.target_index] == ["/1", "/1", "/3", "/3"]
    assert trace.response_bytes.tolist() == [10, 11, 30, 31]


def test_sorting_many_equal_times_is_stable(write: Write) -> None:
    stamps = [i * 7919 % 5 for i in range(1_000)]
    rows = (f"{stamp},c,GET,/,,{i}" for i, stamp in enumerate(stamps))
    trace = read_trace(write(HEADER, *rows), sort=True)
    assert trace.response_bytes.tolist() == sorted(range(1_000), key=stamps.__getitem__)


def test_a_step_back_is_seen_wherever_it_is(write: Write) -> None:
    file = write(
        HEADER, "1,c,GET,/,,", "9,c,GET,/,,", "9,c,GET,/,,", "8.5,c,GET,/,,", "9,c,GET,/,,"
    )
    (problem,) = refusal(file)
    assert problem.startswith("log.csv:5:1: timestamp_s: steps back in time by 0.5 s")


def test_sorting_sees_what_rounding_would_hide(write: Write) -> None:
    rows = ["0.00000000019,a,GET,/,,", "0.00000000012,b,GET,/,,", "0.0000000001,c,GET,/,,"]
    trace = read_trace(write(HEADER, *rows), sort=True)
    assert [trace.clients[i] for i in trace.client_index] == ["c", "b", "a"]
    assert trace.arrival_ns.tolist() == [0, 0, 0]


decimals = st.decimals(
    min_value=0, max_value=10**7, allow_nan=False, allow_infinity=False, places=None
).filter(lambda value: -24 <= value.as_tuple().exponent <= 0)


@given(
    st.lists(
        st.tuples(
            decimals,
            st.text(alphabet='ab,"', max_size=3),
            st.sampled_from(["GET", "POST"]),
            st.text(alphabet='a,/"?é', max_size=4),
            st.one_of(st.none(), st.integers(0, 10**9)),
        ),
        min_size=1,
        max_size=20,
    ),
    st.fractions(min_value=Fraction(1, 100), max_value=100, max_denominator=100),
    st.booleans(),
)
def test_it_reads_what_the_csv_and_decimal_modules_read(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[Decimal, str, str, str, int | None]],
    speed: Fraction,
    in_order: bool,
) -> None:
    if in_order:
        rows = sorted(rows, key=lambda row: row[0])
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER.split(","))
    for stamp, client, method, path, size in rows:
        writer.writerow(
            [f"{stamp:f}", client, method, "/" + path, 200, "" if size is None else size]
        )
    file = tmp_path_factory.mktemp("trace") / "log.csv"
    file.write_text(text.getvalue(), encoding="utf-8", newline="")

    trace = read_trace(file, speed=speed, sort=not in_order)

    rows = sorted(rows, key=lambda row: row[0])
    with localcontext(prec=60, rounding=ROUND_HALF_EVEN):
        ratio = Decimal(speed.denominator) * 10**9
        expected = [
            round(Fraction((row[0] - rows[0][0]) * ratio) / speed.numerator) for row in rows
        ]
    assert trace.arrival_ns.tolist() == expected
    assert [
        (trace.clients[c] if c >= 0 else "", *trace.targets[t], b if b >= 0 else None)
        for c, t, b in zip(
            trace.client_index.tolist(),
            trace.target_index.tolist(),
            trace.response_bytes.tolist(),
            strict=True,
        )
    ] == [(client, method, "/" + path, size) for _, client, method, path, size in rows]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("x,c,GET,/,200,1", "1: timestamp_s: 'x' is no number of seconds (such as"),
        (",c,GET,/,200,1", "1: timestamp_s: is missing (such as 1700158546.680590)"),
        ("nan,c,GET,/,200,1", "1: timestamp_s: 'nan' is no number of seconds"),
        ("inf,c,GET,/,200,1", "1: timestamp_s: 'inf' is no number of seconds"),
        ("1_000,c,GET,/,200,1", "1: timestamp_s: '1_000' is no number of seconds"),
        ("1:02,c,GET,/,200,1", "1: timestamp_s: '1:02' is no number of seconds"),
        ("\u0661,c,GET,/,200,1", "1: timestamp_s: '\u0661' is no number of seconds"),
        (".,c,GET,/,200,1", "1: timestamp_s: '.' is no number of seconds"),
        ("1e999,c,GET,/,200,1", "1: timestamp_s: '1e999' is no number of seconds"),
        ("9" * 90 + ",c,GET,/,200,1", "1: timestamp_s: '99999"),
        ("1e30,c,GET,/,200,1", "1: timestamp_s: 1e30 s is over 146 years from the first row"),
        ("4.9,c,GET,/,200,1", "1: timestamp_s: steps back in time by 0.1 s (write sort: true"),
        ("5,c,,/,200,1", "5: method: is missing (such as GET)"),
        ("5,c,G T,/,200,1", "5: method: 'G T' is no HTTP method"),
        ("5,c,GET,,200,1", "9: path: is missing"),
        ("5,c,GET,a/b,200,1", "9: path: 'a/b' does not start with /"),
        ("5,c,GET,http://h/,200,1", "9: path: 'http://h/' does not start with /"),
        ("5,c,GET,/,200,-1", "15: bytes: '-1' is no whole number of bytes"),
        ("5,c,GET,/,200,-", "15: bytes: '-' is no whole number of bytes"),
        ("5,c,GET,/,200,1.5", "15: bytes: '1.5' is no whole number of bytes"),
        ("5,c,GET,/,200,9007199254740993", "15: bytes: '9007199254740993' is no whole"),
        ('5,"a,b",GET,/,200,x', "19: bytes: 'x' is no whole number of bytes"),
        ("5,c,GET,/,200", "1: the row has 5 fields, the header 6"),
        ("5,c,GET,/a,b,200,1", "1: the row has 7 fields, the header 6 (a field that holds a comma"),
        ('5,"c,GET,/,200,1', "1: a double quote is not closed"),
        ('5,"c"d,GET,/,200,1', "1: ',' expected after '\"'"),
        ("5,c,GET,/a\0b,200,1", "11: the row has a NUL character"),
    ],
)
def test_a_bad_row_is_named_and_may_be_skipped(write: Write, row: str, said: str) -> None:
    file = write(HEADER, "5,c,GET,/,200,1", row, "6,c,GET,/,200,1")
    (problem,) = refusal(file)
    assert problem.startswith(f"log.csv:3:{said}"), problem
    trace = read_trace(file, skip_bad_rows=True)
    assert trace.arrival_ns.tolist() == [0, 1_000_000_000]
    assert trace.n_skipped == 1
    assert [str(p).removeprefix(f"{file.parent}/") for p in trace.skipped] == [problem]
    # Nothing of the row is left behind.
    assert (trace.clients, trace.targets) == (["c"], [("GET", "/")])


def test_bytes_that_are_not_utf8_are_named_by_row_and_column(write: Write) -> None:
    good = f"{HEADER}\n5,c,GET,/\u00e9,200,1\n".encode()
    for bad, byte in ((b"5,c,GET,/\xe9,200,1\n", "0xe9"), (b"5,c,GET,/\xed\xa0\x80,200,1", "0xed")):
        file = write(raw=good + bad)
        assert refusal(file) == [
            f"log.csv:3:10: the row has byte {byte}, which is not UTF-8 (save the file as UTF-8)"
        ]
        assert len(read_trace(file, skip_bad_rows=True)) == 1


def test_an_unclosed_quote_spoils_its_own_row_only(write: Write) -> None:
    file = write(HEADER, "1,c,GET,/,200,1", '2,"c,GET,/,200,1', '3,d",GET,/,200,1', "4,c,GET,/,,")
    assert refusal(file)[0].startswith("log.csv:3:1: a double quote is not closed")
    assert read_trace(file, skip_bad_rows=True).arrival_ns.tolist() == [0, 2 * 10**9, 3 * 10**9]


def test_several_bad_rows_are_named_at_once_but_not_all_of_a_thousand(write: Write) -> None:
    file = write(HEADER, "1,c,GET,/,200,1", "2,c,GET,/,200,x", "3,c,GET,,200,1")
    assert [problem.split(" ")[0] for problem in refusal(file)] == ["log.csv:3:15:", "log.csv:4:9:"]
    file = write(HEADER, "1,c,GET,/,200,1", *["0,c,GET,/,200,1"] * 1000)
    assert len(refusal(file)) == MAX_PROBLEMS == 20
    trace = read_trace(file, skip_bad_rows=True)
    assert (trace.n_skipped, len(trace.skipped), len(trace)) == (1000, 20, 1)


def test_a_row_left_out_does_not_set_the_clock(write: Write) -> None:
    file = write(HEADER, "9,c,GET,x,200,1", "5,c,GET,/,200,1", "8,c,GET,/,200,x", "6,c,GET,/,,")
    assert read_trace(file, skip_bad_rows=True).arrival_ns.tolist() == [0, 1_000_000_000]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", f"log.csv:1:1: the trace is empty; it starts with {HEADER}"),
        (b"\n\n", f"log.csv:1:1: the trace is empty; it starts with {HEADER}"),
        (HEADER.encode(), "log.csv:1:1: the trace has no row below its header"),
        (
            b"timestamp,method\n1,GET,/",
            "log.csv:1:1: the header has no column timestamp_s, path; it has timestamp, method (a",
        ),
        (
            b"key\n0\n",
            "log.csv:1:1: the header has no column timestamp_s, method, path; it has key",
        ),
        (
            b"timestamp_s,path,method,path\n1,/,GET,/",
            "log.csv:1:13: path: two columns have this name",
        ),
        (b"\xff\xfet\0i\0", "log.csv:1:1: the row has byte 0xff, which is not UTF-8"),
        (b"PK\x03\x04\0\0", "log.csv:1:5: the row has a NUL character"),
        (b"x" * 3_000_000, "log.csv:1:1: the line is longer than a megabyte (is this CSV?)"),
    ],
)
def test_a_file_that_is_no_trace_is_refused(write: Write, raw: bytes, said: str) -> None:
    for options in ({}, {"skip_bad_rows": True}):
        (problem,) = refusal(write(raw=raw), **options)
        assert problem.startswith(said), problem


def test_a_trace_of_nothing_but_bad_rows_says_so(write: Write) -> None:
    problems = refusal(write(HEADER, "x,c,GET,/,200,1"), skip_bad_rows=True)
    assert problems[0] == (
        "log.csv:1:1: the trace has no row below its header; 1 rows could not be read"
    )
    assert problems[1].startswith("log.csv:2:1: timestamp_s")


def test_a_damaged_archive_is_refused_where_it_breaks(write: Write) -> None:
    rows = [f"{i},c{i * 7919 % 1000},GET,/{i * 104729 % 9973},200,{i}" for i in range(100_000)]
    packed = gzip.compress("\n".join([HEADER, *rows]).encode())
    (cut,) = refusal(write(raw=packed[: len(packed) // 2], name="log.csv.gz"))
    assert "the compressed file is cut off here (fetch it again)" in cut
    assert int(cut.split(":")[1]) > 1
    wrong_sum = bytearray(packed)
    wrong_sum[-8] ^= 1
    (problem,) = refusal(write(raw=bytes(wrong_sum), name="log.csv.gz"))
    assert "the file cannot be read on: CRC check failed" in problem
    (problem,) = refusal(write(raw=b"\x1f\x8b rubbish", name="log.csv.gz"))
    assert "the file cannot be read on: " in problem


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for file in (tmp_path / "none.csv", tmp_path, Path("a\0b")):
        with pytest.raises(TraceError, match="cannot open the trace: "):
            read_trace(file)


def test_a_replay_of_centuries_is_refused(write: Write) -> None:
    file = write("timestamp_s,method,path", "0,GET,/", "4000000000,GET,/")
    (problem,) = refusal(file, speed=Fraction(1, 10))
    assert problem.startswith("log.csv:1:1: at speed 1/10 the trace lasts longer than 146 years")


@pytest.mark.parametrize("speed", [Fraction(0), Fraction(-1)])
def test_a_speed_is_positive(write: Write, speed: Fraction) -> None:
    with pytest.raises(ValueError, match="speed must be > 0"):
        read_trace(write(HEADER, "1,c,GET,/,200,1"), speed=speed)


def test_lines_across_the_reader_s_blocks_are_whole(write: Write) -> None:
    path = "/" + "é" * 500
    file = write(HEADER, *(f"{i},c,GET,{path}{i % 7},200,{i}" for i in range(5_000)))
    assert file.stat().st_size > 5 * (1 << 20) - 300_000
    trace = read_trace(file)
    assert trace.response_bytes.tolist() == list(range(5_000))
    assert trace.targets == [("GET", f"{path}{i}") for i in range(7)]


def test_a_long_trace_costs_tens_of_bytes_a_row(write: Write) -> None:
    n = 50_000
    trace: Trace = read_trace(
        write(HEADER, *(f"{i}.5,c{i % 9},GET,/{i % 11},200,1" for i in range(n)))
    )
    columns = (trace.arrival_ns, trace.client_index, trace.target_index, trace.response_bytes)
    assert sum(column.nbytes for column in columns) == 24 * n
    assert all(column.base is None or column.base.nbytes == column.nbytes for column in columns)
    assert np.all(np.diff(trace.arrival_ns) == 10**9)
