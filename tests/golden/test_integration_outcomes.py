"""Every way in which what stands behind an API fails, for each integration and type of API.

One line each; for functions see ``test_lambda_outcomes``. Statuses are those of the developer guide
("Gateway response types", "HTTP API troubleshooting") and of public captures that
``gateway/status`` names: what a backend answers is passed on, a time-out is 504 on REST APIs and
503 on HTTP APIs, an ALB says 502 for a target that is down, and behind an NLB there is nobody to
answer. The last column is what the backend itself has counted of ten calls.
"""

from pathlib import Path
from typing import Any

import pytest

from apisim.gateway.status import Answer
from apisim.studies import run
from tests.golden.outcomes import Case

_NOTHING = {"rate_limit": 0, "burst_limit": 0}
_DOWN = [{"at": 0, "for": "1h"}]

TABLE = """
served      http_proxy     rest 200 backend served=10
served      http_proxy     http 200 backend served=10
served      http           rest 200 backend served=10
served      nlb            rest 200 backend served=10
served      nlb            http 200 backend served=10
served      alb            rest 200 backend served=10
served      alb            http 200 backend served=10
served      mock           rest 200 backend -
served      dynamodb       rest 200 backend requests=10
served      sqs            rest 200 backend requests=10
served      sqs            http 200 backend requests=10
served      sns            rest 200 backend requests=10
served      step_functions rest 200 backend requests=10
served      step_functions http 200 backend requests=10
served      kinesis        rest 200 backend requests=10
served      kinesis        http 200 backend requests=10
served      eventbridge    rest 200 backend requests=10
served      eventbridge    http 200 backend requests=10
error       http_proxy     rest 500 backend errors=10
error       http_proxy     http 500 backend errors=10
error       http           rest 500 backend errors=10
error       nlb            rest 500 backend errors=10
error       nlb            http 500 backend errors=10
error       alb            rest 500 backend errors=10
error       alb            http 500 backend errors=10
error       dynamodb       rest 500 backend errors=10
error       sqs            rest 500 backend errors=10
error       sqs            http 500 backend errors=10
error       sns            rest 500 backend errors=10
error       step_functions rest 500 backend errors=10
error       step_functions http 500 backend errors=10
error       kinesis        rest 500 backend errors=10
error       kinesis        http 500 backend errors=10
error       eventbridge    rest 500 backend errors=10
error       eventbridge    http 500 backend errors=10
slow        http_proxy     rest 504 json    served=10
slow        http_proxy     http 503 json    served=10
slow        http           rest 504 json    served=10
slow        nlb            rest 504 json    served=10
slow        nlb            http 503 json    served=10
slow        alb            rest 504 json    served=10
slow        alb            http 503 json    served=10
slow        dynamodb       rest 504 json    requests=10
slow        sqs            rest 504 json    requests=10
slow        sqs            http 503 json    requests=10
slow        sns            rest 504 json    requests=10
slow        step_functions rest 504 json    requests=10
slow        step_functions http 503 json    requests=10
slow        kinesis        rest 504 json    requests=10
slow        kinesis        http 503 json    requests=10
slow        eventbridge    rest 504 json    requests=10
slow        eventbridge    http 503 json    requests=10
full        http_proxy     rest 503 backend refused=9
full        http_proxy     http 503 backend refused=9
full        http           rest 503 backend refused=9
full        nlb            rest 503 backend refused=9
full        nlb            http 503 backend refused=9
full        alb            rest 503 backend refused=9
full        alb            http 503 backend refused=9
down        nlb            rest 500 json    served=0
down        nlb            http 503 json    served=0
down        alb            rest 502 backend served=0
down        alb            http 502 backend served=0
throttled   dynamodb       rest 400 backend throttled=10
throttled   sqs            rest 400 backend throttled=10
throttled   sqs            http 400 backend throttled=10
throttled   sns            rest 400 backend throttled=10
throttled   step_functions rest 400 backend throttled=10
throttled   step_functions http 400 backend throttled=10
throttled   kinesis        rest 400 backend throttled=10
throttled   kinesis        http 400 backend throttled=10
throttled   eventbridge    rest 400 backend throttled=10
throttled   eventbridge    http 400 backend throttled=10
behind      lambda_proxy   rest 502 json    errors=10
behind      lambda_proxy   http 500 json    errors=10
behind      lambda         rest 200 backend errors=10
behind-full lambda_proxy   rest 502 json    errors=9
behind-full lambda_proxy   http 500 json    errors=9
behind-full lambda         rest 200 backend errors=9
behind-slow lambda_proxy   rest 502 json    timeouts=10
behind-slow lambda_proxy   http 500 json    timeouts=10
behind-slow lambda         rest 200 backend timeouts=10
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
_JSON = {
    "rest504": '{"message":"Endpoint request timed out"}',
    "http503": '{"message":"Service Unavailable"}',
    "rest502": '{"message":"Internal server error"}',
    "rest500": '{"message":"Internal server error"}',
    "http500": '{"message":"Internal Server Error"}',
}
#: Of an endpoint, of a service, and of what a function calls.
_ENDPOINTS: dict[str, dict[str, Any]] = {
    "served": {},
    "error": {"errors": "100%"},
    "slow": {"service_time": "1s"},
    # The first call holds the only server.
    "full": {"servers": 1, "queue_limit": 0, "service_time": "1h"},
    "down": {"outages": _DOWN},
}
_SERVICES: dict[str, dict[str, Any]] = {
    "served": {},
    "error": {"errors": "100%"},
    "slow": {"latency": "1s"},
    "throttled": {"limit": _NOTHING},
}
#: Services without a limit to write: an item that takes more than there is.
_TOO_MUCH: dict[str, dict[str, Any]] = {
    "dynamodb": {"max_read_request_units": 1, "item_size": "300KB"},
    "kinesis": {"item_size": "1100KB"},
}
_BEHIND: dict[str, dict[str, Any]] = {
    "behind": {"errors": "100%"},
    "behind-full": {"servers": 1, "queue_limit": 0, "service_time": "1h"},
    "behind-slow": {"service_time": "5s"},
}


def _service(kind: str, failure: str) -> dict[str, Any]:
    spec = {"type": kind, "latency": "1ms", **_SERVICES[failure]}
    if "limit" in spec and kind in _TOO_MUCH:
        del spec["limit"]
        spec |= _TOO_MUCH[kind]
    return spec


def _case(failure: str, integration: str) -> Case:
    """Ten calls of which each meets the failure."""
    source = {"arrivals": "uniform", "offset": 0, "phases": [{"duration": "1s", "rate": 10}]}
    called: dict[str, Any] = {"type": integration}
    top: dict[str, Any] = {}
    endpoint = {"servers": 20, "service_time": "1ms"}
    if integration.startswith("lambda"):
        called["function"] = "f"
        function = {"duration": "1ms", "timeout": "3s", "calls": [{"endpoint": "e"}]}
        top = {"endpoints": {"e": endpoint | _BEHIND[failure]}, "functions": {"f": function}}
    elif integration in ("http_proxy", "http", "nlb", "alb"):
        if integration in ("nlb", "alb"):
            called["type"] = "http_proxy"
            endpoint["behind"] = integration
        called["endpoint"] = "e"
        top = {"endpoints": {"e": endpoint | _ENDPOINTS[failure]}}
    elif integration != "mock":
        called |= {"type": "aws_service", "service": "s"}
        top = {"services": {"s": _service(integration, failure)}}
    if failure in ("slow", "full"):
        called["timeout"] = "500ms"
    return Case(Answer.SERVED, route={"integration": called}, source=source, top=top)


@pytest.mark.parametrize("row", ROWS, ids=["-".join(row[:3]) for row in ROWS])
def test_a_failure_is_what_the_table_says(row: list[str], tmp_path: Path) -> None:
    failure, integration, kind, status, body, counted = row
    result = run(_case(failure, integration).scenario(kind, "ideal", tmp_path))
    answers = result.answers
    if failure == "full":
        answers = [one for one in answers if one.answer != "timeout"]
    (answer,) = answers
    n_calls = 9 if failure == "full" else 10
    assert (answer.requests, answer.status, answer.billed) == (n_calls, int(status), True)
    assert answer.body == ("" if body == "backend" else _JSON[f"{kind}{status}"])
    word, _, count = counted.partition("=")
    if integration == "mock":
        assert not result.functions["f"].invocations
    elif integration.startswith("lambda"):
        assert getattr(result.functions["f"], word) == int(count)
        assert result.functions["f"].invocations == 10
    elif result.services:
        assert getattr(result.services["s"], word) == int(count)
    else:
        assert sum(getattr(stats, word) for stats in result.endpoints.values()) == int(count)


def test_the_table_has_no_line_twice() -> None:
    assert len({tuple(row[:3]) for row in ROWS}) == len(ROWS) >= 40
