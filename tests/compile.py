"""Compile the engine once for all workers of a test run: ``python -m tests.compile``.

Each worker has a cache of its own (tests/conftest.py), and a cold one takes minutes. Here the two
kernels, and the mechanisms that the golden model calls one by one, are compiled by two processes at
the same time, each into a folder of its own; both folders become one, which every worker copies.
"""

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from numba.core.serialize import dumps

from apisim.arrays.jit import cache_directory
from tests.support.compiled import common_cache

__all__ = ["compile_all", "merge"]

_PROJECT = Path(__file__).resolve().parent.parent
#: The long one first.
_PARTS = ("whole", "plain")


def compile_all() -> None:
    """Compile for all workers what is not compiled yet."""
    common = common_cache() / cache_directory().name
    common.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=common.parent) as name:
        folders = [Path(name) / part / common.name for part in _PARTS]
        for folder in folders:
            shutil.copytree(common, folder)
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.compile", part],
                cwd=_PROJECT,
                env={**os.environ, "APISIM_CACHE_DIR": str(Path(name) / part)},
            )
            for part in _PARTS
        ]
        for process in processes:
            process.wait()  # what went wrong stands there, and the tests tell more of it
        merge(*folders)
        for folder in folders[0].iterdir():
            shutil.rmtree(common / folder.name, ignore_errors=True)
            folder.rename(common / folder.name)


def merge(into: Path, other: Path) -> None:
    """Add to one of numba's caches what another of the same sources has.

    An index says in which file the code for which types of arguments is. Two processes give their
    first file the same name, whatever its types: those of ``other`` get new ones.
    """
    for index in other.rglob("*.nbi"):
        kept = into / index.relative_to(other)
        kept.parent.mkdir(parents=True, exist_ok=True)
        head, files = _read(index)
        have: dict[Any, str] = {}
        if kept.is_file():
            its_head, have = _read(kept)
            if its_head != head:  # one of them is of an earlier state of its source
                if kept.stat().st_mtime_ns > index.stat().st_mtime_ns:
                    continue
                have = {}
        names = _free_names(index.stem, set(have.values()))
        for types, name in files.items():
            if types not in have and (index.parent / name).is_file():
                have[types] = next(names)
                shutil.copy2(index.parent / name, kept.parent / have[types])
        version, stamp = head
        kept.write_bytes(pickle.dumps(version) + dumps((stamp, have)))


def _read(index: Path) -> tuple[tuple[str, Any], dict[Any, str]]:
    """Numba's version and the state of the source, and files by types of arguments."""
    with index.open("rb") as file:
        version = pickle.load(file)
        stamp, files = pickle.load(file)
    return (version, stamp), files


def _free_names(stem: str, taken: set[str]) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        name = f"{stem}.{number}.nbc"
        if name not in taken:
            yield name


def _compile_whole() -> None:
    from apisim.engine.compiled.runner import compile_for
    from apisim.engine.program import new_world
    from apisim.scenario import load
    from tests.equivalence.engines import lowered

    program = lowered(load(_PROJECT / "scenarios" / "websocket-dashboard.yaml"))
    compile_for(new_world(program, 0))


def _compile_plain() -> None:
    """The plain kernel, then what random scenarios use of the golden model's mechanisms."""
    from hypothesis import HealthCheck, given, seed, settings

    from apisim.engine.compiled.runner import compile_for
    from apisim.engine.program import new_world
    from apisim.scenario import load
    from tests.equivalence.drawing import Style
    from tests.equivalence.engines import lowered, run
    from tests.equivalence.scenarios import Case, scenarios

    program = lowered(load(_PROJECT / "scenarios" / "quickstart.yaml"))
    compile_for(new_world(program, 0))
    fast = settings(
        max_examples=10,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    with TemporaryDirectory() as name:

        def use(case: Case) -> None:
            run(lowered(case.load(Path(name))), "simpy")

        for number in range(4):
            style = (Style.ANY, Style.CROWDED)[number % 2]
            seed(number)(fast(given(case=scenarios(style=style))(use)))()


def main(arguments: list[str]) -> int:
    """Compile one part where ``APISIM_CACHE_DIR`` says, or all of it for the workers."""
    if arguments:
        {"whole": _compile_whole, "plain": _compile_plain}[arguments[0]]()
    else:
        compile_all()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
