"""What is known of the connections of WebSocket APIs: how many, how long, what they cost.

Both engines tell of each connection that opens and closes, in order of time. The number of open
connections is integrated on every change, never sampled: exactly, in whole connection-seconds and a
rest in nanoseconds, because ten million connections over a month are more than 2**63 nanoseconds.
The series has the same integral by period: a connection fills those it lasts through, whether or
not anything happens in them.

Statistics leave the warm-up out by the time of what they count: an opening, a close. A
connection's billed minutes are cut at the end of the warm-up: those that were whole by then are the
warm-up's.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.histogram import BIN_DTYPE, N_BINS, hist_add
from apisim.arrays.jit import constant, gate, kernel
from apisim.engine.periods import FIRST_PERIOD_NS, MAX_PERIODS

__all__ = [
    "CLOSES",
    "CLOSE_AGE",
    "CLOSE_BINARY",
    "CLOSE_CUT",
    "CLOSE_IDLE",
    "CLOSE_LEFT",
    "CLOSE_TOO_LARGE",
    "FOREVER",
    "ROUNDINGS",
    "ROUND_EXACT",
    "ROUND_NEAREST",
    "ROUND_UP",
    "ConnectionRecords",
    "new_connection_records",
    "record_closed",
    "record_lost_disconnect",
    "record_opened",
    "record_undelivered_reply",
    "settle",
]

#: Why a connection closed; to its client 1000, 1001, 1001 (AWS's word for both of its limits),
#: 1009, 1003 (RFC 6455, section 7.4.1), and 1006 where it is simply gone.
CLOSE_LEFT: Final = constant(0)  # the client was done
CLOSE_IDLE: Final = constant(1)
CLOSE_AGE: Final = constant(2)
CLOSE_TOO_LARGE: Final = constant(3)  # a message or a frame was
CLOSE_BINARY: Final = constant(4)
CLOSE_CUT: Final = constant(5)  # by the timeline
#: Their names, by number.
CLOSES: Final = ("left", "idle", "age", "too_large", "binary", "cut")

#: How a connection's time becomes billed minutes; AWS says "rounded to a minute" and not how.
ROUND_UP: Final = constant(0)
ROUND_EXACT: Final = constant(1)
ROUND_NEAREST: Final = constant(2)  # half a minute is one
ROUNDINGS: Final = ("up", "exact", "nearest")

FOREVER: Final = 1 << 62
_SECOND: Final = 1_000_000_000
_MINUTE: Final = 60 * _SECOND
_MEASURED: Final = constant(0)
_WARM_UP: Final = constant(1)
_AFTER: Final = constant(2)

#: Time of all connections: whole connection-seconds, and what they leave, below 10**9.
_TIME_DTYPE: Final = np.dtype([("open_s", "i8"), ("open_rest_ns", "i8")], align=True)
#: One API.
_CONNECTION_DTYPE: Final = np.dtype(
    [
        ("now_open", "i8"),
        ("integrated_ns", "i8"),  # up to when the integrals go
        ("peak", "i8"),  # after the warm-up, and when it was first reached
        ("peak_ns", "i8"),
        ("opened", "i8"),
        ("warm_up_opened", "i8"),
        ("second", "i8"),  # the last one in which a connection opened, and how many did
        ("opened_in_second", "i8"),
        ("busiest_second", "i8"),  # after the warm-up; the first of them
        ("most_in_second", "i8"),
        ("duration_s", "i8"),  # of connections that closed after the warm-up
        ("duration_rest_ns", "i8"),
        ("duration_max_ns", "i8"),
        ("undelivered_replies", "i8"),
        ("lost_disconnects", "i8"),
    ],
    align=True,
)
#: Billed minutes; the rest is below a minute, and 0 unless they are exact.
_MINUTES_DTYPE: Final = np.dtype([("minutes", "i8"), ("rest_ns", "i8")], align=True)
#: One API in one period, warm-up included. It may not begin like a time: numba takes a record that
#: begins like another one for that, and warns.
_SERIES_DTYPE: Final = np.dtype(
    [
        ("opened", "i8"),
        ("closed", "i8"),
        ("peak", "i8"),
        ("open_s", "i8"),
        ("open_rest_ns", "i8"),
    ],
    align=True,
)
_HEAD_DTYPE: Final = np.dtype(
    [("period_ns", "i8"), ("warm_up_ns", "i8"), ("until_ns", "i8"), ("rounding", "i8")], align=True
)


class ConnectionRecords(NamedTuple):
    """Connections by API; of one row where there are none."""

    head: NDArray[np.void]  # _HEAD_DTYPE[1]
    apis: NDArray[np.void]  # _CONNECTION_DTYPE[n_apis]
    times: NDArray[np.void]  # _TIME_DTYPE[n_apis, 3]: measured, in the warm-up, after the traffic
    closes: NDArray[np.int64]  # [n_apis, len(CLOSES)] after the warm-up
    durations: NDArray[np.void]  # BIN_DTYPE[n_apis, N_BINS] of those that closed after it
    minutes: NDArray[np.void]  # _MINUTES_DTYPE[n_phases, n_apis, 2]; [..., 1] is the warm-up's
    series: NDArray[np.void]  # _SERIES_DTYPE[n_apis, MAX_PERIODS]


def new_connection_records(
    n_apis: int,
    *,
    n_phases: int = 1,
    warm_up_ns: int = 0,
    until_ns: int = FOREVER,
    rounding: int = 0,
) -> ConnectionRecords:
    """Empty records.

    Parameters
    ----------
    n_apis, n_phases : int
    warm_up_ns, until_ns : int
        Between them the mean number of connections is measured [ns].
    rounding : int
        A ``ROUND_...``.
    """
    head = np.zeros(1, _HEAD_DTYPE)
    head[0] = (FIRST_PERIOD_NS, warm_up_ns, until_ns, rounding)
    return ConnectionRecords(
        head=head,
        apis=np.zeros(n_apis, _CONNECTION_DTYPE),
        times=np.zeros((n_apis, 3), _TIME_DTYPE),
        closes=np.zeros((n_apis, len(CLOSES)), np.int64),
        durations=np.zeros((n_apis, N_BINS), BIN_DTYPE),
        minutes=np.zeros((n_phases, n_apis, 2), _MINUTES_DTYPE),
        series=np.zeros((n_apis, MAX_PERIODS), _SERIES_DTYPE),
    )


@gate
def _widen(head: np.void, series: NDArray[np.void]) -> None:
    """Join periods two by two, so that the same array covers twice the time."""
    for api in range(series.shape[0]):
        for period in range(MAX_PERIODS):
            into = series[api, period]
            if 2 * period >= MAX_PERIODS:
                into["open_s"] = 0
                into["open_rest_ns"] = 0
                into["opened"] = 0
                into["closed"] = 0
                into["peak"] = 0
                continue
            first = series[api, 2 * period]
            second = series[api, 2 * period + 1]
            rest_ns = first["open_rest_ns"] + second["open_rest_ns"]
            into["open_s"] = first["open_s"] + second["open_s"] + rest_ns // _SECOND
            into["open_rest_ns"] = rest_ns % _SECOND
            into["opened"] = first["opened"] + second["opened"]
            into["closed"] = first["closed"] + second["closed"]
            into["peak"] = max(first["peak"], second["peak"])
    head["period_ns"] *= 2


@gate
def _integrate(records: ConnectionRecords, api: int, part: int, now_ns: int) -> None:
    """Add the open connections' time up to now to one part of it, and period by period."""
    connections = records.apis[api]
    n_open = connections["now_open"]
    at_ns = connections["integrated_ns"]
    connections["integrated_ns"] = max(now_ns, at_ns)
    if n_open == 0 or now_ns <= at_ns:
        return
    _add_time(records.times[api, part], n_open, now_ns - at_ns)
    period_ns = records.head[0]["period_ns"]
    period = at_ns // period_ns
    while at_ns < now_ns:
        end_ns = min(now_ns, (period + 1) * period_ns)
        column = records.series[api, period]
        _add_time(column, n_open, end_ns - at_ns)
        column["peak"] = max(column["peak"], n_open)
        at_ns = end_ns
        period += 1


