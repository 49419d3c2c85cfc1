"""One scenario for each lint that has it and nothing else to say, and a sound one without any."""

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apisim.draws.discrete import UniformKeys, WeightedKeys, ZipfKeys
from apisim.scenario import load, loads
from apisim.scenario.lints import Lint, lint
from apisim.scenario.lints.cache_keys import expected_hit_ratio

Data = dict[str, Any]
SCENARIOS = sorted(Path(__file__).resolve().parents[2].glob("scenarios/**/*.yaml"))

#: Nothing is to be said of it.
SOUND: Data = {
    "apisim": 1,
    "apis": {
        "shop": {
            "type": "rest",
            "stage": {
                "throttle": {"rate_limit": 500, "burst_limit": 500},
                "cache_cluster_size": "0.5",
            },
            "cors": {
                "allow_origins": ["https://app.example.com"],
                "allow_methods": ["GET", "POST"],
                "allow_headers": ["authorization", "content-type", "x-api-key"],
                "max_age": "2h",
                "error_headers": True,
            },
            "routes": {
                "GET /items/{itemId}": {
                    "integration": {"type": "lambda_proxy", "function": "get-item"},
                    "cache": {"ttl": "5m", "keys": ["path.itemId"]},
                    "depends_on": ["path.itemId"],
                },
                "POST /orders": {
                    "integration": {"type": "lambda_proxy", "function": "order"},
                    "authorizer": "tokens",
                    "api_key_required": True,
                    "throttle": {"rate_limit": 20, "burst_limit": 20},
                },
            },
        }
    },
    "authorizers": {"tokens": {"type": "token", "function": "check", "ttl": "5m"}},
    "functions": {
        "get-item": {"duration": "40ms"},
        "order": {"duration": "80ms", "reserved_concurrency": 50},
        "check": {"duration": "10ms"},
    },
    "usage_plans": {
        "gold": {
            "throttle": {"rate_limit": 100, "burst_limit": 100},
            "api_keys": ["gold-1"],
            "api_stages": {"shop/prod": {"POST /orders": {"rate_limit": 5, "burst_limit": 5}}},
        }
    },
    "populations": {"people": {"count": 50}},
    "traffic": {
        "web": {
            "of": "people",
            "api_key": "gold-1",
            "phases": [{"duration": "1m", "rate": 50}],
            "mix": {"GET /items/{itemId}": 9, "POST /orders": 1},
            "values": {"path.itemId": {"zipf": 1.1, "of": 1000}},
            "browser": {"origin": "https://app.example.com"},
            "client": {"retries": {"max": 2, "backoff": "full_jitter"}},
        }
    },
    "thresholds": {"throttled": ["rate<1%"]},
}

#: A WebSocket API of which nothing is to be said either.
SOCKETS: Data = {
    "apisim": 1,
    "apis": {
        "chat": {
            "type": "websocket",
            "stage": {"throttle": {"rate_limit": 500, "burst_limit": 500}},
            "routes": {"say": {"integration": {"type": "lambda_proxy", "function": "say"}}},
        }
    },
    "functions": {"say": {"duration": "10ms"}},
    "traffic": {
        "users": {
            "sessions": {
                "population": 10,
                "until": "20m",
                "messages": "1/min",
                "reconnect": {"jitter": "30s"},
            },
            "mix": {"say": 1},
        }
    },
    "thresholds": {"throttled": ["rate<1%"]},
}
SHOP, GET, POST = ("apis", "shop"), "GET /items/{itemId}", "POST /orders"
CACHE = (*SHOP, "routes", GET, "cache")
GONE = object()

