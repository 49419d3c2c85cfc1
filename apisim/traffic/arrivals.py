"""When an open source calls: arrival processes by inversion of the integrated rate.

A source's rate over time is cut into *pieces* of constant or linearly changing rate. *Operational
time* is the integral of that rate: one unit is one expected arrival, held in 2**-29 units as an
integer, so that arrival times are sums of integers and do not depend on how the sums are grouped.

* ``poisson``: arrivals at sums of unit exponentials in operational time, inverted through the
  integrated rate (never thinned), so that changing a rate moves arrivals and redraws none.
* ``uniform``: arrivals where the integrated rate reaches phi, phi + 1, ... (end exclusive).
* ``bursty``: a two-state Markov-modulated Poisson process (Fischer and Meier-Hellstern 1993): the
  rate is multiplied by a factor that alternates between two values, with exponential sojourns and a
  stationary start; the mean over time is the given rate.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import inline, part
from apisim.draws.generator import uniform
from apisim.draws.kernels import log

__all__ = [
    "BURSTY",
    "FLOW_DTYPE",
    "MAX_ARRIVALS",
    "NEVER",
    "ONE",
    "PIECE_DTYPE",
    "POISSON",
    "UNIFORM",
    "next_arrival",
    "start_flow",
]

UNIFORM: Final = 0
POISSON: Final = 1
BURSTY: Final = 2

#: One expected arrival in operational time.
ONE: Final = 1 << 29
#: More expected arrivals than this in one source do not fit (8.6 thousand million).
MAX_ARRIVALS: Final = 1 << 33
NEVER: Final = 1 << 62
_SECOND_NS: Final = 1e9

PIECE_DTYPE: Final = np.dtype(
    [
        ("start_ns", "i8"),
        ("end_ns", "i8"),
        ("rate_start", "f8"),  # [1/s]
        ("rate_end", "f8"),
        ("mass", "i8"),  # expected arrivals, in operational units
        ("phase", "i8"),
    ],
    align=True,
)

FLOW_DTYPE: Final = np.dtype(
    [
        ("process", "i8"),
        ("piece", "i8"),  # the piece the current segment lies in
        ("last_piece", "i8"),  # one past the source's last piece
        ("segment_start_ns", "i8"),
        ("segment_end_ns", "i8"),
        ("rate_start", "f8"),
        ("rate_end", "f8"),
        ("mass_before", "i8"),  # operational time at the segment's start
        ("mass_after", "i8"),
        ("position", "i8"),  # operational time of the latest arrival
        ("n_arrivals", "i8"),
        ("is_peak", "i8"),
        ("n_sojourns", "i8"),
        ("sojourn_end_ns", "i8"),
        ("factor_base", "f8"),
        ("factor_peak", "f8"),
        ("base_ns", "f8"),  # mean sojourns
        ("peak_ns", "f8"),
        ("phi", "i8"),  # first uniform arrival, in operational units
    ],
    align=True,
)


def start_flow(
    row: np.void,
    *,
    process: int,
    first_piece: int,
    last_piece: int,
    phi: float = 0.0,
    ratio: float = 1.0,
    peak_ns: float = 1.0,
    base_ns: float = 1.0,
) -> None:
    """Make ``row`` a source that has not called yet.

    Parameters
    ----------
    row : FLOW_DTYPE record
        Overwritten.
    process : int
        ``UNIFORM``, ``POISSON`` or ``BURSTY``.
    first_piece, last_piece : int
        Its pieces, the end exclusive.
    phi : float
        Phase of uniform arrivals, in [0, 1).
    ratio : float
        Peak rate over base rate of bursty arrivals, >= 1.
    peak_ns, base_ns : float
        Mean sojourns [ns] in the two states of bursty arrivals.
    """
    row["process"] = process
    row["piece"], row["last_piece"] = first_piece - 1, last_piece
    row["segment_start_ns"] = row["segment_end_ns"] = 0
    row["mass_before"] = row["mass_after"] = 0
    row["position"], row["n_arrivals"] = 0, 0
    row["is_peak"], row["n_sojourns"], row["sojourn_end_ns"] = -1, 0, 0
    share_of_peak = peak_ns / (peak_ns + base_ns)
    row["factor_base"] = 1.0 / (share_of_peak * ratio + (1.0 - share_of_peak))
    row["factor_peak"] = ratio * row["factor_base"]
    row["base_ns"], row["peak_ns"] = base_ns, peak_ns
    row["phi"] = int(phi * ONE)


@part
def _rate_at(piece: np.void, at_ns: int) -> float:
    part = (at_ns - piece["start_ns"]) / (piece["end_ns"] - piece["start_ns"])
    return piece["rate_start"] + (piece["rate_end"] - piece["rate_start"]) * part  # type: ignore[no-any-return]


@part
def _enter_sojourn(flow: np.void, at_ns: int, sojourn_key: np.uint64) -> None:
    """Switch between peak and base where the previous sojourn has ended."""
    while flow["sojourn_end_ns"] <= at_ns:
        n = flow["n_sojourns"]
        if n == 0:
            share_of_peak = flow["peak_ns"] / (flow["peak_ns"] + flow["base_ns"])
            flow["is_peak"] = 1 if uniform(sojourn_key, 0, 1) < share_of_peak else 0
        else:
            flow["is_peak"] = 1 - flow["is_peak"]
        mean_ns = flow["peak_ns"] if flow["is_peak"] == 1 else flow["base_ns"]
        length_ns = np.int64(np.rint(-log(uniform(sojourn_key, n, 0)) * mean_ns))
        flow["sojourn_end_ns"] += max(length_ns, 1)
        flow["n_sojourns"] = n + 1


@part
def _next_segment(flow: np.void, pieces: NDArray[np.void], sojourn_key: np.uint64) -> bool:
    """Go on to the next stretch in which the rate is one straight line."""
    first = flow["segment_end_ns"] == 0 and flow["mass_after"] == 0
    if first or flow["segment_end_ns"] == pieces[flow["piece"]]["end_ns"]:
        flow["piece"] += 1
        if flow["piece"] >= flow["last_piece"]:
            return False
        flow["segment_end_ns"] = pieces[flow["piece"]]["start_ns"]
    piece = pieces[flow["piece"]]
    start_ns = flow["segment_end_ns"]
    flow["segment_start_ns"] = start_ns
    flow["mass_before"] = flow["mass_after"]
    if flow["process"] != BURSTY:
        flow["segment_end_ns"] = piece["end_ns"]
        flow["rate_start"] = piece["rate_start"]
        flow["rate_end"] = piece["rate_end"]
        flow["mass_after"] += piece["mass"]
        return True
    _enter_sojourn(flow, start_ns, sojourn_key)
    end_ns = min(piece["end_ns"], flow["sojourn_end_ns"])
    factor = flow["factor_peak"] if flow["is_peak"] == 1 else flow["factor_base"]
    flow["segment_end_ns"] = end_ns
    flow["rate_start"] = _rate_at(piece, start_ns) * factor
    flow["rate_end"] = _rate_at(piece, end_ns) * factor
    mean_rate = 0.5 * (flow["rate_start"] + flow["rate_end"])
    mass = mean_rate * ((end_ns - start_ns) / _SECOND_NS)
    flow["mass_after"] += np.int64(np.rint(mass * ONE))
    return True


@inline
def next_arrival(
    flows: NDArray[np.void],
    pieces: NDArray[np.void],
    source: int,
    arrival_key: np.uint64,
    sojourn_key: np.uint64,
) -> int:
    """Time of a source's next call.

    Parameters
    ----------
    flows : FLOW_DTYPE[n_sources]
        Updated in place.
    pieces : PIECE_DTYPE[n_pieces]
    source : int
        Index of the source.
    arrival_key, sojourn_key : uint64
        Keys of its draws.

    Returns
    -------
    int
        Time [ns], not before the previous one, or ``NEVER`` after the last.
    """
    flow = flows[source]
    if flow["process"] == UNIFORM:
        flow["position"] = flow["phi"] if flow["n_arrivals"] == 0 else flow["position"] + ONE
    else:
        gap = -log(uniform(arrival_key, flow["n_arrivals"], 0))
        flow["position"] += np.int64(np.rint(gap * ONE))
    while flow["position"] >= flow["mass_after"]:
        if not _next_segment(flow, pieces, sojourn_key):
            return NEVER
    flow["n_arrivals"] += 1
    length_ns = flow["segment_end_ns"] - flow["segment_start_ns"]
    expected = (flow["position"] - flow["mass_before"]) / np.float64(ONE)
    if expected == 0.0:
        after_ns = 0.0  # at a rate of zero the root below would be 0 / 0
    elif flow["rate_start"] == flow["rate_end"]:
        after_ns = expected * _SECOND_NS / flow["rate_start"]
    else:
        # Root of the quadratic in the form that stays accurate when the rate starts at zero.
        slope = (flow["rate_end"] - flow["rate_start"]) / (length_ns / _SECOND_NS)
        square = flow["rate_start"] * flow["rate_start"] + 2.0 * slope * expected
        after_ns = 2.0 * expected / (flow["rate_start"] + np.sqrt(max(square, 0.0))) * _SECOND_NS
    return flow["segment_start_ns"] + min(np.int64(np.rint(after_ns)), length_ns - 1)  # type: ignore[no-any-return]
