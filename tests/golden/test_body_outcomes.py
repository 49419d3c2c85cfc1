"""Bodies that are too large, by integration and type of API: what the caller gets, what ran.

One line each. A result over 6 MB is an error that Lambda makes ("Function.ResponseSizeTooLarge",
seen as 502 on REST APIs), an event over 6 MB is refused by Lambda (413 with this body and error
type, captured on a REST API), and the gateway passes on 10 MB at most (re:Post, "5xx errors for API
Gateway": "Backend payload size exceeding 10 MB"). The columns: what is large, type of API,
integration, its templates' ratios, status, body, x-amzn-ErrorType, calls of ten that reached the
backend and were worked on.
"""

from pathlib import Path
from typing import Any, Final

import pytest

from apisim.gateway.status import Answer
from apisim.studies import run
from tests.golden.outcomes import Case

_BODIES: Final = {
    "broken": '{"message":"Internal server error"}',
    "Broken": '{"message":"Internal Server Error"}',
    "long": '{"message":"Request Too Long"}',
    "backend": "",
}
_LARGE: Final[dict[str, dict[str, Any]]] = {
    "answer-7MB": {"response_size": "7MB"},
    "answer-11MB": {"response_size": "11MB"},
    "request-7MB": {"request_size": "7MB"},
    "request-11MB": {"request_size": "11MB"},
}
_TARGETS: Final = {
    "lambda_proxy": {"function": "f"},
    "lambda": {"function": "f"},
    "http_proxy": {"endpoint": "e"},
    "http": {"endpoint": "e"},
    "aws_service": {"service": "q"},
}

TABLE = """
answer-7MB   rest lambda_proxy -            502 broken  InternalServerErrorException 10
answer-7MB   http lambda_proxy -            500 Broken  -                            10
answer-7MB   rest lambda       -            200 backend -                            10
answer-7MB   rest http_proxy   -            200 backend -                            10
answer-7MB   http http_proxy   -            200 backend -                            10
answer-7MB   rest http         -            200 backend -                            10
answer-7MB   rest http         response:1.5 500 broken  InternalServerErrorException 10
answer-7MB   rest aws_service  response:1.5 500 broken  InternalServerErrorException 10
answer-7MB   rest lambda       response:0.1 200 backend -                            10
answer-11MB  rest lambda_proxy -            502 broken  InternalServerErrorException 10
answer-11MB  http lambda_proxy -            500 Broken  -                            10
answer-11MB  rest http_proxy   -            500 broken  InternalServerErrorException 10
answer-11MB  http http_proxy   -            500 Broken  -                            10
answer-11MB  rest http         -            500 broken  InternalServerErrorException 10
answer-11MB  rest http         response:0.1 500 broken  InternalServerErrorException 10
answer-11MB  rest aws_service  -            500 broken  InternalServerErrorException 10
answer-11MB  http aws_service  -            500 Broken  -                            10
request-7MB  rest lambda_proxy -            413 long    BadRequestException          0
request-7MB  http lambda_proxy -            413 long    -                            0
request-7MB  rest lambda       -            413 long    BadRequestException          0
request-7MB  rest lambda       request:0.5  200 backend -                            10
request-7MB  rest http_proxy   -            200 backend -                            10
request-7MB  http http_proxy   -            200 backend -                            10
request-11MB rest lambda       request:0.5  413 long    -                            0
request-11MB rest http_proxy   -            413 long    -                            0
request-11MB http lambda_proxy -            413 long    -                            0
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
IDS = ["-".join(row[:4]) for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_body_that_is_too_large_is_answered_as_the_table_says(
    row: list[str], tmp_path: Path
) -> None:
    large, kind, integration, mapping, status, body, error_type, worked_on = row
    target: dict[str, Any] = {"type": integration, **_TARGETS[integration]}
    if mapping != "-":
        which, _, ratio = mapping.partition(":")
        target["transformation"] = {f"{which}_ratio": float(ratio)}
    case = Case(
        Answer.SERVED,
        route={"integration": target, **_LARGE[large]},
        source={
            "arrivals": "uniform",
            "offset": 0,
            "phases": [{"duration": "400ms", "rate": "25/s"}],
        },
        top={
            "functions": {"f": {"duration": "5ms"}},
            "endpoints": {"e": {"servers": 5, "service_time": "5ms"}},
            "services": {"q": {"type": "sqs", "latency": "5ms"}},
        },
    )
    result = run(case.scenario(kind, "ideal", tmp_path))
    (answer,) = result.answers
    assert answer.requests == 10
    assert (answer.status, answer.body) == (int(status), _BODIES[body])
    prefix = "x-amzn-ErrorType: "
    kinds = [one.removeprefix(prefix) for one in answer.headers if one.startswith(prefix)]
    assert kinds == ([] if error_type == "-" else [error_type])
    assert answer.billed
    is_at_the_door = large == "request-11MB"
    assert ("IntegrationLatency" in answer.metrics) is not is_at_the_door
    done = {
        "function": result.functions["f"].invocations,
        "endpoint": result.endpoints["e"].served,
        "service": result.services["q"].requests,
    }
    (used,) = [key for key in _TARGETS[integration] if key in done]
    assert done[used] == int(worked_on)
