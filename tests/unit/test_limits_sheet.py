"""The sheet line by line: whose limits they are, what is counted, how traffic is multiplied."""

import json
import os
import signal
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from apisim import limits
from apisim.scenario import Scenario, ScenarioError, load, loads
from apisim.studies.limits import Limits
from apisim.studies.progress import Progress
from apisim.studies.quotas.catalogue import ADJUSTABLE, FIXED, OF_RATE, QUOTAS
from apisim.studies.quotas.observing import Simulator, Wall
from apisim.studies.quotas.rows import row_of, to_request
from apisim.studies.quotas.scaling import largest_multiple, scaled

FAST: Any = {"up_to": 1, "precision": 1}

SHOP = """
apisim: 1
profile: ideal
replications: 2
{head}
apis:
  shop:
    type: rest
    stage:
      throttle: {{rate_limit: 400, burst_limit: 400}}
      variables: {{a: b, c: d}}
    routes:
      GET /a/b/{{c}}:
        integration: {{type: lambda_proxy, function: f, timeout: {timeout}}}
        api_key_required: true
      POST /a:
        integration: {{type: http_proxy, endpoint: e}}
        throttle: {{rate_limit: 50, burst_limit: 1}}
      GET /: {{integration: {{type: mock}}, authorizer: tokens}}
authorizers: {{tokens: {{type: token, function: f, ttl: 5m}}}}
functions: {{f: {{duration: 100ms, reserved_concurrency: 50}}}}
endpoints: {{e: {{servers: 1, service_time: 10ms, queue_limit: 5}}}}
usage_plans:
  gold:
    throttle: {{rate_limit: 1000, burst_limit: 1000}}
    quota: {{limit: 250, period: day}}
    api_keys: [one, two]
    api_stages: {{shop: {{}}}}
traffic:
  web:
    arrivals: uniform
    offset: 0
    api_key: one
    phases: [{{duration: 10s, rate: 20}}]
    mix: {{"GET /a/b/{{c}}": 1}}
  orders:
    arrivals: uniform
    offset: 0
    phases: [{{duration: 10s, rate: 40}}]
    mix: {{"POST /a": 1}}
"""


def shop(*, head: str = "", timeout: str = "29s") -> Scenario:
    return loads(SHOP.format(head=head, timeout=timeout))


@pytest.fixture(scope="module")
def sheet() -> Limits:
    return limits(shop(), up_to=4, precision=0.01)


def test_each_limit_says_whose_it_is_and_who_can_raise_it(sheet: Limits) -> None:
    rate, burst = sheet.row("account_rate"), sheet.row("account_burst")
    assert (rate.limit, rate.origin, rate.decided_by) == (10_000, "default", ADJUSTABLE)
    assert (burst.limit, burst.requestable, burst.decided_by) == (5_000, False, OF_RATE)
    assert (burst.request, burst.code) == (None, None)
    mine = sheet.row("reserved", "f")
    assert (mine.service, mine.code, mine.decided_by, mine.requestable) == (
        None,
        None,
        "you",
        False,
    )
    assert sheet.row("payload", "shop").decided_by == FIXED
    written = limits(shop(head="account: {throttle: {rate_limit: 10000}}"), **FAST)
    assert written.row("account_rate").origin == "scenario"
    assert written.row("account_burst").origin == "default"
    milan = limits(shop(head="region: eu-south-1"), **FAST)
    assert (milan.row("account_rate").limit, milan.row("account_burst").limit) == (2_500, 1_250)


def test_what_is_used_is_what_even_traffic_asks_for(sheet: Limits) -> None:
    assert sheet.row("account_rate").used == 60
    assert sheet.row("method", "shop POST /a").used == 40
    assert sheet.row("stage", "shop GET /a/b/{c}").used == 20
    assert sheet.row("reserved", "f").used == 2  # 20/s of 100 ms
    assert sheet.row("plan_quota", "gold").used == 200
    assert sheet.row("timeout", "shop").used == pytest.approx(0.1)
    assert sheet.row("concurrency").used == 50  # a reserve is taken out whether used or not
    assert sheet.row("account_rate").headroom == pytest.approx(1 - 60 / 10_000)


def test_each_limit_refuses_where_arithmetic_says(sheet: Limits) -> None:
    def brackets(kind: str, of: str, multiple: float) -> None:
        first = sheet.row(kind, of).first_refusal
        assert first is not None
        assert first.refused is not None
        assert first.without <= multiple < first.refused <= first.without * 1.01 + 1e-9

    brackets("method", "shop POST /a", 50 / 40)
    brackets("plan_quota", "gold", 250 / 200)  # request 251 of a day is refused
    assert sheet.row("reserved", "f").first_refusal is None
    assert sheet.row("account_rate").first_refusal is None


