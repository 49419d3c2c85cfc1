"""The compiled engine and the golden model write the same record of every request."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings

from apisim.engine.compiled import runner
from apisim.engine.compiled.rare import is_needed
from apisim.scenario import load
from tests.equivalence.coverage import Coverage
from tests.equivalence.drawing import Style
from tests.equivalence.engines import both, differences, lowered, run
from tests.equivalence.plain import plain_scenarios
from tests.equivalence.scenarios import Case, scenarios

pytestmark = pytest.mark.equivalence

_OWN = settings.default.max_examples if settings.default else 0
#: Scenarios in each of two styles; more where more are asked for (tests/conftest.py).
EXAMPLES = max(300, _OWN)
#: Rounds of 60 more scenarios for what is rare.
MORE_ROUNDS = 60
KEPT = sorted((Path(__file__).parent / "kept").glob("*.yaml"))

# Whole scenarios are large and slow to make; that is what they are for.
_as_they_are = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_covered = Coverage()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of one example after the other are written."""
    return tmp_path_factory.mktemp("case")


def check(case: Case, folder: Path) -> None:
    scenario = case.load(folder)
    compiled, golden = both(lowered(scenario))
    found = differences(compiled, golden)
    assert not found, "\n".join(["the engines differ:", *found, case.shown])
    _covered.add(case.data, scenario, compiled)


@_as_they_are
@given(case=scenarios(style=Style.ANY))
def test_both_engines_agree_on_everything_a_scenario_can_say(case: Case, folder: Path) -> None:
    check(case, folder)


@_as_they_are
@given(case=scenarios(style=Style.CROWDED))
def test_both_engines_agree_where_much_happens_at_once(case: Case, folder: Path) -> None:
    check(case, folder)


@_as_they_are
@given(case=plain_scenarios())
def test_both_engines_agree_on_what_the_plain_kernel_runs(case: Case, folder: Path) -> None:
    program = lowered(case.load(folder))
    assert not is_needed(program.tables)
    compiled, golden = both(program)
    found = differences(compiled, golden)
    assert not found, "\n".join(["the engines differ:", *found, case.shown])


@settings(_as_they_are, max_examples=60)
@given(case=plain_scenarios())
def test_the_whole_kernel_does_what_the_plain_one_does(case: Case, folder: Path) -> None:
    program = lowered(case.load(folder))
    plain = run(program, "compiled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "is_needed", lambda tables: True)
        whole = run(program, "compiled")
    assert differences(plain, whole) == []


def test_the_random_scenarios_use_every_key(folder: Path) -> None:
    """More are drawn and loaded until all is written; those need not be run."""
    for number in range(MORE_ROUNDS):
        if not _covered.missing_keys():
            return
        _more(number, lambda case: _covered.add_keys(case.data, case.load(folder)))
    assert not _covered.missing_keys()


@pytest.mark.slow
def test_the_random_scenarios_reach_every_answer(folder: Path) -> None:
    """What is rare may need more scenarios than the others: they are drawn until all is met."""
    if not _covered.examples:  # run on its own
        test_both_engines_agree_on_everything_a_scenario_can_say(folder=folder)
        test_both_engines_agree_where_much_happens_at_once(folder=folder)
    assert _covered.examples >= 2 * EXAMPLES
    for number in range(MORE_ROUNDS):
        if not _covered.missing():
            return
        _more(number, lambda case: check(case, folder))
    assert not _covered.missing()


def _more(number: int, use: Callable[[Case], None]) -> None:
    """A round of 60 more scenarios."""
    style = (Style.ANY, Style.CROWDED)[number % 2]
    # Seeds of their own: the examples above would only come again.
    more = given(case=scenarios(style=style))(use)
    seed(number)(settings(_as_they_are, max_examples=60)(more))()


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
def test_both_engines_agree_on_scenarios_that_were_kept(file: Path) -> None:
    assert differences(*both(lowered(load(file)))) == []
