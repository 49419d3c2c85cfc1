"""When a CloudWatch alarm is in which state: one evaluation, of what is known at that time.

Source: CloudWatch user guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat
missing data", whose tables are the tests of this module. An alarm looks at more datapoints than it
needs (the *evaluation range*), so that a late or missing one decides nothing; how many more AWS
does not say, and its examples show two.
"""

from collections.abc import Sequence
from typing import Final, Literal

__all__ = ["EXTRA_DATAPOINTS", "State", "evaluate"]

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

#: Datapoints of the evaluation range beyond ``n``; shown by examples, not documented.
EXTRA_DATAPOINTS: Final = 2


def evaluate(
    is_breaching: Sequence[bool | None], *, m: int, n: int, missing: str, state: State
) -> State:
    """State after one evaluation.

    Parameters
    ----------
    is_breaching : sequence of bool or None
        The evaluation range, the oldest first; None where there is no data.
    m, n : int
        How many of how many datapoints must breach, 1 <= m <= n.
    missing : {"missing", "ignore", "breaching", "not_breaching"}
        What missing datapoints are taken for, where too few others are there.
    state : {"OK", "ALARM", "INSUFFICIENT_DATA"}
        State before.

    Examples
    --------
    >>> evaluate([False, None, True, None, True], m=2, n=3, missing="missing", state="OK")
    'ALARM'
    >>> evaluate([None, None, None, None, True], m=2, n=3, missing="missing", state="OK")
    'INSUFFICIENT_DATA'
    """
    known = [one for one in is_breaching if one is not None][-n:]
    breaching = sum(known)
    if missing == "breaching":
        breaching += n - len(known)
    if breaching >= m:
        return "ALARM"
    if len(known) == n or missing == "breaching" or missing == "not_breaching":
        return "OK"
    if len(known) > breaching:
        return "OK"  # a datapoint within the threshold is there
    if missing == "ignore":
        return state
    # Only breaching ones, and too few of them: ALARM if the oldest is as old as m periods.
    return "ALARM" if _age_of_oldest(is_breaching) >= m else "INSUFFICIENT_DATA"


def _age_of_oldest(is_breaching: Sequence[bool | None]) -> int:
    """Age of the oldest datapoint in periods; the newest has age 1, and 0 means none."""
    for at, one in enumerate(is_breaching):
        if one is not None:
            return len(is_breaching) - at
    return 0