#: Code, what is changed in the sound scenario, and the key that the lint is told at.
CASES: list[tuple[str, dict[tuple[str, ...], Any], str]] = [
    ("zero-limit", {("account", "throttle"): {"burst_limit": 0}}, "account.throttle.burst_limit"),
    ("zero-limit", {(*SHOP, "routes", POST, "throttle"): {"rate_limit": 0, "burst_limit": 5}},
     "apis.shop.routes.POST /orders.throttle.rate_limit"),
    ("zero-limit", {("usage_plans", "gold", "throttle", "burst_limit"): 0},
     "usage_plans.gold.throttle.burst_limit"),
    ("zero-limit", {("functions", "order", "reserved_concurrency"): 0},
     "functions.order.reserved_concurrency"),
    ("zero-limit",
     {("account", "lambda_concurrency"): 0, ("functions", "order", "reserved_concurrency"): GONE},
     "account.lambda_concurrency"),
    ("limit-above-account", {(*SHOP, "stage", "throttle", "rate_limit"): 20_000},
     "apis.shop.stage.throttle"),
    ("limit-above-account", {("usage_plans", "gold", "throttle", "burst_limit"): 5_001},
     "usage_plans.gold.throttle"),
    ("stage-limit-per-method",
     {(*SHOP, "stage", "throttle", "rate_limit"): 6_000, (*SHOP, "routes", POST, "throttle"): GONE},
     "apis.shop.stage.throttle"),
    ("no-method-limits",
     {(*SHOP, "stage", "throttle"): GONE, (*SHOP, "routes", POST, "throttle"): GONE,
      ("usage_plans", "gold", "throttle"): GONE,
      ("usage_plans", "gold", "api_stages", "shop/prod"): {}}, "apis.shop"),
    ("no-alarm-on-4xx", {("thresholds",): {"latency": ["p(99)<1s"]}}, ""),
    ("ttl-zero", {(*CACHE, "ttl"): "0s"}, "apis.shop.routes.GET /items/{itemId}.cache.ttl"),
    ("cached-write", {(*SHOP, "routes", POST, "cache"): {"enabled": True, "keys": []}},
     "apis.shop.routes.POST /orders.cache.enabled"),
    ("cache-unused", {(*SHOP, "routes", POST, "cache"): {"keys": []}},
     "apis.shop.routes.POST /orders.cache"),
    ("cache-unused", {CACHE: GONE}, "apis.shop"),
    ("open-invalidation", {(*CACHE, "invalidation"): {"require_authorization": False}},
     "apis.shop.routes.GET /items/{itemId}.cache.invalidation"),
    ("cache-key-of-one-caller",
     {(*CACHE, "keys"): ["path.itemId", "header.authorization"],
      (*SHOP, "routes", GET, "depends_on"): GONE},
     "apis.shop.routes.GET /items/{itemId}.cache.keys"),
    ("cache-key-too-broad",
     {(*SHOP, "routes", GET, "depends_on"): ["path.itemId", "querystring.lang"]},
     "apis.shop.routes.GET /items/{itemId}"),
    ("cache-key-too-narrow", {(*CACHE, "keys"): ["path.itemId", "querystring.session"]},
     "apis.shop.routes.GET /items/{itemId}"),
    ("cache-key-of-many-values",
     {("traffic", "web", "values", "path.itemId"): {"uniform": 1_000_000}},
     "apis.shop.routes.GET /items/{itemId}.cache.keys"),
    ("authorizer-ttl-zero", {("authorizers", "tokens", "ttl"): "0s"}, "authorizers.tokens.ttl"),
    ("key-as-authorization", {(*SHOP, "routes", POST, "authorizer"): GONE},
     "apis.shop.routes.POST /orders.api_key_required"),
    ("function-outlives-gateway", {("functions", "order", "timeout"): "1m"},
     "apis.shop.routes.POST /orders.integration"),
    ("key-unknown", {("traffic", "web", "api_key"): "gold-2"}, "traffic.web"),
    ("key-missing", {("traffic", "web", "api_key"): GONE}, "traffic.web"),
    ("key-not-needed", {("traffic", "web", "mix"): {GET: 1}}, "traffic.web"),
    ("throttle-without-key",
     {("usage_plans", "gold", "api_stages", "shop/prod", GET): {"rate_limit": 5, "burst_limit": 5}},
     "usage_plans.gold"),
    ("plan-without-key",
     {(*SHOP, "routes", POST, "api_key_required"): GONE, ("traffic", "web", "api_key"): GONE,
      ("usage_plans", "gold", "api_stages", "shop/prod"): {}}, "usage_plans.gold"),
    ("plan-without-stage", {("usage_plans", "gold", "api_stages"): {}}, "usage_plans.gold"),
    ("beyond-quota", {("populations", "others"): {"count": 10_000, "key_each": True}}, ""),
    ("cors-wildcard", {(*SHOP, "cors", "allow_origins"): ["*"]}, "apis.shop.cors.allow_origins"),
    ("cors-short-lived", {(*SHOP, "cors", "max_age"): GONE}, "apis.shop.cors"),
    ("cors-short-lived", {(*SHOP, "cors", "max_age"): -1}, "apis.shop.cors.max_age"),
    ("cors-beyond-the-cap", {(*SHOP, "cors", "max_age"): "24h"}, "apis.shop.cors.max_age"),
    ("cors-hidden-errors", {(*SHOP, "cors", "error_headers"): GONE}, "apis.shop.cors"),
    ("cors-list-of-origins",
     {(*SHOP, "cors", "allow_origins"): ["https://app.example.com", "https://example.com"]},
     "apis.shop.cors"),
    ("cors-locked-out", {("traffic", "web", "browser", "origin"): "https://example.com"},
     "traffic.web"),
    ("browsers-of-nobody", {("traffic", "web", "of"): GONE}, "traffic.web"),
    ("preflight-needs-token",
     {(*SHOP, "routes", "OPTIONS /orders"): {"integration": {"type": "mock"},
                                             "authorizer": "tokens"}},
     "apis.shop.routes.OPTIONS /orders.authorizer"),
    ("retries-without-jitter", {("traffic", "web", "client", "retries", "backoff"): "exponential"},
     "traffic.web.client.retries"),
]  # fmt: skip

