"""Quotas against Poisson arithmetic, and plans in front of the account's bucket."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from apisim.gateway.status import Answer
from tests.support.experiments import MOCK, Data, answered, means, prepare, rows_of, run, scenario
from tests.support.verdicts import assert_matches, assert_sees

pytestmark = pytest.mark.oracle

R, DAYS = 20, 30
QUOTA = 10_000


def metered(plan: Data, rate: str, days: int, **more: object) -> Data:
    """One key in one plan that asks steadily."""
    api = {"type": "rest", "routes": {"GET /": {**MOCK, "api_key_required": True}}}
    plans = {"plan": {**plan, "api_keys": ["key"], "api_stages": {"api": {}}}}
    phases = [{"name": "load", "duration": f"{days}d", "rate": rate}]
    traffic = {"open": {"api_key": "key", "phases": phases, "mix": {"GET /": 1}}}
    return scenario(apis={"api": api}, usage_plans=plans, traffic=traffic, **more)


def excess(mean: float) -> float:
    """E (N - quota)+ for a Poisson number N."""
    law = stats.poisson(mean)
    return mean * law.sf(QUOTA - 1) - QUOTA * law.sf(QUOTA)


@pytest.mark.parametrize(("mean", "refused"), [(10_000, 39.894), (9_900, 8.251)])
def test_a_daily_quota_refuses_the_excess_of_a_poisson_number(mean: int, refused: float) -> None:
    """Oracle 5.8; a rate or a quota that is 1 % wrong is seen. False alarm: 8e-4."""
    assert excess(mean) == pytest.approx(refused, abs=5e-4)
    plan = {"quota": {"limit": QUOTA, "period": "day"}}
    program = prepare(metered(plan, f"{mean}/d", DAYS, seed=mean))
    a_day = means(program, R, lambda done: answered(done, Answer.QUOTA_EXCEEDED) / DAYS)
    assert_matches(a_day, refused)
    assert_sees(a_day, excess(mean * 1.01), excess(mean / 1.01))


def test_a_run_that_starts_at_noon_has_half_a_day_before_its_first_midnight() -> None:
    """Ten and a half days with 6,000/12 h each: only whole days exceed a quota of 10,000."""
    plan = {"quota": {"limit": QUOTA, "period": "day"}}
    data = metered(plan, "12000/d", 10, start="2026-06-01T12:00:00Z", seed=5)
    done = run(prepare(data))
    days = done.plan_days[0]
    used = {int(row["day"]): int(row["used"]) for row in days if row["day"] >= 0}
    first = min(used)
    assert sorted(used) == list(range(first, first + 11))
    assert [used[day] for day in range(first + 1, first + 10)] == [QUOTA] * 9
    assert abs(used[first] - 6_000) < 4 * np.sqrt(6_000)
    assert abs(used[first + 10] - 6_000) < 4 * np.sqrt(6_000)
    # Refused in nine days: Poisson(12,000) - 10,000 each.
    refused = answered(done, Answer.QUOTA_EXCEEDED)
    assert abs(refused - 9 * 2_000) < 4 * np.sqrt(9 * 12_000)


def _first_day(period: str, day: date) -> date:
    """The day on which the period of ``day`` began; weeks begin on Sunday here."""
    if period == "week":
        return day - timedelta((day.weekday() + 1) % 7)
    return day.replace(day=1) if period == "month" else day


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_a_year_of_periods_is_the_calendars(period: str) -> None:
    """A leap year from a Thursday noon on: each period serves its limit, or what was asked of it.

    The limit is what a period brings on average, so that about half of them reach it.
    """
    start = datetime(2023, 11, 30, 12, tzinfo=UTC)
    limit = {"day": 40, "week": 280, "month": 1_220}[period]
    plan = {"quota": {"limit": limit, "period": period, "offset": limit // 3}}
    program = prepare(
        metered(
            plan,
            "40/d",
            366,
            seed=3,
            start="2023-11-30T12:00:00Z",
            settings={"quota_week_start": "sunday"},
        )
    )
    _, rows = rows_of(program)
    offered: Counter[date] = Counter()
    served: Counter[date] = Counter()
    for at_ns, answer in zip(rows["arrival_ns"].tolist(), rows["answer"].tolist(), strict=True):
        moment = start + timedelta(microseconds=at_ns // 1000)
        began = _first_day(period, moment.date())
        offered[began] += 1
        served[began] += answer == Answer.SERVED
    first = _first_day(period, start.date())
    for began, asked in offered.items():
        allowed = limit - (limit // 3 if began == first else 0)
        assert served[began] == min(asked, allowed), began
    full = sum(served[began] < asked for began, asked in offered.items())
    assert 0.2 < full / len(offered) < 0.8


@pytest.mark.parametrize("seed", [1, 2])
def test_what_a_key_is_refused_takes_nothing_from_the_account(seed: int) -> None:
    """Oracle 5.5 by keys: 5,000/s of a key limited to 100/s, 950/s of another, the account 1,000/s.

    The first gets its 100, the other 950 * 1000 / 1050 = 904.8 by fluid reasoning; were refused
    requests charged to the account, 160. Bounds, as the fluid figure is an approximation.
    """
    api = {"type": "rest", "routes": {"GET /": {**MOCK, "api_key_required": True}}}
    limit = {"rate_limit": "100/s", "burst_limit": 100}
    plans = {
        "small": {"throttle": limit, "api_keys": ["a"], "api_stages": {"api": {}}},
        "open": {"api_keys": ["b"], "api_stages": {"api": {}}},
    }
    traffic = {
        key: {
            "api_key": key,
            "phases": [{"name": "load", "duration": "50s", "rate": rate}],
            "mix": {"GET /": 1},
        }
        for key, rate in (("a", "5000/s"), ("b", "950/s"))
    }
    account = {"throttle": {"rate_limit": "1000/s", "burst_limit": 1000}}
    program = prepare(
        scenario(
            apis={"api": api},
            usage_plans=plans,
            traffic=traffic,
            account=account,
            warm_up="30s",
            seed=seed,
        )
    )
    served = np.zeros(2)
    throttled = np.zeros(2)
    for number in range(5):
        counts = run(program, number).recorder.customers
        served += counts["served"] / (5 * 20)
        throttled += counts["throttled"] / (5 * 20)
    assert program.names.customers == ("a", "b")
    assert 97 < served[0] < 101
    assert 890 < served[1] < 912
    assert abs(throttled[0] - 4_900) < 30
