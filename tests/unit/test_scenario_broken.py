"""Broken scenarios: what is said about each, word by word.

Every file of ``tests/golden/broken`` is a scenario nobody can run; beside it is what the user
reads.
``APISIM_UPDATE_GOLDEN=1`` writes those texts anew; read them before they are committed.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import apisim.scenario
from apisim.scenario import ScenarioError, load, loads

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
    for line in said.splitlines():
        assert re.match(rf"{name}\.yaml:[1-9][0-9]*:[1-9][0-9]*: \S", line)
        assert not re.search(
            r"\bNone\b|\bTrue\b|dict|Fraction|Decimal|<class|Traceback|Input", line
        )


def test_no_text_is_left_over() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == CASES


def test_thousands_of_problems_are_not_all_shown() -> None:
    text = "apisim: 1\n" + "".join(f"key{number}: 1\n" for number in range(150))
    with pytest.raises(ScenarioError) as caught:
        loads(text)
    assert len(caught.value.problems) == 152  # apis and traffic are missing, too
    lines = str(caught.value).splitlines()
    assert len(lines) == 101
    assert lines[-1] == "... and 52 more problems"


def test_a_cache_that_keeps_nothing_needs_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (FOLDER / "cached_parameter_without_values.yaml").read_text(encoding="utf-8")
    assert loads(text.replace("ttl: 5m", "ttl: 0s")).apis["shop"].stage.has_cache


def test_the_chapter_s_cache_key_asks_for_values_of_every_path_parameter() -> None:
    text = (FOLDER / "cached_parameter_without_values.yaml").read_text(encoding="utf-8")
    text = text.replace("keys: [path.itemId]", "keys: []")
    assert loads(text, profile="aws")
    with pytest.raises(ScenarioError, match=r"cached by path\.itemId"):
        loads(text, profile="chapter")


def test_problems_are_cheap_to_import() -> None:
    heavy = {"numba", "numpy", "pydantic", "ruamel.yaml"}
    code = f"import sys, apisim.scenario.problems; print(*({heavy!r} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_every_public_name_can_be_loaded() -> None:
    for name in apisim.scenario.__all__:
        assert getattr(apisim.scenario, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        apisim.scenario.nothing  # noqa: B018
