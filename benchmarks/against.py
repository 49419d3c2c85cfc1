"""``python -m benchmarks.against REVISION``: this engine's speed against an earlier commit's.

Both engines run the scenario of ``engine_speed`` in processes of their own, in turns: one pair is
one run of each, the order changes from pair to pair, and the median of the pairs' ratios counts.
Processor time is compared, not time on the wall, so that other work on the machine matters less.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parent.parent
SIMULATED_S = 300

_WORKER = f"""
import sys, time
from benchmarks.engine_speed import _program
from apisim.engine.run import run_replication
program = _program({SIMULATED_S})
run_replication(_program(1), 0)
print("ready", flush=True)
for _ in sys.stdin:
    started = time.process_time()
    digest = run_replication(program, 0).recorder.total["digest"][0]
    print(time.process_time() - started, int(digest), flush=True)
"""


class Worker:
    """One version of the package in a process of its own."""

    def __init__(self, tree: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WORKER],
            cwd=tree,
            env={"PYTHONPATH": str(tree), "PATH": "/usr/bin:/bin", "HOME": str(Path.home())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def run(self) -> tuple[float, int]:
        """Processor seconds of one run, and its digest."""
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)
        seconds, digest = self._answer().split()
        return float(seconds), int(digest)

    def stop(self) -> None:
        """Let the process end."""
        self._process.communicate()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a worker ended early")
        return line


def measure(revision: str, pairs: int) -> dict[str, float | bool]:
    """Median ratio of this version's processor time to that of ``revision``, with its quartiles."""
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["git", "archive", revision], cwd=ROOT, check=True, capture_output=True
        )
        subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
        before, now = Worker(Path(folder)), Worker(ROOT)
        ratios, digests = [], set()
        for pair in range(pairs):
            first, second = (before, now) if pair % 2 else (now, before)
            one, other = first.run(), second.run()
            digests |= {one[1], other[1]}
            ratio = other[0] / one[0]
            ratios.append(ratio if pair % 2 else 1 / ratio)
        before.stop()
        now.stop()
    low, _, high = quantiles(ratios, n=4)
    return {
        "median": round(median(ratios), 4),
        "lower_quartile": round(low, 4),
        "upper_quartile": round(high, 4),
        "same_digest": len(digests) == 1,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision")
    parser.add_argument("--pairs", type=int, default=20)
    asked = parser.parse_args()
    found = measure(asked.revision, asked.pairs)
    print(f"processor time against {asked.revision}, {asked.pairs} pairs: ", end="")
    print(f"{found['median']:.3f} [{found['lower_quartile']:.3f}, {found['upper_quartile']:.3f}]")
    print("same digest" if found["same_digest"] else "the digests differ")


if __name__ == "__main__":
    main()
