"""Broken scenarios: what is said about each, word by word.

Every file of ``tests/golden/broken`` is a scenario nobody can run; beside it is what the user reads.
``APISIM_UPDATE_GOLDEN=1`` writes those texts anew; read them before they are committed.
"""

import os
import re
from pathlib import Path

import pytest

from apisim.scenario import ScenarioError, load

FOLDER = Path(__file__).resolve().parent.parent / "golden" / "broken"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def said_about(name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(FOLDER)
    with pytest.raises(ScenarioError) as caught:
        load(f"{name}.yaml")
    return f"{caught.value}\n"


@pytest.mark.parametrize("name", CASES)
def test_a_broken_scenario_says_what_is_wrong_and_where(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = said_about(name, monkeypatch)
    expected = FOLDER / f"{name}.txt"
    if os.environ.get("APISIM_UPDATE_GOLDEN"):
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_every_line_has_a_place_and_none_shows_python(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in said_about(name, monkeypatch).splitlines():
        assert re.match(rf"{name}\.yaml:[1-9][0-9]*:[1-9][0-9]*: \S", line)
        assert len(line) < 400
        assert not re.search(r"\bNone\b|\bTrue\b|dict|Fraction|Decimal|<class|Traceback|Input", line)


def test_no_text_is_left_over() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == CASES
