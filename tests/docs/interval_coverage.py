"""How often 95 % intervals contain the truth: ``docs/interval-coverage.md``.

Each case is a small scenario whose true values are known in closed form. It is simulated 200,000
times; twenty replications at a time are taken for a run, of which apisim makes its intervals as it
does for any other run, and it is counted how often they contain the truth.

``python -m tests.docs.interval_coverage`` simulates everything again (half an hour on two cores)
and writes the figures and the table; ``--table`` writes the table from the figures that are kept.
"""

import json
import math
import sys
import textwrap
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from apisim.engine.run import run_replication
from apisim.results.estimates import interval_of
from apisim.results.metrics import Costs, Gauge, Measure, Reading
from apisim.results.statistics import Interval, wilson_interval
from apisim.results.tally import Measurements
from apisim.results.usage import run_usage
from apisim.scenario import loads
from apisim.studies.preparation import Preparation, prepare
from tests.support.token_buckets import m_d_1_k

__all__ = ["CASES", "TOLERANCE", "Case", "covered", "document", "kept", "measure"]

PROJECT: Final = Path(__file__).resolve().parents[2]
FIGURES: Final = Path(__file__).with_name("interval-coverage.json")
DOCUMENT: Final = PROJECT / "docs" / "interval-coverage.md"

#: What the gated cells may be off 0.95.
TOLERANCE: Final = 0.007
SIZES: Final = (10, 20)
#: Runs of the part that a fast test repeats.
FEW: Final = 25
_CHUNK: Final = 100
_Z: Final = 1.959964

_MEAN: Final = Measure("latency", "mean")
_P99: Final = Measure("latency", "p", 99.0)
_REFUSED: Final = Measure("throttled", "rate")
_COST: Final = Measure("cost_run", "value")
#: Not what apisim does: Wilson's interval of the pooled counts, as if refusals were independent.
_WILSON: Final = Measure("throttled", "rate", None, (("by", "wilson"),))

#: A REST request with an answer of 1 KB, in us-east-1: 3.50 a million, and 0.09 a GB out.
_REQUEST: Final = 3.5e-6 + 1024 * 0.09 / 2**30


@dataclass(frozen=True)
class Case:
    """A scenario, and what is true of it.

    Attributes
    ----------
    name : str
    text : str
        The scenario.
    truths : dict of Measure to float
        True values, in the measures' units.
    gated : tuple of Measure
        Whose coverage must be 0.95 within :data:`TOLERANCE`; the others are reported.
    runs : int
        Runs of twenty replications.
    """

    name: str
    text: str
    truths: dict[Measure, float]
    gated: tuple[Measure, ...]
    runs: int


def _queue(rate: float, warm_up_s: int, length_s: int) -> str:
    return f"""
apisim: 1
profile: ideal
seed: 2026
warm_up: {warm_up_s}s
replications: {SIZES[-1]}
apis: {{a: {{type: rest, routes: {{GET /x: {{integration: {{type: http_proxy, endpoint: e}}}}}}}}}}
endpoints: {{e: {{servers: 1, queue_limit: 10000, service_time: {{exponential: 100ms}}}}}}
traffic:
  web: {{phases: [{{duration: {warm_up_s + length_s}s, rate: {rate}}}], mix: {{GET /x: 1}}}}
"""


def _bucket(rate: int, burst: int, length_s: int) -> str:
    return f"""
apisim: 1
profile: ideal
seed: 2027
warm_up: 1s
replications: {SIZES[-1]}
apis:
  a:
    type: rest
    routes:
      GET /x: {{integration: {{type: mock}}, throttle: {{rate_limit: 100, burst_limit: {burst}}}}}
traffic: {{web: {{phases: [{{duration: {length_s + 1}s, rate: {rate}}}], mix: {{GET /x: 1}}}}}}
"""


def _m_m_1(rate: float) -> dict[Measure, float]:
    """Mean and 99th percentile [ns] of the exponential sojourn time in M/M/1 with 10/s."""
    mean = 1 / (10 - rate)
    return {_MEAN: mean * 1e9, _P99: mean * math.log(100) * 1e9}


