"""What numba remembers of one index must not spoil another.

numba remembers, for as long as it compiles one kernel, that ``pair[index]`` cannot be decided for a
numpy integer, and takes the plain integer of the same value for the same index: ``shape[0]`` is
then typed by a function that calls itself without end (a RecursionError after minutes).
"""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import apisim

FLOORS = ("arrays", "draws", "traffic", "gateway", "backends", "engine")


def indexed_by_numpy(source: str, names: dict[str, object]) -> Iterator[str]:
    """Tuples of a module that are indexed by one of its numpy integers."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Subscript):
            continue
        value, index = (ast.unparse(part) for part in (node.value, node.slice))
        if isinstance(names.get(value), tuple) and isinstance(names.get(index), np.integer):
            yield f"{node.lineno}: {value}[{index}]"


def modules() -> Iterator[ModuleType]:
    (package,) = apisim.__path__
    for floor in FLOORS:
        for found in pkgutil.walk_packages([f"{package}/{floor}"], f"apisim.{floor}."):
            yield importlib.import_module(found.name)


def test_no_tuple_is_indexed_by_a_numpy_integer() -> None:
    found = {
        module.__name__: list(
            indexed_by_numpy(Path(module.__file__ or "").read_text(), vars(module))
        )
        for module in modules()
    }
    assert len(found) > 80
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(("index", "is_found"), [(np.int64(0), True), (0, False)])
def test_the_search_finds_one(index: object, is_found: bool) -> None:
    names = {"PAIR": (1, 2), "FIRST": index}
    assert bool(list(indexed_by_numpy("x = PAIR[FIRST]", names))) is is_found
