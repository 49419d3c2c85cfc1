"""A million WebSocket connections, open for an hour in which they send 10,000 messages a second.

Run in a process of its own, so that the peak of memory is this run's. The scenario is
``connections.yaml``; the processor's time is measured, after a first short run that compiles.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["measure_connections"]

SCENARIO = Path(__file__).with_name("connections.yaml")
_CHILD = """
import json, resource, sys, time
from apisim.engine.lowering import Charging, lower
from apisim.engine.run import run_replication
from apisim.gateway.status import ANSWERS
from apisim.scenario import load
charged = {facts.outcome: True for facts in ANSWERS.values()}
charging = Charging(charged, {"rest": 0, "http": 524_288, "websocket": 32_768})
def simulated(*changes):
    return run_replication(lower(load(sys.argv[1], overrides=list(changes)), charging), 0)
simulated("traffic.users.sessions.population=10", "traffic.users.sessions.until=61s")
started = time.process_time()
replication = simulated()
used_s = time.process_time() - started
apis = replication.recorder.connections.apis
print(json.dumps({
    "most_open": int(apis["peak"][0]),
    "requests": replication.n_requests,
    "processor_s": round(used_s, 1),
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def measure_connections() -> dict[str, Any]:
    """Most connections at one time, requests, processor time [s] and peak resident memory [MB]."""
    command = [sys.executable, "-c", _CHILD, str(SCENARIO)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
