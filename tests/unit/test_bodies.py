"""Bodies at an integration: how large they may be, what templates take and make of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apisim.engine.recorder import CACHE_HIT
from apisim.engine.run import Engine
from apisim.gateway.limits import BODY_BYTES
from apisim.gateway.mapping import TOO_LARGE, mapped_bytes, passed_on_bytes
from apisim.gateway.status import Answer
from tests.support.experiments import Data, one_source, prepare, rows_of, scenario

MS = 1_000_000
ENGINES: tuple[Engine, ...] = ("compiled", "simpy")

_FUNCTION = {"type": "lambda_proxy", "function": "f"}
_CUSTOM = {"type": "lambda", "function": "f"}
_ENDPOINT = {"type": "http_proxy", "endpoint": "e"}


def one_route(integration: Data, *, stage: Data | None = None, **route: Any) -> Data:
    """Ten requests, one every 100 ms, to a route of one of three backends."""
    top = route.pop("top", {})
    routes = {"GET /": {"integration": integration, **route}}
    return scenario(
        apis={"api": {"type": "rest", "stage": stage or {}, "routes": routes}},
        functions={"f": {"duration": "5ms"}, **top.pop("functions", {})},
        endpoints={"e": {"servers": 9, "service_time": "5ms"}},
        traffic=one_source("10/s", "1s", arrivals="uniform", offset=0),
        **top,
    )


def mapped(integration: Data, **transformation: Any) -> Data:
    return {**integration, "transformation": transformation}


@pytest.mark.parametrize(
    ("size", "ratio_ppm", "after"),
    [(1_000, 1_000_000, 1_000), (1_000, 500_000, 500), (3, 500_000, 2), (0, 7, 0), (1, 1, 1)],
)
def test_a_mapped_body_is_its_share_rounded_up(size: int, ratio_ppm: int, after: int) -> None:
    assert mapped_bytes(size, ratio_ppm) == after


def test_what_is_passed_on_keeps_both_limits() -> None:
    assert passed_on_bytes(100, 100, 1_000_000) == 100
    assert passed_on_bytes(101, 100, 1_000_000) == TOO_LARGE
    assert passed_on_bytes(BODY_BYTES, BODY_BYTES, 1_000_000) == BODY_BYTES
    assert passed_on_bytes(BODY_BYTES, BODY_BYTES, 1_000_001) == TOO_LARGE


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("integration", "size", "answer"),
    [
        # To the byte, as Lambda's own messages say.
        (_FUNCTION, {"response_size": "6291556B"}, Answer.SERVED),
        (_FUNCTION, {"response_size": "6291557B"}, Answer.FUNCTION_ANSWER_TOO_LARGE),
        (_FUNCTION, {"request_size": "6291456B"}, Answer.SERVED),
        (_FUNCTION, {"request_size": "6291457B"}, Answer.FUNCTION_REQUEST_TOO_LARGE),
        (_ENDPOINT, {"response_size": "10MB"}, Answer.SERVED),
        (_ENDPOINT, {"response_size": "10485761B"}, Answer.ANSWER_TOO_LARGE),
        (_CUSTOM, {"response_size": "6291557B"}, Answer.FUNCTION_ERROR_AS_200),
        (mapped(_CUSTOM, request_ratio=2), {"request_size": "3MB"}, Answer.SERVED),
        (
            mapped(_CUSTOM, request_ratio=2),
            {"request_size": "3145729B"},
            Answer.FUNCTION_REQUEST_TOO_LARGE,
        ),
        (mapped(_CUSTOM, response_ratio=2), {"response_size": "5MB"}, Answer.SERVED),
        (
            mapped(_CUSTOM, response_ratio=2),
            {"response_size": "5242881B"},
            Answer.ANSWER_TOO_LARGE,
        ),
    ],
)
def test_a_limit_is_the_largest_body_that_passes(
    integration: Data, size: Data, answer: Answer, engine: Engine
) -> None:
    _, rows = rows_of(prepare(one_route(integration, **size)), engine=engine)
    assert len(rows) == 10
    assert np.all(rows["answer"] == answer)


def test_a_result_that_is_too_large_is_an_error_that_ran() -> None:
    done, rows = rows_of(prepare(one_route(_FUNCTION, response_size="7MB")))
    assert np.all(rows["integration_ns"] == 5 * MS)
    assert done.pools["errors"][0] == 10
    assert done.recorder.executions["invocations"].sum() == 10


def test_an_event_that_is_too_large_runs_and_holds_nothing() -> None:
    # Two are busy for as long as the run takes; the others would find no concurrency.
    data = one_route(_FUNCTION, request_size="7MB", top={"account": {"lambda_concurrency": 0}})
    done, rows = rows_of(prepare(data))
    assert np.all(rows["answer"] == Answer.FUNCTION_REQUEST_TOO_LARGE)
    assert done.pools["throttles"][0] == 0
    assert done.recorder.executions["invocations"].sum() == 0


def test_a_share_of_a_mixture_is_too_large() -> None:
    sizes = {"mixture": [[0.75, "1KB"], [0.25, "7MB"]]}
    data = one_route(_FUNCTION, response_size=sizes)
    data["traffic"] = one_source("100/s", "40s", arrivals="uniform")
    _, rows = rows_of(prepare(data))
    share = np.mean(rows["answer"] == Answer.FUNCTION_ANSWER_TOO_LARGE)
    assert abs(share - 0.25) < 4 * np.sqrt(0.25 * 0.75 / len(rows))
    # What is told instead is a few dozen bytes.
    assert rows["response_bytes"].max() == 1024


def test_what_is_too_large_is_not_cached() -> None:
    data = one_route(
        _FUNCTION,
        stage={"cache_cluster_size": "0.5"},
        response_size="7MB",
        cache={"keys": []},
        top={"settings": {"cache_max_object": "20MB"}},
    )
    done, rows = rows_of(prepare(data))
    assert not np.any(rows["cache"] == CACHE_HIT)
    assert done.caches["entries"][0] == 0


def test_the_answers_of_a_log_are_limited_too(tmp_path: Path) -> None:
    lines = [f"{at},c,GET,/,200,{size}" for at, size in enumerate([100, 6_291_556, 6_291_557])]
    (tmp_path / "log.csv").write_text(
        "\n".join(["timestamp_s,client,method,path,status,bytes", *lines])
    )
    # What a log says is what callers got: no template has to be run over it.
    data = one_route(mapped(_CUSTOM, response_ratio=0.5), response_size="20MB")
    data["traffic"] = {"web": {"trace": {"file": "log.csv"}}}
    for engine in ENGINES:
        _, rows = rows_of(prepare(data, tmp_path), engine=engine)
        assert rows["answer"].tolist() == [0, 0, Answer.FUNCTION_ERROR_AS_200]
        assert rows["response_bytes"].tolist()[:2] == [100, 6_291_556]


# -------------------------------------------------------------------------------- transformation


@pytest.mark.parametrize("engine", ENGINES)
def test_templates_take_the_gateway_s_time_and_not_the_integration_s(engine: Engine) -> None:
    integration = mapped(_CUSTOM, request_time="100ms", response_time="30ms")
    integration["timeout"] = "50ms"  # which is about the integration alone
    _, rows = rows_of(prepare(one_route(integration)), engine=engine)
    assert np.all(rows["answer"] == Answer.SERVED)
    assert np.all(rows["integration_ns"] == 5 * MS)
    assert np.all(rows["gateway_ns"] == 135 * MS)
    assert np.all(rows["latency_ns"] == 135 * MS)


@pytest.mark.parametrize(
    ("function", "answer", "took_ms"),
    [
        # The gateway's own answers have no template.
        ({"duration": "5ms", "reserved_concurrency": 0}, Answer.FUNCTION_THROTTLED, 100),
        ({"duration": "90ms"}, Answer.TIMEOUT, 150),
        ({"duration": "5ms", "errors": "100%"}, Answer.FUNCTION_ERROR_AS_200, 135),
    ],
)
def test_what_the_backend_says_is_mapped_whatever_it_is(
    function: Data, answer: Answer, took_ms: int
) -> None:
    integration = mapped(_CUSTOM, request_time="100ms", response_time="30ms")
    integration["timeout"] = "50ms"
    data = one_route(integration, top={"functions": {"f": function}})
    for engine in ENGINES:
        _, rows = rows_of(prepare(data), engine=engine)
        assert np.all(rows["answer"] == answer)
        assert np.all(rows["gateway_ns"] == took_ms * MS)


def test_the_cache_holds_what_callers_get() -> None:
    integration = mapped(_CUSTOM, request_time="20ms", response_time="30ms", response_ratio=2.5)
    data = one_route(
        integration,
        stage={"cache_cluster_size": "0.5"},
        response_size="1001B",
        cache={"keys": [], "ttl": "250ms"},
    )
    done, rows = rows_of(prepare(data))
    assert np.all(rows["response_bytes"] == 2_503)
    # Asked for at 0 ms and stored at 55 ms, when it had been mapped: gone at 305 ms.
    assert (rows["cache"] == CACHE_HIT).tolist() == [
        *(False, True, True, True),
        *(False, True, True, True),
        *(False, True),
    ]
    assert np.all(rows["gateway_ns"][rows["cache"] == CACHE_HIT] == 0)
    assert done.caches["weight"][0] == 2_503


def test_a_smaller_answer_is_compressed_from_its_own_size() -> None:
    data = one_route(
        mapped({"type": "http", "endpoint": "e"}, response_ratio=0.5),
        stage={"minimum_compression_size": "1KB"},
        response_size="2047B",
    )
    _, rows = rows_of(prepare(data))
    assert np.all(rows["response_bytes"] == 1_024 * 0.3 // 1 + 1)


def test_the_time_of_a_template_is_drawn_for_each_request() -> None:
    integration = mapped(
        {"type": "http", "endpoint": "e"},
        request_time={"uniform": ["0ms", "10ms"]},
        response_time={"uniform": ["0ms", "20ms"]},
    )
    data = one_route(integration)
    data["traffic"] = one_source("100/s", "40s", arrivals="uniform")
    _, rows = rows_of(prepare(data))
    mapping_ms = (rows["gateway_ns"] - 5 * MS) / MS
    # Two independent uniforms: means 5 and 10 ms, variances 100/12 and 400/12 ms^2.
    assert abs(mapping_ms.mean() - 15) < 4 * np.sqrt(500 / 12 / len(rows))
    assert abs(mapping_ms.var() / (500 / 12) - 1) < 0.1
