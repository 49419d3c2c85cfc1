"""Signals that end a run: with a summary of what was simulated so far, and without half files."""

import _thread
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["interruptible"]

#: Signals that mean the same as Ctrl-C. A signal that is ignored was made so on purpose (nohup).
_LIKE_CTRL_C: Final = ("SIGTERM", "SIGHUP")
#: How long it takes until a Ctrl-C that was lost is tried again [s].
_AGAIN_S: Final = 0.05


@contextmanager
def interruptible() -> Iterator[None]:
    """Have these signals do what Ctrl-C does at that moment, and lose no Ctrl-C."""
    before = {}
    for name in _LIKE_CTRL_C:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            before[number] = signal.signal(number, _interrupt)
    hook, sys.unraisablehook = sys.unraisablehook, _try_again
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C would do."""
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(number, frame)
    else:  # Ctrl-C is ignored, as in the background of a script; this signal is not
        raise KeyboardInterrupt


def _try_again(lost: "UnraisableHookArgs") -> None:
    """Repeat a Ctrl-C that came while Python was called from a library, which cannot pass it on.

    Compiling consists of such calls, so it is a likely moment.
    """
    if isinstance(lost.exc_value, KeyboardInterrupt):
        timer = threading.Timer(_AGAIN_S, _thread.interrupt_main)
        timer.daemon = True
        timer.start()
    else:
        sys.__unraisablehook__(lost)
