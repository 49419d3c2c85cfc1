"""Clients in a run: what they wait for, when they try again, and what is written of it."""

import json
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from apisim.engine.flags import FLAG_CLIENT_GONE
from apisim.engine.preflights import PREFLIGHT_ATTEMPT
from apisim.gateway.status import Answer
from apisim.results.result import Result
from apisim.scenario import loads
from apisim.studies import run
from tests.support.experiments import Data, mock_api, prepare, rows_of, scenario

MS: Final = 1_000_000
PAGE: Final = "https://app.example.com"
ENGINES: Final = ("simpy", "compiled")


def behind(endpoint: Data, client: Data | None, *, kind: str = "http", **source: Any) -> Data:
    """One call a second for five seconds to an endpoint of its own."""
    integration = {"type": "http_proxy", "endpoint": "e"}
    phases = source.pop("phases", [{"name": "all", "duration": "5s", "rate": 1}])
    web = {"arrivals": "uniform", "offset": 0, "phases": phases, "mix": {"GET /x": 1}, **source}
    if client is not None:
        web["client"] = client
    if any("users" in phase for phase in phases):
        del web["arrivals"]
    return scenario(
        apis={"a": {"type": kind, "routes": {"GET /x": {"integration": integration}}}},
        endpoints={"e": {"servers": 1000, **endpoint}},
        traffic={"web": web},
    )


def golden_rows(data: Data) -> NDArray[np.void]:
    """Rows of the golden model, which the compiled engine is compared with elsewhere."""
    return rows_of(prepare(data), engine="simpy")[1]


def result_of(data: Data) -> Result:
    return run(loads(json.dumps(data)), engine="simpy")


def column(rows: NDArray[np.void], name: str) -> list[int]:
    return [int(value) for value in rows[name]]


# waiting


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_what_a_client_no_longer_waits_for_is_served_and_billed(kind: str) -> None:
    data = behind({"service_time": "80ms"}, {"timeout": "50ms"}, kind=kind)
    result = result_of(data)
    waited = result_of(behind({"service_time": "80ms"}, {}, kind=kind))
    assert result.requests.by_outcome == {"client_gone": 5}
    assert result.requests.by_status == {200: 5}
    assert result.latency_ms.max == 50
    assert result.gateway_latency_ms.max == 80
    assert result.endpoints == waited.endpoints
    assert result.bill.run.total == waited.bill.run.total
    assert [stats.metrics for stats in result.answers] == [
        stats.metrics for stats in waited.answers
    ]
    everything = result.traffic[-1]
    assert (everything.calls, everything.succeeded, everything.gone) == (5, 0, 5)


def test_an_answer_at_the_deadline_is_in_time() -> None:
    rows = golden_rows(behind({"service_time": "50ms"}, {"timeout": "50ms"}))
    assert column(rows, "flags") == [0] * 5
    late = golden_rows(behind({"service_time": "50000001ns"}, {"timeout": "50ms"}))
    assert column(late, "flags") == [FLAG_CLIENT_GONE] * 5
    assert column(late, "latency_ns") == [50 * MS] * 5


def test_the_way_back_is_part_of_the_wait() -> None:
    far = {"network": {"rtt": "20ms"}}
    rows = golden_rows(behind({"service_time": "31ms"}, {"timeout": "50ms"}, **far))
    assert column(rows, "flags") == [FLAG_CLIENT_GONE] * 5
    near = golden_rows(behind({"service_time": "30ms"}, {"timeout": "50ms"}, **far))
    assert column(near, "flags") == [0] * 5


def test_a_user_thinks_once_it_has_stopped_waiting() -> None:
    users = [{"name": "all", "duration": "1s", "users": 1, "think_time": "100ms"}]
    data = behind({"service_time": "80ms"}, {"timeout": "50ms"}, phases=users, offset=0)
    assert column(golden_rows(data), "arrival_ns") == [150 * k * MS for k in range(7)]


# trying again


def failing(client: Data, **more: Any) -> Data:
    return behind({"service_time": "10ms", "errors": "100%"}, client, **more)


def test_retries_are_rows_of_their_own_at_the_times_of_the_backoff() -> None:
    retries = {"max": 3, "backoff": "exponential", "base": "100ms"}
    rows = golden_rows(failing({"retries": retries}))[:4]
    assert column(rows, "attempt") == [0, 1, 2, 3]
    assert column(rows, "arrival_ns") == [0, 110 * MS, 320 * MS, 730 * MS]
    assert column(rows, "ordinal") == [0] * 4


def test_a_retry_after_a_time_out_leaves_while_the_backend_still_works() -> None:
    client = {"timeout": "50ms", "retries": {"max": 1, "backoff": "none"}}
    rows = golden_rows(behind({"service_time": "200ms"}, client))[:2]
    assert column(rows, "arrival_ns") == [0, 50 * MS]
    assert column(rows, "gateway_ns") == [200 * MS] * 2


