"""Who may come near, in whole runs: policies, VPC endpoints, web ACLs, client certificates."""

import math

import numpy as np
import pytest

from apisim.gateway.status import Answer
from apisim.scenario import Scenario, ScenarioError, loads
from apisim.scenario.perimeter import pattern_matches
from apisim.studies import run as simulate
from tests.equivalence.engines import Run, lowered, run

BASE = """
apisim: 1
profile: ideal
apis:
  shop:
    type: rest
    {api}
    routes:
      GET /a: {{integration: {{type: mock}}}}
      GET /admin/keys: {{integration: {{type: mock}}}}
      ANY /b/{{id}}: {{integration: {{type: mock}}}}
{more}
traffic:
{traffic}
"""
SOURCE = "  {name}: {{phases: [{{duration: 1s, rate: 100}}], mix: {{{route}: 1}}{more}}}"


def _source(name: str, more: str = "", route: str = "GET /a") -> str:
    return SOURCE.format(name=name, route=route, more=f", {more}" if more else "")


def _scenario(api: str, *sources: str, more: str = "") -> Scenario:
    return loads(BASE.format(api=api, more=more, traffic="\n".join(sources)))


def _answers(found: Run) -> dict[str, set[str]]:
    """Answers that each source got."""
    names = found.result.program.names.sources
    return {
        name: {Answer(a).name for a in found.rows["answer"][found.rows["source"] == at].tolist()}
        for at, name in enumerate(names)
    }


def _run(api: str, *sources: str, more: str = "") -> Run:
    return run(lowered(_scenario(api, *sources, more=more)), "compiled")


def test_an_allowlist_lets_its_ranges_in_and_nobody_else() -> None:
    found = _run(
        "resource_policy: [{effect: allow, source_ip: [203.0.113.0/24, 198.51.100.7]}]",
        _source("office", "source_ip: 203.0.113.0/26"),
        _source("one", "source_ip: 198.51.100.7"),
        _source("next", "source_ip: 198.51.100.8"),
        _source("unknown"),
    )
    assert _answers(found) == {
        "office": {"SERVED"},
        "one": {"SERVED"},
        "next": {"POLICY_SILENT"},
        "unknown": {"POLICY_SILENT"},
    }


def test_half_of_a_range_is_half_of_its_calls() -> None:
    found = _run(
        "resource_policy: [{effect: allow}, {effect: deny, not_source_ip: [10.0.0.0/25]}]",
        _source("all", "source_ip: 10.0.0.0/24").replace("rate: 100", "rate: 4000"),
    )
    answers = found.rows["answer"]
    assert set(answers) == {Answer.SERVED, Answer.POLICY_DENIED}
    z = (np.mean(answers == Answer.SERVED) - 0.5) / (0.5 / math.sqrt(len(answers)))
    assert abs(z) < 4


def test_a_statement_can_be_about_some_routes() -> None:
    found = _run(
        "resource_policy: [{effect: allow}, {effect: deny, not_source_ip: [10.0.0.0/8], "
        "routes: ['* /admin/*']}]",
        _source("outside", "source_ip: 9.0.0.1"),
        _source("outside-admin", "source_ip: 9.0.0.1", "GET /admin/keys"),
        _source("inside-admin", "source_ip: 10.0.0.1", "GET /admin/keys"),
        _source("nowhere", "source_ip: 9.0.0.1", "GET /b/7"),
    )
    assert _answers(found) == {
        "outside": {"SERVED"},
        "outside-admin": {"POLICY_DENIED"},
        "inside-admin": {"SERVED"},
        "nowhere": {"SERVED"},
    }


def test_a_denial_comes_before_the_authorizer_and_silence_is_mended_by_it() -> None:
    text = BASE.replace("GET /a: {{", "GET /a: {{authorizer: tokens, ")
    more = (
        "authorizers: {tokens: {type: token, function: check}}\nfunctions: {check: {duration: 1ms}}"
    )
    policy = (
        "resource_policy: [{effect: allow, source_ip: [1.0.0.0/8]}, "
        "{effect: deny, source_ip: [2.0.0.0/8]}]"
    )
    token = "values: {header.authorization: {uniform: 1}}"
    sources = [_source(f"from-{n}", f"source_ip: {n}.0.0.1, {token}") for n in (1, 2, 3)]
    found = run(
        lowered(loads(text.format(api=policy, more=more, traffic="\n".join(sources)))), "compiled"
    )
    assert _answers(found) == {
        "from-1": {"SERVED"},
        "from-2": {"POLICY_DENIED"},
        "from-3": {"SERVED"},
    }
    asked = found.rows["source"][found.rows["authorizer_ns"] >= 0]
    assert 1 not in asked


