"""How far a run is, and how it is stopped."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["Progress", "Watch"]

#: Time between two reports [s].
_REPORT_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    replications, finished : int
        How many there will be, and how many are over.
    simulated_ns, total_ns : int
        Simulated time so far and in the end, summed over replications [ns].
    requests : int
        Recorded so far, summed over replications.
    elapsed_s : float
        Since the first event [s].
    """

    replications: int
    finished: int
    simulated_ns: int
    total_ns: int
    requests: int
    elapsed_s: float

    @property
    def share(self) -> float:
        """How much of the simulated time is over, in [0, 1]."""
        return self.simulated_ns / self.total_ns if self.total_ns else 0.0

    @property
    def requests_per_s(self) -> float:
        """Requests for each second that has passed."""
        return self.requests / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def left_s(self) -> float:
        """Time left at the same pace [s]; infinite at the start."""
        share = self.share
        return self.elapsed_s * (1 - share) / share if share else float("inf")


class Watch:
    """Looks after the replications of a run from several threads.

    Parameters
    ----------
    n_replications : int
    horizon_ns : int
        Simulated time of one [ns].
    tell : callable, optional
        Told a :class:`Progress` now and then; may raise KeyboardInterrupt to end the run.

    Attributes
    ----------
    last_record : float
        When the last replication so far was over, as ``time.perf_counter`` has it [s].
    """

    def __init__(
        self, n_replications: int, horizon_ns: int, tell: Callable[[Progress], None] | None = None
    ) -> None:
        self._n_replications, self._horizon_ns, self._tell = n_replications, horizon_ns, tell
        self._seen: dict[int, tuple[int, int]] = {}
        self._finished = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._started = time.perf_counter()
        self._told = 0.0
        self.last_record = self._started

    @property
    def is_stopped(self) -> bool:
        """Whether the run is to end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Let every replication end at its next look at the clock."""
        self._stop.set()

    def look(self, number: int, simulated_ns: int, requests: int) -> None:
        """One replication looks at the clock; its engine calls this.

        Raises
        ------
        KeyboardInterrupt
            If the run is to end. It is raised here because here the engine's arrays are whole.
        """
        with self._lock:
            self._seen[number] = (min(simulated_ns, self._horizon_ns), requests)
            self._report()
        if self.is_stopped:
            raise KeyboardInterrupt

    def finish(self, number: int, simulated_ns: int, requests: int) -> None:
        """One replication has written its last record."""
        with self._lock:
            self.last_record = time.perf_counter()
            self._seen[number] = (min(simulated_ns, self._horizon_ns), requests)
            self._finished += 1
            self._told = 0.0
            self._report()

    def _report(self) -> None:
        now = time.perf_counter()
        if self._tell is None or self.is_stopped or now - self._told < _REPORT_EVERY_S:
            return
        self._told = now
        try:
            self._tell(
                Progress(
                    replications=self._n_replications,
                    finished=self._finished,
                    simulated_ns=sum(ns for ns, _ in self._seen.values()),
                    total_ns=self._n_replications * self._horizon_ns,
                    requests=sum(requests for _, requests in self._seen.values()),
                    elapsed_s=now - self._started,
                )
            )
        except KeyboardInterrupt:
            self.stop()
