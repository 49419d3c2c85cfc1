"""Client certificates: the handshake, before the API sees anything of a call."""

from typing import Final

from apisim.arrays.jit import constant, gate
from apisim.draws.purposes import Purpose
from apisim.engine.callers import certificate_draw
from apisim.engine.compiled.calendar import RANK_ARRIVAL, schedule_slot
from apisim.engine.compiled.sampling import draw_int
from apisim.engine.compiled.stages import (
    STAGE_CERTIFICATE,
    STAGE_DONE,
    STAGE_LIMITS,
    STAGE_WAIT,
)
from apisim.engine.world import World
from apisim.gateway.status import Answer

__all__ = ["check_certificate", "shake_hands"]

_TIME: Final = constant(Purpose.MUTUAL_TLS)
_CERTIFICATE: Final = constant(Purpose.CERTIFICATE)
_FAILED: Final = constant(Answer.MTLS_FAILED)


@gate
def shake_hands(world: World, at: int, now_ns: int) -> int:
    """The gateway asks for a certificate; the next stage."""
    slot = world.calendar.slots[at]
    if world.calendar.patience[at]["is_new"] == 0:
        return STAGE_LIMITS  # seen when the connection was opened
    time_ns = draw_int(world, slot, world.tables.rules[0]["mutual_tls_time"], _TIME)
    if time_ns == 0:
        return STAGE_CERTIFICATE
    schedule_slot(world.calendar, now_ns + time_ns, RANK_ARRIVAL, STAGE_CERTIFICATE, at)
    return STAGE_WAIT


@gate
def check_certificate(world: World, at: int) -> int:
    """Whether the caller's certificate is good; the next stage."""
    tables = world.tables
    slot = world.calendar.slots[at]
    drawn = certificate_draw(
        tables.callers,
        tables.sources[slot["source"]]["caller"],
        slot["person"],
        tables.draw_keys[slot["source"], _CERTIFICATE],
        slot["entity"],
    )
    if drawn >= tables.apis[slot["api"]]["invalid_certificates"]:
        return STAGE_LIMITS
    slot["answer"] = _FAILED
    return STAGE_DONE
