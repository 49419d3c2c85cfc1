"""Drives the golden model: steps, full rows, and looks at the clock."""

import time
from collections.abc import Mapping
from typing import Any

from apisim.engine.simpy_model.model import Model
from apisim.engine.stock import take_stock
from apisim.engine.world import Flush, Progress, World
from apisim.traffic.arrivals import NEVER

__all__ = ["run_golden"]

_STEPS_BETWEEN_LOOKS = 2000
_LOOK_EVERY_S = 0.2


def run_golden(
    world: World,
    *,
    flush: Flush | None = None,
    progress: Progress | None = None,
    services: Mapping[int, Any] | None = None,
) -> tuple[World, bool]:
    """Run one replication to its end; see :func:`apisim.engine.compiled.runner.run_compiled`."""
    model = Model(world, services)
    env, total, rows = model.env, world.recorder.total, world.recorder.rows
    room = len(rows) - 1
    completed = True
    looked = time.perf_counter()
    due_ns = int(world.recorder.mechanisms.head["due_ns"][0])

    def hand_over(watermark_ns: int) -> None:
        n_rows = int(total["rows"][0])
        total["rows"] = 0
        if flush is not None:
            flush(rows[:n_rows], watermark_ns)

    try:
        while env.peek() < NEVER:
            for _ in range(_STEPS_BETWEEN_LOOKS):
                at_ns = env.peek()
                if at_ns >= NEVER:
                    break
                if at_ns >= due_ns:
                    now_ns = int(at_ns)
                    due_ns = take_stock(world.recorder.mechanisms, model.state, model.store, now_ns)
                env.step()
                if flush is not None and total["rows"][0] >= room:
                    hand_over(model.watermark_ns())
            now = time.perf_counter()
            if progress is not None and now - looked > _LOOK_EVERY_S:
                looked = now
                progress(model.now, int(total["requests"][0]))
    except KeyboardInterrupt:
        completed = False
    hand_over(NEVER)
    return world._replace(store=model.store), completed
