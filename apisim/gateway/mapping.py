"""What the mapping templates of a custom integration make of a body.

A template runs inside the gateway: before the integration is called and after it has answered, so
its time is part of ``Latency`` and not of ``IntegrationLatency``, which is "the time between when
API Gateway relays a request to the backend and when it receives a response from the backend"
(developer guide, "Amazon API Gateway dimensions and metrics"). The integration's time-out limits
that same time. What a template says is not simulated, only how long it takes and how large the body
is that comes of it. Answers that the gateway makes itself have no template here.
"""

from typing import Final

from apisim.arrays.jit import constant, inline
from apisim.gateway.limits import BODY_BYTES

__all__ = ["TOO_LARGE", "UNCHANGED_PPM", "mapped_bytes", "passed_on_bytes"]

#: An answer that is not passed on.
TOO_LARGE: Final = constant(-1)

#: A body that is passed on as it is [1e-6].
UNCHANGED_PPM: Final = 1_000_000


@inline
def mapped_bytes(size: int, ratio_ppm: int) -> int:
    """Size of a body after its mapping [bytes], rounded up to whole bytes.

    Parameters
    ----------
    size : int
        Before [bytes].
    ratio_ppm : int
        What the mapping makes of it [1e-6].
    """
    return (size * ratio_ppm + UNCHANGED_PPM - 1) // UNCHANGED_PPM


@inline
def passed_on_bytes(size: int, max_answer: int, ratio_ppm: int) -> int:
    """Size of an integration's answer as callers get it [bytes], or ``TOO_LARGE``.

    Parameters
    ----------
    size : int
        As the backend made it [bytes].
    max_answer : int
        The largest that is taken from the backend [bytes].
    ratio_ppm : int
        What its mapping makes of it [1e-6].
    """
    if size > max_answer:
        return TOO_LARGE
    mapped = mapped_bytes(size, ratio_ppm)
    return TOO_LARGE if mapped > BODY_BYTES else mapped
