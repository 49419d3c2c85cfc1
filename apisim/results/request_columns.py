"""The columns of the request file: which there are, and what the engine's numbers mean in them.

One row is one attempt. Everything is a whole number or a name: times in nanoseconds, sizes in
bytes. ``request_id`` is the printed address ``source/user/ordinal/attempt`` (``user`` is 0 for
sources without users; ``ordinal`` counts a user's calls and, without users, the source's).
``client`` is the client of a log's row, ``source/user`` for closed users, the source's name
otherwise. ``route`` is empty where none matched, ``customer`` where nobody is known, a time that
does not exist is empty. ``remarks`` says what else is true of the row, in words with a space
between: ``stale`` and ``wrong`` answers of the cache, and the like. Where the outcome is
``client_gone`` nobody waited for the answer: the latency is how long somebody did, status, refusal
and sizes are the gateway's. ``variant`` is ``stable`` or
``canary`` where a stage has two deployments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.flags import (
    FLAG_CLIENT_GONE,
    FLAG_CORS_BLOCKED,
    FLAG_INVALIDATION,
    FLAG_NEW_CONNECTION,
    FLAG_STALE,
    FLAG_TRACED,
    FLAG_WARNED,
    FLAG_WRONG,
)
from apisim.engine.program import Program
from apisim.engine.tables import CLOSED, TRACE
from apisim.gateway.status import ANSWERS
from apisim.results.calls import GONE

__all__ = ["COLUMNS", "NAME_COLUMNS", "OPTIONAL_COLUMNS", "RequestColumns"]

#: In the order of the file; new columns are appended.
COLUMNS: Final = (
    "request_id",
    "replication",
    "arrival_ns",
    "api",
    "route",
    "client",
    "phase",
    "attempt",
    "status",
    "outcome",
    "refused_by",
    "cache",
    "latency_ns",
    "integration_latency_ns",
    "request_bytes",
    "response_bytes",
    "billed_units",
    "gateway_latency_ns",
    "authorizer_latency_ns",
    "cold_start",
    "source",
    "customer",
    "remarks",
    "variant",
)
NAME_COLUMNS: Final = frozenset(
    {
        "api",
        "route",
        "client",
        "phase",
        "outcome",
        "refused_by",
        "cache",
        "source",
        "customer",
        "remarks",
        "variant",
    }
)
#: Times that not every request has.
OPTIONAL_COLUMNS: Final = frozenset({"integration_latency_ns", "authorizer_latency_ns"})

#: Columns that are a field of the engine's row.
_FIELDS: Final = {
    "arrival_ns": "arrival_ns",
    "user": "user",
    "ordinal": "ordinal",
    "attempt": "attempt",
    "status": "status",
    "latency_ns": "latency_ns",
    "integration_latency_ns": "integration_ns",
    "request_bytes": "request_bytes",
    "response_bytes": "response_bytes",
    "billed_units": "units",
    "gateway_latency_ns": "gateway_ns",
    "authorizer_latency_ns": "authorizer_ns",
    "cold_start": "cold",
    "source": "source",
    "outcome": "answer",
    "refused_by": "answer",
    "cache": "cache",
    "customer": "customer",
    "remarks": "flags",
}
#: Words of the column ``remarks``.
_REMARKS: Final = {
    FLAG_STALE: "stale",
    FLAG_WRONG: "wrong",
    FLAG_WARNED: "warned",
    FLAG_CORS_BLOCKED: "hidden_by_cors",
    FLAG_INVALIDATION: "invalidation",
    FLAG_NEW_CONNECTION: "new_connection",
    FLAG_TRACED: "traced",
}


@dataclass(frozen=True, slots=True, eq=False)
class RequestColumns:
    """Columns of one program's requests.

    Attributes
    ----------
    names : dict of str to sequence of str
        Texts of each column in ``NAME_COLUMNS``, which hold positions in them.
    """

    names: dict[str, Sequence[str]]
    _cells: dict[str, NDArray[np.int64]]  # names of a cell: api, route, phase and variant
    _is_closed: NDArray[np.bool_]  # by source
    _is_trace: NDArray[np.bool_]

    @classmethod
    def of(cls, program: Program) -> "RequestColumns":
        """Columns for the requests of ``program``."""
        names = program.names
        cells: dict[str, NDArray[np.int64]] = {}
        texts: dict[str, Sequence[str]] = {}
        for column in ("api", "route", "phase", "variant"):
            words = [getattr(cell, column) for cell in names.cells]
            distinct = list(dict.fromkeys(words))
            at = {word: position for position, word in enumerate(distinct)}
            texts[column] = distinct
            cells[column] = np.array([at[word] for word in words], np.int64)
        texts["source"] = names.sources
        # Sources first, so that a source's number is its position here too.
        texts["client"] = [*names.sources, *names.clients]
        texts["outcome"] = [*(facts.outcome for facts in ANSWERS.values()), GONE]
        texts["refused_by"] = [facts.refused_by for facts in ANSWERS.values()]
        texts["cache"] = ["", "hit", "miss"]
        texts["customer"] = ["", *names.customers]  # nobody is -1
        texts["remarks"] = [
            " ".join(word for flag, word in _REMARKS.items() if flags & flag)
            for flags in range(2 * max(_REMARKS))
        ]
        kinds = program.tables.sources["kind"]
        return cls(texts, cells, kinds == CLOSED, kinds == TRACE)

    def arrays(self, rows: NDArray[np.void], replication: int) -> dict[str, NDArray[np.int64]]:
        """Columns of some rows.

        Parameters
        ----------
        rows : REQUEST_DTYPE[n_rows]
        replication : int
            Number of the replication, from 0.

        Returns
        -------
        dict of str to int64[n_rows]
            The columns of the file but ``request_id``, which is made of ``source``, ``user``,
            ``ordinal`` and ``attempt``; names as positions in :attr:`names`, -1 for no name and
            no time. ``client_user`` is the user to be put behind ``client``, -1 for none.
        """
        columns = {name: rows[field].astype(np.int64) for name, field in _FIELDS.items()}
        columns["replication"] = np.full(len(rows), replication, np.int64)
        for name, of_cell in self._cells.items():
            columns[name] = of_cell[rows["cell"]]
        source, client = columns["source"], rows["client"]
        columns["client"] = np.where(
            self._is_trace[source],
            np.where(client >= 0, client + np.int64(len(self.names["source"])), -1),
            source,
        )
        columns["customer"] += 1
        is_gone = (columns["remarks"] & FLAG_CLIENT_GONE) > 0
        columns["outcome"][is_gone] = len(ANSWERS)
        columns["remarks"] &= ~FLAG_CLIENT_GONE
        columns["client_user"] = np.where(self._is_closed[source], columns["user"], -1)
        return columns
