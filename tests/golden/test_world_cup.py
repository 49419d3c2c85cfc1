"""The World Cup scenarios: traffic as it was published, and answers as a run prints them."""

import csv
import gzip
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import pytest

import apisim
from apisim.gateway.status import Answer
from apisim.scenario import Scenario, load
from tests.equivalence.engines import lowered, run
from tests.support.shipped import (
    DAY,
    QUICKSTART,
    arrivals_a_minute,
    by_level,
    dollars,
    file_of,
    percent,
    published_counts,
    result,
    says,
)
from tests.support.token_buckets import gcra

PEAK: Final = 153_878
RATE: Final = 2_500
BURST: Final = 1_250
#: What is refused of the peak minute if it comes evenly.
FLUID: Final = PEAK - 60 * RATE - BURST


@pytest.mark.parametrize(
    ("name", "minutes", "total", "peak"),
    [(QUICKSTART, 60, 7_421_393, 49), (DAY, 1_440, 58_769_608, 14 * 60 + 29)],
)
def test_the_world_cup_counts_are_the_published_ones(
    name: str, minutes: int, total: int, peak: int
) -> None:
    counts = published_counts(name)
    assert (len(counts), sum(counts)) == (minutes, total)
    assert counts[peak] == max(counts) == 153_878


@pytest.mark.real
@pytest.mark.parametrize(("name", "first"), [(QUICKSTART, "13:40:00"), (DAY, "00:00:00")])
def test_the_world_cup_counts_are_those_of_the_published_file(
    name: str, first: str, shared: Path
) -> None:
    file = shared / "data" / "traces" / "wc98_per_minute_june10_16.csv.gz"
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    start = next(at for at, row in enumerate(rows) if row["minute_utc"] == f"1998-06-15 {first}")
    counts = published_counts(name)
    assert counts == [int(row["requests"]) for row in rows[start : start + len(counts)]]


def test_the_day_and_its_busiest_hour_are_about_the_same_api() -> None:
    hour, day = load(file_of(QUICKSTART)), load(file_of(DAY))
    for part in ("region", "account", "apis", "authorizers", "functions", "settings"):
        assert getattr(hour, part) == getattr(day, part)
    for part in ("mix", "values", "network", "arrivals"):
        assert getattr(hour.traffic["visitors"], part) == getattr(day.traffic["visitors"], part)
    counts = published_counts(DAY)
    assert published_counts(QUICKSTART) == counts[13 * 60 + 40 : 14 * 60 + 40]


def test_evenly_spaced_arrivals_are_as_many_a_minute_as_were_published() -> None:
    found = result(QUICKSTART, "traffic.visitors.arrivals=uniform", duration="3m")
    assert arrivals_a_minute(found) == published_counts(QUICKSTART)[:3]


def test_poisson_arrivals_are_as_many_a_minute_as_were_published_within_sampling() -> None:
    published = np.array(published_counts(DAY)[:30])
    z = (np.array(arrivals_a_minute(result(DAY, duration="30m"))) - published) / np.sqrt(published)
    assert np.abs(z).max() < 4
    # The sum of 30 squares of normal numbers is 30 +- 7.7.
    assert abs(float(np.square(z).sum()) - 30) < 4 * 7.746


# ----------------------------------------------------------------------------------- who is refused


def at_the_bucket(arrivals: str, counts: list[int], seed: int) -> Scenario:
    """Some minutes of the hour with nothing between the callers and the account's bucket."""
    scenario = load(file_of(QUICKSTART), seed=seed)
    routes = scenario.apis["worldcup"].routes
    return scenario.with_(
        f"traffic.visitors.arrivals={arrivals}",
        f"traffic.visitors.phases=[{{per: 1m, counts: {counts}}}]",
        "traffic.visitors.network=null",
        *(f"apis.worldcup.routes.{route}.authorizer=null" for route in routes),
    )


@pytest.mark.oracle
@pytest.mark.parametrize("seed", [1, 2, 1998])
def test_each_decision_on_the_peak_minute_is_that_of_the_generic_cell_rate_algorithm(
    seed: int,
) -> None:
    done = run(lowered(at_the_bucket("poisson", [PEAK], seed)), "compiled")
    expected = gcra(Fraction(RATE), BURST, done.rows["arrival_ns"].tolist())
    assert (done.rows["answer"] != Answer.THROTTLED_ACCOUNT).tolist() == expected
    # No more can be admitted of a minute than this, however it comes.
    assert len(expected) - expected.count(False) <= BURST + 60 * RATE
    assert expected.count(False) > len(expected) - BURST - 60 * RATE


def test_of_an_evenly_spaced_peak_minute_the_excess_over_limit_and_burst_is_refused() -> None:
    done = run(lowered(at_the_bucket("uniform", [PEAK], 1998)), "compiled")
    refused = int((done.rows["answer"] == Answer.THROTTLED_ACCOUNT).sum())
    assert len(done.rows) == PEAK
    assert refused - FLUID in (0, 1)