def test_what_does_not_depend_on_traffic_is_counted(sheet: Limits) -> None:
    used = {(row.kind, row.of): row.used for row in sheet.rows if not row.grows}
    assert used == {
        ("regional_apis", "account"): 1,
        ("resources", "shop"): 4,  # /, /a, /a/b, /a/b/{c}
        ("stages", "shop"): 1,
        ("authorizers", "shop"): 1,
        ("variables", "shop"): 2,
        ("usage_plans", "account"): 1,
        ("api_keys", "account"): 2,
        ("plans_per_key", "one"): 1,
        ("function_timeout", "f"): 3,
    }
    assert all(row.first_refusal is None for row in sheet.rows if not row.grows)


def test_a_raised_time_out_is_something_to_ask_for_unless_nobody_grants_it() -> None:
    row = limits(shop(timeout="60s"), **FAST).row("timeout", "shop")
    assert (row.limit, row.request, row.requestable, row.origin) == (60, 60, True, "scenario")
    assert limits(shop(), **FAST).row("timeout", "shop").request is None
    assert not QUOTAS["edge_timeout"].is_requestable
    assert not QUOTAS["http_timeout"].is_requestable


def test_the_value_to_ask_for_fits_what_is_planned() -> None:
    small = shop(head="account: {throttle: {rate_limit: 100, burst_limit: 10}}")
    assert limits(small, **FAST).row("account_rate").request is None  # 72 fit into 100
    found = limits(small, multiple=1.2, reserve=0.5, precision=1)
    assert found.row("account_rate").used == 72  # 48 + 24 of each second
    assert found.row("account_rate").request == 110  # 108, in two digits
    assert found.row("account_burst").request is None


@pytest.mark.parametrize("kind", [kind for kind, quota in QUOTAS.items() if quota.code])
def test_a_code_is_one_that_a_source_names(kind: str) -> None:
    assert {kind: QUOTAS[kind].code} == {"account_rate": "L-8A5B8E43"}


def test_no_row_asks_for_what_nobody_grants(project: Path) -> None:
    file = project / "scenarios" / "lambda-concurrency-wall.yaml"
    found = limits(file, overrides=["account.throttle.rate_limit=1000"], duration="35s", **FAST)
    asked = [row for row in found.rows if row.request is not None]
    assert {row.kind for row in asked} == {"account_rate", "concurrency"}
    assert all(row.requestable and row.request > (row.limit or 0) for row in asked)


def test_rounding_never_asks_for_less_than_is_needed() -> None:
    for needed in (1, 9, 10, 11, 99, 101, 995, 1234, 99_999):
        assert needed * 1.2 <= to_request(needed, 0.2) < needed * 1.2 * 1.11 + 1
    assert to_request(0, 0.2) == 0


def test_headroom_is_unknown_where_a_part_is() -> None:
    def row(limit: float | None, used: list[float] | None) -> Any:
        return row_of("x", kind="x", of="x", limit=limit, used=used, origin="scenario").headroom

    assert row(None, [1.0]) is row(10.0, None) is row(0.0, [1.0]) is None
    assert row(10.0, [15.0]) == -0.5


TRAFFIC = """
apisim: 1
profile: ideal
apis:
  a: {type: rest, routes: {GET /: {integration: {type: mock}}}}
  w: {type: websocket, routes: {say: {integration: {type: mock}}}}
traffic:
  open: {phases: [{duration: 10s, rate: 2.5, ramp_to: 10}, {pause: 5s}], mix: {a GET /: 1}}
  counted: {phases: [{per: 1s, counts: [1, 1, 1, 3]}], mix: {a GET /: 1}}
  closed: {phases: [{duration: 10s, users: 4, think_time: 1s}], mix: {a GET /: 1}}
  people: {sessions: {population: 30, connect_over: 5s, until: 10s, messages: 1/s}, mix: {w say: 1}}
  arriving: {phases: [{duration: 10s, rate: 2}], sessions: {length: 5s}, mix: {w say: 1}}
"""


def test_every_kind_of_traffic_is_multiplied() -> None:
    found = scaled(loads(TRAFFIC), Fraction(5, 2)).traffic
    first = found["open"].phases[0]
    assert (first.rate, first.ramp_to) == (Fraction(25, 4), 25)
    assert found["counted"].phases[0].counts == (2, 3, 2, 8)  # sums 2.5, 5, 7.5, 15
    assert found["closed"].phases[0].users == 10
    assert found["people"].sessions is not None
    assert found["people"].sessions.population == 75
    assert found["arriving"].phases[0].rate == 5
    assert largest_multiple(loads(TRAFFIC)) == 250_000  # 4 users up to a million


