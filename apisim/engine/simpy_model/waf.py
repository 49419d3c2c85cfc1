"""The web application firewall of a stage."""

from typing import TYPE_CHECKING

from apisim.engine.simpy_model.call import Call
from apisim.engine.simpy_model.environment import Process

if TYPE_CHECKING:
    from apisim.engine.simpy_model.gateway import Gateway

__all__ = ["pass_waf"]


def pass_waf(gateway: "Gateway", call: Call) -> Process:  # noqa: ARG001
    """Let a call pass, or refuse it."""
    yield from ()
