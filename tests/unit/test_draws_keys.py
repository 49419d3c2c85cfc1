"""Keys of streams: their digit form, what they depend on, and that they stay what they are."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apisim.draws.keys import find_equal, has_digit_form, stream_key
from apisim.draws.purposes import Purpose

SEEDS = st.integers(0, 2**64 - 1)
NAMES = st.text(max_size=20)


def digit_form_by_digits(key: int) -> bool:
    """The rules of Widynski's key utility, one digit at a time."""
    digits = [key >> 4 * place & 0xF for place in range(16)]
    lower, upper = digits[:8], digits[8:]
    return (
        0 not in digits
        and digits[0] % 2 == 1
        and len(set(lower)) == 8
        and len(set(upper)) == 8
        and digits[8] != digits[7]
    )


@given(SEEDS, SEEDS, st.sampled_from(Purpose), NAMES)
def test_every_key_has_the_digit_form(
    seed: int, replication: int, purpose: Purpose, entity: str
) -> None:
    key = stream_key(seed, replication, purpose, entity)
    assert isinstance(key, np.uint64)  # a Python integer above 2^63 cannot enter compiled code
    assert digit_form_by_digits(int(key))


@given(SEEDS)
@example(0)
@example(1)
@example(0x0123456789ABCDEF)
@example(0xA6C2DB48E7B3915D)
@example(0xA6C2DB48E7B39150)  # a zero
@example(0xA6C2DB48E7B3915E)  # even
@example(0xA6C2DB48E7B3911D)  # repeated below
@example(0xA6C2DA48E7B3915D)  # repeated above
@example(0xA6C2DB4EE7B3915D)  # the middle two alike
def test_the_digit_form_is_what_the_digits_say(key: int) -> None:
    assert has_digit_form(key) == digit_form_by_digits(key)


@pytest.mark.parametrize("key", [-1, 2**64 + 1, -0x5A6C2DB48E7B3915])
def test_what_is_no_64_bit_number_has_not_the_digit_form(key: int) -> None:
    assert not has_digit_form(key)


def test_each_part_of_the_name_changes_the_key() -> None:
    keys = [
        stream_key(seed, replication, purpose, entity)
        for seed, replication, purpose, entity in itertools.product(
            (0, 1, 2**64 - 1), (0, 1), (Purpose.KEY, Purpose.SERVICE), ("", "a", "b", "ab", "é")
        )
    ]
    assert find_equal(keys) is None


def test_parts_do_not_run_together() -> None:
    # Without lengths in front, "1" then "2x" and "12" then "x" would be one string of bytes.
    assert stream_key(1, 2, Purpose.KEY, "x") != stream_key(12, 0, Purpose.KEY, "x")
    assert stream_key(1, 0, Purpose.KEY, "\0a") != stream_key(1, 0, Purpose.KEY, "a")


def test_keys_stay_what_they_are() -> None:
    """A change here changes every result ever made: it is a new version, not a new number."""
    assert stream_key(42, 0, Purpose.ARRIVAL, "web") == 0xB8FC972EB6DA29EF
    assert stream_key(42, 1, Purpose.KEY, "web") == 0xDB52F47E5739ABED
    assert stream_key(2**64 - 1, 0, Purpose.DENY, "authorizers.tokens") == 0x7EF16543E812CF45


@pytest.mark.parametrize(
    ("seed", "replication", "name"),
    [(-1, 0, "seed"), (2**64, 0, "seed"), (0, -1, "replication"), (0, 2**64, "replication")],
)
def test_numbers_out_of_range_are_refused_by_name(seed: int, replication: int, name: str) -> None:
    with pytest.raises(ValueError, match=rf"the {name} must be in \[0, 2\^64\)"):
        stream_key(seed, replication, Purpose.KEY, "x")


def test_equal_keys_are_found_with_their_positions() -> None:
    assert find_equal([5, 7, 9, 7, 5]) == (1, 3)
    assert find_equal([]) is None


def test_purposes_keep_their_numbers() -> None:
    """Appending a purpose extends this list; nothing else may change it."""
    assert " ".join(purpose.name for purpose in Purpose) == (
        "ARRIVAL SOJOURN OFFSET ROUTE KEY THINK REQUEST_SIZE RESPONSE_SIZE RTT EDGE OVERHEAD "
        "HIT_TIME REFUSAL_TIME TRANSPORT SERVICE INIT ERROR AUTH_TRANSPORT AUTH_SERVICE AUTH_INIT "
        "AUTH_ERROR DENY CUSTOMER PERSON ADDRESS TOKEN LIMIT_PART REFRESH SCOPE CREDENTIAL "
        "CLOCK_SKEW CALLER_POLICY INVALID_TOKEN UNAUTHORIZED KEY_SET CREDENTIAL_CHECK SIGN_IN "
        "PLAN UPDATE INVALIDATE WAF_LATENCY WAF_BLOCK MUTUAL_TLS CERTIFICATE VALIDATION URL_SIZE "
        "HEADER_SIZE BACKOFF SETUP AUTH_SETUP MALFORMED AUTH_MALFORMED VERSION AUTH_VERSION "
        "CANARY ACCEPT_ENCODING TLS REUSE ORIGIN "
        "CALLED_SERVICE CALLED_ERROR AUTH_CALLED_SERVICE AUTH_CALLED_ERROR ITEM_SIZE SHARD "
        "CALLED_ITEM_SIZE CALLED_SHARD AUTH_CALLED_ITEM_SIZE AUTH_CALLED_SHARD ZONE TARGET LINK "
        "CROSS_ZONE REQUEST_MAPPING RESPONSE_MAPPING EVENT_SERVICE EVENT_INIT EVENT_SETUP "
        "EVENT_ERROR EVENT_VERSION EVENT_CALLED_SERVICE EVENT_CALLED_ERROR "
        "EVENT_CALLED_ITEM_SIZE EVENT_CALLED_SHARD SESSION_LENGTH AWAY MESSAGE_GAP FIRST_MESSAGE "
        "RECONNECT TOPIC BINARY PUSH_SHARE PUSH_ONE CALL_TIME DISCONNECT_LOST DROP TRACE"
    )
    assert [int(purpose) for purpose in Purpose] == list(range(len(Purpose)))
