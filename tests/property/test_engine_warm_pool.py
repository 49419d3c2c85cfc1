"""Identity P8: a warm pool that reuses the most recently used instance, event for event.

The number of instances alive at t is the largest number busy over the last T, T being the time
after which an idle instance is gone; an arrival is a cold start exactly if all that are alive are
busy. Busy times are taken from the rows of a run in which nothing but the function takes time.
"""

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

import numpy as np
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from apisim.gateway.status import Answer
from apisim.scenario import loads
from tests.equivalence.engines import lowered, run

MS = 1_000_000
_DURATIONS: list[Any] = [
    "1ms",
    "10ms",
    "0s",
    {"mixture": [[1, "0s"], [1, "10ms"]]},
    {"mixture": [[2, "1ms"], [1, "30ms"]]},
    {"exponential": "15ms"},
    {"p50": "10ms", "p99": "80ms"},
]
_ARRIVALS: list[dict[str, Any]] = [
    {"arrivals": "uniform", "offset": 0, "phases": [{"duration": "400ms", "rate": 500}]},
    {"arrivals": "poisson", "phases": [{"duration": "400ms", "rate": 500}]},
    {"arrivals": {"bursty": {"ratio": 20, "peak_for": "20ms", "base_for": "80ms"}}}
    | {"phases": [{"duration": "400ms", "rate": 500}]},
    {"arrivals": "uniform", "phases": [{"duration": "400ms", "rate": 0, "ramp_to": 1000}]},
]


@dataclass
class State:
    """Instances busy from one instant to another [ns]."""

    busy: int
    start: int
    end: int


def replay(rows: NDArray[np.void], expiry_ns: int) -> tuple[list[bool], list[State]]:
    """Which requests must have been cold starts, and how many instances were busy when."""
    states = [State(0, 0, 0)]
    ends: list[int] = []
    cold = []

    def change(by: int, now_ns: int) -> None:
        states[-1].end = now_ns
        states.append(State(states[-1].busy + by, now_ns, now_ns))

    for now_ns, busy_ns in rows[["arrival_ns", "integration_ns"]].tolist():
        while ends and ends[0] <= now_ns:  # an instance is free before it is asked for
            change(-1, heappop(ends))
        states[-1].end = now_ns
        # What ended exactly T ago is forgotten.
        within = [s.busy for s in states if s is states[-1] or s.end > now_ns - expiry_ns]
        cold.append(states[-1].busy == max(within))
        change(+1, now_ns)
        heappush(ends, now_ns + busy_ns)
        while ends[0] <= now_ns:  # work of no time
            change(-1, heappop(ends))
            if not ends:
                break
    while ends:
        change(-1, heappop(ends))
    return cold, states


def alive_ns(states: list[State], expiry_ns: int, end_ns: int) -> int:
    """Integral of the number of instances alive, from the number busy."""
    states[-1].end = end_ns
    start, end, busy = (
        np.array([getattr(s, name) for s in states]) for name in ("start", "end", "busy")
    )
    # The largest number busy within the last T changes only at these times.
    times = np.unique(np.concatenate([start, end, end + expiry_ns]))
    times = times[times < end_ns]
    seen = (start <= times[:, None]) & (end > times[:, None] - expiry_ns)
    alive = np.where(seen, busy, 0).max(axis=1)
    return int((alive * np.diff(times, append=end_ns)).sum())


@settings(max_examples=80)
@given(
    sources=st.lists(st.sampled_from(_ARRIVALS), min_size=1, max_size=3),
    duration=st.sampled_from(_DURATIONS),
    init=st.sampled_from(_DURATIONS),
    expiry_ms=st.sampled_from([1, 2, 5, 10, 20, 100]),
    limit=st.sampled_from([1000, 3, 1]),
    seed=st.integers(0, 2**64 - 1),
)
def test_an_arrival_is_a_cold_start_exactly_if_all_instances_alive_are_busy(
    sources: list[dict[str, Any]],
    duration: Any,
    init: Any,
    expiry_ms: int,
    limit: int,
    seed: int,
) -> None:
    route = {"integration": {"type": "lambda", "function": "f"}}
    data = {
        "apisim": 1,
        "profile": "ideal",
        "seed": seed,
        "settings": {"idle_expiry": f"{expiry_ms}ms"},
        "account": {"lambda_concurrency": limit},
        "apis": {"one": {"type": "rest", "routes": {"GET /a": route}}},
        "functions": {"f": {"duration": duration, "init": init}},
        "traffic": {f"s{n}": {**s, "mix": {"GET /a": 1}} for n, s in enumerate(sources)},
    }
    simulation = run(lowered(loads(yaml.safe_dump(data))), "compiled")
    rows = simulation.rows[simulation.rows["answer"] == Answer.SERVED]
    pool = simulation.result.pools[0]
    cold, states = replay(rows, expiry_ms * MS)
    assert rows["cold"].tolist() == cold
    assert pool["cold_starts"] == sum(cold)
    assert pool["max_busy"] == max(state.busy for state in states)
    assert pool["busy_ns"] == rows["integration_ns"].sum()
    assert pool["alive_ns"] == alive_ns(states, expiry_ms * MS, simulation.result.end_ns)
