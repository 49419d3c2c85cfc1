"""The compiled engine and the golden model write the same record of every request."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.equivalence.coverage import Coverage
from tests.equivalence.engines import both, differences, lowered
from tests.equivalence.scenarios import Case, scenarios

pytestmark = pytest.mark.equivalence

EXAMPLES = max(400, settings.default.max_examples if settings.default else 0)
LEAST_EXAMPLES = 300

_covered = Coverage()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of one example after the other are written."""
    return tmp_path_factory.mktemp("case")


@settings(
    max_examples=EXAMPLES,
    # Whole scenarios are large and slow to make; that is what they are for.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(case=scenarios())
def test_both_engines_agree_on_random_scenarios(case: Case, folder: Path) -> None:
    scenario = case.load(folder)
    compiled, golden = both(lowered(scenario))
    found = differences(compiled, golden)
    assert not found, "\n".join(["the engines differ:", *found, case.shown])
    _covered.add(case.data, scenario, compiled)


def test_the_random_scenarios_use_every_key_and_reach_every_answer(folder: Path) -> None:
    if not _covered.examples:
        test_both_engines_agree_on_random_scenarios(folder=folder)
    assert _covered.examples >= LEAST_EXAMPLES
    assert not _covered.missing()
