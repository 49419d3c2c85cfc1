"""Authorizers of every type: what each refusal is answered with, and what is asked for it.

Statuses and decisions stand here as AWS documents them, written out, and are compared with runs.
"""

import json
from collections import Counter
from typing import Any, Final

import numpy as np
import pytest

from apisim.gateway.status import Answer
from apisim.scenario import loads
from apisim.studies import run
from tests.support.experiments import Data, prepare, rows_of, scenario

CALLED: Final[Data] = {"integration": {"type": "lambda_proxy", "function": "work"}}
FUNCTIONS: Final[Data] = {
    "work": {"duration": "1ms"},
    "check": {"duration": "1ms"},
    "broken": {"duration": "1ms", "errors": "100%"},
    "slow": {"duration": "60s"},
}
TOKEN: Final[Data] = {"type": "token", "function": "check"}
REQUEST: Final[Data] = {"type": "request", "function": "check"}
#: What is wrong: authorizer, what the source shows, and the statuses on REST and HTTP APIs (None:
#: HTTP APIs have no such authorizer).
CAUSES: Final[dict[str, tuple[Data, Data, int, int | None]]] = {
    "denied by a token authorizer": ({**TOKEN, "deny_identities": "100%"}, {}, 403, None),
    "denied": ({**REQUEST, "deny_identities": "100%"}, {}, 403, 403),
    "not mentioned": ({**REQUEST, "silent_identities": "100%"}, {}, 403, 403),
    "Unauthorized": ({**REQUEST, "unauthorized": "100%"}, {}, 401, 500),
    "does not match": ({**TOKEN, "identity_validation": "100%"}, {}, 401, None),
    "fails": ({"type": "request", "function": "broken"}, {}, 500, 500),
    "takes too long": ({"type": "request", "function": "slow"}, {}, 500, 500),
    "no token": ({**REQUEST, "identity_sources": ["header.x"], "ttl": "1s"}, {}, 401, 401),
    "no Cognito token": ({"type": "cognito", "identity_sources": ["header.x"]}, {}, 401, None),
    "no JWT": ({"type": "jwt", "identity_sources": ["header.x"]}, {}, 401, 401),
    "wrong Cognito token": ({"type": "cognito", "invalid_tokens": "100%"}, {}, 401, None),
    "wrong JWT": ({"type": "jwt", "invalid_tokens": "100%"}, {}, 401, 401),
    "Cognito scope": ({"type": "cognito"}, {"scopes": "read"}, 401, None),
    "JWT scope": ({"type": "jwt"}, {"scopes": "read"}, 403, 403),
    "not signed": ({"type": "iam"}, {"credentials": {"missing": "100%"}}, 403, 403),
    "bad signature": ({"type": "iam"}, {"credentials": {"bad_signature": "100%"}}, 403, 403),
    "clock off": ({"type": "iam"}, {"credentials": {"clock_skew": "301s"}}, 403, 403),
    "clock hardly off": ({"type": "iam"}, {"credentials": {"clock_skew": "300s"}}, 200, 200),
    "not allowed": ({"type": "iam"}, {"credentials": {"policy": "silent"}}, 403, 403),
    "forbidden": ({"type": "iam"}, {"credentials": {"policy": "deny"}}, 403, 403),
    "another account": ({"type": "iam"}, {"credentials": {"account": "cross"}}, 403, 403),
    "all well": (REQUEST, {}, 200, 200),
    "good Cognito token": ({"type": "cognito"}, {"scopes": "write"}, 200, None),
    "good JWT": ({"type": "jwt"}, {"scopes": "read write"}, 200, 200),
    "well signed": ({"type": "iam"}, {}, 200, 200),
}


def one_route(kind: str, authorizer: Data, source: Data, **more: Any) -> Data:
    """Ten calls, one a second, of a route with an authorizer."""
    route = {**CALLED, "authorizer": "a"}
    if "scopes" in source:
        route["scopes"] = ["write", "admin"]
    routes = {"GET /": route, **more.pop("routes", {})}
    phases = [{"duration": "10s", "rate": 1}]
    source = {"mix": {"GET /": 1}, "arrivals": "uniform", "offset": 0, **source}
    source.setdefault("values", {"header.authorization": {"uniform": 1}})
    return scenario(
        apis={"api": {"type": kind, "routes": routes}},
        functions=FUNCTIONS,
        authorizers={"a": authorizer},
        traffic={"open": {"phases": phases, **source}},
        **more,
    )


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("kind", ["rest", "http"])
def test_each_refusal_has_the_status_of_its_api_type(cause: str, kind: str) -> None:
    authorizer, source, rest, http = CAUSES[cause]
    expected = rest if kind == "rest" else http
    if expected is None:
        pytest.skip("HTTP APIs have no such authorizer")
    _, rows = rows_of(prepare(one_route(kind, authorizer, source)))
    assert Counter(rows["status"].tolist()) == {expected: 10}


