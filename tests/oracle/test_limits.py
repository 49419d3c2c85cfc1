"""``limits`` against answers that are known without it: buckets, loss systems, plain arithmetic."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from apisim import limits
from apisim.gateway.throttle import BUCKET_DTYPE, fill_bucket, try_take
from apisim.scenario import Scenario, loads
from apisim.studies import run
from apisim.studies.quotas.demand import demand_of
from apisim.studies.quotas.envelope import first_refused_s, meetings
from apisim.studies.quotas.measuring import measure
from apisim.studies.quotas.observing import Simulator, Wall
from apisim.studies.quotas.searching import first_refusals
from tests.support.queues import erlang_b

pytestmark = pytest.mark.oracle

MOCK = """
apisim: 1
profile: ideal
{head}
account: {{throttle: {{rate_limit: {limit}, burst_limit: {burst}}}}}
apis: {{a: {{type: rest, routes: {{GET /: {{integration: {{type: mock}}}}}}}}}}
traffic:
  web:
    arrivals: {arrivals}
    phases: [{{duration: {length}, rate: {rate}}}]
    mix: {{GET /: 1}}
"""


def mock(**values: Any) -> Scenario:
    given = {"head": "", "arrivals": "{process: uniform}", "length": "60s", "burst": 1, **values}
    return loads(MOCK.format(**given))


@pytest.mark.parametrize(("rate", "limit"), [(100, 400), (100, 130), (40, 25), (7, 22)])
def test_even_traffic_is_refused_first_at_the_limit_by_the_rate(rate: int, limit: int) -> None:
    # A bucket of one token takes calls that are at least 1/limit apart, and no others.
    found = limits(mock(rate=rate, limit=limit, arrivals="uniform"), up_to=8, precision=0.001)
    bracket = found.row("account_rate").first_refusal
    assert bracket is not None
    assert bracket.refused is not None
    assert bracket.without <= limit / rate < bracket.refused
    assert bracket.refused <= bracket.without * 1.001
    assert bracket.is_monotone


def _refuses(multiple: Fraction, rate: int, limit: int, burst: int, length_s: int) -> bool:
    """Whether calls at 0, 1/λ, ... below the end meet an empty bucket; the last is the worst."""
    calls = multiple * rate * length_s  # the end itself is out
    last = (calls.numerator - 1) // calls.denominator
    return last + 1 - last * limit / (multiple * rate) > burst


def test_a_burst_lets_even_traffic_grow_by_what_it_holds() -> None:
    rate, limit, burst, length_s = 50, 100, 30, 10
    scenario = mock(
        rate=rate,
        limit=limit,
        burst=burst,
        length=f"{length_s}s",
        arrivals="uniform\n    offset: 0",
    )
    found = limits(scenario, up_to=4, precision=0.001).row("account_rate").first_refusal
    assert found is not None
    assert found.refused is not None
    assert not _refuses(Fraction(str(found.without)), rate, limit, burst, length_s)
    assert _refuses(Fraction(str(found.refused)), rate, limit, burst, length_s)
    assert 2.0 < found.without < found.refused < 2.1  # (100 + 30 / 10) / 50 without the details


LAMBDA = """
apisim: 1
profile: ideal
seed: 5
replications: 3
account: {lambda_concurrency: 100, throttle: {rate_limit: 300, burst_limit: 900}}
apis:
  a:
    type: rest
    routes:
      GET /x: {integration: {type: lambda_proxy, function: f}}
      GET /y: {integration: {type: lambda_proxy, function: g}}
functions:
  f: {duration: {exponential: 120ms}}
  g: {duration: {exponential: 40ms}}
traffic:
  web:
    phases: [{name: calm, duration: 20s, rate: 60}, {name: spike, duration: 10s, rate: 320}]
    mix: {GET /x: 2, GET /y: 3}
