"""What the scenarios of usage plans and of shared accounts say they answer, and by another way."""

import math
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from scipy import stats

import apisim
from apisim.results.customers import CustomerStats
from tests.support.shipped import NOISY, TIERS, by_level, percent, result, says

START: Final = datetime(2026, 6, 1, tzinfo=UTC)
FAST: Final = ("traffic.free-2.phases.0.rate=15", "traffic.premium-2.phases.0.rate=150")
SHARED: Final = ("functions.export.reserved_concurrency=300",)
OWN_LIMIT: Final = ("apis.exports.stage.throttle={rate_limit: 300, burst_limit: 300}",)


def _by_key(found: apisim.Result) -> dict[str, CustomerStats]:
    return {stats.key: stats for stats in found.customers.rows()}


def test_a_key_that_asks_for_its_quota_on_average_loses_what_theory_says() -> None:
    free = _by_key(result(TIERS))["free-tier-key-2"]
    usage = result(TIERS).frame("usage")
    of_key = usage[usage["key"] == "free-tier-key-2"]
    days = len(of_key)
    assert days == 33
    law = stats.poisson(10_000)
    # E (N - q)+ = q (P(N >= q) - P(N > q)) at mean q; oracles: 39.894 a day.
    expected = 10_000 * law.pmf(10_000)
    assert expected == pytest.approx(39.894, abs=1e-3)
    spread = math.sqrt(10_000 * (0.5 - 1 / (2 * math.pi)) * days)
    assert abs(free.quota_refused - days * expected) < 4 * spread
    used_up = int((of_key["remaining"] == 0).sum())
    assert abs(used_up - days * law.sf(9_999)) < 4 * math.sqrt(days / 4)
    assert of_key["used"].sum() == free.served
    assert (of_key["used"] + of_key["remaining"] == 10_000).all()
    says(
        TIERS,
        f"is refused {free.quota_refused:,} of {free.offered:,} requests",
        f"{round(free.quota_refused / days)} a day",
        f"at the end of {used_up} of the 33 days (by theory {expected:.1f} a day",
    )


def test_a_month_ends_where_the_calendar_says() -> None:
    found = result(TIERS)
    greedy = _by_key(found)["premium-key-2"]
    usage = found.frame("usage")
    of_key = usage[usage["key"] == "premium-key-2"].set_index("date")
    assert of_key["used"][:"2026-06-30"].sum() == 1_000_000
    assert of_key["remaining"]["2026-06-12":"2026-06-30"].eq(0).all()
    in_july = of_key["used"]["2026-07-01":]
    assert len(in_july) == 3
    assert in_july.min() > 80_000
    assert greedy.quota_exhausted_at_s is not None
    # The millionth arrival of a Poisson process of 1/s.
    assert abs(greedy.quota_exhausted_at_s - 1_000_000) < 4 * 1_000
    gone = START + timedelta(seconds=greedy.quota_exhausted_at_s)
    says(
        TIERS,
        f"is gone on {gone:%d June at %H:%M}",
        f"its other {greedy.quota_refused:,} requests of June are refused",
    )
    assert _by_key(found)["free-tier-key-1"].quota_refused == 0
    assert by_level(found.measurements.select()) == {}


def test_at_full_speed_a_bucket_says_how_long_a_quota_lasts() -> None:
    found = apisim.run(result(TIERS).scenario, duration="3h", overrides=FAST)
    keys = _by_key(found)
    for key, quota, rate, burst in (
        ("free-tier-key-2", 10_000, 10, 20),
        ("premium-key-2", 1_000_000, 100, 200),
    ):
        # A bucket that is always empty has let by its burst and rate * t.
        lasts_s = (quota - burst) / rate
        at_s = keys[key].quota_exhausted_at_s
        assert at_s is not None
        assert lasts_s <= at_s < lasts_s + 20 / rate
        in_time = keys[key].throttled / (keys[key].throttled + quota)
        assert abs(in_time - 1 / 3) < 0.01
        assert keys[key].served == quota
        minutes, seconds = divmod(round(at_s), 60)
        hours, minutes = divmod(minutes, 60)
        written = f"{hours} h {minutes} min {seconds} s" if hours else f"{minutes} min {seconds} s"
        says(TIERS, f"{written} (", f"= {lasts_s:,.0f} s")


def test_the_shop_pays_for_the_exports_until_they_have_a_limit_of_their_own() -> None:
    noisy, reserved, limited = (result(NOISY, *change) for change in ((), SHARED, OWN_LIMIT))
    shop = noisy.measurements.select(api="shop", phase="noise")
    lost = shop.with_outcome("throttled") / shop.requests
    # What 3,500/s ask of 2,500/s in a minute, less the burst.
    fluid = (3_500 * 60 - 2_500 * 60 - 1_250) / (3_500 * 60)
    assert abs(lost - fluid) < 0.006
    assert by_level(shop).keys() == {"account"}
    exports = noisy.measurements.select(api="exports", phase="noise")
    without = shop.status_class(5) / shop.requests
    says(
        NOISY,
        f"{percent(lost)} of its requests to 429",
        f"the exports lose {percent(exports.with_outcome('throttled') / exports.requests)}",
        f"another {percent(without)} to 500",
    )
    assert noisy.functions["export"].max_concurrency == 1_000
    assert noisy.customers.summary()["throttled_customers"] == 500
    shop = reserved.measurements.select(api="shop", phase="noise")
    assert shop.status_class(5) == 0
    says(NOISY, f"what they were: {percent(shop.with_outcome('throttled') / shop.requests)}.")
    shop = limited.measurements.select(api="shop")
    assert shop.failed == 0
    exports = limited.measurements.select(api="exports", phase="noise")
    says(
        NOISY,
        f"at most {limited.functions['export'].max_concurrency} at a time",
        f"{percent(exports.with_outcome('throttled') / exports.requests)} refused: theirs",
    )
    for calm in ("calm", "after"):
        assert noisy.measurements.select(phase=calm).failed == 0
