"""What preflights count for in a result, and what they do not."""

import pytest

from apisim.results.result import Result
from apisim.scenario import loads
from apisim.studies import run

#: Two users call at 0, 1, ... 9 s; each browser asks anew before every call.
SCENARIO = """
apisim: 1
profile: ideal
settings: {throttle_before_auth: EARLY}
account: {throttle: {rate_limit: 0, burst_limit: BURST}}
apis:
  a:
    type: rest
    cors:
      {allow_origins: ["https://app.example.com"], allow_methods: [PUT], allow_headers: ["*"],
      max_age: 0}
    routes:
      PUT /guarded: {integration: {type: mock}, authorizer: check}
      PUT /broken: {integration: {type: http_proxy, endpoint: broken}}
endpoints:
  broken: {servers: 10, service_time: 1ms, errors: 100%}
functions:
  check: {duration: 1ms}
authorizers:
  check: {type: request, function: check, identity_sources: [header.user-agent], ttl: 1s}
traffic:
  pages:
    offset: 0
    phases: [{duration: 10s, users: 2, think_time: 1s}]
    mix: {PUT /ROUTE: 1}
    values: {header.user-agent: {uniform: 1}}
    browser: {origin: "https://app.example.com"}
thresholds:
  availability: ["rate>50%"]
  failed: ["count<1000", "rate<50%"]
"""


def result_of(*, route: str, burst: int, early: bool = False) -> Result:
    text = SCENARIO.replace("ROUTE", route).replace("BURST", str(burst))
    text = text.replace("EARLY", str(early).lower())
    return run(loads(text))


def test_availability_is_about_what_pages_asked_for() -> None:
    result = result_of(route="broken", burst=1_000)
    assert result.requests.by_outcome["preflight"] > 10
    assert result.thresholds[0].value == 0.0  # every call fails, though every preflight goes well
    note = f"latencies include {result.requests.by_outcome['preflight']} preflights"
    assert any(one.startswith(note) for one in result.notes)


def test_failed_is_a_share_of_what_pages_asked_for_as_well() -> None:
    # Every call is refused by the broken endpoint: 100 % failed, not 50 % of all the requests.
    availability, count, rate = result_of(route="broken", burst=1_000).thresholds
    assert (availability.value, rate.value, rate.ok) == (0.0, 1.0, False)
    assert count.value > 10
    # The first user's preflight goes well and its call is throttled, later preflights fail.
    result = result_of(route="broken", burst=1)
    availability, count, rate = result.thresholds
    asked_for = result.requests.total - result.requests.by_outcome["preflight"]
    assert rate.value == count.value / asked_for
    assert availability.value + rate.value == 1.0


def test_preflights_that_fail_are_failures() -> None:
    result = result_of(route="broken", burst=0)
    assert set(result.requests.by_outcome) == {"throttled"}
    assert result.thresholds[0].value == 0.0
    assert not any(one.startswith("latencies include") for one in result.notes)


@pytest.mark.parametrize("early", [False, True])
def test_throttled_preflights_hang_on_no_order_of_throttle_and_authorizer(*, early: bool) -> None:
    result = result_of(route="guarded", burst=0, early=early)
    assert result.requests.by_outcome["throttled"] > 10
    assert not any("throttle_before_auth" in one for one in result.notes)


@pytest.mark.parametrize("early", [False, True])
def test_throttled_calls_of_guarded_routes_are_counted(*, early: bool) -> None:
    result = result_of(route="guarded", burst=1, early=early)
    # The first preflight has the only token, its call is throttled; so is every later preflight.
    (note,) = (one for one in result.notes if "throttle_before_auth" in one)
    assert "1 throttled request " in note
