"""Answers that a REST API streams: their size, time and units, and where there are none."""

import json
from typing import Any

import pytest

from apisim import Result
from apisim.gateway.streaming import streamed_ns
from apisim.pricing import load_book, stream_increment
from apisim.scenario import ScenarioError, loads
from apisim.studies import run
from tests.support.experiments import Data

MB = 1024 * 1024


def scenario(size: str, *, stage: Data | None = None, **route: Any) -> str:
    """Ten calls of a function that answers with so much."""
    integration = {
        "type": "lambda_proxy", "function": "f", "response_transfer_mode": "stream",
        **route.pop("integration", {}),
    }  # fmt: skip
    return json.dumps(
        {
            "apisim": 1,
            "profile": "ideal",
            "apis": {
                "files": {
                    "type": "rest",
                    "stage": stage or {},
                    "routes": {
                        "GET /file": {"integration": integration, "response_size": size, **route}
                    },
                }
            },
            "functions": {"f": {"memory": "128MB", "duration": "40ms", "init": "0ms"}},
            "traffic": {
                "web": {
                    "arrivals": "uniform",
                    "phases": [{"name": "steady", "duration": "10s", "rate": 1}],
                    "mix": {"files GET /file": 1},
                }
            },
        }
    )


def simulated(text: str, engine: Any = "simpy") -> Result:
    return run(loads(text), engine=engine)


def units(result: Result) -> int:
    line = result.bill.run.line("apigateway.rest.requests")
    assert line is not None
    return int(line.quantity)


@pytest.mark.parametrize(
    ("size", "of_one", "latency_ms"),
    [
        pytest.param("0B", 1, 40, id="nothing"),
        pytest.param("10MB", 1, 40, id="one unit"),
        pytest.param("10485761B", 2, 40, id="a byte more"),
        pytest.param("20MB", 2, 5_040, id="two units"),
        pytest.param("25MB", 3, 7_540, id="a begun unit is a whole one"),
    ],
)
def test_each_10_mb_are_a_unit_and_what_follows_them_takes_time(
    size: str, of_one: int, latency_ms: int
) -> None:
    result = simulated(scenario(size))
    assert dict(result.requests.by_outcome) == {"served": 10}
    assert units(result) == 10 * of_one
    assert result.routes[0].latency.mean == pytest.approx(latency_ms, abs=1e-3)


def test_a_buffered_answer_of_that_size_is_not_passed_on() -> None:
    text = scenario("25MB", integration={"response_transfer_mode": "buffered"})
    assert dict(simulated(text).requests.by_outcome) == {"backend_error": 10}


def test_streamed_answers_are_not_compressed() -> None:
    stage = {"minimum_compression_size": "1KB"}
    for integration, left in (({}, 2 * MB), ({"response_transfer_mode": "buffered"}, None)):
        text = scenario("2MB", stage=stage, integration=integration)
        data = json.loads(text)
        data["traffic"]["web"]["accept_encoding"] = "100%"
        row = simulated(json.dumps(data)).routes[0]
        assert (row.response_bytes == 10 * 2 * MB) == (left is not None)


def test_both_engines_stream_alike() -> None:
    size = {"mixture": [[1, "9MB"], [1, "11MB"], [1, "25MB"]]}
    text = scenario("1B").replace('"1B"', json.dumps(size))
    golden, compiled = (simulated(text, engine) for engine in ("simpy", "compiled"))
    assert golden.run_info.digest == compiled.run_info.digest
    assert units(golden) == units(compiled) > 10


@pytest.mark.parametrize(
    ("size", "expected_ns"),
    [(0, 0), (10 * MB, 0), (10 * MB + 1, 477), (12 * MB, 10**9), (1 << 30, 507 * 10**9)],
)
def test_what_is_beyond_10_mb_goes_at_2_mb_a_second(size: int, expected_ns: int) -> None:
    assert streamed_ns(size) == expected_ns


def test_the_increment_is_the_books() -> None:
    assert stream_increment(load_book("aws-us-east-1")) == 10 * MB
    assert stream_increment(load_book("aws-apigateway-regions/eu-west-2")) == 10 * MB
    assert stream_increment(load_book("seed-chapter")) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"cache": {"keys": []}}, "is streamed is not cached", id="cache"),
        pytest.param(
            {"integration": {"type": "mock", "function": None}}, "type mock streams nothing",
            id="type",
        ),
        pytest.param({"integration": {"timeout": "901s"}}, "above the 900s maximum", id="time-out"),
        pytest.param(
            {"integration": {"response_transfer_mode": "chunked"}}, "must be one of", id="word"
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_streamed_is_refused(change: Data, message: str) -> None:
    stage = {"cache_cluster_size": "0.5"} if "cache" in change else {}
    text = scenario("1MB", stage=stage, **change).replace('"function": null, ', "")
    with pytest.raises(ScenarioError) as refused:
        loads(text)
    assert message in str(refused.value)


def test_http_apis_stream_nothing() -> None:
    with pytest.raises(ScenarioError, match="HTTP APIs have no streamed answers"):
        loads(scenario("1MB").replace('"type": "rest"', '"type": "http"'))


def test_a_quarter_of_an_hour_costs_the_account_no_rate() -> None:
    """Time-outs above 29 s lower an account's rate; what is streamed needs no such raise."""
    text = scenario("1MB", integration={"timeout": "15m"})
    streamed = loads(text)
    assert streamed.account.throttle.rate_limit == 10_000
    buffered = text.replace('"stream"', '"buffered"').replace('"15m"', '"300s"')
    assert loads(buffered).account.throttle.rate_limit < 10_000