"""


def _requests(scenario: Scenario, folder: Any, n: int) -> list[dict[str, np.ndarray]]:
    """Arrivals, times behind the gateway and functions of each replication."""
    import csv

    file = folder / "requests.csv"
    run(scenario, requests=file)
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = []
    for number in range(n):
        own = [row for row in rows if row["replication"] == str(number)]
        assert {row["outcome"] for row in own} == {"served"}
        found.append(
            {
                key: np.array([int(row[key]) for row in own])
                for key in ("arrival_ns", "integration_latency_ns")
            }
        )
    return found


def _deepest(arrivals: np.ndarray, rate: int) -> int:
    """Most tokens out of a bucket without bottom, whole ones: what it must hold at least."""
    deficit, before, most = Fraction(0), 0, Fraction(0)
    for now in sorted(arrivals.tolist()):
        drained = Fraction((now - before) * rate, 10**9)
        deficit, before = max(deficit - drained, Fraction(0)) + 1, now
        most = max(most, deficit)
    return -(-most.numerator // most.denominator)


def _most_at_once(arrivals: np.ndarray, times: np.ndarray) -> int:
    # What ends as another arrives has made room for it.
    events = sorted([(a, 1) for a in arrivals.tolist()] + [(e, -1) for e in (arrivals + times)])
    return int(np.cumsum([step for _, step in events]).max())


def test_peaks_are_those_of_the_requests_themselves(tmp_path: Any) -> None:
    scenario = loads(LAMBDA)
    rows = _requests(scenario, tmp_path, 3)
    found = measure(Simulator(), scenario)
    assert found.burst == [_deepest(one["arrival_ns"], 300) for one in rows]
    assert min(found.burst) > 100
    assert found.concurrency == [
        _most_at_once(one["arrival_ns"], one["integration_latency_ns"]) for one in rows
    ]
    # More than either function alone, less than both together if their peaks were one.
    for most, usage in zip(found.concurrency, found.usages, strict=True):
        assert max(usage.concurrency.values()) < most < sum(usage.concurrency.values())
    seconds = [int(np.bincount(one["arrival_ns"] // 10**9).max()) for one in rows]
    assert [usage.rates_rps["account", "account"] for usage in found.usages] == seconds
    assert [usage.invocations_rps["account"] for usage in found.usages] == seconds


def test_what_a_wall_hides_is_seen_without_it() -> None:
    scenario = loads(LAMBDA)
    hidden = scenario.with_(**{"account.lambda_concurrency": 20, "account.throttle.rate_limit": 30})
    free, walled = measure(Simulator(), scenario), measure(Simulator(), hidden)
    assert all(Wall("account", "account") in one.refused for one in walled.actual)
    assert walled.concurrency == free.concurrency
    assert [one.rates_rps for one in walled.usages] == [one.rates_rps for one in free.usages]
    assert walled.burst == [900, 900, 900]  # all there is


def _close(values: list[float], truth: float) -> bool:
    """Means of replications about the truth; a false alarm in one of 1,000 (|t| < 4.8, 9 of it)."""
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / len(values) ** 0.5
    return abs(mean - truth) < 4.8 * error


def test_refusals_of_concurrency_are_erlang_s() -> None:
    scenario = loads(LAMBDA).with_(
        **{
            "replications": 10,
            "account.lambda_concurrency": 25,
            "account.throttle.rate_limit": 1000,
            "account.throttle.burst_limit": 1000,
            "traffic.web.phases": [{"duration": "200s", "rate": 100}],
            "traffic.web.mix": {"GET /x": 1},
            "functions.f.duration": {"exponential": "200ms"},
            "settings.lambda_request_rate": 0,
        }
    )
    runs = Simulator().observe(scenario)
    wall = Wall("concurrency", "account")
    shares = [one.refused[wall] / (100 * 200) for one in runs]
    assert _close(shares, erlang_b(25, 20.0))
    assert not _close(shares, erlang_b(25, 21.0))  # that much would be seen


def test_refusals_of_the_account_are_those_of_m_d_1_k() -> None:
    scenario = mock(
        head="replications: 10\nseed: 3",
        rate=1200,
        limit=1000,
        burst=10,
        arrivals="poisson",
        length="30s",
    )
    wall = Wall("account", "account")
    shares = [one.refused[wall] / (1200 * 30) for one in Simulator().observe(scenario)]
    assert _close(shares, 0.170911)  # embedded chain of M/D/1/K at ρ = 1.2, K = 10
    assert not _close(shares, 0.166667)


@pytest.mark.parametrize(
    ("rate", "limit", "burst"), [(200, 100, 50), (101, 100, 7), (3, 2, 1), (1000, 1, 2), (5, 0, 4)]
)
def test_the_moment_a_bucket_is_empty_is_that_of_the_bucket(
    rate: int, limit: int, burst: int
) -> None:
    row = np.zeros(1, BUCKET_DTYPE)
    fill_bucket(row[0], Fraction(limit), burst, 0)
    # A clock of its own that holds each arrival exactly: a second is `rate` ticks of 10^9 ns.
    fill_bucket(row[0], Fraction(limit, rate), burst, 0)
    call = 0
    while try_take(row[0], 1, call * 10**9):
        call += 1
    assert first_refused_s(Fraction(rate), Fraction(limit), burst) == Fraction(call, rate)


LAUNCH = """
apisim: 1
profile: ideal
account: {lambda_concurrency: 60, throttle: {rate_limit: 500, burst_limit: 400}}
apis:
  a:
    type: rest
    stage: {cache_cluster_size: "0.5"}
    routes:
      GET /x:
        integration: {type: lambda_proxy, function: f}
        cache: {ttl: 1h, keys: [querystring.q]}
        throttle: {rate_limit: 450, burst_limit: 100}
      GET /hit: {integration: {type: mock}}
