"""One scenario, simulated as often as it asks for, with its bill: ``apisim run``.

Ctrl-C never cuts into the engine or into a file: it asks the replications to stop, which they do
at their next look at the clock, and what was simulated so far is reported.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Final, Literal

from apisim import __version__
from apisim.engine.run import Replication
from apisim.results.collect import Collector
from apisim.results.exporting import ExportPaths, check_exports
from apisim.results.result import Result, RunInfo
from apisim.results.spans import traffic_until_ns
from apisim.results.summarise import summarise
from apisim.scenario import Scenario
from apisim.studies.elsewhere import Elsewhere
from apisim.studies.live import Live, Onlooker
from apisim.studies.points import Task
from apisim.studies.preparation import Options, Preparation, prepare
from apisim.studies.progress import Progress, Watch
from apisim.studies.streams import Streams
from apisim.studies.until import batches, is_enough, note_on_until
from apisim.studies.workers import Job, replications, stopped_by_ctrl_c

__all__ = ["run"]

_SECOND_NS: Final = 1_000_000_000


def run(
    scenario: Scenario | str | Path,
    *,
    overrides: Sequence[str] = (),
    profile: str | None = None,
    seed: int | None = None,
    replications: int | None = None,
    duration: str | int | None = None,
    engine: Literal["auto", "compiled", "simpy"] = "auto",
    workers: int = 1,
    executor: Executor | str | None = None,
    requests: str | Path | None = None,
    exports: ExportPaths | None = None,
    strict: bool = False,
    skip_bad_rows: bool = False,
    progress: Callable[[Progress], None] | None = None,
    live: Callable[[Live], None] | None = None,
    compiling: Callable[[], None] | None = None,
    extend: Mapping[str, Any] | None = None,
) -> Result:
    """Simulate a scenario.

    Parameters
    ----------
    scenario : Scenario, str or pathlib.Path
        A scenario, or the file of one.
    overrides : sequence of str
        Changes as ``--set`` takes them: ``traffic.web.phases.0.rate=300``.
    profile, seed, replications : optional
        Instead of what the scenario says.
    duration : str or int, optional
        Time after which nothing more arrives: a text with a unit, or nanoseconds.
    engine : {"auto", "compiled", "simpy"}
        Both give the same numbers; ``auto`` is the compiled one unless ``extend`` is given.
    workers : int
        Replications simulated at the same time, in threads, >= 1; never changes a number.
    executor : concurrent.futures.Executor or str, optional
        Where replications are simulated instead: an executor, or the address of a Dask scheduler
        (``"tcp://host:8786"``). Never changes a number; without ``requests`` and ``extend``.
    requests : str or pathlib.Path, optional
        File for one row of each request, ``.csv`` or ``.parquet``; replaced if it is there.
    exports : mapping of str to path or paths, optional
        Files in the forms of other programs, by kind: ``{"cloudwatch": "metrics.json"}``; replaced
        if they are there.
    strict : bool
        Whether a threshold that is inconclusive is a failure in the exports, as it is for
        ``--strict``; verdicts of the result stay as they are.
    skip_bad_rows : bool
        Leave out rows of logs that cannot be read, and count them, instead of refusing the log.
    progress : callable, optional
        Told a few times a second how far the run is, perhaps from another thread.
    live : callable, optional
        Told now and then what the replication under way has come to, perhaps from another thread;
        takes one percent of the time. Not told of what an executor does.
    compiling : callable, optional
        Told once if the engine must be compiled first: that takes a while, and is kept.
    extend : mapping, optional
        A service of your own for a function: ``{"functions.f": object}`` with a generator
        ``serve(call, draws)`` that yields times to spend [ns]. Golden model only.

    Returns
    -------
    Result
        After Ctrl-C, with ``completed`` false, of what was simulated so far.

    Raises
    ------
    ScenarioError
        With everything that is wrong with the scenario.
    PricingError, OutputError, CapacityError
        If the price book, a file to be written or the machine cannot be used.
    ClusterError, VersionError
        If there is no such cluster, or a worker has another version.
    ValueError
        If an argument is out of range.
    """
    started = time.perf_counter()
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if executor is not None and extend:
        raise ValueError("extend works in this process only: leave the executor out")
    check_exports(exports or {})
    options = Options(
        overrides=overrides,
        profile=profile,
        seed=seed,
        replications=replications,
        duration=duration,
    )
    preparation = prepare(
        options.apply(scenario, is_fixed=False),
        engine=engine,
        skip_bad_rows=skip_bad_rows,
        extend=extend,
        compiling=compiling,
    )
    workers = min(workers, preparation.program.scenario.replications)
    elsewhere = None
    if executor is not None:
        task = Task.of(preparation.program.scenario, engine=preparation.engine)
        elsewhere = Elsewhere(executor, preparation.program, task, skip_bad_rows)
    with Streams.opened(
        preparation.program,
        requests,
        exports or {},
        is_parallel=workers > 1,
        is_strict=strict,
        has_alarms=elsewhere is None,
    ) as streams:
        if elsewhere is not None and streams.part is not None:
            message = "rows of requests are written in this process only"
            raise ValueError(f"{message}: leave the executor (--scheduler) out")
        result = _simulate(preparation, streams, workers, elsewhere, progress, live, started)
        streams.keep(result)
    return result


def _simulate(
    preparation: Preparation,
    streams: Streams,
    workers: int,
    elsewhere: Elsewhere | None,
    progress: Callable[[Progress], None] | None,
    live: Callable[[Live], None] | None,
    started: float,
) -> Result:
    program = preparation.program
    n_replications = program.scenario.replications
    collector = Collector(program, preparation.accounts)
    notes = list(preparation.notes)
    if elsewhere is not None and program.scenario.alarms:
        notes.append("alarms are evaluated in this process only, and were not on the cluster")
    watch = Watch(n_replications, program.horizon_ns, progress)
    onlooker = None if live is None else Onlooker(program, preparation.accounts, live)
    job = Job(program, preparation.engine, watch, streams.part, preparation.services, onlooker)

    def simulated(numbers: range) -> Iterator[Replication]:
        if elsewhere is None:
            return replications(job, numbers, workers)
        return elsewhere.replications(numbers, watch)

    first_event = time.perf_counter()
    with stopped_by_ctrl_c(watch.stop):
        for numbers in batches(program.scenario):
            for replication in simulated(numbers):
                number = replication.number
                notes += streams.finish_part(
                    number, completed=replication.completed, end_ns=replication.end_ns
                )
                collector.add(replication)
            if watch.is_stopped or is_enough(collector):
                break
    if not collector.summaries:  # stopped before the first came from elsewhere
        raise KeyboardInterrupt
    if streams.has_exports and not all(one.completed for one in collector.summaries):
        notes.append("the files of --export are of the part that was simulated")
    notes += note_on_until(collector)
    wall_s = watch.last_record - first_event
    summaries = collector.summaries
    if len(summaries) < collector.planned:
        notes.append(f"{len(summaries)} of {collector.planned} replications were simulated")
    n_requests = sum(summary.requests for summary in summaries)
    simulated_ns = sum(traffic_until_ns(program, end_ns) for end_ns in collector.ends_ns)
    info = RunInfo(
        version=__version__,
        engine=preparation.engine,
        seed=program.scenario.seed,
        replications=len(summaries),
        simulated_s=simulated_ns / len(summaries) / _SECOND_NS,
        setup_s=first_event - started,
        wall_s=wall_s,
        requests_per_s=n_requests / wall_s,
        digest=f"{sum(summary.digest for summary in summaries) % (1 << 64):016x}",
    )
    return summarise(collector, info, notes=notes, alarms=streams.alarms)
