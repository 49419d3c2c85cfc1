"""What all tests share: the real material, and examples that are the same every day."""

import os
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.support.compiled import use_own_cache

PROJECT = Path(__file__).resolve().parent.parent

# With what it starts, and before apisim is imported.
_worker = os.environ.get("PYTEST_XDIST_WORKER")
if _worker:
    use_own_cache(_worker)

# APISIM_EXAMPLES=fresh draws new examples, and more of them, and prints how to repeat a failure.
# Fixed examples are not shrunk: a whole scenario takes minutes of it, and the first that fails is
# shown as it is.
settings.register_profile(
    "fixed",
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
settings.register_profile("fresh", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("APISIM_EXAMPLES", "fixed"))


@pytest.fixture(scope="session")
def project() -> Path:
    """Folder of the project: where pyproject.toml and scenarios/ are."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real traces, reference results and measurements, kept beside the project."""
    folder = Path(os.environ.get("APISIM_SHARED") or PROJECT.parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip(f"no real material in {folder}: name its folder in APISIM_SHARED")
    return folder
