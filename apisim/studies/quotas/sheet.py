"""The limit-increase sheet: a line for each limit, with its use and what to ask for."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from apisim.engine.lowering.buckets import LEVELS
from apisim.scenario import Scenario
from apisim.scenario.stages import stage_label
from apisim.studies.quotas.catalogue import QUOTAS
from apisim.studies.quotas.counting import counted_rows, is_written, url_bytes
from apisim.studies.quotas.measuring import Measured
from apisim.studies.quotas.observing import Wall
from apisim.studies.quotas.rows import LimitRow, row_of, to_request
from apisim.studies.quotas.searching import Bracket
from apisim.studies.quotas.using import Usage

__all__ = ["sheet"]

_SECOND_NS: Final = 1_000_000_000


def sheet(
    measured: Measured, brackets: Mapping[Wall, Bracket], *, reserve: float
) -> tuple[LimitRow, ...]:
    """All lines, those that depend on traffic first.

    Parameters
    ----------
    measured : Measured
    brackets : mapping of Wall to Bracket
        Where limits refuse first.
    reserve : float
        Part that a value to request leaves above what is needed.
    """
    rows = [*_of_account(measured), *_of_lambda(measured), *_of_buckets(measured)]
    rows += [*_of_plans(measured), *_behind(measured), *_of_times(measured), *_of_sizes(measured)]
    rows += counted_rows(measured.scenario)
    return tuple(_completed(row, measured, brackets, reserve) for row in rows)


def _completed(
    row: LimitRow, measured: Measured, brackets: Mapping[Wall, Bracket], reserve: float
) -> LimitRow:
    wall = _wall_of(row)
    refused = sum(one.refused.get(wall, 0) for one in measured.actual)
    return replace(
        row,
        refused=refused,
        first_refusal=brackets.get(wall) if row.grows else None,
        request=_request(row, reserve) if row.request is None else row.request,
    )


def _wall_of(row: LimitRow) -> Wall:
    kinds = {
        "account_rate": "account",
        "account_burst": "account",
        "connection_burst": "connections",
    }
    return Wall(kinds.get(row.kind, row.kind), row.of)


def _request(row: LimitRow, reserve: float) -> float | None:
    """What to ask for; None where what there is will do."""
    if not row.requestable or row.limit is None or row.most_used is None:
        return None
    if row.kind == "timeout":
        return None  # nobody waits longer than is written
    high = row.most_used if row.used_interval is None else row.used_interval.high
    value = to_request(max(high, row.most_used), reserve if row.grows else 0.0)
    return float(value) if value > row.limit else None


def _each(measured: Measured, read: Callable[[Usage], float]) -> list[float]:
    return [float(read(usage)) for usage in measured.usages]


def _of_account(measured: Measured) -> Iterator[LimitRow]:
    scenario = measured.scenario
    throttle, others = scenario.account.throttle, scenario.account.background

    def origin(*path: str) -> str:
        return "scenario" if is_written(scenario, "account", *path) else "default"

    yield row_of(
        QUOTAS["account_rate"],
        kind="account_rate",
        of="account",
        limit=float(throttle.rate_limit),
        used=_each(
            measured, lambda u: u.rates_rps[("account", "account")] + float(others.requests)
        ),
        origin=origin("throttle", "rate_limit"),
    )
    yield row_of(
        QUOTAS["account_burst"],
        kind="account_burst",
        of="account",
        limit=throttle.burst_limit,
        used=list(map(float, measured.burst)),
        origin=origin("throttle", "burst_limit"),
    )
    if any(api.type == "websocket" for api in scenario.apis.values()):
        accepts = scenario.account.new_connections
        yield row_of(
            QUOTAS["new_connections"],
            kind="connections",
            of="account",
            limit=float(accepts.rate_limit),
            used=_each(measured, lambda u: u.rates_rps[("connections", "account")]),
            origin=origin("new_connections", "rate_limit"),
        )
        yield row_of(
            QUOTAS["connection_burst"],
            kind="connection_burst",
            of="account",
            limit=accepts.burst_limit,
            used=list(map(float, measured.connection_burst)),
            origin=origin("new_connections", "burst_limit"),
        )


def _of_lambda(measured: Measured) -> Iterator[LimitRow]:
    scenario = measured.scenario
    if not scenario.functions:
        return
    account, settings = scenario.account, scenario.settings
    aside = sum(function.concurrency_set_aside for function in scenario.functions.values())
    aside += account.background.lambda_concurrency
    yield row_of(
        QUOTAS["concurrency"],
        kind="concurrency",
        of="account",
        limit=account.lambda_concurrency,
        used=[float(most + aside) for most in measured.concurrency],
        origin="scenario" if is_written(scenario, "account", "lambda_concurrency") else "default",
    )
    if settings.lambda_request_rate:
        yield row_of(
            QUOTAS["lambda_rate"],
            kind="lambda_rate",
            of="account",
            limit=settings.lambda_request_rate * account.lambda_concurrency,
            used=_each(measured, lambda u: u.invocations_rps["account"]),
            origin="fixed",
        )
    for name, function in scenario.functions.items():
        if settings.lambda_scaling:
            yield row_of(
                QUOTAS["scaling"],
                kind="scaling",
                of=name,
                limit=settings.lambda_scaling,
                used=_each(measured, lambda u, name=name: u.environments[name]),  # type: ignore[misc]
                origin="fixed",
            )
        if function.reserved_concurrency is None:
            continue
        yield row_of(
            f"functions.{name}.reserved_concurrency",
            kind="reserved",
            of=name,
            limit=function.reserved_concurrency,
            used=_each(measured, lambda u, name=name: u.concurrency[name]),  # type: ignore[misc]
            origin="scenario",
            unit="executions",
        )


def _of_buckets(measured: Measured) -> Iterator[LimitRow]:
    """Throttles of stages and routes, which are the scenario's own."""
    scenario = measured.scenario
    for level, label in measured.usages[0].rates_rps:
        if level not in LEVELS[:2]:
            continue
        rate, at = _throttle_at(scenario, level, label)
        yield row_of(
            at,
            kind=level,
            of=label,
            limit=rate,
            used=_each(measured, lambda u, of=(level, label): u.rates_rps[of]),  # type: ignore[misc]
            origin="scenario",
            unit="1/s",
        )


