"""``python -m benchmarks``: run them all, print tables, write ``out/benchmarks.json``."""

import json
import os
import platform
from pathlib import Path

import numba
import numpy as np

import apisim
from benchmarks.connections import measure_connections
from benchmarks.engine_speed import measure_speed
from benchmarks.memory import measure_memory

OUT = Path("out") / "benchmarks.json"


def main() -> None:
    """Measure, print, write."""
    speed = measure_speed()
    title = f"engine speed (best of {speed['turns']}, in turns)"
    print(f"{title:44}{'requests/s':>12}{'ratio':>8}")
    for name, rate in speed["requests_per_s"].items():
        print(f"  {name:42}{rate:12,}{speed['ratio_to_plain_script'][name]:8.2f}")
    print(
        f"  first run in this process, compilation included where needed: {speed['first_run_s']} s"
    )
    memory = measure_memory()
    print(f"\n{'memory':44}{'requests':>12}{'peak MB':>8}")
    for row in memory["runs"]:
        label = f"{row['simulated_s']:,} simulated seconds"
        print(f"  {label:42}{row['requests']:12,}{row['peak_mb']:8.0f}")
    print(f"  ten times the length, {memory['ratio']} times the memory")
    connections = measure_connections()
    print(f"\n{'WebSocket connections, open for an hour':44}{'requests':>12}{'peak MB':>8}")
    label = f"{connections['most_open']:,} at a time, 10,000 messages/s"
    print(f"  {label:42}{connections['requests']:12,}{connections['peak_mb']:8.0f}")
    print(f"  simulated in {connections['processor_s']:.0f} s of processor time")
    OUT.parent.mkdir(exist_ok=True)
    record = {
        "apisim": apisim.__version__,
        "python": platform.python_version(),
        "numba": numba.__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "speed": speed,
        "memory": memory,
        "connections": connections,
    }
    OUT.write_text(json.dumps(record, indent=2) + "\n")
    print(f"\nwritten to {OUT}")


if __name__ == "__main__":
    main()