def test_counts_of_a_file_and_logs_are_multiplied(project: Path, tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("minute,n\n1,10\n2,21\n")
    text = """
apisim: 1
apis: {a: {type: rest, routes: {GET /: {integration: {type: mock}}}}}
traffic: {t: {phases: [{per: 1m, counts_from: {file: counts.csv, column: n}}], mix: {GET /: 1}}}
"""
    (tmp_path / "scenario.yaml").write_text(text)
    found = scaled(load(tmp_path / "scenario.yaml"), Fraction(2))
    assert found.traffic["t"].phases[0].counts == (20, 42)
    log = "traffic.replayed.trace.file=scenarios/data/synthetic-access.csv"
    replay = load(project / "scenarios" / "trace-replay.yaml", overrides=[log])
    trace = scaled(replay, Fraction(3, 2)).traffic["replayed"].trace
    assert trace is not None
    assert trace.speed == Fraction(3, 2)


def test_new_connections_are_a_wall_of_their_own() -> None:
    text = """
apisim: 1
profile: ideal
account: {new_connections: {rate_limit: 10, burst_limit: 1}}
apis: {w: {type: websocket, routes: {say: {integration: {type: mock}}}}}
traffic:
  people:
    arrivals: uniform
    offset: 0
    phases: [{duration: 20s, rate: 5}]
    sessions: {length: 5s, reconnect: never}
    mix: {say: 1}
"""
    found = limits(loads(text), up_to=4, precision=0.01)
    row = found.row("connections")
    assert (row.limit, row.used, row.request) == (10, 5, None)
    assert row.first_refusal is not None
    assert row.first_refusal.refused is not None
    assert row.first_refusal.without <= 2 < row.first_refusal.refused
    assert found.row("connection_burst").used == 1
    assert not found.row("connection_burst").requestable


def test_both_engines_and_any_number_of_workers_find_the_same() -> None:
    def found(**options: Any) -> list[dict[str, Any]]:
        return [row.to_dict() for row in limits(shop(), up_to=2, precision=0.1, **options).rows]

    assert found() == found(workers=2) == found(engine="simpy")


def test_the_result_is_shown_in_every_form(sheet: Limits) -> None:
    assert set(sheet.frame("limits")["kind"]) == {row.kind for row in sheet.rows}
    assert len(sheet.frame("envelope")) == len(sheet.envelope)
    json.loads(sheet.to_json())
    assert str(sheet) == sheet.summary()
    assert "throttle of shop POST /a" in sheet.summary()
    assert "Resources per API" not in sheet.summary()
    assert "Resources per API" in sheet.summary(everything=True)
    assert "<table>" in sheet._repr_html_()
    assert repr(sheet).startswith("<Limits of ")
    with pytest.raises(ValueError, match="there is no frame 'rows'; there are limits, envelope"):
        sheet.frame("rows")
    with pytest.raises(ValueError, match=r"no frame 'envelop' \(did you mean envelope\?\); there"):
        sheet.frame("envelop")
    with pytest.raises(ValueError, match=r"no figure 'limit' \(did you mean limits\?\); there"):
        sheet.plot("limit")
    with pytest.raises(ValueError, match=r"no limit 'method' of 'shop POST /b' \(did you mean"):
        sheet.row("method", "shop POST /b")
    with pytest.raises(ValueError, match="there is no limit 'cache'; there are account_rate"):
        sheet.row("cache")


@pytest.mark.parametrize(
    "options",
    [
        {"multiple": 0},
        {"multiple": "many"},
        {"up_to": float("inf")},
        {"precision": 0},
        {"reserve": -1},
        {"hit_ratios": [2]},
        {"durations_s": [0]},
        {"multiples": [-1]},
        {"workers": 0},
    ],
)
def test_arguments_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|got"):
        limits(shop(), **options)


def test_more_traffic_than_a_scenario_takes_is_refused() -> None:
    with pytest.raises(ScenarioError, match="more than a scenario takes"):
        limits(shop(), multiple=300_000)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on Unix")
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_a_search_also_between_short_replications(workers: int) -> None:
    told = []

    def interrupt(progress: Progress) -> None:
        told.append(progress)
        if len(told) == 1:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        limits(shop(), replications=40, workers=workers, progress=interrupt)
    assert len(told) < 40
    assert signal.getsignal(signal.SIGINT) is before


def test_refusals_are_counted_by_the_limit_that_refused() -> None:
    wide = shop().with_(**{"traffic.orders.phases.0.rate": 100})
    (one, _) = Simulator().observe(wide)
    assert one.refused == {Wall("method", "shop POST /a"): 500}  # every other one of 100/s for 10 s
