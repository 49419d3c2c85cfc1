"""Everything is counted once: what the recorder and the mechanisms say, counted again from rows.

Identity P1: arrivals = served + refused + failed, in total, by route, by phase and by second; every
call of a backend is a row's; what happens is the same whoever adds it up.
"""

from collections import Counter
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from numpy.typing import NDArray

from apisim.engine.flags import FLAG_CLIENT_GONE, FLAG_CORS_BLOCKED
from apisim.engine.preflights import PREFLIGHT_ATTEMPT
from apisim.engine.recorder import (
    AUTHORIZER_CALLS,
    CACHE_HITS,
    CACHE_MISSES,
    COLD_STARTS,
    HISTOGRAMS,
)
from apisim.gateway.status import LEVEL_ANSWERS, Answer
from apisim.scenario import Scenario
from apisim.scenario.phases import CountsPhase, OpenPhase, Phase
from apisim.scenario.traffic import Source
from tests.equivalence.bodies import is_plain_size
from tests.equivalence.engines import Run, lowered, run
from tests.equivalence.scenarios import Case, scenarios

EXAMPLES = 25

whole_scenarios = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of one example after the other are written."""
    return tmp_path_factory.mktemp("case")


def simulated(case: Case, folder: Path) -> tuple[Scenario, Run]:
    scenario = case.load(folder)
    return scenario, run(lowered(scenario), "compiled")


def tally(n: int, places: NDArray[Any], amounts: NDArray[Any] | None = None) -> list[int]:
    """Sum of the amounts (1 each when left out) at each of n places; exact."""
    totals = np.zeros(n, np.int64)
    np.add.at(totals, places, 1 if amounts is None else amounts)
    return totals.tolist()


@whole_scenarios
@given(case=scenarios())
def test_counts_and_sums_agree_with_a_recount_of_the_rows(case: Case, folder: Path) -> None:
    scenario, simulation = simulated(case, folder)
    rows, recorder = simulation.rows, simulation.result.recorder
    n_cells = len(simulation.result.program.names.cells)
    counted = rows[rows["arrival_ns"] >= scenario.warm_up]
    cell = counted["cell"]
    for answer in Answer:
        expected = tally(n_cells, cell[counted["answer"] == answer])
        assert recorder.counts[:, answer].tolist() == expected
    called = counted["integration_ns"] >= 0
    expected_sums = {
        "requests": tally(n_cells, cell),
        "warm_up_requests": tally(n_cells, rows["cell"][rows["arrival_ns"] < scenario.warm_up]),
        "latency_low": tally(n_cells, cell, counted["latency_ns"]),
        "gateway_low": tally(n_cells, cell, counted["gateway_ns"]),
        "integration_low": tally(n_cells, cell[called], counted["integration_ns"][called]),
        "integrations": tally(n_cells, cell[called]),
        "cache_hits": tally(n_cells, cell[counted["cache"] == 1]),
        "cache_misses": tally(n_cells, cell[counted["cache"] == 2]),
        "cold_starts": tally(n_cells, cell, counted["cold"]),
        "authorizer_calls": tally(n_cells, cell[counted["authorizer_ns"] >= 0]),
        "request_bytes": tally(n_cells, cell, counted["request_bytes"]),
        "response_bytes": tally(n_cells, cell, counted["response_bytes"]),
    }
    for name, expected in expected_sums.items():
        assert recorder.cells[name].tolist() == expected, name
    for is_warm_up in (0, 1):
        part = rows[(rows["arrival_ns"] < scenario.warm_up) == is_warm_up]
        usage = recorder.usage[:, is_warm_up]
        # What a push carries is its request, which goes out to the client.
        pushed = np.where(part["answer"] == Answer.SENT, part["request_bytes"], 0)
        expected_usage = {
            "requests": np.ones(len(part), np.int64),
            "units": part["units"],
            "bytes_in": part["request_bytes"],
            "bytes_out": part["response_bytes"] + pushed,
            "authorizer_calls": part["authorizer_ns"] >= 0,
            "integrations": part["integration_ns"] >= 0,
        }
        for name, values in expected_usage.items():
            recount = np.zeros(usage.shape, np.int64)
            np.add.at(recount, (part["cell"], part["answer"]), values)
            assert (usage[name] == recount).all(), name
            of_customers = recorder.customer_usage[name][:, :, is_warm_up]
            known = part["customer"] >= 0
            recount = np.zeros(of_customers.shape, np.int64)
            places = (part["customer"][known], part["api"][known])
            np.add.at(recount, places, np.asarray(values)[known])
            assert (of_customers == recount).all(), name


@whole_scenarios
@given(case=scenarios())
def test_series_agree_with_a_recount_of_the_rows(case: Case, folder: Path) -> None:
    _, simulation = simulated(case, folder)
    rows, recorder = simulation.rows, simulation.result.recorder
    period = rows["arrival_ns"] // int(recorder.total["period_ns"][0])
    expected = np.zeros_like(recorder.series)
    np.add.at(expected, (rows["api"], period, rows["answer"]), 1)
    for column, happened in (
        (CACHE_HITS, rows["cache"] == 1),
        (CACHE_MISSES, rows["cache"] == 2),
        (COLD_STARTS, rows["cold"] == 1),
        (AUTHORIZER_CALLS, rows["authorizer_ns"] >= 0),
    ):
        np.add.at(expected[:, :, column], (rows["api"][happened], period[happened]), 1)
    assert (recorder.series == expected).all()


@whole_scenarios
@given(case=scenarios())
def test_every_bin_of_a_histogram_holds_the_values_of_its_rows(case: Case, folder: Path) -> None:
    scenario, simulation = simulated(case, folder)
    rows, recorder = simulation.rows, simulation.result.recorder
    columns = [
        {"latency": "latency_ns", "gateway_latency": "gateway_ns"}.get(n) for n in HISTOGRAMS
    ]
    for cell in np.unique(rows["cell"]):
        of_cell = rows[(rows["cell"] == cell) & (rows["arrival_ns"] >= scenario.warm_up)]
        for bins, column in zip(recorder.histograms[cell], columns, strict=True):
            values = of_cell[column or "integration_ns"]
            values = values[values >= 0]
            filled = bins[bins["count"] > 0]
            assert filled["count"].sum() == len(values)
            inside = (values >= filled["low"][:, None]) & (values <= filled["high"][:, None])
            assert inside.sum(axis=1).tolist() == filled["count"].tolist()


@whole_scenarios
@given(case=scenarios())
def test_every_arrival_has_one_row(case: Case, folder: Path) -> None:
    """One besides the preflight that let it go; a preflight in vain is all there is of its call.

    Retries come besides; a user waits for its answer, or as long as it has patience.
    """
    scenario, simulation = simulated(case, folder)
    rows = without_permissions(simulation.rows)
    for at, source in enumerate(scenario.traffic.values()):
        own = rows[rows["source"] == at]
        expected = expected_calls(source, folder)
        if source.sessions is not None:
            # Each user asks to be connected, and then for what it wants: another property's.
            if expected is not None:
                assert len(np.unique(own["user"])) == expected
            assert len(np.unique(own[["user", "ordinal"]])) == len(own)
            continue
        if expected is not None:
            assert (own["attempt"] % PREFLIGHT_ATTEMPT == 0).sum() == expected
        for user in np.unique(own["user"]):
            calls = own[own["user"] == user]
            attempt = calls["attempt"] % PREFLIGHT_ATTEMPT
            # One call may wait for its preflight or its retry, the next need none.
            order = np.lexsort([calls["attempt"] // PREFLIGHT_ATTEMPT, attempt, calls["ordinal"]])
            calls, attempt = calls[order], attempt[order]
            places = [(call, tried) for call, n in enumerate(tries_of(calls)) for tried in range(n)]
            assert list(zip(calls["ordinal"], attempt, strict=True)) == places
            is_late = calls["flags"] & FLAG_CLIENT_GONE > 0
            if source.is_closed:
                done = calls["arrival_ns"] + calls["latency_ns"]
                assert (calls["arrival_ns"][1:] >= done[:-1]).all()
            assert not is_late.any() or source.client is not None


def without_permissions(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Rows but those of preflights after which the request itself was sent."""
    is_late = rows["flags"] & FLAG_CLIENT_GONE > 0
    return rows[(rows["answer"] != Answer.PREFLIGHT) | is_late]


