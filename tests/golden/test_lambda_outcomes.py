"""Every way in which a Lambda function can fail a caller: what the caller gets and what is billed.

One line each, read in the developer guides of API Gateway ("Lambda proxy integrations", "Handle
Lambda errors", "HTTP API Lambda integrations") and Lambda ("services-apigateway"): failure, type
of API, integration, status, body, x-amzn-ErrorType, the statistic that names the cause, billed
invocations of ten calls.
"""

from pathlib import Path
from typing import Any

import pytest

from apisim.gateway.status import Answer
from apisim.studies import run
from tests.golden.outcomes import Case

_BODY = '{"message":"Internal server error"}'
_HTTP_BODY = '{"message":"Internal Server Error"}'
_ERROR_TYPE = "InternalServerErrorException"

FAILURES: dict[str, dict[str, Any]] = {
    "error": {"functions": {"f": {"duration": "5ms", "errors": "100%"}}},
    "time-out": {"functions": {"f": {"duration": "5s"}}},
    "malformed": {"functions": {"f": {"duration": "5ms", "malformed": "100%"}}},
    "reserve-of-0": {"functions": {"f": {"duration": "5ms", "reserved_concurrency": 0}}},
    "account-full": {"account": {"lambda_concurrency": 0}},
    "others": {"account": {"lambda_concurrency": 7, "background": {"lambda_concurrency": 7}}},
    "growth": {
        # Each is gone before the next call, so each call needs a new one.
        "functions": {"f": {"duration": "5ms"}},
        "settings": {"lambda_scaling": 1, "idle_expiry": "1ms"},
    },
    "rate": {
        "functions": {"f": {"duration": "1ms", "reserved_concurrency": 1}},
        "settings": {"lambda_request_rate": 1},
    },
}

TABLE = """
error        rest lambda_proxy 502 json    typed errors            10
error        http lambda_proxy 500 json    -     errors            10
error        rest lambda       200 backend -     errors            10
time-out     rest lambda_proxy 502 json    typed timeouts          10
time-out     http lambda_proxy 500 json    -     timeouts          10
time-out     rest lambda       200 backend -     timeouts          10
malformed    rest lambda_proxy 502 json    typed -                 10
malformed    http lambda_proxy 500 json    -     -                 10
malformed    rest lambda       200 backend -     -                 10
reserve-of-0 rest lambda_proxy 500 json    typed throttles         0
reserve-of-0 http lambda_proxy 500 json    -     throttles         0
reserve-of-0 rest lambda       500 json    typed throttles         0
account-full rest lambda_proxy 500 json    typed throttles         0
account-full http lambda_proxy 500 json    -     throttles         0
account-full rest lambda       500 json    typed throttles         0
others       rest lambda_proxy 500 json    typed throttles         0
others       http lambda_proxy 500 json    -     throttles         0
others       rest lambda       500 json    typed throttles         0
growth       rest lambda_proxy 500 json    typed scaling_throttles 1
growth       http lambda_proxy 500 json    -     scaling_throttles 1
growth       rest lambda       500 json    typed scaling_throttles 1
rate         rest lambda_proxy 500 json    typed rate_throttles    1
rate         http lambda_proxy 500 json    -     rate_throttles    1
rate         rest lambda       500 json    typed rate_throttles    1
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
IDS = ["-".join(row[:3]) for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_failure_is_what_the_table_says(row: list[str], tmp_path: Path) -> None:
    failure, kind, integration, status, body, error_type, statistic, invocations = row
    case = Case(
        Answer.SERVED,
        route={"integration": {"type": integration, "function": "f"}},
        source={
            "arrivals": "uniform",
            "offset": 0,
            "phases": [{"duration": "400ms", "rate": "25/s"}],
        },
        top=FAILURES[failure],
    )
    result = run(case.scenario(kind, "ideal", tmp_path))
    stats = result.functions["f"]
    answers = [one for one in result.answers if one.status == int(status)]
    if invocations == "1":  # the first call is served
        assert sum(one.requests for one in result.answers) == 10
        answers = [one for one in answers if one.refused_by == "backend"]
    told = [(one.answer, one.status) for one in result.answers]
    assert len(answers) == 1, f"one answer of status {status} among {told}"
    (answer,) = answers
    assert answer.requests == 10 - (invocations == "1")
    text = {"rest": _BODY, "http": _HTTP_BODY if int(invocations) == 10 else _BODY}[kind]
    assert answer.body == ("" if body == "backend" else text)
    headers = [one for one in answer.headers if one.startswith("x-amzn-ErrorType")]
    assert headers == ([f"x-amzn-ErrorType: {_ERROR_TYPE}"] if error_type == "typed" else [])
    assert answer.billed
    assert stats.invocations == int(invocations)
    if statistic != "-":
        assert getattr(stats, statistic) == answer.requests
