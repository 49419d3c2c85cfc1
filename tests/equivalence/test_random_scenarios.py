"""The compiled engine and the golden model write the same record of every request."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy

from apisim.engine.compiled import runner
from apisim.engine.compiled.rare import is_needed
from apisim.scenario import load
from tests.equivalence.coverage import Coverage
from tests.equivalence.drawing import Style
from tests.equivalence.engines import both, differences, lowered, run
from tests.equivalence.plain import plain_scenarios
from tests.equivalence.scenarios import Case, scenarios

pytestmark = pytest.mark.equivalence

#: Scenarios in a round. Hypothesis draws the first ten of a test one by one, and makes most that
#: follow of parts of earlier ones: ten rounds of ten meet more than a hundred at once.
ROUND = 10
#: Rounds in each of two styles; ``make test-slow`` has twice as many others.
ROUNDS = 15
FEW_ROUNDS = 6
MANY_ROUNDS = 30
#: Rounds until all keys have been written; with nothing before them they take some twenty.
KEY_ROUNDS = 30
#: Rounds until all answers have been reached.
ANSWER_ROUNDS = 360
#: All rounds are of other scenarios.
_FIRST_MANY, _FIRST_KEY, _FIRST_ANSWER = 1_000, 2_000, 3_000
KEPT = sorted((Path(__file__).parent / "kept").glob("*.yaml"))

# Whole scenarios are large and slow to make; that is what they are for.
_as_they_are = settings(
    max_examples=ROUND,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_fresh = settings.default if settings.default and not settings.default.derandomize else None
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


def look_at(
    use: Callable[[Case], None], cases: SearchStrategy[Case], rounds: Iterable[int]
) -> None:
    """Use the random scenarios of some rounds; new ones where new ones are asked for."""
    if _fresh:  # tests/conftest.py
        settings(_as_they_are, max_examples=_fresh.max_examples)(given(case=cases)(use))()
        return
    for number in rounds:
        seed(number)(_as_they_are(given(case=cases)(use)))()


def test_both_engines_agree_on_everything_a_scenario_can_say(folder: Path) -> None:
    look_at(lambda case: check(case, folder), scenarios(style=Style.ANY), range(ROUNDS))


def test_both_engines_agree_where_much_happens_at_once(folder: Path) -> None:
    look_at(lambda case: check(case, folder), scenarios(style=Style.CROWDED), range(ROUNDS))


@pytest.mark.slow
@pytest.mark.parametrize("style", [Style.ANY, Style.CROWDED])
def test_both_engines_agree_on_many_more(style: Style, folder: Path) -> None:
    rounds = range(_FIRST_MANY, _FIRST_MANY + MANY_ROUNDS)
    look_at(lambda case: check(case, folder), scenarios(style=style), rounds)


def test_both_engines_agree_on_what_the_plain_kernel_runs(folder: Path) -> None:
    def agree(case: Case) -> None:
        program = lowered(case.load(folder))
        assert not is_needed(program.tables)
        compiled, golden = both(program)
        found = differences(compiled, golden)
        assert not found, "\n".join(["the engines differ:", *found, case.shown])

    look_at(agree, plain_scenarios(), range(ROUNDS))


def test_the_whole_kernel_does_what_the_plain_one_does(folder: Path) -> None:
    def agree(case: Case) -> None:
        program = lowered(case.load(folder))
        plain = run(program, "compiled")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(runner, "is_needed", lambda tables: True)
            whole = run(program, "compiled")
        assert differences(plain, whole) == []

    look_at(agree, plain_scenarios(), range(FEW_ROUNDS))


def test_the_random_scenarios_use_every_key(folder: Path) -> None:
    """More are drawn and loaded until all is written; those need not be run."""
    for number in range(_FIRST_KEY, _FIRST_KEY + KEY_ROUNDS):
        if not _covered.missing_keys():
            return
        cases = scenarios(style=(Style.ANY, Style.CROWDED)[number % 2])
        look_at(lambda case: _covered.add_keys(case.data, case.load(folder)), cases, [number])
    assert not _covered.missing_keys()


@pytest.mark.slow
def test_the_random_scenarios_reach_every_answer(folder: Path) -> None:
    """What is rare may need more scenarios than the others: they are drawn until all is met."""
    if not _covered.examples:  # run on its own
        test_both_engines_agree_on_everything_a_scenario_can_say(folder=folder)
        test_both_engines_agree_where_much_happens_at_once(folder=folder)
    assert _covered.examples >= 2 * ROUNDS * ROUND
    for number in range(_FIRST_ANSWER, _FIRST_ANSWER + ANSWER_ROUNDS):
        if not _covered.missing():
            return
        cases = scenarios(style=(Style.ANY, Style.CROWDED)[number % 2])
        look_at(lambda case: check(case, folder), cases, [number])
    assert not _covered.missing()


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
def test_both_engines_agree_on_scenarios_that_were_kept(file: Path) -> None:
    assert differences(*both(lowered(load(file)))) == []
