"""What the scenario about retries says it answers."""

from typing import Final

import apisim
from apisim.results.groups import GroupStats
from apisim.results.wording import rate_text, share_text
from tests.support.shipped import RETRIES, dollars, result, says

RETRY: Final = "traffic.shop.client.retries"
QUEUE: Final = "endpoints.order-service.queue_limit=30"
THROTTLE: Final = "apis.orders.routes.POST /orders.throttle={rate_limit: 350, burst_limit: 50}"


def phase(found: apisim.Result, name: str) -> GroupStats:
    return next(row for row in found.phases if row.labels["phase"] == name)


def test_the_answer_of_retry_storm() -> None:
    storm, none = result(RETRIES), result(RETRIES, f"{RETRY}.max=0")
    sdk, short = result(RETRIES, f"{RETRY}.mode=standard"), result(RETRIES, QUEUE)
    throttled = result(RETRIES, THROTTLE)
    after = phase(storm, "after")
    good = {
        name: share_text(phase(found, "after").availability)
        for name, found in (("none", none), ("sdk", sdk), ("short", short), ("limit", throttled))
    }
    in_rush = [share_text(phase(found, "rush").availability) for found in (short, throttled)]
    says(
        RETRIES,
        f"after the rush {after.succeeded} of {after.calls:,} calls succeed",
        f"({dollars(storm)} in place of {dollars(none)} without retries)",
        f"get their {rate_text(phase(storm, 'again').goodput_rps)} again",
        f"drains by itself, and {good['none']} succeed",
        f"as well, {good['sdk']}: its 500 tokens",
        f"and {sum(row.out_of_tokens for row in sdk.phases):,} calls are not tried again",
        f"queue of 30 {good['short']} succeed after the rush, and {in_rush[0]} in it",
        f"350/s {good['limit']} and {in_rush[1]}",
        f"cheaper ({dollars(throttled)} in place of {dollars(short)})",
    )
    assert after.attempts == 4 * after.calls
    assert phase(storm, "again").availability == 1
    for change in ("max=1", "backoff=none"):
        assert phase(result(RETRIES, f"{RETRY}.{change}"), "after").succeeded == 0
