"""The examples in the docstrings do what they say."""

import doctest
import importlib
import pkgutil

import pytest

import apisim

MODULES = [
    module.name
    for module in pkgutil.walk_packages(apisim.__path__, "apisim.")
    if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_modules_to_look_at() -> None:
    assert "apisim.gateway.routing" in MODULES
