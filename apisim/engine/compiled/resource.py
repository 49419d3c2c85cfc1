"""The resource policy of an API before authentication: explicit denies, private APIs."""

from apisim.arrays.jit import gate
from apisim.engine.compiled.stages import STAGE_PASSED
from apisim.engine.world import World

__all__ = ["pass_resource"]


@gate
def pass_resource(world: World, at: int, now_ns: int) -> int:  # noqa: ARG001
    """Let the request in slot ``at`` pass, or refuse it; ``STAGE_PASSED`` or the next stage."""
    return STAGE_PASSED
