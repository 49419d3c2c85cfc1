"""Bills of logs and traces, by hand: what was counted, by the price list's numbers."""

import json
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from apisim.gateway.status import Answer
from apisim.results.result import Result
from apisim.scenario import ScenarioError, loads
from apisim.studies import run
from tests.equivalence.engines import Run, lowered
from tests.equivalence.engines import run as replicate
from tests.support.sockets import chat
from tests.unit.test_neighbour_bills import bill_of, evenly

GB = 1 << 30
UUID = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"
HASH = "5eaca0ecada617668d4d59f66bf32f963e95d17ca326aad52b85465d04c429f5"


def data_of(
    stage: dict[str, Any], function: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """100 requests in 100 s to a function that takes 12.34 ms and is started once."""
    integration = {"type": "lambda_proxy", "function": "f"}
    kind = more.pop("type", "rest")
    return {
        "apisim": 1,
        "profile": "ideal",
        "apis": {
            "a": {
                "type": kind,
                "stage": stage,
                "routes": {
                    "POST /x": {
                        "integration": integration,
                        "request_size": "700B",
                        "response_size": "3000B",
                        **more.pop("route", {}),
                    }
                },
            }
        },
        "functions": {"f": {"duration": "12.34ms", **(function or {})}},
        "traffic": {"web": evenly("1", "100s", {"POST /x": 1})},
        **more,
    }


def simulated(*args: Any, **more: Any) -> Result:
    return run(loads(json.dumps(data_of(*args, **more))), engine="simpy")


def replicated(*args: Any, **more: Any) -> Run:
    return replicate(lowered(loads(json.dumps(data_of(*args, **more)))), "simpy")


def test_an_access_log_is_ordinary_ingestion() -> None:
    result = simulated({"access_log": "$context.requestId $context.status"})
    each = len(f"{UUID} 200")
    assert bill_of(result.bill.run)["cloudwatch.logs.ingest"] == Fraction(100 * each, GB)
    assert "cloudwatch.logs.ingest_vended" not in bill_of(result.bill.run)


def test_a_month_has_what_is_written_and_what_is_held() -> None:
    """1/s in a month of 730 h; of 40 bytes each, a week's worth is held all the time."""
    result = simulated(
        {"access_log": "$context.requestId $context.status", "log_retention": "7d"},
        pricing={"month": "project", "represents": "steady"},
    )
    written = Fraction(730 * 3600 * 40, GB)
    line = result.bill.month.line("cloudwatch.logs.ingest")
    assert line.quantity == written
    assert line.amount == written * Fraction("0.5")
    assert "cloudwatch.logs.storage" in bill_of(result.bill.month)
    line = result.bill.month.line("cloudwatch.logs.storage")
    assert line.quantity == Fraction(7 * 86_400 * 40, GB)
    assert line.amount == line.quantity * Fraction("0.03")
    assert not any("never expires" in note for note in result.bill.month.notes)


def test_of_a_log_that_never_expires_storage_is_not_counted_and_that_is_said() -> None:
    result = simulated({"access_log": "json"}, pricing={"month": "project", "represents": "steady"})
    assert "cloudwatch.logs.storage" not in bill_of(result.bill.month)
    assert any("access log of a/prod: it never expires" in one for one in result.bill.month.notes)


def test_traces_are_billed_by_the_million() -> None:
    """1 of each second and all others: 100 of 100."""
    result = simulated({"tracing": {"reservoir": 1, "rate": "0%"}})
    assert bill_of(result.bill.run)["xray.traces.recorded"] == 100
    month = simulated(
        {"tracing": True}, pricing={"month": "project", "represents": "steady"}
    ).bill.month
    assert month.line("xray.traces.recorded").amount == Fraction(730 * 3600 * 5, 1_000_000)


def report(duration: str, billed: int, init: str = "") -> str:
    """The lines of one invocation, as CloudWatch shows them."""
    cold = f"Init Duration: {init} ms\t" if init else ""
    arn = f"arn:aws:lambda:us-east-1::runtime:{HASH}"
    before = f"INIT_START Runtime Version: nodejs:20.v1234\tRuntime Version ARN: {arn}\n"
    return (
        (before if init else "")
        + f"START RequestId: {UUID} Version: $LATEST\nEND RequestId: {UUID}\n"
        + f"REPORT RequestId: {UUID}\tDuration: {duration} ms\tBilled Duration: {billed} ms\t"
        + f"Memory Size: 128 MB\tMax Memory Used: 67 MB\t{cold}\n"
    )


def test_a_function_s_log_has_lambda_s_lines_and_its_own() -> None:
    """One cold start, whose INIT of 200 ms is billed, and 99 invocations that are warm."""
    result = simulated({}, {"log_size": "300B", "init": "200ms"})
    warm = len(report("12.34", 13))
    cold = len(report("212.34", 213, "200.00"))
    expected = cold + 99 * warm + 100 * 300
    assert bill_of(result.bill.run)["cloudwatch.logs.ingest_vended"] == Fraction(expected, GB)


@pytest.mark.parametrize(
    ("function", "is_logged"), [({}, 0), ({"logs": True}, 1), ({"log_size": "0B"}, 1)]
)
def test_functions_log_where_they_are_said_to(function: dict[str, Any], is_logged: int) -> None:
    found = replicated({}, function)
    assert (found.result.recorder.executions["log_bytes"].sum() > 0) == bool(is_logged)


def executions(found: Run) -> int:
    return int(found.result.recorder.usage["execution_bytes"].sum())


def test_an_execution_log_has_so_much_of_each_request() -> None:
    size = {"settings": {"execution_log_size": "900B"}}
    throttled = {"throttle": {"rate_limit": "0.5", "burst_limit": 1}, "execution_log": "info"}
    found = replicated(throttled, **size)
    n_errors = int((found.rows["status"] >= 400).sum())
    assert 0 < n_errors < 100
    assert executions(found) == 100 * 900
    throttled["execution_log"] = {"level": "error"}
    assert executions(replicated(throttled, **size)) == n_errors * 900


def test_data_traces_have_bodies_of_at_most_1024_bytes() -> None:
    """The method's and the integration's, there and back; where none is called, the method's."""
    stage = {"execution_log": {"level": "info", "data_trace": True}}
    assert executions(replicated(stage)) == 100 * (1024 + 2 * (700 + 1024))
    stage["throttle"] = {"rate_limit": 0, "burst_limit": 0}
    refused = len('{"message":"Too Many Requests"}')
    assert executions(replicated(stage)) == 100 * (1024 + 700 + refused)


def test_a_canary_s_requests_are_in_both_execution_logs() -> None:
    stage = {"execution_log": "info", "canary": {"percent_traffic": 100}}
    assert executions(replicated(stage)) == 2 * 100 * 1024


def test_websocket_apis_log_messages_and_no_pushes() -> None:
    """Six users say something each second, and somebody tells all of them the news."""
    session = {"length": "10s", "population": 6, "connect_over": "6us", "until": "20s"}
    pushes = {"news": {"rate": "1/s", "arrivals": "uniform", "to": "all", "by": "s"}}
    data = chat(
        {**session, "messages": "1/s"},
        {"$connect": {"integration": {"type": "mock"}}},
        stage={"access_log": "clf", "execution_log": "info"},
        source={"pushes": pushes},
        senders={"s": {"call_time": 0}},
    )
    found = replicate(lowered(loads(json.dumps(data))), "simpy")
    lines = {"$connect": "CONNECT $connect", "say": "MESSAGE say"}
    total = n_lines = 0
    for row in found.rows:
        cell = found.result.program.names.cells[row["cell"]]
        if cell.route not in lines:
            continue
        n_lines += 1
        line = (
            f'198.51.100.12 - - [14/Nov/2023:22:13:20 +0000] "{lines[cell.route]} '
            f'L0SM9cOFvHcCIhw=" {row["status"]} L0SNGdnUvHcFV_g='
        )
        total += len(line)
    assert n_lines < len(found.rows)
    assert int(found.result.recorder.usage["log_bytes"].sum()) == total
    assert executions(found) == n_lines * 1024


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "http", "stage": {"execution_log": "info"}}, "HTTP APIs have no execution logs"),
        ({"stage": {"log_retention": "8d"}}, "CloudWatch Logs does not keep logs for 8d"),
        ({"stage": {"log_retention": "36h"}}, "CloudWatch Logs does not keep logs for 36h"),
        ({"stage": {"execution_log": "warn"}}, "must be one of error, info"),
    ],
)
def test_what_there_is_not_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        loads(json.dumps(data_of(change.pop("stage"), **change)))
    assert re.search(re.escape(message), refused.value.problems[0].message)


def test_both_engines_count_the_same() -> None:
    stage = {
        "access_log": "xml",
        "execution_log": {"level": "info", "data_trace": True},
        "tracing": True,
        "canary": {"percent_traffic": 30},
    }
    function = {"log_size": "1KB", "init": "200ms", "errors": "10%"}
    program = lowered(loads(json.dumps(data_of(stage, function))))
    golden, compiled = (
        replicate(program, engine).result.recorder for engine in ("simpy", "compiled")
    )
    for column in ("log_bytes", "execution_bytes", "traces"):
        assert np.array_equal(golden.usage[column], compiled.usage[column])
        assert golden.usage[column].any()
    assert np.array_equal(golden.executions, compiled.executions)
    assert golden.executions["log_bytes"].any()
    assert golden.usage["log_bytes"][:, :, Answer.FUNCTION_ERROR].any()
