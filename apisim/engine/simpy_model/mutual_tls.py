"""Client certificates: the handshake, before the API sees anything of a call."""

from typing import TYPE_CHECKING

from apisim.draws.purposes import Purpose
from apisim.engine.simpy_model.call import Call, Refused
from apisim.engine.simpy_model.connecting import has_bad_certificate
from apisim.engine.simpy_model.environment import ARRIVAL, Process
from apisim.gateway.status import Answer

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway

__all__ = ["pass_mutual_tls"]


def pass_mutual_tls(gateway: "Gateway", call: Call) -> Process:
    """Check a caller's certificate; with a bad one the handshake fails, and there is no call."""
    if not call.is_new:
        return  # seen when the connection was opened
    model = gateway.model
    time_ns = model.draws.amount(call, model.rules.mutual_tls_time, Purpose.MUTUAL_TLS)
    yield from model.wait(call, time_ns, ARRIVAL)
    if has_bad_certificate(model, call):
        raise Refused(Answer.MTLS_FAILED, at_once=True)