def test_only_what_is_named_is_tried_again() -> None:
    for on, attempts in (([500], 2), (["5xx"], 2), ([503, "4xx", "timeout", "network"], 1)):
        retries = {"max": 1, "base": "1ms", "on": on}
        assert len(golden_rows(failing({"retries": retries}))) == 5 * attempts


def test_a_call_is_the_same_over_its_attempts_but_for_its_luck() -> None:
    """Key and size stay, the service time is drawn anew."""
    retries = {"max": 4, "backoff": "fixed", "base": "1s"}
    data = failing({"retries": retries})
    data["apis"]["a"]["routes"]["GET /x"]["request_size"] = {"uniform": ["1B", "1KB"]}
    data["endpoints"]["e"]["service_time"] = {"exponential": "10ms"}
    rows = golden_rows(data)
    first = rows[rows["ordinal"] == 0]
    assert len(set(column(first, "integration_ns"))) == 5
    assert len(set(column(rows, "cell"))) == 1


def test_a_user_thinks_after_its_last_attempt() -> None:
    users = [{"name": "all", "duration": "1s", "users": 1, "think_time": "100ms"}]
    client = {"retries": {"max": 1, "backoff": "fixed", "base": "30ms"}}
    rows = golden_rows(failing(client, phases=users, offset=0))
    # 10 ms, 30 ms of backoff, 10 ms, 100 ms of thought.
    assert column(rows, "arrival_ns")[:4] == [0, 40 * MS, 150 * MS, 190 * MS]
    assert column(rows, "attempt")[:4] == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("profile", "obeys", "first_wait_ms"),
    [("chapter", True, 1000), ("chapter", False, 100), ("ideal", True, 100)],
)
def test_retry_after_is_obeyed_where_there_is_one(
    profile: str, obeys: bool, first_wait_ms: int
) -> None:
    """The chapter's 429s say 1 s, AWS's say nothing."""
    nothing = {"rate_limit": 0, "burst_limit": 0}
    client = {"retries": {"max": 1, "backoff": "fixed", "base": "100ms", "obey_retry_after": obeys}}
    data = behind({"service_time": 0}, client, kind="rest")
    data["apis"]["a"]["routes"]["GET /x"]["throttle"] = nothing
    data["profile"] = profile
    data["settings"] = {"refusal_time": 0}
    rows = golden_rows(data)
    assert column(rows, "status") == [429] * 10
    of_first = rows[rows["ordinal"] == 0]
    assert np.diff(of_first["arrival_ns"]).tolist() == [first_wait_ms * MS]


def test_a_used_up_quota_ends_the_retries_of_its_process_only() -> None:
    """10 tokens, 5 a retry: two retries each of two processes, then none; nothing succeeds."""
    quota = {"tokens": 10, "cost": 5}
    client = {"processes": 2, "retries": {"max": 3, "base": "1ms", "quota": quota}}
    rows = golden_rows(failing(client))
    assert np.bincount(rows["ordinal"]).tolist() == [3, 3, 1, 1, 1]
    everything = result_of(failing(client)).traffic[-1]
    assert (everything.calls, everything.attempts, everything.out_of_tokens) == (5, 9, 5)


def test_users_are_client_processes_of_their_own() -> None:
    users = [{"name": "all", "duration": "1s", "users": 3, "think_time": "400ms"}]
    client = {"retries": {"max": 5, "base": "1ms", "quota": {"tokens": 1, "cost": 1}}}
    rows = golden_rows(failing(client, phases=users))
    assert np.bincount(rows["user"][rows["attempt"] > 0]).tolist() == [1, 1, 1]


# browsers


def page(client: Data, **cors: Any) -> Data:
    """A page of another origin, whose PUTs have to be asked for."""
    allows = {"allow_origins": [PAGE], "allow_methods": ["PUT"], "allow_headers": ["content-type"]}
    data = behind({"service_time": "10ms"}, client, kind="rest", browser={"origin": PAGE})
    data["apis"]["a"]["routes"] = {"PUT /x": data["apis"]["a"]["routes"]["GET /x"]}
    data["apis"]["a"]["cors"] = allows | cors
    data["traffic"]["web"]["mix"] = {"PUT /x": 1}
    return data


def test_a_page_that_may_not_call_asks_again_if_it_retries_what_the_network_does() -> None:
    for on, n_rows in (["network"], 10), (["5xx", 429], 5):
        rows = golden_rows(page({"retries": {"max": 1, "on": on}}, allow_methods=["GET"]))
        assert set(column(rows, "answer")) == {Answer.PREFLIGHT_FAILED}
        assert len(rows) == n_rows
        assert set(column(rows, "attempt")) <= {PREFLIGHT_ATTEMPT, PREFLIGHT_ATTEMPT + 1}


