"""Browsers in a run: what they ask first, what they are told, and what their pages never see."""

import json
from collections import Counter
from typing import Any, Final

import pytest

from apisim.engine.program import Program
from apisim.gateway.cors import MESSAGES, Message
from apisim.gateway.status import Answer
from apisim.results.cors import cors_stats
from apisim.results.tally import Measurements
from apisim.scenario import loads
from apisim.studies import run
from tests.support.experiments import MOCK, Data, prepare, rows_of, scenario

PAGE: Final = "https://app.example.com"
ORIGIN: Final = {"allow_origins": [PAGE]}
EVERYTHING: Final = {
    **ORIGIN,
    "allow_methods": ["GET", "POST", "PUT", "DELETE"],
    "allow_headers": ["content-type", "authorization"],
    "max_age": "1h",
}
FAR: Final = {"network": {"rtt": "30ms"}}
PROXY: Final = {"integration": {"type": "http_proxy", "endpoint": "e"}}


def calls(
    api: Data,
    mix: str = "PUT /things",
    *,
    browser: Data | None = None,
    users: int = 1,
    **parts: Any,
) -> Data:
    """Closed users who call once a second for ten seconds, nine or ten times each."""
    phases = [{"duration": "10s", "users": users, "think_time": "1s"}]
    source = {"phases": phases, "mix": {mix: 1}, "browser": {"origin": PAGE, **(browser or {})}}
    source |= parts.pop("source", {})
    endpoints = {"e": {"servers": 100, "service_time": 0}}
    apis = {"api": {"routes": {mix: PROXY}, **api}}
    return scenario(apis=apis, endpoints=endpoints, traffic={"pages": source}, **parts)


def outcomes(data: Data) -> Counter[tuple[str, str, int]]:
    """Requests by route, answer and status."""
    program = prepare(data)
    _, rows = rows_of(program, engine="simpy")
    return Counter(
        (
            program.names.cells[int(row["cell"])].route,
            Answer(int(row["answer"])).name,
            int(row["status"]),
        )
        for row in rows
    )


def said(data: Data) -> dict[str, int]:
    """What browsers said, by message."""
    program = prepare(data)
    done, _ = rows_of(program, engine="simpy")
    return messages_of(program, done.recorder.counts)


def messages_of(program: Program, counts: Any) -> dict[str, int]:
    """Messages from the counts by cell and answer."""
    measured = Measurements(program, 1, None, counts, None, None)  # type: ignore[arg-type]
    stats = cors_stats(measured)["api"]
    assert stats.blocked == sum(stats.messages.values())
    return stats.messages


def test_a_preflight_goes_first_and_the_request_is_sent_when_its_answer_has_come() -> None:
    data = calls({"type": "rest", "cors": EVERYTHING}, source=FAR)
    program = prepare(data)
    _, rows = rows_of(program, engine="simpy")
    first, second = rows[:2]
    assert Answer(int(first["answer"])) == Answer.PREFLIGHT
    assert second["arrival_ns"] == first["arrival_ns"] + first["latency_ns"]
    assert first["latency_ns"] == 30_000_000
    assert first["ordinal"] == second["ordinal"]
    assert (int(first["attempt"]), int(second["attempt"])) == (512, 0)


def test_a_browser_asks_once_as_long_as_it_remembers() -> None:
    found = outcomes(calls({"type": "rest", "cors": EVERYTHING}, users=3))
    assert found["OPTIONS /things", "PREFLIGHT", 200] == 3  # one a user
    assert found["PUT /things", "SERVED", 200] > 20


def test_a_max_age_of_minus_one_is_never_remembered() -> None:
    cors = {**EVERYTHING, "max_age": -1}
    found = outcomes(calls({"type": "rest", "cors": cors}))
    assert found["OPTIONS /things", "PREFLIGHT", 200] == found["PUT /things", "SERVED", 200] > 5


def test_an_unsaid_max_age_is_five_seconds() -> None:
    cors = {key: value for key, value in EVERYTHING.items() if key != "max_age"}
    data = calls({"type": "rest", "cors": cors}, source={"offset": 0})
    found = outcomes(data)
    # Calls at 0, 1, ... 9 s; asked at 0 and, exactly as old as the limit, at 5 s.
    assert found == {("OPTIONS /things", "PREFLIGHT", 200): 2, ("PUT /things", "SERVED", 200): 10}


