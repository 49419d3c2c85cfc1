"""Popularity of keys: alias tables, what is refused, and how rows are shared."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisim.draws.discrete import (
    ALIAS_LIMIT,
    KeyTable,
    UniformKeys,
    WeightedKeys,
    ZipfKeys,
    alias_cells,
    sample_key,
)
from apisim.draws.generator import DRAW_LIMIT, uniform
from apisim.draws.keys import stream_key
from apisim.draws.purposes import Purpose
from apisim.draws.zipf import ZIPF_DRAWS

KEY = stream_key(1, 0, Purpose.KEY, "discrete")


def probabilities(cells: npt.NDArray[np.void]) -> npt.NDArray[np.float64]:
    """What an alias table gives each key, read off its cells."""
    own = cells["threshold"].copy()
    np.add.at(own, cells["alias"], 1.0 - cells["threshold"])
    return own / cells.size


WEIGHTS = st.lists(st.one_of(st.just(0.0), st.floats(1e-9, 1e9)), min_size=1, max_size=50).filter(
    lambda weights: sum(weights) > 0
)


@given(WEIGHTS)
def test_an_alias_table_holds_exactly_the_given_shares(weights: list[float]) -> None:
    cells = alias_cells(np.array(weights))
    shares = np.array(weights) / math.fsum(weights)
    got = probabilities(cells)
    np.testing.assert_allclose(got, shares, atol=1e-14)
    assert (got[np.array(weights) == 0.0] == 0.0).all()
    assert ((cells["threshold"] >= 0) & (cells["threshold"] <= 1)).all()


@pytest.mark.parametrize("s", [0.0, 0.5, 1.0, 1.7])
@pytest.mark.parametrize("n", [1, 2, 1000, ALIAS_LIMIT])
def test_the_table_of_a_zipf_law_holds_its_probabilities(s: float, n: int) -> None:
    table = KeyTable()
    table.add(ZipfKeys(s, n))
    rows, cells = table.freeze()
    if s == 0.0:
        assert cells.size == 0  # no table is needed
    else:
        weights = np.arange(1, n + 1) ** -s
        np.testing.assert_allclose(probabilities(cells), weights / weights.sum(), rtol=1e-9)
    assert rows[0]["n"] == n


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e299])
def test_the_scale_of_weights_does_not_matter(scale: float) -> None:
    got = probabilities(alias_cells(np.array([1.0, 2.0, 5.0]) * scale))
    np.testing.assert_allclose(got, [0.125, 0.25, 0.625], rtol=1e-14)


def test_a_draw_takes_the_key_or_its_alias() -> None:
    table = KeyTable()
    table.add(UniformKeys(3))
    row = table.add(WeightedKeys((1, 2, 3, 4, 0)))
    rows, cells = table.freeze()
    for index in range(500):
        place = uniform(KEY, index, 2) * 5
        cell = cells[int(place)]
        expected = int(place) if place % 1 < cell["threshold"] else cell["alias"]
        assert sample_key(rows, cells, row, KEY, index, 2) == expected
        assert sample_key(rows, cells, 0, KEY, index, 2) == int(uniform(KEY, index, 2) * 3)


def test_tables_of_several_laws_do_not_mix() -> None:
    laws = [WeightedKeys((1, 0, 0)), ZipfKeys(50.0, 9), WeightedKeys((0, 0, 0, 1)), UniformKeys(1)]
    table = KeyTable()
    numbers = [table.add(law) for law in laws]
    rows, cells = table.freeze()
    for number, only in zip(numbers, (0, 0, 3, 0), strict=True):
        drawn = {sample_key(rows, cells, number, KEY, index, 0) for index in range(200)}
        assert drawn == {only}


def test_equal_laws_share_a_row() -> None:
    table = KeyTable()
    laws = [ZipfKeys(1, 10), UniformKeys(10), ZipfKeys(1.0, 10), WeightedKeys([1]), UniformKeys(10)]
    assert [table.add(law) for law in laws] == [0, 1, 0, 2, 1]
    assert table.freeze()[0].size == 3


def test_a_thousand_million_keys_need_no_memory() -> None:
    table = KeyTable()
    row = table.add(ZipfKeys(1.1, 10**9))
    rows, cells = table.freeze()
    assert cells.size == 0
    drawn = [sample_key(rows, cells, row, KEY, index, 0) for index in range(2000)]
    assert min(drawn) == 0
    assert 10**6 < max(drawn) < 10**9


def test_a_large_zipf_law_may_be_drawn_where_its_draws_have_room() -> None:
    table = KeyTable()
    row = table.add(ZipfKeys(1.1, 10**6))
    rows, cells = table.freeze()
    assert 0 <= sample_key(rows, cells, row, KEY, 0, DRAW_LIMIT - ZIPF_DRAWS) < 10**6


@pytest.mark.parametrize("s", [0.0, 1e-9, 0.7, 1.0, 1 + 1e-12, 2.0, 40.0, 100.0])
@pytest.mark.parametrize("n", [ALIAS_LIMIT + 1, 10**9])
def test_ranks_stay_in_range(s: float, n: int) -> None:
    table = KeyTable()
    row = table.add(ZipfKeys(s, n))
    rows, cells = table.freeze()
    ranks = [sample_key(rows, cells, row, KEY, index, 0) for index in range(2000)]
    assert min(ranks) >= 0
    assert max(ranks) < n


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UniformKeys(0), r"number of keys must be in \[1, 10\^9\], got 0"),
        (lambda: UniformKeys(10**9 + 1), "number of keys"),
        (lambda: ZipfKeys(1.0, 0), "number of keys"),
        (lambda: ZipfKeys(-0.1, 5), r"exponent must be in \[0, 100\], got -0.1"),
        (lambda: ZipfKeys(math.nan, 5), "exponent"),
        (lambda: WeightedKeys(()), "at least one weight must be > 0"),
        (lambda: WeightedKeys((0.0, 0.0)), "at least one weight must be > 0"),
        (lambda: WeightedKeys((1.0, -1.0)), r"weights must be in \[0, 1e300\], got -1.0"),
        (lambda: WeightedKeys((1.0, math.nan)), r"weights must be in \[0, 1e300\], got nan"),
    ],
)
def test_impossible_laws_are_refused_with_a_sentence(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]
