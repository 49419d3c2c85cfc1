"""``docs/coverage.md``: what the chapter names, and where to find it here.

python -m tests.docs.coverage            writes the page
python -m tests.docs.coverage switches   takes each mechanism out: does its test fail? Names of
                                         switches may follow.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.docs.capabilities import CAPABILITIES, OFF, Capability, Switch

__all__ = ["PAGE", "SWITCHED", "copied", "is_noticed", "is_plain", "outcome", "page"]

_PROJECT: Final = Path(__file__).resolve().parent.parent.parent
PAGE: Final = _PROJECT / "docs" / "coverage.md"

#: Tests that simulate so much that they need the compiled engine.
_LONG: Final = (
    "tests/oracle/",
    "tests/golden/test_plan_answers.py",
    "tests/golden/test_scenario_answers.py",
    "tests/golden/test_websocket_answers.py",
)
#: What pytest prints of a test whose own assertion failed.
_ASSERTED: Final = re.compile(
    r"^\S*/tests/\S+\.py:\d+: (?:assert |AssertionError|Failed: DID NOT RAISE)", re.MULTILINE
)

#: Each switch with each test that must notice it.
SWITCHED: Final = sorted({(row.off, row.test) for row in CAPABILITIES if row.off})


def _cell(row: Capability) -> str:
    if not row.is_modelled:
        return f"| {row.words} | not yet | | | |"
    scenario = f"[{Path(row.scenario).stem}](../scenarios/{row.scenario})" if row.scenario else ""
    module = row.file.removeprefix("apisim/").removesuffix(".py")
    file, _, test = row.test.partition("::")
    shown = f"`{test or file.removeprefix('tests/')}`"
    return f"| {row.words} | `{row.key}` | `{module}` | [{shown}](../{file}) | {scenario} |"


def page() -> str:
    """Text of the page."""
    done = sum(row.is_modelled for row in CAPABILITIES)
    lines = [
        "# Coverage",
        "",
        "What the chapter on API Gateway names, heading by heading: the key of a scenario, the",
        "module that decides, a test that shows it, a scenario that uses it. Written by",
        "`python -m tests.docs.coverage`; tests see to it that everything named here exists.",
        "Each has a switch that takes its mechanism out, and its test is seen to fail then",
        "(`make test-slow`).",
        "",
        f"{done} of {len(CAPABILITIES)} are there.",
    ]
    for heading, rows in groupby(CAPABILITIES, key=lambda row: row.heading):
        lines += ["", f"## {heading}", "", "| what | key | module | test | scenario |"]
        lines += ["|---|---|---|---|---|", *map(_cell, rows)]
    return "\n".join(lines) + "\n"


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the project in a temporary folder, with a cache of compiled code beside it."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "project"
        copy.mkdir()
        ignored = shutil.ignore_patterns("__pycache__")
        for part in ("apisim", "tests", "scenarios", "docs"):
            shutil.copytree(_PROJECT / part, copy / part, ignore=ignored)
        for file in ("pyproject.toml", "README.md", "Makefile", "CHANGELOG.md"):
            shutil.copy2(_PROJECT / file, copy / file)
        yield copy


def is_plain(test: str) -> bool:
    """Whether a test is quick enough for an engine that is not compiled."""
    return not test.startswith(_LONG)


def outcome(copy: Path, *tests: str, plain: bool) -> tuple[int, str]:
    """Exit code of pytest and what it printed, on a copy of the project.

    ``plain`` leaves out the compilation: that takes a minute for each change, most tests a second.
    What is out of bounds is an error then, not the end of the process.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "APISIM_CACHE_DIR": str(copy.parent / "cache"),
        "APISIM_SHARED": os.environ.get("APISIM_SHARED") or str(_PROJECT.parent / "shared"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=line", "-p", "no:cacheprovider"]
    if plain:
        environment["NUMBA_DISABLE_JIT"] = "1"
        # The generator multiplies modulo 2**64, of which numpy warns.
        command += ["-W", "ignore:overflow encountered:RuntimeWarning"]
    done = subprocess.run(
        [*command, *tests], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def is_noticed(copy: Path, switch: Switch, test: str) -> bool:
    """Whether a test fails while a mechanism does nothing: what it asserts does not hold.

    Raises
    ------
    AssertionError
        If the test stops for another reason than what it asserts: the switch breaks more than its
        mechanism, and says nothing about the test.
    """
    module = copy / switch.module
    source, stat = module.read_text(encoding="utf-8"), module.stat()
    assert source.count(switch.old) == 1, f"{switch.module} has changed: {switch.old!r}"
    module.write_text(source.replace(switch.old, switch.new), encoding="utf-8")
    try:
        code, printed = outcome(copy, test, plain=is_plain(test))
    finally:
        module.write_text(source, encoding="utf-8")
        # Compiled code is kept by it.
        os.utime(module, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert code in (0, 1), printed
    fails = _ASSERTED.findall(printed)
    assert code == 0 or fails, printed
    return code == 1


def main(arguments: list[str]) -> int:
    """Write the page, or try all switches; 1 if one was not noticed."""
    if arguments[:1] != ["switches"]:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    missed = 0
    with copied() as copy:
        for name, test in SWITCHED:
            if arguments[1:] and name not in arguments[1:]:
                continue
            try:
                said = "seen" if is_noticed(copy, OFF[name], test) else "NOT SEEN"
            except AssertionError as error:
                said = f"BROKEN\n{error}\n"
            missed += said != "seen"
            print(f"{said:9} {name:18} {test}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
