"""Answers that a REST API streams to its callers: how long they take, however large they are.

The first 10 MB are sent as fast as they come, what follows at 2 MB/s (developer guide, "Stream the
integration response for your proxy integrations in API Gateway"). An answer is simulated whole, so
callers wait for its last byte; the gateway takes no first byte earlier than the backend has made
all. Not modelled: the time-outs of idle streams (5 minutes, 30 s of edge-optimized APIs), and a
stream that is cut off at its end.
"""

from typing import Final

from apisim.arrays.jit import inline

__all__ = ["FREELY_SENT_BYTES", "STREAM_BYTES_PER_S", "streamed_ns"]

#: Sent without a limit of its own [bytes].
FREELY_SENT_BYTES: Final = 10 * 1024 * 1024
#: Of what follows [bytes/s].
STREAM_BYTES_PER_S: Final = 2 * 1024 * 1024
_NS_PER_S: Final = 1_000_000_000


@inline
def streamed_ns(size: int) -> int:
    """Time that the end of a streamed answer takes [ns], rounded up.

    Parameters
    ----------
    size : int
        Of the whole answer [bytes].

    Examples
    --------
    >>> streamed_ns(10 * 1024**2), streamed_ns(13 * 1024**2)
    (0, 1500000000)
    """
    if size <= FREELY_SENT_BYTES:
        return 0
    return -(-(size - FREELY_SENT_BYTES) * _NS_PER_S // STREAM_BYTES_PER_S)
