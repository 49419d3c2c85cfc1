"""Request validation, between the gateway's overhead and the response cache."""

from typing import TYPE_CHECKING

from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import Process

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway

__all__ = ["pass_validation"]


def pass_validation(gateway: "Gateway", call: Call) -> Process:  # noqa: ARG001
    """Let a call pass, or refuse it."""
    yield from ()
