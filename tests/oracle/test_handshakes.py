"""How many calls have to open a connection: the law of the gaps between Poisson calls."""

import math
from typing import Any

import numpy as np
import pytest

from tests.support.experiments import Data, mock_api, one_source, prepare, run, scenario
from tests.support.verdicts import assert_matches, assert_sees

pytestmark = pytest.mark.oracle

R = 20


def shares(network: Data, **more: Any) -> np.ndarray:
    """Share of the calls that open a connection, by replication."""
    traffic = one_source("10/s", "2000s", network=network, **more)
    populations = {"people": {"count": 5}} if "of" in more else {}
    program = prepare(scenario(apis=mock_api(), traffic=traffic, populations=populations))
    runs = [run(program, number) for number in range(R)]
    cells = [done.recorder.cells for done in runs]
    return np.array([cell["new_connections"].sum() / cell["requests"].sum() for cell in cells])


@pytest.mark.parametrize("keep_alive_s", [0.1, 0.5, 1.0])
def test_poisson_calls_find_the_connection_open_with_1_less_exp_of_the_mean_number(
    keep_alive_s: float,
) -> None:
    """Five people call 2/s each: a gap exceeds T with exp(-2 T). 5 % more or less is seen."""
    found = shares({"keep_alive": f"{keep_alive_s}s"}, of="people")
    assert_matches(found, math.exp(-2 * keep_alive_s))
    assert_sees(found, math.exp(-2.1 * keep_alive_s), math.exp(-1.9 * keep_alive_s))


def test_a_share_is_drawn_call_by_call() -> None:
    """1 % of the calls more or less is seen."""
    found = shares({"reuse": "90%"})
    assert_matches(found, 0.1)
    assert_sees(found, 0.11, 0.09)
