"""Quantities with units: exact, with the unit that was meant, or refused."""

import re
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.scenario.formats import format_duration, format_rate, format_size
from apisim.scenario.units import (
    UnitError,
    parse_duration,
    parse_number,
    parse_rate,
    parse_share,
    parse_size,
    shown,
)

KIB = 1024


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("100ns", 100),
        ("500us", 500_000),
        ("500µs", 500_000),
        ("500\u03bcs", 500_000),
        ("1.5us", 1_500),
        ("250ms", 250_000_000),
        ("1.5s", 1_500_000_000),
        ("0.000001s", 1_000),
        ("10m", 600 * 10**9),
        ("10min", 600 * 10**9),
        ("1h30m", 5_400 * 10**9),
        ("1h 30m 5s", 5_405 * 10**9),
        ("2d", 172_800 * 10**9),
        (" 3 s ", 3 * 10**9),
        ("0s", 0),
        (0, 0),
    ],
)
def test_a_duration_is_whole_nanoseconds(text: object, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize("value", [30, 1.5, Decimal("0.5"), "30", " 30 ", "1.5", 10**9])
def test_a_bare_duration_is_refused_with_what_to_write(value: object) -> None:
    with pytest.raises(UnitError) as caught:
        parse_duration(value)
    assert "has no unit" in caught.value.message
    assert re.match(r"write \S+s or \S+ms$", caught.value.hint)


@pytest.mark.parametrize(
    "value",
    [
        "", "  ", "abc", "30x", "1e3s", "30m1h", "1s1s", "1,5s", "--1s", "-5s", "s", "1s garbage",
        "0.5ns", "1.0005us", "1.1234567s", True, None, [], {}, float("nan"), float("inf"),
        "9" * 5_000 + "s", "\u0661s",
    ],
)  # fmt: skip
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(UnitError):
        parse_duration(value)


@given(
    st.integers(0, 400),
    st.sampled_from(["days", "hours", "minutes", "seconds", "milliseconds"]),
    st.integers(0, 999),
)
def test_durations_agree_with_the_standard_library(whole: int, unit: str, thousandths: int) -> None:
    letters = {"minutes": "m", "milliseconds": "ms"}.get(unit, unit[0])
    expected = timedelta(**{unit: whole}) + timedelta(**{unit: thousandths}) / 1_000
    text = f"{whole}.{thousandths:03d}{letters}"
    assert parse_duration(text) == expected // timedelta(microseconds=1) * 1_000


@pytest.mark.parametrize("text", ["1h30m", "1d12h", "90m", "1h5s", "250ms", "3us", "1s500ms"])
def test_durations_agree_with_pandas(text: str) -> None:
    assert parse_duration(text) == pd.Timedelta(text.replace("d", "D")).value


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)))
def test_a_formatted_duration_reads_back(delta: timedelta) -> None:
    nanoseconds = (delta.days * 86_400 + delta.seconds) * 10**9 + delta.microseconds * 1_000 + 7
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


