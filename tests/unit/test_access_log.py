"""Access logs: bytes that are counted are those of lines that a few plain lines of Python write."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from apisim.engine.lowering.logs import logged_call
from apisim.gateway.access_log import render
from apisim.gateway.status import ANSWERS, Answer
from apisim.scenario import Scenario, ScenarioError, loads
from apisim.scenario.access_log import PRESETS
from tests.equivalence.engines import Run, lowered, run
from tests.golden.outcomes import CASES

#: Every kind of variable, some twice, and what is no ASCII.
_LONG: Final = {
    "rest": "é $context.requestId $context.extendedRequestId $context.status $context.httpMethod "
    "$context.resourcePath $context.path $context.stage $context.protocol $context.responseLength "
    "$context.responseLength $context.responseLatency $context.integrationLatency "
    "$context.authorizer.latency $context.authorizer.status $context.authorizer.requestId "
    "$context.integration.status $context.integration.requestId $context.error.message "
    "$context.error.messageString $context.identity.sourceIp $context.identity.caller "
    "$context.requestTimeEpoch $context.requestTime $context.domainName $context.isCanaryRequest "
    "$context.wafResponseCode $context.xrayTraceId $context.authorizer.principalId",
    "http": "é $context.requestId $context.extendedRequestId $context.status $context.httpMethod "
    "$context.routeKey $context.path $context.stage $context.protocol $context.responseLength "
    "$context.dataProcessed $context.responseLatency $context.integration.latency "
    "$context.authorizer.latency $context.authorizer.status $context.authorizer.requestId "
    "$context.integrationStatus $context.integration.requestId $context.error.message "
    "$context.error.messageString $context.identity.sourceIp $context.identity.caller "
    "$context.requestTimeEpoch $context.requestTime $context.domainName",
}
#: Who never gets as far as a stage, or is refused before there is a response type for it.
_SILENT: Final = (
    *("SIGN_IN_THROTTLED", "MTLS_FAILED", "NO_MAPPING", "PRIVATE_REFUSED"),
    *("URL_TOO_LONG", "HEADERS_TOO_LARGE"),
)
#: Where something behind the gateway said something.
_BEHIND: Final = {
    **dict.fromkeys(("SERVED", "CORS_BLOCKED", "ANSWER_TOO_LARGE"), "200"),
    **dict.fromkeys(("FUNCTION_ERROR", "FUNCTION_MALFORMED", "FUNCTION_ANSWER_TOO_LARGE"), "200"),
    **{f"FUNCTION_ERROR_AS_{status}": "200" for status in (200, 400, 500)},
    "EVENT_ACCEPTED": "202",
    "SERVICE_THROTTLED": "400",
    "FUNCTION_REQUEST_TOO_LARGE": "413",
    "FUNCTION_THROTTLED": "429",
    "SERVICE_ERROR": "500",
    "ENDPOINT_ERROR": "500",
    "TARGET_DOWN": "502",
    "ENDPOINT_FULL": "503",
}


def ms(time_ns: int) -> str:
    return str(time_ns // 1_000_000) if time_ns >= 0 else "-"


def written(row: np.void, found: Run, format_: str) -> str:
    """The line of one request, from what the request file says of it."""
    program = found.result.program
    cell = program.names.cells[row["cell"]]
    api = program.scenario.apis[cell.api]
    answer = Answer(int(row["answer"])).name
    body = getattr(ANSWERS[Answer(int(row["answer"]))], f"{api.type}_body") or "{}"
    said = json.loads(body)
    message = said.get("message") or said.get("Message") or "-"
    route = "" if cell.route == "OPTIONS *" else cell.route
    path = route.partition(" ")[2]
    function = row["authorizer_ns"] >= 0
    values = {
        "requestId": "x" * (36 if api.type == "rest" else 16),
        "extendedRequestId": "JJbxnHpoPHcF3xA=",
        "status": str(row["status"]),
        "httpMethod": cell.method,
        "resourcePath": path or "-",
        "routeKey": route or "-",
        "path": ("" if api.stage.name == "$default" else f"/{api.stage.name}") + (path or "/"),
        "stage": api.stage.name,
        "protocol": "HTTP/1.1",
        "responseLength": str(row["response_bytes"]),
        "dataProcessed": str(row["request_bytes"] + row["response_bytes"]),
        "responseLatency": ms(row["gateway_ns"]),
        "integrationLatency": ms(row["integration_ns"]),
        "integration.latency": ms(row["integration_ns"]),
        "authorizer.latency": ms(row["authorizer_ns"]),
        "authorizer.status": "200" if function else "-",
        "authorizer.requestId": "x" * 36 if function else "-",
        "authorizer.principalId": "-",
        "integration.status": _BEHIND.get(answer, "-"),
        "integrationStatus": _BEHIND.get(answer, "-"),
        "integration.requestId": "x" * 36 if answer in _BEHIND else "-",
        "error.message": message,
        "error.messageString": message if message == "-" else f'"{message}"',
        "identity.sourceIp": "192.0.2.10:12"[:13],
        "identity.caller": "-",
        "identity.user": "-",
        "requestTimeEpoch": "1700000000000",
        "requestTime": "14/Nov/2023:22:13:20 +0000",
        "domainName": "abcde12345.execute-api.us-east-1.amazonaws.com",
        "isCanaryRequest": "true" if cell.variant == "canary" else "false",
        "wafResponseCode": {True: "WAF_ALLOW", False: "-"}[api.stage.waf is not None]
        if answer != "WAF_BLOCKED"
        else "WAF_BLOCK",
        "xrayTraceId": "-",
    }
    return re.sub(r"\$context\.([\w.]*\w)", lambda match: values[match[1]], format_)


def expected(found: Run, format_: str) -> int:
    """Bytes of all lines: two of each canary's request."""
    total = 0
    for row in found.rows:
        if Answer(int(row["answer"])).name in _SILENT:
            continue
        is_canary = found.result.program.names.cells[row["cell"]].variant == "canary"
        total += len(written(row, found, format_).encode()) * (2 if is_canary else 1)
    return total