def invocations(data: Data, function: str = "check") -> int:
    program = prepare(data)
    done, _ = rows_of(program)
    return int(done.pools["invocations"][program.names.functions.index(function)])


@pytest.mark.parametrize(
    ("kind", "authorizer", "expected"),
    [
        ("rest", TOKEN, 1),  # kept for 300 s by default
        ("http", REQUEST, 10),  # not kept by default
        ("http", {**REQUEST, "ttl": "5m"}, 1),
        # At 0, 3, 6 and 9 s: kept from 1 ms later, and what is as old as its TTL is gone.
        ("rest", {**TOKEN, "ttl": "2999ms"}, 4),
        ("rest", {**TOKEN, "ttl": "3s"}, 3),
        ("rest", {**TOKEN, "deny_identities": "100%"}, 1),  # a denial is a policy, and kept
        ("rest", {**TOKEN, "silent_identities": "100%"}, 1),
        ("rest", {**TOKEN, "unauthorized": "100%"}, 10),  # an error is none
        ("rest", {**TOKEN, "identity_validation": "100%"}, 0),
        ("rest", {**REQUEST, "identity_sources": ["header.x"]}, 0),
        ("rest", {**REQUEST, "identity_sources": ["header.x"], "ttl": 0}, 10),  # optional then
        ("http", {**REQUEST, "identity_sources": ["header.x"], "ttl": 0}, 0),
    ],
)
def test_the_function_is_called_only_when_it_must_be(
    kind: str, authorizer: Data, expected: int
) -> None:
    assert invocations(one_route(kind, authorizer, {})) == expected


@pytest.mark.parametrize(("sources", "expected"), [([], 1), (["context.routeKey"], 2)])
def test_routes_of_an_http_api_share_results_unless_the_route_is_a_source(
    sources: list[str], expected: int
) -> None:
    authorizer = {
        **REQUEST,
        "ttl": "5m",
        "identity_sources": ["header.authorization", *sources],
    }
    other = {"GET /other": {**CALLED, "authorizer": "a"}}
    mix = {"mix": {"GET /": 1, "GET /other": 1}}
    data = one_route("http", authorizer, mix, routes=other)
    data["traffic"]["open"]["phases"][0]["rate"] = 10
    assert invocations(data) == expected


#: Developer guide, "API Gateway resource policies affect authorization": what the caller's own
#: policy and the resource policy say, and who may pass, in the API's account and from another.
TABLES: Final = [
    ("allow", "allow", "allow", "allow"),
    ("allow", "silent", "allow", "implicit"),
    ("allow", "deny", "explicit", "explicit"),
    ("silent", "allow", "allow", "implicit"),
    ("silent", "silent", "implicit", "implicit"),
    ("silent", "deny", "explicit", "explicit"),
    ("deny", "allow", "explicit", "explicit"),
    ("deny", "silent", "explicit", "explicit"),
    ("deny", "deny", "explicit", "explicit"),
]
POLICIES: Final[dict[str, list[Data]]] = {
    "allow": [{"effect": "allow"}],
    "silent": [{"effect": "allow", "source_ip": ["198.51.100.0/24"]}],
    "deny": [{"effect": "allow"}, {"effect": "deny", "source_ip": ["203.0.113.0/24"]}],
}
DECISIONS: Final = {
    Answer.SERVED: "allow",
    Answer.IAM_DENIED: "implicit",
    Answer.POLICY_SILENT: "implicit",
    Answer.IMPLICITLY_DENIED: "implicit",
    Answer.DENIED: "explicit",
    Answer.POLICY_DENIED: "explicit",
}


def with_policy(policy: str, authorizer: Data, source: Data) -> str:
    """What is decided about calls from 203.0.113.7."""
    data = one_route("rest", authorizer, {**source, "source_ip": "203.0.113.7"})
    data["apis"]["api"]["resource_policy"] = POLICIES[policy]
    _, rows = rows_of(prepare(data))
    (answer,) = set(rows["answer"].tolist())
    return DECISIONS.get(Answer(answer), Answer(answer).name)


