"""Functions, endpoints and the concurrency they share."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apisim.engine.lowering.context import Context
from apisim.engine.program import PoolPlan
from apisim.engine.tables import ENDPOINT_SPEC_DTYPE, FUNCTION_DTYPE

__all__ = ["LoweredBackends", "lower_backends"]

#: A function without a time limit of its own.
_NO_LIMIT_NS = 1 << 60
#: A queue without a limit.
_NO_QUEUE_LIMIT = 1 << 60


@dataclass(frozen=True, slots=True)
class LoweredBackends:
    """Functions and endpoints as arrays."""

    functions: NDArray[np.void]
    endpoints: NDArray[np.void]
    function_names: tuple[str, ...]
    endpoint_names: tuple[str, ...]
    pools: tuple[PoolPlan, ...]
    groups: tuple[int, ...]
    queues: tuple[tuple[int, int], ...]


def lower_backends(context: Context) -> LoweredBackends:
    """Lower ``functions:`` and ``endpoints:``.

    The account's concurrency less all reserves is one group shared by the functions without a
    reserve; each reserve is a group of its own (Lambda developer guide, "Reserved concurrency").
    """
    scenario = context.scenario
    functions = np.zeros(len(scenario.functions), FUNCTION_DTYPE)
    reserved = sum(f.reserved_concurrency or 0 for f in scenario.functions.values())
    groups = [scenario.account.lambda_concurrency - reserved]
    pools = []
    for row, spec in zip(functions, scenario.functions.values(), strict=True):
        row["duration"] = context.dists.add(spec.duration)
        row["init"] = context.dists.add(spec.init)
        row["timeout_ns"] = _NO_LIMIT_NS if spec.timeout is None else spec.timeout
        row["errors"] = spec.errors
        group = 0
        if spec.reserved_concurrency is not None:
            group = len(groups)
            groups.append(spec.reserved_concurrency)
        pools.append(PoolPlan(group, scenario.settings.idle_expiry, groups[group]))
    endpoints = np.zeros(len(scenario.endpoints), ENDPOINT_SPEC_DTYPE)
    queues = []
    for row, endpoint in zip(endpoints, scenario.endpoints.values(), strict=True):
        row["service_time"] = context.dists.add(endpoint.service_time)
        row["errors"] = endpoint.errors
        limit = _NO_QUEUE_LIMIT if endpoint.queue_limit is None else endpoint.queue_limit
        queues.append((endpoint.servers, limit))
    return LoweredBackends(
        functions,
        endpoints,
        tuple(scenario.functions),
        tuple(scenario.endpoints),
        tuple(pools),
        tuple(groups),
        tuple(queues),
    )
