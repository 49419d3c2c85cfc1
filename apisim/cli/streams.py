"""Where things are printed: results to stdout, everything else to stderr.

A reader that goes away (``| head``) is no error of the run: what is printed to nobody is dropped,
and the exit code stays the run's. A character the terminal cannot show is escaped instead of ending
the program. Either stream may be closed, or be no terminal.
"""

import contextlib
import errno
import io
import os
import shutil
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TextIO

from apisim.scenario.problems import ApisimError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from rich.console import RenderableType

__all__ = [
    "is_terminal",
    "open_streams",
    "say",
    "write",
    "write_json",
    "write_rich",
]

#: The reader of a pipe has gone; the terminal has been closed.
_NOBODY_READS: Final = (errno.EPIPE, errno.EIO)
_MIN_WIDTH: Final = 60
_MAX_WIDTH: Final = 120


class _PatientFile(io.FileIO):
    """A file descriptor that takes everything, also when nobody reads it any more."""

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _NOBODY_READS:
                raise
            return memoryview(data).nbytes


def _patient(stream: TextIO | None) -> TextIO | None:
    try:
        descriptor = -1 if stream is None else stream.fileno()
    except (OSError, ValueError):
        descriptor = -1
    if stream is None or descriptor < 0:
        return stream
    stream.flush()
    buffer = io.BufferedWriter(_PatientFile(descriptor, "w", closefd=False))
    return io.TextIOWrapper(
        buffer,
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream is sys.stderr or stream.isatty(),
    )


@contextlib.contextmanager
def open_streams() -> Iterator[None]:
    """Have ``sys.stdout`` and ``sys.stderr`` survive readers that go away."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _patient(sys.stdout), _patient(sys.stderr)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            # A full disk was reported when the text was written.
            with contextlib.suppress(OSError, ValueError):
                if stream is not None:
                    stream.flush()
        sys.stdout, sys.stderr = before


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody sits there who sees a line being drawn anew."""
    try:
        is_tty = stream is not None and stream.isatty()
    except ValueError:  # closed
        return False
    return is_tty and os.environ.get("TERM") not in {"dumb", "unknown"}


def _page_width() -> int:
    """Columns of a page of text: the terminal's or ``$COLUMNS``, 80 without either."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, _MIN_WIDTH), _MAX_WIDTH)


@contextlib.contextmanager
def _standard_output() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ApisimError(f"standard output cannot be written: {error.strerror or error}") from None


def write(text: str) -> None:
    """Print a result.

    Raises
    ------
    ApisimError
        If it cannot be written, though somebody wants to read it.
    """
    if sys.stdout is not None:
        with _standard_output():
            sys.stdout.write(text)
            sys.stdout.flush()


def write_json(text: str) -> None:
    """Print a JSON document: in UTF-8, whatever the terminal speaks.

    Raises
    ------
    ApisimError
        As :func:`write`.
    """
    if sys.stdout is None:
        return
    with _standard_output():
        sys.stdout.flush()
        # What is left of a file name that is not UTF-8 becomes an escape, as JSON has it, too.
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()


def write_rich(renderable: "RenderableType") -> None:
    """Print a result: with colours to a terminal, as plain text elsewhere.

    Raises
    ------
    ApisimError
        As :func:`write`.
    """
    from rich.console import Console

    # On a dumb terminal rich believes in a width only if it is told a height as well.
    console = Console(file=sys.stdout, width=_page_width(), height=25)
    with console.capture() as captured:
        console.print(renderable, crop=False)
    # Lines are padded to the width of the page, which is nothing to look for in a file.
    write("".join(f"{line.rstrip()}\n" for line in captured.get().rstrip("\n").split("\n")))


def say(text: str) -> None:
    """Print one line to stderr; a stderr that takes nothing is not worth a second message."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()
