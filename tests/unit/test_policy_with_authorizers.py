"""Resource policy and authorizer together, in whole runs: every row of the published tables."""

from typing import Final

import pytest
import yaml

from apisim.engine.run import Engine
from apisim.gateway.status import Answer
from apisim.scenario import loads
from tests.equivalence.engines import lowered, run

#: identity side, resource policy: same account (table A), another account (table B).
TABLES: Final = """
    allow   allow   yes yes
    allow   silent  yes no
    allow   deny    no  no
    allow   none    yes no
    silent  allow   yes no
    silent  silent  no  no
    silent  deny    no  no
    silent  none    no  no
    deny    allow   no  no
    deny    silent  no  no
    deny    deny    no  no
    deny    none    no  no
"""
ROWS: Final = [line.split() for line in TABLES.strip().splitlines()]
#: Policy alone: without an authorizer, and with a token of a user pool or an issuer that is valid.
ALONE: Final = {"allow": True, "silent": False, "deny": False, "none": True}

HERE: Final = "203.0.113.7"
POLICIES: Final = {
    "allow": [{"effect": "allow", "source_ip": [HERE]}],
    "silent": [{"effect": "allow", "source_ip": ["198.51.100.0/24"]}],
    "deny": [{"effect": "allow"}, {"effect": "deny", "source_ip": [HERE]}],
}
AUTHORIZERS: Final = {
    "lambda-allow": {"type": "token", "function": "f"},
    "lambda-silent": {"type": "token", "function": "f", "silent_identities": "100%"},
    "lambda-deny": {"type": "request", "function": "f", "deny_identities": "100%"},
    "iam": {"type": "iam"},
    "cognito": {"type": "cognito"},
    "jwt": {"type": "jwt"},
    "nobody": None,
}


@pytest.fixture(scope="module", params=["compiled", "simpy"])
def served(request: pytest.FixtureRequest) -> dict[tuple[str, str, str], set[bool]]:
    """Whether calls were served: by policy, authorizer and source."""
    engine: Engine = request.param
    apis, traffic = {}, {}
    for policy in ALONE:
        routes = {}
        for name in AUTHORIZERS:
            routes[f"GET /{name}"] = {"integration": {"type": "mock"}, "authorizer": name}
        del routes["GET /nobody"]["authorizer"]
        apis[policy] = {"type": "rest", "routes": routes}
        if policy in POLICIES:
            apis[policy]["resource_policy"] = POLICIES[policy]
    mix = {f"{policy} GET /{name}": 1 for policy in apis for name in AUTHORIZERS}
    for says in ("allow", "silent", "deny"):
        for account in ("same", "cross"):
            traffic[f"{says}-{account}"] = {
                "phases": [{"duration": "1s", "rate": 400}],
                "mix": mix,
                "source_ip": HERE,
                "values": {"header.authorization": {"uniform": 3}},
                "credentials": {"policy": says, "account": account},
            }
    data = {
        "apisim": 1,
        "profile": "ideal",
        "apis": apis,
        "authorizers": {name: spec for name, spec in AUTHORIZERS.items() if spec},
        "functions": {"f": {"duration": "1ms"}},
        "traffic": traffic,
    }
    found = run(lowered(loads(yaml.safe_dump(data, sort_keys=False))), engine)
    cells = found.result.program.names.cells
    answers: dict[tuple[str, str, str], set[bool]] = {}
    for row in found.rows:
        cell = cells[int(row["cell"])]
        key = (cell.api, cell.route.removeprefix("GET /"), cell.source)
        answers.setdefault(key, set()).add(int(row["answer"]) == Answer.SERVED)
    return answers


@pytest.mark.parametrize(("identity", "policy", "same", "cross"), ROWS)
def test_signatures_and_policies_decide_as_published(
    served: dict[tuple[str, str, str], set[bool]],
    identity: str,
    policy: str,
    same: str,
    cross: str,
) -> None:
    assert served[policy, "iam", f"{identity}-same"] == {same == "yes"}
    assert served[policy, "iam", f"{identity}-cross"] == {cross == "yes"}


@pytest.mark.parametrize(("identity", "policy", "same", "cross"), ROWS)
def test_documents_of_lambda_authorizers_are_of_the_same_account(
    served: dict[tuple[str, str, str], set[bool]],
    identity: str,
    policy: str,
    same: str,
    cross: str,
) -> None:
    del cross
    assert served[policy, f"lambda-{identity}", "allow-cross"] == {same == "yes"}


@pytest.mark.parametrize("authorizer", ["cognito", "jwt", "nobody"])
@pytest.mark.parametrize("policy", ALONE)
def test_a_policy_alone_must_allow(
    served: dict[tuple[str, str, str], set[bool]], authorizer: str, policy: str
) -> None:
    assert served[policy, authorizer, "allow-same"] == {ALONE[policy]}