ENDPOINTS = (
    "vpc_endpoints: {inner: {vpc: main}, guests: {vpc: side}, shut: {vpc: main, policy: %s}}"
)
SOURCES = [
    _source("inner", "vpc_endpoint: inner"),
    _source("guests", "vpc_endpoint: guests"),
    _source("shut", "vpc_endpoint: shut"),
    _source("outside", "source_ip: 203.0.113.7"),
]


def test_a_private_api_refuses_everything_until_it_has_a_policy() -> None:
    found = _run("endpoint: private", *SOURCES, more=ENDPOINTS % "[{effect: allow}]")
    assert set(_answers(found)["inner"] | _answers(found)["outside"]) == {"PRIVATE_REFUSED"}


@pytest.mark.parametrize(
    ("policy", "endpoint_policy", "expected"),
    [
        ("{effect: allow}", "{effect: allow}", "SERVED SERVED SERVED"),
        ("{effect: allow}", "{effect: deny}", "SERVED SERVED POLICY_DENIED"),
        (
            "{effect: allow}",
            "{effect: allow, routes: [GET /admin/keys]}",
            "SERVED SERVED POLICY_SILENT",
        ),
        (
            "{effect: allow, source_vpce: [inner]}",
            "{effect: allow}",
            "SERVED POLICY_SILENT POLICY_SILENT",
        ),
        (
            "{effect: allow}, {effect: deny, not_source_vpc: [main]}",
            "{effect: allow}",
            "SERVED POLICY_DENIED SERVED",
        ),
        (
            "{effect: allow, not_source_vpce: [inner, shut]}",
            "{effect: allow}",
            "POLICY_SILENT SERVED POLICY_SILENT",
        ),
    ],
)
def test_vpc_endpoints_and_their_policies_say_who_enters(
    policy: str, endpoint_policy: str, expected: str
) -> None:
    found = _run(
        f"endpoint: private\n    resource_policy: [{policy}]",
        *SOURCES,
        more=ENDPOINTS % f"[{endpoint_policy}]",
    )
    inner, guests, shut = expected.split()
    assert _answers(found) == {
        "inner": {inner},
        "guests": {guests},
        "shut": {shut},
        "outside": {"PRIVATE_REFUSED"},
    }


@pytest.mark.parametrize("policy", ["", "resource_policy: [{effect: allow}]"])
def test_private_bytes_are_those_that_went_through_an_endpoint(policy: str) -> None:
    def gigabytes(*sources: str) -> float:
        more = "vpc_endpoints: {inner: {vpc: main}}"
        result = simulate(_scenario(f"endpoint: private\n    {policy}", *sources, more=more))
        lines = {line["meter"]: line for line in result.bill.run.to_dict()["lines"]}
        assert "datatransfer.out.internet" not in lines
        line = lines.get("privatelink.data_processed")
        return 0.0 if line is None else sum(float(tier["quantity"]) for tier in line["tiers"])

    inner, outside = _source("inner", "vpc_endpoint: inner"), _source("outside")
    alone = gigabytes(inner)
    # Also a refusal goes through the endpoint; a call that finds no endpoint goes nowhere.
    assert alone > 0
    assert gigabytes(outside) == 0
    assert gigabytes(inner, outside) == alone


def test_a_web_acl_blocks_a_flood_after_its_delay_and_counts_what_it_blocks() -> None:
    waf = "stage: {waf: {rate_based: [{limit: 100, window: 4s, delay: 1s}]}}"
    flood = _source("flood", "arrivals: uniform, offset: 0, source_ip: 9.9.9.9")
    found = _run(waf, flood.replace("duration: 1s, rate: 100", "duration: 6s, rate: 60"))
    # 60 at 1 s, 120 at 2 s: from then on all are blocked.
    blocked = found.rows["answer"] == Answer.WAF_BLOCKED
    assert blocked.tolist() == [False] * 120 + [True] * 240
    assert found.result.inspections["requests"].sum() == 360
    assert found.result.inspections["by_rate"].sum() == 240


def test_managed_rules_block_a_share_of_the_requests() -> None:
    found = _run("stage: {waf: {rules: 2, block: 20%}}", _source("web").replace("100}", "5000}"))
    n = len(found.rows)
    blocked = int((found.rows["answer"] == Answer.WAF_BLOCKED).sum())
    assert abs(blocked - 0.2 * n) < 4 * math.sqrt(n * 0.2 * 0.8)
    assert abs(blocked - 0.22 * n) > 2 * math.sqrt(n * 0.2 * 0.8)  # it would be seen
    assert found.result.inspections["by_rule"].sum() == blocked


