"""A real browser for tests: Debian's Chromium, and axe-core, where npm has put it.

Neither comes from PyPI. ``make browser`` installs both where it can; a test without them is skipped
and says so.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["axe_source", "chromium"]

_PROJECT: Final = Path(__file__).resolve().parents[2]
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
#: Where npm puts packages: of the project first, then of the machine.
_NODE_MODULES: Final = (
    _PROJECT / "node_modules",
    Path("/usr/local/lib/node_modules"),
    Path("/usr/lib/node_modules"),
)


@contextmanager
def chromium() -> "Iterator[Browser]":
    """Headless Chromium; the test is skipped where there is none."""
    program = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium on this machine: `make browser`, or apt-get install chromium")
    driver = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install it")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            # Its sandbox wants a user that is not root; /dev/shm is small in containers.
            args=["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])],
        )
        try:
            yield browser
        finally:
            browser.close()


def axe_source() -> str:
    """The script of axe-core; the test is skipped where there is none."""
    for folder in _NODE_MODULES:
        script = folder / "axe-core" / "axe.min.js"
        if script.is_file():
            return script.read_text(encoding="utf-8")
    pytest.skip("no axe-core on this machine: `make browser`, or npm install axe-core")
