"""What holds on every run whatever was drawn: identities P1, P9 and P10 of the oracle list."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from apisim.engine.recorder import CACHE_HIT, N_COLUMNS
from apisim.gateway.status import Answer
from tests.support.experiments import Data, prepare, rows_of, scenario
from tests.support.logs import LogRow, replay, write_log

pytestmark = pytest.mark.oracle

SECOND_NS = 1_000_000_000
#: What a row says of a request, apart from where its names stand in their tables.
FACTS = ["arrival_ns", "latency_ns", "gateway_ns", "integration_ns", "authorizer_ns", "answer"]
FACTS += ["cache", "cold", "request_bytes", "response_bytes", "units", "ordinal", "client"]


def shop(scale: int = 1) -> Data:
    """An API with every mechanism, all its times ``scale`` times as long, its rates as slow."""

    def ms(time: int) -> str:
        return f"{time * scale}ms"

    def bucket(rate: int, burst: int) -> Data:
        return {"rate_limit": f"{rate / scale:g}/s", "burst_limit": burst}

    function = {"integration": {"type": "lambda_proxy", "function": "f", "timeout": ms(400)}}
    routes = {
        "GET /items/{id}": {
            **function,
            "authorizer": "tokens",
            "cache": {"ttl": ms(2_000), "keys": ["path.id"]},
            "throttle": bucket(60, 20),
        },
        "POST /items": {**function, "authorizer": "tokens"},
        "GET /stock": {
            "integration": {"type": "http_proxy", "endpoint": "e", "timeout": ms(500)},
        },
    }
    stage = {"cache_max_entries": 12, "throttle": {**bucket(30, 12), "scope": "shared"}}
    return {
        "apis": {"shop": {"type": "rest", "stage": stage, "routes": routes}},
        "authorizers": {"tokens": {"type": "token", "function": "check", "ttl": ms(3_000)}},
        "functions": {
            "f": {
                "duration": ms(150),
                "init": ms(300),
                "timeout": "900s",
                "reserved_concurrency": 6,
            },
            "check": {"duration": ms(20), "init": ms(100), "timeout": "900s"},
        },
        "endpoints": {"e": {"servers": 2, "queue_limit": 3, "service_time": ms(120)}},
        "account": {"throttle": bucket(80, 40)},
        "settings": {"idle_expiry": ms(1_000), "hit_time": ms(3), "refusal_time": ms(1)},
    }


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4,000 requests at about 110/s, in bursts, by known and unknown clients; a few lost."""
    generator = np.random.default_rng(11)
    rates = np.repeat(generator.choice([30.0, 300.0], 40), 100)
    times = np.cumsum(generator.exponential(1 / rates) * 1e9).astype(np.int64)
    rows = []
    for time in times.tolist():
        method, path = [
            ("GET", f"/items/{generator.zipf(1.5) % 40}"),
            ("POST", "/items"),
            ("GET", "/stock"),
            ("GET", "/lost"),
        ][generator.choice(4, p=[0.6, 0.1, 0.25, 0.05])]
        client = f"c{generator.integers(0, 30)}" if generator.random() < 0.97 else ""
        rows.append(LogRow(time - int(times[0]), path, method, 500, client))
    return write_log(tmp_path_factory.mktemp("log") / "shop.csv", rows)


def facts(rows: NDArray[np.void]) -> NDArray[np.void]:
    return np.asarray(rows[FACTS])


def test_everything_happens_in_the_run_that_these_tests_look_at(log: Path) -> None:
    _, rows = rows_of(prepare(scenario(**shop(), traffic=replay(log))))
    ends = {Answer(int(answer)) for answer in rows["answer"]}
    # What the gates of a log's anonymous clients, and backends without errors, can answer.
    assert ends >= {
        Answer.SERVED,
        Answer.CACHE_HIT,
        Answer.THROTTLED_METHOD,
        Answer.THROTTLED_STAGE,
        Answer.THROTTLED_ACCOUNT,
        Answer.NO_IDENTITY,
        Answer.NO_ROUTE,
        Answer.TIMEOUT,
        Answer.FUNCTION_THROTTLED,
        Answer.ENDPOINT_FULL,
    }


