"""Reader of access logs: what really happened, ready to be replayed.

A trace is what a gateway or a server wrote (:mod:`apisim.traffic.log_lines`), or tidy: CSV with a
header, one request a row, plain or gzip: ``timestamp_s`` (seconds from any
start), ``client`` (who called; may be empty), ``method``, ``path`` (with its query string, percent
signs left alone), ``status`` (not replayed) and ``bytes`` (size of the answer's body; empty where
unknown). Columns may stand in any order, others are ignored, and only ``timestamp_s``, ``method``
and ``path`` must be there.

Timestamps are read as the decimals they are and never pass through floating point: half a
microsecond of error would turn a tie into an order. Text is interned, numbers are packed, so that a
row costs 24 bytes however long its path. A row that cannot be read is named with file, line and
column, and never guessed at.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.scenario.log_formats import TIDY, form_of
from apisim.scenario.problems import Problem, TraceError
from apisim.traffic.lines import read_blocks
from apisim.traffic.log_lines import LOG_FIELDS, LogLines, place_of
from apisim.traffic.trace_rows import FORM, MAX_NS, RowError, Rows, split_row

__all__ = ["MAX_PROBLEMS", "Trace", "read_trace"]

#: At most this many bad rows are named at once; more would scroll the first one away.
MAX_PROBLEMS: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Requests of a log in the order of their times.

    Attributes
    ----------
    file : str
        Name of the file as it was given.
    arrival_ns : ndarray of int64, shape (n,)
        Time of each request [ns] after the first, at the speed asked for; never decreases.
    client_index : ndarray of int32, shape (n,)
        Position in ``clients``; -1 where the row names none.
    clients : list of str
        Who called, each once.
    target_index : ndarray of int32, shape (n,)
        Position in ``targets``.
    targets : list of (str, str)
        What was called, each once: method, and path with its query string.
    response_bytes : ndarray of int64, shape (n,)
        Size of the answer's body; -1 where unknown.
    n_skipped : int
        Rows left out because they could not be read.
    skipped : tuple of Problem
        The first of them.
    """

    file: str
    arrival_ns: NDArray[np.int64]
    client_index: NDArray[np.int32]
    clients: list[str]
    target_index: NDArray[np.int32]
    targets: list[tuple[str, str]]
    response_bytes: NDArray[np.int64]
    n_skipped: int
    skipped: tuple[Problem, ...]

    def __len__(self) -> int:
        return len(self.arrival_ns)


def read_trace(
    file: str | Path,
    *,
    log_format: str = TIDY,
    stage: str = "",
    speed: Fraction = Fraction(1),
    sort: bool = False,
    skip_bad_rows: bool = False,
) -> Trace:
    """Read an access log.

    Parameters
    ----------
    file : str or Path
        A text file, plain or compressed with gzip (told by its content).
    log_format : str
        ``tidy`` (the default), ``clf``, ``json``, ``xml``, ``csv``, or a format with ``$context``
        variables, see :func:`apisim.scenario.log_formats.form_of`.
    stage : str
        Stage that paths of ``$context.path`` begin with; "" where they have none.
    speed : Fraction
        2 replays twice as fast: times are halved, then rounded half to even to the nanosecond.
    sort : bool
        Whether rows may step back in time and are put in order (equal times keep theirs).
    skip_bad_rows : bool
        Whether a row that cannot be read is left out and counted.

    Returns
    -------
    Trace
        At least one request; the first is at time 0.

    Raises
    ------
    TraceError
        If the file is missing, empty, cut off or without a column it needs, or if a row cannot be
        read and ``skip_bad_rows`` is false; it names up to :data:`MAX_PROBLEMS` rows.
    ValueError
        If ``speed`` is not positive.
    """
    if not speed > 0:
        raise ValueError(f"speed must be > 0, got {speed}")
    name = str(file)
    form = form_of(log_format)
    log = None if form.name == TIDY else LogLines(form, stage=stage)
    # A log has no header: its columns are known.
    rows = None if log is None else Rows(list(LOG_FIELDS), ordered=not sort)
    problems: list[Problem] = []
    n_skipped = 0
    for block in read_blocks(file):
        for number, line in enumerate(block.lines, block.first):
            if not line:
                continue
            try:
                if rows is None:
                    rows = Rows(split_row(line, damaged=block.damaged), ordered=not sort)
                elif log is None:
                    rows.add(split_row(line, damaged=block.damaged))
                else:
                    _add(log, rows, line, damaged=block.damaged)
            except RowError as bad:
                problem = bad.problem(name, number, line)
                if rows is None:
                    raise TraceError([problem]) from None
                n_skipped += 1
                if len(problems) < MAX_PROBLEMS:
                    problems.append(problem)
                if not skip_bad_rows and len(problems) == MAX_PROBLEMS:
                    raise TraceError(problems) from None
    if problems and not skip_bad_rows:
        raise TraceError(problems)
    if rows is None or not len(rows):
        left_out = f"; {n_skipped} rows could not be read" if n_skipped else ""
        what = f"is empty; it starts with {FORM}"
        if rows is not None:
            what = "has no row below its header" if log is None else "has no request"
        raise TraceError([Problem(name, 1, 1, "", f"the trace {what}{left_out}"), *problems])
    order = rows.order() if sort else slice(None)
    arrival_ns = _replayed(rows.times(order), speed)
    if arrival_ns is None:
        message = f"at speed {speed} the trace lasts longer than 146 years"
        raise TraceError([Problem(name, 1, 1, "", message, "is timestamp_s in seconds?")])
    return Trace(
        file=name,
        arrival_ns=arrival_ns,
        client_index=np.array(rows.client_index, dtype=np.int32)[order],
        clients=list(rows.clients),
        target_index=np.array(rows.target_index, dtype=np.int32)[order],
        targets=list(rows.targets),
        response_bytes=np.array(rows.response_bytes, dtype=np.int64)[order],
        n_skipped=n_skipped,
        skipped=tuple(problems),
    )


def _add(log: LogLines, rows: Rows, line: str, *, damaged: bool) -> None:
    fields = log.fields(line, damaged=damaged)
    try:
        rows.add(fields)
    except RowError as bad:
        bad.column = place_of(fields[bad.field], line)
        raise


def _replayed(
    times: NDArray[np.int64] | list[Fraction], speed: Fraction
) -> NDArray[np.int64] | None:
    """Times divided by the speed and rounded half to even; None if they do not fit."""
    last = Fraction(int(times[-1]) if isinstance(times, np.ndarray) else times[-1])
    if last / speed >= MAX_NS:
        return None
    if isinstance(times, np.ndarray):
        if speed == 1:
            return times
        over, under = speed.denominator, speed.numerator
        if last * over < MAX_NS and under < MAX_NS:
            whole, rest = np.divmod(times * over, under)
            up = (2 * rest > under) | ((2 * rest == under) & (whole % 2 == 1))
            whole += up
            return np.asarray(whole, dtype=np.int64)
        times = [Fraction(int(time)) for time in times]
    return np.array([round(time / speed) for time in times], dtype=np.int64)
