"""How compiled code is compiled: the one place that knows numba's switches.

Two decorators. ``kernel`` compiles a function that Python calls; ``inline`` compiles one that is
pasted into its callers. Both run without numba's reference counting (``_nrt=False``), which makes
the engine about four times as fast (``benchmarks/README.md``); the price is that compiled code may
not allocate. ``_nrt`` is private to numba, so nothing else in the package names it.

numba does not rebuild a cached function when a function it calls in *another* file changes. The
cache directory is therefore named after a hash of the package's sources, so any edit starts afresh.
"""

import functools
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import config

__all__ = ["cache_directory", "inline", "kernel"]

F = TypeVar("F", bound=Callable[..., Any])


@functools.cache
def cache_directory() -> Path:
    """Directory of compiled code for exactly these sources, this numba and this generator.

    Returns
    -------
    pathlib.Path
        ``$APISIM_CACHE_DIR`` or the user's cache directory, then one folder per source hash.
    """
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.blake2b(digest_size=8)
    for part in (numba.__version__, sys.version, os.environ.get("APISIM_GENERATOR", "squares")):
        digest.update(part.encode() + b"\0")
    # Only the floors that hold compiled code: an edit of the command line must not recompile.
    for floor in ("arrays", "draws", "traffic", "gateway", "backends", "engine"):
        for source in sorted((package / floor).rglob("*.py")):
            digest.update(source.relative_to(package).as_posix().encode() + b"\0")
            digest.update(source.read_bytes() + b"\0")
    home = os.environ.get("APISIM_CACHE_DIR")
    if home:
        root = Path(home)
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "apisim"
    return root / digest.hexdigest()


def _compile(function: F, *, forceinline: bool) -> F:
    # numba reads its cache directory when caching is switched on for a function; setting it only
    # for that moment leaves the caller's own compiled functions where they were.
    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache_directory())
    try:
        compiled = numba.njit(
            cache=True, nogil=True, error_model="numpy", forceinline=forceinline, _nrt=False
        )(function)
    finally:
        config.CACHE_DIR = before
    return compiled  # type: ignore[no-any-return]


def kernel(function: F) -> F:
    """Compile a function that Python code calls; it may not allocate."""
    return _compile(function, forceinline=False)


def inline(function: F) -> F:
    """Compile a small function that is pasted into each compiled caller; it may not allocate."""
    return _compile(function, forceinline=True)
