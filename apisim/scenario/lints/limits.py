"""Limits that let nothing by, that are never met, or that protect nothing."""

from collections.abc import Iterator
from typing import Final

from apisim.scenario.api import Api, Throttle
from apisim.scenario.backends import NewConnections
from apisim.scenario.cloudwatch_metrics import ALARM_METRICS
from apisim.scenario.problems import Path
from apisim.scenario.remarks import Remark
from apisim.scenario.scenario import Scenario

__all__ = ["limit_remarks"]

_THROTTLING: Final = 'developer guide, "Throttle requests to your REST APIs"'
_CONCURRENCY: Final = 'Lambda developer guide, "Reserved concurrency"'
_METRICS: Final = (
    'developer guide, "Amazon API Gateway dimensions and metrics"; tip 5 of the chapter'
)
_PITFALL: Final = "pitfall 2 of the chapter: insufficient throttling limits"
#: Metrics of thresholds that notice refusals.
_NOTICING: Final = frozenset({"throttled", "errors_4xx", "failed", "availability", "goodput"})

#: Metrics whose alarms tell of refused requests.
_ALARMING: Final = frozenset({"errors_4xx", *ALARM_METRICS["errors_4xx"].values()})


def limit_remarks(scenario: Scenario) -> Iterator[Remark]:
    """All remarks on limits."""
    yield from _zeros(scenario)
    yield from _above_account(scenario)
    yield from _stages(scenario)
    yield from _unlimited(scenario)
    yield from _unnoticed(scenario)


def _throttles(scenario: Scenario) -> Iterator[tuple[Path, Throttle]]:
    """Throttles that somebody may have written, below the account's."""
    for name, api in scenario.apis.items():
        if api.stage.throttle is not None:
            yield ("apis", name, "stage", "throttle"), api.stage.throttle
        for key, route in api.routes.items():
            if route.throttle is not None:
                yield ("apis", name, "routes", key, "throttle"), route.throttle
    for name, plan in scenario.usage_plans.items():
        if plan.throttle is not None:
            yield ("usage_plans", name, "throttle"), plan.throttle
        for stage, throttles in plan.api_stages.items():
            for key, throttle in throttles.items():
                yield ("usage_plans", name, "api_stages", stage, key), throttle


def _zeros(scenario: Scenario) -> Iterator[Remark]:
    account = scenario.account
    at: Path
    limits: list[tuple[Path, Throttle | NewConnections]] = [
        (("account", "throttle"), account.throttle),
        (("account", "new_connections"), account.new_connections),
        *_throttles(scenario),
    ]
    for at, throttle in limits:
        hint = "write what is meant to pass, or take the limit out"
        if throttle.burst_limit == 0:
            message = "a bucket of 0 tokens refuses every request"
            yield Remark("zero-limit", (*at, "burst_limit"), message, hint, _THROTTLING)
        elif throttle.rate_limit == 0:
            message = (
                f"a rate of 0 lets the burst by, {throttle.burst_limit:,}, and nothing after it"
            )
            yield Remark("zero-limit", (*at, "rate_limit"), message, hint, _THROTTLING)
    if account.lambda_concurrency == 0:
        message, hint = (
            "no function of the account ever runs",
            "write 1000, or what AWS has granted",
        )
        yield Remark("zero-limit", ("account", "lambda_concurrency"), message, hint, _CONCURRENCY)
    for name, function in scenario.functions.items():
        if function.reserved_concurrency == 0:
            at = ("functions", name, "reserved_concurrency")
            message = "a reserve of 0 switches the function off: every call of it is throttled"
            hint = "take it out to share what the others leave"
            yield Remark("zero-limit", at, message, hint, _CONCURRENCY)


def _above_account(scenario: Scenario) -> Iterator[Remark]:
    account = scenario.account.throttle
    if not account.rate_limit or not account.burst_limit:
        return  # that is what is to be said
    for at, throttle in _throttles(scenario):
        words = []
        if throttle.rate_limit > account.rate_limit:
            words.append(f"{float(throttle.rate_limit):,g}/s")
        if throttle.burst_limit > account.burst_limit:
            words.append(f"a burst of {throttle.burst_limit:,}")
        if words:
            message = (
                f"{' and '.join(words)} can never be had: the account has "
                f"{float(account.rate_limit):,g}/s and a burst of {account.burst_limit:,}"
            )
            hint = "write less; of the account only the rate can be raised"
            yield Remark("limit-above-account", at, message, hint, _THROTTLING)


def _stages(scenario: Scenario) -> Iterator[Remark]:
    """Stage throttles that look as if they were one for all routes."""
    account = scenario.account.throttle.rate_limit
    for name, api in scenario.apis.items():
        stage = api.stage.throttle
        n_routes = sum(route.throttle is None for route in api.routes.values())
        if stage is None or stage.scope == "shared" or n_routes < 2:
            continue
        together = n_routes * stage.rate_limit
        if stage.rate_limit <= account < together:
            message = (
                f"each of {n_routes} routes gets {float(stage.rate_limit):,g}/s for itself: "
                f"together {float(together):,g}/s, more than the account's {float(account):,g}/s"
            )
            hint = "limit the routes so that their sum is what the stage may take"
            at: Path = ("apis", name, "stage", "throttle")
            yield Remark("stage-limit-per-method", at, message, hint, _THROTTLING)


def _is_limited(api: Api) -> bool:
    return api.stage.throttle is not None or any(route.throttle for route in api.routes.values())


def _unlimited(scenario: Scenario) -> Iterator[Remark]:
    for name, api in scenario.apis.items():
        works = any(route.integration.type != "mock" for route in api.routes.values())
        asks = any(route.api_key_required for route in api.routes.values())
        planned = asks and any(
            name in plan.apis and (plan.throttle is not None or plan.apis[name])
            for plan in scenario.usage_plans.values()
        )
        if works and not _is_limited(api) and not planned:
            message = (
                "no route and no stage has a limit: one caller can use up the account's, for all "
                "APIs of the Region, and all that is behind"
            )
            hint = (
                "write throttle: {rate_limit: ..., burst_limit: ...} on stage or expensive routes"
            )
            yield Remark("no-method-limits", ("apis", name), message, hint, _PITFALL)


def _unnoticed(scenario: Scenario) -> Iterator[Remark]:
    # A threshold tells who runs the scenario, an alarm who runs the API: either will do.
    metrics = {str(one.metric) for one in scenario.alarms.values()}
    is_noticed = any(one.metric in _NOTICING for one in scenario.thresholds)
    if not is_noticed and not metrics & _ALARMING:
        message = (
            "nothing would tell of refused requests: no threshold is on throttled or errors_4xx"
        )
        hint = 'write thresholds: {throttled: ["rate<1%"]}, and an alarm on 4XXError on AWS'
        yield Remark("no-alarm-on-4xx", (), message, hint, _METRICS)
