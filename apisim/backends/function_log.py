"""What Lambda writes to a function's log: lines around each invocation, beside the code's own.

Shapes as they are published everywhere (Lambda developer guide, "Viewing CloudWatch logs for Lambda
functions"; each with its line feed): START and END, REPORT with times and memory, and at a cold
start INIT_START and the REPORT's Init Duration. Their lengths depend on the digits of the times;
what the simulation has no value of is as long as it usually is. The lines of errors and time-outs
are not counted: their texts are the runtime's and the code's.
"""

from typing import Final

from apisim.arrays.digits import digits
from apisim.arrays.jit import kernel
from apisim.backends.lambda_ import billed_ms

__all__ = ["cold_bytes", "invocation_log_bytes", "warm_bytes"]

_ID: Final = "0" * 36
#: Name of a managed runtime's version, and the hash in its ARN.
_RUNTIME: Final = "python:3.13.v64"
_HASH: Final = "0" * 64
#: What a REPORT says of times and memory that are not simulated.
_MEMORY_USED: Final = "67"
_INIT_TIME: Final = "250.00"
_NS_PER_MS: Final = 1_000_000


def warm_bytes(memory_mb: int, version: str = "$LATEST") -> int:
    """Bytes around an invocation but for the digits of whole milliseconds.

    Examples
    --------
    >>> warm_bytes(128)
    260
    """
    lines = (
        f"START RequestId: {_ID} Version: {version}\n",
        f"END RequestId: {_ID}\n",
        f"REPORT RequestId: {_ID}\tDuration: .00 ms\tBilled Duration:  ms\t"
        f"Memory Size: {memory_mb} MB\tMax Memory Used: {_MEMORY_USED} MB\t\n",
    )
    return sum(map(len, lines))


def cold_bytes(region: str) -> int:
    """Bytes that a cold start adds."""
    arn = f"arn:aws:lambda:{region}::runtime:{_HASH}"
    init = f"INIT_START Runtime Version: {_RUNTIME}\tRuntime Version ARN: {arn}\n"
    return len(init) + len(f"Init Duration: {_INIT_TIME} ms\t")


@kernel
def invocation_log_bytes(warm: int, cold: int, busy_ns: int, is_cold: bool) -> int:
    """Bytes that one invocation adds to its function's log.

    Parameters
    ----------
    warm : int
        :func:`warm_bytes` and what the code writes.
    cold : int
        :func:`cold_bytes`.
    busy_ns : int64
        Billed time before it is rounded [ns]; at a cold start that of INIT is in it, and in the
        digits of Duration.
    is_cold : bool

    Examples
    --------
    >>> invocation_log_bytes(250, 200, 1_410_000, False)  # 1.41 ms, billed 2 ms
    252
    """
    size = warm + digits(busy_ns // _NS_PER_MS) + digits(billed_ms(busy_ns))
    return size + cold if is_cold else size
