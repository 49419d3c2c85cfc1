"""Functions in whole runs: versions behind an alias, what is held ready, what is billed."""

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from apisim.engine.run import Replication
from apisim.gateway.status import Answer
from apisim.pricing import FunctionUsage, Usage, load_book
from apisim.pricing.project import month_quantities
from apisim.pricing.windows import Window
from apisim.results.usage import run_usage
from apisim.scenario.pricing import Represents
from tests.support.experiments import (
    MOCK,
    Data,
    answered,
    function_api,
    one_source,
    prepare,
    rows_of,
    run,
    scenario,
)

EVEN = {"arrivals": "uniform", "offset": 0}


def done_with(function: Data, rate: str, length: str, **more: Any) -> Replication:
    traffic = one_source(rate, length, **more.pop("traffic", {}))
    return run(prepare(scenario(**function_api(function), traffic=traffic, **more)))


def used(done: Replication) -> dict[str, FunctionUsage]:
    return {function.name: function for function in run_usage(done).functions}


def test_an_alias_gives_each_version_its_share_and_environments_of_its_own() -> None:
    """A share of 10 % of 40,000 within four standard deviations: 4,000 +- 240."""
    function = {
        "duration": "10ms",
        "init": "100ms",
        "additional_version": {
            "version": "v2",
            "weight": "10%",
            "duration": "30ms",
            "init": "0s",
            "errors": "100%",
        },
    }
    program = prepare(
        scenario(**function_api(function), traffic=one_source("1000/s", "40s"), seed=3)
    )
    done, rows = rows_of(program)
    assert program.names.functions == ("f", "f:v2")
    first, second = done.pools
    assert first["invocations"] + second["invocations"] == len(rows)
    assert abs(second["invocations"] - len(rows) / 10) < 240
    assert answered(done, Answer.FUNCTION_ERROR) == second["invocations"] == second["errors"]
    assert min(first["cold_starts"], second["cold_starts"]) > 1
    failed = rows[rows["answer"] == Answer.FUNCTION_ERROR]
    assert set(failed["integration_ns"].tolist()) == {30_000_000}
    usage = used(done)
    assert usage["f:v2"].billed_ms == 30 * second["invocations"]
    assert usage["f"].billed_ms == 10 * first["invocations"] + 100 * first["cold_starts"]


def test_versions_share_the_reserve_of_their_function() -> None:
    function = {
        "duration": "100ms",
        "reserved_concurrency": 4,
        "additional_version": {"weight": "50%"},
    }
    _, rows = rows_of(
        prepare(scenario(**function_api(function), traffic=one_source("200/s", "20s")))
    )
    ran = rows[rows["answer"] == Answer.SERVED]
    starts, ends = ran["arrival_ns"], ran["arrival_ns"] + ran["latency_ns"]
    busy = [int(((starts <= at) & (ends > at)).sum()) for at in starts]
    assert max(busy) == 4


def test_what_is_provisioned_is_billed_by_time_and_what_runs_on_it_at_its_own_price() -> None:
    """One call a second of 100 ms for a minute, on 2 environments of 1 GB that are held ready."""
    function = {"duration": "100ms", "init": "1s", "memory": "1GB", "provisioned_concurrency": 2}
    done = done_with(function, "1/s", "60s", traffic=EVEN)
    usage = used(done)["f"]
    assert (usage.invocations, usage.billed_ms, usage.provisioned_ms) == (60, 0, 6_000)
    assert done.pools[0]["cold_starts"] == 0
    quantities = Usage(functions=(usage,)).quantities(load_book("aws-us-east-1"))
    assert quantities == {
        "lambda.requests": Fraction(60),
        "lambda.provisioned_duration.x86": Fraction(6),
        "lambda.provisioned_concurrency.x86": Fraction(120),
    }


