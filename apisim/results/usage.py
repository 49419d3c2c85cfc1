"""What a replication used, in the form the bill is made from.

A run is billed whole, warm-up included. A month is projected from what was used after the warm-up,
cut into windows: one for each phase that says how often a month it happens, one for the rest of its
source, and one for all sources of which no phase says so.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from apisim.engine.program import Program
from apisim.engine.run import Replication
from apisim.pricing import ApiUsage, CacheUsage, FunctionUsage, Usage, WafUsage, Window
from apisim.pricing.doubts import Doubt, added
from apisim.results.doubts import doubts_of, minute_doubt
from apisim.results.logs import log_usage, trace_usage
from apisim.results.neighbours import (
    balancer_usage,
    route_metrics_usage,
    service_usage,
    user_pool_usage,
    vpc_endpoint_usage,
)
from apisim.results.spans import length_ns, phase_spans, union
from apisim.scenario.stages import stage_label

__all__ = [
    "empty_windows",
    "provisioned_ns",
    "run_usage",
    "source_of",
    "source_usage",
    "window_phases",
    "windows_of",
]

#: Position of what was used after the warm-up; the other is the warm-up's.
_MEASURED = 0
_WARM_UP = 1
_MINUTE_NS = 60_000_000_000


def run_usage(replication: Replication) -> Usage:
    """Everything one replication used.

    A cache cluster is there from the start to the end of the traffic, or to where an interrupted
    run got.
    """
    program = replication.program
    cells = range(len(program.names.cells))
    phases = range(len(program.names.phases))
    return _usage(replication, cells, phases, [_MEASURED, _WARM_UP], provisioned_ns(replication))


def provisioned_ns(replication: Replication) -> int:
    """How long there was what is paid by the hour [ns]."""
    horizon_ns = replication.program.horizon_ns
    return horizon_ns if replication.completed else min(replication.end_ns, horizon_ns)


def source_of(name: str) -> str:
    """The source of the scenario: what is pushed is named after the source of its sessions."""
    return name.partition(".")[0]


def source_usage(replication: Replication, source: str, wanted: Collection[int] | None) -> Usage:
    """What one source used in some phases, after the warm-up; in the whole run if None."""
    names = replication.program.names
    phases = [
        at
        for at, (of, _) in enumerate(names.phases)
        if source_of(of) == source and (wanted is None or at in wanted)
    ]
    its_phases = {names.phases[at] for at in phases}
    cells = [at for at, cell in enumerate(names.cells) if (cell.source, cell.phase) in its_phases]
    parts = [_MEASURED, _WARM_UP] if wanted is None else [_MEASURED]
    return _usage(replication, cells, phases, parts, 0)


def window_phases(program: Program) -> list[list[int]]:
    """Phases of each window, by position."""
    return [
        [at for at, phase in enumerate(program.names.phases) if phase in phases]
        for _, phases in _plan(program)
    ]


def windows_of(replication: Replication) -> list[Window]:
    """What one replication used after the warm-up, by what it stands for in a month."""
    return [
        replace(window, usage=_usage_of_phases(replication, phases, window.duration_ns))
        for window, phases in _plan(replication.program)
    ]


def empty_windows(program: Program) -> list[Window]:
    """The windows of a run in which nothing was used."""
    return [window for window, _ in _plan(program)]


def _plan(program: Program) -> list[tuple[Window, set[tuple[str, str]]]]:
    """Windows without usage, each with its phases."""
    counted = _counted_phases(program)
    spans = phase_spans(program)
    run = (program.scenario.warm_up, program.horizon_ns)
    run_ns = run[1] - run[0]
    plan = []
    for source, phases in counted.items():
        for phase, times in phases.items():
            duration_ns = length_ns([spans[source, phase]], *run)
            if duration_ns > 0:
                name = phase if len(program.names.sources) == 1 else f"{source}/{phase}"
                window = Window(
                    name=name, duration_ns=duration_ns, usage=Usage(), events_per_month=times,
                    source=source,
                )  # fmt: skip
                plan.append((window, {(source, phase), *_pushed_in(program, source, phase)}))
        # A source that is silent for a part of the run is silent for that part of the month.
        left_ns = run_ns - length_ns(union(spans[source, phase] for phase in phases), *run)
        rest = {
            (of, phase)
            for of, phase in program.names.phases
            if source_of(of) == source and phase not in phases
        }
        if rest and left_ns > 0:
            name = "the rest of the run" if len(counted) == 1 else f"the rest of {source}"
            window = Window(name=name, duration_ns=left_ns, usage=Usage(), source=source)
            plan.append((window, rest))
    others = {(of, phase) for of, phase in program.names.phases if source_of(of) not in counted}
    if others and run_ns > 0:
        name = (
            "the run"
            if not plan
            else " and ".join(
                dict.fromkeys(
                    source_of(of) for of, _ in program.names.phases if source_of(of) not in counted
                )
            )
        )
        plan.append((Window(name=name, duration_ns=run_ns, usage=Usage()), others))
    return plan


def _pushed_in(program: Program, source: str, phase: str) -> set[tuple[str, str]]:
    """The same phase of what is pushed to a source's sessions."""
    pushes = program.scenario.traffic[source].pushes
    return {(f"{source}.{push}", phase) for push in pushes}


