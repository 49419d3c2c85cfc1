"""Memory grows when it must, and that is all that is seen of it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from apisim.engine import run as engine_run
from apisim.engine.run import Engine, run_replication
from tests.equivalence.engines import Run, differences, in_order, lowered, run
from tests.equivalence.scenarios import Case, scenarios

whole_scenarios = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
engines = st.sampled_from(["compiled", "compiled", "simpy"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of one example after the other are written."""
    return tmp_path_factory.mktemp("case")


@whole_scenarios
@given(case=scenarios(), engine=engines, room=st.sampled_from([2, 4, 8]))
def test_a_world_that_starts_tiny_grows_to_the_same_result(
    case: Case, engine: Engine, room: int, folder: Path
) -> None:
    program = lowered(case.load(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_run, "_ROOM", room)
        patch.setattr(engine_run, "_BUFFER_ROWS", 8)
        tiny = run(program, engine)
    assert differences(tiny, run(program, engine)) == []


@whole_scenarios
@given(case=scenarios(), engine=engines)
def test_no_row_comes_after_its_watermark(case: Case, engine: Engine, folder: Path) -> None:
    program = lowered(case.load(folder))
    batches: list[NDArray[np.void]] = []
    watermarks: list[int] = []

    def flush(rows: NDArray[np.void], watermark_ns: int) -> None:
        batches.append(rows.copy())
        watermarks.append(watermark_ns)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_run, "_BUFFER_ROWS", 8)
        result = run_replication(program, 0, engine=engine, flush=flush)
    assert watermarks == sorted(watermarks)
    for batch, before in zip(batches[1:], watermarks, strict=False):
        assert (batch["arrival_ns"] >= before).all()
    rows = in_order(np.concatenate(batches))
    whole = run(program, engine)
    assert differences(Run(result, rows, whole.alarms), whole) == []


@whole_scenarios
@given(case=scenarios(), engine=engines)
def test_full_rows_change_nothing_else(case: Case, engine: Engine, folder: Path) -> None:
    program = lowered(case.load(folder))
    kept = run(program, engine)
    bare = run_replication(program, 0, engine=engine)
    assert differences(Run(bare, kept.rows, kept.alarms), kept) == []
