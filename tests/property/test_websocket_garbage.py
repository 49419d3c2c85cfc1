"""Garbage in a scenario of WebSocket APIs: it loads, or has problems with places."""

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.test_scenario_garbage import (
    KEYS,
    VALUES,
    exchange_a_key,
    outcome,
    override,
    paths,
    put,
    put_in,
)

SCENARIO = """\
apisim: 1
account: {new_connections: {rate_limit: 100, burst_limit: 10}}
apis:
  chat:
    type: websocket
    route_selection_expression: $request.body.action
    stage: {name: live, throttle: {rate_limit: 1, burst_limit: 5}}
    routes:
      $connect: {authorizer: who, api_key_required: true}
      $disconnect: {integration: {type: lambda_proxy, function: f}}
      send:
        integration: {type: lambda, function: f}
        route_response: true
        validate: {reject: 1%}
      $default: {integration: {type: mock}}
authorizers: {who: {type: request, function: f, identity_sources: [route.request.querystring.t]}}
functions: {f: {duration: 1ms}}
traffic:
  people:
    mix: {chat/live send: 9, chat other: 1}
    values: {querystring.t: {uniform: 5}}
    sessions:
      population: 5
      connect_over: 10s
      until: 1h
      length: {exponential: 10m}
      away: 5m
      messages: 2/min
      messages_per_session: 9
      size: {p50: 300B, p99: 3KB}
      pings: 5m
      binary: 1%
      max_frame: 16KB
      topics: {zipf: 1.1, of: 9}
      reconnect: {jitter: 5s, max: 3}
    pushes:
      news: {rate: 1/s, to: {share: 1%}, size: 400B, by: fanout, arrivals: uniform}
      echo: {"on": send, to: topic, by: fanout}
  arriving:
    phases: [{duration: 1m, rate: 1}]
    mix: {chat $default: 1}
    sessions: {length: 1m, think_time: 5s, reconnect: {backoff: fixed, base: 1s, cap: 2s}}
senders: {fanout: {parallelism: 5, call_time: 5ms, coalesce: true, retries: {max: 1}}}
timeline: [{at: 1m, disconnect: chat/live, share: 10%, for: 5s}]
settings: {connection_minutes: exact, websocket_max_age: 1h, gateway_overhead: {websocket: 1ms}}
"""
DATA: dict[str, Any] = yaml.safe_load(SCENARIO)
PATHS = paths(DATA)
WORDS = sorted(
    {str(path[-1]) for path in PATHS} | {"sender", "never", "at_once", "GET /a", "websocket"}
)
ANYTHING = VALUES | st.sampled_from(WORDS)


@settings(max_examples=120)
@given(st.lists(st.tuples(st.sampled_from(PATHS), ANYTHING), min_size=1, max_size=3))
def test_a_scenario_with_garbage_in_it_loads_or_has_problems(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    put_in(DATA, changes)


@settings(max_examples=80)
@given(st.sampled_from(PATHS), KEYS | st.sampled_from(WORDS), ANYTHING)
def test_a_scenario_with_keys_taken_out_or_added_loads_or_has_problems(
    path: tuple[Any, ...], key: str, value: Any
) -> None:
    exchange_a_key(DATA, path, key, value)


@settings(max_examples=80)
@given(st.lists(st.sampled_from(PATHS), min_size=1, max_size=2), ANYTHING, st.text(max_size=3))
def test_any_override_applies_or_has_problems(
    where: list[tuple[Any, ...]], value: Any, slip: str
) -> None:
    override(SCENARIO, where, value, slip)


def test_the_scenario_the_garbage_is_put_into_is_good() -> None:
    assert outcome(SCENARIO) is not None
    assert outcome(yaml.safe_dump(DATA)) is not None


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_every_single_key_may_be_missing_or_nothing_or_a_list(path: tuple[Any, ...]) -> None:
    for value in (None, [], -1, "websocket", {}):
        data = copy.deepcopy(DATA)
        put(data, path, value)
        outcome(yaml.safe_dump(data))