@whole_scenarios
@given(case=scenarios())
def test_calls_agree_with_a_recount_of_their_attempts(case: Case, folder: Path) -> None:
    scenario, simulation = simulated(case, folder)
    records = simulation.result.recorder.calls
    traffic = list(scenario.traffic.values())
    known = [at for at, source in enumerate(traffic) if source.client is not None]
    rows = simulation.rows[np.isin(simulation.rows["source"], known)]
    calls: dict[tuple[int, ...], list[Any]] = {}
    asked: dict[tuple[int, ...], int] = {}
    for row in rows:  # in order of arrival
        asked.setdefault(tuple(row[["source", "user", "ordinal"]]), int(row["arrival_ns"]))
    for row in without_permissions(rows):
        calls.setdefault(tuple(row[["source", "user", "ordinal"]]), []).append(row)
    n_calls = n_attempts = n_good = total_ns = 0
    for name, attempts in calls.items():
        if asked[name] < scenario.warm_up:
            continue
        last = max(attempts, key=lambda row: int(row["attempt"]) % PREFLIGHT_ATTEMPT)
        is_good = last["status"] // 100 == 2 and not last["flags"] & (
            FLAG_CLIENT_GONE | FLAG_CORS_BLOCKED
        )
        n_calls += 1
        n_attempts += len(attempts)
        n_good += is_good
        if is_good:
            total_ns += int(last["arrival_ns"] + last["latency_ns"]) - asked[name]
    assert records.sums["calls"].sum() == n_calls
    assert records.sums["attempts"].sum() == n_attempts
    assert records.sums["succeeded"].sum() == n_good == records.histograms["count"].sum()
    assert records.sums["latency_low"].sum() == total_ns
    measured = simulation.rows[simulation.rows["arrival_ns"] >= scenario.warm_up]
    assert records.late.sum() == (measured["flags"] & FLAG_CLIENT_GONE > 0).sum()


