"""Whose cost it is, by hand: what each route, caller and customer used, times the list's prices."""

import json
from fractions import Fraction
from typing import Any

import pytest

from apisim.results.costs import CostRow, Costs
from apisim.results.customer_costs import NO_CUSTOMER
from apisim.results.result import Result
from apisim.scenario import loads
from apisim.studies import run

KB = 1 << 10
GB = 1 << 30
MONTH_H = 730
# aws-us-east-1, first tiers.
CALL = Fraction("0.0000035")
HTTP_CALL = Fraction("0.000001")
SENT = Fraction("0.09") / GB
INVOCATION = Fraction("0.0000002")
GB_SECOND = Fraction("0.0000166667")
CACHE_HOUR = Fraction("0.02")
TEN_S = Fraction(10, 3600)
REFUSAL = len('{"message":"Too Many Requests"}')
DENIAL = len('{"message":"Limit Exceeded"}')

LAMBDA = {"integration": {"type": "lambda_proxy", "function": "f"}, "request_size": "1KB"}
PROXY = {"integration": {"type": "http_proxy", "endpoint": "e"}, "request_size": "1KB"}


def evenly(rate: str, mix: dict[str, int], **more: Any) -> dict[str, Any]:
    """Ten seconds of a source without any chance in it."""
    phases = [{"duration": "10s", "rate": rate}]
    return {"arrivals": "uniform", "offset": 0, "phases": phases, "mix": mix, **more}


def simulated(**parts: Any) -> Result:
    """Two routes, 100 requests of one and 50 of another source, and a cache that nobody uses."""
    scenario: dict[str, Any] = {
        "apisim": 1,
        "profile": "ideal",
        "apis": {
            "shop": {
                "type": "rest",
                "stage": {"cache_cluster_size": "0.5"},
                "routes": {
                    "POST /a": {**LAMBDA, "response_size": "4KB"},
                    "GET /b": {**PROXY, "response_size": "1KB"},
                },
            }
        },
        "functions": {"f": {"memory": "1024MB", "duration": "50ms", "init": 0}},
        "endpoints": {"e": {"servers": 9, "service_time": 0}},
        "traffic": {
            "web": evenly("10", {"POST /a": 1}),
            "bots": evenly("5", {"GET /b": 1}),
        },
    }
    return run(loads(json.dumps(scenario | parts)), engine="simpy")


def amounts(rows: tuple[CostRow, ...]) -> dict[str, Fraction]:
    return {" ".join(filter(None, row.labels.values())): row.amount for row in rows}


def own_costs() -> dict[str, Fraction]:
    """What the two routes cost without the cache."""
    return {
        "shop POST /a": 100 * (CALL + INVOCATION + GB_SECOND / 20 + 4 * KB * SENT),
        "shop GET /b": 50 * (CALL + KB * SENT),
    }


@pytest.mark.parametrize(
    ("allocation", "share"),
    [("requests", Fraction(100, 150)), ("bytes", Fraction(500, 600)), ("even", Fraction(1, 2))],
)
def test_a_route_costs_what_it_used_and_its_share_of_the_cache(
    allocation: str, share: Fraction
) -> None:
    result = simulated(pricing={"allocation": allocation})
    hours = TEN_S * CACHE_HOUR
    expected = own_costs()
    expected["shop POST /a"] += hours * share
    expected["shop GET /b"] += hours * (1 - share)
    assert amounts(result.costs.run.by_route) == expected
    assert sum(expected.values()) == result.bill.run.exact_total
    by_client = amounts(result.costs.run.by_client)
    assert by_client == {"web": expected["shop POST /a"], "bots": expected["shop GET /b"]}
    assert amounts(result.costs.run.by_api) == {"shop": sum(expected.values())}


