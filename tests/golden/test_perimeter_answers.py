"""What the scenarios about addresses say they answer, and by another way."""

import math
from typing import Final

import pytest

import apisim
from apisim.gateway.status import Answer
from apisim.results.tally import Tally
from tests.support.shipped import ALLOWLIST, DDOS, dollars, percent, result, says

_ROUTES: Final = "apis.reports.routes"
WITH_TOKENS: Final = (
    f"{_ROUTES}.GET /reports/{{id}}.authorizer=tokens",
    f"{_ROUTES}.POST /reports.authorizer=tokens",
)
TURNED: Final = (
    *WITH_TOKENS,
    "apis.reports.resource_policy.0="
    "{effect: deny, not_source_ip: [203.0.113.0/24, 198.51.100.16/28]}",
)

_SEARCH: Final = "apis.shop.routes.GET /search"
WAF: Final = "apis.shop.stage.waf={rate_based: [{limit: 2000, window: 5m, delay: 30s}]}"
AUTHORIZER: Final = f"{_SEARCH}.authorizer=customers"
LIMIT: Final = f"{_SEARCH}.throttle={{rate_limit: 200, burst_limit: 400}}"
EARLY: Final = "settings.throttle_before_auth=true"


def _answers(found: apisim.Result, source: str) -> dict[Answer, int]:
    """Answers that a source got; only those that occurred."""
    counts = found.measurements.select(traffic=source).by_answer
    return {answer: int(counts[answer]) for answer in Answer if counts[answer]}


def test_the_answer_of_the_allowlist() -> None:
    found, tokens, turned = (result(ALLOWLIST, *more) for more in ((), WITH_TOKENS, TURNED))
    offices, partner, elsewhere = (
        _answers(found, name) for name in ("offices", "partner", "elsewhere")
    )
    assert set(offices) == {Answer.SERVED, Answer.POLICY_DENIED}
    assert set(partner) == {Answer.SERVED, Answer.POLICY_SILENT}
    assert set(elsewhere) == {Answer.POLICY_SILENT}
    guests, n_elsewhere = offices[Answer.POLICY_DENIED], elsewhere[Answer.POLICY_SILENT]
    share = guests / sum(offices.values())
    # A quarter of the offices' block is the guests'.
    assert abs(share - 1 / 4) < 4 * math.sqrt(3 / 16 / sum(offices.values()))
    for variant in (tokens, turned):
        assert _answers(variant, "offices") == offices
        assert set(_answers(variant, "partner")) == {Answer.SERVED}
    assert _answers(tokens, "elsewhere") == {Answer.SERVED: n_elsewhere}
    assert _answers(turned, "elsewhere") == {Answer.POLICY_DENIED: n_elsewhere}
    # Tokens of the offices and the partner alone.
    assert turned.authorizers["tokens"].invocations < tokens.authorizers["tokens"].invocations
    says(
        ALLOWLIST,
        f"lets {found.requests.by_outcome['served']:,} of {found.requests.total:,} requests in",
        f"All {n_elsewhere:,} from elsewhere meet silence",
        f"{guests:,} from the offices' guests a denial ({percent(share)} of the offices'",
        f"{partner[Answer.POLICY_SILENT]:,} of the partner's, who may only read",
        f"those who are refused: {dollars(found)}.",
        f"all {n_elsewhere:,} from elsewhere are served, with the partner's reports, "
        f"and the bill is {dollars(tokens)}.",
        f"{turned.requests.by_outcome['forbidden']:,} requests are refused before the authorizer "
        f"is asked, and the bill is {dollars(turned)}.",
    )


def _customers(*overrides: str) -> Tally:
    return result(DDOS, *overrides).measurements.select(traffic="customers", phase="flood")


def _lost(*overrides: str) -> str:
    tally = _customers(*overrides)
    return percent(tally.with_outcome("throttled") / tally.requests)


@pytest.mark.oracle
def test_a_flood_takes_its_share_of_the_account_s_bucket() -> None:
    tally = _customers()
    # 4,150/s come and 2,500/s pass, after a burst of 1,250.
    expected = 1 - (2_500 * 240 + 1_250) / (4_150 * 240)
    lost = tally.with_outcome("throttled") / tally.requests
    # Refusals come in runs, so they are spread more than independent ones.
    assert abs(lost - expected) < 4 * math.sqrt(expected * (1 - expected) / tally.requests)


@pytest.mark.oracle
def test_the_web_acl_lets_one_minute_of_the_flood_pass() -> None:
    # An address makes 62.5 requests a second: 1,875 in 30 s, 3,750 in 60 s.
    blocked = _answers(result(DDOS, WAF), "attackers")[Answer.WAF_BLOCKED]
    expected = 4_000 * 180
    assert abs(blocked - expected) < 4 * math.sqrt(expected)
    assert Answer.WAF_BLOCKED not in _answers(result(DDOS, WAF), "customers")


def test_the_answer_of_the_flood() -> None:
    found, waf, authorizer = result(DDOS), result(DDOS, WAF), result(DDOS, AUTHORIZER)
    limit = result(DDOS, LIMIT)
    lines = waf.bill.run.lines
    own = sum(line.amount for line in lines if line.meter.name.startswith("waf."))
    searches = limit.measurements.select(traffic="customers", phase="flood", route="GET /search")
    says(
        DDOS,
        f"{_lost()} of the customers' requests get a 429 "
        f"({_customers().with_outcome('throttled'):,})",
        f"{_answers(found, 'attackers')[Answer.SERVED]:,} requests of the attackers are served, "
        f"and the six minutes cost {dollars(found)}.",
        f"{waf.requests.by_outcome['blocked']:,} requests do not. {_lost(WAF)} of the customers'",
        f"the bill is {dollars(waf)}, of which ${float(own):.2f} is the web ACL's own",
        f"Nobody else notices, and the bill is {dollars(authorizer)}.",
        f"the customers lose {_lost(AUTHORIZER, EARLY)} as if there were no authorizer",
        f"and the money ({dollars(limit)}), not the search: "
        f"{percent(searches.with_outcome('throttled') / searches.requests)} of the customers'",
    )
    assert set(_answers(authorizer, "customers")) == {Answer.SERVED}
    assert set(_answers(authorizer, "attackers")) == {Answer.NO_IDENTITY}
    for route in ("GET /products/{productId}", "POST /orders"):
        assert limit.measurements.select(route=route).with_outcome("throttled") == 0


def test_the_results_say_what_the_web_acl_did() -> None:
    found = result(DDOS, WAF)
    stats = found.web_acls["shop"]
    assert stats.inspected == found.requests.total
    assert stats.blocked_by_rate == found.requests.by_outcome["blocked"]
    assert stats.blocked_by_rules == 0
    assert found.to_dict()["web_acls"] == {"shop": stats.to_dict()}
    assert found.frame("web_acls").to_dict("records") == [{"api": "shop", **stats.to_dict()}]
    assert "Web ACLs, whole run" in found.summary()
    assert result(DDOS).web_acls == {}