@pytest.mark.slow
def test_the_hour_refuses_what_exceeds_limit_and_burst_within_sampling() -> None:
    found = result(QUICKSTART)
    refused = found.requests.refused_by["account"]
    assert by_level(found.measurements.select()) == {"account": refused}
    # Given each second's tokens before its requests, a bucket refuses no more than a real one.
    tokens, at_least = BURST, 0
    for arrivals in found.series.values[0, :, : len(Answer)].sum(axis=1).tolist():
        tokens = min(BURST, tokens) + RATE - arrivals
        at_least -= min(tokens, 0)
        tokens = max(tokens, 0)
    assert at_least <= refused < 1.05 * at_least
    # Of the two minutes that decide, the requests are Poisson around the published numbers.
    assert abs(at_least - FLUID) < 4 * (PEAK + 149_743) ** 0.5
    evenly = result(QUICKSTART, "traffic.visitors.arrivals=uniform")
    assert 0 <= evenly.requests.refused_by["account"] - FLUID < 0.02 * FLUID


@pytest.mark.slow
def test_the_hour_brings_as_many_requests_a_minute_as_were_published() -> None:
    evenly = result(QUICKSTART, "traffic.visitors.arrivals=uniform")
    assert arrivals_a_minute(evenly) == published_counts(QUICKSTART)
    published = np.array(published_counts(QUICKSTART))
    z = (np.array(arrivals_a_minute(result(QUICKSTART))) - published) / np.sqrt(published)
    assert np.abs(z).max() < 4


# ----------------------------------------------------------------------------------- their answers


def _clock(seconds: float) -> str:
    """Time of day, of seconds after the hour's beginning."""
    at = round(seconds)
    minutes = 13 * 60 + 40 + at // 60
    return f"{minutes // 60}:{minutes % 60:02d}:{at % 60:02d}"


def _amount(found: apisim.Result, meter: str) -> str:
    lines = {line.meter.name: line.amount for line in found.bill.run.lines}
    return f"${float(lines[meter]):,.2f}"


@pytest.mark.slow
def test_the_answer_of_the_quickstart() -> None:
    found = result(QUICKSTART)
    evenly = result(QUICKSTART, "traffic.visitors.arrivals=uniform")
    enough = result(QUICKSTART, "account.throttle.rate_limit=2600")
    an_hour = result(QUICKSTART, "authorizers.visitor.ttl=1h")
    small = result(QUICKSTART, 'apis.worldcup.stage.cache_cluster_size="0.5"')
    refused = found.requests.refused_by["account"]
    refusals = found.series.values[0, :, Answer.THROTTLED_ACCOUNT]
    last = int(np.flatnonzero(refusals)[-1])
    first = found.throttles[0].first_refused_s
    cache, calls = found.cache["worldcup"], found.authorizers["visitor"].invocations
    behind = sum(found.functions[name].invocations for name in ("results", "news", "vote"))
    latency = found.latency_ms
    saved = float(found.bill.run.total - an_hour.bill.run.total)
    says(
        QUICKSTART,
        f"refuses {refused:,} of {found.requests.total:,} requests "
        f"({100 * refused / found.requests.total:.2f} %), all of them between {_clock(first)} "
        f"and {_clock(last)}",
        f"brings {PEAK:,}, which is {PEAK / 60:,.0f}/s, "
        f"and the burst of {BURST:,} lasts for {first - 49 * 60:.0f} seconds",
        f"{PEAK:,} - 60 * {RATE:,} - {BURST:,} = {FLUID:,}.",
        f"Evenly spaced requests make it {evenly.requests.refused_by['account']:,},",
        f"wait {latency.p50:.0f} ms in the median, {latency.p95:.0f} ms at p95 "
        f"and {latency.p99:.0f} ms at p99",
        f"answers {percent(cache.hit_ratio)} of the reads from {cache.bytes / 2**20:.0f} MB",
        f"called {calls:,} times, {calls / behind:.1f} times as often",
        f"makes that {an_hour.authorizers['visitor'].invocations:,} calls, "
        f"and p95 {an_hour.latency_ms.p95:.0f} ms",
        f"costs {dollars(found)}, of which {_amount(found, 'apigateway.rest.requests')} "
        "are the API's requests",
        f"would save ${saved:.2f}.",
    )
    assert enough.requests.refused_by == {}
    assert small.run_info.digest == found.run_info.digest
    assert found.ok


@pytest.mark.slow
def test_the_answer_of_the_whole_day() -> None:
    found = result(DAY)
    refused = found.requests.refused_by["account"]
    first = found.throttles[0].first_refused_s - (13 * 60 + 40) * 60
    month = found.bill.month
    assert month is not None
    assert by_level(found.measurements.select(phase="14h")) == {"account": refused}
    quantities = {line.meter.name: line.quantity for line in month.lines}
    billions = float(quantities["apigateway.rest.requests"]) / 1e9
    says(
        DAY,
        f"{refused:,} of {found.requests.total:,} requests are refused "
        f"({100 * refused / found.requests.total:.3f} %)",
        f"the first at {_clock(first)}:",
        f"answers {percent(found.cache['worldcup'].hit_ratio)} of the reads",
        f"called {found.authorizers['visitor'].invocations:,} times",
        f"more than {max(one.max_concurrency for one in found.functions.values())} times at once",
        f"The day costs {dollars(found)}.",
        f"costs ${month.total:,.2f} for {billions:.2f} billion requests",
    )
    assert month.total < 30 * found.bill.run.total
    assert found.ok
