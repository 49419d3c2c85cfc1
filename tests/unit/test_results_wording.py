"""Numbers as people read them."""

import doctest
import math

import pytest

from apisim.results import wording
from apisim.results.wording import moment_text, rate_text, share_text, time_text


def test_the_examples_of_the_docstrings_hold():
    outcome = doctest.testmod(wording)
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "0 ms"),
        (0.00042, "0.420 µs"),
        (0.9994, "999 µs"),
        (0.9996, "1 ms"),
        (999.4, "999 ms"),
        (999.6, "1 s"),
        (119_000, "119 s"),
        (120_000, "2 min"),
        (7_200_000, "2 h"),
        (math.nan, "-"),
    ],
)
def test_a_time_has_three_digits_and_the_unit_that_suits_it(time_ms, text):
    assert time_text(time_ms) == text


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (0.0, "0 s"),
        (9.98, "9.98 s"),
        (60.0, "1m 00.0s"),
        (3599.96, "1h 00m 00s"),
        (86_400, "24h 00m 00s"),
    ],
)
def test_a_moment_can_be_looked_up(time_s, text):
    assert moment_text(time_s) == text


def test_what_does_not_exist_is_a_dash():
    assert [rate_text(math.nan), share_text(math.nan), moment_text(math.nan)] == ["-"] * 3


@pytest.mark.parametrize("share", [1e-9, 1e-4, 0.0005, 0.9999, 1 - 1e-9])
def test_a_share_that_is_not_all_is_never_shown_as_none_or_all(share):
    assert share_text(share) not in {"0%", "0.0%", "100%", "100.0%"}
    assert float(share_text(share).removesuffix("%")) / 100 == pytest.approx(share, rel=0.6)
