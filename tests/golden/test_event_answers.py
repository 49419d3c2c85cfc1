"""What the scenario about asynchronous calls says it answers, and the same by another way."""

from typing import Final

import pytest

import apisim
from tests.support.shipped import FORGET, dollars, percent, result, says

_INTEGRATION: Final = "apis.shop.routes.POST /orders.integration"
EVENT: Final = f"{_INTEGRATION}.invocation=event"
ERRORS: Final = "functions.make-invoice.errors=2%"
TEMPLATE: Final = f"{_INTEGRATION}.transformation={{request_time: 5ms}}"
#: The orders have come [s].
_TRAFFIC_S: Final = 180
_RUSH_END_S: Final = 120


def last_run_s(found: apisim.Result) -> float:
    """When the last invoice was made: what was worked, over how much of it at a time."""
    stats = found.functions["make-invoice"]
    return stats.billed_ms / 1_000 / stats.mean_concurrency


def test_the_answer_of_fire_and_forget() -> None:
    plain, event = result(FORGET), result(FORGET, EVENT)
    failing, mapped = result(FORGET, EVENT, ERRORS), result(FORGET, EVENT, TEMPLATE)
    rush = plain.measurements.select(phase="rush")
    refused = plain.requests.by_outcome["backend_throttled"]
    told, later = event.latency_ms.p50, mapped.latency_ms.p50
    stats, again = event.functions["make-invoice"], failing.functions["make-invoice"]
    says(
        FORGET,
        f"{percent(rush.with_outcome('backend_throttled') / rush.requests)} of the orders in the "
        f"rush get a 500, {refused:,} in all",
        f"All {stats.events:,} are told 202 after {told:.0f} ms",
        f"{stats.throttles:,} times in vain",
        f"the last one {last_run_s(event) - _RUSH_END_S:.0f} s after the rush",
        f"{again.event_retries} run again, and the last one is done "
        f"{last_run_s(failing) - _TRAFFIC_S:.0f} s after the last order",
        f"({later:.0f} ms)",
        f"{dollars(event)} in place of {dollars(plain)}",
    )
    assert event.requests.by_status == {202: stats.events}
    assert stats.invocations == stats.events
    assert stats.events_dropped == again.events_dropped == 0


@pytest.mark.oracle
def test_a_queue_without_pauses_would_be_empty_earlier() -> None:
    """A fluid of 150/s and then 40/s through what 100 instances make."""
    stats = result(FORGET, EVENT).functions["make-invoice"]
    served = 100 / (stats.billed_ms / 1_000 / stats.invocations)
    left = (150 - served) * 60
    empty_s = left / (served - 40)
    says(FORGET, f"a queue without pauses would be empty {empty_s:.0f} s after it")
    assert last_run_s(result(FORGET, EVENT)) - _RUSH_END_S > 1.5 * empty_s
