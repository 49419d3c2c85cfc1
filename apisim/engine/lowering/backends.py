"""Functions, endpoints and the concurrency they share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apisim.backends.function_log import cold_bytes, warm_bytes
from apisim.backends.lambda_ import NO_PROVISION, UNLIMITED
from apisim.draws.scaling import scaled
from apisim.engine.backend_tables import (
    BACKEND_ENDPOINT,
    BACKEND_LINK,
    BACKEND_SERVICE,
    CALL_DTYPE,
    ENDPOINT_SPEC_DTYPE,
    FUNCTION_DTYPE,
)
from apisim.engine.lowering.context import Context
from apisim.engine.lowering.links import Links
from apisim.engine.lowering.services import LoweredServices, lower_services
from apisim.engine.program import PoolPlan
from apisim.engine.tables import NONE
from apisim.scenario.backends import AdditionalVersion, CallBehind, LambdaFunction
from apisim.scenario.services import action_of

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
    calls: NDArray[np.void]
    services: LoweredServices
    links: Links

    def of_endpoint(self, name: str) -> tuple[int, int]:
        """Kind of backend and index: the endpoint itself, or the link that leads to it."""
        if name in self.links.names:
            return BACKEND_LINK, self.links.names.index(name)
        return BACKEND_ENDPOINT, self.endpoint_names.index(name)


def lower_backends(context: Context) -> LoweredBackends:
    """Lower ``functions:`` and ``endpoints:``.

    The account's concurrency less all that is set aside is one group shared by the functions
    without a reserve; each reserve is a group of its own (Lambda developer guide, "Reserved
    concurrency"), and so is what is provisioned out of either.
    """
    scenario, settings = context.scenario, context.scenario.settings
    account = scenario.account
    services, links = lower_services(context), Links()
    first_target, n_endpoints = {}, 0
    for name, endpoint in scenario.endpoints.items():
        first_target[name] = n_endpoints
        if endpoint.behind is not None:
            links.add(name, endpoint, n_endpoints)
        n_endpoints += endpoint.targets
    calls: list[tuple[int, int, int, int]] = []
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
        rows[-1]["first_call"], rows[-1]["n_calls"] = len(calls), len(spec.calls)
        calls += [_call(context, call, services, first_target) for call in spec.calls]
    # Further versions come last: rows of functions without one are where they would be without any.
    for at, (name, spec) in enumerate(scenario.functions.items()):
        version = spec.additional_version
        if version is None:
            continue
        rows[at]["other"], rows[at]["other_share"] = len(rows), version.weight
        names.append(f"{name}:{version.version}")
        pools.append(replace(pools[at], provision=NO_PROVISION))
        rows.append(_function(context, spec, version))
        for key in ("first_call", "n_calls"):
            rows[-1][key] = rows[at][key]
    functions = np.concatenate([np.zeros(0, FUNCTION_DTYPE), *rows])
    every = [
        (f"{name}/{target + 1}" if endpoint.behind else name, endpoint)
        for name, endpoint in scenario.endpoints.items()
        for target in range(endpoint.targets)
    ]
    endpoints = np.zeros(len(every), ENDPOINT_SPEC_DTYPE)
    queues = []
    for row, (_, endpoint) in zip(endpoints, every, strict=True):
        row["service_time"] = context.dists.add(endpoint.service_time)
        row["errors"] = endpoint.errors
        limit = _NO_QUEUE_LIMIT if endpoint.queue_limit is None else endpoint.queue_limit
        queues.append((endpoint.servers, limit))
    return LoweredBackends(
        functions,
        endpoints,
        tuple(names),
        tuple(name for name, _ in every),
        tuple(pools),
        tuple(groups),
        tuple(queues),
        np.array(calls, CALL_DTYPE) if calls else np.zeros(1, CALL_DTYPE),
        services,
        links,
    )


def _rate_of(context: Context, concurrency: int) -> int:
    """Synchronous requests a second that go with so much concurrency."""
    each = context.scenario.settings.lambda_request_rate
    return each * concurrency if each else UNLIMITED


def _call(
    context: Context, call: CallBehind, services: LoweredServices, first_target: Mapping[str, int]
) -> tuple[int, int, int, int]:
    """Row of one call behind a function."""
    fails = int(call.on_error == "fail")
    if call.endpoint is not None:
        return BACKEND_ENDPOINT, first_target[call.endpoint], fails, NONE
    assert call.service is not None
    action = action_of(context.scenario.services[call.service], call.action, "GET")
    assert action is not None
    row = services.action(call.service, action)
    return BACKEND_SERVICE, services.index(call.service), fails, row


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
    if spec.logs:
        label = "$LATEST" if version is None else version.version
        row["log_warm"] = warm_bytes(spec.memory_mb, label) + spec.log_size
        row["log_cold"] = cold_bytes(context.scenario.region)
    row["max_retries"], row["max_age_ns"] = spec.maximum_retry_attempts, spec.maximum_event_age
    return row
