"""The web ACL of a stage: rate-based rules by address, and what they and the others blocked.

Facts (AWS WAF developer guide, "Using rate-based rule statements"): a rule counts the requests of
each address over a sliding window, looks at the counts every now and then, and blocks an address
that is above the limit until it is below it again; requests that are blocked are counted too. How
often the counts are looked at is not documented ("within 30 seconds"); here it is exactly every
``delay``: at k * delay the requests of the last whole window decide for the delay that follows. So
a flood always passes for a while, which is the rule's price.

Time is cut into intervals of one delay. Each address has a ring of counters, one for each interval
of the window and one for the running interval, so memory does not depend on the traffic. Addresses
are numbered through the blocks that the scenario's sources call from.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.arrays.jit import inline

__all__ = [
    "BLOCKED_BY_RATE",
    "BLOCKED_BY_RULE",
    "BLOCK_DTYPE",
    "INSPECTION_DTYPE",
    "PASSED",
    "RATE_DTYPE",
    "RATE_RULE_DTYPE",
    "WAF_DTYPE",
    "is_over_rate",
    "note_inspection",
    "number_of_address",
    "over_any_rate",
]

#: What an inspection said.
PASSED: Final = 0
BLOCKED_BY_RATE: Final = 1
BLOCKED_BY_RULE: Final = 2

#: A web ACL: its rate-based rules, and the address blocks it counts.
WAF_DTYPE: Final = np.dtype(
    [
        ("first_rule", "i8"),
        ("n_rules", "i8"),
        ("first_block", "i8"),
        ("n_blocks", "i8"),
        ("block", "f8"),  # share of the requests that the other rules block
    ],
    align=True,
)
RATE_RULE_DTYPE: Final = np.dtype(
    [
        ("limit", "i8"),
        ("delay_ns", "i8"),
        ("intervals", "i8"),  # delays in a window
        ("n_addresses", "i8"),
        ("first_rate", "i8"),
        ("first_count", "i8"),
    ],
    align=True,
)
#: An address block: its first address, its size, and how many addresses stand before it.
BLOCK_DTYPE: Final = np.dtype([("first", "i8"), ("size", "i8"), ("before", "i8")], align=True)
#: One address of one rule: the interval its counters are in, and the verdict of that interval.
RATE_DTYPE: Final = np.dtype([("interval", "i8"), ("is_blocked", "i8")], align=True)
#: Inspections of one API in one phase, for the bill and the results.
INSPECTION_DTYPE: Final = np.dtype(
    [("requests", "i8"), ("by_rate", "i8"), ("by_rule", "i8")], align=True
)


@inline
def number_of_address(blocks: NDArray[np.void], first: int, count: int, ip: int) -> int:
    """Number of an address within the blocks of one web ACL, which are sorted; -1 outside them."""
    low = first
    high = first + count
    while low < high:
        middle = (low + high) // 2
        block = blocks[middle]
        if ip < block["first"]:
            high = middle
        elif ip >= block["first"] + block["size"]:
            low = middle + 1
        else:
            return block["before"] + ip - block["first"]  # type: ignore[no-any-return]
    return -1


@inline
def is_over_rate(
    rule: np.void, rates: NDArray[np.void], counts: NDArray[np.int32], address: int, now_ns: int
) -> bool:
    """Count one request and say whether its address is blocked.

    Parameters
    ----------
    rule : RATE_RULE_DTYPE record
    rates : RATE_DTYPE array
        Verdicts of all rules' addresses; updated.
    counts : int32 array
        Counters of all rules' addresses; updated.
    address : int
        Number of the address, >= 0.
    now_ns : int
        When the request is inspected; never before the last one's time.
    """
    size = rule["intervals"] + 1
    rate = rates[rule["first_rate"] + address]
    ring = rule["first_count"] + address * size
    interval = now_ns // rule["delay_ns"]
    if interval != rate["interval"]:
        # What the window has left behind; the running interval starts at nothing.
        for gone in range(max(rate["interval"], interval - size) + 1, interval + 1):
            counts[ring + gone % size] = 0
        total = 0
        for place in range(size):
            total += counts[ring + place]
        rate["interval"] = interval
        rate["is_blocked"] = 1 if total > rule["limit"] else 0
    counts[ring + interval % size] += 1
    return rate["is_blocked"] == 1  # type: ignore[no-any-return]


@inline
def over_any_rate(
    waf: np.void,
    rules: NDArray[np.void],
    blocks: NDArray[np.void],
    rates: NDArray[np.void],
    counts: NDArray[np.int32],
    ip: int,
    now_ns: int,
) -> bool:
    """Whether a rate-based rule blocks a call; the first that does ends the evaluation.

    The rules after it do not count the call. An unknown address (-1) is not counted at all.
    """
    if ip < 0:
        return False
    address = number_of_address(blocks, waf["first_block"], waf["n_blocks"], ip)
    if address < 0:
        return False
    for at in range(waf["first_rule"], waf["first_rule"] + waf["n_rules"]):
        if is_over_rate(rules[at], rates, counts, address, now_ns):
            return True
    return False


@inline
def note_inspection(
    inspections: NDArray[np.void], phase: int, api: int, is_warm_up: int, verdict: int
) -> None:
    """Count one inspection, in the phase of the request."""
    row = inspections[phase, api, is_warm_up]
    row["requests"] += 1
    if verdict == BLOCKED_BY_RATE:
        row["by_rate"] += 1
    elif verdict == BLOCKED_BY_RULE:
        row["by_rule"] += 1
