"""Bills of runs with neighbours, by hand: every quantity is what the simulation itself counted."""

import json
from fractions import Fraction
from typing import Any

import pytest

from apisim.results.result import Result
from apisim.scenario import ScenarioError, loads
from apisim.studies import run

KB = 1 << 10
GB = 1 << 30
MONTH_H = 730


def bill_of(bill: Any) -> dict[str, Fraction]:
    """Quantity of each line."""
    return {line.meter.name: line.quantity for line in bill.lines}


def evenly(rate: str, duration: str, mix: dict[str, int], **more: Any) -> dict[str, Any]:
    """A source without any chance in it."""
    phases = [{"duration": duration, "rate": rate}]
    return {"arrivals": "uniform", "offset": 0, "phases": phases, "mix": mix, **more}


def simulated(**parts: Any) -> Result:
    return run(loads(json.dumps({"apisim": 1, "profile": "ideal", **parts})), engine="simpy")


def calls(service: dict[str, Any], action: str | None = None, **parts: Any) -> Result:
    """100 requests in 10 s to an API that calls one service."""
    integration = {"type": "aws_service", "service": "s"}
    if action:
        integration["action"] = action
    route = {"integration": integration, "response_size": 0}
    return simulated(
        apis={"a": {"type": "rest", "routes": {"POST /x": route}}},
        services={"s": {"latency": 0, **service}},
        traffic={"web": evenly("10", "10s", {"POST /x": 1})},
        **parts,
    )


@pytest.mark.parametrize(
    ("service", "action", "quantities"),
    [
        ({"type": "dynamodb", "item_size": "7KB"}, "GetItem",
         {"dynamodb.on_demand.reads": 100}),  # two halves
        ({"type": "dynamodb", "item_size": "9KB", "consistency": "strong"}, "Query",
         {"dynamodb.on_demand.reads": 300}),
        ({"type": "dynamodb", "item_size": "3KB", "consistency": "transactional"}, "PutItem",
         {"dynamodb.on_demand.writes": 600}),
        ({"type": "dynamodb", "read_capacity_units": 36, "write_capacity_units": 72}, "PutItem",
         {"dynamodb.provisioned.read_hours": Fraction(1, 10),
          "dynamodb.provisioned.write_hours": Fraction(1, 5)}),
        ({"type": "sqs", "item_size": "65KB"}, None, {"sqs.standard.requests": 200}),
        ({"type": "sqs", "item_size": "64KB", "fifo": True}, None, {"sqs.fifo.requests": 100}),
        ({"type": "sns", "item_size": "130KB"}, None, {"sns.publishes": 300}),
        ({"type": "eventbridge", "item_size": "200KB"}, None, {"eventbridge.custom_events": 400}),
        ({"type": "kinesis", "item_size": "26KB", "shards": 9}, None,
         {"kinesis.provisioned.shard_hours": Fraction(1, 40),
          "kinesis.provisioned.put_units": 200}),
        ({"type": "kinesis", "item_size": "1025B", "mode": "on_demand"}, None,
         {"kinesis.on_demand.stream_hours": Fraction(1, 360),
          "kinesis.on_demand.data_in": Fraction(200 * KB, GB)}),
        ({"type": "step_functions", "transitions": 7}, None,
         {"stepfunctions.standard.transitions": 700}),
        ({"type": "step_functions", "express": True, "execution_duration": "1201ms"}, None,
         {"stepfunctions.express.requests": 100,
          "stepfunctions.express.duration": Fraction(100 * 13, 160)}),  # 1.3 s of a 16th GB
    ],
)  # fmt: skip
def test_what_a_service_took_is_on_the_bill(
    service: dict[str, Any], action: str | None, quantities: dict[str, Any]
) -> None:
    result = calls(service, action)
    assert bill_of(result.bill.run) == {"apigateway.rest.requests": 100, **quantities}
    assert not result.bill.run.unpriced


def test_what_a_service_refuses_costs_nothing() -> None:
    limit = {"rate_limit": 0, "burst_limit": 25}
    result = calls({"type": "sqs", "limit": limit})
    assert bill_of(result.bill.run)["sqs.standard.requests"] == 25


def test_what_functions_send_is_on_the_bill_too() -> None:
    function = {"duration": 0, "calls": [{"service": "s"}, {"service": "s"}]}
    integration = {"type": "lambda_proxy", "function": "f"}
    result = simulated(
        apis={"a": {"type": "rest", "routes": {"POST /x": {"integration": integration}}}},
        functions={"f": function},
        services={"s": {"type": "sqs", "latency": 0}},
        traffic={"web": evenly("10", "10s", {"POST /x": 1})},
    )
    assert bill_of(result.bill.run).get("sqs.standard.requests") == 200


