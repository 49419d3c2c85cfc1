"""Habits of the pricing floor that no example shows: no binary floats, no prices in code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import apisim.pricing

FLOOR = Path(apisim.pricing.__file__).parent
MODULES = sorted(FLOOR.glob("*.py"))

#: Steps that printed numbers are rounded to, and examples in hints.
ROUNDING_STEPS = {"0.01", "0.001", "0.000001"}


def nodes(module: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(module.read_text(encoding="utf-8")))


def docstrings(module: Path) -> set[str]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    found = (
        ast.get_docstring(node, clean=False) for node in nodes(module) if isinstance(node, kinds)
    )
    return {text for text in found if text}


def test_the_floor_is_looked_at() -> None:
    assert {"rating.py", "usage.py", "bill.py", "project.py"} <= {path.name for path in MODULES}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_money_never_meets_a_binary_float(module: Path) -> None:
    for node in nodes(module):
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, float | complex), f"line {node.lineno}: {node.value}"
        if isinstance(node, ast.Name):
            assert node.id != "float", f"line {node.lineno}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            module_name = getattr(node, "module", None) or ""
            names = {module_name, *(alias.name for alias in node.names)}
            assert not names & {"math", "numpy", "statistics"}, f"line {node.lineno}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_no_price_is_written_in_code(module: Path) -> None:
    explained = docstrings(module)
    written = {
        node.value.strip()
        for node in nodes(module)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value not in explained
    }
    numbers = {text for text in written if re.fullmatch(r"[0-9]*\.[0-9]+", text)}
    assert numbers <= ROUNDING_STEPS


def test_books_name_no_private_place() -> None:
    for book in (FLOOR / "books").glob("*.yaml"):
        text = book.read_text(encoding="utf-8")
        assert not re.search(r"(^|[\s(\"'])(/|~/|[A-Z]:\\)\w+/", text), book.name
        assert not re.search(r"localhost|\b(10|192\.168)\.\d+\.\d+|file://", text), book.name
