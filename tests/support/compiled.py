"""Compiled code of test runs: made once, and copied for each worker."""

import os
import shutil
from pathlib import Path

__all__ = ["common_cache", "use_own_cache"]


def common_cache() -> Path:
    """What ``python -m tests.compile`` makes for all workers of a run."""
    chosen = os.environ.get("APISIM_CACHE_DIR")
    if chosen:
        return Path(chosen) / "common"
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "apisim" / "tests" / "common"


def use_own_cache(worker: str) -> None:
    """Give this process, a worker, a cache of its own with all that is in the common one.

    Numba's cache is not safe to fill from two processes at once (numba issues 4807 and 10128). To
    be called before apisim is imported, which reads where its cache is.
    """
    common = common_cache()
    os.environ["APISIM_CACHE_DIR"] = str(common.parent / worker)
    if not common.is_dir():
        return
    from apisim.arrays.jit import cache_directory

    own = cache_directory()
    for folder in (common / own.name).glob("*"):
        if _is_behind(own / folder.name, folder):
            shutil.rmtree(own / folder.name, ignore_errors=True)
            shutil.copytree(folder, own / folder.name)


def _is_behind(own: Path, common: Path) -> bool:
    """Whether something was compiled for all since it was copied, or not copied at all."""
    written = {file.name: file.stat().st_mtime_ns for file in own.glob("*")}
    return any(written.get(file.name, 0) < file.stat().st_mtime_ns for file in common.glob("*"))
