"""Functions, endpoints and the concurrency they share."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apisim.backends.lambda_ import NO_PROVISION, UNLIMITED
from apisim.draws.scaling import scaled
from apisim.engine.lowering.context import Context
from apisim.engine.program import PoolPlan
from apisim.engine.tables import ENDPOINT_SPEC_DTYPE, FUNCTION_DTYPE, NONE
from apisim.scenario.backends import AdditionalVersion, LambdaFunction

__all__ = ["LoweredBackends", "lower_backends"]

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
    groups: tuple[tuple[int, int], ...]
    queues: tuple[tuple[int, int], ...]


def lower_backends(context: Context) -> LoweredBackends:
    """Lower ``functions:`` and ``endpoints:``.

    The account's concurrency less all that is set aside is one group shared by the functions
    without a reserve; each reserve is a group of its own (Lambda developer guide, "Reserved
    concurrency"), and so is what is provisioned out of either.
    """
    scenario, settings = context.scenario, context.scenario.settings
    account = scenario.account
    set_aside = sum(f.concurrency_set_aside for f in scenario.functions.values())
    groups = [
        (
            account.lambda_concurrency - set_aside - account.background.lambda_concurrency,
            _rate_of(context, account.lambda_concurrency),
        )
    ]
    names = list(scenario.functions)
    rows, pools = [], []
    for spec in scenario.functions.values():
        group, provision = 0, NO_PROVISION
        reserved, provisioned = spec.reserved_concurrency, spec.provisioned_concurrency
        if reserved is not None:
            group = len(groups)
            groups.append((reserved - provisioned, _rate_of(context, reserved)))
        if provisioned:
            provision = len(groups)
            groups.append((provisioned, _rate_of(context, provisioned)))
        scaling = settings.lambda_scaling or UNLIMITED
        limit = groups[group][0]
        pools.append(PoolPlan(group, settings.idle_expiry, limit, provision, scaling))
        rows.append(_function(context, spec))
    # Further versions come last: rows of functions without one are where they would be without any.
    for at, (name, spec) in enumerate(scenario.functions.items()):
        version = spec.additional_version
        if version is None:
            continue
        rows[at]["other"], rows[at]["other_share"] = len(rows), version.weight
        names.append(f"{name}:{version.version}")
        pools.append(replace(pools[at], provision=NO_PROVISION))
        rows.append(_function(context, spec, version))
    functions = np.concatenate([np.zeros(0, FUNCTION_DTYPE), *rows])
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
        tuple(names),
        tuple(scenario.endpoints),
        tuple(pools),
        tuple(groups),
        tuple(queues),
    )


def _rate_of(context: Context, concurrency: int) -> int:
    """Synchronous requests a second that go with so much concurrency."""
    each = context.scenario.settings.lambda_request_rate
    return each * concurrency if each else UNLIMITED


def _function(
    context: Context, spec: LambdaFunction, version: AdditionalVersion | None = None
) -> NDArray[np.void]:
    """Row of a function, or of the version behind its alias that differs from it in some keys."""

    def of(key: str, default: Any) -> Any:
        own = None if version is None else getattr(version, key)
        return default if own is None else own

    row = np.zeros(1, FUNCTION_DTYPE)
    duration = scaled(of("duration", spec.duration), float(spec.duration_factor))
    row["duration"] = context.dists.add(duration)
    row["init"] = context.dists.add(of("init", spec.cold_start))
    row["timeout_ns"] = spec.timeout
    row["errors"], row["malformed"] = of("errors", spec.errors), of("malformed", spec.malformed)
    row["init_unbilled"] = int(not context.scenario.settings.lambda_init_billed)
    row["other"] = NONE
    return row
