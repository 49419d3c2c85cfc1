"""Where a monotone question changes its answer: bisection that respects intervals.

On one side of the answer every setting is infeasible, on the other every one is feasible. What
noise leaves unclear is simulated more often, and what is unclear then stays between the two ends of
the bracket: it ends at the last setting that is conclusively infeasible, and at the first that is
conclusively feasible.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from apisim.studies.conditions import Verdict

__all__ = ["Bracket", "bisect"]

Judge = Callable[[Decimal], Verdict]


@dataclass(frozen=True, slots=True)
class Bracket:
    """Where the answer lies.

    Attributes
    ----------
    infeasible : Decimal or None
        Last value that is conclusively infeasible; None if the range begins feasible or unclear.
    feasible : Decimal or None
        First value that is conclusively feasible; None if there is none.
    """

    infeasible: Decimal | None
    feasible: Decimal | None


def bisect(
    judge: Judge, bad: Decimal, good: Decimal, step: Callable[[Decimal, Decimal], Decimal | None]
) -> Bracket:
    """Bracket of the first feasible value on the way from ``bad`` to ``good``.

    Parameters
    ----------
    judge : callable
        Verdict on a value; the same for the same value.
    bad, good : Decimal
        Ends of the range: from where values are infeasible to where they are feasible.
    step : callable
        The value between two; None where they are as near as wanted.
    """
    if judge(bad) is Verdict.FEASIBLE:
        return Bracket(None, bad)
    if judge(good) is not Verdict.FEASIBLE:
        return Bracket(good if judge(good) is Verdict.INFEASIBLE else None, None)
    # Between what is feasible and what is not known to be.
    low, high = bad, good
    while (middle := step(low, high)) is not None:
        if judge(middle) is Verdict.FEASIBLE:
            high = middle
        else:
            low = middle
    feasible = high
    if judge(bad) is not Verdict.INFEASIBLE:
        return Bracket(None, feasible)
    # Between what is infeasible and what is not known to be.
    low, high = bad, feasible
    while (middle := step(low, high)) is not None:
        if judge(middle) is Verdict.INFEASIBLE:
            low = middle
        else:
            high = middle
    return Bracket(low, feasible)


def is_monotone(verdicts: Sequence[tuple[Decimal, Verdict]], *, upwards: bool) -> bool:
    """Whether no value beyond a feasible one is infeasible."""
    seen = False
    for _, verdict in sorted(verdicts, key=lambda pair: pair[0], reverse=not upwards):
        if verdict is Verdict.FEASIBLE:
            seen = True
        elif verdict is Verdict.INFEASIBLE and seen:
            return False
    return True
