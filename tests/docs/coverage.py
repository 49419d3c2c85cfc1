"""``docs/coverage.md``: what the chapter names, and where to find it here.

python -m tests.docs.coverage            writes the page
python -m tests.docs.coverage switches   takes each mechanism out: does its test fail?
"""

import os
import shutil
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.docs.capabilities import CAPABILITIES, OFF, Capability, Switch

__all__ = ["PAGE", "SWITCHED", "is_noticed", "page"]

_PROJECT: Final = Path(__file__).resolve().parent.parent.parent
PAGE: Final = _PROJECT / "docs" / "coverage.md"

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


def is_noticed(switch: Switch, test: str) -> bool:
    """Whether a test fails on a copy of the project in which a mechanism does nothing."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "project"
        copy.mkdir()
        ignored = shutil.ignore_patterns("__pycache__")
        for part in ("apisim", "tests", "scenarios", "docs"):
            shutil.copytree(_PROJECT / part, copy / part, ignore=ignored)
        for file in ("pyproject.toml", "README.md", "Makefile", "CHANGELOG.md"):
            shutil.copy(_PROJECT / file, copy / file)
        module = copy / switch.module
        source = module.read_text(encoding="utf-8")
        assert source.count(switch.old) == 1, f"{switch.module} has changed: {switch.old!r}"
        module.write_text(source.replace(switch.old, switch.new), encoding="utf-8")
        environment = {
            **os.environ,
            "PYTHONPATH": str(copy),
            "APISIM_CACHE_DIR": str(Path(name) / "cache"),
            "APISIM_SHARED": os.environ.get("APISIM_SHARED") or str(_PROJECT.parent / "shared"),
        }
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False
        )
        # 1 is a test that failed; anything else is a test that could not be run.
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return done.returncode == 1


def main(arguments: list[str]) -> int:
    """Write the page, or try all switches; 1 if one was not noticed."""
    if arguments != ["switches"]:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    missed = 0
    for name, test in SWITCHED:
        noticed = is_noticed(OFF[name], test)
        missed += not noticed
        print(f"{'seen' if noticed else 'NOT SEEN':9} {name:18} {test}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
