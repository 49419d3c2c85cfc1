"""Executions of functions as the bill counts them: by phase, function and warm-up."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import inline

__all__ = ["EXECUTION_DTYPE", "record_execution", "record_log"]

#: Invocations; billed time on demand, and on provisioned concurrency; bytes that were logged.
EXECUTION_DTYPE: Final = np.dtype(
    [("invocations", "i8"), ("billed_ms", "i8"), ("provisioned_ms", "i8"), ("log_bytes", "i8")],
    align=True,
)


@inline
def record_execution(
    executions: NDArray[np.void],
    phase: int,
    function: int,
    is_warm_up: int,
    billed_ms: int,
    is_provisioned: bool,
) -> None:
    """Count one function execution for the bill, in the phase of the request that caused it."""
    usage = executions[phase, function, is_warm_up]
    usage["invocations"] += 1
    usage["billed_ms"] += 0 if is_provisioned else billed_ms
    usage["provisioned_ms"] += billed_ms if is_provisioned else 0


@inline
def record_log(
    executions: NDArray[np.void], phase: int, function: int, is_warm_up: int, log_bytes: int
) -> None:
    """Count what the execution of a function has added to its log."""
    executions[phase, function, is_warm_up]["log_bytes"] += log_bytes
