"""One replication from first call to last answer, on either engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.expiring_lru import Store, expire_all
from apisim.backends.lambda_ import close_pool
from apisim.engine.compiled.runner import run_compiled
from apisim.engine.program import Program, new_world
from apisim.engine.recorder import Recorder
from apisim.engine.simpy_model.runner import run_golden
from apisim.engine.stock import close_stock
from apisim.engine.world import World

__all__ = ["Engine", "Replication", "run_replication"]

Engine = Literal["compiled", "simpy"]

#: Full rows buffered between flushes.
_BUFFER_ROWS = 1 << 15
#: First room for requests in flight and cache entries.
_ROOM = 1 << 10


@dataclass(frozen=True, slots=True)
class Replication:
    """What one replication left behind.

    Attributes
    ----------
    program : Program
        What was run, with all names.
    number : int
        From 0.
    recorder : Recorder
        Counts, histograms, series and usage.
    pools, endpoints, buckets : arrays
        Final records of functions, HTTP endpoints and token buckets.
    subscriptions, plan_buckets, plan_days, customers : arrays
        Final records of keys in plans, by day too, and of customers; empty where there are none.
    caches : CACHE_DTYPE array
        Final records of the caches of ``program.caches``, expired entries gone.
    key_sets, sign_ins : arrays
        Final records of the keys of jwt authorizers and of user pools with a quota.
    clusters : CLUSTER_DTYPE array
        Final records of the instances behind them.
    inspections : INSPECTION_DTYPE[n_phases, n_apis, 2]
        What the web ACLs did; ``[..., 1]`` in the warm-up.
    end_ns : int
        End of the traffic, of the last request or of the last work, whichever is latest.
    completed : bool
        False if it was interrupted.
    """

    program: Program
    number: int
    recorder: Recorder
    pools: NDArray[np.void]
    endpoints: NDArray[np.void]
    buckets: NDArray[np.void]
    subscriptions: NDArray[np.void]
    plan_buckets: NDArray[np.void]
    plan_days: NDArray[np.void]
    customers: NDArray[np.void]
    caches: NDArray[np.void]
    key_sets: NDArray[np.void]
    sign_ins: NDArray[np.void]
    clusters: NDArray[np.void]
    inspections: NDArray[np.void]
    services: NDArray[np.void]
    service_limits: NDArray[np.void]
    end_ns: int
    completed: bool

    @property
    def digest(self) -> int:
        """Sum modulo 2**64 of the hashes of all rows."""
        return int(self.recorder.total["digest"][0])

    @property
    def n_requests(self) -> int:
        """Rows written, warm-up included."""
        return int(self.recorder.total["requests"][0])


def run_replication(
    program: Program,
    number: int,
    *,
    engine: Engine = "compiled",
    flush: Callable[[NDArray[np.void], int], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    begun: Callable[[Replication], None] | None = None,
    services: Mapping[int, Any] | None = None,
) -> Replication:
    """Run one replication.

    Parameters
    ----------
    program : Program
    number : int
        Number of the replication, from 0: part of every draw's address.
    engine : {"compiled", "simpy"}
    flush : callable, optional
        Takes full rows (``REQUEST_DTYPE``, to be copied) in the order in which requests end, and
        the arrival time [ns] below which no more will come.
    progress : callable, optional
        Told simulated time [ns] and requests so far, a few times a second. A KeyboardInterrupt
        ends the run; what was simulated so far is returned.
    begun : callable, optional
        Given, before the first event, a replication whose arrays fill while it runs. They are
        whole whenever ``progress`` is told; ``end_ns`` stays 0, and nothing is closed.
    services : mapping, optional
        A user's own services by function index; golden model only.

    Returns
    -------
    Replication
    """
    world = new_world(
        program, number, buffer_rows=_BUFFER_ROWS if flush is not None else 0, room=_ROOM
    )
    if begun is not None:
        begun(_left(program, number, world, end_ns=0, completed=False))
    if engine == "simpy":
        world, completed = run_golden(world, flush=flush, progress=progress, services=services)
    else:
        world, completed = run_compiled(world, flush=flush, progress=progress)
    return _close(program, number, world, completed)


def _close(program: Program, number: int, world: World, completed: bool) -> Replication:
    recorder, state, store = world.recorder, world.state, world.store
    end_ns = max(int(recorder.total["last_ns"][0]), program.horizon_ns if completed else 0)
    # The last that happens may be that a connection closes.
    end_ns = max(end_ns, int(recorder.connections.apis["integrated_ns"].max()))
    close_stock(recorder.mechanisms, state, store, end_ns)
    for function in range(len(program.pools)):
        close_pool(state.pools, state.groups, state.idle, state.idle_since, function, end_ns)
    _expire(program, store, end_ns)
    return _left(program, number, world, end_ns=end_ns, completed=completed)


def _left(
    program: Program, number: int, world: World, *, end_ns: int, completed: bool
) -> Replication:
    """The records of a world; views of its arrays, not copies."""
    state = world.state
    return Replication(
        program=program,
        number=number,
        recorder=world.recorder,
        pools=state.pools[: len(program.pools)],
        endpoints=state.endpoints[: len(program.endpoints)],
        buckets=state.buckets[: len(program.buckets)],
        subscriptions=state.subscriptions[: len(program.subscriptions)],
        plan_buckets=state.plan_buckets[: len(program.plan_buckets)],
        plan_days=state.plan_days[: len(program.subscriptions)],
        customers=state.customers[: len(program.names.customers)],
        caches=world.store.caches[: len(program.caches)],
        key_sets=state.key_sets[: len(program.key_sets)],
        sign_ins=state.sign_ins[: len(program.sign_in_quotas)],
        clusters=state.clusters[: len(program.caches)],
        inspections=state.inspections,
        services=state.services[: len(program.names.services)],
        service_limits=state.service_limits,
        end_ns=end_ns,
        completed=completed,
    )


def _expire(program: Program, store: Store, end_ns: int) -> None:
    for cache in range(len(program.caches)):
        expire_all(store, cache, end_ns)
