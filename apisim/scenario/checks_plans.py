"""Rules between usage plans, API keys, and those who use them."""

from collections.abc import Callable, Iterator
from typing import Final

from apisim.scenario.calls import called_routes
from apisim.scenario.problems import Path, did_you_mean
from apisim.scenario.remarks import Remark
from apisim.scenario.scenario import Scenario
from apisim.scenario.units import shown
from apisim.scenario.validation import Validation

__all__ = ["PLAN_RULES", "plan_remarks"]

#: Quotas of an account and Region (API Gateway quotas, 2025): plans, plans of a key, keys.
_MAX_PLANS: Final = 300
_MAX_PLANS_OF_A_KEY: Final = 10
_MAX_KEYS: Final = 10_000


_KEYS: Final = 'developer guide, "Choose an API key source in API Gateway"'
_PLANS: Final = 'developer guide, "Usage plans and API keys for REST APIs"'
_QUOTAS: Final = 'developer guide, "Quotas and important notes"'


def _check_stages(scenario: Scenario, outcome: Validation) -> None:
    """Plans are attached to stages that exist, of APIs that have plans."""
    for name, plan in scenario.usage_plans.items():
        seen: dict[str, str] = {}
        for written, routes in plan.api_stages.items():
            at: Path = ("usage_plans", name, "api_stages", written)
            api_name, stage = plan.api_of(written), written.partition("/")[2]
            first = seen.setdefault(api_name, written)
            if first != written:
                outcome.add(at, f"is the same stage as {first}", "keep one of them")
            api = scenario.apis.get(api_name)
            if api is None:
                continue
            because: tuple[Path, ...] = (("apis", api_name, "type"), ("apis", api_name, "stage"))
            if api.type == "http":
                message = "HTTP APIs have no usage plans, REST APIs have them"
                outcome.add(at, message, "use type: rest, or remove it here", because=because)
            elif stage and stage != api.stage.name:
                message = f"the API {api_name} has no stage {shown(stage)}"
                outcome.add(at, message, f"its stage is {api.stage.name}", because=because)
            defined = outcome.names("apis", api_name, "routes")
            for route in routes:
                if route not in api.routes and route not in defined:
                    message = f"{route} is no route of the API {api_name}"
                    outcome.add((*at, route), message, did_you_mean(route, api.routes))


def _check_one_plan_a_stage(scenario: Scenario, outcome: Validation) -> None:
    """A key is in one plan for each stage (developer guide, usage plans)."""
    plans = scenario.usage_plans
    seen: dict[tuple[str, str], str] = {}
    for name, plan in plans.items():
        for at, key in enumerate(plan.api_keys):
            place: Path = ("usage_plans", name, "api_keys", at)
            if key in plan.api_keys[:at]:
                outcome.add(place, f"{key} is given twice", "keep one of them")
                continue
            for api in plan.apis:
                first = seen.setdefault((key, api), name)
                if first != name:
                    message = f"{key} opens the stage of {api} by the plan {first} already"
                    because: tuple[Path, ...] = (("usage_plans", first),)
                    outcome.add(place, message, "one plan for each stage of a key", because=because)


def _check_http_apis(scenario: Scenario, outcome: Validation) -> None:
    for name, api in scenario.apis.items():
        at: Path = ("apis", name)
        if api.type != "http":
            continue
        hint = "use type: rest, or remove this key"
        message = "HTTP APIs have no API keys, REST APIs have them"
        if api.api_key_source != "header":
            outcome.add((*at, "api_key_source"), message, hint, because=((*at, "type"),))
        for key, route in api.routes.items():
            if route.api_key_required:
                place = (*at, "routes", key, "api_key_required")
                outcome.add(place, message, hint, because=((*at, "type"),))


def _check_key_source(scenario: Scenario, outcome: Validation) -> None:
    """A key that the authorizer names needs an authorizer that can name it."""
    for name, api in scenario.apis.items():
        if api.api_key_source != "authorizer" or api.type == "http":
            continue
        for key, route in api.routes.items():
            at: Path = ("apis", name, "routes", key)
            authorizer = scenario.authorizers.get(route.authorizer or "")
            names_keys = authorizer is not None and authorizer.type in ("token", "request")
            if route.api_key_required and not names_keys:
                message = "the key comes from a Lambda authorizer, and the route has none"
                hint = "give it one, or write api_key_source: header"
                because: tuple[Path, ...] = (
                    (*at, "authorizer"),
                    ("authorizers",),
                    ("apis", name, "api_key_source"),
                )
                outcome.add((*at, "api_key_required"), message, hint, because=because)


def _check_holders(scenario: Scenario, outcome: Validation) -> None:
    """Who has a key: customers of a population, or a source."""
    defined = outcome.names("usage_plans")
    for name, population in scenario.populations.items():
        for plan in population.plans or {}:
            if plan not in defined:
                hint = did_you_mean(plan, defined) or "define it under usage_plans:"
                message = f"{shown(plan)} is not defined under usage_plans"
                outcome.add(("populations", name, "plans", plan), message, hint)
    for name, source in scenario.traffic.items():
        holder = scenario.populations.get(source.of or "")
        if source.api_key is not None and holder is not None and holder.key_each:
            message = f"the customers of {source.of} have keys of their own"
            hint = "remove api_key here, or key_each and plans there"
            because: tuple[Path, ...] = (("populations", str(source.of)),)
            outcome.add(("traffic", name, "api_key"), message, hint, because=because)


