"""Scenarios of one WebSocket API in which only what a test says takes time or refuses anything."""

import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.connection_records import CLOSES
from apisim.engine.lowering import lower
from apisim.engine.lowering.context import Charging
from apisim.engine.program import Program
from apisim.engine.run import Engine, Replication
from apisim.gateway.status import Answer
from apisim.pricing import charge_table, load_book
from apisim.scenario import loads
from tests.equivalence.engines import both, differences
from tests.support.experiments import UNLIMITED, Data, rows_of

__all__ = [
    "MINUTE",
    "SECOND",
    "Served",
    "agreed",
    "answers",
    "chat",
    "closed",
    "duration_ns",
    "lowered",
    "of_route",
    "of_source",
    "opened_ns",
    "served_by",
    "steady",
]

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND

#: AWS's book: what it charges, and its 32 KB.
_CHARGING: Final = Charging(
    charge_table(load_book("aws-us-east-1")), {"rest": 0, "http": 524_288, "websocket": 32_768}
)
#: A replication, and its rows in the order of the request file.
Served = tuple[Replication, NDArray[np.void]]


def chat(sessions: Data, routes: Data | None = None, **parts: Any) -> Data:
    """One API ``chat`` whose users send ``say`` messages, answered by nothing in no time.

    ``stage``, ``source`` and ``account`` add to the API's stage, to the source ``users`` and to
    the account; all other parts are the scenario's own.
    """
    routes = {"say": {"integration": {"type": "mock"}}, **(routes or {})}
    api = {"type": "websocket", "routes": routes, "stage": parts.pop("stage", {})}
    source = {"mix": {"chat say": 1}, "offset": 0, "sessions": sessions, **parts.pop("source", {})}
    account = {
        "throttle": UNLIMITED,
        "new_connections": UNLIMITED,
        "lambda_concurrency": 20_000,
        **parts.pop("account", {}),
    }
    return {
        "apisim": 1,
        "profile": "ideal",
        "seed": 1,
        "account": account,
        "apis": {"chat": api, **parts.pop("apis", {})},
        "traffic": {"users": source, **parts.pop("traffic", {})},
        **parts,
    }


def steady(until: str, **more: Any) -> Data:
    """One user who connects at the start and stays."""
    session = {"population": 1, "connect_over": "1s", "until": until, "reconnect": "never"}
    return {**session, **more}


def lowered(data: Data) -> Program:
    """A scenario made ready to run, charged as AWS charges."""
    return lower(loads(json.dumps(data)), _CHARGING)


def agreed(data: Data) -> Served:
    """One replication, of which both engines say the same to the last nanosecond."""
    compiled, golden = both(lowered(data))
    assert not differences(compiled, golden)
    return golden.result, golden.rows


def served_by(data: Data, number: int = 0, engine: Engine = "compiled") -> Served:
    """One replication on one engine."""
    return rows_of(lowered(data), number, engine)


def of_source(served: Served, name: str) -> NDArray[np.void]:
    """Rows of one source: upgrades, messages and ends, or the posts of ``SOURCE.PUSH``."""
    done, rows = served
    sources = [cell.source for cell in done.program.names.cells]
    return rows[[sources[cell] == name for cell in rows["cell"].tolist()]]


def of_route(served: Served, route: str) -> NDArray[np.void]:
    """Rows of one route."""
    done, rows = served
    routes = [cell.route for cell in done.program.names.cells]
    return rows[[routes[cell] == route for cell in rows["cell"].tolist()]]


def answers(rows: NDArray[np.void]) -> list[Answer]:
    """How each of some rows ended."""
    return [Answer(answer) for answer in rows["answer"].tolist()]


def closed(served: Served) -> dict[str, int]:
    """Connections by the reason of their close; only those that occurred."""
    counts = served[0].recorder.connections.closes.sum(axis=0).tolist()
    return {reason: n for reason, n in zip(CLOSES, counts, strict=True) if n}


def duration_ns(served: Served) -> int:
    """How long all connections have lasted together [ns]."""
    mine = served[0].recorder.connections.apis[0]
    return int(mine["duration_s"]) * SECOND + int(mine["duration_rest_ns"])


def opened_ns(row: np.void, back_ns: int = 0) -> int:
    """When the gateway has opened the connection of an upgrade [ns]."""
    return int(row["arrival_ns"] + row["latency_ns"]) - back_ns
