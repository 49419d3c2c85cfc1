"""A user gets its token before it calls."""

from typing import TYPE_CHECKING

from apisim.draws.purposes import Purpose
from apisim.engine.callers import token_shown
from apisim.engine.simpy_model.call import Call, Refused
from apisim.engine.simpy_model.environment import ARRIVAL, Process
from apisim.gateway.sign_in import ISSUED, REFUSED, get_token
from apisim.gateway.status import Answer

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway

__all__ = ["sign_in"]


def sign_in(gateway: "Gateway", call: Call) -> Process:
    """Let a caller have the token it needs; without one it does not call the API."""
    model = gateway.model
    state = model.state
    caller = model.tables.callers[model.sources[call.source].caller]
    pool = int(caller["sign_in"])
    got = get_token(
        state.sign_in_buckets[pool],
        state.sign_ins[pool],
        state.held,
        call.person,
        token_shown(caller, call.person, call.arrival_ns),
        model.now,
    )
    if got == REFUSED:
        raise Refused(Answer.SIGN_IN_THROTTLED, at_once=True)
    if got == ISSUED:
        takes_ns = model.draws.amount(call, model.rules.sign_in_time, Purpose.SIGN_IN)
        yield from model.wait(call, takes_ns, ARRIVAL)
    call.door_ns = model.now
