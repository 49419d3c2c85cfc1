"""What a replication used of the neighbours of its APIs, for the bill.

What a service took is counted at the service, for the whole run; a part of the run gets a share of
it, by the calls that reached it. What a load balancer carries is what its routes passed on and what
was answered to that, answer by answer. The time that requests were under way is kept after the
warm-up only: those of the warm-up are taken to be as long.
"""

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from apisim.draws.distributions import Constant
from apisim.engine.program import Program
from apisim.engine.run import Replication
from apisim.pricing import (
    BalancerUsage,
    RouteMetricsUsage,
    ServiceUsage,
    UserPoolUsage,
    VpcEndpointUsage,
)
from apisim.scenario.services import Service

__all__ = [
    "balancer_usage",
    "route_metrics_usage",
    "service_usage",
    "user_pool_usage",
    "vpc_endpoint_usage",
]

_MEASURED = 0
_NS_PER_MS = 1_000_000
_BYTES_PER_MB = 1 << 20
#: Of a sum that is kept in two words (``engine/recorder.py``).
_HIGH_WORD = 1 << 60


def service_usage(
    replication: Replication, phases: Collection[int], parts: Collection[int], provisioned_ns: int
) -> Iterator[ServiceUsage]:
    """What was asked of each service in some phases, and how long its capacity was held."""
    program = replication.program
    every = range(len(program.names.phases))
    for at, name in enumerate(program.names.services):
        service, row = program.scenario.services[name], replication.services[at]
        asked = _calls_to(replication, name, phases, parts)
        in_all = _calls_to(replication, name, every, [0, 1])
        took = {
            "requests": _share(int(row["requests"]), asked, in_all),
            "half_reads": _share(int(row["read_units"]), asked, in_all),
            "units": _share(int(row["units"]), asked, in_all),
        }
        is_provisioned = service.type == "kinesis" or service.read_capacity_units is not None
        held = _capacity(program, name) if is_provisioned else [((0, 0), 0, 1)]
        length_ns = max(program.horizon_ns, 1)
        left_ns = provisioned_ns if is_provisioned else 0
        for number, ((reads, capacity), start_ns, end_ns) in enumerate(held):
            part_ns = min(left_ns, provisioned_ns * (end_ns - start_ns) // length_ns)
            if number == len(held) - 1:
                part_ns = left_ns  # with what rounding down left
            left_ns -= part_ns
            yield ServiceUsage(
                name=name,
                type=service.type,
                fifo=service.fifo,
                express=service.express,
                is_provisioned=is_provisioned,
                read_capacity=reads,
                capacity=capacity,
                provisioned_ns=part_ns,
                record_bytes=_record_bytes(service),
                transitions=service.transitions,
                execution_ms=_in_steps(service.execution_duration, _NS_PER_MS),
                memory_mb=_in_steps(service.execution_memory, _BYTES_PER_MB),
                is_shared_out=asked != in_all,
                **(took if number == 0 else {}),
            )


def _record_bytes(service: Service) -> int | None:
    """Size of the records of a stream on demand [bytes], which the scenario says is one."""
    if service.mode == "on_demand" and isinstance(service.item_size, Constant):
        return round(service.item_size.value)
    return None


def _share(total: int, part: int, whole: int) -> int:
    return total if part == whole else total * part // whole


def _in_steps(value: int | None, step: int) -> int | None:
    return None if value is None else -(-value // step)


def _capacity(program: Program, name: str) -> list[tuple[tuple[int, int], int, int]]:
    """Capacity that a service holds (read units; write units or shards), and from when to when."""
    scenario, length_ns = program.scenario, program.horizon_ns
    changes = [(0, _held(scenario.services[name]))]
    changes += [
        (state.at_ns, _held(state.scenario.services[name]))
        for state in scenario.states
        if state.at_ns < length_ns
    ]
    ends = [at_ns for at_ns, _ in changes[1:]] + [length_ns]
    return [(held, at_ns, end) for (at_ns, held), end in zip(changes, ends, strict=True)]


def _held(service: Service) -> tuple[int, int]:
    if service.type == "kinesis":
        return 0, 1 if service.mode == "on_demand" else service.shards
    return service.read_capacity_units or 0, service.write_capacity_units or 0


def _calls_to(
    replication: Replication, service: str, phases: Collection[int], parts: Collection[int]
) -> int:
    """Requests of routes that reached a service, and calls of functions that do."""
    names, recorder = replication.program.names, replication.recorder
    cells = [
        at
        for at in _cells_of(replication.program, phases)
        if service in replication.program.cell_targets[at].services
    ]
    found = int(recorder.usage[cells][:, list(parts)]["integrations"].sum())
    for at, name in enumerate(names.functions):
        each = replication.program.service_calls.get((name.partition(":")[0], service), 0)
        if each:
            executed = recorder.executions[list(phases)][:, at, list(parts)]
            found += each * int(executed["invocations"].sum())
    return found


def _cells_of(program: Program, phases: Collection[int]) -> list[int]:
    wanted = {program.names.phases[at] for at in phases}
    return [
        at for at, cell in enumerate(program.names.cells) if (cell.source, cell.phase) in wanted
    ]


def balancer_usage(
    replication: Replication, phases: Collection[int], parts: Collection[int], provisioned_ns: int
) -> Iterator[BalancerUsage]:
    """What each load balancer carried in some phases, and how long it was there."""
    program, recorder = replication.program, replication.recorder
    cells = _cells_of(program, phases)
    for name, endpoint in program.scenario.endpoints.items():
        if endpoint.behind is None:
            continue
        requests = n_bytes = active_ns = 0
        for at in cells:
            if name not in program.cell_targets[at].endpoints:
                continue
            sums, usage = recorder.cells[at], recorder.usage[at]
            busy_ns = int(sums["integration_high"]) * _HIGH_WORD + int(sums["integration_low"])
            carried = usage[list(parts)]
            called = int(carried["integrations"].sum())
            requests += called
            moved = carried["bytes_in"] + carried["bytes_out"]
            # Of an answer that some got who were passed on, and some who were not, a part.
            of = np.maximum(carried["requests"], 1)
            n_bytes += int((moved * carried["integrations"] // of).sum())
            # How long they took in the warm-up is not kept: as long as those after it.
            measured = int(sums["integrations"])
            active_ns += busy_ns * called // measured if measured else 0
        yield BalancerUsage(
            name=name,
            kind=endpoint.behind,
            provisioned_ns=provisioned_ns,
            requests=requests,
            bytes=n_bytes,
            active_ns=active_ns,
            requests_per_connection=endpoint.requests_per_connection,
            rule_evaluations=endpoint.rule_evaluations,
        )


def vpc_endpoint_usage(replication: Replication, provisioned_ns: int) -> Iterator[VpcEndpointUsage]:
    """How long each interface endpoint was there."""
    for name, endpoint in replication.program.scenario.vpc_endpoints.items():
        yield VpcEndpointUsage(name=name, zones=endpoint.zones, provisioned_ns=provisioned_ns)


def route_metrics_usage(
    replication: Replication, cells: Collection[int], parts: Collection[int], provisioned_ns: int
) -> Iterator[RouteMetricsUsage]:
    """Detailed metrics of the routes that were called, all the time."""
    program = replication.program
    called = {
        (cell.api, cell.route): program.scenario.apis[cell.api].type
        for at in cells
        if replication.recorder.usage["requests"][at][list(parts)].any()
        and (cell := program.names.cells[at]).route
        and program.scenario.apis[cell.api].stage.detailed_metrics
    }
    for (api, route), kind in called.items():
        yield RouteMetricsUsage(api=api, route=route, type=kind, provisioned_ns=provisioned_ns)


def user_pool_usage(replication: Replication, parts: Sequence[int]) -> Iterator[UserPoolUsage]:
    """Users of each user pool who signed in; of a part of a run nobody knows how many did."""
    is_whole_run = list(parts) != [_MEASURED]
    for at, name in enumerate(replication.program.names.pools):
        population = replication.program.scenario.populations[name]
        if population.user_pool_tier is not None:
            yield UserPoolUsage(
                name=name,
                tier=population.user_pool_tier,
                users=int(replication.sign_ins["sign_ins"][at]) if is_whole_run else 0,
                population=population.n_people,
            )
