"""The bill of a run equals the bill of its request records, made again by an independent script.

:mod:`tests.support.recomputed_bill` reads the file of ``--requests`` and the price book's YAML with
pandas and has nothing of the package. Every line must be the same fraction.
"""

import ast
import copy
import json
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apisim import Result
from apisim.scenario import loads
from apisim.studies import run
from tests.support import recomputed_bill
from tests.support.experiments import Data

BOOK: Final = recomputed_bill.read_book(
    Path(str(resources.files("apisim.pricing") / "books" / "aws-us-east-1.yaml"))
)
SECOND_NS: Final = 10**9

#: Everything that can be refused in front of a function, and a cache.
REST: Final[Data] = {
    "apis": {
        "shop": {
            "type": "rest",
            "stage": {
                "cache_cluster_size": "0.5",
                "waf": {"rules": 2, "block": "3%"},
                "throttle": {"rate_limit": 15, "burst_limit": 5},
            },
            "routes": {
                "GET /items/{id}": {
                    "integration": {"type": "lambda_proxy", "function": "read"},
                    "cache": {"ttl": "5s", "keys": ["path.id"]},
                    "response_size": {"p50": "3KB", "p99": "40KB"},
                },
                "POST /items": {
                    "integration": {"type": "lambda_proxy", "function": "write"},
                    "authorizer": "tokens",
                    "request_size": {"p50": "1KB", "p99": "9KB"},
                    "validate": {"reject": "10%"},
                },
            },
        }
    },
    "authorizers": {
        "tokens": {"type": "token", "function": "check", "ttl": "2s", "deny_identities": "20%"}
    },
    "functions": {
        "read": {"memory": "512MB", "timeout": "3s", "duration": {"p50": "40ms", "p99": "900ms"},
                 "init": "250ms"},
        "write": {"memory": "256MB", "timeout": "400ms", "duration": {"p50": "90ms", "p99": "2s"},
                  "errors": "5%", "reserved_concurrency": 4, "architecture": "arm64",
                  "init": "0.3ms"},
        "check": {"memory": "128MB", "duration": {"p50": "11ms", "p99": "60ms"}, "init": "100ms"},
    },
    "traffic": {
        "web": {
            "phases": [{"name": "steady", "duration": "60s", "rate": 40}],
            "mix": {"shop GET /items/{id}": 4, "shop POST /items": 3},
            "values": {
                "path.id": {"zipf": 1.0, "of": 50},
                "header.authorization": {"uniform": 40},
            },
        }
    },
}  # fmt: skip

#: Sizes on both sides of a unit.
HTTP: Final[Data] = {
    "apis": {
        "files": {
            "type": "http",
            "routes": {
                "PUT /files": {
                    "integration": {"type": "lambda_proxy", "function": "store"},
                    "request_size": {"uniform": ["400KB", "1200KB"]},
                    "response_size": "300B",
                }
            },
        },
        "inside": {
            "type": "rest",
            "endpoint": "private",
            "routes": {
                "GET /x": {
                    "integration": {"type": "lambda_proxy", "function": "store"},
                    "request_size": "2KB",
                    "response_size": {"p50": "5KB", "p99": "50KB"},
                }
            },
        },
    },
    "vpc_endpoints": {"door": {"vpc": "vpc-1"}},
    "functions": {"store": {"memory": "1024MB", "duration": {"p50": "70ms", "p99": "500ms"}}},
    "traffic": {
        "uploads": {
            "phases": [{"name": "steady", "duration": "90s", "rate": 9}],
            "mix": {"files PUT /files": 1},
        },
        "inner": {
            "phases": [{"name": "steady", "duration": "90s", "rate": 5}],
            "mix": {"inside GET /x": 1},
            "vpc_endpoint": "door",
        },
    },
}

#: Messages, replies, pushes and connection minutes.
WEBSOCKET: Final[Data] = {
    "apis": {
        "chat": {
            "type": "websocket",
            "routes": {
                "$connect": {"integration": {"type": "mock"}},
                "$disconnect": {"integration": {"type": "mock"}},
                "say": {
                    "integration": {"type": "lambda_proxy", "function": "talk"},
                    "route_response": True,
                    "response_size": {"uniform": ["10KB", "70KB"]},
                },
            },
        }
    },
    "functions": {"talk": {"memory": "512MB", "duration": {"p50": "35ms", "p99": "250ms"}}},
    "senders": {"fan": {"parallelism": 10}},
    "traffic": {
        "users": {
            "mix": {"chat say": 1},
            "sessions": {
                "population": 12, "connect_over": "30s", "until": "5m", "messages": "6/min",
                "length": {"p50": "70s", "p99": "200s"}, "size": {"uniform": ["1KB", "80KB"]},
            },
            "pushes": {"news": {"rate": "0.2/s", "to": "all", "size": "40KB", "by": "fan"}},
        }
    },
}  # fmt: skip

