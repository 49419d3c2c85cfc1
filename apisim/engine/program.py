"""A scenario made ready to run: tables, names, and the recipe of a replication's first state."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.deques import lay_out_rings
from apisim.arrays.expiring_lru import CACHE_DTYPE, LINE_DTYPE, Store, new_cache, new_store
from apisim.backends.http import ENDPOINT_DTYPE, open_endpoint
from apisim.backends.lambda_ import (
    GROUP_DTYPE,
    NO_PROVISION,
    POOL_DTYPE,
    SCALING_WINDOW_NS,
    UNLIMITED,
    fill_group,
)
from apisim.backends.service import SERVICE_DTYPE
from apisim.draws.generator import uniform
from apisim.draws.keys import stream_key
from apisim.draws.purposes import Purpose
from apisim.draws.sampling import sample_int
from apisim.engine.changeable import laid_out
from apisim.engine.connection_records import FOREVER, ROUNDINGS, new_connection_records
from apisim.engine.drops import DROP_DTYPE
from apisim.engine.mechanism_records import new_mechanism_records
from apisim.engine.push_records import new_push_records
from apisim.engine.recorder import Recorder, new_recorder
from apisim.engine.senders import new_senders
from apisim.engine.session_tables import new_sessions
from apisim.engine.state import State, new_calendar
from apisim.engine.tables import CLOSED, OPEN, PUSHES, SESSIONS, Tables
from apisim.engine.world import World
from apisim.gateway.cache_cluster import CLUSTER_DTYPE
from apisim.gateway.key_set import KEY_SET_DTYPE, NEVER_FETCHED
from apisim.gateway.quota import DAY_NS
from apisim.gateway.sign_in import NO_TOKEN, SIGN_IN_DTYPE
from apisim.gateway.sockets import new_sockets
from apisim.gateway.throttle import BUCKET_DTYPE
from apisim.gateway.tracing import SAMPLER_DTYPE
from apisim.gateway.usage_plan import CUSTOMER_DTYPE, DAY_DTYPE
from apisim.gateway.waf import INSPECTION_DTYPE, RATE_DTYPE
from apisim.scenario import Scenario
from apisim.traffic.arrivals import FLOW_DTYPE, start_flow
from apisim.traffic.connections import CONNECTION_DTYPE

#: Days of usage that are kept of a key, and of all keys together.
_MOST_DAYS = 90
_MOST_DAY_ROWS = 4_000_000

__all__ = ["CachePlan", "Cell", "FlowPlan", "Names", "Program", "Targets", "new_world"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One phase of one source on one route: the finest grain that counts are kept at."""

    source: str
    phase: str
    api: str
    route: str  # "" for calls that match no route
    variant: str = ""  # "stable" or "canary" where a stage has two deployments
    method: str = ""  # of its calls, also where the route takes any

    @property
    def verb(self) -> str:
        """Method that its calls say they have; a mix of a route that takes any may name none."""
        return "GET" if self.method in ("ANY", "$default") else self.method


class Targets(NamedTuple):
    """Where a route led in the course of a run; empty where it led to nothing of the kind."""

    functions: frozenset[str]
    endpoints: frozenset[str]
    services: frozenset[str]
    authorizers: frozenset[str]  # their functions


@dataclass(frozen=True, slots=True)
class CachePlan:
    """Bounds of one cache and the stage or authorizer it belongs to."""

    name: str
    max_weight: int
    max_entries: int
    lookup_ns: int = 0  # of a stage's cache whose instance has a limit


@dataclass(frozen=True, slots=True)
class FlowPlan:
    """How one source's arrivals start; ``phi`` is drawn for each replication unless it is given."""

    process: int
    first_piece: int
    last_piece: int
    ratio: float = 1.0
    peak_ns: float = 1.0
    base_ns: float = 1.0
    phi: float | None = None


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """One function's warm pool."""

    group: int
    idle_expiry_ns: int
    limit: int
    provision: int = NO_PROVISION
    scaling: int = UNLIMITED


