"""Good scenarios: defaults, profiles, files, and the way back to text."""

import gzip
import hashlib
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from apisim.draws.distributions import Constant, LogNormal
from apisim.scenario import (
    TEMPLATE,
    ClosedPhase,
    CountsPhase,
    OpenPhase,
    PausePhase,
    Scenario,
    ScenarioError,
    load,
    loads,
)
from apisim.scenario.regions import REGIONS, SMALL_REGIONS
from apisim.scenario.routes import parse_route_key

MS = 10**6
SECOND = 10**9

SMALL = """\
apisim: 1
apis:
  shop: {type: rest, routes: {GET /a: {integration: {type: mock}}}}
traffic:
  web: {phases: [{duration: 1m, rate: 10}], mix: {GET /a: 1}}
"""

LARGE = """\
apisim: 1
name: everything at once
description: |
  What every key of the vocabulary looks like.
seed: 18446744073709551615
replications: 3
warm_up: 30s
start: 2026-11-02T06:30:00Z
region: eu-west-2
account:
  throttle: {rate_limit: 100/min, burst_limit: 0}
  lambda_concurrency: 100
apis:
  users:
    type: rest
    endpoint: edge
    stage:
      name: live
      throttle: {rate_limit: 0.3, burst_limit: 2500, scope: shared}
      cache_cluster_size: 1.6
      cache_max_entries: 100
    routes:
      GET /users/{userId}:
        integration: {type: lambda_proxy, function: get-user, timeout: 50ms}
        authorizer: tokens
        throttle: {rate_limit: 1000, burst_limit: 2000}
        cache: {ttl: 1h, keys: [method.request.path.userId, querystring, header.Accept]}
        request_size: 0
        response_size: {p50: 2KB, p99: 20KB}
      ANY /{proxy+}: {integration: {type: http, endpoint: db}}
      POST /users: {integration: {type: lambda, function: get-user}}
  light:
    type: http
    routes:
      $default: {integration: {type: http_proxy, endpoint: db}, authorizer: seen}
authorizers:
  tokens: {type: token, function: check, deny_identities: 0.5%}
  seen: {type: request, function: check, ttl: 0, identity_sources: [querystring.key]}
functions:
  get-user: {memory: 10240MB, architecture: arm64, duration: 40ms, timeout: 900s, errors: 100%}
  check: {duration: 1ms, init: {p50: 250ms, p99: 900ms}, reserved_concurrency: 100}
endpoints:
  db: {servers: 40, queue_limit: 0, service_time: 3ms, errors: 0.1%}
traffic:
  open:
    arrivals: {bursty: {ratio: 4.5, peak_for: 1s, base_for: 9s}}
    phases:
      - {duration: 2m, rate: 0, ramp_to: 100/min}
      - {pause: 1h}
      - {name: match, per: 1m, counts: [105246, 0, 98007], events_per_month: 4}
    mix: {users/live GET /users/{userId}: 3, users GET /users/7: 25%, light GET /x/y: 0}
    values:
      path.userId: {zipf: 1.1, of: 50000}
      header.Authorization: {uniform: 25}
      querystring.plan: {gold: 1, free: 9}
    network: {rtt: {p50: 20ms, p99: 120ms}, edge_rtt: 5ms}
  closed:
    offset: 0.25
    phases: [{duration: 13m, users: 0, ramp_to: 25, think_time: {exponential: 4s}}]
    mix: {light $default: 1}
  even:
    arrivals: uniform
    offset: 0
    phases: [{duration: 1s, rate: 500}]
    mix: {users POST /users: 1}
settings: {gateway_overhead: {http: 1ms}, idle_expiry: 5m, http_timeout_status: 504}
pricing:
  month: project
  represents: {day: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0]}
  hours: calendar
  free_tier: legacy-12-month
  month_to_date: {apigateway.rest.requests: 333000000, lambda.gb_seconds: "0.50"}
thresholds:
  latency: ["p(95)<200ms"]
  cost_month: ["value<5"]
"""
LARGE = LARGE.replace("users/live GET /users/{userId}: 3", '"users/live GET /users/{userId}": 3')


