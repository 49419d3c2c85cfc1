"""A month from windows of several sources: each source has the whole month for its windows."""

import json
from fractions import Fraction
from typing import Any

from apisim import Result
from apisim.scenario import loads
from apisim.studies import run

_HOUR = 3600


def simulated(traffic: dict[str, Any], **parts: Any) -> Result:
    data: dict[str, Any] = {
        "apisim": 1,
        "profile": "ideal",
        "apis": {"shop": {"type": "rest", "routes": {"GET /": _to("jobs"), "GET /mock": MOCK}}},
        "services": {"jobs": {"type": "sqs", "latency": "5ms"}},
        "traffic": traffic,
        "pricing": {"month": "project", "represents": "steady"},
    }
    return run(loads(json.dumps(data | parts)), engine="simpy")


def _to(service: str) -> dict[str, Any]:
    return {"integration": {"type": "aws_service", "service": service}}


MOCK: dict[str, Any] = {"integration": {"type": "mock"}}


def source(*phases: dict[str, Any], route: str = "GET /") -> dict[str, Any]:
    """Evenly spaced requests, so that counts are exact."""
    return {
        "arrivals": "uniform",
        "offset": 0,
        "phases": list(phases),
        "mix": {f"shop {route}": 1},
    }


def month_of(result: Result) -> dict[str, Fraction]:
    assert result.bill.month is not None
    return {line.meter.name: line.quantity for line in result.bill.month.lines}


def test_a_source_beside_counted_phases_of_another_has_the_whole_month() -> None:
    """5/s all the month beside a spike of 1,200 requests ten times a month."""
    spike = {"name": "spike", "duration": "60s", "rate": 20, "events_per_month": 10}
    calm = {"name": "calm", "duration": "60s", "rate": 5}
    found = month_of(simulated({"a": source(spike), "b": source(calm)}))
    assert found["apigateway.rest.requests"] == 10 * 1200 + 5 * 730 * _HOUR
    shorter = {"name": "calm", "duration": "120s", "rate": 5}
    found = month_of(simulated({"a": source(spike), "b": source(shorter)}))
    assert found["apigateway.rest.requests"] == 10 * 1200 + 5 * 730 * _HOUR


def test_counted_phases_take_their_hours_from_their_own_source_alone() -> None:
    """60 spikes of a minute are an hour: 729 are left of what goes before them."""
    before = {"name": "before", "duration": "60s", "rate": 2}
    spike = {"name": "spike", "duration": "60s", "rate": 20, "events_per_month": 60}
    other = {"name": "calm", "duration": "120s", "rate": 5}
    found = month_of(simulated({"a": source(before, spike), "b": source(other)}))
    expected = 60 * 1200 + 2 * 729 * _HOUR + 5 * 730 * _HOUR
    assert found["apigateway.rest.requests"] == expected


def test_a_service_that_one_window_alone_calls_is_in_that_window_alone() -> None:
    spike = {"name": "spike", "duration": "60s", "rate": 20, "events_per_month": 10}
    calm = {"name": "calm", "duration": "60s", "rate": 5}
    traffic = {"a": source(spike), "b": source(calm, route="GET /mock")}
    found = month_of(simulated(traffic))
    assert found["sqs.standard.requests"] == 12_000


def test_a_service_that_a_deployment_leads_to_is_shared_by_the_calls_of_its_routes() -> None:
    """Each window has its own calls of it, and both together all that it took."""
    apis: dict[str, Any] = {"shop": {"type": "rest", "routes": {"GET /": _to("jobs")}}}
    services = {name: {"type": "sqs", "latency": "5ms"} for name in ("jobs", "later")}
    spike = {"name": "spike", "duration": "60s", "rate": 20, "events_per_month": 1}
    more = {"name": "more", "duration": "60s", "rate": 10, "events_per_month": 1}
    deploy = {"at": "0s", "set": {"apis.shop.routes.GET /.integration.service": "later"}}
    result = simulated(
        {"a": source(spike), "b": source(more)}, apis=apis, services=services, timeline=[deploy]
    )
    assert month_of(result)["sqs.standard.requests"] == 1200 + 600
    by_client = {row.labels["client"]: row.meters for row in result.costs.run.by_client}
    amounts = {name: meters["sqs.standard.requests"] for name, meters in by_client.items()}
    assert amounts["a"] == 2 * amounts["b"]


def test_a_quota_longer_than_the_run_is_told_of_a_projected_month() -> None:
    plans = {"free": {"quota": {"limit": 10, "period": "month"}, "api_stages": {"shop": {}},
                      "api_keys": ["k"]}}  # fmt: skip
    traffic = {"a": source({"name": "calm", "duration": "60s", "rate": 5})}
    words = "the quota of free, whose period is longer than the run"
    assert any(words in note for note in simulated(traffic, usage_plans=plans).notes)
    alone = simulated(traffic, usage_plans=plans, pricing={"month": "run"})
    assert not any(words in note for note in alone.notes)
