"""Whatever stands in a scenario file: a scenario comes out of it, or problems with places do."""

import contextlib
import copy
import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from apisim.scenario import TEMPLATE, Scenario, ScenarioError, loads

SCENARIO = """\
apisim: 1
name: x
warm_up: 1s
account: {throttle: {rate_limit: 1000, burst_limit: 10}, lambda_concurrency: 100}
apis:
  shop:
    type: rest
    stage: {throttle: {rate_limit: 0.3, burst_limit: 5}, cache_cluster_size: "0.5"}
    routes:
      GET /a/{id}:
        integration: {type: lambda_proxy, function: f}
        authorizer: tokens
        cache: {ttl: 5m, keys: [path.id, querystring.q]}
        response_size: {p50: 2KB, p99: 20KB}
      POST /b:
        integration: {type: http, endpoint: e, timeout: 1s}
        throttle: {rate_limit: 1, burst_limit: 1}
authorizers:
  tokens: {type: token, function: f, ttl: 1m, deny_identities: 1%}
functions:
  f: {memory: 512MB, duration: {mixture: [[0.9, 5ms], [0.1, {exponential: 1s}]]}, errors: 1%}
endpoints:
  e: {servers: 3, queue_limit: 5, service_time: {quantiles: {50: 1ms, 99: 2ms}}}
traffic:
  open:
    arrivals: {bursty: {ratio: 5, peak_for: 1s}}
    phases: [{name: a, duration: 1m, rate: 1, ramp_to: 9}, {pause: 1s}, {per: 1s, counts: [1, 2]}]
    mix: {"GET /a/{id}": 9, POST /b: 1}
    values: {path.id: {zipf: 1.1, of: 9}, querystring.q: {x: 1, y: 2}}
    network: {rtt: 5ms}
  closed:
    phases: [{duration: 1m, users: 3, think_time: {gamma: {mean: 1s, cv: 2}}}]
    mix: {POST /b: 1}
settings: {gateway_overhead: {rest: 1ms}, idle_expiry: 1m}
pricing: {month: project, represents: steady, month_to_date: {m: "1.5"}}
thresholds: {latency: ["p(95)<1s"], 'failed{phase: a}': ["rate<1%"]}
"""
DATA: dict[str, Any] = yaml.safe_load(SCENARIO)


def outcome(text: str, *overrides: str) -> Scenario | None:
    """The scenario, or None after checking that its problems can be shown."""
    refusal = None
    try:
        return loads(text, file="x.yaml", overrides=overrides)
    except ScenarioError as error:
        refusal = error
    assert refusal.problems
    for line in str(refusal).splitlines():
        assert re.match(r"(x\.yaml|--set):[1-9]\d*:[1-9]\d*: \S", line)
        assert line.isprintable()
    return None


def paths(data: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    here = [at] if at else []
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    return here + [path for key, value in items for path in paths(value, (*at, key))]


def put(data: Any, path: tuple[Any, ...], value: Any) -> None:
    """Put a value where the path leads, unless an earlier change took its way."""
    try:
        for part in path[:-1]:
            data = data[part]
        data[path[-1]] = value
    except (KeyError, IndexError, TypeError):
        return


PATHS = paths(DATA)
WORDS = sorted({str(path[-1]) for path in PATHS} | {"counts", "users", "trace", "mean", "samples"})
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(
        ["1s", "-1s", "5", "1KB", "1%", "101%", "GET /a", "f", "shop", "rest", "http", "mock",
         "$default", "1e999", "0x1F", "path.id", "p(95)<1s", "steady", "2026-06-01T00:00:00Z",
         "ANY /{x+}", "\x85"]
    )
)  # fmt: skip
KEYS = st.sampled_from(WORDS) | st.text(max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def put_in(whole: dict[str, Any], changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    """Other values at some paths: what loads is read again as it was written."""
    data = copy.deepcopy(whole)
    for path, value in changes:
        put(data, path, value)
    scenario = outcome(yaml.safe_dump(data, allow_unicode=True))
    if scenario is not None:
        assert loads(scenario.to_yaml()) == scenario


def exchange_a_key(whole: dict[str, Any], path: tuple[Any, ...], key: str, value: Any) -> None:
    """Another key in place of one."""
    data = copy.deepcopy(whole)
    here: Any = data
    for part in path[:-1]:
        here = here[part]
    del here[path[-1]]
    if isinstance(here, dict):
        here[key] = value
    outcome(yaml.safe_dump(data, allow_unicode=True))


def override(scenario: str, where: list[tuple[Any, ...]], value: Any, slip: str) -> None:
    """A value from the command line at some paths, with a slip of the pen behind each."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True).removesuffix("...\n")
    overrides = [".".join(map(str, path)) + slip + "=" + text.strip() for path in where]
    outcome(scenario, *overrides)


@given(st.text())
def test_any_text_loads_or_has_problems(text: str) -> None:
    outcome(text)


@given(st.binary())
def test_any_bytes_load_or_have_problems(raw: bytes) -> None:
    with contextlib.suppress(ScenarioError):
        loads(raw)


@given(st.text(alphabet="{}[]:,-?&*!|>%@`'\"#\n\t \\ab1", max_size=40))
def test_any_punctuation_loads_or_has_problems(text: str) -> None:
    outcome(text)


@settings(max_examples=120)
@given(st.lists(st.tuples(st.sampled_from(PATHS), VALUES), min_size=1, max_size=3))
def test_a_scenario_with_garbage_in_it_loads_or_has_problems(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    put_in(DATA, changes)


@settings(max_examples=80)
@given(st.sampled_from(PATHS), KEYS, VALUES)
def test_a_scenario_with_keys_taken_out_or_added_loads_or_has_problems(
    path: tuple[Any, ...], key: str, value: Any
) -> None:
    exchange_a_key(DATA, path, key, value)


@settings(max_examples=80)
@given(st.lists(st.sampled_from(PATHS), min_size=1, max_size=2), VALUES, st.text(max_size=3))
def test_any_override_applies_or_has_problems(
    where: list[tuple[Any, ...]], value: Any, slip: str
) -> None:
    override(SCENARIO, where, value, slip)


@settings(max_examples=30)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_name_survives_being_written_and_read(name: str, description: str) -> None:
    try:
        scenario = loads(TEMPLATE).with_(name=name, description=description)
        text = scenario.to_yaml()
    except ScenarioError:
        return
    assert loads(text) == scenario


def test_the_scenario_the_garbage_is_put_into_is_good() -> None:
    assert outcome(SCENARIO) is not None
    assert outcome(yaml.safe_dump(DATA)) is not None


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_every_single_key_may_be_missing_or_nothing_or_a_list(path: tuple[Any, ...]) -> None:
    for value in (None, [], -1):
        data = copy.deepcopy(DATA)
        put(data, path, value)
        outcome(yaml.safe_dump(data))
