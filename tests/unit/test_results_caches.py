"""Small runs of the response cache beyond the plain one, worked out by hand: a call a second."""

from fractions import Fraction
from typing import Any

import pytest

import apisim
from apisim.scenario import loads
from apisim.studies import run

HEAD = "apisim: 1\nprofile: ideal\n"
API = """
apis:
  a:
    type: rest
    stage: {cache_cluster_size: "0.5"}
    routes:
      GET /x:
        integration: {type: http_proxy, endpoint: e}
        cache: {ttl: 5m, keys: [querystring.q]}
endpoints: {e: {servers: 10, service_time: 0s}}
traffic:
  web:
    arrivals: uniform
    offset: 0
    phases: [{name: steady, duration: 10s, rate: 1}]
    mix: {GET /x: 1}
"""


FLUSH = {"flush_cache": "a/prod"}


def result_of(*overrides: str, more: str = "") -> apisim.Result:
    return run(loads(HEAD + API + more, overrides=overrides))


def in_order(result: apisim.Result) -> dict[str, int]:
    return dict(result.requests.by_outcome)


def test_a_flush_is_before_the_call_of_its_instant() -> None:
    result = result_of(
        more="timeline: [{at: 4s, flush_cache: a/prod}, {at: 4s, flush_cache: a/prod}]"
    )
    assert in_order(result) == {"served": 2, "cache_hit": 8}
    assert result.cache["a"].flushes == 2
    assert "a: emptied 2 times (timeline), whole run." in " ".join(str(result).split())
    assert result.endpoints["e"].served == 2


def test_a_resized_cache_is_gone_for_a_while_and_billed_by_its_size() -> None:
    more = 'timeline: [{at: 4s, resize_cache: {a/prod: "6.1"}}]'
    result = result_of("settings.cache_create_time=2500ms", more=more)
    # Seconds 4 to 6 find no cache; 7 is the first to be stored again.
    stats = result.cache["a"]
    assert (stats.hits, stats.misses) == (3 + 2, 1 + 1)
    assert in_order(result) == {"served": 1 + 3 + 1, "cache_hit": 5}
    assert result.bill.run.line("apigateway.cache.0.5").quantity == Fraction(4, 3600)
    assert result.bill.run.line("apigateway.cache.6.1").quantity == Fraction(6, 3600)


def test_what_the_timeline_has_after_the_traffic_is_a_note() -> None:
    result = result_of(
        more="timeline: [{at: 4s, flush_cache: a/prod}, {at: 11s, flush_cache: a/prod}]"
    )
    assert result.cache["a"].flushes == 1
    assert "timeline: 1 entry comes after the traffic and does nothing" in result.notes


def test_every_call_that_may_asks_for_a_fresh_answer() -> None:
    result = result_of("traffic.web.invalidate={share: 100%, authorized: 100%}")
    stats = result.cache["a"]
    assert (stats.hits, stats.misses, stats.invalidations) == (0, 10, 10)
    assert stats.entries == 1
    result = result_of("traffic.web.invalidate=100%")
    stats = result.cache["a"]
    assert (stats.hits, stats.misses) == (9, 1)
    assert (stats.invalidations, stats.ignored_invalidations) == (0, 10)
    said = "a: 0 calls asked for a fresh answer and got it, 10 were ignored with a warning."
    assert said in " ".join(str(result).split())


def test_a_refused_invalidation_is_a_403_that_costs_nothing() -> None:
    result = result_of(
        "traffic.web.invalidate=100%",
        "apis.a.routes.GET /x.cache.invalidation.unauthorized=fail_with_403",
        "settings.refusal_time=3ms",
    )
    assert result.requests.by_status == {403: 10}
    assert result.requests.by_outcome == {"forbidden": 10}
    assert result.requests.refused_by == {"cache": 10}
    assert result.latency_ms.max == 3.0
    assert result.bill.run.line("apigateway.rest.requests") is None
    assert (result.cache["a"].hits, result.cache["a"].misses) == (0, 0)
    assert result.cache["a"].refused_invalidations == 10
    said = "a: 0 calls asked for a fresh answer and got it, 10 were refused (403)."
    assert said in " ".join(str(result).split())


@pytest.mark.parametrize(
    ("setting", "hits"), [("2xx", 0), ("all", 9)], ids=["successes", "whatever was answered"]
)
def test_an_endpoints_errors_are_cached_if_a_setting_says_so(setting: str, hits: int) -> None:
    result = result_of("endpoints.e.errors=100%", f"settings.cache_statuses={setting}")
    assert result.requests.by_status == {500: 10}
    assert result.cache["a"].hits == hits
    assert result.endpoints["e"].served == 10 - hits


def test_a_function_that_fails_is_never_cached() -> None:
    result = result_of(
        "apis.a.routes.GET /x.integration={type: lambda_proxy, function: f}",
        "settings.cache_statuses=all",
        more="functions: {f: {duration: 1ms, errors: 100%}}",
    )
    assert result.requests.by_status == {502: 10}
    assert result.cache["a"].hits == 0


