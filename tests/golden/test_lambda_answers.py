"""What the scenario of Lambda's walls says it answers, as runs print it and by formulae."""

import math

import pytest

import apisim
from apisim.gateway.status import Answer
from tests.support.queues import erlang_b
from tests.support.shipped import WALL, percent, result, says


def share_refused(found: apisim.Result, phase: str) -> float:
    tally = found.measurements.select(phase=phase)
    return float(tally.by_answer[Answer.FUNCTION_THROTTLED] / tally.requests)


def gigabyte_seconds(found: apisim.Result, memory_gb: float) -> float:
    """Of one search."""
    stats = found.functions["search"]
    return stats.billed_ms / 1e3 * memory_gb / stats.invocations


def test_the_answer_of_lambda_concurrency_wall() -> None:
    plain, larger = result(WALL), result(WALL, "functions.search.memory=1024MB")
    warm = result(WALL, "functions.search.provisioned_concurrency=200")
    raised = result(WALL, "account.lambda_concurrency=700")
    mean = 0.180 * math.exp((math.log(600 / 180) / 2.32635) ** 2 / 2)
    blocked = erlang_b(300, 2_000 * mean)
    search, status = plain.functions["search"], plain.functions["status"]
    rush = larger.measurements.select(phase="rush")
    outage = plain.measurements.select(phase="outage")
    dearer = gigabyte_seconds(larger, 1) / gigabyte_seconds(plain, 0.5) - 1
    says(
        WALL,
        f"A search takes {1e3 * mean:.0f} ms",
        f"serve {300 / mean:,.0f}/s",
        f"{percent(share_refused(plain, 'rush'))} get a 500",
        f"loss formula says {percent(blocked)}",
        f"With 1,024 MB a search takes {1e3 * mean * 0.55:.0f} ms",
        f"{rush.by_answer[Answer.FUNCTION_THROTTLED]} of {rush.requests:,} are refused",
        f"costs {dearer:.0%} more GB-seconds".replace("%", " %"),
        f"{warm.functions['search'].cold_starts} of the {search.cold_starts} cold starts are left",
        f"the rush loses {percent(share_refused(warm, 'rush'))} all the same",
        f"keep {6_000 * 0.010:.0f} environments busy",
        f"{status.rate_throttles:,} of {outage.requests:,} are refused for that",
        f"so are {search.rate_throttles:,} searches",
        f"{raised.requests.by_outcome['backend_throttled']} requests are refused",
    )
    searches = 500 - search.rate_throttles / 30
    watched = outage.by_answer[Answer.SERVED] / 30
    says(WALL, f"while {searches * mean + watched * 0.010:.0f} of the 300 places are taken")
    assert share_refused(plain, "rush") == pytest.approx(blocked, rel=0.03)
    # Both sources together make 6,500/s for 30 s; the bucket starts with a second's worth.
    assert status.rate_throttles + search.rate_throttles == pytest.approx(
        30 * (6_500 - 4_000) - 4_000, rel=0.02
    )