def test_each_url_is_asked_about_on_its_own_and_methods_share_the_answer() -> None:
    mix = {"PUT /things/{id}": 1, "DELETE /things/{id}": 1}
    api = {"type": "rest", "cors": EVERYTHING, "routes": dict.fromkeys(mix, PROXY)}
    values = {"path.id": {"uniform": 3}, "querystring.q": {"uniform": 2}}
    phases = [{"duration": "100s", "users": 1, "think_time": "1s"}]
    source = {"phases": phases, "mix": mix, "values": values}
    found = outcomes(calls(api, source=source))
    assert found["OPTIONS /things/{id}", "PREFLIGHT", 200] == 3 * 2


def test_strangers_remember_nothing() -> None:
    source = {"phases": [{"duration": "10s", "rate": 5}], "arrivals": "uniform"}
    found = outcomes(calls({"type": "rest", "cors": EVERYTHING}, source=source))
    assert found["OPTIONS /things", "PREFLIGHT", 200] == found["PUT /things", "SERVED", 200] == 50


def test_a_simple_request_asks_nothing() -> None:
    api = {"type": "rest", "cors": ORIGIN}
    found = outcomes(calls(api, "POST /things", browser={"content_type": "text/plain"}))
    assert set(found) == {("POST /things", "SERVED", 200)}


# ------------------------------------------------------------------------- misconfigurations


@pytest.mark.parametrize("api_type", ["rest", "http"])
@pytest.mark.parametrize(
    ("cors", "browser", "message"),
    [
        (None, {}, Message.NO_ORIGIN),
        (ORIGIN, {"credentials": True}, Message.NO_CREDENTIALS),
        ({**ORIGIN, "allow_methods": ["GET"]}, {}, Message.METHOD),
        ({**ORIGIN, "allow_methods": ["PUT"]}, {"headers": ["X-Client"]}, Message.HEADER),
    ],
)
def test_the_four_issues_of_the_chapter_are_told_apart(
    api_type: str, cors: Data | None, browser: Data, message: Message
) -> None:
    api = {"type": api_type, **({"cors": cors} if cors else {})}
    data = calls(api, browser=browser)
    found = outcomes(data)
    assert not any(answer == "SERVED" for _, answer, _ in found), "the request itself was sent"
    assert said(data) == {MESSAGES[message]: sum(found.values())}


def test_a_simple_request_is_served_and_its_answer_hidden() -> None:
    api = {"type": "rest", "cors": ORIGIN, "routes": {"GET /things": {**PROXY, "cors": False}}}
    data = calls(api, "GET /things")
    assert set(outcomes(data)) == {("GET /things", "CORS_BLOCKED", 200)}
    assert set(said(data)) == {MESSAGES[Message.NO_ORIGIN]}


def test_the_method_that_was_forgotten_runs_and_its_answer_is_hidden() -> None:
    routes = {"PUT /things": {**PROXY, "cors": False}, "GET /things": PROXY}
    found = outcomes(calls({"type": "rest", "cors": EVERYTHING, "routes": routes}))
    assert found["OPTIONS /things", "PREFLIGHT", 200] == 1
    assert found["PUT /things", "CORS_BLOCKED", 200] > 5


def test_without_any_cors_a_rest_api_knows_no_options() -> None:
    found = outcomes(calls({"type": "rest"}))
    assert set(found) == {("", "NO_ROUTE", 403)}
    assert set(outcomes(calls({"type": "http"}))) == {("", "NO_ROUTE", 404)}


# ------------------------------------------------------------------------- who answers OPTIONS


def test_an_http_api_answers_by_itself_and_no_backend_is_called() -> None:
    program = prepare(calls({"type": "http", "cors": EVERYTHING}, source=FAR))
    _, rows = rows_of(program, engine="simpy")
    first = rows[0]
    assert (Answer(int(first["answer"])), int(first["status"])) == (Answer.PREFLIGHT, 204)
    assert first["integration_ns"] == -1


def authorized(route: str, **more: Any) -> Data:
    return {
        "routes": {route: {**PROXY, "authorizer": "a"}, **more},
        "cors": EVERYTHING,
    }


AUTHORIZER: Final = {
    "functions": {"f": {"duration": 0}},
    "authorizers": {"a": {"type": "request", "function": "f"}},
}
TOKENS: Final = {"values": {"header.authorization": {"uniform": 2}}}


