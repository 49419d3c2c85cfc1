"""What the shipped scenarios say they answer: each number as a run prints it, and by another way.

A claim is looked for with its words, so that a number cannot be right in the wrong place.
"""

import math
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

import apisim
from apisim.draws.discrete import UniformKeys, WeightedKeys, ZipfKeys
from apisim.gateway.status import Answer
from tests.support.caches import expected_misses
from tests.support.shipped import (
    AUTHORIZER,
    FRIDAY,
    KEYS,
    LEVELS,
    PITFALL,
    REPLAY,
    SPIKE,
    by_level,
    dollars,
    file_of,
    percent,
    result,
    says,
)
from tests.support.token_buckets import RationalBucket, gcra, gcra_admitted

# --------------------------------------------------------------------------- three-level throttling

#: Requests the level of each phase refuses if they come evenly: excess for 20 s, less the burst.
EXCESS: Final = {
    "method": (1_500 - 1_000) * 20 - 1_000,
    "stage": (850 + 80 + 1_800 + 3_000 - 5_000) * 20 - 2_500,
    "account": (600 + 50 + 1_000 + 1_000 + 9_000 - 10_000) * 20 - 5_000,
}
SOURCES: Final = ("read-users", "write-users", "products", "catalog", "partners")
EVENLY: Final = tuple(f"traffic.{source}.arrivals=uniform" for source in SOURCES)


@pytest.mark.parametrize("phase", EXCESS)
@pytest.mark.parametrize("overrides", [(), EVENLY], ids=["poisson", "uniform"])
def test_in_each_phase_one_level_refuses_and_no_other(phase: str, overrides: tuple[str]) -> None:
    tally = result(LEVELS, *overrides).measurements.select(phase=phase)
    refused = by_level(tally)
    assert list(refused) == [phase]
    if overrides:
        # Five streams whose phases are drawn: each may bring one request more or less.
        assert abs(refused[phase] - EXCESS[phase]) <= 5
    else:
        assert abs(refused[phase] - EXCESS[phase]) < 4 * math.sqrt(tally.requests)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_the_three_levels_do_not_hang_on_the_seed(seed: int) -> None:
    measurements = result(LEVELS, seed=seed).measurements
    assert by_level(measurements.select(phase="calm")) == {}
    for phase in EXCESS:
        assert list(by_level(measurements.select(phase=phase))) == [phase]


def test_both_readings_of_overrides_differ_in_the_stage_alone() -> None:
    hierarchy = result(LEVELS).measurements
    for overrides in (
        ["settings.method_limit=replaces_stage"],
        ["apis.production.stage.throttle.scope=method"],  # each method for itself
    ):
        replaced = result(LEVELS, *overrides).measurements
        for phase in ("calm", "method", "account"):
            assert by_level(replaced.select(phase=phase)) == by_level(hierarchy.select(phase=phase))
        assert by_level(replaced.select(phase="stage")) == {}
    assert by_level(hierarchy.select(phase="stage")).keys() == {"stage"}


def test_a_neighbour_that_uses_the_account_up_is_felt_by_all_routes_alike() -> None:
    measurements = result(LEVELS).measurements
    total = measurements.select(phase="account")
    share = total.with_outcome("throttled") / total.requests
    for api, route in measurements.program.names.routes:
        tally = measurements.select(phase="account", api=api, route=route)
        # Refused requests cluster a little: neighbours in time share the empty bucket.
        spread = math.sqrt(share * (1 - share) / tally.requests)
        assert abs(tally.with_outcome("throttled") / tally.requests - share) < 4 * spread


def test_the_answer_of_three_level_throttling() -> None:
    refused = result(LEVELS).requests.refused_by
    replaced = result(LEVELS, "settings.method_limit=replaces_stage").requests.refused_by
    account = result(LEVELS).measurements.select(phase="account")
    share = round(100 * account.with_outcome("throttled") / account.requests)
    says(
        LEVELS,
        f"the method limit of GET /users {refused['method']:,} requests",
        f"500/s * 20 s - 1,000 = {EXCESS['method']:,}",
        f"the stage {refused['stage']:,} (730 * 20 - 2,500 = {EXCESS['stage']:,})",
        f"the account {refused['account']:,} (1,650 * 20 - 5,000 = {EXCESS['account']:,})",
        f"lose {share} % of their requests",
        f"and the stage refuses {refused['stage']:,}.",
        f"the stage refuses {replaced.get('stage', 0)};",
    )
    assert replaced == {level: refused[level] for level in ("method", "account")}


