"""Time-outs above 29 s, and the rate an account pays for them."""

import pytest

from apisim.scenario import Scenario, loads

TEXT = """
apisim: 1
apis:
  slow:
    type: rest
    endpoint: regional
    routes:
      GET /reports: {integration: {type: http_proxy, endpoint: e, timeout: 60s}}
      GET /other: {integration: {type: http_proxy, endpoint: e}}
endpoints:
  e: {servers: 9, service_time: 40s}
traffic:
  web: {phases: [{duration: 1s, rate: 1}], mix: {GET /reports: 1}}
"""


def scenario(*overrides: str) -> Scenario:
    return loads(TEXT, overrides=list(overrides))


@pytest.mark.parametrize(
    ("timeout", "region", "rate"),
    [
        ("29s", "us-east-1", 10_000),
        ("300s", "us-east-1", 967),  # re:Post QUlDTc_17EQ_mOJAhR3LHNDw
        ("60s", "us-east-1", 4_833),
        ("300s", "eu-south-1", 242),
    ],
)
def test_rate_times_time_out_stays_what_it_is(timeout: str, region: str, rate: int) -> None:
    found = scenario(
        f"apis.slow.routes.GET /reports.integration.timeout={timeout}", f"region={region}"
    )
    assert found.account.throttle.rate_limit == rate
    assert found.account.throttle.burst_limit == (5_000 if region == "us-east-1" else 1_250)


def test_the_user_is_told_and_knows_better() -> None:
    assert scenario().notes == [
        "account.throttle: 4833 requests/s in place of 10000, since an integration waits up to 1m "
        "and AWS may lower the rate for more than 29s; write account.throttle.rate_limit if it "
        "did not"
    ]
    for change in ("account.throttle.rate_limit=10000", "settings.raised_timeout_rate=same"):
        found = scenario(change)
        assert found.account.throttle.rate_limit == 10_000
        assert found.notes == []


def test_http_apis_wait_their_30_s_for_nothing() -> None:
    text = TEXT.replace("type: rest", "type: http").replace("    endpoint: regional\n", "")
    found = loads(text.replace(", timeout: 60s", ""))
    assert found.apis["slow"].routes["GET /other"].integration.timeout == 30 * 10**9
    assert found.account.throttle.rate_limit == 10_000


def test_the_resolved_text_has_the_same_rate() -> None:
    for one in (scenario(), scenario("account.throttle={rate_limit: 77, burst_limit: 5}")):
        again = loads(one.to_yaml())
        assert again == one


def test_the_user_is_told_what_the_timeline_does_to_the_rate() -> None:
    change = "{at: 500ms, set: {apis.slow.routes.GET /other.integration.timeout: 300s}, for: 200ms}"
    found = scenario(f"timeline=[{change}]")
    words = "as the longest time-out of integrations leaves it; write account.throttle.rate_limit"
    assert found.notes[1:] == [
        f"timeline: from {at} on account.throttle is {rate} requests/s in place of {was}, {words} "
        "if it is not"
        for at, rate, was in (("500ms", 967, 4833), ("700ms", 4833, 967))
    ]
    assert found.at(600_000_000).account.throttle.rate_limit == 967
    assert scenario(f"timeline=[{change}]", "account.throttle.rate_limit=10000").notes == []