def test_a_default_route_with_an_authorizer_takes_the_preflights_of_an_http_api() -> None:
    api = {"type": "http", **authorized("$default")}
    found = outcomes(calls(api, source={**TOKENS, "mix": {"PUT /things": 1}}, **AUTHORIZER))
    assert set(found) == {("$default", "NO_IDENTITY", 401)}
    more = {"OPTIONS /{proxy+}": PROXY}
    api = {"type": "http", **authorized("$default", **more)}
    found = outcomes(calls(api, source={**TOKENS, "mix": {"PUT /things": 1}}, **AUTHORIZER))
    assert found["OPTIONS *", "PREFLIGHT", 204] > 0


def test_an_options_method_with_an_authorizer_refuses_the_preflights_of_a_rest_api() -> None:
    more = {"OPTIONS /things": {**MOCK, "authorizer": "a"}}
    api = {"type": "rest", **authorized("PUT /things", **more)}
    data = calls(api, source=TOKENS, **AUTHORIZER)
    assert set(outcomes(data)) == {("OPTIONS /things", "NO_IDENTITY", 401)}
    assert set(said(data)) == {MESSAGES[Message.NO_ORIGIN]}
    api = {"type": "rest", **authorized("PUT /things")}
    found = outcomes(calls(api, source=TOKENS, **AUTHORIZER))
    assert found["OPTIONS /things", "PREFLIGHT", 200] == 1


def test_a_signed_route_is_asked_about_without_a_signature() -> None:
    more = {"OPTIONS /things": {**MOCK, "authorizer": "a"}}
    api = {"type": "rest", **authorized("PUT /things", **more)}
    found = outcomes(calls(api, authorizers={"a": {"type": "iam"}}))
    assert set(found) == {("OPTIONS /things", "IAM_MISSING", 403)}


# ------------------------------------------------------------------------- the gateway's errors


def throttled(**cors: Any) -> Data:
    """A REST API whose PUT is refused from the second call on, and OPTIONS is not."""
    route = {**PROXY, "throttle": {"rate_limit": 0, "burst_limit": 1}}
    return {"type": "rest", "cors": {**EVERYTHING, **cors}, "routes": {"PUT /things": route}}


def test_the_gateways_errors_are_hidden_unless_they_carry_the_headers() -> None:
    assert set(said(calls(throttled()))) == {MESSAGES[Message.NO_ORIGIN]}
    assert said(calls(throttled(error_headers=True))) == {}
    found = outcomes(calls(throttled()))
    assert found["PUT /things", "THROTTLED_METHOD", 429] > 5, "the status stays what it is"


def test_the_preflights_of_a_rest_api_spend_tokens_and_are_billed() -> None:
    stage = {"throttle": {"rate_limit": 0, "burst_limit": 1, "scope": "shared"}}
    api = {"type": "rest", "cors": EVERYTHING, "stage": stage}
    program = prepare(calls(api, source=FAR))
    _, rows = rows_of(program, engine="simpy")
    assert [Answer(int(answer)).name for answer in rows["answer"][:2]] == [
        "PREFLIGHT",
        "THROTTLED_STAGE",
    ]
    assert rows["units"][0] == 1
    api["cors"] = {**EVERYTHING, "max_age": -1}
    found = outcomes(calls(api))
    # The second preflight is refused: the request it was for is never sent.
    assert found["OPTIONS /things", "THROTTLED_STAGE", 429] > 5
    assert found["PUT /things", "THROTTLED_STAGE", 429] == 1


@pytest.mark.parametrize(("setting", "units"), [("counted", 1), ("free", 0)])
def test_whether_an_http_apis_own_preflights_count_is_a_setting(setting: str, units: int) -> None:
    account = {"throttle": {"rate_limit": 0, "burst_limit": 1}}
    settings = {"http_preflights": setting}
    api = {"type": "http", "cors": EVERYTHING}
    data = calls(api, source=FAR, account=account, settings=settings)
    _, rows = rows_of(prepare(data), engine="simpy")
    assert rows["units"][0] == units
    second = "THROTTLED_ACCOUNT" if units else "SERVED"
    assert Answer(int(rows["answer"][1])).name == second


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
@pytest.mark.parametrize("early", [False, True])
def test_an_http_apis_own_preflights_spend_tokens_wherever_the_throttle_is(
    engine: str, *, early: bool
) -> None:
    account = {"throttle": {"rate_limit": 0, "burst_limit": 1}}
    settings = {"http_preflights": "counted", "throttle_before_auth": early}
    api = {"type": "http", "cors": EVERYTHING}
    program = prepare(calls(api, source=FAR, account=account, settings=settings))
    _, rows = rows_of(program, engine=engine)
    found = Counter(Answer(answer).name for answer in rows["answer"].tolist())
    # The only token goes to the one preflight, as its answer is remembered.
    assert found["PREFLIGHT"] == 1
    assert found["SERVED"] == 0
    assert found["THROTTLED_ACCOUNT"] > 5


