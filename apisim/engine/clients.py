"""What both engines know of clients: what an attempt is to them, and what a call came to."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.histogram import BIN_DTYPE, N_BINS, hist_add
from apisim.arrays.jit import constant, kernel
from apisim.engine.flags import FLAG_CORS_BLOCKED
from apisim.gateway.status import Answer
from apisim.traffic.retries import SEEN_FAILURE, SEEN_RETRYABLE, SEEN_TIMEOUT

__all__ = [
    "CALL_DTYPE",
    "CallRecords",
    "new_call_records",
    "record_call",
    "record_late",
    "seen_by_client",
]

#: Logical calls by cell of their request, after the warm-up; latencies in two words.
CALL_DTYPE: Final = np.dtype(
    [
        ("calls", "i8"),
        ("succeeded", "i8"),
        ("attempts", "i8"),
        ("out_of_tokens", "i8"),  # not tried again for want of a retry quota
        ("latency_low", "i8"),  # of those that succeeded
        ("latency_high", "i8"),
    ],
    align=True,
)


class CallRecords(NamedTuple):
    """Logical calls of sources whose clients are known; of one row where there are none."""

    sums: NDArray[np.void]  # CALL_DTYPE[n_cells]
    histograms: NDArray[np.void]  # BIN_DTYPE[n_cells, N_BINS] times of calls that succeeded
    late: NDArray[np.int64]  # [n_cells, n_answers] answers whose client had gone


def new_call_records(n_cells: int) -> CallRecords:
    """Empty records."""
    return CallRecords(
        np.zeros(n_cells, CALL_DTYPE),
        np.zeros((n_cells, N_BINS), BIN_DTYPE),
        np.zeros((n_cells, len(Answer)), np.int64),
    )


_SPILL: Final = 1 << 60
_HIDDEN: Final = constant(FLAG_CORS_BLOCKED)


@kernel
def seen_by_client(
    client: np.void,
    verdicts: NDArray[np.uint8],
    api_type: int,
    answer: int,
    flags: int,
    is_preflight: bool,
    is_late: bool,
) -> int:
    """What an attempt is to its client, a ``SEEN_...`` code.

    Parameters
    ----------
    client : CLIENT_DTYPE record
    verdicts : uint8[2, n_answers]
        Codes of answers whose status it sees, by API type.
    api_type, answer, flags : int
        Of the attempt, or of the preflight in front of it that went wrong.
    is_preflight : bool
        Whether it is one: a page is not told why it may not call.
    is_late : bool
        Whether the client has stopped waiting.
    """
    if is_late:
        return SEEN_TIMEOUT if client["retries_timeout"] == 1 else SEEN_FAILURE
    if is_preflight or flags & _HIDDEN:
        return SEEN_RETRYABLE if client["retries_hidden"] == 1 else SEEN_FAILURE
    return np.int64(verdicts[api_type, answer])  # type: ignore[return-value]


@kernel
def record_late(
    records: CallRecords, cell: int, answer: int, arrival_ns: int, warm_up_ns: int
) -> None:
    """Count an attempt that the gateway answered when its client had gone."""
    if arrival_ns >= warm_up_ns:
        records.late[cell, answer] += 1


@kernel
def record_call(
    records: CallRecords,
    cell: int,
    first_ns: int,
    end_ns: int,
    n_attempts: int,
    has_succeeded: bool,
    out_of_tokens: bool,
    warm_up_ns: int,
) -> None:
    """Write a logical call down that has come to its end.

    Parameters
    ----------
    records : CallRecords
        Updated in place.
    cell : int
        Of its request.
    first_ns, end_ns : int
        When its first attempt left the client, and when it had the last answer or gave up [ns].
    n_attempts : int
    has_succeeded, out_of_tokens : bool
    warm_up_ns : int
        Calls that began before are not counted.
    """
    if first_ns < warm_up_ns:
        return
    sums = records.sums[cell]
    sums["calls"] += 1
    sums["attempts"] += n_attempts
    if out_of_tokens:
        sums["out_of_tokens"] += 1
    if has_succeeded:
        sums["succeeded"] += 1
        sums["latency_low"] += end_ns - first_ns
        if sums["latency_low"] >= _SPILL:
            sums["latency_low"] -= _SPILL
            sums["latency_high"] += 1
        hist_add(records.histograms[cell], end_ns - first_ns)