@pytest.mark.parametrize(
    ("method", "enabled", "hits"),
    [("GET", None, 9), ("POST", None, 0), ("POST", "true", 9), ("GET", "false", 0)],
)
def test_a_method_is_cached_by_default_or_by_its_own_switch(
    method: str, enabled: str | None, hits: int
) -> None:
    text = API.replace("GET /x", f"{method} /x")
    overrides = [f"apis.a.routes.{method} /x.cache.enabled={enabled}"] if enabled else []
    result = run(loads(HEAD + text, overrides=overrides))
    assert result.cache["a"].hits == hits


def test_verbs_of_one_route_do_not_share_entries() -> None:
    text = API.replace("{GET /x: 1}", "{GET /x: 1, POST /x: 1}").replace("   GET /x:", "   ANY /x:")
    result = run(loads(HEAD + text, overrides=["apis.a.routes.ANY /x.cache.enabled=true"]))
    assert result.cache["a"].entries == 2


@pytest.mark.parametrize(("namespaces", "entries"), [((), 2), (("n", "n"), 1), (("n", "m"), 2)])
def test_routes_of_one_namespace_share_entries(namespaces: tuple[str, ...], entries: int) -> None:
    route = "integration: {type: http_proxy, endpoint: e}, cache: {keys: [querystring.q]}"
    overrides = [
        f"apis.a.routes.GET /{path}.integration.cache_namespace={name}"
        for path, name in zip("xy", namespaces, strict=False)
    ]
    text = API.replace("endpoints:", f"      GET /y: {{{route}}}\nendpoints:", 1)
    text = text.replace("{GET /x: 1}", "{GET /x: 1, GET /y: 1}")
    result = run(loads(HEAD + text, overrides=overrides))
    assert result.cache["a"].entries == entries


@pytest.mark.parametrize(("encrypted", "weight"), [("false", 1_024), ("true", 1_127)])
def test_an_encrypted_entry_weighs_more(encrypted: str, weight: int) -> None:
    overrides = (
        f"apis.a.routes.GET /x.cache.encrypted={encrypted}",
        "settings.cache_encryption_inflation=10%",
    )
    assert result_of(*overrides).cache["a"].bytes == weight
    # The largest object, too, is as it is stored.
    stats = result_of(*overrides, "settings.cache_max_object=1100B").cache["a"]
    assert stats.hits == (9 if encrypted == "false" else 0)


@pytest.mark.parametrize(
    ("throughput", "latency_ms"),
    [("off", 0.0), ("1/s", 1_000.0), ("by_size", 0.5), ("3/s", 333.333333)],
)
def test_a_lookup_takes_its_time_where_the_cache_has_a_limit(
    throughput: str, latency_ms: float
) -> None:
    result = result_of(f"settings.cache_throughput={throughput}")
    assert result.latency_ms.max == result.latency_ms.mean == pytest.approx(latency_ms, abs=1e-9)


def test_wrong_and_stale_answers_are_metrics_and_columns() -> None:
    overrides: Any = (
        "apis.a.routes.GET /x.depends_on=[querystring.q, header.x-tenant]",
        "apis.a.routes.GET /x.updates=1000/s",
        "traffic.web.values={header.x-tenant: {uniform: 1000000}}",
        "thresholds={wrong_answers: [count<1, rate<5%], stale_answers: [count<10]}",
    )
    result = result_of(*overrides)
    stats = result.cache["a"]
    assert (stats.hits, stats.wrong_answers, stats.stale_answers) == (9, 9, 9)
    assert [(verdict.value, verdict.ok) for verdict in result.thresholds] == [
        (9, False),
        (0.9, False),
        (9, True),
    ]
    text = " ".join(str(result).split())
    assert "a: 9 of the hits (100%) were made for another request: its key is too broad." in text
    assert "a: 9 of the hits (100%) had changed behind the cache." in text


@pytest.mark.parametrize(
    ("keys", "depends_on", "notes"),
    [
        ("[]", "[]", []),
        ("[querystring.q]", "[querystring.q]", []),
        ("[querystring]", "[querystring.q]", []),
        ("[]", "[querystring.q]", ["depends on querystring.q, not in cache.keys"]),
        ("[querystring.q]", "[]", ["has querystring.q, on which the answer does not depend"]),
        (
            "[header.a]",
            "[header.b]",
            ["depends on header.b, not in", "has header.a, on which the answer does not"],
        ),
    ],
)
def test_a_key_that_does_not_fit_what_the_answer_depends_on_is_a_note(
    keys: str, depends_on: str, notes: list[str]
) -> None:
    scenario = loads(
        HEAD + API,
        overrides=[
            f"apis.a.routes.GET /x.cache.keys={keys}",
            f"apis.a.routes.GET /x.depends_on={depends_on}",
        ],
    )
    found = [note for note in scenario.notes if "cache.keys" in note]
    assert len(found) == len(notes)
    assert all(words in note for words, note in zip(notes, found, strict=True))
