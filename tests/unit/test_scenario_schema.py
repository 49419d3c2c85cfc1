"""The JSON schema: editors accept what loads, and point at what does not."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from jsonschema import Draft202012Validator

from apisim.scenario import TEMPLATE, json_schema, loads
from apisim.scenario.scenario import Scenario

BROKEN = Path(__file__).resolve().parent.parent / "golden" / "broken"

ALL_FORMS = """\
apisim: 1
apis:
  shop:
    type: rest
    stage: {cache_cluster_size: 1.6, throttle: {rate_limit: 30/min, burst_limit: 5, scope: shared}}
    routes:
      $default: {integration: {type: mock}}
      GET /a/{id}:
        integration: {type: lambda_proxy, function: a, timeout: 1s}
        cache: {keys: [method.request.path.id, querystring, header.Accept]}
        response_size: {mixture: [[99%, 1KB], [1%, {quantiles: {50: 1KB, 100: 10MB}}]]}
  chat:
    type: websocket
    route_selection_expression: $request.body.action
    routes:
      $connect: {api_key_required: true}
      send/Message.v1: {integration: {type: lambda, function: a}, route_response: true}
functions:
  a: {duration: {p50: 1ms, p99: 1.5s}, init: 0, errors: 0.1%}
  b: {duration: {mean: 1ms, p99: 2ms}, memory: 1GiB}
  c: {duration: {gamma: {mean: 1ms, cv: 0.5}}, errors: 0}
  d: {duration: {samples: x.csv, column: y, unit: ms}}
traffic:
  open:
    arrivals: {bursty: {ratio: 5}}
    phases:
      - {duration: 1h30m, rate: 0.3, ramp_to: 500/s}
      - {pause: 10min}
      - {per: 1m, counts: [1, 2]}
      - {per: 1m, counts_from: {file: x.csv, column: y, from: "1998-06-15 13:40:00", rows: 60}}
    mix: {"shop GET /a/{id}": 75%, shop/prod GET /a/7: 25}
    values: {path.id: {zipf: 1.1, of: 5}, querystring.q: {uniform: 3}, header.X: {a: 1, b: 50%}}
  closed:
    phases: [{duration: 500us, users: 5, ramp_to: 9, think_time: {exponential: 1s}}]
    mix: {"GET /a/7": 1}
    network: {rtt: {uniform: [1ms, 2ms]}}
  log: {trace: {file: x.csv, speed: 0.5}}
  crowd:
    mix: {chat send/Message.v1: 1}
    sessions:
      {population: 5, length: {exponential: 1h}, reconnect: {jitter: 30s}, topics: {uniform: 3}}
    pushes:
      news: {rate: 1/s, to: {share: 1%}, size: {p50: 1KB, p99: 9KB}, by: all, arrivals: uniform}
      echo: {"on": send/Message.v1, to: topic, by: all}
  arriving:
    phases: [{duration: 1m, rate: 5}]
    mix: {chat $default: 1}
    sessions: {length: 1m, reconnect: never, think_time: {p50: 1s, p99: 5s}}
senders: {all: {parallelism: 5, call_time: {p50: 5ms, p99: 9ms}, coalesce: true, retries: {max: 1}}}
timeline: [{at: 1m, disconnect: chat, share: 10%, for: 5s}]
account: {new_connections: {rate_limit: 50/min}}
settings: {gateway_overhead: 5ms, authorizer_timeout: {http: 5s}, path_in_cache_key: true}
pricing: {book: mine.yaml, represents: steady, hours: 720, month_to_date: {m: 1, n: "0.50"}}
thresholds: {latency: ["p(95)<1s"]}
"""


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema()


def complaints(schema: dict[str, Any], text: str) -> list[str]:
    # Editors see keys as texts, and numbers as JSON has them.
    data = json.loads(json.dumps(yaml.load(text, Loader=yaml.BaseLoader)))
    typed = json.loads(json.dumps(yaml.safe_load(text), default=str))
    assert set(data) == set(typed)
    errors = Draft202012Validator(schema).iter_errors(typed)
    return [f"{error.json_path}: {error.message}" for error in errors]


def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == "apisim scenario"
    assert schema["$schema"].startswith("https://json-schema.org/")
    json.dumps(schema)


@pytest.mark.parametrize("text", [TEMPLATE, ALL_FORMS], ids=["template", "all forms"])
def test_it_accepts_what_loads(schema: dict[str, Any], text: str) -> None:
    assert complaints(schema, text) == []


@pytest.mark.parametrize("profile", ["aws", "chapter", "ideal"])
def test_it_accepts_what_was_resolved(schema: dict[str, Any], profile: str) -> None:
    assert complaints(schema, loads(TEMPLATE, profile=profile).to_yaml()) == []


@pytest.mark.parametrize(
    "name",
    ["unknown_keys", "not_modelled_yet", "wrong_types", "bare_durations", "bare_sizes_and_shares",
     "huge_numbers", "negative_rate", "phases", "missing_everything", "endpoints", "settings",
     "cache_with_keys_missing", "cache_key_of_no_kind", "represents", "pricing", "not_a_mapping",
     "websocket_apis", "websocket_sessions"],
)  # fmt: skip
def test_it_refuses_what_does_not_load(schema: dict[str, Any], name: str) -> None:
    text = (BROKEN / f"{name}.yaml").read_text(encoding="utf-8")
    with pytest.raises(jsonschema.ValidationError):
        Draft202012Validator(schema).validate(
            json.loads(json.dumps(yaml.safe_load(text), default=str))
        )


def test_every_key_of_the_vocabulary_is_described(schema: dict[str, Any]) -> None:
    assert set(schema["properties"]) == set(Scenario.key_names())
    undescribed = [
        f"{model}.{key}"
        for model, definition in schema["$defs"].items()
        for key, part in definition.get("properties", {}).items()
        if "description" not in part
    ]
    undescribed += [key for key, part in schema["properties"].items() if "description" not in part]
    assert undescribed == []


def test_hidden_fields_and_inner_nulls_are_not_shown(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    assert "value_names" not in text
    assert '"null"' not in text


def test_a_key_says_what_it_means_and_how_it_is_written(schema: dict[str, Any]) -> None:
    def text(model: str, key: str) -> str:
        return " ".join(schema["$defs"][model]["properties"][key]["description"].split())

    assert "in order from the start of the range" in text("Population", "source_ips")
    assert text("Population", "source_ips").endswith("203.0.113.7, 203.0.113.0/24.")
    assert "Drawn for each identity" in text("Authorizer", "deny_identities")
    assert "of the callers that sign" in text("Credentials", "bad_signature")
    assert (
        "of the callers that those before it left" in schema["$defs"]["Credentials"]["description"]
    )
    assert "changes no number" in text("UsagePlan", "price")
    assert text("OpenPhase", "duration") == (
        "Length, above 0. A duration with its unit: 250ms, 10s, 1h30m."
    )
    thresholds = schema["properties"]["thresholds"]["description"]
    assert "those of quotas are quota_refused" in thresholds