def test_what_is_not_allocated_has_a_row_of_its_own_unless_it_can_be_but_one_group_s() -> None:
    costs = simulated(pricing={"allocation": "unallocated"}).costs.run
    hours = TEN_S * CACHE_HOUR
    assert amounts(costs.by_route) == own_costs() | {"": hours}
    assert [row.is_nobody for row in costs.by_route] == [False, False, True]
    # The cache is the API's, whoever called it.
    assert amounts(costs.by_api) == {"shop": sum(own_costs().values()) + hours}
    (nobody,) = [row for row in costs.customers.top(9) if row.name == NO_CUSTOMER]
    assert nobody.cost == sum(own_costs().values())


def test_what_is_paid_by_the_hour_is_told_from_what_is_paid_by_use() -> None:
    pricing = {"month": "project", "represents": "steady"}
    costs = simulated(pricing=pricing).costs
    assert costs.run.by_time == TEN_S * CACHE_HOUR
    assert costs.run.by_use == sum(own_costs().values())
    assert costs.month is not None
    assert costs.month.by_time == MONTH_H * CACHE_HOUR


def test_a_month_is_shared_as_its_windows_happen() -> None:
    quiet = {"name": "quiet", "duration": "10s", "rate": "10", "events_per_month": 1000}
    busy = {"name": "busy", "duration": "10s", "rate": "20", "events_per_month": 1}
    traffic = {
        "web": {**evenly("1", {"POST /a": 1}), "phases": [quiet, busy]},
        "bots": {**evenly("5", {"GET /b": 1}), "phases": [dict(quiet, rate="1", name="always")]},
    }
    result = simulated(traffic=traffic, pricing={"month": "project"})
    costs = result.costs.month
    assert costs is not None
    requests = {row.labels["route"]: row.requests for row in costs.by_route}
    assert requests == {"POST /a": 100 * 1000 + 200, "GET /b": 10 * 1000}
    calls = {row.labels["route"]: row.meters["apigateway.rest.requests"] for row in costs.by_route}
    assert calls == {route: count * CALL for route, count in requests.items()}
    assert sum(row.amount for row in costs.by_route) == costs.bill.exact_total


def test_tiers_are_shared_by_all() -> None:
    before = {"apigateway.rest.requests": 332_999_900}  # 100 more in the first tier
    result = simulated(pricing={"month_to_date": before})
    line = 100 * CALL + 50 * Fraction("0.0000028")
    found = {
        row.labels["route"]: row.meters["apigateway.rest.requests"]
        for row in result.costs.run.by_route
    }
    assert found == {"POST /a": line * Fraction(2, 3), "GET /b": line / 3}


def test_two_apis_of_different_prices_pay_their_own() -> None:
    route = {"GET /": {**PROXY, "response_size": 0}}
    result = simulated(
        apis={"r": {"type": "rest", "routes": route}, "h": {"type": "http", "routes": route}},
        traffic={
            "web": evenly("10", {"r GET /": 1}),
            "app": evenly("30", {"h GET /": 1}),
        },
    )
    assert amounts(result.costs.run.by_api) == {"r": 100 * CALL, "h": 300 * HTTP_CALL}


# refused requests


def test_throttled_requests_cost_their_error_bodies_on_a_rest_api() -> None:
    stage = {"throttle": {"rate_limit": 0, "burst_limit": 60}}
    apis = {
        "shop": {
            "type": "rest",
            "stage": stage,
            "routes": {"GET /b": {**PROXY, "response_size": "1KB"}},
        }
    }
    costs = simulated(apis=apis, traffic={"bots": evenly("10", {"GET /b": 1})}).costs.run
    (row,) = costs.refused
    assert row.labels == {"refused_by": "stage"}
    assert row.requests == 40
    assert row.meters == {"datatransfer.out.internet": 40 * REFUSAL * SENT}
    assert costs.refused_amount == 40 * REFUSAL * SENT
    assert costs.per_thousand(costs.served) == costs.bill.exact_total / 60 * 1000


