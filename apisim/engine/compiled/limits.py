"""Sizes and URL: what is too large is answered before anything else looks at it."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.draws.purposes import Purpose
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.compiled.stages import STAGE_PASSED, STAGE_REFUSE
from apisim.engine.world import World
from apisim.gateway.limits import WITHIN, limits_answer

__all__ = ["pass_limits"]

_URL_SIZE: Final = constant(Purpose.URL_SIZE)
_HEADER_SIZE: Final = constant(Purpose.HEADER_SIZE)
_REQUEST_SIZE: Final = constant(Purpose.REQUEST_SIZE)
_NOTHING: Final = constant(0)


@gate
def pass_limits(world: World, at: int, now_ns: int) -> int:  # noqa: ARG001
    """Let the request in slot ``at`` pass, or refuse it; ``STAGE_PASSED`` or the next stage."""
    tables = world.tables
    slot = world.calendar.slots[at]
    source, api = tables.sources[slot["source"]], tables.apis[slot["api"]]
    url = headers = body = _NOTHING
    if source["url_size"] >= 0:
        url = draw_int(world, slot, source["url_size"], _URL_SIZE)
    if source["header_size"] >= 0:
        headers = draw_int(world, slot, source["header_size"], _HEADER_SIZE)
    if slot["route"] >= 0:
        # The size that is written down at the end: the same draw.
        body = draw_int(world, slot, tables.routes[slot["route"]]["request_size"], _REQUEST_SIZE)
    answer = limits_answer(
        url,
        headers,
        body,
        api["max_url"],
        api["max_headers"],
        api["max_head"],
        api["max_body"],
    )
    if answer == WITHIN:
        return STAGE_PASSED
    slot["answer"] = answer
    return STAGE_REFUSE