def test_a_refusal_that_the_browser_hides_is_no_429_to_its_page() -> None:
    nothing = {"rate_limit": 0, "burst_limit": 0}
    for on, attempts in ([429], 1), (["network"], 2):
        data = page({"retries": {"max": 1, "on": on}})
        data["apis"]["a"]["routes"]["PUT /x"]["throttle"] = nothing
        rows = golden_rows(data)
        assert len(rows[rows["status"] == 429]) == 5 * attempts


def test_the_patience_of_a_page_covers_the_preflight_in_front() -> None:
    far = {"network": {"rtt": "40ms"}}
    data = page({"timeout": "60ms"}, max_age=-1)
    data["traffic"]["web"] |= far
    rows = golden_rows(data)
    # 40 ms for the question; the request itself would need 50 ms more.
    assert column(rows, "latency_ns")[:2] == [40 * MS, 20 * MS]
    assert column(rows, "flags")[:2] == [0, FLAG_CLIENT_GONE]
    data["traffic"]["web"]["client"]["timeout"] = "30ms"
    assert len(golden_rows(data)) == 5  # the request is never sent
    data["thresholds"] = {"failed": ["rate<1%"]}
    assert [verdict.value for verdict in result_of(data).thresholds] == [1]


# results


def test_a_call_counts_from_its_first_attempt_to_its_last_answer() -> None:
    """Two calls at a bucket of one token and four a second: the second is let in after 300 ms.

    It comes at 125 ms and again after 100 ms, both times too early, and once more at 325 ms.
    """
    retries = {"max": 3, "backoff": "fixed", "base": "100ms"}
    data = behind({"service_time": "10ms"}, {"retries": retries}, kind="rest")
    data["apis"]["a"]["routes"]["GET /x"]["throttle"] = {"rate_limit": 4, "burst_limit": 1}
    data["traffic"]["web"]["phases"] = [{"name": "all", "duration": "250ms", "rate": 8}]
    result = result_of(data)
    everything = result.traffic[-1]
    assert (everything.calls, everything.succeeded, everything.attempts) == (2, 2, 4)
    assert result.requests.by_outcome == {"served": 2, "throttled": 2}
    assert (everything.goodput_rps, everything.rps) == (8, 16)
    assert everything.call_latency.max == 210
    assert everything.call_latency.mean == 110
    assert result.latency_ms.max == 10


def test_without_clients_every_request_is_a_call() -> None:
    data = behind({"service_time": "10ms", "errors": "50%"}, None)
    one = result_of(data).traffic[-1]
    assert (one.calls, one.attempts) == (5, 5)
    assert one.succeeded == one.by_status[200]
    known = result_of(behind({"service_time": "10ms", "errors": "50%"}, {})).traffic[-1]
    assert (known.calls, known.succeeded) == (one.calls, one.succeeded)
    assert known.availability == one.availability


def test_the_warm_up_leaves_the_calls_out_that_begin_in_it() -> None:
    data = failing({"retries": {"max": 1, "backoff": "fixed", "base": "1500ms"}})
    data["warm_up"] = "2s"
    everything = result_of(data).traffic[-1]
    assert (everything.calls, everything.attempts) == (3, 6)
    assert everything.requests == 7  # a retry of a call of the warm-up comes after it


@pytest.mark.parametrize("engine", ENGINES)
def test_replications_are_added_up(engine: Any) -> None:
    data = behind({"service_time": {"exponential": "10ms"}}, {"timeout": "15ms", "retries": {}})
    data["traffic"]["web"]["phases"][0]["rate"] = 100
    data["replications"] = 3
    result = run(loads(json.dumps(data)), engine=engine)
    everything = result.traffic[-1]
    assert everything.calls == 1500
    assert everything.attempts == result.requests.total
    assert everything.call_latency.count == everything.succeeded
    assert result.requests.by_outcome["client_gone"] == everything.gone
    assert sum(result.requests.by_outcome.values()) == result.requests.total


def test_thresholds_ask_for_calls() -> None:
    data = failing({"retries": {"max": 1, "base": "1ms"}})
    data["thresholds"] = {"availability": ["rate>1%"], "goodput": ["rate>1/s"]}
    verdicts = result_of(data).thresholds
    assert [(verdict.value, verdict.ok) for verdict in verdicts] == [(0, False), (0, False)]
    data = behind({"service_time": "10ms"}, {})
    data["thresholds"] = {"call_latency": ["p(99)<11ms"], "goodput": ["count>=5"]}
    assert all(verdict.ok for verdict in result_of(data).thresholds)


def test_a_plain_mock_needs_no_client() -> None:
    rows = golden_rows(
        scenario(
            apis=mock_api(),
            traffic={
                "web": {"phases": [{"duration": "1s", "rate": 5}], "mix": {"GET /": 1}},
            },
        )
    )
    assert set(column(rows, "attempt")) <= {0}
