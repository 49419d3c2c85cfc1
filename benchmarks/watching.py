"""``python -m benchmarks.watching``: what ``apisim run --watch`` costs.

The scenario of ``engine_speed`` runs with the live view, drawn to a terminal that nobody sees, and
with no view at all, in turns in one process: one pair is one run of each, the order changes from
pair to pair, and the median of the pairs' ratios counts. Processor time is compared, not time on
the wall, so that other work on the machine matters less. The ratio of two runs swings by more than
is looked for here, so the time that passes inside the looks themselves is measured, too.
"""

import argparse
import contextlib
import io
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median, quantiles

from apisim import studies
from apisim.cli.watching import watching
from apisim.studies.live import Onlooker
from benchmarks.engine_speed import SCENARIO

__all__ = ["measure_watching"]

SIMULATED_S = 3000


class _Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class _Run:
    spent_s: float
    digest: str
    drawn: int
    looking: float  # share of the simulation's time


def _run(*, is_watched: bool) -> _Run:
    terminal = _Terminal()
    options = [f"traffic.web.phases.0.duration={SIMULATED_S}s"]
    with _timed_looks() as looks, contextlib.redirect_stderr(terminal):
        started = time.process_time()
        with watching(is_wanted=is_watched, is_quiet=not is_watched) as (progress, live):
            result = studies.run(SCENARIO, overrides=options, progress=progress, live=live)
        spent_s = time.process_time() - started
    drawn = terminal.getvalue().count("latency p99")
    info = result.run_info
    return _Run(spent_s, info.digest, drawn, sum(looks) / info.wall_s)


@contextlib.contextmanager
def _timed_looks() -> Iterator[list[float]]:
    """What each look takes [s], those that see that it is too early included."""
    look, looks = Onlooker.look, []

    def timed(onlooker: Onlooker, number: int, simulated_ns: int) -> None:
        started = time.perf_counter()
        look(onlooker, number, simulated_ns)
        looks.append(time.perf_counter() - started)

    Onlooker.look = timed  # type: ignore[method-assign]
    try:
        yield looks
    finally:
        Onlooker.look = look  # type: ignore[method-assign]


def measure_watching(pairs: int = 12) -> dict[str, float | bool]:
    """Median ratio of processor time with the view to that without, with its quartiles."""
    os.environ["TERM"] = "xterm-256color"
    _run(is_watched=True)  # whatever is loaded and compiled is, before the first pair
    ratios, watched, digests = [], [], set()
    for pair in range(pairs):
        runs = {
            is_watched: _run(is_watched=is_watched) for is_watched in (pair % 2 == 0, pair % 2 == 1)
        }
        digests |= {one.digest for one in runs.values()}
        ratios.append(runs[True].spent_s / runs[False].spent_s)
        watched.append(runs[True])
    low, _, high = quantiles(ratios, n=4)
    return {
        "median": round(median(ratios), 4),
        "lower_quartile": round(low, 4),
        "upper_quartile": round(high, 4),
        "looking": round(median(one.looking for one in watched), 4),
        "most_looking": round(max(one.looking for one in watched), 4),
        "drawn_a_run": round(sum(one.drawn for one in watched) / pairs, 1),
        "same_digest": len(digests) == 1,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=12)
    found = measure_watching(parser.parse_args().pairs)
    print(f"processor time of --watch against none: {found['median']:.3f} ", end="")
    print(f"[{found['lower_quartile']:.3f}, {found['upper_quartile']:.3f}]", end="")
    print(f", drawn {found['drawn_a_run']:.0f} times a run")
    print(f"inside looks: {found['looking']:.2%} of the time, {found['most_looking']:.2%} at most")
    print("same digest" if found["same_digest"] else "the digests differ")


if __name__ == "__main__":
    main()
