"""What the parts of the lowering share: tables under construction, hashes of names, problems."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from apisim.draws.discrete import KeyTable
from apisim.draws.tables import DistributionTable
from apisim.scenario import Problem, Scenario

__all__ = ["Charging", "Context", "name_hash"]


@dataclass(frozen=True, slots=True)
class Charging:
    """What the price book says about metering, as far as the engine counts it.

    Attributes
    ----------
    charged : dict of str to bool
        Whether a request with this outcome is billed; every outcome of ``gateway.status``, and
        ``mock`` for what a mock integration has answered (without it, as ``served``).
    increment_bytes : dict of str to int
        Size of a billed unit [bytes] by API type; 0 where each request is one unit.
    stream_increment_bytes : int
        Likewise of what a REST API streams to its callers.
    """

    charged: dict[str, bool]
    increment_bytes: dict[str, int]
    stream_increment_bytes: int = 0


@dataclass(slots=True)
class Context:
    """A scenario on its way to arrays."""

    scenario: Scenario
    charging: Charging
    dists: DistributionTable = field(default_factory=DistributionTable)
    popularities: KeyTable = field(default_factory=KeyTable)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    n_connections: int = 0

    def refuse(self, path: Sequence[str | int], message: str, hint: str = "") -> None:
        """Report something wrong with the scenario; all problems are raised together."""
        self.problems.append(self.scenario.problem(tuple(path), message, hint))


def name_hash(*names: str) -> int:
    """64-bit hash of a sequence of names, the same on every machine."""
    digest = hashlib.blake2b(digest_size=8)
    for name in names:
        text = name.encode()
        digest.update(len(text).to_bytes(8, "little") + text)
    return int.from_bytes(digest.digest(), "little")
