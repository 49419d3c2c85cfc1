"""Whatever was used and however it is shared: every subtotal of a bill adds up to it exactly."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from apisim.pricing import load_book, rate
from apisim.pricing.allocation import RULES, UNALLOCATED, Group, Item, allocate, rule_shares
from apisim.results.cost_items import BEFORE_WAF
from apisim.results.costs import Costs
from apisim.results.usage_groups import MEASURES, GroupedUsage
from apisim.scenario import ScenarioError
from apisim.studies import run
from tests.equivalence.scenarios import Case, scenarios

BOOK = load_book("aws-us-east-1")
METERS = ("apigateway.rest.requests", "datatransfer.out.internet", "lambda.requests")

amounts = st.fractions(0, 10**9, max_denominator=3_600_000)
groups = st.sampled_from([("a",), ("b",), ("c", "d")])
items = st.builds(
    Item,
    quantities=st.dictionaries(st.sampled_from(METERS), amounts),
    shares=st.dictionaries(groups, st.integers(0, 10**12)),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of one example after the other are written."""
    return tmp_path_factory.mktemp("case")


def total(found: Mapping[Group, Mapping[str, Fraction]]) -> Fraction:
    return sum((sum(meters.values(), Fraction(0)) for meters in found.values()), Fraction(0))


@given(
    used=st.lists(items, max_size=6), forgotten=st.dictionaries(st.sampled_from(METERS), amounts)
)
def test_an_allocation_adds_up_to_its_bill(
    used: list[Item], forgotten: dict[str, Fraction]
) -> None:
    quantities = dict(forgotten)
    for item in used:
        for meter, quantity in item.quantities.items():
            quantities[meter] = quantities.get(meter, Fraction(0)) + quantity
    bill = rate(BOOK, quantities, free_tier="always-free")
    found = allocate(bill, used)
    assert total(found) == bill.exact_total
    for line in bill.lines:
        parts = (meters.get(line.meter.name, Fraction(0)) for meters in found.values())
        assert sum(parts, Fraction(0)) == line.amount


@given(counts=st.dictionaries(groups, st.integers(0, 10**9)), rule=st.sampled_from(RULES))
def test_a_rule_shares_among_those_it_may_belong_to(counts: dict[Group, int], rule: str) -> None:
    shares = rule_shares(rule, counts, counts)  # type: ignore[arg-type]
    assert set(shares) <= set(counts)
    assert UNALLOCATED not in shares
    if len(counts) == 1:
        assert list(shares.values()) == [1]
    elif rule == "unallocated":
        assert not shares


@settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    deadline=None,
)
@given(case=scenarios(), rule=st.sampled_from(RULES), projects=st.booleans())
def test_every_subtotal_of_a_run_adds_up_to_its_bill(
    case: Case, rule: str, projects: bool, folder: Path
) -> None:
    pricing = {"allocation": rule, "by": ["route", "customer", "plan", "client", "api"]}
    if projects:
        pricing |= {"month": "project", "represents": "steady"}
    case.data["pricing"] = pricing
    case.data["replications"] = 2
    try:
        result = run(case.load(folder), engine="simpy")
    except ScenarioError as error:
        # Sessions without an end have no length that stands for a part of a month.
        assume("pricing.month" not in str(error))
        raise
    check(result.costs.run)
    if result.costs.month is not None:
        check(result.costs.month)
    check_web_acls(result.costs.grouped)
    result.to_dict()
    result.summary()
    assert set(result.frame("costs")["bill"]) <= {"run", "month"}


def check_web_acls(grouped: GroupedUsage) -> None:
    """Requests that came as far as a web ACL, by their answers, are those it looked at."""
    for source, usage in grouped.run.sources.items():
        for acl in usage.wafs:
            owners = [(one.source, one.api) == (source, acl.api) for one in grouped.owners]
            counts = grouped.run.counts[owners][:, :, MEASURES.index("requests")].sum(axis=0)
            counts[list(BEFORE_WAF)] = 0
            assert counts.sum() == acl.requests


def check(costs: Costs) -> None:
    whole = costs.bill.exact_total
    for rows in (costs.by_api, costs.by_route, costs.by_client):
        assert sum((row.amount for row in rows), Fraction(0)) == whole
        assert all(row.amount >= 0 for row in rows)
        if not any(row.is_nobody for row in rows):
            assert sum((row.requests for row in rows), Fraction(0)) == costs.requests
    for most in (0, 1, 20):
        rows = costs.customers.top(most)
        assert sum((row.cost for row in rows), Fraction(0)) == whole
        assert all(row.cost >= 0 for row in rows)
    plans = costs.customers.by_plan()
    assert sum((row.cost for row in plans), Fraction(0)) == whole
    assert sum((row.requests for row in plans), Fraction(0)) == costs.requests
    assert 0 <= costs.refused_amount <= costs.by_use
    assert costs.by_time >= 0
    assert costs.by_time + costs.by_use == whole