def test_a_denial_costs_the_authorizer_s_time_and_a_web_acl_s_look() -> None:
    guarded = {**PROXY, "response_size": 0}
    result = simulated(
        apis={
            "shop": {
                "type": "rest",
                "stage": {"waf": {"rules": 2}},
                "routes": {"GET /b": {**guarded, "authorizer": "t"}, "GET /open": guarded},
            }
        },
        authorizers={"t": {"type": "token", "function": "f", "ttl": 0, "deny_identities": "100%"}},
        traffic={
            "bots": evenly("10", {"GET /b": 1}, values={"header.authorization": {"uniform": 1}}),
            "web": evenly("30", {"GET /open": 1}),
        },
    )
    (row,) = result.costs.run.refused
    assert (row.labels, row.requests) == ({"refused_by": "authorizer"}, 100)
    sent = result.bill.run.line("datatransfer.out.internet")
    assert sent is not None  # by nobody else: the open route says nothing
    assert row.meters == {
        "datatransfer.out.internet": sent.amount,
        "lambda.requests": 100 * INVOCATION,
        "lambda.duration.x86": 100 * GB_SECOND / 20,
        "waf.requests": 100 * Fraction("0.0000006"),
    }


# customers and plans

PLANS: dict[str, Any] = {
    "free-tier": {
        "throttle": {"rate_limit": 10, "burst_limit": 20},
        "quota": {"limit": 60, "period": "day"},
        "price": 0,
        "api_keys": ["free-key"],
        "api_stages": {"shop/prod": {}},
    },
    "premium": {
        "throttle": {"rate_limit": 100, "burst_limit": 200},
        "price": "499/month",
        "api_keys": ["premium-key", "idle-key"],
        "api_stages": {"shop/prod": {}},
    },
}


def monetised(**parts: Any) -> Result:
    """The chapter's two plans: 100 requests each, of which the free key's quota takes 60."""
    route = {**PROXY, "response_size": "1KB", "api_key_required": True}
    return simulated(
        apis={"shop": {"type": "rest", "stage": {"name": "prod"}, "routes": {"GET /b": route}}},
        usage_plans=PLANS,
        traffic={
            "free": evenly("10", {"GET /b": 1}, api_key="free-key"),
            "premium": evenly("10", {"GET /b": 1}, api_key="premium-key"),
            "strangers": evenly("1", {"GET /b": 1}),
        },
        **parts,
    )


def plans_of(costs: Costs) -> dict[str, tuple[Fraction, Fraction, Fraction]]:
    return {row.name: (row.cost, row.revenue, row.margin) for row in costs.customers.by_plan()}


def test_the_margin_of_a_plan_is_its_keys_price_for_the_run_s_part_of_a_month() -> None:
    result = monetised()
    free = 60 * (CALL + KB * SENT) + 40 * DENIAL * SENT
    premium = 100 * (CALL + KB * SENT)
    revenue = 2 * 499 * TEN_S / MONTH_H
    found = plans_of(result.costs.run)
    assert found["free-tier"] == (free, 0, -free)
    assert found["premium"] == (premium, revenue, revenue - premium)
    assert found[NO_CUSTOMER] == (
        10 * len('{"message":"Forbidden"}') * SENT,
        0,
        -found[NO_CUSTOMER][0],
    )
    assert sum(row[0] for row in found.values()) == result.bill.run.exact_total


def test_a_month_brings_in_the_price_of_every_key() -> None:
    pricing = {"month": "project", "represents": "steady"}
    result = monetised(pricing=pricing)
    times = MONTH_H / TEN_S
    premium = times * 100 * (CALL + KB * SENT)
    assert result.costs.month is not None
    assert plans_of(result.costs.month)["premium"] == (premium, 998, 998 - premium)
    (row,) = [one for one in result.costs.month.customers.top(9) if one.name == "idle-key"]
    assert (row.cost, row.revenue) == (0, 499)


