"""Payload compression of REST stages: which answers are sent smaller than they are.

An answer is compressed if the stage has a threshold and the answer reaches it, the caller says
which encodings it takes, and the backend did not compress it already (developer guide, "Payload
compression for REST APIs"). What is sent is what is billed as transfer. It comes after the response
cache, whose entries are as large as the backend made them. Not modelled: the time it takes (AWS
gives no figure), requests that are sent compressed, and answers of the gateway itself, which are a
few dozen bytes.
"""

from typing import Final

from apisim.arrays.jit import inline

__all__ = ["LEFT_ALONE", "compressed_bytes"]

#: Instead of a ratio: the backend's answers are encoded already.
LEFT_ALONE: Final = -1
_WHOLE_PPM: Final = 1_000_000


@inline
def compressed_bytes(size: int, threshold: int, ratio_ppm: int) -> int:
    """Size of an answer as it is sent to a caller that takes compressed ones [bytes].

    Parameters
    ----------
    size : int
        As the integration made it [bytes].
    threshold : int
        ``minimum_compression_size`` [bytes].
    ratio_ppm : int
        Compressed part of a size [1e-6], rounded up to whole bytes; ``LEFT_ALONE`` for none.
    """
    if ratio_ppm < 0 or size < threshold:
        return size
    return (size * ratio_ppm + _WHOLE_PPM - 1) // _WHOLE_PPM
