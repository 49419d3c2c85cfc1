"""Bills of quantities from Python, and what consoles and notebooks show of a bill."""

from dataclasses import replace
from decimal import Decimal

import pytest

import apisim
from apisim.pricing import QuantityError, SettingError
from apisim.scenario.problems import ApisimError
from tests.support.figures import result_of
from tests.support.html_page import Page

CALLS = "apigateway.http.requests"

MONTH = """
apisim: 1
profile: ideal
apis: {a: {type: rest, routes: {GET /: {integration: {type: mock}, response_size: 1KB}}}}
traffic: {web: {phases: [{name: calm, duration: 5s, rate: 4}], mix: {GET /: 1}}}
pricing: {month: project, represents: steady}
"""


def test_the_page_loads_of_aws_cost_what_aws_prints() -> None:
    # https://aws.amazon.com/api-gateway/pricing/, "HTTP APIs", example 1
    bill = apisim.price({CALLS: 10_000 * 60 * 24 * 30})
    assert bill.total == Decimal("418.8")
    assert repr(bill).endswith(": 418.8 USD>")
    assert Page(bill._repr_html_()).rows == [
        ["Item", "Quantity", "Price", "Amount"],
        [CALLS, "300,000,000 requests", "$1.00/million", "$300.00"],
        ["", "132,000,000 requests", "$0.90/million", "$118.80"],
        ["Total, USD", "", "", "$418.80"],
    ]


def test_tiers_go_on_from_what_the_month_had_before() -> None:
    assert apisim.price({CALLS: 1_000_000}, month_to_date={CALLS: 300_000_000}).total == Decimal(
        "0.9"
    )


@pytest.mark.parametrize(
    ("quantities", "settings", "kind", "told"),
    [
        ({"apigateway.http.request": 1}, {}, QuantityError, "no such meter"),
        ({CALLS: -1}, {}, QuantityError, "from 0 to 10^18"),
        ({CALLS: "many"}, {}, QuantityError, "must be a decimal number"),
        ({CALLS: 1}, {"month_to_date": {"x": 1}}, QuantityError, "month_to_date"),
        ({CALLS: 1}, {"free_tier": "forever"}, SettingError, "no free tier 'forever'"),
        ({CALLS: 1}, {"book": "moon"}, ApisimError, "moon"),
    ],
)
def test_what_cannot_be_priced_is_said(quantities, settings, kind, told: str) -> None:
    with pytest.raises(kind) as error:
        apisim.price(quantities, **settings)
    assert told in str(error.value)


def test_a_bill_escapes_what_it_shows() -> None:
    bill = replace(apisim.price({CALLS: 1}), currency="<b>USD", notes=("<script>1 & 2",))
    page = Page(bill._repr_html_())
    assert page.rows[-1][0] == "Total, <b>USD"
    assert "<script>1 & 2" in page.text
    assert not {"b", "script"} & set(page.tags)


def test_the_bills_of_a_result_are_two_tables() -> None:
    bills = result_of(MONTH).bill
    page = Page(bills._repr_html_())
    titles = [row[0] for row in page.rows if row[0].startswith("Total")]
    assert titles == ["Total, USD"] * 2
    assert "Cost of the run (aws-us-east-1@" in page.text
    assert "Expected month, projected (aws-us-east-1@" in page.text
    run, month = (row[-1] for row in page.rows if row[0].startswith("Total"))
    assert float(month[1:]) > 1000 * float(run[1:]) > 0
    assert repr(bills).startswith("<Bills: run <Bill by aws-us-east-1@")
