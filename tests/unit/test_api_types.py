"""What the types of APIs and integrations take of their own."""

import numpy as np

from apisim.gateway.status import Answer
from tests.support.experiments import mock_api, one_source, prepare, rows_of, scenario

MS = 1_000_000


def test_each_type_of_api_has_an_overhead_of_its_own() -> None:
    integration = {"type": "lambda_proxy", "function": "f"}
    routes = {"GET /": {"integration": integration}}
    apis = {name: {"type": name, "routes": routes} for name in ("rest", "http")}
    source = {"arrivals": "uniform", "phases": [{"duration": "1s", "rate": 20}]}
    program = prepare(
        scenario(
            apis=apis,
            functions={"f": {"duration": "10ms"}},
            settings={"gateway_overhead": {"rest": "7ms", "http": "2ms"}},
            traffic={name: {**source, "mix": {f"{name} GET /": 1}} for name in apis},
        )
    )
    _, rows = rows_of(program)
    for api, took_ms in (("rest", 17), ("http", 12)):
        of_api = rows[rows["api"] == program.names.apis.index(api)]
        assert len(of_api) == 20
        assert np.all(of_api["gateway_ns"] == took_ms * MS)


def test_a_mock_answers_in_no_time_and_calls_nothing() -> None:
    done, rows = rows_of(prepare(scenario(apis=mock_api(), traffic=one_source("100/s", "1s"))))
    assert len(rows) > 0
    assert np.all(rows["answer"] == Answer.SERVED)
    assert np.all(rows["gateway_ns"] == 0)
    assert done.recorder.executions["invocations"].sum() == 0


def test_two_apis_share_the_bucket_of_their_account() -> None:
    (api,) = mock_api().values()
    source = {"arrivals": "uniform", "phases": [{"duration": "1s", "rate": 20}]}
    program = prepare(
        scenario(
            apis={"one": api, "other": api},
            account={"throttle": {"rate_limit": 0, "burst_limit": 30}},
            traffic={name: {**source, "mix": {f"{name} GET /": 1}} for name in ("one", "other")},
        )
    )
    _, rows = rows_of(program)
    assert len(rows) == 40
    assert (rows["answer"] == Answer.THROTTLED_ACCOUNT).sum() == 10
