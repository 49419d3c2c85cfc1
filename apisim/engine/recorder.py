"""Facts about each request, written once and added up in bounded memory.

Both engines hand every finished request to :func:`record`. It keeps, whatever the length of the
run: counts by *cell* (one phase of one source on one route) and answer, histograms of three
latencies by cell, series over at most ``MAX_PERIODS`` periods by API, usage for the bill, and the
digest. Full rows are kept only when asked for, in a buffer that the engine flushes.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.histogram import BIN_DTYPE, N_BINS, bin_index, hist_add, hist_add_at
from apisim.arrays.jit import inline, kernel, part
from apisim.engine.clients import CallRecords, new_call_records
from apisim.engine.connection_records import ConnectionRecords, new_connection_records
from apisim.engine.customer_counts import CUSTOMER_COUNT_DTYPE, add_to_customer
from apisim.engine.executions import EXECUTION_DTYPE
from apisim.engine.flags import count_flags
from apisim.engine.latency_windows import (
    LatencyWindows,
    add_latency,
    find_window,
    new_latency_windows,
)
from apisim.engine.mechanism_records import MechanismRecords, new_mechanism_records
from apisim.engine.periods import FIRST_PERIOD_NS, MAX_PERIODS
from apisim.engine.push_records import PushRecords, new_push_records
from apisim.engine.row_digest import hash_row
from apisim.engine.usage_counts import USAGE_DTYPE, add_logs, add_usage
from apisim.gateway.status import Answer

__all__ = [
    "AUTHORIZER_CALLS",
    "CACHE_HIT",
    "CACHE_HITS",
    "CACHE_MISS",
    "CACHE_MISSES",
    "CACHE_NONE",
    "CELL_DTYPE",
    "COLD_STARTS",
    "HISTOGRAMS",
    "MAX_PERIODS",
    "N_COLUMNS",
    "REQUEST_DTYPE",
    "Recorder",
    "new_recorder",
    "note_end",
    "record",
]

N_ANSWERS: Final = len(Answer)
#: Columns of a series: one per answer, then these.
CACHE_MISSES: Final = N_ANSWERS
COLD_STARTS: Final = N_ANSWERS + 1
AUTHORIZER_CALLS: Final = N_ANSWERS + 2
CACHE_HITS: Final = N_ANSWERS + 3
N_COLUMNS: Final = N_ANSWERS + 4

#: Histograms of each cell, in this order. Gateway latency is CloudWatch's ``Latency``.
HISTOGRAMS: Final = ("latency", "integration_latency", "gateway_latency")

CACHE_NONE: Final = 0
CACHE_HIT: Final = 1
CACHE_MISS: Final = 2

REQUEST_FIELDS: Final = [
    ("arrival_ns", "i8"),  # at the client
    ("latency_ns", "i8"),  # at the client
    ("gateway_ns", "i8"),  # from the gateway's door back to it
    ("integration_ns", "i8"),  # -1: no integration was called
    ("authorizer_ns", "i8"),  # -1: no authorizer function was called
    ("request_bytes", "i8"),
    ("response_bytes", "i8"),
    ("units", "i8"),  # billed
    ("ordinal", "i8"),
    ("user", "i8"),
    ("source", "i8"),
    ("attempt", "i8"),
    ("cell", "i8"),
    ("api", "i8"),
    ("client", "i8"),  # of a trace; -1 otherwise
    ("status", "i8"),
    ("answer", "i8"),
    ("cache", "i8"),
    ("cold", "i8"),
    ("customer", "i8"),  # of a population; -1 otherwise
    ("flags", "i8"),  # FLAG_... bits
]
REQUEST_DTYPE: Final = np.dtype(REQUEST_FIELDS, align=True)

#: Sums by cell after the warm-up; latencies in two words (low below 2**60).
CELL_DTYPE: Final = np.dtype(
    [
        ("requests", "i8"),
        ("warm_up_requests", "i8"),
        ("latency_low", "i8"),
        ("latency_high", "i8"),
        ("latency_max", "i8"),
        ("integration_low", "i8"),
        ("integration_high", "i8"),
        ("integrations", "i8"),
        ("gateway_low", "i8"),
        ("gateway_high", "i8"),
        ("cache_hits", "i8"),
        ("cache_misses", "i8"),
        ("cold_starts", "i8"),
        ("authorizer_calls", "i8"),
        ("request_bytes", "i8"),
        ("response_bytes", "i8"),
        ("stale_answers", "i8"),  # requests by flag
        ("wrong_answers", "i8"),
        ("invalidations", "i8"),
        ("ignored_invalidations", "i8"),  # with a warning
        ("new_connections", "i8"),
    ],
    align=True,
)
TOTAL_DTYPE: Final = np.dtype(
    [
        ("digest", "u8"),
        ("salt", "u8"),  # of the replication
        ("rows", "i8"),  # in the buffer
        ("keep_rows", "i8"),
        ("requests", "i8"),
        ("period_ns", "i8"),
        ("period", "i8"),  # the period written to last, and where it starts
        ("period_start_ns", "i8"),
        ("last_ns", "i8"),  # latest end of a request or of a backend's work
        ("warm_up_ns", "i8"),
    ],
    align=True,
)
_SPILL: Final = 1 << 60


class Recorder(NamedTuple):
    """The recorder's arrays."""

    total: NDArray[np.void]  # TOTAL_DTYPE[1]
    rows: NDArray[np.void]  # REQUEST_DTYPE[buffer]
    cells: NDArray[np.void]  # CELL_DTYPE[n_cells]
    counts: NDArray[np.int64]  # [n_cells, n_answers]
    histograms: NDArray[np.void]  # BIN_DTYPE[n_cells, len(HISTOGRAMS), N_BINS]
    series: NDArray[np.int64]  # [n_apis, MAX_PERIODS, N_COLUMNS]
    usage: NDArray[np.void]  # USAGE_DTYPE[n_cells, 2, n_answers]; [:, 1] is the warm-up's
    executions: NDArray[np.void]  # EXECUTION_DTYPE[n_phases, n_functions, 2]
    customers: NDArray[np.void]  # CUSTOMER_COUNT_DTYPE
    customer_usage: NDArray[np.void]  # USAGE_DTYPE[n_customers, n_apis, 2]; [..., 1]: warm-up
    calls: CallRecords
    connections: ConnectionRecords
    pushes: PushRecords
    latencies: LatencyWindows
    mechanisms: MechanismRecords