@dataclass(frozen=True, slots=True)
class Names:
    """Names behind the indices of the tables."""

    sources: tuple[str, ...]
    phases: tuple[tuple[str, str], ...]  # (source, phase)
    apis: tuple[str, ...]
    routes: tuple[tuple[str, str], ...]  # (api, route key)
    functions: tuple[str, ...]
    endpoints: tuple[str, ...]
    authorizers: tuple[tuple[str, str], ...]  # (api, authorizer)
    buckets: tuple[tuple[str, str], ...]  # (level, what it limits)
    clients: tuple[str, ...]
    services: tuple[str, ...]
    customers: tuple[str, ...]  # of all populations, then the API keys that have a name
    cells: tuple[Cell, ...]
    plans: tuple[str, ...]
    plan_limits: tuple[tuple[str, str], ...]  # (plan, what it limits), a plan's in their order
    key_sets: tuple[tuple[str, str], ...] = ()  # (api, authorizer)
    pools: tuple[str, ...] = ()  # populations with a sign-in quota


@dataclass(frozen=True, slots=True)
class Program:
    """A lowered scenario. Keys in ``tables`` belong to replication 0 until :func:`new_world`."""

    scenario: Scenario
    tables: Tables
    names: Names
    cell_meters: tuple[int, ...]  # row of the meters, by cell
    cell_targets: tuple[Targets, ...]  # where its route led
    service_calls: Mapping[tuple[str, str], int]  # of an invocation: by function and service
    flows: tuple[FlowPlan, ...]
    caches: tuple[CachePlan, ...]
    lines: tuple[tuple[int, int], ...]  # (ttl_ns, cache)
    pools: tuple[PoolPlan, ...]
    groups: tuple[tuple[int, int], ...]  # (concurrency limit, requests a second)
    endpoints: tuple[tuple[int, int], ...]  # (servers, queue limit)
    buckets: NDArray[np.void]  # full
    service_limits: NDArray[np.void]  # full
    key_sets: tuple[int, ...]  # lifetimes [ns]
    sign_in_quotas: NDArray[np.void]  # buckets of user pools, full
    n_signed_in: int  # users whose tokens are kept one by one; their numbers come first
    subscriptions: NDArray[np.void]  # unused
    plan_buckets: NDArray[np.void]  # full
    has_key: NDArray[np.bool_]  # by customer
    retry_tokens: NDArray[np.int64]  # full quotas of client processes
    n_users: int
    n_connections: int
    n_socket_lists: int
    horizon_ns: int
    n_skipped_rows: int
    rekey: Callable[[int], Tables]  # tables with the keys of one replication
    notes: Sequence[str] = field(default_factory=tuple)


def new_world(
    program: Program, replication: int, *, buffer_rows: int = 0, room: int = 1 << 10
) -> World:
    """Everything one replication needs, as it is before the first call.

    Parameters
    ----------
    program : Program
    replication : int
        Number of the replication, from 0.
    buffer_rows : int
        Full rows to buffer between flushes; 0 keeps none.
    room : int
        First room for requests in flight and cache entries (a power of two); it grows.
    """
    tables = program.rekey(replication)
    if len(tables.patches):
        tables = laid_out(tables)
    flows = np.zeros(max(1, len(program.flows)), FLOW_DTYPE)
    for at, plan in enumerate(program.flows):
        if tables.sources[at]["kind"] not in (OPEN, SESSIONS, PUSHES):
            continue
        phi = plan.phi
        if phi is None:
            phi = float(uniform(tables.draw_keys[at, Purpose.OFFSET], 0, 0))
        start_flow(
            flows[at],
            process=plan.process,
            first_piece=plan.first_piece,
            last_piece=plan.last_piece,
            phi=phi,
            ratio=plan.ratio,
            peak_ns=plan.peak_ns,
            base_ns=plan.base_ns,
        )
    return World(
        tables=_with_starts(program, tables),
        calendar=new_calendar(room),
        store=_new_store(program, room),
        state=_new_state(program, flows, room),
        recorder=_new_recorder(program, replication, buffer_rows),
    )