def test_json_has_cost_revenue_and_margin_of_each_customer() -> None:
    data = monetised().to_dict()
    by_name = {row["key"]: row for row in data["customers"]}
    premium = by_name["premium-key"]
    assert premium["cost"] == "0.0003585830688476562500"[:24].rstrip("0")
    assert Fraction(premium["revenue"]) - Fraction(premium["cost"]) == pytest.approx(
        Fraction(premium["margin"]), abs=1e-9
    )
    section = data["bill"]["run"]
    assert {"by_api", "by_route", "by_client", "by_plan", "by_customer"} <= set(section)
    assert section["refused"]["requests"] == "50"
    assert section["unit"] == {
        "requests": "210",
        "served": "160",
        "per_1000_requests": section["unit"]["per_1000_requests"],
        "per_1000_served": section["unit"]["per_1000_served"],
    }
    assert section["baseline"]["by_time"] == "0"


def test_customers_of_a_population_share_what_it_used_by_what_each_used() -> None:
    route = {**PROXY, "response_size": "1KB"}
    result = simulated(
        apis={"shop": {"type": "rest", "routes": {"GET /b": route}}},
        populations={"people": {"count": 3}},
        traffic={
            "web": evenly("10", {"GET /b": 1}, of="people"),
            "bots": evenly("10", {"GET /b": 1}),
        },
    )
    each = {row.name: row for row in result.costs.run.customers.top(9)}
    offered = {row.customer: row.offered for row in result.customers.rows()}
    assert sum(offered.values()) == 100
    for name, count in offered.items():
        assert each[name].cost == count * (CALL + KB * SENT)
    assert each[NO_CUSTOMER].cost == 100 * (CALL + KB * SENT)


def test_the_warm_up_of_a_customer_is_on_the_run_s_bill_and_not_on_the_month_s() -> None:
    pricing = {"month": "project", "represents": "steady"}
    result = monetised(warm_up="5s", pricing=pricing)
    costs = result.costs
    assert costs.month is not None
    assert plans_of(costs.run)["premium"][0] == 100 * (CALL + KB * SENT)
    window = Fraction(5, 3600)
    expected = 50 * MONTH_H / window * (CALL + KB * SENT)
    assert plans_of(costs.month)["premium"][0] == expected


# what is shared


def test_a_function_behind_two_routes_goes_by_their_calls_and_its_authorizer_s() -> None:
    """100 calls of one route, 50 of another, and 100 more for the first one's authorizer."""
    route = {**LAMBDA, "response_size": 0}
    result = simulated(
        apis={
            "shop": {
                "type": "rest",
                "routes": {"POST /a": {**route, "authorizer": "t"}, "POST /b": route},
            }
        },
        authorizers={"t": {"type": "token", "function": "f", "ttl": 0}},
        traffic={
            "web": {
                **evenly("10", {"POST /a": 1}),
                "values": {"header.authorization": {"uniform": 1}},
            },
            "bots": evenly("5", {"POST /b": 1}),
        },
    )
    calls = {row.labels["route"]: row.meters for row in result.costs.run.by_route}
    assert calls["POST /a"]["lambda.requests"] == 200 * INVOCATION
    assert calls["POST /b"]["lambda.requests"] == 50 * INVOCATION


def test_provisioned_concurrency_is_shared_by_those_who_call_the_function() -> None:
    function = {"memory": "1024MB", "duration": "50ms", "provisioned_concurrency": 2}
    result = simulated(functions={"f": function})
    found = {row.labels["route"]: row.meters for row in result.costs.run.by_route}
    line = result.bill.run.line("lambda.provisioned_concurrency.x86")
    assert line is not None
    assert found["POST /a"]["lambda.provisioned_concurrency.x86"] == line.amount
    assert "lambda.provisioned_concurrency.x86" not in found["GET /b"]