def test_what_is_left_out_has_its_documented_default() -> None:
    scenario = loads(SMALL)
    assert (scenario.name, scenario.description) == ("", "")
    assert (scenario.profile, scenario.region) == ("aws", "us-east-1")
    assert (scenario.seed, scenario.replications, scenario.warm_up) == (1, 1, 0)
    assert scenario.start == datetime(2026, 6, 1, tzinfo=UTC)
    assert scenario.account.throttle.rate_limit == 10_000
    assert scenario.account.throttle.burst_limit == 5_000
    assert scenario.account.lambda_concurrency == 1_000
    api = scenario.apis["shop"]
    assert (api.endpoint, api.stage.name, api.stage.throttle) == ("regional", "prod", None)
    assert not api.stage.has_cache
    assert api.stage.cache_bytes is None
    route = api.routes["GET /a"]
    assert route.integration.timeout == 29 * SECOND
    assert (route.request_size, route.response_size) == (Constant(1024.0), Constant(1024.0))
    assert (route.authorizer, route.throttle, route.cache) == (None, None, None)
    source = scenario.traffic["web"]
    assert source.phases[0].name == "phase-1"
    assert (source.arrivals.process, source.offset, source.trace) == ("poisson", None, None)
    assert (source.values, source.network, source.is_closed) == ({}, None, False)
    assert (scenario.pricing.book, scenario.pricing.month) == ("aws-us-east-1", "run")
    assert (scenario.pricing.hours, scenario.pricing.free_tier) == (730, "none")
    assert scenario.thresholds == ()
    assert scenario.notes == []
    assert scenario.duration_limit_ns is None
    assert scenario.run_length_ns == 60 * SECOND


def test_the_defaults_of_an_http_api_are_its_own() -> None:
    text = SMALL.replace("rest", "http").replace("{type: mock}", "{type: http_proxy, endpoint: e}")
    api = loads(text + "endpoints: {e: {servers: 1, service_time: 1ms}}\n").apis["shop"]
    assert api.stage.name == "$default"
    assert api.routes["GET /a"].integration.timeout == 30 * SECOND


def test_every_key_has_its_exact_value() -> None:
    scenario = loads(LARGE)
    assert scenario.seed == 2**64 - 1
    assert scenario.description.startswith("What every key")
    assert scenario.start == datetime(2026, 11, 2, 6, 30, tzinfo=UTC)
    assert scenario.account.throttle.rate_limit == Fraction(5, 3)
    assert scenario.account.throttle.burst_limit == 0
    stage = scenario.apis["users"].stage
    assert stage.throttle is not None
    assert (stage.throttle.rate_limit, stage.throttle.scope) == (Fraction(3, 10), "shared")
    assert (stage.cache_cluster_size, stage.cache_max_entries) == ("1.6", 100)
    assert stage.cache_bytes == 1_717_986_918
    route = scenario.apis["users"].routes["GET /users/{userId}"]
    assert route.cache is not None
    assert route.cache.ttl == 3_600 * SECOND
    assert route.cache.keys == ["path.userId", "querystring", "header.accept"]
    assert route.integration.timeout == 50 * MS
    assert route.request_size == Constant(0.0)
    assert scenario.authorizers["tokens"].deny_identities == 0.005
    assert scenario.authorizers["tokens"].identity_sources == ["header.authorization"]
    function = scenario.functions["get-user"]
    assert (function.memory_mb, function.memory_gb, function.errors) == (10_240, 10, 1.0)
    assert function.timeout == 900 * SECOND
    endpoint = scenario.endpoints["db"]
    assert (endpoint.servers, endpoint.queue_limit, endpoint.errors) == (40, 0, 0.001)
    assert scenario.pricing.month_to_date["lambda.gb_seconds"] == Decimal("0.50")
    represents = scenario.pricing.represents
    assert represents is not None
    assert (represents.kind, sum(represents.weights)) == ("day", 32)


def test_phases_are_what_their_keys_say() -> None:
    traffic = loads(LARGE).traffic
    ramp, pause, match = traffic["open"].phases
    assert isinstance(ramp, OpenPhase)
    assert (ramp.rate, ramp.ramp_to, ramp.users) == (0, Fraction(5, 3), None)
    assert isinstance(pause, PausePhase)
    assert (pause.length_ns, pause.rate) == (3_600 * SECOND, None)
    assert isinstance(match, CountsPhase)
    assert (match.counts, match.length_ns) == ((105_246, 0, 98_007), 180 * SECOND)
    assert match.events_per_month == 4
    assert [phase.name for phase in traffic["open"].phases] == ["phase-1", "phase-2", "match"]
    (office,) = traffic["closed"].phases
    assert isinstance(office, ClosedPhase)
    assert (office.users, office.ramp_to, office.think_time.mean()) == (0, 25, 4 * SECOND)
    assert traffic["closed"].is_closed
    arrivals = traffic["open"].arrivals
    assert (arrivals.process, arrivals.ratio) == ("bursty", Fraction(9, 2))
    assert (arrivals.peak_for, arrivals.base_for) == (SECOND, 9 * SECOND)
    assert traffic["even"].offset == 0.0


