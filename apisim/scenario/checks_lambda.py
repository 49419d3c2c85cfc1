"""What functions set aside, against what the account has."""

from apisim.scenario.problems import Path
from apisim.scenario.scenario import Scenario
from apisim.scenario.validation import Validation

__all__ = ["check_concurrency"]


def check_concurrency(scenario: Scenario, outcome: Validation) -> None:
    """Reserves, provisions and what others use have room in the account; rates of others too."""
    _check_provisions(scenario, outcome)
    account = scenario.account
    limit, others = account.lambda_concurrency, account.background
    because: tuple[Path, ...] = (("account", "lambda_concurrency"),)
    setting_aside = {n: f for n, f in scenario.functions.items() if f.concurrency_set_aside}
    set_aside = sum(function.concurrency_set_aside for function in setting_aside.values())
    if set_aside > limit:
        last = list(setting_aside)[-1]
        is_reserve = setting_aside[last].reserved_concurrency is not None
        place: Path = ("functions", last, "reserved_concurrency")
        if not is_reserve:
            place = ("functions", last, "provisioned_concurrency")
        all_reserves = all(f.reserved_concurrency is not None for f in setting_aside.values())
        word = "reserved" if all_reserves else "reserved or provisioned"
        message = f"{set_aside} are {word}, the account has {limit}"
        outcome.add(
            place, message, "reserve less, or raise account.lambda_concurrency", because=because
        )
    elif others.lambda_concurrency > limit - set_aside:
        message = f"others use {others.lambda_concurrency}, the account has {limit}"
        if set_aside:
            message = f"{message}, of which {set_aside} are set aside"
        place = ("account", "background", "lambda_concurrency")
        outcome.add(
            place, message, "use less, or raise account.lambda_concurrency", because=because
        )
    rate = account.throttle.rate_limit
    if others.requests > rate:
        message = f"others make {float(others.requests):g}/s, the account has {float(rate):g}/s"
        outcome.add(
            ("account", "background", "requests"),
            message,
            "write less, or raise account.throttle.rate_limit",
            because=(("account", "throttle"),),
        )


def _check_provisions(scenario: Scenario, outcome: Validation) -> None:
    for name, function in scenario.functions.items():
        reserved, provisioned = function.reserved_concurrency, function.provisioned_concurrency
        if reserved is not None and provisioned > reserved:
            at: Path = ("functions", name)
            outcome.add(
                (*at, "provisioned_concurrency"),
                f"{provisioned} are provisioned, {reserved} are reserved",
                "provision at most the reserve",
                because=((*at, "reserved_concurrency"),),
            )
