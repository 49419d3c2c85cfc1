"""Time-outs above 29 s of REST APIs' integrations, which cost an account rate."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from apisim.scenario.formats import format_duration
from apisim.scenario.regions import UNRAISED_TIMEOUT_NS, account_throttle
from apisim.scenario.scenario import Scenario
from apisim.scenario.units import UnitError, parse_duration

__all__ = ["longest_timeout", "notes_on_later_timeouts", "notes_on_raised_timeouts"]

_NOTHING: Final[Mapping[str, Any]] = {}


def _below(data: Any, key: str) -> Mapping[str, Any]:
    found = data.get(key, _NOTHING) if isinstance(data, Mapping) else _NOTHING
    return found if isinstance(found, Mapping) else _NOTHING


def _timeouts(data: Mapping[str, Any]) -> Iterator[Any]:
    """As written, of integrations of REST APIs."""
    for api in _below(data, "apis").values():
        if isinstance(api, Mapping) and api.get("type") == "rest":
            for route in _below(api, "routes").values():
                integration = _below(route, "integration")
                # What is streamed may take 15 minutes without asking for it.
                is_streamed = integration.get("response_transfer_mode") == "stream"
                if "timeout" in integration and not is_streamed:
                    yield integration["timeout"]


def longest_timeout(data: Mapping[str, Any]) -> int:
    """Longest time-out that costs rate [ns]; 0 if none does.

    Parameters
    ----------
    data : mapping
        Plain data of a scenario with its profile's settings, not yet validated; what cannot be
        read is left out.
    """
    longest = 0
    if _below(data, "settings").get("raised_timeout_rate") == "same":
        return longest
    for written in _timeouts(data):
        try:
            longest = max(longest, parse_duration(written))
        except UnitError:
            continue  # reported where it is validated
    return longest


def notes_on_raised_timeouts(scenario: Scenario) -> list[str]:
    """That the account's rate is lower than its region's default."""
    of_region = account_throttle(scenario.region)["rate_limit"]
    rate = scenario.account.throttle.rate_limit
    if _is_written(scenario) or rate == of_region:
        return []
    longest = max(
        route.integration.timeout
        for api in scenario.apis.values()
        for route in api.routes.values()
        if api.type == "rest" and not route.integration.is_streamed
    )
    return [
        f"account.throttle: {rate} requests/s in place of {of_region}, since an integration waits "
        f"up to {format_duration(longest)} and AWS may lower the rate for more than "
        f"{format_duration(UNRAISED_TIMEOUT_NS)}; write account.throttle.rate_limit if it did not"
    ]


def notes_on_later_timeouts(scenario: Scenario) -> list[str]:
    """That the timeline changes the account's rate by changing time-outs."""
    notes, before = [], scenario
    for state in scenario.states:
        now = state.scenario
        rate, was = (one.account.throttle.rate_limit for one in (now, before))
        if rate != was and not _is_written(now) and not _is_written(before):
            notes.append(
                f"timeline: from {format_duration(state.at_ns)} on account.throttle is {rate} "
                f"requests/s in place of {was}, as the longest time-out of integrations leaves "
                "it; write account.throttle.rate_limit if it is not"
            )
        before = now
    return notes


def _is_written(scenario: Scenario) -> bool:
    """Whether the scenario says itself what the account's rate is."""
    return "rate_limit" in _below(_below(scenario._origin.data, "account"), "throttle")
