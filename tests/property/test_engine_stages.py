"""A canary that takes nothing, or everything, is as if there were none."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.equivalence.drawing import Style
from tests.equivalence.engines import Run, lowered, run
from tests.equivalence.scenarios import Case, scenarios

_few = settings(
    max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of one example after the other are written."""
    return tmp_path_factory.mktemp("case")


def with_canary(case: Case, canary: dict[str, Any] | None) -> Case:
    """The case with one canary on all stages of REST APIs, or without any, for the whole run."""
    data = copy.deepcopy(case.data)
    for entry in data.get("timeline", []):
        if "set" in entry:
            entry["set"] = {at: new for at, new in entry["set"].items() if ".canary." not in at}
    timeline = [entry for entry in data.pop("timeline", []) if entry.get("set", True)]
    data |= {"timeline": timeline} if timeline else {}
    for api in data["apis"].values():
        for stage in api.get("stages", {}).values() or [api.setdefault("stage", {})]:
            stage.pop("canary", None)
            if canary is not None and api["type"] == "rest":
                stage["canary"] = dict(canary)
    return Case(data, case.files)


def simulate(case: Case, folder: Path) -> Run:
    return run(lowered(case.load(folder)), "compiled")


@_few
@given(case=scenarios(style=Style.ANY))
def test_a_canary_of_nothing_changes_nothing(case: Case, folder: Path) -> None:
    plain = simulate(with_canary(case, None), folder).result
    idle = simulate(with_canary(case, {"use_stage_cache": False}), folder).result
    assert idle.digest == plain.digest


@_few
@given(case=scenarios(style=Style.ANY))
def test_a_canary_of_everything_is_the_stage_by_another_name(case: Case, folder: Path) -> None:
    everything = {"percent_traffic": 100, "use_stage_cache": True}
    plain = simulate(with_canary(case, None), folder).rows
    other = simulate(with_canary(case, everything), folder).rows
    assert len(plain) == len(other)
    for name in plain.dtype.names or ():
        if name != "cell":
            assert plain[name].tolist() == other[name].tolist(), name
