"""Who used what: the counts behind a bill's subtotals, added up over replications.

An *owner* is a source on a route of an API, in one variant of it. Of each owner, requests, units
and bytes are known exactly, by answer; of each source also what functions ran for it and what its
web ACLs looked at. Nothing is divided here.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.engine.program import Program
from apisim.engine.run import Replication
from apisim.engine.usage_counts import USAGE_DTYPE
from apisim.gateway.status import Answer
from apisim.pricing import Usage
from apisim.results.usage import provisioned_ns, source_of, source_usage, window_phases

__all__ = ["MEASURES", "OWNER_MEASURES", "GroupedUsage", "Owner", "PartUsage", "owners_of"]

#: What is counted of requests, in the order of the columns.
MEASURES: Final[tuple[str, ...]] = USAGE_DTYPE.names or ()
#: Of owners also the time of their connections, in ms: in ns a long run's would not fit.
OWNER_MEASURES: Final = (*MEASURES, "connection_ms")
_CONNECTION_MS: Final = len(MEASURES)
_NS_PER_MS: Final = 1_000_000
_MS_PER_MINUTE: Final = 60_000
_N_ANSWERS: Final = len(Answer)


class Owner(NamedTuple):
    """A source on a route; empty names where there is none of the kind."""

    source: str
    api: str
    route: str
    variant: str


def owners_of(program: Program) -> tuple[Owner, ...]:
    """All owners there can be; of an API that nobody calls, its name alone."""
    found = dict.fromkeys(
        Owner(source_of(cell.source), cell.api, cell.route, cell.variant)
        for cell in program.names.cells
    )
    called = {owner.api for owner in found}
    idle = (Owner("", api, "", "") for api in program.names.apis if api not in called)
    return (*found, *idle)


@dataclass(frozen=True, slots=True, eq=False)
class PartUsage:
    """What was used in a part of the run, whole or a window, summed over replications.

    Attributes
    ----------
    counts : int64[n_owners, n_answers, len(OWNER_MEASURES)]
    sources : dict of str to Usage
        Of each source.
    """

    counts: NDArray[np.int64]
    sources: dict[str, Usage]

    def __add__(self, other: "PartUsage") -> "PartUsage":
        """Both together."""
        sources = {name: usage + other.sources[name] for name, usage in self.sources.items()}
        return PartUsage(self.counts + other.counts, sources)

    @classmethod
    def of(
        cls, replication: Replication, owners: tuple[Owner, ...], phases: list[int] | None
    ) -> "PartUsage":
        """Of one replication: of some phases after the warm-up, of the whole run if None."""
        names, recorder = replication.program.names, replication.recorder
        at = {owner: number for number, owner in enumerate(owners)}
        parts = slice(None) if phases is None else slice(0, 1)
        chosen = range(len(names.phases)) if phases is None else phases
        wanted = {names.phases[phase] for phase in chosen}
        cells = [n for n, cell in enumerate(names.cells) if (cell.source, cell.phase) in wanted]
        places = [
            at[Owner(source_of(cell.source), cell.api, cell.route, cell.variant)]
            for cell in (names.cells[n] for n in cells)
        ]
        counts = np.zeros((len(owners), _N_ANSWERS, len(OWNER_MEASURES)), np.int64)
        if cells:
            used = recorder.usage[cells][:, parts]
            for column, name in enumerate(MEASURES):
                np.add.at(counts[:, :, column], places, used[name].sum(axis=1))
        _add_connections(counts, replication, owners, list(chosen), parts)
        sources = dict.fromkeys(source_of(name) for name, _ in names.phases)
        return cls(
            counts, {name: _counted(source_usage(replication, name, phases)) for name in sources}
        )


def _add_connections(
    counts: NDArray[np.int64],
    replication: Replication,
    owners: tuple[Owner, ...],
    phases: list[int],
    parts: slice,
) -> None:
    """Connections belong to the source that opened them, on the route where they are opened."""
    program = replication.program
    if len(program.tables.sessions) == 0:
        return
    for phase in phases:
        source = source_of(program.names.phases[phase][0])
        for at, api in enumerate(program.names.apis):
            billed = replication.recorder.connections.minutes[phase, at, parts]
            time_ms = int(billed["minutes"].sum()) * _MS_PER_MINUTE
            time_ms += int(billed["rest_ns"].sum()) // _NS_PER_MS
            if not time_ms:
                continue
            own = [n for n, one in enumerate(owners) if (one.source, one.api) == (source, api)]
            opened = [n for n in own if owners[n].route == "$connect"]
            counts[(opened or own)[0], Answer.CONNECTED, _CONNECTION_MS] += time_ms


def _counted(usage: Usage) -> Usage:
    """The same, such that it can be added to that of other replications."""
    services = tuple(replace(service, is_shared_out=False) for service in usage.services)
    return replace(usage, services=services)


@dataclass(frozen=True, slots=True, eq=False)
class GroupedUsage:
    """Who used what, summed over replications.

    Attributes
    ----------
    owners : tuple of Owner
    run : PartUsage
        Whole runs, warm-up included.
    windows : tuple of PartUsage
        After the warm-up, window by window; empty where no month is projected.
    customers : int64[n_customers, n_apis, 2, len(MEASURES)]
        Of each customer; ``[:, :, 1]`` is the warm-up's.
    n_replications : int
    provisioned_ns : int
        Length of the runs, added up [ns].
    """

    owners: tuple[Owner, ...]
    run: PartUsage
    windows: tuple[PartUsage, ...]
    customers: NDArray[np.int64]
    n_replications: int
    provisioned_ns: int

    def __add__(self, other: "GroupedUsage") -> "GroupedUsage":
        """Both together."""
        windows = zip(self.windows, other.windows, strict=True)
        return GroupedUsage(
            self.owners,
            self.run + other.run,
            tuple(one + two for one, two in windows),
            self.customers + other.customers,
            self.n_replications + other.n_replications,
            self.provisioned_ns + other.provisioned_ns,
        )

    @classmethod
    def of(cls, replication: Replication, *, with_month: bool) -> "GroupedUsage":
        """Of one replication."""
        program = replication.program
        owners = owners_of(program)
        used = replication.recorder.customer_usage[: len(program.names.customers)]
        return cls(
            owners=owners,
            run=PartUsage.of(replication, owners, None),
            windows=tuple(
                PartUsage.of(replication, owners, phases)
                for phases in (window_phases(program) if with_month else ())
            ),
            customers=np.stack([used[name] for name in MEASURES], axis=-1),
            n_replications=1,
            provisioned_ns=provisioned_ns(replication),
        )