def test_other_settings_of_what_aws_leaves_open() -> None:
    rest = calls({"type": "rest", "cors": EVERYTHING}, settings={"preflight_status": 204})
    assert outcomes(rest)["OPTIONS /things", "PREFLIGHT", 204] == 1
    silent = {"http_preflight_refusal": "silent"}
    api = {"type": "http", "cors": {**ORIGIN, "allow_methods": ["GET"]}}
    assert set(said(calls(api, settings=silent))) == {MESSAGES[Message.NO_ORIGIN]}
    account = {"throttle": {"rate_limit": 0, "burst_limit": 1}}
    hidden = {"http_error_cors": False}
    api = {"type": "http", "cors": EVERYTHING}
    assert said(calls(api, account=account)) == {}
    assert set(said(calls(api, account=account, settings=hidden))) == {MESSAGES[Message.NO_ORIGIN]}


# ----------------------------------------------------------------------- what is said before a run


@pytest.mark.parametrize(
    ("api_type", "cors", "browser", "reason"),
    [
        ("rest", None, {}, "no cors is given for it"),
        ("http", None, {}, "no cors is given for it"),
        ("http", {"allow_origins": ["https://other.example"]}, {}, "is not among allow_origins"),
        ("rest", {"allow_origins": ["https://other.example"]}, {}, "is not among allow_origins"),
        ("http", {"allow_origins": ["http://*"]}, {}, "is not among allow_origins"),
        ("rest", {"allow_origins": ["*"]}, {"credentials": True}, "and allow_origins is *"),
        ("rest", ORIGIN, {"credentials": True}, "and allow_credentials is not set"),
        ("http", {"allow_origins": ["https://*"]}, {}, ""),
        ("rest", {"allow_origins": ["*"]}, {}, ""),
        ("rest", ORIGIN, {}, ""),
        ("rest", {**ORIGIN, "allow_credentials": True}, {"credentials": True}, ""),
    ],
)
def test_pages_that_are_locked_out_are_a_note_and_so_are_they_when_it_runs(
    api_type: str, cors: Data | None, browser: Data, reason: str
) -> None:
    api = {"type": api_type, **({"cors": cors} if cors else {})}
    data = calls(api, "GET /things", browser=browser)
    notes = [note for note in loads(json.dumps(data)).notes if "browsers will hide" in note]
    assert [note.endswith(reason) for note in notes] == ([True] if reason else [])
    assert all(note.startswith("traffic.pages: ") and "GET /things" in note for note in notes)
    # The rules of the run are written elsewhere, in gateway/cors: they must say the same.
    assert bool(said(data)) == bool(reason)


def test_a_wildcard_with_credentials_is_a_note() -> None:
    cors = {"allow_origins": ["*"], "allow_credentials": True}
    notes = loads(json.dumps(calls({"type": "rest", "cors": cors}))).notes
    (note,) = [note for note in notes if "* is not" in note]
    assert note.startswith("apis.api.cors: allow_origins * is not taken for requests with cred")


def test_the_summary_says_what_a_status_of_200_does_not() -> None:
    result = run(loads(json.dumps(calls({"type": "rest"}, "GET /things"))))
    assert set(result.requests.by_status) == {200}
    lines = result.summary(width=200).splitlines()
    n_calls = result.requests.total
    assert (
        f"for the pages {n_calls} calls came to nothing, whatever the status: "
        f"{MESSAGES[Message.NO_ORIGIN]}"
    ) in lines
    seen = run(loads(json.dumps(calls({"type": "rest", "cors": ORIGIN}, "GET /things"))))
    assert "for the pages" not in seen.summary()
