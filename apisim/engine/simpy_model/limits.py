"""Sizes and URL: what is too large is answered before anything else looks at it."""

from typing import TYPE_CHECKING

from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import Process

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway

__all__ = ["pass_limits"]


def pass_limits(gateway: "Gateway", call: Call) -> Process:  # noqa: ARG001
    """Let a call pass, or refuse it."""
    yield from ()