def test_a_month_holds_what_is_provisioned_for_all_its_hours() -> None:
    """An hour of it scales to a month in calls, and to a month in what is held ready."""
    hour = Window(
        name="hour",
        duration_ns=3_600 * 10**9,
        usage=Usage(
            functions=(
                FunctionUsage(
                    name="f",
                    memory_mb=1_024,
                    invocations=10,
                    billed_ms=1_000,
                    provisioned_concurrency=2,
                    provisioned_ms=2_000,
                    provisioned_ns=3_600 * 10**9,
                ),
            )
        ),
    )
    quantities = month_quantities(
        [[hour]],
        load_book("aws-us-east-1"),
        represents=Represents("steady"),
        hours=730,
        start=datetime(2026, 6, 1, tzinfo=UTC),
    )
    assert quantities == {
        "lambda.requests": Fraction(7_300),
        "lambda.duration.x86": Fraction(730),
        "lambda.provisioned_duration.x86": Fraction(1_460),
        "lambda.provisioned_concurrency.x86": Fraction(2 * 730 * 3_600),
    }


def test_what_spills_over_is_billed_on_demand() -> None:
    function = {"duration": "100ms", "init": "1s", "provisioned_concurrency": 1}
    usage = used(done_with(function, "20/s", "1s", traffic=EVEN))["f"]
    # The calls at 0, 100, 200 ms ... find it free; those between start two more and use them.
    assert usage.provisioned_ms == 1_000
    assert usage.billed_ms == 10 * 100 + 10 * 1_000


@pytest.mark.parametrize(
    ("settings", "billed"),
    [
        ({}, 1_100),
        ({"lambda_init_billed": False}, 100),
        ({"environment_setup": "70ms"}, 1_100),
        ({"environment_setup": "70ms", "lambda_init_billed": False}, 100),
    ],
)
def test_init_may_be_left_out_of_the_bill_and_what_comes_before_it_always_is(
    settings: Data, billed: int
) -> None:
    function = {"duration": "100ms", "init": "1s"}
    data = scenario(**function_api(function), traffic=one_source("1/s", "1s", **EVEN))
    done, rows = rows_of(prepare({**data, "settings": settings}))
    assert used(done)["f"].billed_ms == billed
    assert rows["latency_ns"].tolist() == [
        1_100_000_000 + 70_000_000 * (len(settings) > 0) * ("environment_setup" in settings)
    ]


def test_others_take_their_requests_out_of_the_accounts_bucket() -> None:
    """Of 1,000/s others make 400: of 1,000/s evenly for 20 s, 600/s and the burst are admitted."""
    account = {
        "throttle": {"rate_limit": "1000/s", "burst_limit": 500},
        "background": {"requests": "400/s"},
    }
    api = {"type": "rest", "routes": {"GET /": MOCK}}
    traffic = one_source("1000/s", "20s", **EVEN)
    done = run(prepare(scenario(apis={"api": api}, traffic=traffic, account=account)))
    assert abs(answered(done, Answer.SERVED) - (500 + 600 * 20)) <= 1


def test_a_function_ends_after_three_seconds_unless_it_says_more() -> None:
    integration = {"type": "lambda_proxy", "function": "f"}
    apis = {"api": {"type": "rest", "routes": {"GET /": {"integration": integration}}}}
    results = []
    for function in ({"duration": "5s"}, {"duration": "5s", "timeout": "10s"}):
        traffic = one_source("1/s", "1s", **EVEN)
        data = scenario(apis=apis, functions={"f": function}, traffic=traffic)
        _, rows = rows_of(prepare(data))
        results.append((Answer(int(rows["answer"][0])), int(rows["latency_ns"][0])))
    assert results == [(Answer.FUNCTION_ERROR, 3 * 10**9), (Answer.SERVED, 5 * 10**9)]


def test_an_error_through_a_custom_integration_is_no_entry_of_the_cache() -> None:
    integration = {"type": "lambda", "function": "f"}
    route = {"integration": integration, "cache": {"keys": [], "ttl": "5m"}}
    apis = {
        "api": {
            "type": "rest",
            "stage": {"cache_cluster_size": "0.5"},
            "routes": {"GET /": route},
        }
    }
    traffic = one_source("10/s", "2s", **EVEN)
    function = {"duration": "1ms", "errors": "100%"}
    done = run(prepare(scenario(apis=apis, functions={"f": function}, traffic=traffic)))
    assert answered(done, Answer.FUNCTION_ERROR_AS_200) == 20
    assert np.array(done.caches)["entries"].sum() == 0
