"""Asynchronous invocations: the caller has gone, the event is tried until it is well or too old."""

from typing import Any

import numpy as np
import pytest

from apisim.backends.events import EVENT_BYTES, NO_RETRY, error_wait_ns, throttle_wait_ns
from apisim.engine.run import Engine, Replication
from apisim.gateway.status import Answer
from tests.support.experiments import Data, one_source, prepare, rows_of, scenario

MS = 1_000_000
S = 1_000_000_000
HOUR = 3_600 * S
ENGINES: tuple[Engine, ...] = ("compiled", "simpy")


def one_function(
    function: Data, *, rate: str = "10/s", lasts: str = "1s", invocation: str = "event", **top: Any
) -> Data:
    """A function that is called by one route, evenly."""
    route = top.pop("route", {})
    integration = {"type": "lambda", "function": "f", "invocation": invocation}
    routes = {"GET /": {"integration": integration, **route}}
    return scenario(
        apis={"api": {"type": "rest", "routes": routes}},
        functions={"f": function, **top.pop("functions", {})},
        traffic=one_source(rate, lasts, arrivals="uniform", offset=0),
        **top,
    )


def counts(done: Replication) -> tuple[int, int, int, int]:
    """Events, runs, runs after an error, events dropped."""
    pool = done.pools[0]
    names = ("events", "invocations", "event_retries", "events_dropped")
    return tuple(int(pool[name]) for name in names)  # type: ignore[return-value]


# ---------------------------------------------------------------------------------- the intervals


