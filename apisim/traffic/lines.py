"""Lines of a text file that somebody else made: plain or gzip, any size, possibly damaged.

What is checked here is what no reader of a format should have to: that the file is there and
whole, that its bytes are UTF-8, that no line is so long that it would fill the memory. One line is
one record: a quote that is never closed can then spoil its own line and no other.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from apisim.scenario.problems import Problem, TraceError

__all__ = ["Block", "damage", "read_blocks"]

_CHUNK_BYTES: Final = 1 << 20
_MAX_LINE_BYTES: Final = 1 << 20
_GZIP_MAGIC: Final = b"\x1f\x8b"
#: A NUL, or a byte that is not UTF-8 as the error handler ``surrogateescape`` hands it on.
_DAMAGE: Final = re.compile("[\0\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a file, read together because that is ten times as fast.

    Attributes
    ----------
    first : int
        Number of the first line, counted from 1.
    lines : list of str
        The lines without their ends.
    damaged : bool
        Whether :func:`damage` finds something in one of them.
    """

    first: int
    lines: list[str]
    damaged: bool


def read_blocks(file: str | Path) -> Iterator[Block]:
    """Lines of a file, in memory that does not grow with it.

    Raises
    ------
    TraceError
        If the file cannot be opened, its compression is damaged or cut off, or a line is longer
        than a megabyte.
    """
    name = str(file)
    number = 1
    tail = b""
    with _opened(file) as stream:
        while True:
            try:
                chunk = stream.read(_CHUNK_BYTES)
            except EOFError:
                raise _error(
                    name, number, "the compressed file is cut off here", "fetch it again"
                ) from None
            except (OSError, zlib.error) as error:
                raise _error(name, number, f"the file cannot be read on: {error}") from None
            data = tail + chunk
            # The end of the file ends its last line.
            cut = data.rfind(b"\n") + 1 if chunk else len(data)
            if cut:
                block = _block(number, data[:cut])
                number += len(block.lines)
                yield block
            if not chunk:
                return
            tail = data[cut:]
            if len(tail) > _MAX_LINE_BYTES:
                raise _error(name, number, "the line is longer than a megabyte", "is this CSV?")


def damage(line: str) -> tuple[int, str] | None:
    """Column and name of the first character of a line that no text has, if there is one."""
    found = _DAMAGE.search(line)
    if found is None:
        return None
    code = ord(found.group())
    what = "a NUL character" if code == 0 else f"byte 0x{code - 0xDC00:02x}, which is not UTF-8"
    return found.start() + 1, what


@contextmanager
def _opened(file: str | Path) -> Iterator[BinaryIO | gzip.GzipFile]:
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - only opening it may fail here
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else error
        hint = "a path in a scenario is relative to the scenario's file"
        raise _error(str(file), 1, f"cannot open the trace: {reason}", hint) from None
    with stream:
        # By content: logs are renamed, and what a program wrote to .gz is not always compressed.
        if stream.peek(2)[:2] == _GZIP_MAGIC:
            with gzip.GzipFile(fileobj=stream) as unpacked:
                yield unpacked
        else:
            yield stream


def _block(first: int, data: bytes) -> Block:
    text = data.decode("utf-8", "surrogateescape")
    if first == 1:
        text = text.removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").removesuffix("\r")
    damaged = "\0" in text or (not text.isascii() and _DAMAGE.search(text) is not None)
    return Block(first, text.removesuffix("\n").split("\n"), damaged)


def _error(file: str, line: int, message: str, hint: str = "") -> TraceError:
    return TraceError([Problem(file, line, 1, "", message, hint)])
