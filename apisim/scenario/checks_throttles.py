"""Throttle limits against ``settings.sloppiness``, which divides them."""

from collections.abc import Iterator

from apisim.scenario.api import Throttle
from apisim.scenario.problems import Path
from apisim.scenario.scenario import Scenario
from apisim.scenario.validation import Validation

__all__ = ["check_divided_bursts"]


def _throttles(scenario: Scenario) -> Iterator[tuple[Path, Throttle | None]]:
    yield ("account", "throttle"), scenario.account.throttle
    for name, api in scenario.apis.items():
        yield ("apis", name, "stage", "throttle"), api.stage.throttle
        for key, route in api.routes.items():
            yield ("apis", name, "routes", key, "throttle"), route.throttle
    for name, plan in scenario.usage_plans.items():
        yield ("usage_plans", name, "throttle"), plan.throttle
        for stage, overrides in plan.api_stages.items():
            for key, throttle in overrides.items():
                yield ("usage_plans", name, "api_stages", stage, key), throttle


def check_divided_bursts(scenario: Scenario, outcome: Validation) -> None:
    """A part without capacity refuses all it meets, which is no small error of a limit."""
    n_parts = scenario.settings.sloppiness
    for at, throttle in _throttles(scenario):
        if throttle is not None and 0 < throttle.burst_limit < n_parts:
            message = (
                f"a burst of {throttle.burst_limit} cannot be divided into the {n_parts} parts of "
                "settings.sloppiness: some would admit nothing"
            )
            hint = f"write {n_parts} or more, 0 to refuse everything, or a smaller sloppiness"
            because: tuple[Path, ...] = (("settings", "sloppiness"),)
            outcome.add((*at, "burst_limit"), message, hint, because=because)
