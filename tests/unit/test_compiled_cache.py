"""Compiled code of two processes becomes one cache, from which a worker reads all of it."""

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest
from numba.core import config

from tests.compile import merge
from tests.support.compiled import use_own_cache

_SOURCE = "import numba\n\n\n@numba.njit(cache=True)\ndef twice(x):\n    return 2 * x\n"


def _twice(module: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The function as a new process finds it, with a cache."""
    monkeypatch.setattr(config, "CACHE_DIR", str(cache))
    spec = importlib.util.spec_from_file_location(module.stem, module)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded.twice


def test_both_find_their_code_in_what_was_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "doubling.py"
    module.write_text(_SOURCE)
    one, other = tmp_path / "one", tmp_path / "other"
    assert _twice(module, one, monkeypatch)(3) == 6
    assert _twice(module, other, monkeypatch)(1.5) == 3.0
    names = [sorted(file.name for file in cache.rglob("*.nbc")) for cache in (one, other)]
    assert names[0] == names[1], "else nothing had to be told apart"
    merge(one, other)
    twice = _twice(module, one, monkeypatch)
    assert (twice(3), twice(1.5)) == (6, 3.0)
    assert sum(twice.stats.cache_hits.values()) == 2
    assert not twice.stats.cache_misses


def test_of_two_states_of_a_source_the_later_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "doubling.py"
    module.write_text(_SOURCE)
    old, new = tmp_path / "old", tmp_path / "new"
    assert _twice(module, old, monkeypatch)(3) == 6
    module.write_text(_SOURCE.replace("2 * x", "20 * x"))
    assert _twice(module, new, monkeypatch)(3) == 60
    merge(old, new)
    twice = _twice(module, old, monkeypatch)
    assert twice(3) == 60
    assert sum(twice.stats.cache_hits.values()) == 1


def test_a_worker_takes_over_what_was_compiled_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apisim.arrays.jit import cache_directory

    monkeypatch.setenv("APISIM_CACHE_DIR", str(tmp_path))
    common = tmp_path / "common" / cache_directory().name / "engine"
    common.mkdir(parents=True)
    (common / "run.nbi").write_text("first")
    own = tmp_path / "w" / cache_directory().name / "engine"
    cache_directory.cache_clear()
    try:
        use_own_cache("w")
        assert (own / "run.nbi").read_text() == "first"
        (own / "more.nbi").write_text("its own")
        monkeypatch.setenv("APISIM_CACHE_DIR", str(tmp_path))
        use_own_cache("w")
        assert (own / "more.nbi").exists(), "nothing was new"
        (common / "run.nbi").write_text("second")
        later_ns = (own / "run.nbi").stat().st_mtime_ns + 1_000_000_000
        os.utime(common / "run.nbi", ns=(later_ns, later_ns))
        monkeypatch.setenv("APISIM_CACHE_DIR", str(tmp_path))
        use_own_cache("w")
        assert (own / "run.nbi").read_text() == "second"
    finally:
        cache_directory.cache_clear()