# ---------------------------------------------------------------------------------- burst and spike


def test_spikes_are_refused_as_exact_arithmetic_has_it() -> None:
    rate, burst = Fraction(1_000), 2_000
    half_ms = 500_000
    spread = [k * half_ms for start in (0, 3) for k in range(2_000 * start, 2_000 * (start + 1))]
    spread += [k * half_ms for k in range(2_000 * 6, 2_000 * 11)]
    at_once = [start + k // 2 for start in (0, 10**9, 3 * 10**9) for k in range(2_000)]
    measurements = result(SPIKE).measurements
    for route, times in (("GET /spread", spread), ("GET /at-once", at_once)):
        expected = gcra(rate, burst, times)
        tally = measurements.select(route=route)
        assert tally.requests == len(times)
        assert tally.with_outcome("throttled") == expected.count(False)


def test_the_answer_of_burst_and_spike() -> None:
    found = result(SPIKE)
    bucket = RationalBucket(Fraction(1_000), 2_000)
    assert all(bucket.take(1, Fraction(k, 2_000)) for k in range(2_000))
    remaining = bucket.refill(Fraction(1))
    assert remaining == int(remaining)
    assert bucket.refill(Fraction(2)) == 2_000  # full a second later
    long = found.measurements.select(phase="at-6s")
    refused = long.with_outcome("throttled")
    assert long.requests - refused == gcra_admitted(Fraction(1_000), 2_000, 500_000, 10_000)
    again = found.measurements.select(phase="at-1s").with_outcome("throttled")
    spread, at_once = found.throttles[1:]
    for phase in ("at-0s", "at-3s"):
        assert found.measurements.select(phase=phase).with_outcome("throttled") == 0
    says(
        SPIKE,
        f"so {int(remaining):,} remain, nobody is refused",
        f"five seconds of it refuse {refused:,} of {long.requests:,}",
        f"the first at {spread.first_refused_s:.4f} s",
        f"One second later {again:,} of another 2,000 are refused",
    )
    assert round(at_once.first_refused_s, 3) == 1


# --------------------------------------------------------------------------------------- cache keys

_KEYS_PATH: Final = "apis.users.routes.GET /users/{userId}.cache.keys"


def _keys(*parameters: str) -> str:
    return f"{_KEYS_PATH}=[{', '.join(parameters)}]"


BROAD: Final = _keys()
LANGUAGE: Final = _keys("querystring.include", "header.accept-language")
CALLER: Final = _keys("querystring.include", "header.authorization")


def _shares(spec: object) -> NDArray[np.float64]:
    if isinstance(spec, ZipfKeys):
        weights = np.arange(1, spec.n + 1) ** -spec.s
    else:
        assert isinstance(spec, WeightedKeys)
        weights = np.array(spec.weights)
    return weights / weights.sum()


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("overrides", "in_key"),
    [
        ((BROAD,), []),
        ((), ["querystring.include"]),
        ((LANGUAGE,), ["querystring.include", "header.accept-language"]),
        ((CALLER,), ["querystring.include", "header.authorization"]),
    ],
    ids=["broad", "right", "language", "caller"],
)
def test_hits_are_those_of_a_cache_with_a_time_to_live(
    overrides: tuple[str], in_key: list[str]
) -> None:
    """Misses of a key at Poisson rate l: one in 1 + l T, and l L more while the first is away."""
    found = result(KEYS, *overrides)
    values = found.scenario.traffic["web"].values
    shares, alike = _shares(values["path.userId"]), 1
    for parameter in in_key:
        spec = values[parameter]
        if isinstance(spec, UniformKeys):
            alike *= spec.n  # so many keys for each share, with the same part of it
        else:
            shares = np.outer(shares, _shares(spec)).ravel()
    rates = 200 * shares / alike
    away_s = found.integration_latency_ms.mean / 1_000
    missed = (1 + rates * away_s) / (1 + rates * (300 + away_s))
    stats = found.cache["users"]
    expected = (stats.hits + stats.misses) * float((shares * missed).sum())
    # Misses are spread less than Poisson: a hit that is sure to come follows each.
    assert abs(stats.misses - expected) < 4 * math.sqrt(expected)


