"""Every way in which a function can fail an event: the caller is told 202, whatever becomes of it.

The same failures as in ``test_lambda_outcomes``, read in the Lambda developer guide ("How Lambda
handles errors and retries with asynchronous invocation"): failure, runs of ten events, runs after
an error, events dropped, times throttled.
"""

from pathlib import Path

import pytest

from apisim.gateway.status import Answer
from apisim.studies import run
from tests.golden.outcomes import Case
from tests.golden.test_lambda_outcomes import FAILURES

#: Growth: one new environment in ten seconds, so that the ten have run after some waits.
TABLE = """
error        30 20 10 0
time-out     30 20 10 0
malformed    10 0  0  0
reserve-of-0 0  0  10 800
account-full 0  0  10 800
others       0  0  10 800
growth       10 0  0  -
rate         10 0  0  0
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
IDS = ["-".join((row[0], "event")) for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_an_event_fares_as_the_table_says(row: list[str], tmp_path: Path) -> None:
    failure, runs, again, dropped, throttled = row
    case = Case(
        Answer.EVENT_ACCEPTED,
        route={"integration": {"type": "lambda", "function": "f", "invocation": "event"}},
        source={
            "arrivals": "uniform",
            "offset": 0,
            "phases": [{"duration": "400ms", "rate": "25/s"}],
        },
        top=FAILURES[failure],
    )
    result = run(case.scenario("rest", "ideal", tmp_path))
    (answer,) = result.answers
    assert (answer.answer, answer.status, answer.body) == ("event_accepted", 202, "")
    assert (answer.requests, answer.billed) == (10, True)
    stats = result.functions["f"]
    assert stats.events == 10
    assert stats.invocations == int(runs)
    assert stats.event_retries == int(again)
    assert stats.events_dropped == int(dropped)
    if throttled == "-":
        assert stats.throttles > 0
    else:
        assert stats.throttles == int(throttled)
    billed = sum(function.billed_ms for function in result.functions.values())
    assert (billed > 0) is (int(runs) > 0)
