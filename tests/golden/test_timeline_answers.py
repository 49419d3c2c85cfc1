"""What the scenario of an outage answers: each number as a run prints it, and by another way."""

import math

import pytest

from apisim.gateway.status import Answer
from tests.support.shipped import OUTAGE, dollars, percent, result, says

LIMITED = ("endpoints.warehouse.queue_limit=100",)
FAILING = ("timeline.0.set={endpoints.warehouse.errors: 100%}",)


def failed(phase: str | None, *overrides: str) -> float:
    """Share of the requests that were not served."""
    tags = {} if phase is None else {"phase": phase}
    tally = result(OUTAGE, *overrides).measurements.select(**tags)
    return 1 - int(tally.by_answer[Answer.SERVED]) / tally.requests


def test_the_minute_and_what_comes_after_it() -> None:
    found = result(OUTAGE)
    waiting = found.endpoints["warehouse"].max_waiting
    says(
        OUTAGE,
        f"the outage {percent(failed('outage'))} of the requests fail",
        f"{waiting:,} requests wait",
        f"{percent(failed('after'))} of the requests after",
        f"{percent(failed(None))} of all requests fail",
        f"The bill is {dollars(found)}",
    )
    route = found.measurements.select(route="GET /search")
    assert int(route.by_answer[Answer.SERVED]) == route.requests


def test_the_queue_is_gone_when_a_fluid_would_be() -> None:
    """What waits beyond 5 s of work flows off at the rate that arrivals leave over."""
    found = result(OUTAGE)
    waiting = found.endpoints["warehouse"].max_waiting
    # A log-normal law with p50 40 ms and p99 160 ms.
    mean_s = 0.04 * math.exp((math.log(4) / 2.3263478740408408) ** 2 / 2)
    served_rps, arriving_rps = 16 / mean_s, 0.7 * 300
    drained_s = (waiting - 5 * served_rps) / (served_rps - arriving_rps)
    lost = found.measurements.select(phase="after")
    lasted_s = int(lost.by_answer[Answer.TIMEOUT]) / arriving_rps
    assert lasted_s == pytest.approx(drained_s, rel=0.03)
    says(OUTAGE, f"They do {served_rps:.0f}/s while {arriving_rps:.0f}/s", f"{lasted_s:.0f} s more")


@pytest.mark.parametrize("overrides", [LIMITED, FAILING], ids=["queue", "errors"])
def test_without_the_queue_it_is_over_with_the_minute(overrides: tuple[str, ...]) -> None:
    assert failed("after", *overrides) < 5e-4
    assert percent(failed("after", *LIMITED)) == "0.0 %"
    assert percent(failed("after", *FAILING)) == "0.0 %"
    share = percent(failed(None, *overrides))
    says(OUTAGE, "nobody fails after the minute (0.0 %)", f"{share} fail in all", f"{share}. It is")