def test_a_month_of_a_service_leaves_the_warm_up_out_and_holds_capacity_all_the_time() -> None:
    pricing = {"month": "project", "represents": "steady"}
    result = calls({"type": "kinesis", "shards": 2}, warm_up="4s", pricing=pricing)
    month = bill_of(result.bill.month)
    assert month["kinesis.provisioned.put_units"] == Fraction(60 * MONTH_H * 3600, 6)
    assert month["kinesis.provisioned.shard_hours"] == 2 * MONTH_H
    assert bill_of(result.bill.run)["kinesis.provisioned.put_units"] == 100
    (note,) = [note for note in result.bill.month.notes if note.startswith("service s")]
    assert "shared among warm-up and phases" in note
    assert not any(note.startswith("service s") for note in result.bill.run.notes)


def test_capacity_that_the_timeline_changes_is_held_as_long_as_it_is() -> None:
    service = {"type": "dynamodb", "read_capacity_units": 60, "write_capacity_units": 60}
    timeline = [{"at": "4s", "set": {"services.s.read_capacity_units": 360}}]
    pricing = {"month": "project", "represents": "steady"}
    result = calls(service, "GetItem", timeline=timeline, pricing=pricing)
    found = bill_of(result.bill.run)
    assert found["dynamodb.provisioned.write_hours"] == Fraction(600, 3600)
    assert found["dynamodb.provisioned.read_hours"] == Fraction(60 * 4 + 360 * 6, 3600)
    month = bill_of(result.bill.month)
    assert month["dynamodb.provisioned.write_hours"] == 60 * MONTH_H
    assert month["dynamodb.provisioned.read_hours"] == (24 + 216) * MONTH_H


def test_month_to_date_moves_a_service_into_its_next_tier() -> None:
    pricing = {"month_to_date": {"sqs.standard.requests": 99_999_999_950}}
    line = calls({"type": "sqs"}, pricing=pricing).bill.run.line("sqs.standard.requests")
    assert [row.quantity for row in line.rows] == [50, 50]


def test_a_workflow_without_transitions_is_named() -> None:
    bill = calls({"type": "step_functions"}).bill.run
    assert bill_of(bill) == {"apigateway.rest.requests": 100}
    assert any(note.startswith("workflow s: state transitions") for note in bill.notes)


# load balancers


def linked(
    endpoint: dict[str, Any],
    *,
    rate: str = "1",
    stage: dict[str, Any] | None = None,
    route: dict[str, Any] | None = None,
    **parts: Any,
) -> Result:
    """An hour of requests through a VPC link, of 1 KB with answers of 1 MB."""
    route = {
        **(route or {}),
        "integration": {"type": "http_proxy", "endpoint": "e"},
        "request_size": "1KB",
        "response_size": "1MB",
    }
    return simulated(
        apis={"a": {"type": "rest", "stage": stage or {}, "routes": {"GET /x": route}}},
        endpoints={"e": {"servers": 9, "service_time": "2s", **endpoint}},
        traffic={"web": evenly(rate, "1h", {"GET /x": 1})},
        **parts,
    )


def test_a_balancer_costs_its_hours_and_the_bytes_it_carries() -> None:
    pricing = {"month": "project", "represents": "steady"}
    result = linked({"behind": "nlb"}, pricing=pricing)
    carried = Fraction(3600 * (KB + KB * KB), GB)
    found = bill_of(result.bill.run)
    assert found["elb.nlb.hours"] == 1
    assert found["elb.nlb.nlcu_hours"] == carried
    month = bill_of(result.bill.month)
    assert month["elb.nlb.hours"] == MONTH_H
    assert month["elb.nlb.nlcu_hours"] == MONTH_H * carried


def test_rules_may_be_the_largest_dimension() -> None:
    found = bill_of(linked({"behind": "alb", "rule_evaluations": 200}).bill.run)
    assert found["elb.alb.lcu_hours"] == Fraction(3600 * (KB + KB * KB), GB)
    assert found["elb.alb.hours"] == 1


def test_what_is_throttled_reaches_no_balancer() -> None:
    account = {"throttle": {"rate_limit": 1, "burst_limit": 1}}
    result = linked({"behind": "nlb"}, rate="2", account=account)
    assert result.requests.by_outcome == {"served": 3600, "throttled": 3600}
    moved = bill_of(result.bill.run)["elb.nlb.nlcu_hours"] * GB
    assert moved == 3600 * (KB + KB * KB)


