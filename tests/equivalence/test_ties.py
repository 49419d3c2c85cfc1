"""Ties: what happens when several things fall on one instant, worked out by hand.

The order at one instant is that of design C1: steps that take no time, ends of work, answers,
deadlines, arrivals; then by address (source, user, ordinal, attempt). What is exactly as old as its
limit is gone.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from apisim.engine.run import Engine
from apisim.gateway.status import Answer
from apisim.scenario import load, loads
from tests.equivalence.engines import Run, lowered, run

pytestmark = pytest.mark.equivalence

MS = 1_000_000
KEPT = Path(__file__).parent / "kept"
S, H, T = Answer.SERVED, Answer.CACHE_HIT, Answer.TIMEOUT
METHOD, ACCOUNT = Answer.THROTTLED_METHOD, Answer.THROTTLED_ACCOUNT
FULL, BUSY = Answer.ENDPOINT_FULL, Answer.FUNCTION_THROTTLED
MOCK = {"type": "mock"}


@pytest.fixture(params=["compiled", "simpy"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    return request.param  # type: ignore[no-any-return]


def simulate(engine: Engine, routes: dict[str, Any], traffic: dict[str, Any], **more: Any) -> Run:
    """A REST API under profile ``ideal``: nothing takes time unless it is said."""
    stage = more.pop("stage", {})
    data = {"apisim": 1, "profile": "ideal", **more, "traffic": traffic}
    data["apis"] = {"one": {"type": "rest", "stage": stage, "routes": routes}}
    return run(lowered(loads(yaml.safe_dump(data))), engine)


def every(gap_ms: int, times: int, route: str = "GET /a", **more: Any) -> dict[str, Any]:
    """A source that calls at 0, ``gap_ms``, 2 ``gap_ms``, ... so many times."""
    phase = {"duration": f"{gap_ms * times}ms", "rate": f"{1000 // gap_ms}"}
    return {"arrivals": "uniform", "offset": 0, "phases": [phase], "mix": {route: 1}, **more}


def at_once(folder: Path, *paths: str) -> dict[str, Any]:
    """A log of requests that all bear the same time."""
    rows = "".join(f"1000,,GET,{path}\n" for path in paths)
    (folder / "log.csv").write_text(f"timestamp_s,client,method,path\n{rows}")
    return {"log": {"trace": {"file": str(folder / "log.csv")}}}


def answers(result: Run, source: int = 0) -> list[Answer]:
    """How the calls of a source ended, in their order."""
    rows = result.rows
    return [Answer(answer) for answer in rows["answer"][rows["source"] == source].tolist()]


def latencies_ms(result: Run) -> list[float]:
    """Latencies of all calls in the order of their arrival."""
    return (result.rows["latency_ns"] / MS).tolist()  # type: ignore[no-any-return]


def test_sources_that_call_at_one_instant_take_tokens_in_their_order(engine: Engine) -> None:
    # Every 100 ms one token comes, and three calls: it is the first source's.
    traffic = {name: every(100, 10) for name in "abc"}
    account = {"throttle": {"rate_limit": 10, "burst_limit": 2}}
    result = simulate(engine, {"GET /a": {"integration": MOCK}}, traffic, account=account)
    assert answers(result, 0) == [S] * 10
    assert answers(result, 1) == [S] + [ACCOUNT] * 9
    assert answers(result, 2) == [ACCOUNT] * 10


def test_users_that_call_at_one_instant_take_tokens_in_their_order(engine: Engine) -> None:
    phase = {"duration": "30ms", "users": 2, "think_time": "10ms"}
    traffic = {"web": {"offset": 0, "phases": [phase], "mix": {"GET /a": 1}}}
    account = {"throttle": {"rate_limit": 100, "burst_limit": 1}}
    result = simulate(engine, {"GET /a": {"integration": MOCK}}, traffic, account=account)
    assert result.rows["arrival_ns"].tolist() == [0, 0, 10 * MS, 10 * MS, 20 * MS, 20 * MS]
    assert answers(result) == [S, ACCOUNT] * 3


@pytest.mark.parametrize(
    ("rate", "expected"),
    [("10", [S] * 6), ("9.999999", [S, ACCOUNT] * 3), ("0", [S] + [ACCOUNT] * 5)],
)
def test_a_token_that_is_whole_at_the_instant_it_is_asked_for_is_there(
    engine: Engine, rate: str, expected: list[Answer]
) -> None:
    account = {"throttle": {"rate_limit": rate, "burst_limit": 1}}
    routes = {"GET /a": {"integration": MOCK}}
    result = simulate(engine, routes, {"web": every(100, 6)}, account=account)
    assert answers(result) == expected


def test_all_buckets_are_charged_or_none(engine: Engine, tmp_path: Path) -> None:
    # The second /a is refused by its method and leaves the account's tokens to /b.
    throttle = {"rate_limit": 0, "burst_limit": 1}
    routes = {
        "GET /a": {"integration": MOCK, "throttle": throttle},
        "GET /b": {"integration": MOCK},
    }
    account = {"throttle": {"rate_limit": 0, "burst_limit": 3}}
    traffic = at_once(tmp_path, "/a", "/a", "/b", "/b", "/b", "/a")
    result = simulate(engine, routes, traffic, account=account)
    assert answers(result) == [S, METHOD, S, S, ACCOUNT, METHOD]
    assert result.result.buckets["refused"].sum() == 3


def test_a_log_with_a_coarse_clock_and_a_mock_is_a_loop_over_its_rows(
    engine: Engine, tmp_path: Path
) -> None:
    # Two entries fit. The least recently used one leaves: /2 when /3 comes, then /1, then /3.
    routes = {"GET /{id}": {"integration": MOCK, "cache": {"ttl": "1s", "keys": ["path.id"]}}}
    traffic = at_once(tmp_path, "/1", "/1", "/2", "/1", "/3", "/2", "/2", "/1")
    result = simulate(engine, routes, traffic, stage={"cache_max_entries": 2})
    assert answers(result) == [S, H, S, H, S, S, H, S]
    assert result.result.caches["evictions"].tolist() == [3]
    assert result.result.end_ns == 0


def test_work_of_no_time_leaves_its_server_before_the_next_call_comes(
    engine: Engine, tmp_path: Path
) -> None:
    routes = {"GET /a": {"integration": {"type": "http", "endpoint": "e"}}}
    endpoints = {"e": {"servers": 1, "queue_limit": 0, "service_time": "0s"}}
    result = simulate(engine, routes, at_once(tmp_path, *["/a"] * 5), endpoints=endpoints)
    assert answers(result) == [S] * 5
    assert latencies_ms(result) == [0] * 5
    assert result.result.endpoints["max_waiting"].tolist() == [0]


def test_a_queue_fills_and_empties_in_the_order_of_addresses(
    engine: Engine, tmp_path: Path
) -> None:
    routes = {"GET /a": {"integration": {"type": "http", "endpoint": "e"}}}
    endpoints = {"e": {"servers": 2, "queue_limit": 2, "service_time": "1ms"}}
    result = simulate(engine, routes, at_once(tmp_path, *["/a"] * 6), endpoints=endpoints)
    assert answers(result) == [S, S, S, S, FULL, FULL]
    assert latencies_ms(result) == [1, 1, 2, 2, 0, 0]


@pytest.mark.parametrize(
    ("work", "transport", "expected", "latency_ms"),
    [
        ("50ms", "0s", S, 50),
        ("50ms 1ns", "0s", T, 50),
        ("40ms", "10ms", S, 50),
        ("40ms 1ns", "10ms", T, 50),
        ("0s", "100ms", T, 50),  # reaches the function at the deadline
        ("0s", "50ms", S, 50),
    ],
)
def test_an_answer_at_its_deadline_is_in_time(
    engine: Engine, work: str, transport: str, expected: Answer, latency_ms: int
) -> None:
    integration = {"type": "lambda_proxy", "function": "f", "timeout": "50ms"}
    result = simulate(
        engine,
        {"GET /a": {"integration": integration}},
        {"web": every(100, 3)},
        functions={"f": {"duration": work}},
        settings={"lambda_transport": transport},
    )
    assert answers(result) == [expected] * 3
    assert latencies_ms(result) == [latency_ms] * 3
    assert result.result.pools["invocations"].tolist() == [3]


def test_work_goes_on_when_the_caller_has_been_told_of_the_time_out(
    engine: Engine, tmp_path: Path
) -> None:
    integration = {"type": "http", "endpoint": "e", "timeout": "50ms"}
    endpoints = {"e": {"servers": 1, "service_time": "25ms"}}
    traffic = at_once(tmp_path, *["/a"] * 4)
    routes = {"GET /a": {"integration": integration}}
    result = simulate(engine, routes, traffic, endpoints=endpoints)
    assert answers(result) == [S, S, T, T]
    assert latencies_ms(result) == [25, 50, 50, 50]
    assert result.result.endpoints["served"].tolist() == [4]
    assert result.result.endpoints["busy_ns"].tolist() == [100 * MS]


def test_a_late_answer_is_not_cached(engine: Engine, tmp_path: Path) -> None:
    integration = {"type": "lambda", "function": "f", "timeout": "50ms"}
    routes = {"GET /a": {"integration": integration, "cache": {"ttl": "10s", "keys": []}}}
    result = simulate(
        engine,
        routes,
        {"web": every(100, 3)},
        functions={"f": {"duration": "50ms 1ns"}},
        stage={"cache_max_entries": 1},
    )
    assert answers(result) == [T] * 3
    assert result.result.caches["entries"].tolist() == [0]


@pytest.mark.parametrize(("work", "expected"), [("100ms", [S] * 6), ("100ms 1ns", [S, BUSY] * 3)])
def test_concurrency_is_freed_before_it_is_asked_for(
    engine: Engine, work: str, expected: list[Answer]
) -> None:
    integration = {"type": "lambda_proxy", "function": "f"}
    result = simulate(
        engine,
        {"GET /a": {"integration": integration}},
        {"web": every(100, 6)},
        functions={"f": {"duration": work, "reserved_concurrency": 1}},
    )
    assert answers(result) == expected
    assert result.rows["cold"].tolist() == [1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(("work", "expected"), [("100ms", [S] * 6), ("100ms 1ns", [S, FULL] * 3)])
def test_a_server_is_freed_before_it_is_asked_for(
    engine: Engine, work: str, expected: list[Answer]
) -> None:
    endpoints = {"e": {"servers": 1, "queue_limit": 0, "service_time": work}}
    routes = {"GET /a": {"integration": {"type": "http", "endpoint": "e"}}}
    result = simulate(engine, routes, {"web": every(100, 6)}, endpoints=endpoints)
    assert answers(result) == expected


@pytest.mark.parametrize(("ttl", "expected"), [("100ms", [S] * 6), ("100ms 1ns", [S, H] * 3)])
def test_an_entry_exactly_as_old_as_its_time_to_live_is_gone(
    engine: Engine, ttl: str, expected: list[Answer]
) -> None:
    routes = {"GET /a": {"integration": MOCK, "cache": {"ttl": ttl, "keys": []}}}
    traffic = {"web": every(100, 6)}
    result = simulate(engine, routes, traffic, stage={"cache_max_entries": 1})
    assert answers(result) == expected
    # The run ends at 600 ms, when the last one is old enough too.
    assert result.result.caches["expirations"].tolist() == [expected.count(S)]


@pytest.mark.parametrize(("ttl", "calls"), [("100ms", 6), ("100ms 1ns", 3), ("0s", 6)])
def test_a_decision_exactly_as_old_as_its_time_to_live_is_gone(
    engine: Engine, ttl: str, calls: int
) -> None:
    values = {"header.authorization": {"uniform": 1}}
    result = simulate(
        engine,
        {"GET /a": {"integration": MOCK, "authorizer": "tokens"}},
        {"web": every(100, 6, values=values)},
        authorizers={"tokens": {"type": "token", "function": "f", "ttl": ttl}},
        functions={"f": {"duration": "0s"}},
    )
    assert answers(result) == [S] * 6
    assert result.result.pools["invocations"].tolist() == [calls]


@pytest.mark.parametrize(("expiry", "cold"), [("100ms", 6), ("100ms 1ns", 1)])
def test_an_instance_idle_exactly_as_long_as_the_expiry_is_gone(
    engine: Engine, expiry: str, cold: int
) -> None:
    result = simulate(
        engine,
        {"GET /a": {"integration": {"type": "lambda", "function": "f"}}},
        {"web": every(100, 6)},
        functions={"f": {"duration": "0s"}},
        settings={"idle_expiry": expiry},
    )
    assert result.rows["cold"].sum() == cold
    assert result.result.pools["cold_starts"].tolist() == [cold]


@pytest.mark.parametrize(("work", "calls"), [("0s", 1), ("1ms", 3)])
def test_callers_at_one_instant_share_a_decision_only_if_it_takes_no_time(
    engine: Engine, work: str, calls: int
) -> None:
    # Three callers with one token at 0 and at 10 ms; then the decision is kept in either case.
    values = {"header.authorization": {"uniform": 1}}
    result = simulate(
        engine,
        {"GET /a": {"integration": MOCK, "authorizer": "tokens"}},
        {name: every(10, 2, values=values) for name in "abc"},
        authorizers={"tokens": {"type": "token", "function": "f", "ttl": "1s"}},
        functions={"f": {"duration": work}},
    )
    assert result.result.pools["invocations"].tolist() == [calls]
    assert (result.rows["authorizer_ns"] >= 0).sum() == calls


def test_an_answer_is_kept_before_the_next_call_of_its_instant(engine: Engine) -> None:
    # 0 and 5 ms: misses of both callers. The answer of 5 ms comes at 10 ms, before the calls do.
    routes = {
        "GET /a": {
            "integration": {"type": "http", "endpoint": "e"},
            "cache": {"ttl": "1s", "keys": []},
        }
    }
    result = simulate(
        engine,
        routes,
        {"a": every(10, 3), "b": every(5, 4)},
        stage={"cache_max_entries": 1},
        endpoints={"e": {"servers": 9, "service_time": "10ms"}},
    )
    assert answers(result, 0) == [S, H, H]
    assert answers(result, 1) == [S, S, H, H]
    assert latencies_ms(result) == [10, 10, 10, 0, 0, 0, 0]


def test_a_call_that_ends_at_an_instant_comes_before_those_that_begin_then(engine: Engine) -> None:
    # The authorizer answers b's call of 0 ms at 10 ms, when a's call comes: b takes the token.
    values = {"header.authorization": {"uniform": 1}}
    routes = {
        "GET /a": {"integration": MOCK},
        "GET /b": {"integration": MOCK, "authorizer": "tokens"},
    }
    traffic = {
        "a": {
            "arrivals": "uniform",
            "offset": 0,
            "phases": [{"pause": "10ms"}, {"duration": "10ms", "rate": 100}],
            "mix": {"GET /a": 1},
        },
        "b": every(10, 1, "GET /b", values=values),
    }
    result = simulate(
        engine,
        routes,
        traffic,
        account={"throttle": {"rate_limit": 0, "burst_limit": 1}},
        authorizers={"tokens": {"type": "token", "function": "f"}},
        functions={"f": {"duration": "10ms"}},
    )
    assert answers(result, 0) == [ACCOUNT]
    assert answers(result, 1) == [S]


def test_a_user_on_the_way_when_a_pause_begins_goes_on_after_its_answer(engine: Engine) -> None:
    # Answered at 40 ms, within the second phase [30 ms, 50 ms); the next answer comes after it.
    phase = {"duration": "20ms", "users": 1, "think_time": "1ms"}
    phases = [phase, {"pause": "10ms"}, phase]
    result = simulate(
        engine,
        {"GET /a": {"integration": MOCK}},
        {"web": {"offset": 0, "phases": phases, "mix": {"GET /a": 1}}},
        settings={"gateway_overhead": "40ms"},
    )
    assert (result.rows["arrival_ns"] / MS).tolist() == [0, 41]
    assert latencies_ms(result) == [40, 40]


def test_a_start_after_the_time_out_is_no_cold_start_of_the_request(engine: Engine) -> None:
    # Each call reaches the function 10 ms after its time-out and is heard of 40 ms after that.
    result = run(lowered(load(KEPT / "late-cold-start.yaml")), engine)
    assert answers(result) == [T, T]
    assert latencies_ms(result) == [150, 150]
    assert result.rows["cold"].tolist() == [0, 0]
    assert result.result.pools["cold_starts"].tolist() == [1]
    assert result.result.recorder.executions["billed_ms"].sum() == 3