@pytest.mark.parametrize(("identity", "policy", "same", "cross"), TABLES)
def test_iam_and_a_resource_policy_decide_together(
    identity: str, policy: str, same: str, cross: str
) -> None:
    for account, expected in (("same", same), ("cross", cross)):
        shown = {"credentials": {"policy": identity, "account": account}}
        assert with_policy(policy, {"type": "iam"}, shown) == expected


@pytest.mark.parametrize(("identity", "policy", "same", "cross"), TABLES)
def test_a_lambda_authorizer_and_a_resource_policy_decide_together(
    identity: str, policy: str, same: str, cross: str
) -> None:
    del cross
    shares = {"allow": {}, "silent": {"silent_identities": "100%"}}
    authorizer = {**TOKEN, **shares.get(identity, {"deny_identities": "100%"})}
    assert with_policy(policy, authorizer, {}) == same


@pytest.mark.parametrize(
    ("policy", "expected"), [("allow", "allow"), ("silent", "implicit"), ("deny", "explicit")]
)
def test_cognito_authenticates_first_and_then_the_policy_must_allow(
    policy: str, expected: str
) -> None:
    assert with_policy(policy, {"type": "cognito"}, {}) == expected
    wrong = {"type": "cognito", "invalid_tokens": "100%"}
    assert with_policy(policy, wrong, {}) == "TOKEN_INVALID"


@pytest.mark.parametrize(("early", "called", "refused"), [(False, 10, 5), (True, 5, 5)])
def test_throttle_before_auth_spares_the_authorizer(early: bool, called: int, refused: int) -> None:
    bucket = {"rate_limit": 0, "burst_limit": 5}
    data = one_route("rest", {**TOKEN, "ttl": 0}, {}, settings={"throttle_before_auth": early})
    data["apis"]["api"]["routes"]["GET /"]["throttle"] = bucket
    assert invocations(data) == called
    _, rows = rows_of(prepare(data))
    assert (rows["status"] == 429).sum() == refused


@pytest.mark.parametrize(("early", "throttled"), [(False, 0), (True, 5)])
def test_throttle_before_auth_charges_callers_who_are_denied(early: bool, throttled: int) -> None:
    bucket = {"rate_limit": 0, "burst_limit": 5}
    denying = {**TOKEN, "deny_identities": "100%"}
    data = one_route("rest", denying, {}, settings={"throttle_before_auth": early})
    data["apis"]["api"]["routes"]["GET /"]["throttle"] = bucket
    _, rows = rows_of(prepare(data))
    assert (rows["status"] == 429).sum() == throttled


# ------------------------------------------------------------------------------------- signing keys


@pytest.mark.parametrize(("kind", "hours", "fetches"), [("rest", 3, 3), ("http", 3, 2)])
def test_keys_are_fetched_when_they_are_too_old(kind: str, hours: int, fetches: int) -> None:
    data = one_route(kind, {"type": "jwt"}, {})
    data["traffic"]["open"]["phases"] = [{"duration": f"{hours}h", "rate": 1}]
    done, rows = rows_of(prepare(data))
    assert set(rows["status"].tolist()) == {200}
    assert done.key_sets["fetches"].tolist() == [fetches]


def test_every_request_that_finds_no_keys_fetches_them() -> None:
    data = one_route("http", {"type": "jwt"}, {}, settings={"key_set_time": "1s"})
    data["traffic"]["open"]["phases"] = [{"duration": "3s", "rate": 10}]
    done, rows = rows_of(prepare(data))
    # At 0, 0.1, ... 0.9 s; keys that arrive at 1 s are there for whoever comes at 1 s.
    assert done.key_sets["fetches"].tolist() == [10]
    waited = rows["latency_ns"] >= 1_000_000_000
    assert waited.tolist() == [True] * 10 + [False] * 20


def test_keys_that_do_not_come_in_time_are_a_401() -> None:
    data = one_route("http", {"type": "jwt"}, {}, settings={"key_set_time": "2s"})
    done, rows = rows_of(prepare(data))
    assert set(rows["status"].tolist()) == {401}
    assert set(rows["latency_ns"].tolist()) == {1_500_000_000}
    assert done.key_sets["failures"].tolist() == [10]


# --------------------------------------------------------------------------- what belongs to a user


