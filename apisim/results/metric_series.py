"""Which metrics CloudWatch keeps of an API, in which units, under which dimensions, of what.

Names and dimensions are the developer guide's ("Amazon API Gateway dimensions and metrics",
"Monitor HTTP APIs / WebSocket APIs with CloudWatch metrics"). REST APIs are known by name, the
others by an identity that only AWS gives out: their ``ApiId`` is the name here. Metrics of methods
and routes are there with ``detailed_metrics`` only. What is counted in 4XX, 5XX and the cache's
metrics is a share of ``Count``, so every request has a sample there, of 0 or 1; WebSocket metrics
have a sample where something happened.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.program import Cell, Program
from apisim.engine.recorder import CACHE_HIT, CACHE_MISS
from apisim.gateway.replies import answer_metrics
from apisim.gateway.status import Answer
from apisim.gateway.websocket_metrics import websocket_metrics
from apisim.results.metric_points import Point
from apisim.results.websockets import errand_of
from apisim.scenario.cloudwatch_metrics import METRICS_OF_TYPE, WEBSOCKET_METRICS
from apisim.scenario.websocket_routes import CONNECTIONS

__all__ = [
    "ALL_FAILED",
    "METRICS",
    "TOO_MANY",
    "Dimensions",
    "Leaf",
    "Metric",
    "MetricTables",
]

#: Not CloudWatch's: 429s, and all that a client was told to be an error.
TOO_MANY: Final = "429"
ALL_FAILED: Final = "failed"

_FIVE: Final = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
_PERCENTILES: Final = ("p50", "p90", "p99")


@dataclass(frozen=True, slots=True)
class Metric:
    """One of CloudWatch's metrics.

    Attributes
    ----------
    name : str
    unit : {"Count", "Milliseconds", "Bytes"}
    per_unit : int
        Of the samples' own unit (nanoseconds, bytes, 1).
    """

    name: str
    unit: str
    per_unit: int = 1

    @property
    def statistics(self) -> tuple[str, ...]:
        """Those that are exported."""
        return _FIVE if self.unit == "Count" else (*_FIVE, *_PERCENTILES)

    def value(self, point: Point, statistic: str) -> float:
        """A statistic of a point that has samples, in the metric's unit."""
        found = point.statistic(statistic)
        if statistic == "SampleCount" or self.per_unit == 1:
            return found
        return round(found / self.per_unit, 6)


#: By name.
METRICS: Final[dict[str, Metric]] = {
    one.name: one
    for one in (
        *(
            Metric(name, "Count")
            for name in (
                "Count",
                "4XXError",
                "5XXError",
                "4xx",
                "5xx",
                "CacheHitCount",
                "CacheMissCount",
                *WEBSOCKET_METRICS,
            )
        ),
        Metric("Latency", "Milliseconds", 1_000_000),
        Metric("IntegrationLatency", "Milliseconds", 1_000_000),
        Metric("DataProcessed", "Bytes"),
    )
}
#: What came to no gateway, or to none that knew its connection.
_NEVER_ARRIVED: Final = frozenset({Answer.UNAVAILABLE, Answer.CONNECTION_GONE})
_ERRORS: Final = {"rest": ("4XXError", "5XXError"), "http": ("4xx", "5xx")}


