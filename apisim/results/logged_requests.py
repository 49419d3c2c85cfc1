"""What only a request knows of its line in an access log, for many requests at a time.

Text that all requests of a kind share is not made here, see :mod:`apisim.results.access_logs`.
"""

from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.program import Program
from apisim.engine.tables import CLOSED, SESSIONS
from apisim.gateway.access_log import NUMBERS, SLOTS, UNKNOWN
from apisim.results.request_ids import RequestIds

__all__ = ["LoggedRequests"]

_MS: Final = 1_000_000
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
#: Fields of times, by number.
_TIMES_NS: Final = {
    "latency": "gateway_ns",
    "integration": "integration_ns",
    "authorizer": "authorizer_ns",
}
#: Ids by kind and form.
_IDS: Final = {
    "awsEndpointRequestId": ("endpoint", "uuid"),
    "extendedRequestId": ("extended", "extended"),
    "integration.requestId": ("integration", "uuid"),
    "messageId": ("message", "extended"),
    "requestId": ("request", "uuid"),
}


class LoggedRequests:
    """Values of variables, a column each.

    Parameters
    ----------
    rows : array of REQUEST_DTYPE
        Of one cell and answer; arrival is when they reached the gateway.
    program : Program
        What is run.
    ids : RequestIds
        Makes identities.
    """

    def __init__(self, rows: NDArray[np.void], program: Program, ids: RequestIds) -> None:
        self._rows = rows
        self._program = program
        self._ids = ids

    def column(self, variable: str, *, is_short: bool) -> list[str]:
        """Text of one variable for each row.

        Parameters
        ----------
        variable : str
            Without its ``$context.``; a number or a slot of :mod:`apisim.gateway.access_log`.
        is_short : bool
            Whether the ids of requests are as short as those of HTTP and WebSocket APIs.
        """
        if variable in NUMBERS:
            numbers = self._number(NUMBERS[variable]).tolist()
            return [str(number) if number >= 0 else UNKNOWN for number in numbers]
        if variable in ("authorizer.status", "authorizer.integrationStatus"):
            return ["200" if one else UNKNOWN for one in self._is_authorized]
        if variable == "authorizer.requestId":
            calls = zip(self._addresses, self._is_authorized, strict=True)
            return [self._ids.uuid("authorizer", one) if is_so else UNKNOWN for one, is_so in calls]
        if variable == "requestId" and is_short:
            return [self._ids.extended("request", one) for one in self._addresses]
        return self._slot(variable)

    def _slot(self, variable: str) -> list[str]:
        ids = self._ids
        if variable in _IDS:
            kind, form = _IDS[variable]
            make = ids.uuid if form == "uuid" else ids.extended
            return [make(kind, one) for one in self._addresses]
        if variable == "requestTime":
            return [_clf_time(second) for second in (self._epoch_us // 1_000_000).tolist()]
        if variable == "requestTimeEpoch":
            return [str(ms) for ms in (self._epoch_us // 1000).tolist()]
        if variable == "identity.sourceIp":
            known = {one: ids.address(one) for one in set(self._who)}
            return [known[one] for one in self._who]
        if variable == "xrayTraceId":
            seconds = (self._epoch_us // 1_000_000).tolist()
            return [ids.trace(*one) for one in zip(self._addresses, seconds, strict=True)]
        if variable == "connectionId":
            return [ids.extended("connection", one) for one in self._users]
        if variable == "connectedAt":  # when a connection began is not in a request's row
            return ["0" * SLOTS[variable]] * len(self._rows)
        raise KeyError(variable)

    def _number(self, name: str) -> NDArray[np.int64]:
        rows = self._rows
        number: NDArray[np.int64]
        if name == "response":
            number = rows["response_bytes"]
        elif name == "processed":
            number = rows["request_bytes"] + rows["response_bytes"]
        else:
            number = rows[_TIMES_NS[name]] // _MS
        return number

    @cached_property
    def _is_authorized(self) -> list[bool]:
        """Whether an authorizer's function was called."""
        called: list[bool] = (self._rows["authorizer_ns"] >= 0).tolist()
        return called

    @cached_property
    def _epoch_us(self) -> NDArray[np.int64]:
        """Times since 1970 [us]."""
        start = self._program.scenario.start - datetime(1970, 1, 1, tzinfo=UTC)
        return start // timedelta(microseconds=1) + self._rows["arrival_ns"] // 1000

    @cached_property
    def _users(self) -> list[str]:
        names = self._program.names.sources
        pairs = zip(self._rows["source"].tolist(), self._rows["user"].tolist(), strict=True)
        return [f"{names[source]}/{user}" for source, user in pairs]

    @cached_property
    def _addresses(self) -> list[str]:
        calls = (self._rows["ordinal"].tolist(), self._rows["attempt"].tolist())
        return [
            f"{user}/{ordinal}/{attempt}"
            for user, ordinal, attempt in zip(self._users, *calls, strict=True)
        ]

    @cached_property
    def _who(self) -> list[str]:
        """Whoever has an address of its own."""
        names, tables = self._program.names, self._program.tables
        has_users = np.isin(tables.sources["kind"], (CLOSED, SESSIONS)).tolist()
        rows = self._rows
        found = []
        for source, user, client, customer in zip(
            rows["source"].tolist(),
            self._users,
            rows["client"].tolist(),
            rows["customer"].tolist(),
            strict=True,
        ):
            if client >= 0:
                found.append(names.clients[client])
            elif customer >= 0:
                found.append(names.customers[customer])
            else:
                found.append(user if has_users[source] else names.sources[source])
        return found


@lru_cache(maxsize=64)
def _clf_time(epoch_s: int) -> str:
    # Not strftime: its months have the user's language.
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=epoch_s)
    return f"{time.day:02}/{_MONTHS[time.month - 1]}/{time.year:04}:{time:%H:%M:%S} +0000"