def _refused(rate: int, burst: int) -> dict[Measure, float]:
    share = m_d_1_k(rate / 100, burst)
    return {_REFUSED: share, _WILSON: share}


CASES: Final = (
    Case(
        "M/M/1, load 0.5, 10,000 requests",
        _queue(5, 20, 2_000),
        _m_m_1(5) | {_COST: 5 * 2_020 * _REQUEST},
        (_MEAN, _P99, _COST),
        10_000,
    ),
    Case(
        "M/D/1/5, load 0.9, 1,800 requests",
        _bucket(90, 5, 20),
        _refused(90, 5),
        (_REFUSED,),
        10_000,
    ),
    Case("M/D/1/20, load 0.95, 1,900 requests", _bucket(95, 20, 20), _refused(95, 20), (), 2_000),
    Case("M/D/1/15, load 0.8, 1,600 requests", _bucket(80, 15, 20), _refused(80, 15), (), 2_000),
    Case("M/M/1, load 0.9, 1,800 requests", _queue(9, 200, 200), _m_m_1(9), (), 2_000),
)


@cache
def _prepared(case: int) -> Preparation:
    scenario = loads(CASES[case].text)
    return prepare(scenario, engine="compiled", skip_bad_rows=False, extend=None)


def _intervals(case: int, run: int) -> Iterator[tuple[Measure, int, Interval | None]]:
    """Intervals of a run, of its first ten and of all its replications."""
    preparation = _prepared(case)
    program, accounts = preparation.program, preparation.accounts
    wanted = [one for one in CASES[case].truths if one != _WILSON]
    readings: dict[Measure, list[Reading]] = {one: [] for one in wanted}
    together: Measurements | None = None
    ends: list[int] = []
    for number in range(SIZES[-1] * run, SIZES[-1] * (run + 1)):
        replication = run_replication(program, number)
        mine = Measurements.of(program, replication.recorder)
        cost = None
        if _COST in wanted:
            cost = float(accounts.run([run_usage(replication)]).total)
        gauge = Gauge(mine, [replication.end_ns], Costs(run=cost))
        for one in wanted:
            readings[one].append(gauge.reading(one))
        ends.append(replication.end_ns)
        together = mine if together is None else together.joined(mine)
        if len(ends) not in SIZES:
            continue
        pooled = Gauge(together, ends, Costs())
        for one in wanted:
            value = pooled.read(one)[0] if one.quantile is not None else math.nan
            yield one, len(ends), interval_of(one, readings[one], value)
        if _WILSON in CASES[case].truths:
            counts = [round(one.above) for one in readings[_REFUSED]]
            of = [round(one.below) for one in readings[_REFUSED]]
            yield _WILSON, len(ends), wilson_interval(sum(counts), sum(of))


def covered(case: int, runs: Sequence[int]) -> dict[str, list[int]]:
    """How many of these runs' intervals contain the truth, by measure and number of replications.

    Also how many lie wholly below it, wholly above it, and are inconclusive for too few events.
    """
    found: dict[str, list[int]] = {}
    for run in runs:
        for one, size, interval in _intervals(case, run):
            truth = CASES[case].truths[one]
            counts = found.setdefault(f"{one.label} R={size}", [0, 0, 0, 0])
            assert interval is not None
            counts[0] += interval.low <= truth <= interval.high
            counts[1] += interval.high < truth
            counts[2] += interval.low > truth
            counts[3] += interval.events is not None
    return found


def _chunk(task: tuple[int, int, int]) -> dict[str, list[int]]:
    case, first, last = task
    return covered(case, range(first, last))