def _new_store(program: Program, room: int) -> Store:
    caches = np.zeros(max(1, len(program.caches)), CACHE_DTYPE)
    for row, plan in zip(caches, program.caches, strict=False):
        new_cache(row, max_weight=plan.max_weight, max_entries=plan.max_entries)
    lines = np.zeros(max(1, len(program.lines)), LINE_DTYPE)
    for row, (ttl_ns, cache) in zip(lines, program.lines, strict=False):
        row["ttl_ns"], row["cache"] = ttl_ns, cache
    return new_store(caches, lines, room)


def _new_state(program: Program, flows: NDArray[np.void], room: int) -> State:
    tables = program.tables
    pools = np.zeros(max(1, len(program.pools)), POOL_DTYPE)
    for row, pool in zip(pools, program.pools, strict=False):
        row["group"], row["idle_expiry_ns"] = pool.group, pool.idle_expiry_ns
        row["provision"], row["scaling"] = pool.provision, pool.scaling
        row["level"] = max(pool.scaling, 0) * SCALING_WINDOW_NS
    groups = np.zeros(max(1, len(program.groups)), GROUP_DTYPE)
    for row, (limit, rate) in zip(groups, program.groups, strict=False):
        fill_group(row, limit, rate)
    idle, idle_since = lay_out_rings([pool.limit for pool in program.pools])
    endpoints = np.zeros(max(1, len(program.endpoints)), ENDPOINT_DTYPE)
    for row, (servers, queue_limit) in zip(endpoints, program.endpoints, strict=False):
        open_endpoint(row, servers=servers, queue_limit=queue_limit)
    key_sets = np.zeros(max(1, len(program.key_sets)), KEY_SET_DTYPE)
    key_sets["fetched_ns"] = NEVER_FETCHED
    key_sets["lifetime_ns"][: len(program.key_sets)] = program.key_sets
    clusters = np.zeros(max(1, len(program.caches)), CLUSTER_DTYPE)
    clusters["lookup_ns"][: len(program.caches)] = [plan.lookup_ns for plan in program.caches]
    n_sources = max(1, len(program.flows))
    rules = program.tables.rate_rules
    n_rates = int(rules["n_addresses"].sum())
    n_counts = int((rules["n_addresses"] * (rules["intervals"] + 1)).sum())
    return State(
        flows=flows,
        issued=np.zeros(n_sources, np.int64),
        phase_piece=np.array([plan.first_piece for plan in program.flows] or [0], np.int64),
        user_ordinals=np.zeros(max(1, program.n_users), np.int64),
        buckets=program.buckets.copy() if len(program.buckets) else np.zeros(1, BUCKET_DTYPE),
        pools=pools,
        groups=groups,
        idle=idle,
        idle_since=idle_since,
        endpoints=endpoints,
        following=np.zeros(room, np.int64),
        key_sets=key_sets,
        held=np.full(max(1, program.n_signed_in), NO_TOKEN, np.int64),
        sign_ins=np.zeros(max(1, len(program.sign_in_quotas)), SIGN_IN_DTYPE),
        sign_in_buckets=program.sign_in_quotas.copy()
        if len(program.sign_in_quotas)
        else np.zeros(1, BUCKET_DTYPE),
        subscriptions=_at_least_one(program.subscriptions),
        plan_buckets=_at_least_one(program.plan_buckets),
        plan_days=_new_days(program),
        customers=_new_customers(program),
        clusters=clusters,
        rates=np.zeros(max(1, n_rates), RATE_DTYPE),
        rate_counts=np.zeros(max(1, n_counts), np.int32),
        retry_tokens=program.retry_tokens.copy()
        if len(program.retry_tokens)
        else np.zeros(1, np.int64),
        connections=np.zeros(max(1, program.n_connections), CONNECTION_DTYPE),
        inspections=np.zeros(
            (len(program.names.phases), len(program.names.apis), 2), INSPECTION_DTYPE
        ),
        services=np.zeros(max(1, len(program.names.services)), SERVICE_DTYPE),
        service_limits=program.service_limits.copy(),
        sockets=new_sockets(program.n_socket_lists),
        sessions=new_sessions(room if len(tables.sessions) else 1),
        senders=new_senders(len(tables.senders), len(tables.pushes)),
        drops=np.zeros(max(1, len(tables.timeline)), DROP_DTYPE),
        samplers=np.zeros(max(1, len(program.names.apis)), SAMPLER_DTYPE),
        outage_until=np.zeros(max(1, len(program.names.apis)), np.int64),
    )