def test_bytes_of_a_private_api_are_its_callers_inside() -> None:
    parts = {
        "apis": {
            "p": {
                "type": "rest",
                "endpoint": "private",
                "resource_policy": [{"effect": "allow"}],
                "routes": {"GET /b": {**PROXY, "response_size": "3KB"}},
            }
        },
        "vpc_endpoints": {"inside": {"vpc": "vpc-1", "zones": 2}},
        "traffic": {
            "web": evenly("10", {"GET /b": 1}, vpc_endpoint="inside"),
            "lost": evenly("10", {"GET /b": 1}),
        },
    }
    result = simulated(**parts)
    found = {row.labels["client"]: row.meters for row in result.costs.run.by_client}
    meter = "privatelink.data_processed"
    line = result.bill.run.line(meter)
    assert line is not None
    assert line.quantity == Fraction(100 * 4 * KB, GB)
    assert found["web"][meter] == line.amount
    # And the hours of the endpoint are its own callers'.
    hours = result.bill.run.line("privatelink.endpoint_hours")
    assert hours is not None
    assert found["web"]["privatelink.endpoint_hours"] == hours.amount
    assert meter not in found.get("lost", {})


def test_a_free_tier_is_shared_by_all() -> None:
    pricing = {"free_tier": "always-free", "month_to_date": {"lambda.requests": 999_950}}
    route = {**LAMBDA, "response_size": 0}
    result = simulated(
        apis={"shop": {"type": "rest", "routes": {"POST /a": route, "POST /b": route}}},
        traffic={"web": evenly("10", {"POST /a": 3, "POST /b": 2})},
        pricing=pricing,
    )
    requests = {row.labels["route"]: row.requests for row in result.costs.run.by_route}
    found = {row.labels["route"]: row.meters for row in result.costs.run.by_route}
    for route_key, count in requests.items():
        assert found[route_key]["lambda.requests"] == 50 * INVOCATION * count / 100


def test_the_cache_of_an_api_that_nobody_calls_is_its_own() -> None:
    stage = {"cache_cluster_size": "0.5"}
    route = {"GET /b": {**PROXY, "response_size": 0}}
    result = simulated(
        apis={
            "busy": {"type": "rest", "routes": route},
            "idle": {"type": "rest", "stage": stage, "routes": route},
        },
        traffic={"web": evenly("10", {"busy GET /b": 1})},
    )
    hours = TEN_S * CACHE_HOUR
    assert amounts(result.costs.run.by_api) == {"busy": 100 * CALL, "idle": hours}
    assert amounts(result.costs.run.by_client) == {"web": 100 * CALL, "": hours}


def test_replications_share_their_mean_bill() -> None:
    traffic = {
        "web": {**evenly("10", {"POST /a": 1}), "arrivals": "poisson", "offset": 0},
        "bots": {**evenly("5", {"GET /b": 1}), "arrivals": "poisson", "offset": 0},
    }
    for source in traffic.values():
        source.pop("offset")
    result = simulated(traffic=traffic, replications=3)
    rows = {row.labels["client"]: row for row in result.costs.run.by_client}
    for row in rows.values():
        assert row.meters["apigateway.rest.requests"] == row.requests * CALL
    assert sum(row.amount for row in rows.values()) == result.bill.run.exact_total


# what is shown


def test_the_summary_shows_the_subtotals_that_are_asked_for() -> None:
    shown = simulated(pricing={"by": ["route", "client"], "allocation": "unallocated"}).summary()
    assert "Cost by route" in shown
    assert "Cost by source" in shown
    assert "(unallocated)" in shown
    assert "Cost by customer" not in shown
    assert "paid by the hour whatever the traffic" in shown
    assert "Cost by route" not in simulated().summary()


def test_the_summary_shows_margins_where_a_plan_has_a_price() -> None:
    assert "What usage plans cost and bring in, run" in monetised().summary()
    pricing = {"month": "project", "represents": "steady"}
    assert "bring in, expected month" in monetised(pricing=pricing).summary()


def test_costs_are_a_frame_that_adds_up_for_each_subtotal() -> None:
    result = monetised(pricing={"month": "project", "represents": "steady"})
    frame = result.frame("costs")
    sums = frame[frame["by"] != "refused"].groupby(["bill", "by"])["cost"].sum()
    assert set(sums.index.get_level_values("by")) == {"api", "route", "client", "plan", "customer"}
    assert sums["run"].to_numpy() == pytest.approx(float(result.bill.run.total))
    assert result.bill.month is not None
    assert sums["month"].to_numpy() == pytest.approx(float(result.bill.month.total))