def of_users(authorizer: Data, population: Data, **more: Any) -> np.ndarray:
    """Calls of 400 users over 40 s, each about ten times."""
    data = one_route("rest", authorizer, {"of": "people", "values": {}, **more.pop("source", {})})
    data["populations"] = {"people": {"count": 400, **population}}
    data["traffic"]["open"]["phases"] = [{"duration": "40s", "rate": 100}]
    return rows_of(prepare(data))[1]


def spread(share: float, n: int) -> float:
    """Four standard deviations of a binomial count."""
    return 4 * float(np.sqrt(n * share * (1 - share)))


@pytest.mark.parametrize(
    ("credentials", "answer", "share"),
    [
        ({"bad_signature": "25%"}, Answer.BAD_SIGNATURE, 0.25),
        ({"missing": "10%"}, Answer.IAM_MISSING, 0.1),
        ({"clock_skew": {"uniform": ["0s", "10m"]}}, Answer.SIGNATURE_EXPIRED, 0.5),
        ({"policy": {"allow": 2, "deny": 1}}, Answer.DENIED, 1 / 3),
    ],
)
def test_what_is_wrong_with_a_user_is_wrong_with_all_its_calls(
    credentials: Data, answer: Answer, share: float
) -> None:
    rows = of_users({"type": "iam"}, {}, source={"credentials": credentials})
    by_user = {user: set(rows["answer"][rows["customer"] == user]) for user in rows["customer"]}
    assert all(len(answers) == 1 for answers in by_user.values())
    n_wrong = sum(answers == {answer} for answers in by_user.values())
    assert abs(n_wrong - share * len(by_user)) < spread(share, len(by_user))
    assert abs(n_wrong - 2 * share * len(by_user)) > spread(share, len(by_user))


def test_a_user_that_never_refreshes_is_refused_for_ever_once_its_token_has_expired() -> None:
    rows = of_users({"type": "cognito"}, {"token_lifetime": "10s", "never_refresh": "30%"})
    n_users = n_expired = 0
    for user in set(rows["customer"].tolist()):
        has_expired = rows["answer"][rows["customer"] == user] == Answer.TOKEN_EXPIRED
        assert (np.diff(has_expired.astype(int)) >= 0).all()
        n_users += 1
        n_expired += bool(has_expired.any())
    assert abs(n_expired - 0.3 * n_users) < spread(0.3, n_users)
    # All first tokens are too old after one lifetime.
    late = rows[rows["arrival_ns"] >= 10_000_000_000]
    refused = set(late["customer"][late["answer"] == Answer.TOKEN_EXPIRED].tolist())
    assert not refused & set(late["customer"][late["answer"] == Answer.SERVED].tolist())


def test_scopes_belong_to_the_user() -> None:
    rows = of_users({"type": "jwt"}, {"scopes": {"write": 3, "read": 1, "": 1}})
    assert set(rows["status"].tolist()) == {200}  # the route asks for none
    data = {"scopes": {"write": 3, "read": 1, "": 1}}
    rows = of_users({"type": "jwt"}, {}, source=data)
    by_user = {user: set(rows["status"][rows["customer"] == user]) for user in rows["customer"]}
    assert all(len(statuses) == 1 for statuses in by_user.values())
    n_wrong = sum(statuses == {403} for statuses in by_user.values())
    assert abs(n_wrong - 0.4 * len(by_user)) < spread(0.4, len(by_user))


def test_what_nobody_looks_at_is_noted() -> None:
    shown = {"of": "people", "values": {}, "credentials": {"missing": "1%"}}
    data = one_route("rest", {"type": "iam"}, shown)
    data["populations"] = {"people": {"count": 3, "sign_in_quota": "1/s"}}
    (note,) = loads(json.dumps(data)).notes
    assert note.startswith("populations.people: nobody signs in")
    data["authorizers"]["a"] = {"type": "cognito"}
    (note,) = loads(json.dumps(data)).notes
    assert note.startswith("traffic.open: credentials are given")


@pytest.mark.parametrize(("values", "noted"), [({}, True), ({"header.x": {"uniform": 3}}, False)])
def test_a_run_without_any_identity_says_so(values: Data, noted: bool) -> None:
    data = one_route("rest", {**REQUEST, "identity_sources": ["header.x"], "ttl": "1s"}, {})
    data["traffic"] = {
        name: {**one, **({"values": values} if values else {})}
        for name, one in data["traffic"].items()
    }
    notes = run(loads(json.dumps(data)), engine="simpy").notes
    said = "nobody has an identity for authorizer a: 10 requests refused (401); write values: {head"
    assert any(note.startswith(said) for note in notes) is noted
