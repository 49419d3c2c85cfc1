"""Bursts that ``settings.sloppiness`` cannot divide are refused when a scenario is loaded."""

from typing import Any

import pytest
import yaml

from apisim.scenario import ScenarioError, loads
from tests.support.experiments import MOCK, one_source, scenario

_WHERE = (
    ("account", "throttle"),
    ("apis", "api", "stage", "throttle"),
    ("apis", "api", "routes", "GET /", "throttle"),
    ("usage_plans", "gold", "throttle"),
    ("usage_plans", "gold", "api_stages", "api", "GET /"),
)


def _load(at: tuple[str, ...], burst: int, sloppiness: int) -> None:
    api = {"type": "rest", "stage": {}, "routes": {"GET /": {**MOCK, "api_key_required": True}}}
    data: dict[str, Any] = scenario(
        account={},
        apis={"api": api},
        usage_plans={"gold": {"api_stages": {"api": {}}, "api_keys": ["mine"]}},
        traffic=one_source("5/s", "1s"),
        settings={"sloppiness": sloppiness},
    )
    spec = data
    for key in at[:-1]:
        spec = spec[key]
    spec[at[-1]] = {"rate_limit": 100, "burst_limit": burst}
    loads(yaml.safe_dump(data, sort_keys=False))


@pytest.mark.parametrize("at", _WHERE, ids=".".join)
def test_a_burst_that_cannot_be_divided_is_refused(at: tuple[str, ...]) -> None:
    with pytest.raises(ScenarioError) as found:
        _load(at, 3, 4)
    (problem,) = found.value.problems
    assert problem.path.endswith("burst_limit")
    assert "a burst of 3 cannot be divided into the 4 parts" in problem.message
    assert "write 4 or more" in problem.hint


@pytest.mark.parametrize(("burst", "sloppiness"), [(0, 4), (4, 4), (5, 4), (1, 1)])
def test_a_burst_that_can_be_divided_or_is_nothing_is_not(burst: int, sloppiness: int) -> None:
    for at in _WHERE:
        _load(at, burst, sloppiness)
