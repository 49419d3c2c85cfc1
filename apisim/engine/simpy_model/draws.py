"""The draws of the golden model, by name."""

from apisim.draws.generator import uniform
from apisim.draws.purposes import Purpose
from apisim.draws.sampling import sample_int
from apisim.engine.calls import DRAWS_PER_ATTEMPT, index_behind
from apisim.engine.simpy_model.call import Call
from apisim.engine.tables import Tables

__all__ = ["Draws"]


def _draw_of(call: Call) -> int:
    """Draw of an attempt; an event has one for each time it runs."""
    return call.attempt * DRAWS_PER_ATTEMPT + call.runs


class Draws:
    """Times, sizes and shares of a call, each from its own stream."""

    def __init__(self, tables: Tables) -> None:
        self._dists = tables.dists
        self._values = tables.dist_values
        self._keys = tables.draw_keys

    def amount(self, call: Call, dist: int, purpose: Purpose) -> int:
        """A time [ns] or size [bytes] of this attempt."""
        key = self._keys[call.source, purpose]
        draw = _draw_of(call)
        return int(sample_int(self._dists, self._values, dist, key, call.entity, draw))

    def share(self, call: Call, purpose: Purpose) -> float:
        """A uniform draw of this attempt."""
        key = self._keys[call.source, purpose]
        return float(uniform(key, call.entity, _draw_of(call)))

    def share_behind(self, call: Call, number: int, purpose: Purpose) -> float:
        """A uniform draw of the ``number``-th call that a function makes for this attempt."""
        key, index = self._keys[call.source, purpose], index_behind(call.entity, number)
        return float(uniform(key, index, _draw_of(call)))

    def amount_behind(self, call: Call, number: int, dist: int, purpose: Purpose) -> int:
        """A time of the ``number``-th call that a function makes for this attempt."""
        key, index = self._keys[call.source, purpose], index_behind(call.entity, number)
        draw = _draw_of(call)
        return int(sample_int(self._dists, self._values, dist, key, index, draw))

    def happens_behind(self, call: Call, number: int, share: float, purpose: Purpose) -> bool:
        """Whether what befalls a share of the calls of functions befalls this one."""
        return share > 0.0 and self.share_behind(call, number, purpose) < share

    def happens(self, call: Call, share: float, purpose: Purpose) -> bool:
        """Whether something that befalls a share of attempts befalls this one."""
        if share <= 0.0:
            return False
        key = self._keys[call.source, purpose]
        return bool(uniform(key, call.entity, _draw_of(call)) < share)
