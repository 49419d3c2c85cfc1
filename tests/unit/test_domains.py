"""Which API takes a path of a custom domain: AWS's own table, and what it leaves out."""

from pathlib import Path

import numpy as np
import pytest

import apisim
from apisim.engine.tables import NONE
from apisim.gateway.status import Answer
from apisim.scenario import ScenarioError, loads
from apisim.scenario.domains import base_path
from tests.equivalence.engines import both, differences, lowered

#: Developer guide, "Use API mappings to connect API stages to a custom domain name for REST APIs":
#: its five mappings and what it says about seven requests. (Its fifth mapping is printed as
#: ``orders/v1/items/categories`` there and as below on the page of HTTP APIs, whose request it is.)
MAPPINGS = {
    "": "API 1",
    "orders": "API 2",
    "orders/v1/items": "API 3",
    "orders/v2/items": "API 4",
    "orders/v2/items/categories": "API 5",
}
PUBLISHED = {
    "/orders": "API 2",
    "/orders/v1/items": "API 3",
    "/orders/v2/items": "API 4",
    "/orders/v1/items/123": "API 3",
    "/orders/v2/items/categories/5": "API 5",
    "/customers": "API 1",
    "/ordersandmore": "API 2",
}
#: Worked by hand: the path as the API sees it.
SEEN = {
    "/orders": "/",
    "/orders/": "/",
    "/orders/v1/items": "/",
    "/orders/v1/items/123": "/123",
    "/orders/v2/items/categories/5?a=/b": "/5?a=/b",
    "/customers": "/customers",
    "/": "/",
    "/ordersandmore": "/andmore",
}


def found(mappings: dict[str, str], path: str) -> tuple[str, str]:
    result = base_path(mappings, path)
    assert result is not None
    return result


@pytest.mark.parametrize(("path", "api"), PUBLISHED.items())
def test_aws_own_table(path: str, api: str) -> None:
    assert found(MAPPINGS, path)[0] == api


@pytest.mark.parametrize(("path", "seen"), SEEN.items())
def test_the_mapping_is_taken_off_the_path(path: str, seen: str) -> None:
    assert found(MAPPINGS, path)[1] == seen


def test_one_level_is_a_whole_segment() -> None:
    # The same page: "API Gateway would choose API 1, as there is no matching path".
    assert found({"": "API 1", "orders": "API 2"}, "/ordersandmore") == ("API 1", "/ordersandmore")
    assert found({"": "API 1", "orders": "API 2"}, "/orders/7") == ("API 2", "/7")


def test_without_an_empty_mapping_a_path_may_be_nobodys() -> None:
    assert base_path({"v1": "a", "v1/deep": "b"}, "/v2/x") is None
    assert base_path({"v1": "a"}, "/") is None


SCENARIO = """
apisim: 1
profile: ideal
apis:
  old: {type: http, routes: {"GET /users/{id}": {integration: {type: lambda_proxy, function: f}}}}
  new:
    type: rest
    stages: {prod: {}, beta: {}}
    routes: {"GET /users/{id}": {integration: {type: lambda_proxy, function: g}}}
functions: {f: {duration: 5ms}, g: {duration: 7ms}}
domains:
  api.example.com: {mappings: {"(none)": old, v2: new/prod, v2/beta: new/beta}}
"""


def test_versions_side_by_side(tmp_path: Path) -> None:
    rows = ["/users/1", "/v2/users/1", "/v2/beta/users/1?q=1", "/v2/nothing", "/users/2"]
    log = "timestamp_s,client,method,path,status,bytes\n" + "".join(
        f"{at},c,GET,{path},200,5\n" for at, path in enumerate(rows)
    )
    (tmp_path / "log.csv").write_text(log)
    traffic = "traffic: {log: {trace: {file: log.csv, domain: api.example.com}}}\n"
    program = lowered(loads(SCENARIO + traffic, base=tmp_path))
    compiled, golden = both(program)
    assert not differences(compiled, golden)
    table = compiled.rows[np.argsort(compiled.rows["arrival_ns"])]
    names = program.names
    assert [names.apis[at] for at in table["api"]] == [
        "old",
        "new/prod",
        "new/beta",
        "new/prod",
        "old",
    ]
    assert table["answer"].tolist() == [Answer.SERVED] * 3 + [Answer.NO_ROUTE, Answer.SERVED]
    assert table["integration_ns"].tolist() == [5e6, 7e6, 7e6, NONE, 5e6]


def test_a_mix_may_name_a_domain() -> None:
    mix = {
        "api.example.com GET /users/{id}": "old",
        "api.example.com/v2 GET /users/7": "new/prod",
        "api.example.com GET /v2/beta/users/{id}": "new/beta",
    }
    lines = ", ".join(f'"{line}": 1' for line in mix)
    traffic = f"traffic: {{web: {{phases: [{{rate: 9, duration: 1s}}], mix: {{{lines}}}}}}}\n"
    scenario = loads(SCENARIO + traffic)
    entries = scenario.traffic["web"].mix
    assert [entry.api for entry in entries] == list(mix.values())
    assert [entry.path for entry in entries] == ["/users/{id}", "/users/7", "/users/{id}"]
    assert apisim.run(scenario).requests.by_status == {200: apisim.run(scenario).requests.total}


def test_a_line_that_no_mapping_takes_is_refused() -> None:
    text = SCENARIO.replace('"(none)": old, ', "")
    traffic = (
        'traffic: {web: {phases: [{rate: 9, duration: 1s}], mix: {"api.example.com GET /x": 1}}}'
    )
    with pytest.raises(ScenarioError, match="no base path mapping"):
        loads(text + traffic)
