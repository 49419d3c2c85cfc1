"""What both engines know of messages: what a client is sent back, and what an upgrade came to."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import constant, kernel
from apisim.engine.tables import GATE_MESSAGE, GATE_POST
from apisim.gateway.metering import connect_units, message_units
from apisim.gateway.status import Answer

__all__ = ["NOTHING", "is_upgraded", "judge_message", "reply_bytes", "units_of"]

#: Instead of a size: nothing is sent.
NOTHING: Final = constant(-1)

_SERVED: Final = constant(Answer.SERVED)
_CONNECTED: Final = constant(Answer.CONNECTED)
_GONE: Final = constant(Answer.CONNECTION_GONE)
_TOO_LARGE: Final = constant(Answer.FRAME_TOO_LARGE)
_BINARY: Final = constant(Answer.BINARY_FRAME)
_SENT: Final = constant(Answer.SENT)


@kernel
def is_upgraded(status: int) -> bool:
    """Whether a connection comes about, by the status of what ``$connect`` answered."""
    return 200 <= status < 300


@kernel
def judge_message(
    is_open: bool, is_binary: bool, size: int, frame: int, max_message: int, max_frame: int
) -> int:
    """What becomes of a message at the gateway's door: an :class:`Answer`, ``SERVED`` if it passes.

    Parameters
    ----------
    is_open : bool
        Whether its connection still is.
    is_binary : bool
    size : int
        Of the message [bytes].
    frame : int
        Largest frame that its client sends [bytes].
    max_message, max_frame : int
        Limits [bytes].
    """
    if not is_open:
        return _GONE
    if is_binary:
        return _BINARY
    if size > max_message or min(size, frame) > max_frame:
        return _TOO_LARGE
    return _SERVED


@kernel
def reply_bytes(answer: int, replies: int, body: int, response_bytes: int, is_open: bool) -> int:
    """Size of what goes back to the client for a message [bytes], or ``NOTHING``.

    Parameters
    ----------
    answer : int
        How it ended.
    replies : int
        1 where its route has a route response.
    body : int
        Length of the frame with which the gateway itself answers [bytes]; 0: it makes none.
    response_bytes : int
        Of what the integration answered [bytes].
    is_open : bool
        Whether the connection still is.
    """
    if not is_open or answer in (_GONE, _TOO_LARGE, _BINARY):
        return NOTHING
    if body > 0:
        return body
    return response_bytes if replies == 1 else NOTHING


@kernel
def units_of(
    gates: int,
    charged: NDArray[np.uint8],
    answer: int,
    increment_bytes: int,
    request_bytes: int,
    reply: int,
    has_reply: bool,
) -> int:
    """Billed units of a call of a WebSocket API.

    What the gateway has not taken (a frame over which it closes, a push that was not sent) is no
    message, whatever its size.

    Parameters
    ----------
    gates : int
        GATE_... bits of its binding: what it is.
    charged : uint8[n_answers]
        Whether each answer is charged.
    answer : int
        How it ended.
    increment_bytes : int
        Size of one unit [bytes].
    request_bytes, reply : int
        Of the message, and of what went back for it [bytes].
    has_reply : bool
        Whether anything did.
    """
    if answer in (_TOO_LARGE, _BINARY) or (gates & GATE_POST and answer != _SENT):
        return 0
    if gates & (GATE_MESSAGE | GATE_POST):
        is_answered = has_reply and answer == _SERVED
        return message_units(charged, answer, increment_bytes, request_bytes, reply, is_answered)
    # An upgrade or ``$disconnect``: no message, but a book may charge it as one.
    return connect_units(charged, answer, _CONNECTED)
