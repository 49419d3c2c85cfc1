"""What the bill needs of each request: by cell, by warm-up or not, and by what became of it.

The same is kept of each customer, by API and by warm-up or not, whatever became of the requests.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import constant, gate, part
from apisim.engine.flags import FLAG_TRACED
from apisim.gateway.access_log import line_bytes
from apisim.gateway.execution_log import execution_bytes
from apisim.gateway.status import Answer

__all__ = ["USAGE_DTYPE", "add_logs", "add_usage"]

#: Sums of requests: of one cell and answer, or of one customer and API; sizes in bytes.
USAGE_DTYPE: Final = np.dtype(
    [
        ("requests", "i8"),
        ("units", "i8"),  # billed
        ("bytes_in", "i8"),
        ("bytes_out", "i8"),
        ("authorizer_calls", "i8"),  # requests for which an authorizer's function was called
        ("integrations", "i8"),  # requests for which an integration was called
        ("log_bytes", "i8"),  # of the access log
        ("execution_bytes", "i8"),  # of the execution log
        ("traces", "i8"),  # that X-Ray records
    ],
    align=True,
)
_SENT: Final = constant(Answer.SENT)


@part
def add_usage(usage: np.void, row: np.void, rare: int | None) -> None:
    """Count one request for the bill.

    Parameters
    ----------
    usage : USAGE_DTYPE record
        Updated in place.
    row : record with at least the fields of REQUEST_DTYPE
    rare : int or None
        None where nothing is pushed to connections or traced.
    """
    usage["requests"] += 1
    usage["units"] += row["units"]
    usage["bytes_in"] += row["request_bytes"]
    usage["bytes_out"] += row["response_bytes"]
    if row["authorizer_ns"] >= 0:
        usage["authorizer_calls"] += 1
    if row["integration_ns"] >= 0:
        usage["integrations"] += 1
    if rare is not None and row["flags"] & FLAG_TRACED:
        usage["traces"] += 1
    if rare is not None and row["answer"] == _SENT:
        # A push goes out to its client, though it is the call's request.
        usage["bytes_out"] += row["request_bytes"]


@gate
def add_logs(
    usage: np.void,
    row: np.void,
    line: np.void,
    texts: NDArray[np.int64],
    executions: NDArray[np.int64],
) -> None:
    """Count what one request writes to its stage's logs.

    Parameters
    ----------
    usage : USAGE_DTYPE record
        Updated in place.
    row : record with at least the fields of REQUEST_DTYPE
    line : LINE_DTYPE record
        Of the request's cell, as are the others.
    texts, executions : int64[n_answers]
        Bytes in the access log and in the execution log that the answer alone decides.
    """
    usage["log_bytes"] += line_bytes(line, texts[row["answer"]], row)
    usage["execution_bytes"] += execution_bytes(line, executions[row["answer"]], row)