SOCKET_CASES: list[tuple[str, dict[tuple[str, ...], Any], str]] = [
    ("retries-without-jitter", {("traffic", "users", "sessions", "reconnect"): "at_once"},
     "traffic.users.sessions.reconnect"),
    ("idle-connections", {("traffic", "users", "sessions", "messages"): "1/h"},
     "traffic.users.sessions"),
]  # fmt: skip


def changed(data: Data, changes: dict[tuple[str, ...], Any]) -> Data:
    result = copy.deepcopy(data)
    for path, value in changes.items():
        here = result
        for key in path[:-1]:
            here = here.setdefault(key, {})
        if value is GONE:
            del here[path[-1]]
        else:
            here[path[-1]] = value
    return result


def lints_of(data: Data) -> list[Lint]:
    return lint(loads(json.dumps(data, indent=1), "mini.yaml"))


@pytest.mark.parametrize("data", [SOUND, SOCKETS])
def test_nothing_is_said_of_a_sound_scenario(data: Data) -> None:
    assert lints_of(data) == []


@pytest.mark.parametrize(
    ("data", "code", "changes", "path"),
    [*((SOUND, *case) for case in CASES), *((SOCKETS, *case) for case in SOCKET_CASES)],
    ids=[f"{code}-{path}" for code, _, path in (*CASES, *SOCKET_CASES)],
)
def test_each_lint_is_told_once_and_where_it_is_written(
    data: Data, code: str, changes: dict[tuple[str, ...], Any], path: str
) -> None:
    found = lints_of(changed(data, changes))
    assert [(one.code, one.path) for one in found] == [(code, path)], [str(one) for one in found]
    (only,) = found
    written = json.dumps(changed(data, changes), indent=1).splitlines()
    key = path.rpartition(".")[2]
    if only.line > 1:
        # The key itself, or the nearest above it that somebody wrote.
        assert written[only.line - 1][only.column - 1 :].startswith('"')
        assert key in written[only.line - 1] or path
    assert only.source
    assert only.message
    assert str(only).startswith(f"mini.yaml:{only.line}:{only.column}: ")


