"""From windows of a run to a month."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.pricing import (
    ApiUsage,
    CacheUsage,
    FunctionUsage,
    SettingError,
    Usage,
    Window,
    bill_of_month,
    bill_of_run,
    leave_one_out,
    load_book,
)
from apisim.pricing.project import month_quantities
from apisim.pricing.windows import month_hours, weighted_hours
from apisim.scenario.pricing import Represents

BOOK = load_book("aws-us-east-1")
REST = "apigateway.rest.requests"
HOUR_NS = 3_600_000_000_000
NOVEMBER = datetime(2026, 11, 2, tzinfo=UTC)


STEADY = Represents("steady")


@dataclass(frozen=True)
class Settings:
    free_tier: str = "none"
    month_to_date: dict[str, Decimal] = field(default_factory=dict)
    represents: Any = STEADY
    hours: Any = 730


def calls(requests: int, **parts: Any) -> Usage:
    return Usage(apis=(ApiUsage(name="shop", requests_charged=requests),), **parts)


def window(
    requests: int, *, hours: Fraction | int = 1, times: Any = None, name: str = "steady"
) -> Window:
    return Window(
        name=name,
        duration_ns=int(hours * HOUR_NS),
        usage=calls(requests),
        events_per_month=times,
    )


def month_of(*windows: Window, represents: Any = STEADY, hours: Any = 730) -> Fraction:
    quantities = month_quantities(
        [windows], BOOK, represents=represents, hours=hours, start=NOVEMBER
    )
    return quantities.get(REST, Fraction(0))


# hours


@pytest.mark.parametrize(
    ("hours", "start", "expected"),
    [
        (730, NOVEMBER, 730),
        (720, NOVEMBER, 720),
        ("calendar", NOVEMBER, 720),
        ("calendar", datetime(2026, 12, 31, 23, tzinfo=UTC), 744),
        ("calendar", datetime(2026, 2, 1, tzinfo=UTC), 672),
        ("calendar", datetime(2028, 2, 1, tzinfo=UTC), 696),
        # Still January where it begins, already February in UTC.
        ("calendar", datetime(2026, 1, 31, 23, tzinfo=timezone(timedelta(hours=-5))), 672),
        ("calendar", datetime(2026, 2, 1), 672),  # noqa: DTZ001 - a bare time is UTC
    ],
)
def test_hours_of_a_month(hours: Any, start: datetime, expected: int) -> None:
    assert month_hours(hours, start) == expected


# what a window stands for


def test_a_steady_window_fills_the_month() -> None:
    assert month_of(window(3_600)) == 3_600 * 730
    assert month_of(window(3_600, hours=Fraction(1, 2))) == 3_600 * 730 * 2
    assert month_of(window(3_600), hours="calendar") == 3_600 * 720


def test_several_steady_windows_are_one_longer_window() -> None:
    assert month_of(window(10, hours=1), window(50, hours=2)) == 60 * 730 / Fraction(3)


def test_a_weight_of_one_is_the_traffic_as_simulated() -> None:
    assert month_of(window(7), represents=Represents("day", [1] * 24)) == month_of(window(7))
    assert month_of(window(7), represents=Represents("week", [1] * 168)) == month_of(window(7))


def test_a_days_weights_scale_its_hours() -> None:
    office_hours = [0] * 8 + [1] * 8 + [Fraction(1, 2)] * 8
    assert month_of(window(24), represents=Represents("day", office_hours)) == 730 * (8 + 4)


@given(
    st.lists(st.integers(0, 9), min_size=168, max_size=168),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 31)),  # noqa: DTZ001
)
def test_a_calendar_month_has_the_weekdays_it_has(weights: list[int], start: datetime) -> None:
    start = start.replace(tzinfo=UTC)
    first = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    hours = (first + timedelta(hours=n) for n in itertools.count())
    month = itertools.takewhile(lambda hour: hour.month == first.month, hours)
    by_hand = sum(weights[hour.weekday() * 24 + hour.hour] for hour in month)
    assert weighted_hours(Represents("week", weights), "calendar", start) == by_hand
    assert weighted_hours(Represents("week", weights), 720, start) == Fraction(
        720 * sum(weights), 168
    )


def test_a_weight_is_the_decimal_that_was_written() -> None:
    tenths = Represents("day", (0.1,) * 24)
    assert weighted_hours(tenths, 730, NOVEMBER) == 73


@pytest.mark.parametrize("kind", ["day", "week"])
@pytest.mark.parametrize("weights", [[1] * 23, [1] * 25, [1] * 167 + [-1], [1] * 23 + [-1]])
def test_what_is_no_day_or_week_is_refused(kind: str, weights: list[int]) -> None:
    with pytest.raises(SettingError, match="weights of at least 0") as caught:
        month_of(window(1), represents=Represents(kind, weights))
    assert caught.value.path == ("pricing", "represents", kind)


def test_a_month_is_refused_unless_the_scenario_says_what_a_window_stands_for() -> None:
    with pytest.raises(SettingError, match="what steady, spike stands for") as caught:
        month_of(window(1), window(2, name="spike"), represents=None)
    assert caught.value.path == ("pricing", "month")
    assert "events_per_month" in caught.value.hint


# counted phases


def test_a_counted_phase_happens_as_often_as_counted() -> None:
    assert month_of(window(100, times=20), represents=None) == 2_000


def test_the_rest_of_the_month_is_left_to_what_is_steady() -> None:
    spike = window(9_000, hours=Fraction(1, 2), times=20, name="spike")
    assert month_of(window(600), spike) == 600 * (730 - 10) + 9_000 * 20


def test_a_phase_that_never_happens_counts_for_nothing() -> None:
    assert month_of(window(600), window(10**9, times=0, name="spike")) == 600 * 730


def test_counted_phases_must_fit_into_the_month() -> None:
    with pytest.raises(SettingError, match="cannot hold the 731 h of spike"):
        month_of(window(1, times=731, name="spike"), represents=None)


@pytest.mark.parametrize("wrong", [{"duration_ns": 0}, {"events_per_month": -1}])
def test_a_window_lasts_and_does_not_happen_less_than_never(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="window w"):
        Window(**{"name": "w", "duration_ns": 1, "usage": Usage(), **wrong})


# bills


def with_cache(requests: int) -> Window:
    cache = CacheUsage(api="shop", stage="prod", size="237", provisioned_ns=12 * 60 * 10**9)
    function = FunctionUsage(name="f", memory_mb=1024, invocations=requests, billed_ms=requests)
    usage = calls(requests, caches=(cache,), functions=(function,))
    return Window(name="steady", duration_ns=12 * 60 * 10**9, usage=usage)


def test_a_cache_costs_the_months_hours_whatever_was_simulated() -> None:
    bill = bill_of_month(Settings(), [[with_cache(0)]], BOOK, start=NOVEMBER)
    assert bill.total == Decimal(2774)
    assert [line.meter.name for line in bill.lines] == ["apigateway.cache.237"]


def test_a_cache_seen_by_every_window_and_replication_is_one_cache() -> None:
    replications = [[with_cache(1), with_cache(3)], [with_cache(5), with_cache(7)]]
    bill = bill_of_month(Settings(hours=720), replications, BOOK, start=NOVEMBER)
    line = bill.line("apigateway.cache.237")
    assert line is not None
    assert line.quantity == 720
    mean_of_24_minutes = Fraction(1 + 3 + 5 + 7, 2)
    requests = bill.line("lambda.requests")
    assert requests is not None
    assert requests.quantity == mean_of_24_minutes * 720 * 60 / 24


def test_usage_is_scaled_before_tiers_and_free_tier_are_applied_once() -> None:
    settings = Settings(free_tier="legacy-12-month", month_to_date={REST: Decimal(500_000)})
    bill = bill_of_month(settings, [[window(1_000_000)]], BOOK, start=NOVEMBER)
    first_tier = Decimal("3.5") * Decimal(332)
    second_tier = Decimal("2.8") * (Decimal("730.5") - 333)
    assert bill.total == first_tier + second_tier


def test_a_month_says_how_it_was_made() -> None:
    spike = window(1, hours=Fraction(1, 2), times=20, name="spike")
    bill = bill_of_month(
        Settings(represents=Represents("day", [1] * 12 + [0] * 12)),
        [[window(1), spike]],
        BOOK,
        start=NOVEMBER,
    )
    assert bill.notes == (
        "spike: 20 times a month, as counted",
        "steady: 1 h simulated, taken for 360 h of such traffic in a month of 730 h",
    )


def test_a_run_costs_what_it_used() -> None:
    cache = CacheUsage(api="shop", stage="prod", size="1.6", provisioned_ns=HOUR_NS)
    bill = bill_of_run(
        Settings(month_to_date={REST: Decimal(333_000_000)}),
        calls(10, caches=(cache,)) + Usage(apis=(ApiUsage(name="in", endpoint="private"),)),
        BOOK,
        today=date(2030, 1, 1),
    )
    assert bill.total == Decimal("0.000028") + Decimal("0.038")
    assert "days before" in bill.notes[0]
    assert "private API in" in bill.notes[1]


def test_leaving_out_each_replication_brackets_the_month() -> None:
    replications = [[window(requests)] for requests in (10, 20, 60)]
    totals = leave_one_out(Settings(), replications, BOOK, start=NOVEMBER)
    price = Decimal("0.0000035")
    assert totals == (40 * 730 * price, 35 * 730 * price, 15 * 730 * price)
    whole = bill_of_month(Settings(), replications, BOOK, start=NOVEMBER)
    assert sum(totals) / 3 == whole.total
    with pytest.raises(ValueError, match="at least 2"):
        leave_one_out(Settings(), replications[:1], BOOK, start=NOVEMBER)
