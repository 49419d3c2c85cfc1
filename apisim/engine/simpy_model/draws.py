"""The draws of the golden model, by name."""

from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.draws.sampling import sample_int
from apisim.engine.calls import DRAWS_PER_ATTEMPT
from apisim.engine.simpy_model.call import Call
from apisim.engine.tables import Tables

__all__ = ["Draws"]


class Draws:
    """Times, sizes and shares of a call, each from its own stream."""

    def __init__(self, tables: Tables) -> None:
        self._dists = tables.dists
        self._values = tables.dist_values
        self._keys = tables.draw_keys

    def amount(self, call: Call, dist: int, purpose: Purpose) -> int:
        """A time [ns] or size [bytes] of this attempt."""
        key = self._keys[call.source, purpose]
        draw = call.attempt * DRAWS_PER_ATTEMPT
        return int(sample_int(self._dists, self._values, dist, key, call.entity, draw))

    def happens(self, call: Call, share: float, purpose: Purpose) -> bool:
        """Whether something that befalls a share of attempts befalls this one."""
        if share <= 0.0:
            return False
        key = self._keys[call.source, purpose]
        return bool(uniform(key, call.entity, call.attempt * DRAWS_PER_ATTEMPT) < share)
