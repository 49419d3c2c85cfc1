"""What a function calls while it runs: its instance is held, its time limit ends it."""

from typing import Any

import numpy as np
import pytest

from apisim.engine.run import Engine
from apisim.gateway.status import Answer
from tests.support.experiments import Data, function_api, prepare, rows_of, scenario

MS = 1_000_000
ENGINES = ["compiled", "simpy"]

pytestmark = pytest.mark.parametrize("engine", ENGINES)


def run(engine: Engine, function: Data, endpoint: Data, n: int = 1, **parts: Any) -> Any:
    """``n`` requests at time 0, 1 ms apart."""
    data = function_api(function)
    data["endpoints"] = {"db": endpoint}
    source = {
        "phases": [{"duration": f"{n}ms", "rate": 1_000}],
        "arrivals": "uniform",
        "offset": 0,
        "mix": {"GET /": 1},
    }
    done, rows = rows_of(
        prepare(scenario(**data, traffic={"web": source}, **parts)), 0, engine=engine
    )
    return done, rows


def test_calls_come_after_the_functions_own_time_one_after_the_other(engine: Engine) -> None:
    function = {"duration": "5ms", "init": "20ms", "calls": [{"endpoint": "db"}] * 3}
    done, rows = run(engine, function, {"servers": 1, "service_time": "7ms"})
    assert rows["latency_ns"].tolist() == [(20 + 5 + 3 * 7) * MS]
    assert done.endpoints["served"].tolist() == [3]
    assert done.recorder.executions["billed_ms"].sum() == 46


def test_an_instance_is_held_while_its_call_queues(engine: Engine) -> None:
    function = {"duration": 0, "calls": [{"endpoint": "db"}]}
    done, rows = run(engine, function, {"servers": 1, "service_time": "10ms"}, n=4)
    assert rows["latency_ns"].tolist() == [10 * MS, 19 * MS, 28 * MS, 37 * MS]
    assert done.pools["max_busy"].tolist() == [4]
    assert int(done.pools["busy_ns"][0]) == 94 * MS


def test_a_time_limit_ends_the_function_and_not_what_it_had_called(engine: Engine) -> None:
    function = {"duration": 0, "timeout": "20ms", "calls": [{"endpoint": "db"}]}
    done, rows = run(engine, function, {"servers": 1, "service_time": "15ms"}, n=4)
    answers = [Answer.SERVED, *[Answer.FUNCTION_ERROR] * 3]
    assert rows["answer"].tolist() == answers
    assert rows["latency_ns"].tolist() == [15 * MS, *[20 * MS] * 3]
    # Those who gave up are served all the same, one after the other.
    assert done.endpoints["served"].tolist() == [4]
    assert done.endpoints["abandoned"].tolist() == [3]
    assert done.end_ns == 60 * MS


def test_an_answer_at_the_limit_is_in_time(engine: Engine) -> None:
    function = {"duration": "5ms", "timeout": "20ms", "calls": [{"endpoint": "db"}]}
    _, rows = run(engine, function, {"servers": 1, "service_time": "15ms"})
    assert rows["answer"].tolist() == [Answer.SERVED]
    assert rows["latency_ns"].tolist() == [20 * MS]


@pytest.mark.parametrize(
    ("on_error", "answer", "calls"),
    [("fail", Answer.FUNCTION_ERROR, 1), ("ignore", Answer.SERVED, 2)],
)
@pytest.mark.parametrize("what", ["errors", "full"])
def test_a_call_that_fails_fails_its_function_unless_it_is_ignored(
    engine: Engine, on_error: str, answer: Answer, calls: int, what: str
) -> None:
    function = {"duration": "1ms", "calls": [{"endpoint": "db", "on_error": on_error}] * 2}
    endpoint: Data = {"servers": 1, "service_time": "2ms", "errors": "100%"}
    if what == "full":
        # The first request is served for longer than all others take.
        endpoint = {"servers": 1, "service_time": "1s", "queue_limit": 0}
    done, rows = run(engine, function, endpoint, n=2)
    assert rows["answer"][1] == answer
    errors = int(done.pools["errors"][0])
    assert errors == int((rows["answer"] == Answer.FUNCTION_ERROR).sum())
    if what == "errors":
        assert rows["latency_ns"][1] >= (1 + 2 * calls) * MS
        assert done.endpoints["served"].tolist() == [2 * calls]
    else:
        assert rows["latency_ns"][1] == 1 * MS


def test_a_gateway_that_gives_up_does_not_end_the_function(engine: Engine) -> None:
    data = function_api({"duration": 0, "calls": [{"endpoint": "db"}]})
    data["apis"]["api"]["routes"]["GET /"]["integration"]["timeout"] = "50ms"
    data["endpoints"] = {"db": {"servers": 1, "service_time": "90ms"}}
    source = {
        "phases": [{"duration": "1ms", "rate": 1_000}],
        "arrivals": "uniform",
        "offset": 0,
        "mix": {"GET /": 1},
    }
    program = prepare(scenario(**data, traffic={"web": source}))
    done, rows = rows_of(program, 0, engine=engine)
    assert rows["answer"].tolist() == [Answer.TIMEOUT]
    assert rows["latency_ns"].tolist() == [50 * MS]
    assert int(done.pools["busy_ns"][0]) == 90 * MS
    assert np.all(done.endpoints["served"] == 1)
