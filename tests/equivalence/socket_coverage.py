"""What random scenarios reach of WebSocket APIs: answers, and what becomes of connections."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.connection_records import CLOSES
from apisim.engine.tables import PUSHES, SESSIONS
from apisim.gateway.status import Answer
from tests.equivalence.engines import Run

__all__ = ["SOCKETS_ONLY", "SOCKET_ANSWERS", "SOCKET_EVENTS", "happened_to_sockets"]

#: Answers that only WebSocket APIs give.
SOCKETS_ONLY: Final = (
    Answer.CONNECTED,
    Answer.THROTTLED_CONNECTIONS,
    Answer.CONNECTION_GONE,
    Answer.FRAME_TOO_LARGE,
    Answer.BINARY_FRAME,
    Answer.SENT,
    Answer.UNAVAILABLE,
)
#: Answers that WebSocket APIs give: they have no cache, domain, web ACL or resource policy, no
#: CORS, no user pool, no ALB in front of a link's targets, and no message of 6 MB.
SOCKET_ANSWERS: Final = (
    *SOCKETS_ONLY,
    Answer.SERVED,
    Answer.THROTTLED_METHOD,
    Answer.THROTTLED_STAGE,
    Answer.THROTTLED_ACCOUNT,
    Answer.THROTTLED_PLAN,
    Answer.QUOTA_EXCEEDED,
    Answer.NO_KEY,
    Answer.NO_IDENTITY,
    Answer.DENIED,
    Answer.IMPLICITLY_DENIED,
    Answer.UNAUTHORIZED_BY_FUNCTION,
    Answer.AUTHORIZER_FAILED,
    Answer.IAM_MISSING,
    Answer.BAD_SIGNATURE,
    Answer.IAM_DENIED,
    Answer.SIGNATURE_EXPIRED,
    Answer.NO_ROUTE,
    Answer.INVALID_BODY,
    Answer.TOO_LARGE,
    Answer.TIMEOUT,
    Answer.FUNCTION_ERROR,
    Answer.FUNCTION_THROTTLED,
    Answer.FUNCTION_MALFORMED,
    Answer.FUNCTION_ERROR_AS_200,
    Answer.FUNCTION_ERROR_AS_400,
    Answer.FUNCTION_ERROR_AS_500,
    Answer.EVENT_ACCEPTED,
    Answer.ENDPOINT_ERROR,
    Answer.ENDPOINT_FULL,
    Answer.TARGET_UNREACHABLE,
    Answer.SERVICE_THROTTLED,
    Answer.SERVICE_ERROR,
)
SOCKET_EVENTS: Final = (
    *(f"a connection closed: {name}" for name in CLOSES),
    "an answer to one who has gone",
    "a lost $disconnect",
    "a connection after another one",
    "a session after another one",
    "a push to one who has gone",
    "a message on a connection that is closed",
    "a push given way to a newer one",
    "a push tried again",
    "a delivery",
)


def _kinds(run: Run) -> NDArray[np.int64]:
    """Kind of each row's source."""
    kinds: NDArray[np.int64] = run.result.program.tables.sources["kind"][run.rows["source"]]
    return kinds


def _users_with_several(run: Run) -> set[tuple[int, int]]:
    """Users, as (source, user), with more than one upgrade that succeeded."""
    connected = run.rows[run.rows["answer"] == Answer.CONNECTED][["source", "user"]]
    users, counts = np.unique(connected, return_counts=True)
    return set(users[counts > 1].tolist())


def _once_only(run: Run) -> set[int]:
    """Sources whose users never connect again within a session."""
    tables = run.result.program.tables
    which = tables.sources["sessions"]
    return {
        at
        for at in np.flatnonzero(tables.sources["kind"] == SESSIONS).tolist()
        if tables.sessions["reconnect"][which[at]] < 0
    }


def happened_to_sockets(run: Run) -> Iterator[str]:
    """The events among ``SOCKET_EVENTS`` that a run has seen."""
    rows, records = run.rows, run.result.recorder
    kinds = _kinds(run)
    has_gone = rows["answer"] == Answer.CONNECTION_GONE
    several = _users_with_several(run)
    once = _once_only(run)
    happened: dict[str, Any] = {
        f"a connection closed: {name}": records.connections.closes[:, at].any()
        for at, name in enumerate(CLOSES)
    }
    happened |= {
        "an answer to one who has gone": records.connections.apis["undelivered_replies"].any(),
        "a lost $disconnect": records.connections.apis["lost_disconnects"].any(),
        "a connection after another one": bool(several),
        "a session after another one": any(source in once for source, _ in several),
        "a push to one who has gone": (has_gone & (kinds == PUSHES)).any(),
        "a message on a connection that is closed": (has_gone & (kinds == SESSIONS)).any(),
        "a push given way to a newer one": records.pushes.sums["coalesced"].any(),
        "a push tried again": ((kinds == PUSHES) & (rows["attempt"] > 0)).any(),
        "a delivery": records.pushes.sums["delivered"].any(),
    }
    yield from (event for event, is_so in happened.items() if is_so)