PLAN_RULES: Final[tuple[Callable[[Scenario, Validation], None], ...]] = (
    _check_http_apis,
    _check_stages,
    _check_one_plan_a_stage,
    _check_key_source,
    _check_holders,
)


def plan_remarks(scenario: Scenario) -> Iterator[Remark]:
    """What is allowed but may not be meant."""
    plans = scenario.usage_plans
    known = {key for plan in plans.values() for key in plan.api_keys} | set(scenario.api_keys)
    for name, source in scenario.traffic.items():
        needs = [api.routes[key].api_key_required for api, key in called_routes(scenario, source)]
        holder = scenario.populations.get(source.of or "")
        sends = source.api_key is not None or (holder is not None and holder.key_each)
        at: Path = ("traffic", name)
        if source.api_key is not None and source.api_key not in known:
            message = (
                f"no usage plan has the key {source.api_key}: where a key is needed, its calls are "
                "refused"
            )
            yield Remark("key-unknown", at, message, "name it under api_keys of a plan", _KEYS)
        if sends and needs and not any(needs):
            message = "its keys are not asked for: no route it calls needs one"
            hint = "write api_key_required: true on the routes, or take the key out"
            yield Remark("key-not-needed", at, message, hint, _KEYS)
        if any(needs) and not sends:
            message = "it has no API key, and routes that need one refuse it"
            yield Remark("key-missing", at, message, "write api_key: NAME", _KEYS)
    yield from _opening_nothing(scenario)
    for name, plan in plans.items():
        at = ("usage_plans", name)
        for api_name, routes in plan.apis.items():
            api = scenario.apis.get(api_name)
            if api is None or api.type == "http":
                continue
            hint = "write api_key_required: true on the route, or throttle it there"
            unasked = [key for key in routes if not api.routes[key].api_key_required]
            for key in unasked:
                message = f"{api_name} {key} needs no API key, so its throttle here limits nobody"
                yield Remark("throttle-without-key", at, message, hint, _KEYS)
            if not any(route.api_key_required for route in api.routes.values()):
                message = f"no route of {api_name} needs an API key"
                yield Remark("plan-without-key", at, message, hint, _KEYS)
    yield from _beyond_quotas(scenario)


def _opening_nothing(scenario: Scenario) -> Iterator[Remark]:
    """Plans without a stage, and keys whose plans open none of the stages they are used on."""
    plans = scenario.usage_plans
    held = {plan for one in scenario.populations.values() for plan in one.plans or {}}
    for name, plan in plans.items():
        if not plan.api_stages and (plan.api_keys or name in held):
            message = (
                "it opens no stage (api_stages), so where a key is needed its keys are refused"
            )
            hint = "write api_stages: {API/STAGE: {}}"
            yield Remark("plan-without-stage", ("usage_plans", name), message, hint, _PLANS)
    for name, source in scenario.traffic.items():
        mine = [plan for plan in plans.values() if source.api_key in plan.api_keys]
        opened = {api for plan in mine for api in plan.apis}
        asked = [
            api_name
            for api_name, api in scenario.apis.items()
            if any(
                called is api and api.routes[key].api_key_required
                for called, key in called_routes(scenario, source)
            )
        ]
        if opened:  # else it was said of the plan, or that no plan has the key
            for api_name in (one for one in asked if one not in opened):
                message = (
                    f"no plan of the key {source.api_key} opens the stage of {api_name}, so where "
                    "it needs a key the calls are refused"
                )
                hint = f"add {api_name} to api_stages of one of its plans"
                yield Remark("key-of-another-stage", ("traffic", name), message, hint, _PLANS)


def _beyond_quotas(scenario: Scenario) -> Iterator[Remark]:
    """What an account may only have after AWS has raised its quotas."""
    plans = scenario.usage_plans
    code, at, hint = "beyond-quota", ("usage_plans",), "apisim limits says what to ask for"
    if len(plans) > _MAX_PLANS:
        message = f"an account has {_MAX_PLANS} of them at most unless AWS allows more"
        yield Remark(code, at, message, hint, _QUOTAS)
    named = [key for plan in plans.values() for key in plan.api_keys]
    for key in dict.fromkeys(named):
        if named.count(key) > _MAX_PLANS_OF_A_KEY:
            message = f"the key {key} is in more than {_MAX_PLANS_OF_A_KEY} plans"
            yield Remark(code, at, message, hint, _QUOTAS)
    n_keys = len(set(named) | set(scenario.api_keys)) + sum(
        population.count for population in scenario.populations.values() if population.key_each
    )
    if n_keys > _MAX_KEYS:
        message = (
            f"{n_keys:,} API keys: an account has {_MAX_KEYS:,} at most unless AWS allows more"
        )
        yield Remark(code, (), message, hint, _QUOTAS)
