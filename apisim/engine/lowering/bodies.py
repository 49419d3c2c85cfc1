"""What bodies meet at an integration: how large they may be, and what its templates make of them.

A limit that no body of a route reaches is not there at all, so that nobody asks for it.
"""

import numpy as np
from numpy.typing import NDArray

from apisim.backends.events import EVENT_BYTES
from apisim.backends.lambda_ import ANSWER_BYTES, REQUEST_BYTES
from apisim.engine.backend_tables import BACKEND_FUNCTION, BACKEND_MOCK
from apisim.engine.lowering.context import Context
from apisim.engine.lowering.validations import can_exceed
from apisim.engine.tables import NONE
from apisim.gateway.limits import BODY_BYTES, UNLIMITED
from apisim.gateway.mapping import UNCHANGED_PPM
from apisim.scenario.api import Route

__all__ = ["limit_logged", "lower_bodies", "no_limits"]


def no_limits(row: np.void) -> None:
    """Bodies that nobody limits or maps."""
    row["max_request"] = row["max_answer"] = UNLIMITED
    row["request_time"] = row["response_time"] = NONE
    row["request_ppm"] = row["response_ppm"] = UNCHANGED_PPM


def lower_bodies(context: Context, row: np.void, route: Route) -> None:
    """Limits and templates of a route whose backend stands in its row."""
    no_limits(row)
    mapping = route.integration.transformation
    if mapping is not None:
        if mapping.request_time is not None:
            row["request_time"] = context.dists.add(mapping.request_time)
        if mapping.response_time is not None:
            row["response_time"] = context.dists.add(mapping.response_time)
        row["request_ppm"] = round(mapping.request_ratio * UNCHANGED_PPM)
        row["response_ppm"] = round(mapping.response_ratio * UNCHANGED_PPM)
    if row["backend"] == BACKEND_FUNCTION:
        limit = EVENT_BYTES if route.integration.invocation == "event" else REQUEST_BYTES
        if can_exceed(route.request_size, limit * UNCHANGED_PPM / row["request_ppm"]):
            row["max_request"] = limit
    row["streams"] = int(route.integration.is_streamed)
    row["event"] = int(route.integration.invocation == "event")
    if (
        not row["event"]
        and not row["streams"]
        and can_exceed(route.response_size, _max_answer(row))
    ):
        row["max_answer"] = _max_answer(row)


def limit_logged(routes: NDArray[np.void], trace_bytes: NDArray[np.int64]) -> None:
    """Answers as large as logs say are limited too."""
    largest = trace_bytes.max(initial=0)
    for row in routes:
        if row["backend"] == BACKEND_MOCK or row["event"] or row["streams"]:
            continue
        if largest > _max_answer(row):
            row["max_answer"] = _max_answer(row)


def _max_answer(row: np.void) -> int:
    """What the gateway takes from a route's backend [bytes]."""
    return ANSWER_BYTES if row["backend"] == BACKEND_FUNCTION else BODY_BYTES
