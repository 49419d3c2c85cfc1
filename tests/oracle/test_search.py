"""Searches whose answers are known from theory: Erlang, M/D/1/K and Che."""

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from scipy.optimize import brentq

from apisim.scenario import ScenarioError, loads
from apisim.studies import search
from apisim.studies.bisect import bisect
from apisim.studies.conditions import Verdict, parse_conditions
from apisim.studies.points import Row

CONCURRENCY = "functions.f.reserved_concurrency"
BURST = "apis.shop.stage.throttle.burst_limit"
ENTRIES = "apis.shop.stage.cache_max_entries"


def scenario(route: dict[str, Any], rate: float, seconds: int, **parts: Any) -> Any:
    source = {"phases": [{"duration": f"{seconds}s", "rate": rate}], "mix": {"shop GET /{id}": 1}}
    if "values" in parts:
        source["values"] = parts.pop("values")
    stage = parts.pop("stage", {})
    data = {
        "apisim": 1, "profile": "ideal", "seed": 11, "replications": 10,
        "account": {"throttle": {"rate_limit": 1000000, "burst_limit": 1000000},
                    "lambda_concurrency": 20000},
        "apis": {"shop": {"type": "rest", "stage": stage, "routes": {"GET /{id}": route}}},
        "traffic": {"web": source}, **parts,
    }  # fmt: skip
    return loads(json.dumps(data))


def erlang_b(servers: int, load: float) -> float:
    blocking = 1.0
    for k in range(1, servers + 1):
        blocking = load * blocking / (k + load * blocking)
    return blocking


def m_d_1_k(rho: float, room: int) -> float:
    """Blocking of M/D/1/K by its embedded chain (oracle 5.3)."""
    a = [math.exp(-rho) * rho**k / math.factorial(k) for k in range(room + 1)]
    p = [1.0]
    for j in range(room - 1):
        arrivals = sum(p[i] * a[j - i + 1] for i in range(1, j + 1))
        p.append((p[j] - p[0] * a[j] - arrivals) / a[0])
    p0 = 1 / sum(p)
    return 1 - 1 / (p0 + rho)


def test_the_theory_is_that_of_the_oracles() -> None:
    assert erlang_b(25, 20) == pytest.approx(0.050222, abs=5e-7)
    assert m_d_1_k(0.95, 20) == pytest.approx(0.008069, abs=5e-7)


def test_the_least_concurrency_for_a_loss_of_4_5_percent_is_erlangs() -> None:
    """Load of 20 erlang: 26 environments lose less, 25 lose 5.02 %. A bracket one wide is exact.

    False alarm: an interval at 95 % lies on the wrong side of the limit in 2.5 % of cases.
    """
    least = next(c for c in range(1, 100) if erlang_b(c, 20) < 0.045)
    assert least == 26
    shop = scenario(
        {"integration": {"type": "lambda_proxy", "function": "f"}},
        rate=200, seconds=400, warm_up="20s",
        functions={"f": {"duration": {"exponential": "100ms"}, "init": "0ms", "memory": "128MB",
                         "timeout": "20s"}},
    )  # fmt: skip
    found = search(
        shop, [f"{CONCURRENCY}=1..64"], subject_to=["errors_5xx rate<4.5%"], minimize=CONCURRENCY
    )
    assert found.answer is not None
    assert found.infeasible is not None
    bracket = [int(one.settings[0][1]) for one in (found.infeasible, found.answer)]
    assert bracket[0] < least <= bracket[1]
    assert bracket[1] - bracket[0] <= 2
    assert found.is_confirmed
    assert found.is_monotone


