"""How compiled code is compiled: the one place that knows numba's switches.

Four decorators. ``kernel`` compiles a function that Python calls, ``inline`` one that is also
pasted into its compiled callers, ``part`` one that only compiled code calls, ``gate`` the same but
called instead of pasted. All run without
numba's reference counting (``_nrt=False``), which makes the engine about four times as fast
(``benchmarks/README.md``); the price is that compiled code may not allocate. ``_nrt`` is private to
numba, so nothing else in the package names it.

numba does not rebuild a cached function when a function it calls in *another* file changes. The
cache directory is therefore named after a hash of the package's sources, so any edit starts afresh.
"""

import functools
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from numba.core import config, event

__all__ = [
    "cache_directory",
    "constant",
    "gate",
    "inline",
    "kernel",
    "part",
    "room_to_compile",
    "when_compiling",
]

_LONGEST_NAME = 40
#: Calls of Python within each other while numba compiles.
_DEEPEST = 10_000

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


def _short_name(self: Any) -> tuple[str, tuple[()]]:
    """Name of a type inside symbols: a hash where the full one would be long."""
    name: str = self.name
    if len(name) > _LONGEST_NAME:
        digest = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
        name = f"{type(self).__name__}_{digest}"
    return name, ()


# numba writes the full name of every argument's type into every symbol, and a record's name lists
# all its fields: the engine's symbols would be 15,000 characters each, and reading and writing them
# the larger half of the compilation.
numba.types.Record.mangling_args = property(_short_name)
numba.types.NamedTuple.mangling_args = property(_short_name)


def _compile(function: F, **options: bool | str) -> F:
    # numba reads its cache directory when caching is switched on for a function; setting it only
    # for that moment leaves the caller's own compiled functions where they were.
    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache_directory())
    try:
        compiled = numba.njit(
            nogil=True, error_model="numpy", no_cfunc_wrapper=True, _nrt=False, **options
        )(function)
    finally:
        config.CACHE_DIR = before
    return compiled  # type: ignore[no-any-return]


class _Told(event.Listener):  # type: ignore[misc]  # numba has no types
    """Tells the first time that something is compiled, not read from the cache."""

    def __init__(self, told: Callable[[], None]) -> None:
        self._told: Callable[[], None] | None = told

    def on_start(self, _event: Any) -> None:
        if self._told is not None:
            told, self._told = self._told, None
            told()

    def on_end(self, _event: Any) -> None:
        pass


@contextmanager
def when_compiling(told: Callable[[], None] | None) -> Iterator[None]:
    """Have ``told`` called, once, before numba compiles what is not in its cache."""
    if told is None:
        yield
        return
    with event.install_listener("numba:compile", _Told(told)):
        yield


class _Room:
    """Raises the interpreter's recursion limit for as long as anybody compiles, in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = 0

    def enter(self) -> None:
        with self._lock:
            limit = sys.getrecursionlimit()
            if not self._inside:
                self._before = limit
            self._inside += 1
            # Also where somebody is inside: others may have lowered it meanwhile.
            sys.setrecursionlimit(max(limit, _DEEPEST))

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                sys.setrecursionlimit(self._before)


_ROOM = _Room()


@contextmanager
def room_to_compile() -> Iterator[None]:
    """Let numba go as deep as it must, however deep the caller's own calls are.

    Typing a kernel goes through every function it calls, some fifteen Python frames for each: close
    to the interpreter's usual 1,000. The limit is the process's: the last thread that leaves puts
    it back, not the first.
    """
    _ROOM.enter()
    try:
        yield
    finally:
        _ROOM.leave()


def constant(value: int) -> int:
    """A whole number for compiled code to pass around.

    numba compiles a function anew for every plain integer that it sees passed to it as a literal;
    a numpy integer is just an integer. No tuple may be indexed by one: numba would remember that
    it cannot decide ``pair[np.int64(0)]``, take ``shape[0]`` for the same, and go round in circles
    (tests/unit/test_compiled_constants.py).
    """
    return np.int64(value)  # type: ignore[return-value]


def kernel(function: F) -> F:
    """Compile a function that Python code calls; it may not allocate."""
    # Said in so many words: numba lets a function inherit the flag from an inlined caller.
    return _compile(function, cache=True, forceinline=False)


def inline(function: F) -> F:
    """Compile a small function that is pasted into each compiled caller; it may not allocate."""
    return _compile(function, cache=True, forceinline=True)


def part(function: F) -> F:
    """Compile a part of one kernel: pasted into it, and never called from Python.

    Leaving out the entry from Python is what keeps compilation short: for a function that takes
    the engine's whole world, that entry costs several times the function. Calling such a function
    from Python ends the process, so they are private to their module or to ``engine/compiled``.
    """
    return _compile(function, forceinline=True, no_cpython_wrapper=True)


def gate(function: F) -> F:
    """Compile a part of one kernel that few scenarios use: called, not pasted.

    The call costs about as much as a hundred instructions, and what stands behind it takes no room
    and no registers from the way that every request goes.
    """
    return _compile(function, forceinline=False, no_cpython_wrapper=True)