def tries_of(calls: NDArray[Any]) -> list[int]:
    """Attempts of each call, by ordinal."""
    return np.bincount(calls["ordinal"]).tolist()


def expected_calls(source: Source, folder: Path) -> int | None:
    """Calls of a log or of a uniform source in step; None where chance decides."""
    if source.trace is not None:
        header = source.trace.format == "tidy"
        return (folder / source.trace.file).read_text().count("\n") - header
    if source.arrivals.process != "uniform" or source.offset != 0:
        return None
    # Calls fall where the integrated rate reaches 0, 1, 2, ...: its end is exclusive.
    return ceil(sum(expected_of(phase) for phase in source.phases))


def expected_of(phase: Phase) -> Fraction:
    """Integral of a phase's rate."""
    if isinstance(phase, CountsPhase):
        return Fraction(sum(phase.counts))
    if isinstance(phase, OpenPhase):
        last = phase.rate if phase.ramp_to is None else phase.ramp_to
        return (phase.rate + last) / 2 * Fraction(phase.duration, 10**9)
    return Fraction(0)


@whole_scenarios
@given(case=scenarios())
def test_every_call_of_a_backend_is_a_row_s(case: Case, folder: Path) -> None:
    # Canaries, aliases of versions and functions call other backends than the route says, a target
    # that is down counts nothing, nor does Lambda what is too large, and an event runs as it may.
    case.data.pop("timeline", None)
    for endpoint in case.data.get("endpoints", {}).values():
        endpoint.pop("outages", None)
    for function in case.data.get("functions", {}).values():
        function.pop("additional_version", None)
        function.pop("calls", None)
    for api in case.data["apis"].values():
        for stage in (api.get("stage", {}), *api.get("stages", {}).values()):
            stage.pop("canary", None)
        for route in api["routes"].values():
            route.get("integration", {}).pop("invocation", None)
            if not is_plain_size(route.get("request_size")):
                del route["request_size"]
    scenario, simulation = simulated(case, folder)
    result, names = simulation.result, simulation.result.program.names
    reached: Counter[str] = Counter()
    for cell, n_integrated, n_authorized in calls_by_cell(simulation):
        if not names.cells[cell].route:
            continue
        route = scenario.apis[names.cells[cell].api].routes.get(names.cells[cell].route)
        if route is None:  # an OPTIONS method that `cors:` made: a mock without authorizer
            assert n_authorized == 0
            continue
        integration = route.integration
        backend = (integration and (integration.function or integration.endpoint)) or "mock"
        reached[backend] += n_integrated
        if route.authorizer is not None:
            reached[scenario.authorizers[route.authorizer].function] += n_authorized
    for name, pool in zip(names.functions, result.pools, strict=True):
        assert pool["invocations"] + pool["throttles"] == reached[name]
        assert pool["busy"] == 0
        assert pool["cold_starts"] <= pool["invocations"]
    taken: Counter[str] = Counter()
    for name, endpoint in zip(names.endpoints, result.endpoints, strict=True):
        taken[name.partition("/")[0]] += int(endpoint["served"] + endpoint["refused"])
        assert endpoint["busy"] == endpoint["waiting"] == 0
    assert taken == Counter({name: reached[name] for name in taken})
    executions = result.recorder.executions["invocations"].sum(axis=(0, 2))
    assert executions[: len(result.pools)].tolist() == result.pools["invocations"].tolist()


