"""Streams of draws of a whole scenario: every one is looked at, and no two are the same."""

from typing import Any

import pytest

from apisim.draws.purposes import Purpose
from apisim.engine.lowering.streams import Rekey, Streams
from apisim.scenario import ScenarioError, loads
from tests.equivalence.engines import lowered

TEXT = """\
apisim: 1
seed: 7
apis:
  a:
    type: rest
    stage: {cache_cluster_size: "0.5"}
    mutual_tls: {invalid_certificates: 1%}
    routes:
      GET /x/{id}:
        integration: {type: lambda_proxy, function: f}
        authorizer: tokens
        cache: {keys: [path.id]}
        updates: 1/min
      GET /y: {integration: {type: mock}, authorizer: signed}
      GET /z: {integration: {type: mock}, authorizer: pool, scopes: [r]}
authorizers:
  tokens: {type: token, function: f, deny_identities: 1%, unauthorized: 1%}
  signed: {type: iam}
  pool: {type: cognito, invalid_tokens: 1%}
functions: {f: {duration: 1ms}}
populations: {people: {count: 9, users_each: 3, token_lifetime: 1h, never_refresh: 1%}}
traffic:
  web:
    of: people
    phases: [{duration: 1s, rate: 9}]
    mix: {"GET /x/{id}": 1, GET /y: 1, GET /z: 1}
    values: {path.id: {uniform: 5}}
    credentials: {missing: 1%, clock_skew: {exponential: 1m}, policy: {allow: 9, deny: 1}}
    scopes: {r: 1, w: 1}
"""
#: Columns of the tables that hold keys of streams, not hashes or salts.
KEYS = {
    "parts": ("key",),
    "routes": ("sizes_key",),
    "authorizers": ("deny_key", "unauthorized_key", "invalid_key"),
    "callers": ("token_key", "refresh_key", "certificate_key"),
    "credentials": ("key", "skew_key", "policy_key", "scope_key"),
    "caching": ("updates_key",),
}


def rekey_of(text: str) -> tuple[Any, Rekey]:
    scenario = loads(text)
    rekey = lowered(scenario).rekey
    assert isinstance(rekey, Rekey)
    return scenario, rekey


def test_every_key_in_the_tables_is_one_of_the_streams_that_are_looked_at() -> None:
    scenario, rekey = rekey_of(TEXT)
    streams = Streams(scenario, 3)
    tables = rekey.with_streams(streams)
    looked_at = set(streams.used.values())
    assert len(looked_at) == len(streams.used)
    for name, table in tables._asdict().items():
        columns = table.dtype.names or ()
        keys = tuple(
            column for column in columns if table.dtype[column] == "u8" and column.endswith("key")
        )
        assert keys == KEYS.get(name, ()), name
        for column in keys:
            found = set(table[column].tolist()) - {0}
            assert found, f"the scenario has no {name}.{column}"
            assert found <= looked_at, f"{name}.{column}"
    assert set(tables.draw_keys.ravel().tolist()) <= looked_at


@pytest.mark.parametrize(
    ("purpose", "entity"),
    [
        (Purpose.ARRIVAL, "web"),
        (Purpose.KEY, "web/path.id"),
        (Purpose.RESPONSE_SIZE, "route/a/GET /y"),
        (Purpose.UNAUTHORIZED, "authorizer/tokens"),
        (Purpose.REFRESH, "population/people"),
        (Purpose.SCOPE, ""),
        (Purpose.UPDATE, "route/a/GET /x/{id}"),
    ],
)
def test_a_collision_of_any_of_them_is_refused_at_the_seed(purpose: Purpose, entity: str) -> None:
    scenario, rekey = rekey_of(TEXT)
    streams = Streams(scenario, 3)
    rekey.with_streams(streams)
    streams.refuse_equal()
    (victim,) = [at for at in streams.used if at[0] == purpose and entity in (at[1], "")][:1]
    # No seed is known to collide: the key of another stream is put in its place.
    streams.used[victim] = streams.used[Purpose.THINK, "web"]
    with pytest.raises(ScenarioError, match="the same draws in replication 3") as caught:
        streams.refuse_equal()
    (problem,) = caught.value.problems
    assert (problem.path, problem.line, problem.hint) == ("seed", 2, "use another seed")
    assert "think of web" in problem.message
    assert f"{purpose.name.lower()} of " in problem.message
