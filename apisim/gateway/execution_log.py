"""Execution logs: how much API Gateway itself writes about a request.

AWS documents the group and that an event ends at 1,024 bytes (developer guide, "Set up CloudWatch
logging", "Known issues"), not what a request's events say. So a request writes as much as
``settings.execution_log_size`` says; with data traces also the bodies of the method's request and
response and, where the integration was called, of its own, each at most 1,024 bytes of it.
"""

from typing import Final

import numpy as np

from apisim.arrays.jit import kernel

__all__ = ["EVENT_BYTES", "execution_bytes"]

#: Where an event of an execution log ends [bytes].
EVENT_BYTES: Final = 1024


@kernel
def execution_bytes(line: np.void, size: int, row: np.void) -> int:
    """Bytes that a request writes to its stage's execution log.

    Parameters
    ----------
    line : LINE_DTYPE record
        Of the request's cell, see :mod:`apisim.gateway.access_log`.
    size : int
        Bytes without bodies, of the request's answer; 0: nothing is written.
    row : record with the sizes and times of REQUEST_DTYPE
    """
    if size == 0:
        return 0
    if line["bodies"] == 1:
        each = min(row["request_bytes"], EVENT_BYTES) + min(row["response_bytes"], EVENT_BYTES)
        size += 2 * each if row["integration_ns"] >= 0 else each
    return size * line["lines"]  # type: ignore[no-any-return]