@dataclass(frozen=True, slots=True)
class Leaf:
    """The finest thing that has metrics: a stage, or one of its methods or routes.

    Attributes
    ----------
    api, stage : str
        Name of the API, without the stage, and of the stage.
    type : {"rest", "http", "websocket"}
    route, method : str
        Where the stage has detailed metrics: key of the route, method of the call on REST APIs.
    has_cache : bool
        Whether its stage has one.
    """

    api: str
    stage: str
    type: str
    route: str = ""
    method: str = ""
    has_cache: bool = False


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Metrics of one kind of thing: dimensions by CloudWatch's names, and the leaves in them."""

    names: tuple[tuple[str, str], ...]
    type: str
    leaves: tuple[int, ...]
    has_cache: bool

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of its metrics."""
        cache = ("CacheHitCount", "CacheMissCount")
        return tuple(
            name for name in METRICS_OF_TYPE[self.type] if self.has_cache or name not in cache
        )


class MetricTables:
    """What is counted where, for the requests of one program.

    Attributes
    ----------
    leaves : list of Leaf
    """

    def __init__(self, program: Program) -> None:
        leaves: dict[Leaf, int] = {}
        self._leaf_of_cell = np.array(
            [leaves.setdefault(_leaf(program, cell), len(leaves)) for cell in program.names.cells],
            np.int64,
        )
        self.leaves = list(leaves)
        # Whether a request of a cell with an answer is counted at all, and in which metric.
        self._counts: dict[str, NDArray[np.bool_]] = _answer_tables(program)
        # What the application itself sends to a client has none.
        self._has_integration = np.array(
            [cell.route != CONNECTIONS for cell in program.names.cells], np.bool_
        )
        self._has_reply = np.array(
            [_has_reply(program, cell) for cell in program.names.cells], np.bool_
        )

    def dimensions(self) -> list[Dimensions]:
        """All that has metrics: APIs, their stages, and methods or routes, in that order."""
        found: dict[tuple[tuple[str, str], ...], list[int]] = {}
        for depth in range(3):
            for at, leaf in enumerate(self.leaves):
                names = _dimensions(leaf)
                if len(names) > depth:
                    key = tuple(pair for level in names[: depth + 1] for pair in level)
                    found.setdefault(key, []).append(at)
        return [
            Dimensions(
                key,
                self.leaves[members[0]].type,
                tuple(members),
                any(self.leaves[at].has_cache for at in members),
            )
            for key, members in found.items()
        ]

    def leaf_of(self, rows: NDArray[np.void]) -> NDArray[np.int64]:
        """Leaf of each row (``REQUEST_DTYPE``), -1 for what no metric counts."""
        is_counted = self._counts["Count"][rows["cell"], rows["answer"]]
        return np.where(is_counted, self._leaf_of_cell[rows["cell"]], -1)

    def points(self, leaf: int, rows: NDArray[np.void]) -> Iterator[tuple[str, Point]]:
        """Metrics of some rows of one leaf and minute, by name."""
        kind = self.leaves[leaf].type
        status = rows["status"]
        yield TOO_MANY, Point.of_flags(len(rows), int((status == 429).sum()))
        yield ALL_FAILED, Point.of_flags(len(rows), int((status >= 400).sum()))
        is_called = (rows["integration_ns"] >= 0) & self._has_integration[rows["cell"]]
        called = rows["integration_ns"][is_called]
        if len(called):
            yield "IntegrationLatency", Point.of(called)
        if kind == "websocket":
            yield from self._messages(rows)
            return
        yield "Count", Point.of_flags(len(rows), len(rows))
        for name, least in zip(_ERRORS[kind], (400, 500), strict=True):
            n_errors = int(((status >= least) & (status < least + 100)).sum())
            yield name, Point.of_flags(len(rows), n_errors)
        yield "Latency", Point.of(rows["gateway_ns"])
        if kind == "http":
            yield "DataProcessed", Point.of(rows["request_bytes"] + rows["response_bytes"])
        elif self.leaves[leaf].has_cache:
            for name, is_so in (("CacheHitCount", CACHE_HIT), ("CacheMissCount", CACHE_MISS)):
                yield name, Point.of_flags(len(rows), int((rows["cache"] == is_so).sum()))

    def _messages(self, rows: NDArray[np.void]) -> Iterator[tuple[str, Point]]:
        for name in WEBSOCKET_METRICS:
            n_counted = int(self._counts[name][rows["cell"], rows["answer"]].sum())
            if name == "MessageCount":
                # A route response that its client got is a message, too.
                is_reply = self._has_reply[rows["cell"]] & (rows["answer"] == Answer.SERVED)
                n_counted += int((is_reply & (rows["response_bytes"] > 0)).sum())
            if n_counted:
                yield name, Point.of_flags(n_counted, n_counted)


def _leaf(program: Program, cell: Cell) -> Leaf:
    scenario = program.scenario
    api = scenario.apis[cell.api]
    name = cell.api.removesuffix(f"/{api.stage.name}")
    is_detailed = api.stage.detailed_metrics and bool(cell.route)
    return Leaf(
        api=name,
        stage=api.stage.name,
        type=api.type,
        route=cell.route if is_detailed else "",
        method=cell.method if is_detailed and api.type == "rest" else "",
        has_cache=api.stage.has_cache,
    )


def _dimensions(leaf: Leaf) -> list[tuple[tuple[str, str], ...]]:
    """Dimensions of an API, and what a stage and a method or route have more."""
    is_rest = leaf.type == "rest"
    found: list[tuple[tuple[str, str], ...]] = [
        (("ApiName" if is_rest else "ApiId", leaf.api),),
        (("Stage", leaf.stage),),
    ]
    if leaf.route and is_rest:
        path = leaf.route.partition(" ")[2] or leaf.route
        found.append((("Method", leaf.method), ("Resource", path)))
    elif leaf.route:
        found.append((("Route", leaf.route),))
    return found


def _answer_tables(program: Program) -> dict[str, NDArray[np.bool_]]:
    """Whether a request of a cell with an answer is counted in a metric; ``Count``: in any."""
    cells, types = program.names.cells, program.tables.apis["type"]
    shape = (len(cells), len(Answer))
    found = {name: np.zeros(shape, np.bool_) for name in ("Count", *WEBSOCKET_METRICS)}
    at_api = {name: at for at, name in enumerate(program.names.apis)}
    for at, cell in enumerate(cells):
        kind = program.scenario.apis[cell.api].type
        for answer in Answer:
            if kind == "websocket":
                names = websocket_metrics(answer, errand_of(cell.route))
                # What no metric names has latency, and may be an error.
                found["Count"][at, answer] = answer not in _NEVER_ARRIVED
                for name in names:
                    found[name][at, answer] = True
            else:
                status = int(program.tables.status[types[at_api[cell.api]], answer])
                found["Count"][at, answer] = "Count" in answer_metrics(answer, kind, status)
    return found


def _has_reply(program: Program, cell: Cell) -> bool:
    route = program.scenario.apis[cell.api].every_route.get(cell.route)
    return route is not None and route.route_response
