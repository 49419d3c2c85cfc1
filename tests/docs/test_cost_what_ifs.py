"""The page of what-ifs is what the books and the runs make it, and its numbers are right."""

from fractions import Fraction

import pytest

from apisim.pricing import load_book
from tests.docs.cost_what_ifs import PAGE, break_even_gb_s, marginal_savings, net_a_day, page

BOOK = load_book("aws-us-east-1")


def test_the_page_is_what_the_package_makes_it() -> None:
    hint = "write it anew: python -m tests.docs.cost_what_ifs"
    assert PAGE.read_text(encoding="utf-8") == page(), hint


def test_the_next_million_is_cheaper_by_so_much() -> None:
    shares = [round(100 * float(share), 1) for *_, share in marginal_savings(BOOK)]
    assert shares == [71.4, 74.3, 67.9, 62.2, 40.4]


def test_a_cache_breaks_even_where_what_it_spares_costs_as_much() -> None:
    even = break_even_gb_s(BOOK)
    assert float(even) == pytest.approx(0.0488, abs=0.00005)
    # 512 MB are half a GB: 97 ms are less than that, 98 ms are more.
    assert net_a_day(BOOK, 512, 97) < 0 < net_a_day(BOOK, 512, 98)
    assert 97 < 2000 * even < 98


def test_without_duration_the_cache_loses_what_the_example_says() -> None:
    assert net_a_day(BOOK, 512, 0) == Fraction("-0.732")