def test_a_throttled_event_waits_twice_as_long_each_time_up_to_five_minutes() -> None:
    waits = [int(throttle_wait_ns(n, 0, 6 * HOUR)) // S for n in range(1, 12)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_failed_event_waits_one_minute_and_then_two() -> None:
    assert error_wait_ns(1, 2, 0, 6 * HOUR) == 60 * S
    assert error_wait_ns(2, 2, 0, 6 * HOUR) == 120 * S
    assert error_wait_ns(3, 2, 0, 6 * HOUR) == NO_RETRY
    assert error_wait_ns(1, 0, 0, 6 * HOUR) == NO_RETRY


def test_an_event_as_old_as_its_limit_is_gone() -> None:
    assert throttle_wait_ns(1, 59 * S - 1, 60 * S) == S
    assert throttle_wait_ns(1, 59 * S, 60 * S) == NO_RETRY
    assert error_wait_ns(1, 2, 0, 60 * S) == NO_RETRY
    assert error_wait_ns(1, 2, 0, 60 * S + 1) == 60 * S


# ------------------------------------------------------------------------------------ the caller


@pytest.mark.parametrize("engine", ENGINES)
def test_the_caller_is_told_at_once_and_nothing_of_the_result(engine: Engine) -> None:
    data = one_function({"duration": "2s"}, settings={"lambda_transport": "10ms"})
    done, rows = rows_of(prepare(data), engine=engine)
    assert np.all(rows["answer"] == Answer.EVENT_ACCEPTED)
    assert np.all(rows["status"] == 202)
    assert np.all(rows["integration_ns"] == 10 * MS)
    assert np.all(rows["gateway_ns"] == 10 * MS)
    assert np.all(rows["response_bytes"] == 0)
    assert not np.any(rows["cold"])
    assert counts(done) == (10, 10, 0, 0)
    # The last call came at 900 ms, was at Lambda 5 ms later, and the function takes 2 s.
    assert done.end_ns == 2_905 * MS


def test_a_caller_that_was_told_of_a_time_out_has_called_all_the_same() -> None:
    data = one_function({"duration": "5ms"}, settings={"lambda_transport": "200ms"})
    data["apis"]["api"]["routes"]["GET /"]["integration"]["timeout"] = "50ms"
    for engine in ENGINES:
        done, rows = rows_of(prepare(data), engine=engine)
        assert np.all(rows["answer"] == Answer.TIMEOUT)
        assert counts(done) == (10, 10, 0, 0)


@pytest.mark.parametrize(
    ("size", "answer"),
    [
        (EVENT_BYTES, Answer.EVENT_ACCEPTED),
        (EVENT_BYTES + 1, Answer.FUNCTION_REQUEST_TOO_LARGE),
    ],
)
def test_an_event_has_at_most_1_mb(size: int, answer: Answer) -> None:
    data = one_function({"duration": "5ms"}, route={"request_size": f"{size}B"})
    _, rows = rows_of(prepare(data))
    assert np.all(rows["answer"] == answer)


def test_what_an_event_s_function_returns_has_no_limit_here() -> None:
    data = one_function({"duration": "5ms"}, route={"response_size": "11MB"})
    done, rows = rows_of(prepare(data))
    assert np.all(rows["answer"] == Answer.EVENT_ACCEPTED)
    assert done.pools["errors"][0] == 0


# ------------------------------------------------------------------------------------ the events


@pytest.mark.parametrize("engine", ENGINES)
def test_a_failing_function_runs_three_times(engine: Engine) -> None:
    function = {"duration": "5ms", "errors": "100%"}
    done, rows = rows_of(prepare(one_function(function)), engine=engine)
    assert np.all(rows["status"] == 202)
    assert counts(done) == (10, 30, 20, 10)
    assert done.pools["errors"][0] == 30
    # At 900 ms, 60.905 s and 180.91 s; each run takes 5 ms and is billed.
    assert done.end_ns == 180_915 * MS
    assert done.recorder.executions["billed_ms"].sum() == 150


@pytest.mark.parametrize(
    ("more", "runs"),
    [
        ({"maximum_retry_attempts": 0}, 1),
        ({"maximum_retry_attempts": 1}, 2),
        ({"maximum_event_age": "60s"}, 1),  # as old as that when it would run again
        ({"maximum_event_age": "61s"}, 2),
    ],
)
def test_a_function_says_how_often_and_how_long(more: Data, runs: int) -> None:
    function = {"duration": "5ms", "errors": "100%", **more}
    done, _ = rows_of(prepare(one_function(function)))
    assert counts(done) == (10, 10 * runs, 10 * (runs - 1), 10)


def test_a_time_out_of_the_function_is_an_error_too() -> None:
    done, _ = rows_of(prepare(one_function({"duration": "5s", "timeout": "3s"})))
    assert counts(done) == (10, 30, 20, 10)
    assert done.pools["timeouts"][0] == 30


def test_a_function_that_may_not_run_is_tried_for_six_hours() -> None:
    done, _ = rows_of(prepare(one_function({"duration": "5ms", "reserved_concurrency": 0})))
    assert counts(done) == (10, 0, 0, 10)
    # At 0, 1, 3, 7, ..., 511 s, and then every 300 s up to 6 h: 10 and (21600 - 511) // 300 tries.
    assert done.pools["throttles"][0] == 10 * (10 + 70)


@pytest.mark.parametrize("engine", ENGINES)
def test_events_wait_for_room_and_are_not_lost(engine: Engine) -> None:
    # Two come together half-way through the run of the first: at 1.5 s and at 3.5 s it is free.
    function = {"duration": "1s", "reserved_concurrency": 1}
    data = one_function(function, rate="2/s", lasts="1s")
    done, _ = rows_of(prepare(data), engine=engine)
    assert counts(done) == (2, 2, 0, 0)
    assert done.pools["throttles"][0] == 1
    # The first from 0 to 1 s; the second, throttled at 0.5 s, from 1.5 s to 2.5 s.
    assert done.end_ns == 2_500 * MS


def test_the_quota_of_requests_a_second_is_about_synchronous_ones() -> None:
    top = {"settings": {"lambda_request_rate": 1}}
    function = {"duration": "1ms", "reserved_concurrency": 1}
    waits, _ = rows_of(prepare(one_function(function, invocation="request_response", **top)))
    event, _ = rows_of(prepare(one_function(function, **top)))
    assert waits.pools["rate_throttles"][0] == 9
    assert event.pools["rate_throttles"][0] == 0
    assert counts(event) == (10, 10, 0, 0)


def test_events_take_the_concurrency_of_those_who_wait() -> None:
    data = one_function(
        {"duration": "10s", "timeout": "60s"},
        account={"lambda_concurrency": 10},
        functions={"g": {"duration": "1ms"}},
    )
    integration = {"type": "lambda_proxy", "function": "g"}
    data["apis"]["api"]["routes"]["GET /g"] = {"integration": integration}
    phases = [{"duration": "1s", "rate": 0}, {"duration": "1s", "rate": 10}]
    data["traffic"]["later"] = {"phases": phases, "arrivals": "uniform", "mix": {"GET /g": 1}}
    _, rows = rows_of(prepare(data))
    of_g = rows[rows["source"] == 1]
    assert len(of_g) == 10
    assert np.all(of_g["answer"] == Answer.FUNCTION_THROTTLED)


def test_runs_and_losses_are_those_of_independent_tries() -> None:
    # Each of up to three runs fails by itself with p: 1 + p + p^2 runs an event, p^3 are lost.
    p, n = 0.4, 4_000
    function = {"duration": "1ms", "errors": f"{p:.0%}"}
    done, _ = rows_of(prepare(one_function(function, rate="400/s", lasts="10s")))
    events, runs, again, dropped = counts(done)
    assert events == n
    assert runs == n + again
    mean = 1 + p + p**2
    variance = (1 - p) + 4 * p * (1 - p) + 9 * p**2 - mean**2
    assert abs(runs / n - mean) < 4 * np.sqrt(variance / n)
    assert abs(dropped / n - p**3) < 4 * np.sqrt(p**3 * (1 - p**3) / n)
    # A test that could not fail would say nothing: half as many losses are seen.
    assert abs(dropped / n - p**3 / 2) > 4 * np.sqrt(p**3 * (1 - p**3) / n)


def test_a_call_behind_an_event_s_function_fails_and_is_made_again() -> None:
    data = one_function(
        {"duration": "5ms", "timeout": "1s", "calls": [{"endpoint": "e"}]},
        endpoints={"e": {"servers": 1, "service_time": "5s", "queue_limit": 3}},
    )
    for engine in ENGINES:
        done, _ = rows_of(prepare(data), engine=engine)
        assert counts(done) == (10, 30, 20, 10)
        # One is served and three wait each time, cut off after a second and served all the same.
        assert done.endpoints["served"][0] == 12
        assert done.endpoints["abandoned"][0] == 12


def test_each_run_picks_a_version_of_its_own() -> None:
    function = {
        "duration": "1ms",
        "errors": "100%",
        "additional_version": {"weight": "50%", "errors": "0%"},
    }
    data = one_function(function, rate="400/s", lasts="10s")
    done, _ = rows_of(prepare(data))
    events, _, again, dropped = counts(done)
    good = int(done.pools["invocations"][1])
    assert good == events - dropped
    assert done.pools["invocations"][0] + good == events + again
    assert abs(dropped / events - 0.125) < 4 * np.sqrt(0.125 * 0.875 / events)