def test_by_the_rules_of_aws_the_path_is_in_the_key_only_if_it_is_chosen() -> None:
    written_out = result(KEYS, _keys("path.userId", "querystring.include"), profile="aws")
    assert written_out.run_info.digest == result(KEYS).run_info.digest
    assert result(KEYS, profile="aws").cache["users"].entries == 2


def test_the_answer_of_cache_keys() -> None:
    right, caller = result(KEYS), result(KEYS, CALLER)
    aws = result(KEYS, profile="aws")
    includes = _shares(right.scenario.traffic["web"].values["querystring.include"])
    assert 2 * includes[0] * includes[1] == 3 / 8
    says(
        KEYS,
        f"{percent(right.cache['users'].hit_ratio)} of the reads are hits, "
        f"and p95 is {right.latency_ms.p95:.0f} ms",
        f"the path alone): {percent(result(KEYS, BROAD).cache['users'].hit_ratio)}",
        f"accept-language leaves {percent(result(KEYS, LANGUAGE).cache['users'].hit_ratio)}",
        f"from caller to caller, {percent(caller.cache['users'].hit_ratio)} "
        f"and a p95 of {caller.latency_ms.p95:.0f} ms",
        f"called {caller.functions['get-user'].invocations:,} times "
        f"instead of {right.functions['get-user'].invocations:,}",
        f"({dollars(caller)} for {dollars(right)})",
        f"{100 * aws.cache['users'].hit_ratio:.2f} % of the reads are hits, and nearly every one",
    )


# ---------------------------------------------------------------------------- the cache key pitfall

WITHOUT_INCLUDE: Final = _keys("path.userId")
WITHOUT_PATH: Final = _keys("querystring.include")
WITH_CALLER: Final = _keys("path.userId", "querystring.include", "header.authorization")
AN_HOUR: Final = "apis.users.routes.GET /users/{userId}.cache.ttl=1h"


@pytest.mark.oracle
def test_wrong_answers_come_as_often_as_what_is_not_in_the_key_differs() -> None:
    """Entry and hit are independent calls; the entries of a few popular keys decide how exactly."""
    values = result(PITFALL).scenario.traffic["web"].values
    users, includes = _shares(values["path.userId"]), _shares(values["querystring.include"])
    for keys, differ in (
        (WITHOUT_INCLUDE, 1 - float(includes @ includes)),
        (WITHOUT_PATH, 1 - float(users @ users)),
    ):
        stats = result(PITFALL, keys).cache["users"]
        assert stats.wrong_answers / stats.hits == pytest.approx(differ, abs=0.03)
    for overrides in ((), (WITH_CALLER,), (AN_HOUR,)):
        assert result(PITFALL, *overrides).cache["users"].wrong_answers == 0


@pytest.mark.oracle
def test_stale_answers_come_as_often_as_a_change_came_first() -> None:
    """Of a key with a time to live T and m changes in it: 1 - (1 - e^-m) / m of the hits."""
    changes = 5 / 60
    truth = 1 - (1 - math.exp(-changes)) / changes
    # Hundreds of thousands of entries with the caller in the key, a dozen of each popular one else.
    for overrides, tolerance in (((WITH_CALLER,), 0.002), ((), 0.01)):
        stats = result(PITFALL, *overrides).cache["users"]
        assert stats.stale_answers / stats.hits == pytest.approx(truth, abs=tolerance)
    # Entries of an hour are as old as the run, whose numbers are about minutes 10 to 40.
    old = 1 - (math.exp(-10 / 60) - math.exp(-40 / 60)) / (30 / 60)
    stats = result(PITFALL, AN_HOUR).cache["users"]
    assert stats.stale_answers / stats.hits == pytest.approx(old, abs=0.04)


