"""Several months: tiers begin anew, plans end, credits pay until they are used up."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.pricing import SettingError, load_book, rate
from apisim.pricing.months import Credit, month_after, rate_months

BOOK = load_book("aws-us-east-1")
REST, CACHE = "apigateway.rest.requests", "apigateway.cache.1.6"
NOVEMBER = date(2026, 11, 1)


def test_each_month_begins_with_the_first_tier() -> None:
    statement = rate_months(BOOK, [{REST: 500_000_000}] * 2, first_day=NOVEMBER)
    one = rate(BOOK, {REST: 500_000_000}).exact_total
    assert statement.total == 2 * one > rate(BOOK, {REST: 1_000_000_000}).exact_total
    assert [month.name for month in statement.months] == ["2026-11", "2026-12"]


def test_a_plan_of_twelve_months_ends_with_the_twelfth() -> None:
    statement = rate_months(
        BOOK,
        [{REST: 1_000_000}] * 4,
        first_day=NOVEMBER,
        free_tier="legacy-12-month",
        account_months=10,
    )
    assert [str(month.bill.total) for month in statement.months] == ["0", "0", "3.5", "3.5"]


def test_a_plan_without_an_end_goes_on() -> None:
    months = [{"lambda.requests": 1_000_000}] * 14
    statement = rate_months(BOOK, months, first_day=NOVEMBER, free_tier="always-free")
    assert statement.total == 0


def test_a_credit_is_used_up_and_the_rest_is_paid() -> None:
    credit = Credit(name="new", amount=Decimal(200))
    months = [{REST: 40_000_000}] * 3
    statement = rate_months(BOOK, months, first_day=NOVEMBER, granted=[credit])
    assert [month.paid for month in statement.months] == [140, 60, 0]
    assert (statement.total, statement.due) == (420, 220)
    assert statement.left == ((credit, Fraction(0)),)


def test_what_ends_first_is_used_first_and_pays_nothing_after_its_end() -> None:
    late = Credit(name="late", amount=Decimal(1000))
    soon = Credit(name="soon", amount=Decimal(200), until=date(2026, 12, 31))
    months = [{REST: 10_000_000}] * 3
    statement = rate_months(BOOK, months, first_day=NOVEMBER, granted=[late, soon])
    paid = [[(one.name, amount) for one, amount in month.credits] for month in statement.months]
    assert paid == [[("soon", 35)], [("soon", 35)], [("late", 35)]]
    assert {one.name: left for one, left in statement.left} == {"late": 965, "soon": 130}
    assert [(one.name, left) for one, left in statement.usable] == [("late", 965)]
    assert [(one.name, left) for one, left in statement.lapsed] == [("soon", 130)]
    december = rate_months(BOOK, months[:1], first_day=NOVEMBER, granted=[late, soon])
    assert [one.name for one, _ in december.usable] == ["late", "soon"]


def test_two_credits_of_one_name_are_two() -> None:
    twice = [Credit(name="credit", amount=Decimal(50))] * 2
    statement = rate_months(BOOK, [{REST: 40_000_000}], first_day=NOVEMBER, granted=twice)
    assert statement.due == 40


def test_an_unknown_plan_is_refused_and_no_month_is_none() -> None:
    with pytest.raises(SettingError, match="no free tier"):
        rate_months(BOOK, [{REST: 1}], first_day=NOVEMBER, free_tier="free")
    with pytest.raises(ValueError, match="at least one month"):
        rate_months(BOOK, [], first_day=NOVEMBER)


def test_december_is_before_january() -> None:
    assert month_after(date(2026, 12, 31)) == date(2027, 1, 1)


quantities = st.fixed_dictionaries(
    {REST: st.integers(0, 10**10), CACHE: st.fractions(0, 744, max_denominator=3_600)}
)
amounts = st.decimals("0.01", "100000", places=2)
ends = st.none() | st.dates(date(2026, 10, 1), date(2027, 12, 31))
credit_lists = st.lists(
    st.builds(Credit, name=st.just("c"), amount=amounts, until=ends), max_size=4
)


@given(months=st.lists(quantities, min_size=1, max_size=14), granted=credit_lists)
def test_nothing_is_lost_between_bills_and_credits(
    months: list[dict[str, Fraction]], granted: list[Credit]
) -> None:
    statement = rate_months(BOOK, months, first_day=NOVEMBER, granted=granted)
    alone = [rate(BOOK, used).exact_total for used in months]
    assert [month.bill.exact_total for month in statement.months] == alone
    assert statement.total == sum(alone)
    assert all(month.due >= 0 for month in statement.months)
    assert all(left >= 0 for _, left in statement.left)
    paid = sum(month.paid for month in statement.months)
    unused = sum(left for _, left in statement.left)
    assert paid + unused == sum(Fraction(credit.amount) for credit in granted)
    assert statement.due == statement.total - paid
    read = statement.to_dict()
    assert Fraction(read["total"]) + Fraction(read["credits"]) == pytest.approx(
        Fraction(read["due"]), abs=1e-9
    )
