"""Units of messages and connections, on each side of 32 KB."""

import numpy as np
import pytest

from apisim.gateway.metering import connect_units, message_units, metered_units, payload_units

_CHARGED, _FREE, _CONNECTED = range(3)
_RULES = np.array([1, 0, 0], np.uint8)
_KB = 1024


@pytest.mark.parametrize(
    ("size", "units"),
    [(0, 1), (1, 1), (32 * _KB, 1), (32 * _KB + 1, 2), (33 * _KB, 2), (64 * _KB, 2),
     (64 * _KB + 1, 3), (128 * _KB, 4), (128 * _KB + 1, 5)],
)  # fmt: skip
def test_a_message_is_metered_in_32_kb(size: int, units: int) -> None:
    assert payload_units(32_768, size) == units
    assert message_units(_RULES, _CHARGED, 32_768, size, 0, False) == units
    assert message_units(_RULES, _CHARGED, 32_768, 1, size, True) == 1 + units
    assert message_units(_RULES, _CHARGED, 32_768, size, size, True) == 2 * units


def test_a_reply_that_was_not_sent_costs_nothing() -> None:
    assert message_units(_RULES, _CHARGED, 32_768, 32_769, 100_000, False) == 2


def test_a_message_that_is_not_charged_has_no_units() -> None:
    assert message_units(_RULES, _FREE, 32_768, 131_072, 131_072, False) == 0


def test_without_an_increment_a_message_is_one() -> None:
    assert message_units(_RULES, _CHARGED, 0, 131_072, 131_072, True) == 2
    assert payload_units(0, 131_072) == 1


def test_connections_are_charged_only_where_the_book_says_so() -> None:
    assert connect_units(_RULES, _CHARGED, _CONNECTED) == 0
    paid = np.array([1, 0, 1], np.uint8)
    assert [connect_units(paid, answer, _CONNECTED) for answer in (_CHARGED, _FREE)] == [1, 0]
    assert connect_units(paid, _CONNECTED, _CONNECTED) == 1


@pytest.mark.parametrize(("basis", "units"), [(0, 1), (1, 2), (2, 2), (3, 3)])
def test_what_a_basis_measures(basis: int, units: int) -> None:
    assert metered_units(_RULES, _CHARGED, 100, basis, 100, 101) == units
    assert metered_units(_RULES, _CHARGED, 0, basis, 100, 101) == 1
    assert metered_units(_RULES, _FREE, 100, basis, 100, 101) == 0