def test_the_least_burst_for_one_percent_is_that_of_m_d_1_k() -> None:
    """Poisson arrivals at 95 % of the rate: P(18) = 1.01 %, P(19) = 0.90 %."""
    least = next(b for b in range(1, 60) if m_d_1_k(0.95, b) < 0.01)
    shop = scenario(
        {"integration": {"type": "mock"}}, rate=950, seconds=300, warm_up="1s",
        stage={"throttle": {"rate_limit": 1000, "burst_limit": 1}},
    )  # fmt: skip
    found = search(shop, [f"{BURST}=1..60"], subject_to=["throttled rate<1%"], minimize=BURST)
    assert found.answer is not None
    assert found.infeasible is not None
    bracket = [int(one.settings[0][1]) for one in (found.infeasible, found.answer)]
    assert bracket[0] < least <= bracket[1]
    assert bracket[1] - bracket[0] <= 2


def test_the_least_cache_for_a_hit_ratio_is_ches() -> None:
    """Zipf 1.2 over 10,000 keys: the characteristic time gives the capacity for 65 %."""
    weights = [k**-1.2 for k in range(1, 10_001)]
    total = sum(weights)
    p = [weight / total for weight in weights]

    def hit_ratio(capacity: int) -> float:
        t = brentq(lambda t: sum(1 - math.exp(-x * t) for x in p) - capacity, 1, 1e7)
        return sum(x * (1 - math.exp(-x * t)) for x in p)

    assert hit_ratio(100) == pytest.approx(0.656341, abs=2e-6)
    wanted = 0.65
    least = next(c for c in range(80, 120) if hit_ratio(c) > wanted)
    shop = scenario(
        {"integration": {"type": "mock"}, "cache": {"ttl": "3600s", "keys": ["path.id"]}},
        rate=2000, seconds=60, warm_up="5s", stage={"cache_max_entries": 10},
        values={"path.id": {"zipf": 1.2, "of": 10000}},
    )  # fmt: skip
    found = search(
        shop, [f"{ENTRIES}=10..400"], subject_to=["cache_hits rate>65%"], minimize=ENTRIES,
        delta="4",
    )  # fmt: skip
    assert found.answer is not None
    assert found.infeasible is not None
    # Che's approximation is within 1 % of LRU; the bracket within its width and that of noise.
    low, high = (int(one.settings[0][1]) for one in (found.infeasible, found.answer))
    assert low - 4 <= least <= high + 4
    assert high - low <= 12


def test_the_most_traffic_is_found_from_the_other_side() -> None:
    """Evenly spaced requests at a limit of 100 a second: 100 a second pass, 101 do not."""
    shop = scenario(
        {"integration": {"type": "mock"}}, rate=1, seconds=100,
        stage={"throttle": {"rate_limit": 100, "burst_limit": 1}},
    ).with_("traffic.web.arrivals=uniform", "replications=2")  # fmt: skip
    rate = "traffic.web.phases.0.rate"
    found = search(shop, [f"{rate}=10..400"], subject_to=["throttled count==0"], maximize=rate)
    assert found.answer is not None
    assert found.infeasible is not None
    assert dict(found.answer.settings) == {rate: "100"}
    assert dict(found.infeasible.settings) == {rate: "101"}


def test_what_cannot_be_met_is_infeasible() -> None:
    shop = scenario(
        {"integration": {"type": "mock"}}, rate=200, seconds=20,
        stage={"throttle": {"rate_limit": 100, "burst_limit": 1}},
    )  # fmt: skip
    found = search(shop, [f"{BURST}=1..60"], subject_to=["throttled rate<1%"], minimize=BURST)
    assert not found.is_feasible
    assert "infeasible: no setting in the range meets the conditions" in found.summary()


def test_the_cheapest_setting_that_meets_a_condition_is_found_on_a_grid() -> None:
    """A function whose duration is 64 GB-ms over its memory, at least 40 ms: pay by the grid."""
    shop = scenario(
        {"integration": {"type": "lambda_proxy", "function": "f"}}, rate=50, seconds=20,
        functions={"f": {"duration": "100ms", "init": "0ms", "memory": "128MB", "timeout": "20s"}},
    ).with_("replications=3")  # fmt: skip
    found = search(
        shop, ["functions.f.memory=256MB,512MB,1024MB", "functions.f.duration=30ms,60ms"],
        subject_to=["latency p(99)<50ms"], minimize="cost_run",
    )  # fmt: skip
    assert found.answer is not None
    assert dict(found.answer.settings) == {
        "functions.f.memory": "256MB", "functions.f.duration": "30ms",
    }  # fmt: skip
    assert len(found.tried) == 6
    assert found.is_confirmed