def new_recorder(
    *,
    n_cells: int,
    n_apis: int,
    n_phases: int,
    n_functions: int,
    warm_up_ns: int,
    salt: int,
    buffer_rows: int,
    n_customers: int = 0,
    has_clients: bool = False,
    connections: ConnectionRecords | None = None,
    pushes: PushRecords | None = None,
    mechanisms: MechanismRecords | None = None,
) -> Recorder:
    """An empty recorder; ``buffer_rows`` > 0 keeps full rows, at most that many between flushes.

    ``connections`` and ``pushes`` are empty records, where there is a WebSocket API: of as many
    APIs and phases.
    """
    total = np.zeros(1, TOTAL_DTYPE)
    total["salt"] = salt
    total["keep_rows"] = int(buffer_rows > 0)
    total["period_ns"] = FIRST_PERIOD_NS
    total["warm_up_ns"] = warm_up_ns
    return Recorder(
        total=total,
        rows=np.zeros(max(buffer_rows, 1), REQUEST_DTYPE),
        cells=np.zeros(n_cells, CELL_DTYPE),
        counts=np.zeros((n_cells, N_ANSWERS), np.int64),
        histograms=np.zeros((n_cells, len(HISTOGRAMS), N_BINS), BIN_DTYPE),
        series=np.zeros((n_apis, MAX_PERIODS, N_COLUMNS), np.int64),
        usage=np.zeros((n_cells, 2, N_ANSWERS), USAGE_DTYPE),
        executions=np.zeros((n_phases, max(n_functions, 1), 2), EXECUTION_DTYPE),
        customers=np.zeros(max(n_customers, 1), CUSTOMER_COUNT_DTYPE),
        customer_usage=np.zeros((max(n_customers, 1), n_apis, 2), USAGE_DTYPE),
        calls=new_call_records(n_cells if has_clients else 1),
        connections=new_connection_records(1) if connections is None else connections,
        pushes=new_push_records(0) if pushes is None else pushes,
        latencies=new_latency_windows(n_apis),
        mechanisms=mechanisms
        or new_mechanism_records(n_functions=0, n_endpoints=0, n_buckets=0, n_caches=0),
    )


