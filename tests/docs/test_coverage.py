"""``docs/coverage.md`` says what is there: its modules, tests, keys and scenarios exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from apisim.scenario.schema import json_schema
from tests.docs.capabilities import CAPABILITIES, OFF, Capability, Switch
from tests.docs.coverage import PAGE, SWITCHED, copied, is_noticed, is_plain, outcome, page
from tests.golden.test_body_outcomes import IDS as BODY_IDS
from tests.golden.test_lambda_outcomes import IDS as LAMBDA_IDS
from tests.golden.test_outcomes import IDS

MODELLED = [row for row in CAPABILITIES if row.is_modelled]


def names_of(schema: Any) -> set[str]:
    """All keys of a JSON schema's objects."""
    if isinstance(schema, list):
        return set().union(*map(names_of, schema))
    if not isinstance(schema, dict):
        return set()
    own = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
    return own.union(*map(names_of, schema.values()))


def functions_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_page_is_what_the_table_makes_it() -> None:
    hint = "write it anew: python -m tests.docs.coverage"
    assert PAGE.read_text(encoding="utf-8") == page(), hint


@pytest.mark.parametrize("row", MODELLED, ids=lambda row: row.words)
def test_what_a_row_names_exists(row: Capability, project: Path) -> None:
    assert (project / row.file).is_file()
    file, _, test = row.test.partition("::")
    name, _, case = test.partition("[")
    assert not test or name in functions_in(project / file)
    assert not case or case.removesuffix("]") in (*IDS, *LAMBDA_IDS, *BODY_IDS)
    if not row.key.startswith("results:"):
        assert row.key.rpartition(".")[2] in names_of(json_schema())
    if row.scenario:
        text = (project / "scenarios" / row.scenario).read_text(encoding="utf-8")
        # In the file, or in one of the commands at its top.
        words = re.escape(row.key).replace(r"\*", r"[\w-]+")
        is_command = re.search(rf"^#.*--set '{words}\b", text, re.MULTILINE)
        assert is_command or uses(yaml.safe_load(text), row.key.split("."))


def uses(written: Any, path: list[str]) -> bool:
    """Whether a scenario writes a key; ``*`` is any name or item."""
    if not path:
        return True
    if isinstance(written, list):
        return any(uses(item, path[path[0] == "*" :]) for item in written)
    if not isinstance(written, dict):
        return False
    inner = written.values() if path[0] == "*" else [written[path[0]]] if path[0] in written else []
    return any(uses(item, path[1:]) for item in inner)


@pytest.mark.parametrize("row", MODELLED, ids=lambda row: row.words)
def test_a_mechanism_can_be_switched_off(row: Capability) -> None:
    assert row.off in OFF
    assert row.test


@pytest.mark.parametrize("name", OFF)
def test_a_switch_fits_its_source_and_is_used(name: str, project: Path) -> None:
    switch = OFF[name]
    assert (project / switch.module).read_text(encoding="utf-8").count(switch.old) == 1
    assert any(row.off == name for row in CAPABILITIES)


@pytest.fixture(scope="module")
def copy() -> Iterator[Path]:
    with copied() as folder:
        yield folder


def test_without_its_mechanism_a_test_fails(copy: Path) -> None:
    row = next(row for row in CAPABILITIES if row.off == "matrix")
    assert is_noticed(copy, OFF[row.off], row.test)


def test_a_switch_that_breaks_more_than_its_mechanism_says_nothing(copy: Path) -> None:
    row = next(row for row in CAPABILITIES if row.off == "matrix")
    module = OFF[row.off].module
    broken = Switch(module, "def has_feature(", "def has_no_feature(")
    with pytest.raises(AssertionError, match="ImportError"):
        is_noticed(copy, broken, row.test)
    assert is_noticed(copy, OFF[row.off], row.test)


@pytest.mark.slow
def test_without_compilation_the_tests_of_the_rows_pass(copy: Path) -> None:
    code, printed = outcome(copy, *sorted({t for _, t in SWITCHED if is_plain(t)}), plain=True)
    assert code == 0, printed


@pytest.mark.slow
@pytest.mark.parametrize(("name", "test"), SWITCHED)
def test_without_its_mechanism_the_test_of_a_row_fails(name: str, test: str, copy: Path) -> None:
    assert is_noticed(copy, OFF[name], test)
