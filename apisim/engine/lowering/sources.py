"""Traffic: sources, phases, mixes and logs as arrays."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.lowering.apis import LoweredApis
from apisim.engine.lowering.bindings import Bindings
from apisim.engine.lowering.callers import Callers, lower_callers
from apisim.engine.lowering.clients import Clients, lower_client
from apisim.engine.lowering.context import Context, name_hash
from apisim.engine.lowering.cors import Browsers, lower_browser
from apisim.engine.lowering.message_bindings import add_messages
from apisim.engine.lowering.network import lower_network, lower_round_trips
from apisim.engine.lowering.plans import LoweredPlans
from apisim.engine.lowering.sessions import LoweredSessions, lower_sessions
from apisim.engine.lowering.stages import add_canary_bindings
from apisim.engine.program import Cell, FlowPlan
from apisim.engine.tables import (
    CLOSED,
    JOB_DTYPE,
    NONE,
    SOURCE_DTYPE,
    TARGET_DTYPE,
    TRACE,
)
from apisim.scenario import Scenario
from apisim.scenario.arrivals import Arrivals
from apisim.scenario.phases import ClosedPhase, Phase
from apisim.scenario.traffic import Source
from apisim.scenario.traffic import Trace as TraceSpec
from apisim.traffic.arrivals import (
    BURSTY,
    NEVER,
    PIECE_DTYPE,
    POISSON,
    UNIFORM,
)
from apisim.traffic.phases import active_times, open_pieces, phase_bounds
from apisim.traffic.trace import Trace, read_trace

__all__ = ["LoweredSources", "add_cells", "add_open_phases", "lower_sources"]

#: Names where a path has values, as routes have them; a query may have braces of its own.
_PARAMETER: Final = re.compile(r"[^?]*/\{[^/{}?]+\}(?=/|\?|$)")

_PROCESSES = {"uniform": UNIFORM, "poisson": POISSON, "bursty": BURSTY}
#: The phase of calls that come from a log.
TRACE_PHASE = "trace"


@dataclass(slots=True)
class LoweredSources:
    """Sources as arrays."""

    sources: NDArray[np.void]
    callers: Callers
    names: list[str] = field(default_factory=list)
    sessions: LoweredSessions = field(default_factory=LoweredSessions)
    browsers: Browsers = field(default_factory=Browsers)
    behaviours: Clients = field(default_factory=Clients)
    flows: list[FlowPlan] = field(default_factory=list)
    pieces: list[NDArray[np.void]] = field(default_factory=list)
    phases: list[tuple[str, str]] = field(default_factory=list)
    think: list[int] = field(default_factory=list)
    jobs: list[tuple[int, int, int, int]] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    cell_hashes: list[int] = field(default_factory=list)
    cell_phase: list[int] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    client_hashes: list[int] = field(default_factory=list)
    trace_ns: list[NDArray[np.int64]] = field(default_factory=list)
    trace_client: list[NDArray[np.int64]] = field(default_factory=list)
    trace_target: list[NDArray[np.int64]] = field(default_factory=list)
    trace_bytes: list[NDArray[np.int64]] = field(default_factory=list)
    targets: list[tuple[int, int, int, int]] = field(default_factory=list)
    first_clients: list[int] = field(default_factory=list)
    n_rows: int = 0
    n_users: int = 0
    n_pieces: int = 0
    horizon_ns: int = 0
    n_skipped_rows: int = 0

    def joined(self, parts: list[Any], dtype: Any) -> NDArray[Any]:
        """One array of all parts."""
        return np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype)

    def target_table(self) -> NDArray[np.void]:
        """Targets of all logs."""
        return np.array(self.targets, TARGET_DTYPE)

    def job_table(self) -> NDArray[np.void]:
        """Active times of all closed users."""
        return np.array(self.jobs, JOB_DTYPE)

    def piece_table(self) -> NDArray[np.void]:
        """Pieces of all sources."""
        return self.joined(self.pieces, PIECE_DTYPE)


def lower_sources(
    context: Context,
    apis: LoweredApis,
    plans: LoweredPlans,
    bindings: Bindings,
    *,
    skip_bad_rows: bool,
) -> LoweredSources:
    """Lower ``traffic:``; logs are read here."""
    scenario = context.scenario
    n_sources = sum(1 + len(source.pushes) for source in scenario.traffic.values())
    lowered = LoweredSources(np.zeros(n_sources, SOURCE_DTYPE), Callers(context, plans))
    lowered.names = list(scenario.traffic)
    bindings.first_person = lowered.callers.first_person
    for at, (name, source) in enumerate(scenario.traffic.items()):
        row = lowered.sources[at]
        row["first_phase"] = len(lowered.phases)
        row["first_binding"] = len(bindings.rows)
        row["mix"] = NONE
        row["rtt"] = row["edge_rtt"] = row["origin_rtt"] = NONE
        row["sessions"] = row["push"] = row["message_size"] = NONE
        row["caller"] = lower_callers(context, lowered.callers, name)
        row["accept_encoding"] = source.accept_encoding
        for size in ("url_size", "header_size"):
            given = getattr(source, size)
            row[size] = NONE if given is None else context.dists.add(given)
        if source.network is not None:
            lower_round_trips(context, row, source.network)
        if source.trace is not None:
            _lower_trace(context, apis, bindings, lowered, row, name, source, skip_bad_rows)
        else:
            _lower_phases(context, apis, bindings, lowered, row, name, source)
        add_canary_bindings(context, apis, bindings, int(row["first_binding"]))
        row["n_bindings"] = len(bindings.rows) - row["first_binding"]
        row["client"] = lower_client(
            context, lowered.behaviours, source, _n_callers(lowered, row, source, scenario)
        )
        if source.network is not None:
            lower_network(context, row, name, _peers(context, lowered, row, source))
        if source.sessions is not None:
            lower_sessions(
                context,
                apis,
                bindings,
                lowered.behaviours,
                lowered.sessions,
                row,
                at,
                name,
                source,
            )
            row["n_bindings"] = len(bindings.rows) - row["first_binding"]
            until_ns = int(lowered.sessions.rows[-1]["until_ns"][0])
            if until_ns < NEVER:
                lowered.horizon_ns = max(lowered.horizon_ns, until_ns)
        add_cells(lowered, bindings, row, name)
    return lowered


def _n_callers(lowered: LoweredSources, row: np.void, source: Source, scenario: Scenario) -> int:
    """Persons or closed users behind a source; 0: nobody is known."""
    if source.of is not None:
        return scenario.populations[source.of].n_people
    return lowered.n_users - int(row["first_user"]) if source.is_closed else 0


def _peers(
    context: Context, lowered: LoweredSources, row: np.void, source: Source
) -> tuple[int, int]:
    """Callers of a source that can keep a connection: number of the first, and how many."""
    if source.of is not None:
        population = context.scenario.populations[source.of]
        return lowered.callers.first_person[source.of], population.n_people
    if source.is_closed:
        return 0, lowered.n_users - int(row["first_user"])
    if source.trace is not None:
        first = lowered.first_clients[-1]
        # The last is the unknown one, which is nobody's.
        return first, len(lowered.clients) - first - 1
    return 0, 0


def _lower_phases(
    context: Context,
    apis: LoweredApis,
    bindings: Bindings,
    lowered: LoweredSources,
    row: np.void,
    name: str,
    source: Source,
) -> None:
    if source.sessions is not None:
        row["mix"] = add_messages(bindings, context, apis, name, source)
        add_open_phases(context, lowered, row, name, source.phases, source.arrivals, source.offset)
        return
    if not source.is_closed:
        row["mix"] = bindings.add_mix(context, apis, name, source)
        lower_browser(context, apis, bindings, lowered.browsers, name, source)
        add_open_phases(context, lowered, row, name, source.phases, source.arrivals, source.offset)
        return
    limit_ns = context.scenario.duration_limit_ns
    at, first_phase = len(lowered.flows), len(lowered.phases)
    for phase in source.phases:
        lowered.phases.append((name, phase.name))
        think = context.dists.add(phase.think_time) if isinstance(phase, ClosedPhase) else NONE
        lowered.think.append(think)
    row["mix"] = bindings.add_mix(context, apis, name, source)
    lower_browser(context, apis, bindings, lowered.browsers, name, source)
    bounds = phase_bounds(source.phases, limit_ns)
    lowered.horizon_ns = max(lowered.horizon_ns, bounds[-1][1])
    row["kind"] = CLOSED
    row["first_user"] = lowered.n_users
    pieces = np.array(
        [(*bound, 0.0, 0.0, 0, first_phase + k) for k, bound in enumerate(bounds)], PIECE_DTYPE
    )
    times = active_times(source.phases, limit_ns)
    lowered.jobs += [(at, time.user, time.start_ns, time.end_ns) for time in times]
    lowered.n_users += 1 + max((time.user for time in times), default=0)
    _add_flow(lowered, row, pieces, source.arrivals, source.offset)


def add_open_phases(
    context: Context,
    lowered: LoweredSources,
    row: np.void,
    name: str,
    phases: Sequence[Phase],
    arrivals: Arrivals,
    offset: float | None,
) -> None:
    """Phases at whose rates something arrives: calls, users, pushes."""
    limit_ns = context.scenario.duration_limit_ns
    first_phase = len(lowered.phases)
    for phase in phases:
        lowered.phases.append((name, phase.name))
        lowered.think.append(NONE)
    lowered.horizon_ns = max(lowered.horizon_ns, phase_bounds(phases, limit_ns)[-1][1])
    try:
        pieces = open_pieces(phases, first_phase, limit_ns)
    except OverflowError as error:
        hint = "shorten the phases or lower their rates"
        context.refuse(("traffic", name, "phases"), str(error), hint)
        pieces = np.zeros(0, PIECE_DTYPE)
    _add_flow(lowered, row, pieces, arrivals, offset)


def _add_flow(
    lowered: LoweredSources,
    row: np.void,
    pieces: NDArray[np.void],
    arrivals: Arrivals,
    offset: float | None,
) -> None:
    lowered.flows.append(
        FlowPlan(
            process=_PROCESSES[arrivals.process],
            first_piece=lowered.n_pieces,
            last_piece=lowered.n_pieces + len(pieces),
            ratio=float(arrivals.ratio),
            peak_ns=float(arrivals.peak_for),
            base_ns=float(arrivals.base_for),
            phi=offset,
        )
    )
    lowered.pieces.append(pieces)
    lowered.n_pieces += len(pieces)
    row["last_piece"] = lowered.n_pieces


def _lower_trace(
    context: Context,
    apis: LoweredApis,
    bindings: Bindings,
    lowered: LoweredSources,
    row: np.void,
    name: str,
    source: Source,
    skip_bad_rows: bool,
) -> None:
    assert source.trace is not None
    lowered.flows.append(FlowPlan(UNIFORM, lowered.n_pieces, lowered.n_pieces))
    lowered.phases.append((name, TRACE_PHASE))
    lowered.think.append(NONE)
    trace = read_trace(
        source.trace.file,
        log_format=source.trace.format,
        stage=_stage_of_paths(context, source.trace),
        speed=source.trace.speed,
        sort=source.trace.sort,
        skip_bad_rows=skip_bad_rows,
    )
    lowered.n_skipped_rows += trace.n_skipped
    nameless = next((path for _, path in trace.targets if _PARAMETER.match(path)), "")
    if nameless:
        context.notes.append(
            f"traffic.{name}: paths of the log, such as {nameless}, have no values of parameters: "
            "a cache holds one answer for each route"
        )
    n_rows = _rows_before(trace, context.scenario.duration_limit_ns)
    row["kind"] = TRACE
    row["trace_start"], row["trace_end"] = lowered.n_rows, lowered.n_rows + n_rows
    lowered.n_rows += n_rows
    if n_rows:
        lowered.horizon_ns = max(lowered.horizon_ns, int(trace.arrival_ns[n_rows - 1]))
    first_target, first_client = len(lowered.targets), len(lowered.clients)
    lowered.first_clients.append(first_client)
    lowered.targets += bindings.add_targets(context, apis, name, source, trace.targets)
    lowered.clients += [*trace.clients, ""]
    # 0 stands for "unknown": a row without a client has no identity.
    lowered.client_hashes += [*(name_hash("client", client) for client in trace.clients), 0]
    lowered.trace_ns.append(trace.arrival_ns[:n_rows])
    lowered.trace_bytes.append(trace.response_bytes[:n_rows])
    lowered.trace_target.append(trace.target_index[:n_rows].astype(np.int64) + first_target)
    # A row without a client has the unknown one, which was put behind the known.
    client = np.where(trace.client_index < 0, len(trace.clients), trace.client_index)
    lowered.trace_client.append(client[:n_rows].astype(np.int64) + first_client)


def _stage_of_paths(context: Context, trace: TraceSpec) -> str:
    """Stage that the paths of a log begin with; on a custom domain they begin with its mapping."""
    if trace.domain is not None:
        return ""
    scenario = context.scenario
    name = scenario.apis[scenario.stage_api(trace.api or next(iter(scenario.apis)))].stage.name
    return "" if name == "$default" else name


def _rows_before(trace: Trace, limit_ns: int | None) -> int:
    if limit_ns is None:
        return len(trace.arrival_ns)
    return int(np.searchsorted(trace.arrival_ns, limit_ns, side="left"))


def add_cells(lowered: LoweredSources, bindings: Bindings, row: np.void, name: str) -> None:
    """Where the calls of the source in ``row``, whose phases are the last ones, are counted."""
    row["first_cell"] = len(lowered.cells)
    first = int(row["first_binding"])
    for at in range(int(row["first_phase"]), len(lowered.phases)):
        phase = lowered.phases[at][1]
        for binding, (api, route) in enumerate(bindings.labels[first:], first):
            variant = bindings.canaries.get(binding, "")
            method = bindings.methods[binding]
            lowered.cells.append(Cell(name, phase, api, route, variant, method))
            words = ["canary"] if variant == "canary" else []
            lowered.cell_hashes.append(name_hash("cell", name, phase, api, route, *words))
            lowered.cell_phase.append(at)
