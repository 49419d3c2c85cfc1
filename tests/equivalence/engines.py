"""Both engines on one scenario, and everything in which their results differ."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.expiring_lru import CACHE_DTYPE
from apisim.backends.http import ENDPOINT_DTYPE
from apisim.engine.lowering import Charging, lower
from apisim.engine.mechanism_records import MechanismRecords
from apisim.engine.program import Program
from apisim.engine.recorder import REQUEST_DTYPE
from apisim.engine.run import Engine, Replication, run_replication
from apisim.gateway.status import ANSWERS
from apisim.results.alarms import AlarmHistory, AlarmWatch
from apisim.results.metric_series import MetricTables
from apisim.scenario import Scenario

__all__ = ["CHARGING", "Run", "both", "differences", "in_order", "lowered", "run"]

#: Every outcome but a mock's is a billed request; the increments are those of AWS's book.
CHARGING: Final = Charging(
    {facts.outcome: True for facts in ANSWERS.values()} | {"mock": False},
    {"rest": 0, "http": 524_288, "websocket": 32_768},
    stream_increment_bytes=10 * 1024 * 1024,
)
#: The order of the request file (design C1): arrival, then address.
_ORDER: Final = ("arrival_ns", "source", "user", "ordinal", "attempt")
_MOST_SHOWN: Final = 5
_MINUTE_NS: Final = 1_000_000

# Where an entry or a ticket lies in memory, and which period was written to last, are no results.
_TOTALS: Final = ("digest", "requests", "period_ns", "last_ns")
_CACHE_FIELDS: Final = [n for n in CACHE_DTYPE.names or () if n not in ("newest", "oldest")]
_ENDPOINT_FIELDS: Final = [n for n in ENDPOINT_DTYPE.names or () if n not in ("first", "last")]


@dataclass(frozen=True)
class Run:
    """One replication with its full rows, in the order of the request file."""

    result: Replication
    rows: NDArray[np.void]
    alarms: list[AlarmHistory] = field(default_factory=list)


def lowered(scenario: Scenario) -> Program:
    """The scenario made ready to run."""
    return lower(scenario, CHARGING)


def in_order(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Rows in the order of the request file."""
    return rows[np.lexsort([rows[name] for name in reversed(_ORDER)])]


def run(program: Program, engine: Engine, number: int = 0) -> Run:
    """One replication on one engine."""
    parts = [np.zeros(0, REQUEST_DTYPE)]
    watch = None
    if program.scenario.alarms:  # a run of a few milliseconds has no minute, one of hours millions
        watch = AlarmWatch(program, MetricTables(program), number, minute_ns=_MINUTE_NS)

    def flush(rows: NDArray[np.void], watermark_ns: int) -> None:
        parts.append(rows.copy())
        if watch is not None:
            watch.metrics(rows, watermark_ns)

    result = run_replication(program, number, engine=engine, flush=flush)
    histories = [] if watch is None else watch.finish(completed=True, end_ns=result.end_ns)
    return Run(result, in_order(np.concatenate(parts)), histories)


def both(program: Program, number: int = 0) -> tuple[Run, Run]:
    """One replication on the compiled engine and on the golden model."""
    return run(program, "compiled", number), run(program, "simpy", number)


def differences(compiled: Run, golden: Run) -> list[str]:
    """All in which two runs differ, a line each; empty for equal runs."""
    found = list(_differing_rows(compiled.rows, golden.rows, compiled.result.program))
    if compiled.alarms != golden.alarms:
        found.append(f"alarms: compiled {compiled.alarms}, golden {golden.alarms}")
    for name, one, other in _records(compiled.result, golden.result):
        if one.tobytes() != other.tobytes():
            found.append(f"{name}: compiled {_shown(one, other)}, golden {_shown(other, one)}")
    return found


def _records(
    compiled: Replication, golden: Replication
) -> Iterator[tuple[str, NDArray[Any], NDArray[Any]]]:
    """Everything a replication leaves behind, pair by pair."""
    for name in (
        "cells", "counts", "histograms", "series", "usage", "executions", "customers",
        "customer_usage",
    ):  # fmt: skip
        yield name, getattr(compiled.recorder, name), getattr(golden.recorder, name)
    for part in ("calls", "connections", "pushes"):
        one, other = (getattr(run.recorder, part) for run in (compiled, golden))
        for name in one._fields:
            yield f"{part}.{name}", getattr(one, name), getattr(other, name)
    one, other = compiled.recorder.latencies, golden.recorder.latencies
    yield "latencies.window_ns", one.head["window_ns"], other.head["window_ns"]
    yield "latencies.extremes", one.extremes, other.extremes
    yield "latencies.counts", one.counts, other.counts
    one_by_one = (run.recorder.mechanisms for run in (compiled, golden))
    yield from _mechanisms(*one_by_one)
    for name in _TOTALS:
        yield name, compiled.recorder.total[name], golden.recorder.total[name]
    for name in ("pools", "buckets", "key_sets", "sign_ins", "clusters", "inspections"):
        yield name, getattr(compiled, name), getattr(golden, name)
    for name in ("subscriptions", "plan_buckets", "plan_days", "customers"):
        yield name, getattr(compiled, name), getattr(golden, name)
    for name in ("services", "service_limits"):
        yield name, getattr(compiled, name), getattr(golden, name)
    for name in _ENDPOINT_FIELDS:
        yield f"endpoints.{name}", compiled.endpoints[name], golden.endpoints[name]
    for name in _CACHE_FIELDS:
        yield f"caches.{name}", compiled.caches[name], golden.caches[name]
    yield "end_ns", np.array([compiled.end_ns]), np.array([golden.end_ns])
    yield "completed", np.array([compiled.completed]), np.array([golden.completed])


def _mechanisms(
    compiled: MechanismRecords, golden: MechanismRecords
) -> Iterator[tuple[str, NDArray[Any], NDArray[Any]]]:
    """What was noted by period, as far as it is used."""
    for name in ("period_ns", "period"):
        yield f"mechanisms.{name}", compiled.head[name], golden.head[name]
    n_periods = int(golden.head["period"][0])
    for name in ("functions", "endpoints", "buckets", "caches"):
        one, other = (getattr(records, name)[:, :n_periods] for records in (compiled, golden))
        yield f"mechanisms.{name}", one, other


def _shown(array: NDArray[Any], other: NDArray[Any]) -> str:
    """The places of an array that differ from another's."""
    if array.shape != other.shape:
        return f"of shape {array.shape}"
    places = np.argwhere(array != other)[:_MOST_SHOWN]
    return ", ".join(f"{place.tolist()}={array[tuple(place)]}" for place in places)


def _differing_rows(
    compiled: NDArray[np.void], golden: NDArray[np.void], program: Program
) -> Iterator[str]:
    if len(compiled) != len(golden):
        yield f"rows: compiled {len(compiled)}, golden {len(golden)}"
    n = min(len(compiled), len(golden))
    places = np.flatnonzero(compiled[:n] != golden[:n])
    if len(places):
        yield f"{len(places)} of {n} rows differ, the first of them:"
    for at in places[:_MOST_SHOWN]:
        one, other = compiled[at], golden[at]
        cell = program.names.cells[int(one["cell"])]
        address = tuple(int(one[name]) for name in _ORDER)
        fields = [
            f"{name} {one[name]} | {other[name]}"
            for name in REQUEST_DTYPE.names or ()
            if one[name] != other[name]
        ]
        yield f"  {address} {cell.api} {cell.route}: compiled | golden: {', '.join(fields)}"