def test_a_mix_names_api_stage_method_and_path() -> None:
    first, second, third = loads(LARGE).traffic["open"].mix
    assert (first.api, first.stage, first.method, first.path) == (
        "users", "live", "GET", "/users/{userId}",
    )  # fmt: skip
    assert first.text == "users/live GET /users/{userId}"
    assert (second.path, second.weight, third.weight) == ("/users/7", 0.25, 0.0)
    (only,) = loads(LARGE).traffic["closed"].mix
    assert (only.api, only.method, only.path) == ("light", "$default", "")


def test_the_route_keys_of_an_api_are_parsed_in_order() -> None:
    keys = loads(LARGE).route_keys("users")
    assert list(keys) == ["GET /users/{userId}", "ANY /{proxy+}", "POST /users"]
    assert keys["ANY /{proxy+}"] == parse_route_key("ANY /{proxy+}")


def test_an_authorizer_keeps_results_by_api_type_unless_told() -> None:
    authorizers = loads(LARGE).authorizers
    assert authorizers["tokens"].ttl_on("rest") == 300 * SECOND
    assert authorizers["tokens"].ttl_on("http") == 0
    assert authorizers["seen"].ttl_on("rest") == 0


def test_thirteen_regions_start_with_a_quarter_of_the_limit() -> None:
    assert len(SMALL_REGIONS) == 13
    small = loads(SMALL + "region: eu-south-1\n")
    assert small.account.throttle.rate_limit == 2_500
    assert small.account.throttle.burst_limit == 1_250
    assert small.pricing.book == "aws-apigateway-regions/eu-south-1"
    for region in REGIONS:
        limit = loads(SMALL + f"region: {region}\n").account.throttle.rate_limit
        assert limit == (2_500 if region in SMALL_REGIONS else 10_000)


def test_the_chapter_s_profile_shares_the_stage_s_bucket_and_has_its_prices() -> None:
    text = SMALL.replace(
        "type: rest,", "type: rest, stage: {throttle: {rate_limit: 5, burst_limit: 5}},"
    )
    for profile, scope, limit in (
        ("aws", "method", "replaces_stage"),
        ("ideal", "method", "replaces_stage"),
        ("chapter", "shared", "within_stage"),
    ):
        scenario = loads(text, profile=profile)
        throttle = scenario.apis["shop"].stage.throttle
        assert throttle is not None
        assert throttle.scope == scope
        assert scenario.settings.method_limit == limit
        assert scenario.settings.path_in_cache_key is (profile == "chapter")
    assert loads(text, profile="chapter").pricing.book == "seed-chapter"
    assert loads(text, profile="ideal").pricing.book == "aws-us-east-1"


def test_a_setting_may_change_the_scope_for_all_stages() -> None:
    text = SMALL.replace(
        "type: rest,", "type: rest, stage: {throttle: {rate_limit: 5, burst_limit: 5}},"
    )
    throttle = loads(text + "settings: {throttle_scope: shared}\n").apis["shop"].stage.throttle
    assert throttle is not None
    assert throttle.scope == "shared"


def test_the_ideal_gateway_takes_no_time() -> None:
    settings = loads(SMALL, profile="ideal").settings
    assert settings.gateway_overhead.rest == settings.gateway_overhead.http == Constant(0.0)
    for name in ("hit_time", "refusal_time", "lambda_transport", "http_transport", "edge_hop"):
        assert getattr(settings, name) == Constant(0.0)
    assert settings.edge_rtt == Constant(0.0)
    assert settings.cache_entry_overhead == 0
    assert settings.authorizer_timeout.http == 10 * SECOND


def test_a_gateway_as_on_aws_takes_the_times_of_the_dossier() -> None:
    settings = loads(SMALL).settings
    assert settings.gateway_overhead.rest == LogNormal(12e6, 40e6)
    assert settings.gateway_overhead.http == LogNormal(5e6, 10e6)
    assert settings.hit_time == LogNormal(5e6, 20e6)
    assert settings.lambda_transport == LogNormal(8e6, 30e6)
    assert settings.edge_hop == LogNormal(8e6, 60e6)
    assert settings.cache_max_object == 1_048_576
    assert (settings.authorizer_timeout.rest, settings.idle_expiry) == (29 * SECOND, 600 * SECOND)


