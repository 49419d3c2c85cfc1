"""Points of a study that are done, each in a file of its own: found again by what was simulated.

The name of a file is a hash of everything that decides its rows: the resolved scenario with its
seed and number of replications, what is asked, and the version. A file is there whole or not at
all, whatever happens to the process that writes it. Several processes may share a folder: who
begins a point says so in a claim beside it, and takes over the claim of a process that is gone.
"""

import contextlib
import hashlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from apisim.results.atomic import as_output_error, write_text
from apisim.studies.points import Row, Task, files_of

__all__ = ["Store"]

#: After so long a claim of another machine is nobody's [s].
_CLAIM_LASTS_S: Final = 600
_TOUCHED_EVERY_S: Final = 60


class Store:
    """A folder of finished points.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is missing.

    Raises
    ------
    OutputError
        If it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "points"
        with as_output_error(folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._mine: set[str] = set()
        self._hashes: dict[tuple[str, int], str] = {}
        self._keys: dict[Task, str] = {}
        self._keeper: threading.Thread | None = None

    def key(self, task: Task) -> str:
        """Name of a point: a hash of what decides its rows."""
        if task not in self._keys:
            # Where a scenario was read from and which engine runs it changes no number.
            told = replace(task, file="", engine="auto")
            words = repr([*(getattr(told, name) for name in told.__slots__), self._files_of(task)])
            self._keys[task] = hashlib.blake2b(words.encode(), digest_size=16).hexdigest()
        return self._keys[task]

    def _files_of(self, task: Task) -> list[tuple[str, str]]:
        """Hashes of the files that a scenario names: logs, samples, books."""
        found = []
        for name in files_of(task.scenario):
            path = Path(name)
            stat = path.stat() if path.is_file() else None
            known = (name, 0 if stat is None else stat.st_mtime_ns)
            if known not in self._hashes:
                content = path.read_bytes() if stat is not None else b""
                self._hashes[known] = hashlib.blake2b(content, digest_size=16).hexdigest()
            found.append((name, self._hashes[known]))
        return found

    def load(self, task: Task) -> list[Row] | None:
        """Rows of a point that is done; None for one that is not, or whose file was damaged."""
        try:
            document = json.loads(self._file(task).read_text(encoding="utf-8"))
            return [Row.from_dict(row) for row in document["rows"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, task: Task, rows: list[Row], point: dict[str, str]) -> None:
        """Keep a point, and give up its claim.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        document: dict[str, Any] = {
            "apisim": task.version,
            "point": point,
            "rows": [row.to_dict() for row in rows],
        }
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_text(self._file(task), text)
        self.give_up(task)

    def claim(self, task: Task) -> bool:
        """Whether the point is ours to simulate; false while another is at it, or once it is done.

        Raises
        ------
        OutputError
            If nothing can be written.
        """
        path = self._claim(task)
        words = f"{socket.gethostname()} {os.getpid()} {_began(os.getpid())}\n"
        # One at a time: of two who find a claim abandoned, the second would remove the first's new
        # one.
        with as_output_error(path), _one_at_a_time(self.folder / ".lock"):
            if path.exists() and not _is_abandoned(path):
                return False
            path.unlink(missing_ok=True)
            # Who has finished a point gives up its claim: it may be done since we last looked.
            if self.load(task) is not None:
                return False
            with path.open("x", encoding="utf-8") as file:
                file.write(words)
        self._mine.add(self.key(task))
        self._keep_alive()
        return True

    def give_up(self, task: Task) -> None:
        """Nobody is at the point any more."""
        name = self.key(task)
        if name in self._mine:
            self._mine.discard(name)
            self._claim(task).unlink(missing_ok=True)

    def give_up_all(self) -> None:
        """Give up every claim of this process."""
        for name in self._mine:
            (self.folder / f"{name}.claim").unlink(missing_ok=True)
        self._mine.clear()

    def _keep_alive(self) -> None:
        """Show other machines, for as long as this process lives, that its claims are alive."""
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._touch, daemon=True)
            self._keeper.start()

    def _touch(self) -> None:
        while True:
            time.sleep(_TOUCHED_EVERY_S)
            for name in list(self._mine):
                with contextlib.suppress(OSError):
                    os.utime(self.folder / f"{name}.claim")

    def _file(self, task: Task) -> Path:
        return self.folder / f"{self.key(task)}.json"

    def _claim(self, task: Task) -> Path:
        return self.folder / f"{self.key(task)}.claim"


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other process is in here; a process that dies is out of it."""
    with path.open("a", encoding="utf-8") as file:
        if os.name == "posix":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_abandoned(path: Path) -> bool:
    """Whether who made a claim is gone."""
    try:
        host, process, began = (*path.read_text(encoding="utf-8").split(" "), "", "")[:3]
        age_s = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return True
    except OSError:
        return False
    if not process.isdecimal():
        return age_s > 1  # who makes it has not written its name yet, or died before it did
    if host != socket.gethostname() or os.name != "posix":  # elsewhere signal 0 is a signal
        return age_s > _CLAIM_LASTS_S
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    # Numbers of processes are given again.
    return began.strip() != _began(int(process))


def _began(process: int) -> str:
    """When a process began, as its machine counts; "" where nobody can say."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
