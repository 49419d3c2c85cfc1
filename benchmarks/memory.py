"""Peak memory of a run and of one ten times as long: the same, whatever is recorded."""

import json
import subprocess
import sys
from typing import Any

__all__ = ["measure_memory"]

_CHILD = """
import json, resource, sys
from benchmarks.engine_speed import _program
from apisim.engine.run import run_replication
run_replication(_program(1), 0)
replication = run_replication(_program(int(sys.argv[1])), 0)
peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"requests": replication.n_requests, "peak_mb": peak_kb / 1024}))
"""


def measure_memory() -> dict[str, Any]:
    """Peak resident memory [MB] of runs of 200 s and 2,000 s of simulated time."""
    rows = []
    for duration_s in (200, 2000):
        command = [sys.executable, "-c", _CHILD, str(duration_s)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append({"simulated_s": duration_s, **json.loads(done.stdout)})
    return {"runs": rows, "ratio": round(rows[1]["peak_mb"] / rows[0]["peak_mb"], 3)}