def test_a_grid_is_refined_around_the_best() -> None:
    """The cost falls with the memory, the condition does not care: the low end wins."""
    shop = scenario(
        {"integration": {"type": "lambda_proxy", "function": "f"}}, rate=50, seconds=5,
        functions={"f": {"duration": "20ms", "init": "0ms", "memory": "128MB", "timeout": "20s"}},
    ).with_("replications=2")  # fmt: skip
    found = search(shop, ["functions.f.memory=128MB..1128MB"], subject_to=[], minimize="cost_run")
    assert found.answer is not None
    assert dict(found.answer.settings) == {"functions.f.memory": "128MB"}
    assert len(found.tried) > 5


def rows(label: str, values: list[float], requests: float = 1000.0) -> list[Row]:
    return [
        Row(replication=at, digest="", values={label: value, "requests count": requests})
        for at, value in enumerate(values)
    ]


def test_few_events_have_exact_bounds() -> None:
    """Garwood's bounds for 3 events are 0.6187 and 8.7673; for none 3 is the upper."""
    (condition,) = parse_conditions(["throttled rate<1%"])
    verdict, interval = condition.judge(rows("throttled rate", [0.003, 0.0]))
    assert interval is not None
    assert (interval.low * 2000, interval.high * 2000) == pytest.approx((0.6187, 8.7673), abs=1e-4)
    assert verdict is Verdict.FEASIBLE
    _, interval = condition.judge(rows("throttled rate", [0.0] * 5))
    assert interval is not None
    assert interval.high * 5000 == pytest.approx(3)  # the rule of three


def test_a_condition_is_unclear_where_the_interval_reaches_over_its_limit() -> None:
    (condition,) = parse_conditions(["latency p(99)<300ms"])
    judged = [condition.judge(rows("latency p(99)", values))[0] for values in (
        [299, 301, 300], [200, 201, 199], [400, 401, 402], [float("nan"), 1, 2], [100],
    )]  # fmt: skip
    unclear, feasible, infeasible = Verdict.UNCLEAR, Verdict.FEASIBLE, Verdict.INFEASIBLE
    assert judged == [unclear, feasible, infeasible, unclear, unclear]


def test_a_bracket_leaves_what_is_unclear_between_its_ends() -> None:
    def judge(value: Decimal) -> Verdict:
        if value < 40:
            return Verdict.INFEASIBLE
        return Verdict.FEASIBLE if value > 47 else Verdict.UNCLEAR

    def step(one: Decimal, other: Decimal) -> Decimal | None:
        middle = Decimal(int((one + other) / 2))
        return None if middle in (one, other) else middle

    bracket = bisect(judge, Decimal(0), Decimal(100), step)
    assert (bracket.infeasible, bracket.feasible) == (39, 48)


@pytest.mark.parametrize(
    ("over", "subject_to", "objective", "words"),
    [
        (["functions.f.memory=1..2"], ["latency"], "cost_run", "is no condition"),
        (["functions.f.memory=1..2"], ["latencies p(9)<1s"], "cost_run", "unknown metric"),
        (["functions.f.memory=1..2"], ["latency p(99)<1s"], "dollars", "neither a path"),
        (["a=1..2", "b=1..2"], ["latency p(99)<1s"], "a", "is bisected alone"),
        (["a=1..2"], [], "a", "has no end without a condition"),
    ],
)
def test_a_question_that_cannot_be_read_is_refused(
    over: list[str], subject_to: list[str], objective: str, words: str
) -> None:
    shop = scenario({"integration": {"type": "mock"}}, rate=1, seconds=1)
    with pytest.raises(ScenarioError, match=words):
        search(shop, over, subject_to=subject_to, minimize=objective)