def test_time_of_web_acl_and_handshake_is_spent_at_the_gateway() -> None:
    times = "settings: {waf_latency: 2ms, mutual_tls_time: 3ms}"
    api = "mutual_tls: {}\n    stage: {waf: {}}"
    found = _run(api, _source("web"), more=times)
    assert set(found.rows["gateway_ns"].tolist()) == {5_000_000}
    api = "mutual_tls: {invalid_certificates: 100%}\n    stage: {waf: {}}"
    found = _run(api, _source("web"), _source("lost", route="GET /b/7"), more=times)
    assert set(found.rows["gateway_ns"].tolist()) == {3_000_000}
    assert set(found.rows["answer"].tolist()) == {Answer.MTLS_FAILED}
    assert not found.rows["units"].any()
    assert not found.result.inspections["requests"].any()


def test_a_user_has_a_good_certificate_or_a_bad_one() -> None:
    more = "populations: {people: {count: 2000}}"
    api = "mutual_tls: {invalid_certificates: 25%}"
    found = _run(api, _source("web", "of: people").replace("100}", "10000}"), more=more)
    verdicts: dict[int, set[int]] = {}
    for row in found.rows:
        verdicts.setdefault(int(row["customer"]), set()).add(int(row["answer"]))
    assert all(len(answers) == 1 for answers in verdicts.values())
    bad = sum(answers == {Answer.MTLS_FAILED} for answers in verdicts.values())
    assert abs(bad - 0.25 * len(verdicts)) < 4 * math.sqrt(len(verdicts) * 0.25 * 0.75)


def test_patterns_cover_routes() -> None:
    assert pattern_matches("*", "GET /a")
    assert pattern_matches("GET /users/*", "GET /users/{userId}/orders")
    assert not pattern_matches("GET /users/*", "GET /users")
    assert not pattern_matches("POST /a", "GET /a")
    assert pattern_matches("* /a?", "PUT /ab")
    assert not pattern_matches("GET /[a]", "GET /a")


@pytest.mark.parametrize(
    ("api", "source", "more", "said"),
    [
        ("type: http", "", "", "HTTP APIs have no WAF"),
        ("endpoint: edge", "", "", "edge-optimized APIs have no mutual TLS"),
        ("", "vpc_endpoint: inner", "vpc_endpoints: {inner: {vpc: a}}", "the API shop is not priv"),
    ],
)
def test_what_an_api_lacks_is_refused(api: str, source: str, more: str, said: str) -> None:
    lines = "mutual_tls: {}\n    stage: {waf: {}}"
    text = BASE.format(api=lines, more=more, traffic=_source("web", source))
    if api:
        key = api.partition(":")[0]
        text = text.replace("type: rest", api if key == "type" else f"type: rest\n    {api}")
        text = text.replace("{type: mock}", "{type: lambda_proxy, function: f}")
        text += "functions: {f: {duration: 1ms}}\n"
    with pytest.raises(ScenarioError, match=said):
        loads(text)


def test_too_many_addresses_for_a_rate_based_rule_are_refused() -> None:
    waf = "stage: {waf: {rate_based: [{limit: 100, window: 10m, delay: 1s}]}}"
    scenario = _scenario(waf, _source("web", "source_ip: 10.0.0.0/16"))
    with pytest.raises(ScenarioError, match="65,536 addresses with 601 counters each"):
        lowered(scenario)


def test_notes_say_what_may_not_be_meant() -> None:
    api = "endpoint: private\n    stage: {waf: {rate_based: [{limit: 10, window: 3m}]}}"
    notes = "\n".join(_scenario(api, _source("web")).notes)
    for part in (
        "a private API refuses everything until it has a policy",
        "calls from outside a VPC endpoint never reach the private API shop",
        "no rate-based rule of shop counts it",
        "windows of 1, 2, 5 and 10 minutes, not of 3m",
    ):
        assert part in notes
    api = "resource_policy: [{effect: allow, source_ip: [10.0.0.0/8]}]"
    (note, *_) = _scenario(api, _source("web")).notes
    assert "its addresses are unknown" in note


@pytest.mark.parametrize(
    ("waf", "is_noted"),
    [("{}", True), ("{rules: 1}", False), ("{block: 1%}", False),
     ("{rate_based: [{limit: 10}]}", False)],
)  # fmt: skip
def test_a_web_acl_without_rules_is_a_note(waf: str, is_noted: bool) -> None:
    notes = _scenario(f"stage: {{waf: {waf}}}", _source("web")).notes
    said = "apis.shop.stage.waf: it has no rules, blocks nothing and is billed"
    assert (said in notes) == is_noted
