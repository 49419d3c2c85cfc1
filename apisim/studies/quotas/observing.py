"""One simulation, and which limits refused in each of its replications.

A limit is called a *wall* here, and has a kind and what it limits: ``("account", "account")`` is
the token bucket of the account, ``("reserved", "checkout")`` the reserve of a function.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from apisim.engine.program import Program
from apisim.engine.run import Engine, Replication, run_replication
from apisim.gateway.status import Answer
from apisim.results.customers import CustomerTotals
from apisim.scenario import Scenario
from apisim.studies.preparation import prepare
from apisim.studies.progress import Progress, Watch
from apisim.studies.quotas.using import Usage, UsageWatch
from apisim.studies.workers import Job, replications, stopped_by_ctrl_c

__all__ = ["Observation", "Simulator", "Wall", "all_walls", "refusals_of"]

#: Answers that a limit on sizes or times gives, by the kind of wall they are.
_BY_ANSWER: Final = {
    Answer.TIMEOUT: "timeout",
    Answer.TOO_LARGE: "payload",
    Answer.ANSWER_TOO_LARGE: "payload",
    Answer.FUNCTION_REQUEST_TOO_LARGE: "lambda_payload",
    Answer.FUNCTION_ANSWER_TOO_LARGE: "lambda_payload",
    Answer.URL_TOO_LONG: "url",
    Answer.HEADERS_TOO_LARGE: "headers",
    Answer.FRAME_TOO_LARGE: "frame",
}


class Wall(NamedTuple):
    """One limit.

    Attributes
    ----------
    kind : str
        ``account``, ``connections``, ``method``, ``stage``, ``usage_plan``, ``plan_quota``,
        ``concurrency``, ``reserved``, ``lambda_rate``, ``scaling``, ``endpoint``, ``service``,
        ``sign_in``, ``timeout``, ``payload``, ``lambda_payload``, ``url``, ``headers`` or
        ``frame``.
    of : str
        What it limits.
    """

    kind: str
    of: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What one replication showed.

    Attributes
    ----------
    number : int
        Of the replication, from 0.
    refused : mapping of Wall to int
        Refusals of each limit that refused, warm-up included.
    usage : Usage or None
        How much of what was used at most; only where that was asked for.
    """

    number: int
    refused: Mapping[Wall, int]
    usage: Usage | None = None


@dataclass
class Simulator:
    """Simulates scenarios one after the other, in the same way.

    Attributes
    ----------
    engine : {"auto", "compiled", "simpy"}
    workers : int
        Replications at the same time.
    skip_bad_rows : bool
    progress, compiling : callable or None
        As of :func:`apisim.studies.run.run`.
    n_runs : int
        Simulations so far.
    """

    engine: Literal["auto", "compiled", "simpy"] = "auto"
    workers: int = 1
    skip_bad_rows: bool = False
    progress: Callable[[Progress], None] | None = None
    compiling: Callable[[], None] | None = None
    n_runs: int = field(default=0, init=False)

    def observe(
        self,
        scenario: Scenario,
        *,
        numbers: Sequence[int] | None = None,
        with_usage: bool = False,
    ) -> list[Observation]:
        """Simulate a scenario.

        Parameters
        ----------
        scenario : Scenario
        numbers : sequence of int, optional
            Which replications, from 0; None: all.
        with_usage : bool
            Whether it is also noted how much was used, which takes longer.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C.
        ScenarioError
            If a scenario cannot be run.
        """
        preparation = prepare(
            scenario,
            engine=self.engine,
            skip_bad_rows=self.skip_bad_rows,
            extend=None,
            compiling=self.compiling,
        )
        program, engine = preparation.program, preparation.engine
        n_all = program.scenario.replications
        wanted = range(n_all) if numbers is None else numbers
        watch = Watch(len(wanted), program.horizon_ns, self.progress)
        found: list[Observation] = []
        self.n_runs += 1
        interrupted = threading.Event()

        def stop() -> None:
            # A short replication may be over before it looks whether it is to end.
            interrupted.set()
            watch.stop()

        with stopped_by_ctrl_c(stop):
            if with_usage or numbers is not None:
                runs = _one_by_one(program, engine, watch, wanted, with_usage=with_usage)
            else:
                job = Job(program, engine, watch, None, {})
                all_of_them = replications(job, range(n_all), min(self.workers, n_all))
                runs = ((replication, None) for replication in all_of_them)
            for replication, usage in runs:
                if not replication.completed:
                    raise KeyboardInterrupt
                found.append(Observation(replication.number, refusals_of(replication), usage))
        if interrupted.is_set():
            raise KeyboardInterrupt
        return found


def _one_by_one(
    program: Program, engine: Engine, watch: Watch, numbers: Iterable[int], *, with_usage: bool
) -> Iterator[tuple[Replication, Usage | None]]:
    for number in numbers:
        if watch.is_stopped:
            return
        usage = UsageWatch(program) if with_usage else None

        def look(simulated_ns: int, requests: int, number: int = number) -> None:
            watch.look(number, simulated_ns, requests)

        flush = None if usage is None else usage.add
        replication = run_replication(program, number, engine=engine, flush=flush, progress=look)
        watch.finish(number, replication.end_ns, replication.n_requests)
        yield replication, None if usage is None else usage.usage(replication)


def refusals_of(replication: Replication) -> dict[Wall, int]:
    """Refusals of each limit that refused."""
    found: dict[Wall, int] = {}

    def add(kind: str, of: str, count: int) -> None:
        if count:
            wall = Wall(kind, of)
            found[wall] = found.get(wall, 0) + count

    program = replication.program
    names = program.names
    for (level, label), row in zip(names.buckets, replication.buckets, strict=True):
        # Parts of a limit that is divided (settings.sloppiness) are one limit.
        add(level, label.partition(", part ")[0], int(row["refused"]))
    limits = CustomerTotals.of(replication).limits[:, 0].tolist()
    for (_, label), refused in zip(names.plan_limits, limits, strict=True):
        add("usage_plan", label, refused)
    subscriptions = replication.subscriptions
    for at, plan in enumerate(names.plans):
        of_plan = subscriptions["refused"][subscriptions["plan"] == at]
        add("plan_quota", plan, int(of_plan.sum()))
    for (name, pool), row in zip(
        zip(names.functions, program.pools, strict=True), replication.pools, strict=True
    ):
        function = name.partition(":")[0]  # versions share its limits
        rate, scaling = int(row["rate_throttles"]), int(row["scaling_throttles"])
        full = int(row["throttles"]) - rate - scaling
        add(
            "reserved" if pool.group else "concurrency", function if pool.group else "account", full
        )
        add("lambda_rate", function if pool.group else "account", rate)
        add("scaling", function, scaling)
    for name, row in zip(names.endpoints, replication.endpoints, strict=True):
        add("endpoint", name.partition("/")[0], int(row["refused"]))
    for name, row in zip(names.services, replication.services, strict=True):
        add("service", name, int(row["throttled"]))
    for name, row in zip(names.pools, replication.sign_ins, strict=True):
        add("sign_in", name, int(row["refused"]))
    by_answer = replication.recorder.series.sum(axis=1)
    for at, api in enumerate(names.apis):
        for answer, kind in _BY_ANSWER.items():
            add(kind, api, int(by_answer[at, answer]))
    return found


def all_walls(observations: Iterable[Observation]) -> frozenset[Wall]:
    """Limits that refused in any of them."""
    return frozenset(wall for one in observations for wall in one.refused)