def counted(found: Run) -> int:
    return int(found.result.recorder.usage["log_bytes"].sum())


def rendered(found: Run) -> int:
    """Bytes of all lines as the package writes them."""
    program, total = found.result.program, 0
    for row in found.rows:
        cell = program.names.cells[row["cell"]]
        call = logged_call(program.scenario, cell, program.tables.status)
        assert call is not None
        latency = int(row["gateway_ns"]) // 1_000_000
        numbers = {
            "response": int(row["response_bytes"]),
            "processed": int(row["request_bytes"] + row["response_bytes"]),
            "latency": latency,
            "integration": int(row["integration_ns"]) // 1_000_000,
            "authorizer": int(row["authorizer_ns"]) // 1_000_000,
        }
        line = render(call, Answer(int(row["answer"])), numbers, {})
        total += len(line.encode()) * (2 if call.is_canary else 1)
    return total


PAIRS = [(case, kind) for case in CASES for kind in case.types]


@pytest.mark.parametrize(
    ("case", "kind"), PAIRS, ids=[f"{case.answer.name.lower()}-{kind}" for case, kind in PAIRS]
)
def test_bytes_are_those_of_the_lines_whatever_the_answer(
    case: Any, kind: str, tmp_path: Path
) -> None:
    logged = dataclasses.replace(case, stage={**case.stage, "access_log": _LONG[kind]})
    if "stages" in case.api:
        pytest.skip("its stages are written elsewhere")
    found = run(lowered(logged.scenario(kind, "aws", tmp_path)), "simpy")
    assert case.answer in found.rows["answer"]
    assert counted(found) == expected(found, _LONG[kind]) == rendered(found)


def scenario(kind: str, log: str, **stage: Any) -> Scenario:
    """Requests of all sorts of sizes and times, of which a throttle refuses some."""
    data = {
        "apisim": 1,
        "apis": {
            "a": {
                "type": kind,
                "stage": {"access_log": log, **stage},
                "routes": {
                    "GET /items/{id}": {
                        "integration": {"type": "http_proxy", "endpoint": "e"},
                        "request_size": {"uniform": ["1B", "3KB"]},
                        "response_size": {"p50": "500B", "p99": "20KB"},
                        "throttle": {"rate_limit": 15, "burst_limit": 5},
                    }
                },
            }
        },
        "endpoints": {"e": {"servers": 9, "service_time": {"p50": "30ms", "p99": "1500ms"}}},
        "traffic": {
            "web": {
                "phases": [{"duration": "20s", "rate": 20}],
                "mix": {"GET /items/7": 1},
            }
        },
    }
    return loads(json.dumps(data))


@pytest.mark.parametrize("kind", ["rest", "http"])
@pytest.mark.parametrize("preset", [*PRESETS["rest"]])
def test_presets_are_the_console_s(kind: str, preset: str) -> None:
    found = run(lowered(scenario(kind, preset)), "simpy")
    assert counted(found) == expected(found, PRESETS[kind][preset]) > 100 * len(found.rows)


def test_both_engines_count_the_same_bytes() -> None:
    canary = {"canary": {"percent_traffic": 30}}
    program = lowered(scenario("rest", _LONG["rest"], **canary))
    golden, compiled = run(program, "simpy"), run(program, "compiled")
    assert counted(golden) == counted(compiled) == expected(compiled, _LONG["rest"])
    variants = [cell.variant for cell in program.names.cells]
    assert {variants[at] for at in golden.rows["cell"]} == {"stable", "canary"}


def test_a_canary_s_requests_are_logged_in_both_groups() -> None:
    log = "$context.requestId"
    whole = run(lowered(scenario("rest", log, canary={"percent_traffic": 100})), "simpy")
    assert counted(whole) == 2 * 36 * len(whole.rows)


def test_what_is_not_logged_costs_nothing() -> None:
    data = scenario("rest", "json")
    stage = data.apis["a"].stage.model_copy(update={"access_log": None})
    api = data.apis["a"].model_copy(update={"stage": stage})
    program = lowered(data.model_copy(update={"apis": {"a": api}}))
    assert len(program.tables.log_lines) == 0
    lines: NDArray[np.void] = program.tables.log_lines
    assert lines.nbytes == 0


@pytest.mark.parametrize(
    ("kind", "log", "message", "hint"),
    [
        ("rest", "$context.requestId $context.routeKey", "REST APIs' access logs have no", ""),
        ("http", "$context.requestId $context.resourcePath", "HTTP APIs' access logs have no", ""),
        ("rest", "$context.status", "neither requestId nor extendedRequestId", "requestId"),
        ("rest", "$context.requestId $context.responseLatancy", "have no", "responseLatency?"),
        ("http", "jsno", "no $context variable and is no preset", "json?"),
        ("http", "$context.requestId" + "x" * 3072, "above the 3,072 maximum", ""),
        ("http", "$context.requestId\n$context.status", "single line", ""),
    ],
)
def test_a_format_that_aws_would_not_take_is_refused(
    kind: str, log: str, message: str, hint: str
) -> None:
    with pytest.raises(ScenarioError) as refused:
        scenario(kind, log)
    problem = refused.value.problems[0]
    assert message in problem.message
    assert hint in problem.hint
    assert problem.path == "apis.a.stage.access_log"
