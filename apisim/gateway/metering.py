"""What is counted for the bill, request by request.

Which answers are charged comes from the price book's charge rules, the size of a unit from its
metering increment (512 KB on HTTP APIs); neither is written here.
"""

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import inline

__all__ = ["BASES", "metered_units"]

#: What an HTTP API's metering increment measures; AWS documents uploads only (a named setting).
BASES = ("request_payload", "response_payload", "larger", "sum")


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
    if increment_bytes == 0:
        return 1
    if basis == 0:
        size = request_bytes
    elif basis == 1:
        size = response_bytes
    elif basis == 2:
        size = max(request_bytes, response_bytes)
    else:
        size = request_bytes + response_bytes
    return (max(size, 1) + increment_bytes - 1) // increment_bytes