@pytest.mark.parametrize("warm_up", ["0s", "7s"])
def test_what_arrived_has_ended_in_one_way_or_another(log: Path, warm_up: str) -> None:
    """P1: for each route, each second and in total; nothing is in flight at the end."""
    done, rows = rows_of(prepare(scenario(**shop(), traffic=replay(log), warm_up=warm_up)))
    recorder = done.recorder
    assert done.n_requests == len(rows) == 4_000
    late = rows[rows["arrival_ns"] >= int(recorder.total["warm_up_ns"][0])]
    cells = recorder.cells
    assert cells["requests"].tolist() == recorder.counts.sum(axis=1).tolist()
    assert recorder.counts.sum() == len(late)
    assert cells["warm_up_requests"].sum() == len(rows) - len(late)
    for cell, counts in enumerate(recorder.counts):
        answers = late["answer"][late["cell"] == cell]
        assert counts.tolist() == np.bincount(answers, minlength=counts.size).tolist()
    # The series counts the warm-up too.
    n_answers = len(Answer)
    series = recorder.series[0, :, :n_answers]
    seconds = np.bincount(rows["arrival_ns"] // SECOND_NS, minlength=len(series))
    assert series.sum(axis=1).tolist() == seconds.tolist()
    assert series.sum(axis=0).tolist() == np.bincount(rows["answer"], minlength=n_answers).tolist()
    assert recorder.series.shape[2] == N_COLUMNS
    assert cells["cache_hits"].sum() == (late["cache"] == CACHE_HIT).sum()
    assert recorder.usage["requests"].sum() == len(rows)
    # The mechanisms counted the same.
    refusals = [Answer.THROTTLED_METHOD, Answer.THROTTLED_STAGE, Answer.THROTTLED_ACCOUNT]
    assert done.buckets["refused"].sum() == np.isin(rows["answer"], refusals).sum()
    assert done.endpoints["refused"].sum() == (rows["answer"] == Answer.ENDPOINT_FULL).sum()


@pytest.mark.parametrize("scale", [2, 100])
def test_a_world_that_is_slower_in_everything_decides_the_same(log: Path, scale: int) -> None:
    """P9: all times k times as long, all rates k times as low: the same record, times k."""
    traffic = replay(log)
    traffic["replayed"]["trace"]["speed"] = 1 / scale
    _, quick_rows = rows_of(prepare(scenario(**shop(), traffic=replay(log))))
    _, slow_rows = rows_of(prepare(scenario(**shop(scale), traffic=traffic)))
    for name in FACTS:
        times = scale if name.endswith("_ns") else 1
        expected = quick_rows[name] * times
        expected[(quick_rows[name] < 0)] = -1
        assert slow_rows[name].tolist() == expected.tolist(), name


def drawn(other: bool) -> Data:
    """The shop under drawn traffic, perhaps with something unrelated before and behind it."""
    phases = [{"name": "load", "duration": "60s", "rate": "50/s", "ramp_to": "150/s"}]
    own: Data = {
        "phases": phases,
        "arrivals": "bursty",
        "mix": {"shop GET /items/{id}": 6, "shop POST /items": 1, "shop GET /stock": 2},
        "values": {"path.id": {"zipf": 1.1, "of": 40}, "header.authorization": {"uniform": 30}},
        "network": {"rtt": {"p50": "20ms", "p99": "120ms"}},
    }
    data: dict[str, Any] = {**shop(), "traffic": {"own": own}}
    data["functions"]["f"] = {**data["functions"]["f"], "duration": {"p50": "90ms", "p99": "1s"}}
    data["account"] = {"lambda_concurrency": 1_000}  # its bucket would be shared
    data["functions"]["check"] = {"duration": "20ms", "reserved_concurrency": 50}
    if other:
        function = {"integration": {"type": "lambda_proxy", "function": "a"}}
        unrelated = {"type": "http", "routes": {"GET /items/{id}": function}}
        data["apis"] = {"before": unrelated, **data["apis"], "behind": unrelated}
        data["functions"] = {"a": {"duration": {"exponential": "50ms"}}, **data["functions"]}
        calls = {**own, "mix": {"before GET /items/{id}": 1, "behind GET /items/{id}": 1}}
        data["traffic"] = {"a": calls, "own": own, "z": calls}
    return scenario(**data)


def test_what_is_unrelated_changes_no_draw() -> None:
    """P10: streams are named, not numbered, so another API before and behind changes nothing."""
    _, alone = rows_of(prepare(drawn(other=False)))
    _, among = rows_of(prepare(drawn(other=True)))
    assert len(among) > 2 * len(alone)
    assert facts(among[among["source"] == 1]).tolist() == facts(alone).tolist()