def calls_by_cell(simulation: Run) -> list[tuple[int, int, int]]:
    """Of each cell: rows that called the integration, rows that called the authorizer."""
    rows = simulation.rows
    n_cells = len(simulation.result.program.names.cells)
    integrated = tally(n_cells, rows["cell"][rows["integration_ns"] >= 0])
    authorized = tally(n_cells, rows["cell"][rows["authorizer_ns"] >= 0])
    return list(zip(range(n_cells), integrated, authorized, strict=True))


@whole_scenarios
@given(case=scenarios())
def test_refusals_of_buckets_and_entries_of_caches_are_those_of_the_rows(
    case: Case, folder: Path
) -> None:
    scenario, simulation = simulated(case, folder)
    rows, result = simulation.rows, simulation.result
    for level, answer in enumerate(LEVEL_ANSWERS):
        refused = result.buckets["refused"][result.buckets["kind"] == level].sum()
        assert refused == (rows["answer"] == answer).sum()
    stages = {f"{name}/{api.stage.name}" for name, api in scenario.apis.items()}
    stage_caches = [n for n, plan in enumerate(result.program.caches) if plan.name in stages]
    caches = result.caches[stage_caches]
    kept = (caches["entries"] + caches["evictions"] + caches["expirations"]).sum()
    cached = [Answer.SERVED]
    if result.program.scenario.settings.cache_statuses == "all":
        cached += [Answer.ENDPOINT_ERROR, Answer.ENDPOINT_FULL]
    stored = (rows["cache"] == 2) & np.isin(rows["answer"], cached)
    assert kept <= stored.sum()
    from_cache = [Answer.CACHE_HIT, Answer.CACHED_ERROR, Answer.CACHED_FULL]
    assert np.isin(rows["answer"], from_cache).sum() == (rows["cache"] == 1).sum()
