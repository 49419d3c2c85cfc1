"""How fast the engine is, as a ratio to a plain SimPy script of the same model.

The two are run in turns in one process and the best of the turns counts, because machines differ
twofold from one minute to the next; only the ratio means anything. The compiled engine runs with
the digest and all bounded recorders on, as ``apisim run`` does.
"""

import time
from pathlib import Path
from typing import Any

from apisim.engine.lowering import Charging, lower
from apisim.engine.program import Program
from apisim.engine.run import Engine, run_replication
from apisim.gateway.status import ANSWERS
from apisim.scenario import load
from benchmarks.plain_simpy import simulate

__all__ = ["measure_speed"]

SCENARIO = Path(__file__).with_name("engine.yaml")
RATE = 1900
TURNS = 3


def _program(duration_s: int) -> Program:
    scenario = load(SCENARIO, overrides=[f"traffic.web.phases.0.duration={duration_s}s"])
    charged = {facts.outcome: True for facts in ANSWERS.values()}
    return lower(scenario, Charging(charged, {"rest": 0, "http": 524288}))


def _rate_of(program: Program, engine: Engine) -> float:
    started = time.perf_counter()
    replication = run_replication(program, 0, engine=engine)
    return replication.n_requests / (time.perf_counter() - started)


def measure_speed() -> dict[str, Any]:
    """Requests per second of the compiled engine, the plain script and the golden model."""
    started = time.perf_counter()
    run_replication(_program(1), 0)
    first_s = time.perf_counter() - started
    long, short = _program(1000), _program(3)
    run_replication(short, 0, engine="simpy")
    best = {"compiled": 0.0, "plain SimPy script": 0.0, "golden model": 0.0}
    for _ in range(TURNS):
        best["compiled"] = max(best["compiled"], _rate_of(long, "compiled"))
        started = time.perf_counter()
        outcomes, _ = simulate(40.0, RATE)
        plain = outcomes.total() / (time.perf_counter() - started)
        best["plain SimPy script"] = max(best["plain SimPy script"], plain)
        best["golden model"] = max(best["golden model"], _rate_of(short, "simpy"))
    plain = best["plain SimPy script"]
    return {
        "requests_per_s": {name: round(rate) for name, rate in best.items()},
        "ratio_to_plain_script": {name: round(rate / plain, 2) for name, rate in best.items()},
        "first_run_s": round(first_s, 1),
        "turns": TURNS,
    }
