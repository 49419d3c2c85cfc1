"""What is counted for the bill, request by request.

Which answers are charged comes from the price book's charge rules, the size of a unit from its
metering increment (512 KB on HTTP APIs, 32 KB on WebSocket APIs); neither is written here.
"""

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import inline

__all__ = [
    "BASES",
    "RESPONSE_PAYLOAD",
    "connect_units",
    "message_units",
    "metered_units",
    "payload_units",
]

#: What an HTTP API's metering increment measures; AWS documents uploads only (a named setting).
BASES = ("request_payload", "response_payload", "larger", "sum")
#: What is measured of an answer that a REST API streams (pricing page, 2026).
RESPONSE_PAYLOAD = BASES.index("response_payload")


@inline
def metered_units(
    charged: NDArray[np.uint8],
    answer: int,
    increment_bytes: int,
    basis: int,
    request_bytes: int,
    response_bytes: int,
) -> int:
    """Billed units of one request.

    Parameters
    ----------
    charged : uint8[n_answers]
        Whether each answer is charged.
    answer : int
        How the request ended.
    increment_bytes : int
        Size of one unit [bytes]; 0 where every charged request is one unit.
    basis : int
        Index into :data:`BASES`.
    request_bytes, response_bytes : int
        Payload sizes [bytes].
    """
    if charged[answer] == 0:
        return 0
    if basis == 0:
        size = request_bytes
    elif basis == 1:
        size = response_bytes
    elif basis == 2:
        size = max(request_bytes, response_bytes)
    else:
        size = request_bytes + response_bytes
    return payload_units(increment_bytes, size)


@inline
def payload_units(increment_bytes: int, size_bytes: int) -> int:
    """Billed units of one payload; an empty one is a unit.

    Also those of a message that was sent to a connection through ``@connections``: one that was
    not (429, 410) has none.

    Examples
    --------
    >>> payload_units(32_768, 32_768), payload_units(32_768, 32_769), payload_units(0, 131_072)
    (1, 2, 1)
    """
    if increment_bytes == 0:
        return 1
    return (max(size_bytes, 1) + increment_bytes - 1) // increment_bytes


@inline
def message_units(
    charged: NDArray[np.uint8],
    answer: int,
    increment_bytes: int,
    request_bytes: int,
    reply_bytes: int,
    replied: bool,
) -> int:
    """Billed units of a message from a client: it, and what the route sent back.

    Parameters
    ----------
    charged : uint8[n_answers]
        Whether each answer is charged.
    answer : int
        How the message ended. The frame that tells the client of an error is no message.
    increment_bytes : int
        Size of one unit [bytes]; 0 where every message is one.
    request_bytes, reply_bytes : int
        Sizes [bytes].
    replied : bool
        Whether a route response was sent.
    """
    units = payload_units(increment_bytes, request_bytes) if charged[answer] else 0
    if replied:
        units += payload_units(increment_bytes, reply_bytes)
    return units


@inline
def connect_units(charged: NDArray[np.uint8], answer: int, connected: int) -> int:
    """Billed units of what opens or closes a connection: none, unless the book charges that.

    Parameters
    ----------
    charged : uint8[n_answers]
        Whether each answer is charged.
    answer : int
        How the upgrade, or the call of ``$disconnect``, ended.
    connected : int
        The answer of an upgrade that went well: whether it is charged decides about all of them.
    """
    return 1 if charged[connected] and charged[answer] else 0
