"""Bills of cases in which counts of the whole run and of its parts would differ."""

import copy
import json
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from apisim import Result
from apisim.scenario import loads
from apisim.studies import run
from tests.support.experiments import Data
from tests.support.recomputed_bill import read_book as load_document

CACHED: Data = {
    "apis": {
        "shop": {
            "type": "rest",
            "stage": {"name": "prod", "cache_cluster_size": "0.5"},
            "routes": {
                "GET /{id}": {
                    "integration": {"type": "http_proxy", "endpoint": "link"},
                    "cache": {"ttl": "1h", "keys": ["path.id"]},
                    "response_size": "100KB",
                }
            },
        }
    },
    "endpoints": {"link": {"servers": 50, "service_time": "20ms", "behind": "nlb"}},
    "traffic": {
        "web": {
            "phases": [{"name": "steady", "duration": "20s", "rate": 100}],
            "mix": {"shop GET /{id}": 1},
            "values": {"path.id": {"uniform": 300}},
        }
    },
}


def simulated(data: Data, **parts: Any) -> Result:
    whole = {"apisim": 1, "profile": "ideal", "seed": 2, **data, **parts}
    return run(loads(json.dumps(whole)), engine="simpy")


def quantities(result: Result, *, month: bool = False) -> dict[str, Fraction]:
    bill = result.bill.month if month else result.bill.run
    assert bill is not None
    return {line.meter.name: line.quantity for line in bill.lines}


def test_the_bill_of_a_run_does_not_know_of_a_warm_up() -> None:
    """A cache fills in the warm-up: what its balancer carries then is on the bill as well."""
    whole, cut = simulated(CACHED), simulated(CACHED, warm_up="15s")
    assert quantities(cut) == quantities(whole)
    (balancer,) = whole.costs.usages[0].balancers
    assert balancer.requests == 300  # each key once
    assert balancer.bytes == 300 * (100 + 1) * 1024


def test_who_never_reached_a_service_pays_nothing_of_it() -> None:
    """One route to a queue needs a key: who has none is refused."""
    data: Data = {
        "apis": {
            "shop": {
                "type": "rest",
                "stage": {"name": "prod"},
                "routes": {
                    "POST /a": {
                        "integration": {"type": "aws_service", "service": "jobs"},
                        "api_key_required": True,
                    }
                },
            }
        },
        "services": {"jobs": {"type": "sqs", "latency": "5ms"}},
        "usage_plans": {"one": {"api_keys": ["ann"], "api_stages": {"shop/prod": {}}}},
        "traffic": {
            name: {
                "phases": [{"name": "steady", "duration": "20s", "rate": 30}],
                "mix": {"shop POST /a": 1},
                **({"api_key": "ann"} if name == "good" else {}),
            }
            for name in ("good", "bad")
        },
    }
    costs = simulated(data).costs.run
    of = {row.labels["client"]: row.meters for row in costs.by_client}
    assert "sqs.standard.requests" in of["good"]
    assert "sqs.standard.requests" not in of.get("bad", {})


def test_a_cache_that_was_resized_has_its_sizes_for_their_share_of_the_month() -> None:
    change = {"at": "5s", "resize_cache": {"shop/prod": "237"}}
    pricing = {"month": "project", "represents": "steady"}
    result = simulated(CACHED, timeline=[change], pricing=pricing)
    found = quantities(result, month=True)
    assert found["apigateway.cache.0.5"] == Fraction(730, 4)
    assert found["apigateway.cache.237"] == Fraction(730 * 3, 4)
    month = result.costs.month
    assert month is not None
    assert sum(row.amount for row in month.by_api) == month.bill.exact_total