@gate
def _add_time(into: np.void, n_open: int, elapsed_ns: int) -> None:
    # In whole seconds and a rest: a product of all nanoseconds may not fit.
    rest_ns = into["open_rest_ns"] + n_open * (elapsed_ns % _SECOND)
    into["open_s"] += n_open * (elapsed_ns // _SECOND) + rest_ns // _SECOND
    into["open_rest_ns"] = rest_ns % _SECOND


@gate
def _advance(records: ConnectionRecords, api: int, now_ns: int) -> None:
    """Bring one API's integrals to now; its period is there afterwards."""
    head = records.head[0]
    while now_ns // head["period_ns"] >= MAX_PERIODS:
        _widen(head, records.series)
    connections = records.apis[api]
    warm_up_ns = head["warm_up_ns"]
    if connections["integrated_ns"] < warm_up_ns:
        _integrate(records, api, _WARM_UP, min(now_ns, warm_up_ns))
        if now_ns >= warm_up_ns:
            connections["peak"] = connections["now_open"]
            connections["peak_ns"] = warm_up_ns
    if now_ns >= warm_up_ns:
        _integrate(records, api, _MEASURED, min(now_ns, head["until_ns"]))
        _integrate(records, api, _AFTER, now_ns)


@kernel
def settle(records: ConnectionRecords, end_ns: int) -> None:
    """Integrate what is still open up to the end of a run; nothing may be recorded before it."""
    for api in range(records.apis.shape[0]):
        if records.apis[api]["integrated_ns"] < end_ns:
            _advance(records, api, end_ns)


@kernel
def record_opened(records: ConnectionRecords, api: int, now_ns: int) -> None:
    """Count a connection that the gateway has opened.

    Parameters
    ----------
    records : ConnectionRecords
        Updated in place.
    api : int
    now_ns : int
        When [ns]; of one API's openings and closes, none is earlier than the one before.
    """
    _advance(records, api, now_ns)
    head = records.head[0]
    connections = records.apis[api]
    connections["now_open"] += 1
    column = records.series[api, now_ns // head["period_ns"]]
    column["opened"] += 1
    column["peak"] = max(column["peak"], connections["now_open"])
    if connections["now_open"] > connections["peak"]:
        connections["peak"] = connections["now_open"]
        connections["peak_ns"] = now_ns
    if now_ns < head["warm_up_ns"]:
        connections["warm_up_opened"] += 1
        return
    connections["opened"] += 1
    if now_ns // _SECOND != connections["second"]:
        connections["second"] = now_ns // _SECOND
        connections["opened_in_second"] = 0
    connections["opened_in_second"] += 1
    if connections["opened_in_second"] > connections["most_in_second"]:
        connections["most_in_second"] = connections["opened_in_second"]
        connections["busiest_second"] = connections["second"]


@gate
def _bill(
    minutes: NDArray[np.void], opened_ns: int, now_ns: int, warm_up_ns: int, rounding: int
) -> None:
    """Add a connection's minutes to ``minutes[2]``, those of the warm-up apart."""
    duration_ns = now_ns - opened_ns
    before_ns = min(max(warm_up_ns - opened_ns, 0), duration_ns)
    if rounding == ROUND_EXACT:
        _add_exact(minutes[1], before_ns)
        _add_exact(minutes[0], duration_ns - before_ns)
        return
    if rounding == ROUND_UP:
        billed = (duration_ns + _MINUTE - 1) // _MINUTE
    else:
        billed = (duration_ns + _MINUTE // 2) // _MINUTE
    before = billed if before_ns == duration_ns else before_ns // _MINUTE
    if before_ns == 0:
        before = 0  # also of a connection that took no time
    minutes[1]["minutes"] += before
    minutes[0]["minutes"] += billed - before


@gate
def _add_exact(minutes: np.void, duration_ns: int) -> None:
    rest_ns = minutes["rest_ns"] + duration_ns % _MINUTE
    minutes["minutes"] += duration_ns // _MINUTE + rest_ns // _MINUTE
    minutes["rest_ns"] = rest_ns % _MINUTE


@kernel
def record_closed(
    records: ConnectionRecords, api: int, phase: int, now_ns: int, opened_ns: int, reason: int
) -> None:
    """Count a connection that the gateway has closed.

    Parameters
    ----------
    records : ConnectionRecords
        Updated in place.
    api : int
    phase : int
        Phase of the upgrade, for a bill that is projected from phases.
    now_ns, opened_ns : int
        Now, and when :func:`record_opened` was told of it [ns].
    reason : int
        A ``CLOSE_...``.
    """
    _advance(records, api, now_ns)
    head = records.head[0]
    connections = records.apis[api]
    connections["now_open"] -= 1
    records.series[api, now_ns // head["period_ns"]]["closed"] += 1
    _bill(records.minutes[phase, api], opened_ns, now_ns, head["warm_up_ns"], head["rounding"])
    if now_ns < head["warm_up_ns"]:
        return
    records.closes[api, reason] += 1
    duration_ns = now_ns - opened_ns
    rest_ns = connections["duration_rest_ns"] + duration_ns % _SECOND
    connections["duration_s"] += duration_ns // _SECOND + rest_ns // _SECOND
    connections["duration_rest_ns"] = rest_ns % _SECOND
    connections["duration_max_ns"] = max(connections["duration_max_ns"], duration_ns)
    hist_add(records.durations[api], duration_ns)


@kernel
def record_undelivered_reply(records: ConnectionRecords, api: int, arrival_ns: int) -> None:
    """Count an answer of a route whose connection was gone by then, with its message."""
    if arrival_ns >= records.head[0]["warm_up_ns"]:
        records.apis[api]["undelivered_replies"] += 1


@kernel
def record_lost_disconnect(records: ConnectionRecords, api: int, now_ns: int) -> None:
    """Count a close of which the ``$disconnect`` route was not told."""
    if now_ns >= records.head[0]["warm_up_ns"]:
        records.apis[api]["lost_disconnects"] += 1