def test_the_answer_of_the_cache_key_pitfall() -> None:
    right, broad, shared = (result(PITFALL, *o) for o in ((), (WITHOUT_INCLUDE,), (WITHOUT_PATH,)))
    narrow, old = result(PITFALL, WITH_CALLER), result(PITFALL, AN_HOUR)

    def ratio(found: apisim.Result, digits: int = 1) -> str:
        return f"{100 * found.cache['users'].hit_ratio:.{digits}f} %"

    def of_hits(found: apisim.Result, field: str) -> str:
        stats = found.cache["users"]
        return percent(getattr(stats, field) / stats.hits)

    says(
        PITFALL,
        f"{ratio(right)} of the reads are hits, p95 is {right.latency_ms.p95:.0f} ms, "
        "and no answer is wrong",
        f"rises to {ratio(broad)} and p95 falls to {broad.latency_ms.p95:.0f} ms",
        f"and {of_hits(broad, 'wrong_answers')} of the hits are made for the other include",
        f"share two entries: {ratio(shared, 2)} are hits, "
        f"and {of_hits(shared, 'wrong_answers')} of them are somebody else's record",
        f"{ratio(narrow)} are hits, p95 is {narrow.latency_ms.p95:.0f} ms",
        f"called {narrow.functions['get-user'].invocations:,} times "
        f"instead of {right.functions['get-user'].invocations:,}",
        f"{of_hits(right, 'stale_answers')} are from before the latest change",
        f"raises the hit ratio to {ratio(old, 2)}, {of_hits(old, 'stale_answers')} are",
    )
    assert right.ok
    failed = {
        keys: [verdict.metric for verdict in result(PITFALL, keys).thresholds if not verdict.ok]
        for keys in (WITHOUT_INCLUDE, WITHOUT_PATH, WITH_CALLER)
    }
    assert list(failed.values()) == [["wrong_answers"], ["wrong_answers"], ["cache_hits"]]
    assert shared.cache["users"].entries == 2


# ------------------------------------------------------------------------------------- Black Friday

CURE: Final = (
    "functions.checkout.reserved_concurrency=120",
    "apis.shop.routes.GET /search.throttle.rate_limit=300",
)


def test_two_thresholds_of_black_friday_fail_and_the_cure_mends_them() -> None:
    failed = [verdict.metric for verdict in result(FRIDAY).thresholds if not verdict.ok]
    assert failed == ['errors_5xx{route:"POST /orders"}', "throttled{traffic:back_office}"]
    assert result(FRIDAY, *CURE).ok


def test_the_answer_of_black_friday() -> None:
    found, cured = result(FRIDAY), result(FRIDAY, *CURE)
    orders = found.measurements.select(route="POST /orders")
    office = found.measurements.select(traffic="back_office")
    rush = found.measurements.select(route="GET /products/{productId}", phase="doors-open").sums
    lookups = rush["cache_hits"] + rush["cache_misses"]
    failed = int(orders.by_answer[Answer.FUNCTION_THROTTLED])
    says(
        FRIDAY,
        f"POST /orders: {percent(orders.status_class(5) / orders.requests)} end with a 500 "
        f"({failed:,} in the three replications)",
        f"has {found.functions['checkout'].max_concurrency} executions reserved "
        f"and needs up to {cured.functions['checkout'].max_concurrency}.",
        f"GET /search: {found.requests.refused_by['method']:,} requests get a 429",
        f"queue at most {cured.endpoints['search'].max_waiting} requests, of the 200 they may",
        f"refused {percent(office.with_outcome('throttled') / office.requests)} of its requests",
        f"answers {percent(rush['cache_hits'] / lookups)} of GET /products/{{productId}}",
        f"never runs more than {found.functions['catalog'].max_concurrency} times",
        f"Twelve minutes cost {dollars(found)}, the cure ten cents more: {dollars(cured)}.",
    )
    assert set(cured.requests.by_outcome) == {"served", "cache_hit", "forbidden", "backend_error"}
    assert 0.095 < cured.bill.run.total - found.bill.run.total < 0.115


# ------------------------------------------------------------------------------------- trace replay