@pytest.mark.parametrize("rule", ["requests", "even", "unallocated"])
def test_what_one_api_has_is_its_callers_whatever_the_rule(rule: str) -> None:
    """Two APIs, each with the key of one plan: the cache of the first is none of the second's."""
    data: Any = copy.deepcopy(CACHED)
    data["apis"]["other"] = {
        "type": "rest",
        "stage": {"name": "prod"},
        "routes": {"GET /x": {"integration": {"type": "mock"}}},
    }
    data["usage_plans"] = {
        "one": {"api_keys": ["k1"], "api_stages": {"shop/prod": {}}},
        "two": {"api_keys": ["k2"], "api_stages": {"other/prod": {}}},
    }
    for route in (
        data["apis"]["shop"]["routes"]["GET /{id}"],
        data["apis"]["other"]["routes"]["GET /x"],
    ):
        route["api_key_required"] = True
    data["traffic"]["web"]["api_key"] = "k1"
    data["traffic"]["more"] = {
        "phases": [{"name": "steady", "duration": "20s", "rate": 10}],
        "mix": {"other GET /x": 1},
        "api_key": "k2",
    }
    costs = simulated(data, pricing={"allocation": rule}).costs.run
    by_client = {row.labels["client"]: row.amount for row in costs.by_client}
    by_plan = {row.name: row.cost for row in costs.customers.by_plan()}
    assert by_plan == {"one": by_client["web"], "two": by_client["more"]}


def test_a_projection_says_what_it_does_to_a_reservoir() -> None:
    data: Any = copy.deepcopy(CACHED)
    data["apis"]["shop"]["stage"]["tracing"] = True
    uneven = {"day": [0.5] * 23 + [1]}
    for represents, is_told in (("steady", False), (uneven, True)):
        pricing = {"month": "project", "represents": represents}
        bill = simulated(data, pricing=pricing).bill.month
        assert bill is not None
        assert any("reservoir" in note for note in bill.notes) == is_told


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_whether_mocks_are_charged_is_what_the_book_says(engine: Any, tmp_path: Path) -> None:
    """One route of two is a mock; AWS's book charges it, this one does not."""
    data: Any = {
        "apisim": 1,
        "apis": {
            "shop": {
                "type": "rest",
                "routes": {
                    "GET /a": {"integration": {"type": "mock"}},
                    "GET /b": {"integration": {"type": "http_proxy", "endpoint": "back"}},
                },
            }
        },
        "endpoints": {"back": {"servers": 50, "service_time": "20ms"}},
        "traffic": {
            "web": {
                "arrivals": "uniform",
                "offset": 0,
                "phases": [{"name": "steady", "duration": "10s", "rate": 10}],
                "mix": {"shop GET /a": 1, "shop GET /b": 1},
            }
        },
    }
    whole = run(loads(json.dumps(data)), engine=engine)
    assert quantities(whole)["apigateway.rest.requests"] == 100
    book = load_document(Path(str(resources.files("apisim.pricing") / "books/aws-us-east-1.yaml")))
    book["charge_rules"]["outcomes"]["mock_integration"]["charge"] = False
    (tmp_path / "free.yaml").write_text(json.dumps(book), encoding="utf-8")
    data["pricing"] = {"book": str(tmp_path / "free.yaml")}
    found = run(loads(json.dumps(data)), engine=engine)
    n_proxied = found.frame("routes").set_index("route").requests["GET /b"]
    assert 0 < n_proxied < 100
    assert quantities(found)["apigateway.rest.requests"] == n_proxied
    assert [one.billed for one in found.answers] == [True]


def test_the_time_of_connections_is_its_customers_however_much_is_pushed_to_them() -> None:
    """Thousands of pushes, one message a minute: the minutes are still the key's alone."""
    mock = {"integration": {"type": "mock"}}
    data: Data = {
        "apis": {
            "chat": {
                "type": "websocket",
                "stage": {"name": "prod"},
                "routes": {"$connect": {**mock, "api_key_required": True}, "say": mock},
            }
        },
        "usage_plans": {"one": {"api_keys": ["ann"], "api_stages": {"chat/prod": {}}}},
        "senders": {"fan": {"parallelism": 10}},
        "traffic": {
            "users": {
                "api_key": "ann",
                "mix": {"chat say": 1},
                "sessions": {
                    "population": 12,
                    "connect_over": "10s",
                    "until": "3m",
                    "messages": "1/min",
                },
                "pushes": {"news": {"rate": "2/s", "to": "all", "size": "1KB", "by": "fan"}},
            }
        },
    }
    costs = simulated(data).costs.run
    meter = "apigateway.websocket.connection_minutes"
    minutes = sum(row.meters.get(meter, Fraction(0)) for row in costs.by_client)
    assert minutes > 0
    of_plans = {row.name: row.cost for row in costs.customers.by_plan()}
    pushed = quantities(simulated(data))["apigateway.websocket.messages"]
    assert pushed > 3_000
    assert of_plans["one"] >= minutes