def test_codes_are_kebab_case_and_each_has_a_case() -> None:
    tested = {code for code, *_ in (*CASES, *SOCKET_CASES)}
    package = Path(sys.modules["apisim.scenario"].__file__ or "").parent
    sources = [*package.glob("lints/*.py"), *(package / f"{name}.py" for name in (
        "caches", "checks_plans", "cors_rules"))]  # fmt: skip
    import re

    told = {
        code
        for file in sources
        for code in re.findall(r'Remark\(\s*"([a-z0-9-]+)"', file.read_text())
    }
    # Two need a second stage, or credentials with a wildcard, which another lint has as well.
    assert told - tested == {"key-of-another-stage", "cors-credentials-of-all"}
    assert tested - told == {"beyond-quota"}  # its code stands in a name


def test_a_key_of_another_stage_and_credentials_for_all_are_told() -> None:
    second = {**SOUND["apis"]["shop"], "stage": {"throttle": {"rate_limit": 5, "burst_limit": 5}}}
    second["routes"] = {POST: second["routes"][POST]}
    data = changed(SOUND, {("apis", "other"): second})
    data["traffic"]["web"]["mix"] = {f"shop {GET}": 9, f"shop {POST}": 1, f"other {POST}": 1}
    assert [one.code for one in lints_of(data)] == ["key-of-another-stage"]
    cors = {(*SHOP, "cors", "allow_origins"): ["*"], (*SHOP, "cors", "allow_credentials"): True}
    assert {one.code for one in lints_of(changed(SOUND, cors))} == {
        "cors-wildcard",
        "cors-credentials-of-all",
    }


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_shipped_scenarios_are_looked_at_in_the_order_of_their_lines(file: Path) -> None:
    found = lint(load(file))
    assert [one.line for one in found] == sorted(one.line for one in found)
    assert len(set(found)) == len(found)


def test_the_planted_flaws_of_shipped_scenarios_are_found(project: Path) -> None:
    def codes(name: str, *overrides: str) -> set[str]:
        file = project / "scenarios" / f"{name}.yaml"
        return {one.code for one in lint(load(file, overrides=overrides))}

    keys = "apis.users.routes.GET /users/{userId}.cache.keys="
    sound = codes("cache-key-pitfall")
    assert codes("cache-key-pitfall", f"{keys}[path.userId]") - sound == {"cache-key-too-broad"}
    token = f"{keys}[path.userId, querystring.include, header.authorization]"
    assert codes("cache-key-pitfall", token) - sound == {
        "cache-key-of-one-caller",
        "cache-key-too-narrow",
    }
    assert codes("retry-storm", "traffic.shop.client.retries.backoff=none") - codes(
        "retry-storm"
    ) == {"retries-without-jitter"}


@pytest.mark.parametrize(
    ("popularity", "shares"),
    [
        (UniformKeys(50), lambda: [1 / 50] * 50),
        (WeightedKeys((5.0, 3.0, 2.0)), lambda: [0.5, 0.3, 0.2]),
        (ZipfKeys(0.9, 200), lambda: [k**-0.9 / sum(j**-0.9 for j in range(1, 201))
                                      for k in range(1, 201)]),
    ],
)  # fmt: skip
def test_the_expected_hit_ratio_is_that_of_one_miss_for_each_life(
    popularity: Any, shares: Callable[[], list[float]]
) -> None:
    rate, ttl = 8.0, 30.0
    expected = sum(share * share * rate * ttl / (1 + share * rate * ttl) for share in shares())
    assert expected_hit_ratio(popularity, rate, ttl) == pytest.approx(expected, rel=1e-12)
