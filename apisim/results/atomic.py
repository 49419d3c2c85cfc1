"""Files that are there whole or not at all.

A file is written under another name in its own directory and renamed at the end, so that nobody
ever reads half of it and an interrupted run leaves none.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from apisim.scenario import Scenario
from apisim.scenario.problems import ApisimError

__all__ = ["OutputError", "PendingFile", "as_output_error", "refuse_input", "write_text"]


class OutputError(ApisimError):
    """A file that cannot be written."""


@contextmanager
def as_output_error(path: Path) -> Iterator[None]:
    """What the operating system says about ``path`` becomes an :class:`OutputError`."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None


class PendingFile:
    """A binary file that appears under its name when it is :meth:`kept`.

    Parameters
    ----------
    path : pathlib.Path
        Its name; a file that is already there stays until the new one is whole, and a link stays a
        link. A pipe or a device is written to as it is.

    Raises
    ------
    OutputError
        If the directory is missing or cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_dir():
            raise OutputError(f"{path} cannot be written: it is a directory")
        with as_output_error(path):
            # What /dev/stdout leads to is somebody else's, even if it is a file.
            is_device = path.absolute().parts[1:2] in (("dev",), ("proc",))
            self._is_stream = path.exists() and (is_device or not path.is_file())
            self._final = path if self._is_stream else Path(os.path.realpath(path))
            self._pending = self._final.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
            place, mode = (path, "ab") if self._is_stream else (self._pending, "xb")
            self.stream = cast(BinaryIO, place.open(mode))

    def keep(self) -> None:
        """Give the file its name."""
        with as_output_error(self.path):
            self.stream.flush()
            if not self._is_stream:
                os.fsync(self.stream.fileno())
            self.stream.close()
            if not self._is_stream:
                self._pending.replace(self._final)

    def discard(self) -> None:
        """Remove what was written; does nothing after :meth:`keep`."""
        with suppress(OSError):  # what a full device could not take
            self.stream.close()
        self._pending.unlink(missing_ok=True)


def refuse_input(path: Path, scenario: Scenario) -> None:
    """Refuse to write over a file that the run reads: the scenario itself or a log.

    Raises
    ------
    OutputError
        If ``path`` is such a file.
    """
    inputs = [Path(scenario.source.file)]
    inputs += [source.trace.file for source in scenario.traffic.values() if source.trace]
    if path.exists() and any(file.exists() and path.samefile(file) for file in inputs):
        raise OutputError(f"{path} cannot be written: this run reads it; choose another name")


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file with line feeds, whole or not at all.

    Raises
    ------
    OutputError
        If that is not possible.
    """
    pending = PendingFile(path)
    try:
        with as_output_error(path):
            pending.stream.write(text.encode(errors="backslashreplace"))
        pending.keep()
    finally:
        pending.discard()