def _counted_phases(program: Program) -> dict[str, dict[str, Decimal]]:
    """Phases that say how often a month they happen, in order, by source."""
    found: dict[str, dict[str, Decimal]] = {}
    for name, source in program.scenario.traffic.items():
        for phase in source.phases:
            times = getattr(phase, "events_per_month", None)
            if times is not None:
                found.setdefault(name, {})[phase.name] = times
    return found


def _usage_of_phases(
    replication: Replication, wanted: Collection[tuple[str, str]], provisioned_ns: int
) -> Usage:
    names = replication.program.names
    cells = [at for at, cell in enumerate(names.cells) if (cell.source, cell.phase) in wanted]
    phases = [at for at, phase in enumerate(names.phases) if phase in wanted]
    return _usage(replication, cells, phases, [_MEASURED], provisioned_ns)


def _usage(
    replication: Replication,
    cells: Collection[int],
    phases: Collection[int],
    parts: Sequence[int],
    provisioned_ns: int,
) -> Usage:
    program, recorder = replication.program, replication.recorder
    scenario, names = program.scenario, program.names
    used = recorder.usage[list(cells)][:, list(parts)]
    owner = np.array([names.apis.index(names.cells[at].api) for at in cells], np.int64)
    inside = np.array(
        [
            scenario.traffic[source_of(names.cells[at].source)].vpc_endpoint is not None
            for at in cells
        ],
        bool,
    )
    apis = []
    for at, (name, api) in enumerate(scenario.apis.items()):
        mine = used[owner == at]
        # What calls a private API from outside its VPC endpoints sends nothing through them.
        moved = used[(owner == at) & inside] if api.endpoint == "private" else mine
        apis.append(
            ApiUsage(
                name=name,
                type=api.type,
                endpoint=api.endpoint,
                requests_charged=int(mine["units"].sum()),
                bytes_in=int(moved["bytes_in"].sum()),
                bytes_out=int(moved["bytes_out"].sum()),
                connection_ns=_billed_ns(replication, at, phases, parts),
                events=int(mine["requests"][mine["units"] > 0].sum()) if api.type == "http" else 0,
            )
        )
    functions = []
    for at, name in enumerate(names.functions):
        # A further version of a function is named after it.
        of, _, version = name.partition(":")
        function = scenario.functions[of]
        provisioned = 0 if version else function.provisioned_concurrency
        executed = recorder.executions[list(phases)][:, at, list(parts)]
        functions.append(
            FunctionUsage(
                name=name,
                memory_mb=function.memory_mb,
                architecture=function.architecture,
                invocations=int(executed["invocations"].sum()),
                billed_ms=int(executed["billed_ms"].sum()),
                provisioned_concurrency=provisioned,
                provisioned_ms=int(executed["provisioned_ms"].sum()),
                provisioned_ns=provisioned_ns if provisioned else 0,
            )
        )
    caches = [
        CacheUsage(api=name, stage=api.stage.name, size=size, provisioned_ns=part_ns)
        for name, api in scenario.apis.items()
        if api.stage.cache_cluster_size is not None
        for size, part_ns in _time_by_size(program, name, provisioned_ns).items()
    ]
    looked_at = replication.inspections["requests"][list(phases)][:, :, list(parts)]
    wafs = [
        WafUsage(
            api=name,
            stage=api.stage.name,
            rules=api.stage.waf.rules + len(api.stage.waf.rate_based),
            provisioned_ns=provisioned_ns,
            requests=int(looked_at[:, at].sum()),
        )
        for at, (name, api) in enumerate(scenario.apis.items())
        if api.stage.waf is not None
    ]
    return Usage(
        apis=tuple(apis),
        functions=tuple(functions),
        caches=tuple(caches),
        wafs=tuple(wafs),
        services=tuple(service_usage(replication, phases, parts, provisioned_ns)),
        balancers=tuple(balancer_usage(replication, phases, parts, provisioned_ns)),
        vpc_endpoints=tuple(vpc_endpoint_usage(replication, provisioned_ns)),
        user_pools=tuple(user_pool_usage(replication, parts)),
        route_metrics=tuple(route_metrics_usage(replication, cells, parts, provisioned_ns)),
        logs=tuple(log_usage(replication, cells, phases, parts)),
        traces=tuple(trace_usage(replication, cells, parts)),
        doubts=added(_doubts(replication, cells, parts)),
    )