@pytest.mark.parametrize(
    ("written", "rest_ms", "http_ms"),
    [("3ms", 3, 3), ("{rest: 3ms}", 3, 0), ("{http: 4ms}", 0, 4), ("{rest: 3ms, http: 4ms}", 3, 4)],
)
def test_one_overhead_is_for_both_types_or_each_has_its_own(
    written: str, rest_ms: int, http_ms: int
) -> None:
    settings = loads(
        SMALL + f"settings: {{gateway_overhead: {written}}}\n", profile="ideal"
    ).settings
    assert settings.gateway_overhead.rest == Constant(rest_ms * 1e6)
    assert settings.gateway_overhead.http == Constant(http_ms * 1e6)


def test_every_setting_says_what_it_is() -> None:
    for info in type(loads(SMALL).settings).model_fields.values():
        assert info.description
        assert any(mark in info.description for mark in ("ssumed", "ocumented", "reported"))


def test_the_source_is_kept_with_its_hash(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(SMALL)
    scenario = load(file)
    assert scenario.source.file == str(file)
    assert scenario.source.text == SMALL
    assert scenario.source.sha256 == hashlib.sha256(SMALL.encode()).hexdigest()


def test_upper_floors_report_with_positions() -> None:
    problem = loads(SMALL, file="x.yaml").problem(("traffic", "web"), "is too much", "rest")
    assert str(problem) == "x.yaml:5:3: traffic.web: is too much (rest)"


def test_options_win_over_the_file() -> None:
    scenario = loads(LARGE, profile="ideal", seed=3, replications=7)
    assert (scenario.profile, scenario.seed, scenario.replications) == ("ideal", 3, 7)
    with pytest.raises(ScenarioError) as caught:
        loads(LARGE, profile="idle", seed=-1, replications=0, duration="5")
    assert [str(problem).split(": ")[0] for problem in caught.value.problems] == [
        "--duration:1:1", "--profile:1:1", "--replications:1:1", "--seed:1:1",
    ]  # fmt: skip


def test_a_duration_cuts_arrivals_and_says_what_it_makes_void() -> None:
    scenario = loads(LARGE, duration="30s")
    assert scenario.duration_limit_ns == 30 * SECOND
    assert scenario.warm_up == 0
    assert scenario.run_length_ns == 30 * SECOND
    assert scenario.notes == [
        "warm_up: 30s is not before the end of 30s: left out",
        "traffic.open: phase phase-2 begins at 2m: left out",
        "traffic.open: phase match begins at 1h2m: left out",
    ]
    assert loads(LARGE, duration="31s").warm_up == 30 * SECOND
    assert loads(LARGE, duration=31 * SECOND).duration_limit_ns == 31 * SECOND


def test_a_duration_beyond_the_phases_cuts_nothing_and_says_so() -> None:
    text = """
apisim: 1
apis: {a: {type: rest, routes: {GET /x: {integration: {type: mock}}}}}
traffic: {web: {phases: [{duration: 1m, rate: 1}], mix: {GET /x: 1}}}
"""
    said = [note for note in loads(text, duration="10m").notes if "--duration" in note]
    assert said == [
        "--duration 10m cuts nothing: the traffic ends after 1m, and phases are never made longer"
    ]
    for duration in ("1m", "30s", None):
        assert not any("--duration" in note for note in loads(text, duration=duration).notes)


@pytest.mark.parametrize("duration", ["0s", "-1s", "x", 0, -5])
def test_a_wrong_duration_is_refused(duration: str | int) -> None:
    with pytest.raises(ScenarioError, match="--duration:1:1"):
        loads(SMALL, duration=duration)


def test_a_cache_nobody_uses_is_a_note() -> None:
    text = SMALL.replace("type: rest,", "type: rest, stage: {cache_max_entries: 5},")
    assert loads(text).notes == ["apis.shop: the stage has a cache, but no route uses it"]


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.yaml", tmp_path, "a\0b"):
        with pytest.raises(ScenarioError, match="cannot be read"):
            load(path)


def test_published_counts_are_read_in_place(tmp_path: Path) -> None:
    rows = "".join(f"1998-06-15 13:{minute:02d}:00,{minute * 10}\n" for minute in range(60))
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"minute_utc,requests\n" + rows.encode()))
    text = SMALL.replace(
        "{duration: 1m, rate: 10}",
        "{per: 1m, counts_from: {file: x.csv.gz, column: requests, "
        'from: "1998-06-15 13:40:00", rows: 3, time_column: minute_utc}}',
    )
    (phase,) = loads(text, base=tmp_path).traffic["web"].phases
    assert isinstance(phase, CountsPhase)
    assert phase.counts == (400, 410, 420)
    assert phase.counts_from is not None
    assert phase.counts_from.file == tmp_path / "x.csv.gz"
    # Without a start: from the first row, and all there are.
    every = text.replace(', from: "1998-06-15 13:40:00", rows: 3, time_column: minute_utc', "")
    every_counts = loads(every, base=tmp_path).traffic["web"].phases[0].counts
    assert every_counts == tuple(range(0, 600, 10))
    for wrong, message in (
        ("13:40", "x.csv.gz has no row"),
        ("13:59", "x.csv.gz has 1 row from there, 3 are wanted"),
    ):
        broken = text.replace("13:40:00", "23:40:00" if wrong == "13:40" else "13:59:00")
        with pytest.raises(ScenarioError, match=message):
            loads(broken, base=tmp_path)
    with pytest.raises(ScenarioError, match="did you mean requests"):
        loads(text.replace("column: requests", "column: request"), base=tmp_path)
    (tmp_path / "x.csv.gz").write_bytes(b"minute_utc,requests\n1998-06-15 13:40:00,4.5\n")
    with pytest.raises(ScenarioError, match=r'row 2: "4\.5" is not a count'):
        loads(text.replace("rows: 3", "rows: 1"), base=tmp_path)