@given(st.integers(0, 10**18))
def test_any_formatted_duration_reads_back(nanoseconds: int) -> None:
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("300B", 300),
        ("64KB", 65_536),
        ("64KiB", 65_536),
        ("64kb", 65_536),
        ("1MB", KIB**2),
        ("1.5MiB", 3 * KIB**2 // 2),
        ("1.6GB", 1_717_986_918),  # 1.6 * 2^30 = 1,717,986,918.4
        ("1TB", KIB**4),
        (" 3 MB ", 3 * KIB**2),
        (0, 0),
    ],
)
def test_a_size_counts_1024_bytes_to_the_kilobyte(text: object, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("value", [300, "300", 1.5, "-1KB", "1XB", "KB", "1e99GB", True, None, ""])
def test_what_is_no_size_is_refused(value: object) -> None:
    with pytest.raises(UnitError):
        parse_size(value)


@given(st.integers(0, 2**50))
def test_a_formatted_size_reads_back(size_bytes: int) -> None:
    assert parse_size(format_size(size_bytes)) == size_bytes


@pytest.mark.parametrize(
    ("written", "per_second"),
    [
        (500, Fraction(500)),
        ("500", Fraction(500)),
        ("500/s", Fraction(500)),
        ("30/min", Fraction(1, 2)),
        ("100/min", Fraction(5, 3)),
        ("1/h", Fraction(1, 3_600)),
        ("1/d", Fraction(1, 86_400)),
        (0.3, Fraction(3, 10)),  # the decimal as written, not the double nearest to it
        (Decimal("0.000001"), Fraction(1, 10**6)),
        ("1.5e3/s", Fraction(1_500)),
        (0, Fraction(0)),
        (-3, Fraction(-3)),  # the caller's range refuses it
    ],
)
def test_a_rate_is_the_exact_decimal_as_written(written: object, per_second: Fraction) -> None:
    assert parse_rate(written) == per_second


@pytest.mark.parametrize(
    "value",
    [
        "1/m", "1/week", "a/s", "500 requests", "1//s", "nan/s", "inf", float("nan"), float("inf"),
        1e300, "1e300/s", Decimal("1e-400000000"), "1e400000000", 0.1234567, True, None,
        pytest.param(10**5_000, id="5,000 digits"),
        Decimal("1.00000000000000000000000000000000001"), "1" * 200 + "." + "0" * 200,
    ],
)  # fmt: skip
def test_what_is_no_rate_is_refused(value: object) -> None:
    with pytest.raises(UnitError):
        parse_rate(value)


@given(st.decimals(min_value=0, max_value=10**7, places=6))
def test_rates_agree_with_fraction(number: Decimal) -> None:
    assert parse_rate(number) == Fraction(number)
    assert parse_rate(f"{number:f}/min") == Fraction(number) / 60
    assert parse_rate(format_rate(Fraction(number))) == Fraction(number)


def test_a_minute_is_not_a_metre() -> None:
    with pytest.raises(UnitError) as caught:
        parse_rate("30/m")
    assert caught.value.hint == "write min for a minute"


@pytest.mark.parametrize(
    ("text", "share"), [("1%", 0.01), ("0.5%", 0.005), ("100%", 1.0), ("0%", 0.0), (0, 0.0)]
)
def test_a_share_is_written_in_percent(text: object, share: float) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize("value", [1, 0.01, "0.01", "101%", "-1%", "abc", "%", None, True, 1e-9])
def test_what_is_no_share_is_refused(value: object) -> None:
    with pytest.raises(UnitError):
        parse_share(value)


def test_a_share_without_percent_sign_shows_both_readings() -> None:
    with pytest.raises(UnitError) as caught:
        parse_share(0.5)
    assert caught.value.hint == "write 50%, or 0.5% if that was meant"


def test_a_number_in_quotes_says_so() -> None:
    with pytest.raises(UnitError) as caught:
        parse_number("1.1")
    assert caught.value.hint == "remove the quotes: 1.1"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        ({"a": 1}, "a mapping"),
        ((1,), "a list"),
        (Decimal("1E+9"), "1000000000"),
        (Decimal("1E+300"), "1E+300"),
        ('say "hi"', '"say \\"hi\\""'),
        ("two\nlines", '"two\\nlines"'),
        ("back\\slash", '"back\\\\slash"'),
        ("ünï-x \u65e5", '"ünï-x \u65e5"'),
        ("\x1b[2J\u202e\ud800", '"\\x1b[2J\\u202e\\ud800"'),
        ("x" * 100, '"' + "x" * 57 + '..."'),
    ],
)
def test_a_value_is_shown_in_one_short_line(value: object, text: str) -> None:
    assert shown(value) == text


@given(st.text(max_size=30) | st.integers() | st.floats() | st.decimals())
def test_no_reader_raises_anything_else(value: object) -> None:
    for parse in (parse_duration, parse_size, parse_rate, parse_share, parse_number):
        try:
            parse(value)
        except UnitError as error:
            assert str(error)  # noqa: PT017
