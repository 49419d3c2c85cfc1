"""Request validation, between the gateway's overhead and the response cache."""

from typing import TYPE_CHECKING

from apisim.draws.purposes import Purpose
from apisim.engine.calls import validate_call
from apisim.engine.simpy_model.call import Call, Refused
from apisim.engine.simpy_model.environment import Process
from apisim.gateway.status import Answer
from apisim.gateway.validation import VALID

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway

__all__ = ["pass_validation"]


def pass_validation(gateway: "Gateway", call: Call) -> Process:
    """Let a call pass, or refuse it; that takes no time of its own."""
    yield from ()
    tables = gateway.tables
    row = tables.validations[tables.bindings[call.binding]["validation"]]
    key = tables.draw_keys[call.source, Purpose.VALIDATION]
    answer = validate_call(row, key, call.entity)
    if answer != VALID:
        raise Refused(Answer(answer))
