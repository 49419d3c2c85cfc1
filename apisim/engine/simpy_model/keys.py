"""The API key of a call."""

from typing import TYPE_CHECKING

from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import Process

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway

__all__ = ["pass_key"]


def pass_key(gateway: "Gateway", call: Call) -> Process:  # noqa: ARG001
    """Let a call pass, or refuse it."""
    yield from ()
