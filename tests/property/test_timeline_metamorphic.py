"""A change at the beginning is the changed scenario; one that is taken back at once is none."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.equivalence.changes import changeable
from tests.equivalence.drawing import Drawing, Style
from tests.equivalence.engines import lowered, run
from tests.equivalence.scenarios import Case, scenarios

# The compiled engine only: that the golden model does the same with a timeline is what random
# scenarios are for (tests/equivalence).
whole_scenarios = settings(
    max_examples=30,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("case")


@st.composite
def one_change(draw: Any) -> tuple[Case, str, Any]:
    """A scenario whose timeline sets nothing, a path, and a value for it."""
    style = draw(st.sampled_from([Style.ANY, Style.CROWDED]))
    case = draw(scenarios(style=style))
    timeline = [entry for entry in case.data.get("timeline", []) if "set" not in entry]
    case.data["timeline"] = timeline
    path, value = draw(st.sampled_from(list(changeable(case.data))))
    if path.endswith("burst_limit"):
        # A bucket that is full when its burst grows is not full any more: so it begins empty.
        case.data.setdefault("settings", {})["buckets_start"] = "empty"
    return case, path, value(Drawing(draw, style, sloppiness=1))


def with_timeline(case: Case, *entries: dict[str, Any]) -> Case:
    return Case({**case.data, "timeline": [*case.data["timeline"], *entries]}, case.files)


@whole_scenarios
@given(drawn=one_change())
def test_a_change_at_the_beginning_is_the_changed_scenario(
    drawn: tuple[Case, str, Any], folder: Path
) -> None:
    case, path, value = drawn
    as_it_is = case.load(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # files that a value names
        changed = as_it_is.with_(**{path: value})
    later = with_timeline(case, {"at": "0s", "set": {path: value}}).load(folder)
    expected, found = run(lowered(changed), "compiled"), run(lowered(later), "compiled")
    assert found.result.digest == expected.result.digest, (path, value, case.shown)
    assert found.rows.tolist() == expected.rows.tolist()


@whole_scenarios
@given(drawn=one_change())
def test_a_change_that_is_over_before_the_first_call_changes_nothing(
    drawn: tuple[Case, str, Any], folder: Path
) -> None:
    case, path, value = drawn
    # A smaller burst takes tokens away, and a nanosecond at another rate is a nanosecond.
    assume("throttle" not in path and path != "settings.lambda_request_rate")
    if path.endswith("concurrency"):  # Lambda's requests have a bucket of that size
        case.data.setdefault("settings", {})["lambda_request_rate"] = 0
    as_it_is = run(lowered(case.load(folder)), "compiled")
    assume(len(as_it_is.rows) == 0 or as_it_is.rows["arrival_ns"][0] > 1)
    for_a_moment = {"at": "0s", "set": {path: value}, "for": "1ns"}
    found = run(lowered(with_timeline(case, for_a_moment).load(folder)), "compiled")
    assert found.result.digest == as_it_is.result.digest, (path, value, case.shown)