#: A queue, a balancer, traces and an access log, with requests that reach none of them.
NEIGHBOURS: Final[Data] = {
    "apis": {
        "shop": {
            "type": "rest",
            "stage": {
                "tracing": {"reservoir": "1/s", "rate": "20%"},
                "access_log": recomputed_bill.LOG_FORMAT,
                "throttle": {"rate_limit": 12, "burst_limit": 4},
            },
            "routes": {
                "POST /orders": {
                    "integration": {"type": "aws_service", "service": "orders"},
                    "response_size": "300B",
                },
                "GET /stock": {
                    "integration": {"type": "http_proxy", "endpoint": "stock"},
                    "request_size": "500B",
                    "response_size": {"p50": "9KB", "p99": "200KB"},
                },
            },
        }
    },
    "services": {
        "orders": {"type": "sqs", "item_size": "150KB", "latency": {"p50": "6ms", "p99": "20ms"}}
    },
    "endpoints": {
        "stock": {
            "servers": 3, "queue_limit": 2, "service_time": {"p50": "200ms", "p99": "900ms"},
            "behind": "nlb", "requests_per_connection": 2,
        }
    },
    "traffic": {
        "web": {
            "phases": [{"name": "steady", "duration": "60s", "rate": 40}],
            "mix": {"shop POST /orders": 1, "shop GET /stock": 2},
        }
    },
}  # fmt: skip


def simulated(data: Data, folder: Path, seed: int = 1) -> tuple[Result, Path]:
    """One run by the golden model, and the file of its records."""
    text = json.dumps({"apisim": 1, "profile": "ideal", "seed": seed, **data})
    file = folder / f"records-{seed}.csv"
    return run(loads(text), engine="simpy", requests=file), file


def lines(result: Result) -> dict[str, Fraction]:
    return {line.meter.name: line.amount for line in result.bill.run.lines if line.amount}


@pytest.mark.parametrize(
    ("data", "length_s", "outcomes"),
    [
        pytest.param(
            REST,
            60,
            {"served", "cache_hit", "throttled", "blocked", "invalid", "forbidden",
             "backend_error", "backend_throttled"},
            id="rest",
        ),
        pytest.param(HTTP, 90, {"served"}, id="http and private"),
        pytest.param(NEIGHBOURS, 60, {"served", "throttled"}, id="neighbours"),
        pytest.param(WEBSOCKET, 300, {"served", "sent", "connected"}, id="websocket"),
    ],
)  # fmt: skip
def test_every_line_is_that_of_the_records(
    data: Data, length_s: int, outcomes: set[str], tmp_path: Path
) -> None:
    result, file = simulated(data, tmp_path)
    assert outcomes <= set(result.requests.by_outcome)
    found = recomputed_bill.recomputed(file, data, BOOK, length_s * SECOND_NS)
    assert lines(result) == found
    assert sum(found.values()) == result.bill.run.exact_total


@settings(
    max_examples=12, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    seed=st.integers(0, 2**32),
    rate=st.integers(1, 60),
    limit=st.integers(1, 60),
    blocked=st.integers(0, 50),
    denied=st.integers(0, 100),
    ttl=st.integers(1, 30),
    memory=st.sampled_from([128, 512, 1769]),
)
def test_so_is_that_of_random_scenarios(
    tmp_path: Path,
    seed: int,
    rate: int,
    limit: int,
    blocked: int,
    denied: int,
    ttl: int,
    memory: int,
) -> None:
    data: Any = copy.deepcopy(REST)
    shop = data["apis"]["shop"]
    shop["stage"]["throttle"]["rate_limit"] = limit
    shop["stage"]["waf"]["block"] = f"{blocked}%"
    shop["routes"]["GET /items/{id}"]["cache"]["ttl"] = f"{ttl}s"
    data["authorizers"]["tokens"]["deny_identities"] = f"{denied}%"
    data["functions"]["read"]["memory"] = f"{memory}MB"
    data["traffic"]["web"]["phases"][0]["rate"] = rate
    result, file = simulated(data, tmp_path, seed)
    assert lines(result) == recomputed_bill.recomputed(file, data, BOOK, 60 * SECOND_NS)


def test_tiers_are_rated_alike(tmp_path: Path) -> None:
    """Prices in which a run of a minute reaches the third tier."""
    book: Any = copy.deepcopy(BOOK)
    book["meters"]["apigateway.rest.requests"]["tiers"] = [
        {"up_to": "10", "price_per_unit": "0.5"},
        {"up_to": "100", "price_per_unit": "0.01"},
        {"up_to": None, "price_per_unit": "0.001"},
    ]
    file = tmp_path / "steep.yaml"
    file.write_text(json.dumps(book), encoding="utf-8")
    data = {**REST, "pricing": {"book": str(file)}}
    result, records = simulated(data, tmp_path)
    found = recomputed_bill.recomputed(records, data, book, 60 * SECOND_NS)
    assert found["apigateway.rest.requests"] > Fraction("5.9")  # 10 at 0.5 and 90 at 0.01
    assert lines(result) == found


def test_the_script_has_nothing_of_the_package() -> None:
    source = Path(recomputed_bill.__file__).read_text(encoding="utf-8")
    imported = {
        name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else
                     [alias.name for alias in node.names])
    }  # fmt: skip
    assert not [name for name in imported if name.split(".")[0] in ("apisim", "tests")]