def _throttle_at(scenario: Scenario, level: str, label: str) -> tuple[float, str]:
    """Rate of a bucket [1/s] and where it is written."""
    for name, api in scenario.apis.items():
        for key, route in api.routes.items():
            if level == "method" and label == f"{name} {key}" and route.throttle is not None:
                return float(route.throttle.rate_limit), f"apis.{name}.routes.{key}.throttle"
        stage = api.stage.throttle
        own = {f"{name} {key}" for key in api.every_route} | {stage_label(name, api.stage.name)}
        if level == "stage" and stage is not None and label in own:
            return float(stage.rate_limit), f"apis.{name}.stage.throttle"
    return math.nan, label


def _of_plans(measured: Measured) -> Iterator[LimitRow]:
    for name, plan in measured.scenario.usage_plans.items():
        if plan.throttle is not None:
            yield row_of(
                f"usage_plans.{name}.throttle",
                kind="usage_plan",
                of=name,
                limit=float(plan.throttle.rate_limit),
                used=None,
                origin="scenario",
                unit="1/s of a key",
            )
        for api, throttles in plan.apis.items():
            for key, throttle in throttles.items():
                yield row_of(
                    f"usage_plans.{name}.api_stages.{api}.{key}",
                    kind="usage_plan",
                    of=f"{name}: {api} {key}",
                    limit=float(throttle.rate_limit),
                    used=None,
                    origin="scenario",
                    unit="1/s of a key",
                )
        if plan.quota is not None:
            yield row_of(
                f"usage_plans.{name}.quota",
                kind="plan_quota",
                of=name,
                limit=plan.quota.limit,
                used=_each(measured, lambda u, name=name: u.plan_used[name]),  # type: ignore[misc]
                origin="scenario",
                unit=f"requests of a key a {plan.quota.period}",
            )