def measure(workers: int = 2) -> dict[str, Any]:
    """Simulate all cases."""
    figures: dict[str, Any] = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for at, case in enumerate(CASES):
            chunks = [
                (at, first, min(first + _CHUNK, case.runs)) for first in range(0, case.runs, _CHUNK)
            ]
            total: dict[str, list[int]] = {}
            for found in pool.map(_chunk, chunks):
                for label, counts in found.items():
                    sums = total.setdefault(label, [0] * len(counts))
                    total[label] = [one + more for one, more in zip(sums, counts, strict=True)]
            figures[case.name] = {"runs": case.runs, "counts": total}
            if at == 1:
                figures[case.name]["few"] = covered(at, range(FEW))
            sys.stderr.write(f"{case.name}: {total}\n")
    return figures


def kept() -> dict[str, Any]:
    """The figures of the last time."""
    read: dict[str, Any] = json.loads(FIGURES.read_text())
    return read


def _name(label: str) -> tuple[str, str]:
    what, _, size = label.partition(" R=")
    names = {
        _MEAN.label: "mean latency",
        _P99.label: "99th percentile",
        _REFUSED.label: "share refused",
        _COST.label: "cost of the run",
        _WILSON.label: "share refused, by Wilson",
    }
    return names[what], size


def document(figures: dict[str, Any]) -> str:
    """The document, from figures."""
    lines = [*_text(_HEAD), _COLUMNS, "|" + "---|" * _COLUMNS.count(" |")]
    for case in CASES:
        gated = {one.label for one in case.gated}
        runs = figures[case.name]["runs"]
        for label, (inside, below, above, few) in sorted(
            figures[case.name]["counts"].items(), key=lambda one: one[0].split(" R=")[0]
        ):
            name, size = _name(label)
            share = inside / runs
            error = _Z * math.sqrt(share * (1 - share) / runs)
            is_gated = "yes" if label.split(" R=")[0] in gated else ""
            lines.append(
                f"| {case.name} | {name} | {size} | {runs:,} | {share:.4f} | ± {error:.4f} | "
                f"{below / runs:.2%} | {above / runs:.2%} | {few / runs:.1%} | {is_gated} |"
            )
    lines += ["", *_text(_REMARKS)]
    return "\n".join(lines).rstrip() + "\n"


def _text(paragraphs: Sequence[str]) -> Iterator[str]:
    for words in paragraphs:
        yield textwrap.fill(" ".join(words.split()), 100, break_on_hyphens=False)
        yield ""


_HEAD: Final = (
    "# How often the intervals are right",
    """A 95 % interval should contain the truth 95 times of 100. Here is how often those of apisim
    do, for systems whose truth is known in closed form: each line is of so many runs of 10
    or 20 replications, simulated and summarised as any other run is. `below` and `above`
    are the shares of intervals that lie wholly on that side of the truth, 2.5 % each if all
    is well; `few` is the share that had fewer than ten events, and exact bounds. The error
    is that of the counting, at 95 %.""",
    """`python -m tests.docs.interval_coverage` makes this page, in half an hour on two cores.""",
    f"""Gated cells must be within 0.95 ± {TOLERANCE} (`make test-slow`). The others are shown
    because they are where intervals fail: where what happens is rare and comes in runs, or
    the run is hardly longer than the time in which the system forgets.""",
)
_COLUMNS: Final = (
    "| system, requests a replication | figure | R | runs | coverage | error | below | above | few"
    " | gated |"
)
_REMARKS: Final = (
    """Truths: M/M/1 with 10 services a second has exponential sojourn times of mean 1/(10 - rate);
    a token bucket of burst K under Poisson arrivals refuses what M/D/1/K loses (Gross,
    Shortle, Thompson and Harris, *Fundamentals of Queueing Theory*); the cost is that of
    the expected number of requests.""",
    """Shares have the interval of a ratio over replications. Wilson's is shown beside it because
    it is what a proportion often gets: refusals come in runs, so it is far too narrow, and
    apisim does not use it.""",
)


def main() -> None:
    """Write figures and document."""
    if "--table" not in sys.argv[1:]:
        FIGURES.write_text(json.dumps(measure(), indent=1) + "\n")
    DOCUMENT.write_text(document(kept()))


if __name__ == "__main__":
    main()
