"""A changed control flow of either engine is seen: the equivalence test has power."""

from pathlib import Path

import pytest

from tests.equivalence.mutations import COMPILED, GOLDEN, Mutation, caught_compiled, caught_golden

pytestmark = pytest.mark.equivalence

#: Seen by one of the first scenarios.
_QUICK = next(one for one in GOLDEN if one.what == "the throttle stands before the authorizer")


@pytest.mark.parametrize(
    ("engine", "mutation"),
    [
        *(("simpy_model", mutation) for mutation in GOLDEN),
        *(("compiled", mutation) for mutation in COMPILED),
    ],
    ids=lambda value: value.what if isinstance(value, Mutation) else value,
)
def test_every_mutation_still_fits_the_source(
    engine: str, mutation: Mutation, project: Path
) -> None:
    source = (project / "apisim" / "engine" / engine / f"{mutation.file}.py").read_text()
    assert mutation.applied(source) != source


def test_a_throttle_before_the_authorizer_is_seen() -> None:
    assert caught_golden(_QUICK) is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "mutation", [one for one in GOLDEN if one != _QUICK], ids=lambda mutation: mutation.what
)
def test_a_mutation_of_the_golden_model_is_seen(mutation: Mutation) -> None:
    assert caught_golden(mutation) is not None


@pytest.mark.slow
@pytest.mark.parametrize("mutation", COMPILED, ids=lambda mutation: mutation.what)
def test_a_mutation_of_the_compiled_engine_is_seen(mutation: Mutation) -> None:
    assert caught_compiled(mutation) is not None