def test_what_a_cache_answers_is_carried_by_no_balancer() -> None:
    stage = {"cache_cluster_size": "0.5"}
    route = {"cache": {"ttl": "1h", "keys": []}}
    result = linked({"behind": "nlb", "service_time": 0}, stage=stage, route=route)
    assert result.cache["a"].hits == 3599
    assert bill_of(result.bill.run)["elb.nlb.nlcu_hours"] == Fraction(KB + KB * KB, GB)


def test_a_public_endpoint_has_no_balancer() -> None:
    assert not any("elb" in meter for meter in bill_of(linked({}).bill.run))


# private APIs and user pools


def private(endpoint: dict[str, Any], duration: str = "61m", **parts: Any) -> Result:
    policy = [{"effect": "allow"}]
    api = {"type": "rest", "endpoint": "private", "resource_policy": policy}
    routes = {"GET /x": {"integration": {"type": "mock"}}}
    return simulated(
        apis={"a": {**api, "routes": routes}},
        vpc_endpoints={"inside": {"vpc": "v", **endpoint}},
        traffic={"web": evenly("1/min", duration, {"GET /x": 1}, vpc_endpoint="inside")},
        **parts,
    )


def test_an_interface_endpoint_costs_every_begun_hour_in_every_zone() -> None:
    pricing = {"month": "project", "represents": "steady"}
    result = private({"zones": 3}, pricing=pricing)
    assert bill_of(result.bill.run)["privatelink.endpoint_hours"] == 6
    assert bill_of(result.bill.month)["privatelink.endpoint_hours"] == 3 * MONTH_H
    assert result.bill.run.notes == ()


def test_an_endpoint_without_zones_is_not_counted_and_named() -> None:
    bill = private({}, "1m").bill.run
    assert "privatelink.endpoint_hours" not in bill_of(bill)
    assert any(note.startswith("VPC endpoint inside") for note in bill.notes)


def test_users_who_signed_in_are_the_active_users_of_the_pool() -> None:
    people = {
        "count": 50, "users_each": 2, "token_lifetime": "2s",
        "sign_in_quota": 100, "user_pool_tier": "essentials",
    }  # fmt: skip
    routes = {"GET /x": {"integration": {"type": "mock"}, "authorizer": "pool"}}
    result = simulated(
        apis={"a": {"type": "rest", "routes": routes}},
        authorizers={"pool": {"type": "cognito"}},
        populations={"people": people},
        traffic={"web": {"of": "people", **evenly("10", "10s", {"GET /x": 1})}},
        pricing={"month": "project", "represents": "steady"},
    )
    users = bill_of(result.bill.run)["cognito.mau.essentials"]
    assert users == result.sign_ins["people"].sign_ins
    assert 1 < users < 100
    assert bill_of(result.bill.month)["cognito.mau.essentials"] == 100
    assert any("all 100 users" in note for note in result.bill.month.notes)


def test_nobody_is_seen_to_sign_in_without_a_quota() -> None:
    with pytest.raises(ScenarioError, match="nobody signs in where there is no quota"):
        loads(
            "apisim: 1\napis: {a: {type: rest, routes: {GET /x: {integration: {type: mock}}}}}\n"
            "populations: {people: {count: 5, user_pool_tier: lite}}\n"
            "traffic: {web: {of: people, phases: [{duration: 1s, rate: 1}], mix: {GET /x: 1}}}\n"
        )


# CloudWatch


@pytest.mark.parametrize(("kind", "each"), [("rest", 7), ("http", 6)])
def test_detailed_metrics_are_those_of_the_routes_that_were_called(kind: str, each: int) -> None:
    mock = {"integration": {"type": "http_proxy", "endpoint": "e"}}
    routes = {"GET /x": mock, "GET /y": mock, "GET /never": mock}
    result = simulated(
        apis={"a": {"type": kind, "stage": {"detailed_metrics": True}, "routes": routes}},
        endpoints={"e": {"servers": 9, "service_time": 0}},
        traffic={"web": evenly("1/min", "61m", {"GET /x": 1, "GET /y": 1})},
        pricing={"month": "project", "represents": "steady"},
    )
    # Two begun hours of 730; 0.30 a metric and month.
    assert bill_of(result.bill.run).get("cloudwatch.metrics") == Fraction(2 * each * 2, MONTH_H)
    line = result.bill.month.line("cloudwatch.metrics")
    assert line.quantity == 2 * each
    assert line.amount == Fraction(3, 10) * 2 * each


def test_without_detailed_metrics_there_are_none() -> None:
    assert "cloudwatch.metrics" not in bill_of(calls({"type": "sqs"}).bill.run)