def test_a_trace_names_an_existing_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("not read here")
    text = SMALL.replace(
        "{phases: [{duration: 1m, rate: 10}], mix: {GET /a: 1}}",
        "{trace: {file: t.csv, speed: 0.3, sort: true}}",
    )
    scenario = loads(text, base=tmp_path)
    trace = scenario.traffic["web"].trace
    assert trace is not None
    assert (trace.file, trace.speed, trace.api, trace.sort) == (
        tmp_path / "t.csv", Fraction(3, 10), None, True,
    )  # fmt: skip
    assert scenario.run_length_ns is None
    assert scenario.traffic["web"].phases == []


@pytest.mark.parametrize("text", [SMALL, LARGE, TEMPLATE], ids=["small", "large", "template"])
@pytest.mark.parametrize("profile", ["aws", "chapter", "ideal"])
def test_the_resolved_text_loads_to_an_equal_scenario(text: str, profile: str) -> None:
    scenario = loads(
        text, profile=profile, overrides=["seed=5", "account.throttle.rate_limit=0.25"]
    )
    again = loads(scenario.to_yaml())
    assert again == scenario
    assert again.to_yaml() == scenario.to_yaml()
    assert again != scenario.with_("seed=6")


def test_the_resolved_text_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("t.csv", "book.yaml", "o.csv"):
        (tmp_path / name).write_text("ms\n5\n")
    text = SMALL.replace(
        "{phases: [{duration: 1m, rate: 10}], mix: {GET /a: 1}}", "{trace: {file: t.csv}}"
    )
    text += "pricing: {book: book.yaml}\n"
    text += "functions: {f: {duration: {samples: o.csv, column: ms, unit: ms}}}\n"
    monkeypatch.chdir(tmp_path)
    scenario = loads(text)
    monkeypatch.chdir("/")
    again = loads(scenario.to_yaml())
    assert again.functions == scenario.functions
    assert again.pricing.book == str(tmp_path / "book.yaml")
    assert again.traffic["web"].trace is not None
    assert again.traffic["web"].trace.file == tmp_path / "t.csv"


def test_the_resolved_text_says_that_arrivals_were_cut() -> None:
    text = loads(SMALL, duration="5s").to_yaml()
    assert text.startswith("# Arrivals were cut at 5s (--duration).\n")


def test_a_scenario_is_frozen_and_travels_to_other_processes() -> None:
    scenario = loads(LARGE, duration="40s")
    copy: Scenario = pickle.loads(pickle.dumps(scenario))
    assert copy == scenario
    assert copy.source == scenario.source
    assert copy.duration_limit_ns == scenario.duration_limit_ns
    assert copy.positions.locate(("seed",)) == scenario.positions.locate(("seed",))
    with pytest.raises(ValueError, match="frozen"):
        scenario.seed = 5  # type: ignore[misc]


def test_errors_travel_to_other_processes() -> None:
    with pytest.raises(ScenarioError) as caught:
        loads("apisim: 2")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert copy.problems == caught.value.problems
    assert str(copy) == str(caught.value)


def test_aliases_and_merges_are_plain_yaml() -> None:
    text = SMALL.replace(
        "{GET /a: {integration: {type: mock}}}",
        "{GET /a: &r {integration: {type: mock}}, GET /b: {<<: *r, request_size: 2KB}}",
    )
    routes = loads(text).apis["shop"].routes
    assert routes["GET /b"].request_size == Constant(2048.0)
    assert routes["GET /b"].integration == routes["GET /a"].integration
