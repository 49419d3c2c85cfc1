"""Every oracle passes with another generator of random numbers too.

The generator is chosen when apisim is imported and compiled in, so it takes another process, and
another compilation of the engine.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.oracle, pytest.mark.slow]


def test_all_oracles_pass_with_philox(project: Path) -> None:
    """The whole folder, without what is marked slow (this test is)."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/oracle"],
        cwd=project,
        env={**os.environ, "APISIM_GENERATOR": "philox"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-1_000:]
