"""Scenarios from plain data, lowered once and run for as many replications as a test needs."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.lowering import Charging, lower
from apisim.engine.program import Program
from apisim.engine.run import Engine, Replication, run_replication
from apisim.gateway.status import ANSWERS, Answer
from apisim.scenario import loads

__all__ = [
    "MOCK",
    "UNLIMITED",
    "Data",
    "answered",
    "endpoint_api",
    "function_api",
    "mean_latency_s",
    "means",
    "mock_api",
    "one_source",
    "prepare",
    "refused",
    "rows_of",
    "run",
    "scenario",
    "seconds",
]

Data = dict[str, Any]

#: A bucket that refuses nothing that these tests send.
UNLIMITED: Final[Data] = {"rate_limit": "10000000/s", "burst_limit": 10_000_000}
MOCK: Final[Data] = {"integration": {"type": "mock"}}

_CHARGING: Final = Charging(
    {facts.outcome: True for facts in ANSWERS.values()},
    {"rest": 0, "http": 524_288, "websocket": 32_768},
)
#: Added to every seed: other draws for all tests at once.
_SEED: Final = int(os.environ.get("APISIM_SEED", "0"))
_THROTTLED: Final = (Answer.THROTTLED_METHOD, Answer.THROTTLED_STAGE, Answer.THROTTLED_ACCOUNT)


def seconds(value: float) -> str:
    """A length of time as a scenario writes it, to the microsecond."""
    return f"{value:.6f}".rstrip("0").rstrip(".") + "s"


def scenario(**parts: Any) -> Data:
    """A scenario in which only what ``parts`` say takes time or refuses anything."""
    seed = parts.pop("seed", 1) + _SEED
    account = {"throttle": UNLIMITED, "lambda_concurrency": 20_000, **parts.pop("account", {})}
    return {"apisim": 1, "profile": "ideal", "seed": seed, "account": account, **parts}


def mock_api(route: Data | None = None, **stage: Any) -> Data:
    """One REST API whose ``GET /`` answers at once."""
    route = {**MOCK, **(route or {})}
    return {"api": {"type": "rest", "stage": stage, "routes": {"GET /": route}}}


def function_api(function: Data) -> Data:
    """Parts of a scenario whose ``GET /`` calls one function, and waits for it."""
    function = {"timeout": "900s", **function}
    integration = {"type": "lambda_proxy", "function": "f", "timeout": "300s"}
    routes = {"GET /": {"integration": integration}}
    return {"apis": {"api": {"type": "rest", "routes": routes}}, "functions": {"f": function}}


def endpoint_api(endpoint: Data) -> Data:
    """Parts of a scenario whose ``GET /`` calls one HTTP endpoint, and waits for it."""
    integration = {"type": "http_proxy", "endpoint": "e", "timeout": "300s"}
    routes = {"GET /": {"integration": integration}}
    return {"apis": {"api": {"type": "rest", "routes": routes}}, "endpoints": {"e": endpoint}}


def one_source(rate: str, duration: str, **more: Any) -> Data:
    """Traffic of one open source with one phase on ``GET /``."""
    phases = [{"name": "load", "duration": duration, "rate": rate}]
    return {"open": {"phases": phases, "mix": {"GET /": 1}, **more}}


def prepare(data: Data, base: Path | None = None) -> Program:
    """Lower a scenario; JSON is YAML, so plain data goes the way a file goes."""
    return lower(loads(json.dumps(data), base=base or Path()), _CHARGING)


def run(program: Program, number: int = 0, engine: Engine = "compiled") -> Replication:
    """One replication."""
    return run_replication(program, number, engine=engine)


def rows_of(
    program: Program, number: int = 0, engine: Engine = "compiled"
) -> tuple[Replication, NDArray[np.void]]:
    """One replication and all its rows, by arrival and then by address."""
    blocks: list[NDArray[np.void]] = []
    done = run_replication(
        program, number, engine=engine, flush=lambda rows, _: blocks.append(rows.copy())
    )
    rows = np.concatenate(blocks)
    order = ("arrival_ns", "source", "user", "ordinal", "attempt")
    return done, rows[np.lexsort([rows[name] for name in reversed(order)])]


def means(
    program: Program, n_replications: int, statistic: Callable[[Replication], float]
) -> NDArray[np.float64]:
    """One number from each of several replications."""
    return np.array([statistic(run(program, number)) for number in range(n_replications)])


def mean_latency_s(done: Replication) -> float:
    """Mean latency at the client after the warm-up [s], exact sums."""
    cells = done.recorder.cells
    total_ns = int(cells["latency_low"].sum()) + (int(cells["latency_high"].sum()) << 60)
    return total_ns / int(cells["requests"].sum()) / 1e9


def answered(done: Replication, *answers: Answer) -> int:
    """Requests after the warm-up that ended in one of these ways."""
    return int(done.recorder.counts[:, list(answers)].sum())


def refused(done: Replication) -> int:
    """Requests after the warm-up that a bucket refused."""
    return answered(done, *_THROTTLED)