def _behind(measured: Measured) -> Iterator[LimitRow]:
    """Queues of endpoints, and services and user pools that refused."""
    scenario = measured.scenario
    for name, endpoint in scenario.endpoints.items():
        if endpoint.queue_limit is not None:
            yield row_of(
                f"endpoints.{name}.queue_limit",
                kind="endpoint",
                of=name,
                limit=endpoint.queue_limit,
                used=_each(measured, lambda u, name=name: u.waiting[name]),  # type: ignore[misc]
                origin="scenario",
                unit="requests",
            )
    for name in scenario.services:
        yield row_of(
            f"services.{name}",
            kind="service",
            of=name,
            limit=None,
            used=None,
            origin="scenario",
            unit="its own",
        )
    for name, population in scenario.populations.items():
        if population.sign_in_quota is not None:
            yield row_of(
                f"populations.{name}.sign_in_quota",
                kind="sign_in",
                of=name,
                limit=float(population.sign_in_quota),
                used=None,
                origin="scenario",
                unit="1/s",
            )


def _of_times(measured: Measured) -> Iterator[LimitRow]:
    for name, api in measured.scenario.apis.items():
        calls = [r.integration for r in api.routes.values() if r.integration.type != "mock"]
        if not calls:
            continue
        kind = "edge_timeout" if api.endpoint == "edge" else f"{api.type}_timeout"
        if all(one.is_streamed for one in calls):
            kind = "stream_timeout"
        longest_s = max(one.timeout for one in calls) / _SECOND_NS
        quota = QUOTAS[kind]
        default_s = quota.limit or longest_s
        row = row_of(
            quota,
            kind="timeout",
            of=name,
            limit=longest_s,
            used=_each(measured, lambda u, name=name: u.integration_s[name]),  # type: ignore[misc]
            origin="default" if longest_s == default_s else "scenario",
        )
        # More than 29 s is not there until AWS has granted it, at the cost of rate perhaps.
        yield replace(row, request=longest_s if longest_s > default_s else None)
        checked = {route.authorizer for route in api.routes.values() if route.authorizer}
        if api.type == "http" and any(
            measured.scenario.authorizers[one].is_lambda for one in checked
        ):
            yield row_of(
                QUOTAS["authorizer_timeout"],
                kind="authorizer_timeout",
                of=name,
                limit=measured.scenario.settings.authorizer_timeout.http / _SECOND_NS,
                used=_each(measured, lambda u, name=name: u.authorizer_s[name]),  # type: ignore[misc]
                origin="fixed",
            )


def _of_sizes(measured: Measured) -> Iterator[LimitRow]:
    scenario = measured.scenario
    for name, api in scenario.apis.items():

        def largest(usage: Usage, name: str = name) -> float:
            return max(usage.request_bytes[name], usage.response_bytes[name])

        is_socket = api.type == "websocket"
        yield row_of(
            QUOTAS["frame" if is_socket else "payload"],
            kind="frame" if is_socket else "payload",
            of=name,
            limit=QUOTAS["frame" if is_socket else "payload"].limit,
            used=_each(measured, largest),
            origin="fixed",
        )
        if any(route.integration.function for route in api.routes.values()):
            yield row_of(
                QUOTAS["lambda_payload"],
                kind="lambda_payload",
                of=name,
                limit=QUOTAS["lambda_payload"].limit,
                used=_each(measured, largest),
                origin="fixed",
            )
        if api.stage.has_cache:
            yield row_of(
                QUOTAS["cached_response"],
                kind="cached_response",
                of=name,
                limit=scenario.settings.cache_max_object,
                used=_each(measured, lambda u, name=name: u.response_bytes[name]),  # type: ignore[misc]
                origin="fixed",
            )
        sources = [source for source in scenario.traffic.values() if source.url_size]
        if sources:
            yield row_of(
                QUOTAS["url"],
                kind="url",
                of=name,
                limit=url_bytes(api),
                used=None,
                origin="fixed",
            )
        if any(source.header_size for source in scenario.traffic.values()):
            quota = QUOTAS["head" if api.type == "http" else "headers"]
            yield row_of(
                quota, kind="headers", of=name, limit=quota.limit, used=None, origin="fixed"
            )