def _doubts(
    replication: Replication, cells: Collection[int], parts: Sequence[int]
) -> Iterator[Doubt]:
    yield from doubts_of(replication, cells, parts)
    if len(replication.program.tables.sessions):
        yield minute_doubt(replication, cells, parts)


def _billed_ns(
    replication: Replication, api: int, phases: Collection[int], parts: Collection[int]
) -> int:
    """Time of connections that were opened in these phases, as it is billed [ns]."""
    if len(replication.program.tables.sessions) == 0:
        return 0
    billed = replication.recorder.connections.minutes[list(phases)][:, api, list(parts)]
    return int(billed["minutes"].sum()) * _MINUTE_NS + int(billed["rest_ns"].sum())


def _time_by_size(program: Program, api: str, provisioned_ns: int) -> dict[str, int]:
    """How long an API's cache had each of its sizes [ns].

    A size is provisioned from the moment the timeline asks for it. Of a part of a run, each size
    gets the share that it has of the whole.
    """
    scenario = program.scenario
    stage = scenario.apis[api].stage
    assert stage.cache_cluster_size is not None
    name, length_ns = stage_label(api, stage.name), program.horizon_ns
    changes = [(0, stage.cache_cluster_size)]
    changes += [
        (scenario.when(entry), sizes[name])
        for entry in sorted(scenario.timeline, key=scenario.when)
        if scenario.when(entry) <= length_ns and name in (sizes := entry.resize_cache or {})
    ]
    if len(changes) == 1:
        return {stage.cache_cluster_size: provisioned_ns}
    ends = [at for at, _ in changes[1:]] + [length_ns]
    times: dict[str, int] = {}
    left_ns = provisioned_ns
    for (start, size), end in zip(changes, ends, strict=True):
        part_ns = min(left_ns, provisioned_ns * (end - start) // max(length_ns, 1))
        times[size] = times.get(size, 0) + part_ns
        left_ns -= part_ns
    times[changes[-1][1]] += left_ns  # what rounding down left
    return times