def _at_least_one(rows: NDArray[np.void]) -> NDArray[np.void]:
    """A copy, of one row of zeros where there is none: compiled code may look at its type."""
    return rows.copy() if len(rows) else np.zeros(1, rows.dtype)


def _new_days(program: Program) -> NDArray[np.void]:
    """Room for what each key uses by day: the last 90 at most, fewer where there are many keys."""
    n_subscriptions = len(program.subscriptions)
    start_ns = int(program.tables.quota_clock["start_ns"][0])
    n_days = min((start_ns + program.horizon_ns) // DAY_NS + 2, _MOST_DAYS)
    n_days = max(1, min(n_days, _MOST_DAY_ROWS // max(1, n_subscriptions)))
    days = np.zeros((max(1, n_subscriptions), n_days), DAY_DTYPE)
    days["day"] = -1
    return days


def _new_customers(program: Program) -> NDArray[np.void]:
    customers = np.zeros(max(1, len(program.names.customers)), CUSTOMER_DTYPE)
    customers["minute"] = customers["worst_minute"] = -1
    return customers


def _new_recorder(program: Program, replication: int, buffer_rows: int) -> Recorder:
    salt = stream_key(program.scenario.seed, replication, Purpose.ARRIVAL, "digest")
    warm_up_ns = int(program.tables.rules["warm_up_ns"][0])
    connections, pushes = None, None
    if len(program.tables.sessions):
        connections = new_connection_records(
            len(program.names.apis),
            n_phases=len(program.names.phases),
            warm_up_ns=warm_up_ns,
            until_ns=FOREVER if _is_open_ended(program) else program.horizon_ns,
            rounding=ROUNDINGS.index(program.scenario.settings.connection_minutes),
        )
        pushes = new_push_records(len(program.tables.pushes), warm_up_ns=warm_up_ns)
    return new_recorder(
        n_cells=len(program.names.cells),
        n_apis=len(program.names.apis),
        n_phases=len(program.names.phases),
        n_functions=len(program.names.functions),
        warm_up_ns=warm_up_ns,
        salt=int(salt),
        buffer_rows=buffer_rows,
        n_customers=len(program.names.customers),
        has_clients=bool((program.tables.sources["client"] >= 0).any()),
        connections=connections,
        pushes=pushes,
        mechanisms=new_mechanism_records(
            n_functions=len(program.pools),
            n_endpoints=len(program.endpoints),
            n_buckets=len(program.buckets),
            n_caches=len(program.caches),
        ),
    )


def _is_open_ended(program: Program) -> bool:
    """Whether the traffic lasts until the sessions of a population end by themselves."""
    lives = (source.sessions for source in program.scenario.traffic.values())
    return any(life is not None and life.is_endless for life in lives)


def _with_starts(program: Program, tables: Tables) -> Tables:
    """Closed users do not march in step: each starts at a drawn part of a drawn think time."""
    if len(tables.jobs) == 0:
        return tables
    jobs = tables.jobs.copy()
    for row in jobs:
        source = int(row["source"])
        if tables.sources[source]["kind"] != CLOSED:
            continue
        plan = program.flows[source]
        key = tables.draw_keys[source, Purpose.OFFSET]
        part = plan.phi
        if part is None:
            part = float(uniform(key, int(row["user"]), 0))
        piece = plan.first_piece
        while tables.pieces["end_ns"][piece] <= row["start_ns"]:
            piece += 1
        think = int(tables.think[tables.pieces["phase"][piece]])
        think_ns = int(
            sample_int(tables.dists, tables.dist_values, think, key, int(row["user"]), 1)
        )
        row["start_ns"] += int(part * think_ns)
    return tables._replace(jobs=jobs[jobs["start_ns"] < jobs["end_ns"]])