functions:
  f: {duration: 200ms, init: 300ms}
traffic:
  web:
    arrivals: uniform
    offset: 0
    phases: [{duration: 61s, rate: 100}]
    mix: {GET /x: 1}
    values: {querystring.q: {uniform: 1000000000}}
"""


def _first_refusal(scenario: Scenario, level: str) -> float:
    found = run(scenario)
    if level == "concurrency":
        assert found.functions["f"].throttles > 0
        series = found.frame("series")
        return float(series["time_s"][series["function_throttled"] > 0].min())
    return next(t.first_refused_s for t in found.throttles if t.level == level)


@pytest.mark.parametrize(("multiple", "level"), [(6, "method"), (4.6, "method"), (2, None)])
def test_a_launch_meets_its_throttle_when_the_simulation_does(
    multiple: float, level: str | None
) -> None:
    scenario = loads(LAUNCH).with_(
        **{"account.lambda_concurrency": 100_000, "settings.lambda_scaling": 0}
    )
    usages = measure(Simulator(), scenario).usages
    met = meetings(demand_of(scenario, usages, Fraction(1)), multiple, 0.0)
    if level is None:
        assert met == []
        return
    stepped = scenario.with_(**{"traffic.web.phases.0.rate": round(100 * multiple, 6)})
    assert met[0].wall.kind == level
    assert met[0].at_s == pytest.approx(_first_refusal(stepped, level), abs=2e-9)


@pytest.mark.parametrize("hit_ratio", [0.0, 0.4, 0.6])
def test_hits_take_their_part_from_what_is_behind_and_from_nothing_else(hit_ratio: float) -> None:
    # 400/s of which misses take 0.5 s, cold as all are: 60 places are taken at call 60 of them.
    scenario = loads(LAUNCH)
    usages = measure(Simulator(), scenario).usages
    met = meetings(demand_of(scenario, usages, Fraction(1)), 4, hit_ratio)
    misses = 400 * (1 - hit_ratio)
    wall = Wall("concurrency", "account")
    at = {one.wall: one.at_s for one in met}
    assert at[wall] == pytest.approx(60 / misses)
    # The same calls as two streams of which one never gets to a function.
    split = scenario.with_(
        **{
            "traffic.web.phases.0": {"duration": "0.9s", "rate": misses},
            "traffic.hits": {
                "arrivals": "uniform",
                "phases": [{"duration": "0.9s", "rate": max(400 * hit_ratio, 0)}],
                "mix": {"GET /hit": 1},
            },
        }
    )
    before = split.with_(**{"traffic.web.phases.0.duration": f"{at[wall]:.6f}s"})
    assert wall not in Simulator().observe(before)[0].refused
    after = split.with_(**{"traffic.web.phases.0.duration": f"{at[wall] + 1.1 / misses:.6f}s"})
    assert Simulator().observe(after)[0].refused[wall] in (1, 2)


def test_limits_are_found_together_as_each_is_by_itself() -> None:
    met = {Wall("method", "a"): Fraction(3, 2), Wall("account", "account"): Fraction(5)}
    asked: list[Fraction] = []

    def probe(multiple: Fraction) -> frozenset[Wall]:
        asked.append(multiple)
        return frozenset(wall for wall, at in met.items() if multiple > at)

    found = first_refusals(probe, up_to=Fraction(8), precision=Fraction(1, 1000))
    for wall, at in met.items():
        bracket = found[wall]
        assert bracket.refused is not None
        assert bracket.without <= at < bracket.refused <= bracket.without * 1.001
    assert len(asked) == len(set(asked)) < 30