@kernel
def _widen(series: NDArray[np.int64], total: np.void) -> None:
    """Join periods two by two, so that the same array covers twice the time."""
    for api in range(series.shape[0]):
        for period in range(MAX_PERIODS // 2):
            for column in range(N_COLUMNS):
                series[api, period, column] = (
                    series[api, 2 * period, column] + series[api, 2 * period + 1, column]
                )
        for period in range(MAX_PERIODS // 2, MAX_PERIODS):
            for column in range(N_COLUMNS):
                series[api, period, column] = 0
    total["period_ns"] *= 2


@kernel
def _find_period(
    series: NDArray[np.int64], latencies: LatencyWindows, total: np.void, arrival_ns: int
) -> None:
    """Turn to another period; a division, so not for every request."""
    while arrival_ns // total["period_ns"] >= MAX_PERIODS:
        _widen(series, total)
    total["period"] = arrival_ns // total["period_ns"]
    total["period_start_ns"] = total["period"] * total["period_ns"]
    find_window(latencies, arrival_ns)


@inline
def record(
    recorder: Recorder,
    row: np.void,
    cell_hashes: NDArray[np.uint64],
    log_lines: NDArray[np.void],
    log_texts: NDArray[np.int64],
    log_executions: NDArray[np.int64],
    rare: int | None,
) -> None:
    """Write one finished request down.

    Parameters
    ----------
    recorder : Recorder
        Updated in place; the caller has made sure that the row buffer has room.
    row : record with at least the fields of REQUEST_DTYPE
    cell_hashes : uint64[n_cells]
        Hash of each cell's names, so that the digest knows names and not positions.
    log_lines : LINE_DTYPE[n_cells]
        How long the lines of access logs are; empty where there are none.
    log_texts : int64[n_cells, n_answers]
        What of a line is no number [bytes].
    log_executions : int64[n_cells, n_answers]
        What goes to execution logs, but for bodies [bytes].
    rare : int or None
        None where no row has a customer or a flag and nothing is logged: all that is not looked at
        then.
    """
    total = recorder.total[0]
    cell = row["cell"]
    total["digest"] += hash_row(row, cell_hashes[cell], total["salt"], rare)
    total["requests"] += 1
    total["last_ns"] = max(total["last_ns"], row["arrival_ns"] + row["latency_ns"])
    if total["keep_rows"] == 1:
        kept = recorder.rows[total["rows"]]
        _copy(kept, row)
        total["rows"] += 1
    into_ns = row["arrival_ns"] - total["period_start_ns"]
    if into_ns < 0 or into_ns >= total["period_ns"]:
        _find_period(recorder.series, recorder.latencies, total, row["arrival_ns"])
    latency_bin = bin_index(row["latency_ns"])
    add_latency(recorder.latencies, row["api"], latency_bin, row["latency_ns"])
    column = recorder.series[row["api"], total["period"]]
    column[row["answer"]] += 1
    if row["cache"] == CACHE_MISS:
        column[CACHE_MISSES] += 1
    elif row["cache"] == CACHE_HIT:
        column[CACHE_HITS] += 1
    if row["cold"] == 1:
        column[COLD_STARTS] += 1
    if row["authorizer_ns"] >= 0:
        column[AUTHORIZER_CALLS] += 1
    sums = recorder.cells[cell]
    is_warm_up = 1 if row["arrival_ns"] < total["warm_up_ns"] else 0
    usage = recorder.usage[cell, is_warm_up, row["answer"]]
    add_usage(usage, row, rare)
    has_logs = log_lines.shape[0] > 0
    if rare is not None and has_logs:
        add_logs(usage, row, log_lines[cell], log_texts[cell], log_executions[cell])
    if rare is not None and row["customer"] >= 0:
        used = recorder.customer_usage[row["customer"], row["api"], is_warm_up]
        add_usage(used, row, rare)
        if has_logs:
            add_logs(used, row, log_lines[cell], log_texts[cell], log_executions[cell])
    if is_warm_up == 1:
        sums["warm_up_requests"] += 1
        return
    recorder.counts[cell, row["answer"]] += 1
    _add_to_cell(sums, row)
    if rare is not None and row["flags"] != 0:
        count_flags(sums, row["flags"])
    if rare is not None and row["customer"] >= 0:
        add_to_customer(recorder.customers[row["customer"]], row["answer"])
    histograms = recorder.histograms[cell]
    hist_add_at(histograms[0], latency_bin, row["latency_ns"])
    hist_add(histograms[2], row["gateway_ns"])
    if row["integration_ns"] >= 0:
        hist_add(histograms[1], row["integration_ns"])


@part
def _add_to_cell(sums: np.void, row: np.void) -> None:
    sums["requests"] += 1
    sums["latency_max"] = max(sums["latency_max"], row["latency_ns"])
    sums["latency_low"] += row["latency_ns"]
    if sums["latency_low"] >= _SPILL:
        sums["latency_low"] -= _SPILL
        sums["latency_high"] += 1
    sums["gateway_low"] += row["gateway_ns"]
    if sums["gateway_low"] >= _SPILL:
        sums["gateway_low"] -= _SPILL
        sums["gateway_high"] += 1
    if row["integration_ns"] >= 0:
        sums["integrations"] += 1
        sums["integration_low"] += row["integration_ns"]
        if sums["integration_low"] >= _SPILL:
            sums["integration_low"] -= _SPILL
            sums["integration_high"] += 1
    if row["cache"] == CACHE_HIT:
        sums["cache_hits"] += 1
    elif row["cache"] == CACHE_MISS:
        sums["cache_misses"] += 1
    if row["cold"] == 1:
        sums["cold_starts"] += 1
    if row["authorizer_ns"] >= 0:
        sums["authorizer_calls"] += 1
    sums["request_bytes"] += row["request_bytes"]
    sums["response_bytes"] += row["response_bytes"]


@part
def _copy(kept: np.void, row: np.void) -> None:
    kept["arrival_ns"] = row["arrival_ns"]
    kept["latency_ns"] = row["latency_ns"]
    kept["gateway_ns"] = row["gateway_ns"]
    kept["integration_ns"] = row["integration_ns"]
    kept["authorizer_ns"] = row["authorizer_ns"]
    kept["request_bytes"] = row["request_bytes"]
    kept["response_bytes"] = row["response_bytes"]
    kept["units"] = row["units"]
    kept["ordinal"] = row["ordinal"]
    kept["user"] = row["user"]
    kept["source"] = row["source"]
    kept["attempt"] = row["attempt"]
    kept["cell"] = row["cell"]
    kept["api"] = row["api"]
    kept["client"] = row["client"]
    kept["status"] = row["status"]
    kept["answer"] = row["answer"]
    kept["cache"] = row["cache"]
    kept["cold"] = row["cold"]
    kept["customer"] = row["customer"]
    kept["flags"] = row["flags"]


@inline
def note_end(total: NDArray[np.void], now_ns: int) -> None:
    """Something ended now: the run lasts at least until here."""
    total[0]["last_ns"] = max(total[0]["last_ns"], now_ns)