def test_the_answer_of_trace_replay() -> None:
    found = result(REPLAY)
    fast = result(REPLAY, "traffic.replayed.trace.speed=100")
    known = result(REPLAY, "apis.site.routes.ANY /{proxy+}.authorizer=clients")
    site = found.cache["site"]
    text = (file_of(REPLAY).parent / "data" / "synthetic-access.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    assert sum(row[2] == "GET" for row in rows) == site.hits + site.misses
    says(
        REPLAY,
        f"Of the {found.requests.total} requests",
        f"{site.hits + site.misses} are GETs; the cache answers {site.hits} of them "
        f"({percent(site.hit_ratio)})",
        f"left with {found.requests.by_outcome['served']} requests of {len(rows)}",
        f"refuses {fast.requests.refused_by['stage']} requests of ANY /{{proxy+}}",
        f"called {known.authorizers['clients'].invocations} times "
        f"for {len({row[1] for row in rows})} clients",
    )
    assert found.requests.refused_by == {}


@pytest.mark.real
def test_the_whole_log_of_nasa_replays(shared: Path) -> None:
    log = shared / "data" / "traces" / "nasa_19950801_a.csv.gz"
    found = result(REPLAY, f"traffic.replayed.trace.file={log}")
    assert found.requests.total == 15_000
    assert found.requests.by_outcome == {"served": 7_017, "cache_hit": 7_983}
    assert found.run_info.digest == "a7065f8483e78394"


# ----------------------------------------------------------------------------------- authorizer ttl


def test_an_authorizer_is_called_as_often_as_its_ttl_lets_it() -> None:
    """Oracle 6.7: sum over tokens of rate / (1 + rate TTL), 3.2258/s, and exactly for this hour."""
    assert pytest.approx(3.2258, abs=1e-4) == 1_000 * 0.1 / (1 + 0.1 * 300)
    measurements = result(AUTHORIZER).measurements
    hours = len(result(AUTHORIZER).replications)
    for ttl, wrong in ((300, 285), (60, 57), (3600, 3420)):
        found = result(AUTHORIZER, f"authorizers.devices.ttl={ttl}s").authorizers["devices"]
        truth = hours * 1_000 * _calls_in_the_hour(ttl)
        # Calls of one device come more evenly than Poisson: its variance is an upper bound.
        assert abs(found.invocations - truth) < 4 * math.sqrt(truth)
        if ttl != 3600:
            seen = hours * 1_000 * _calls_in_the_hour(wrong)
            assert abs(found.invocations - seen) > 4 * math.sqrt(seen)
    assert measurements.select().requests == 1_798_582


def _calls_in_the_hour(ttl: float) -> float:
    return expected_misses(0.1, ttl, 4_200) - expected_misses(0.1, ttl, 600)


def test_the_answer_of_authorizer_ttl() -> None:
    kept = result(AUTHORIZER)
    never = result(AUTHORIZER, "authorizers.devices.ttl=0")
    minute = result(AUTHORIZER, "authorizers.devices.ttl=1m").authorizers["devices"]
    hour = result(AUTHORIZER, "authorizers.devices.ttl=1h")
    renewed = result(AUTHORIZER, "populations.devices.token_lifetime=15m").authorizers["devices"]
    stats, n_seconds = kept.authorizers["devices"], 3_600 * len(kept.replications)
    long_hour = hour.authorizers["devices"]
    says(
        AUTHORIZER,
        f"answer {stats.hits:,} of {kept.requests.total:,} requests "
        f"({percent(stats.hits / kept.requests.total)})",
        f"is called {stats.invocations:,} times: {stats.invocations / n_seconds:.2f}/s in place of "
        f"{kept.requests.total / n_seconds:.1f}/s",
        f"= {100 / 31:.2f}/s",
        f"mean of this hour is {1_000 * _calls_in_the_hour(300) / 3_600:.2f}/s",
        f"p50 is {never.latency_ms.p50:.0f} ms in place of {kept.latency_ms.p50:.1f} ms",
        f"A minute makes {minute.invocations:,} calls, an hour {long_hour.invocations:,}.",
        f"{dollars(kept)} against {dollars(never)}",
        f"saves {stats.invocations - long_hour.invocations:,} calls more but only "
        f"{kept.latency_ms.p50 - hour.latency_ms.p50:.1f} ms",
        f"make {renewed.invocations:,} calls",
    )
    assert never.authorizers["devices"].invocations == kept.requests.total
