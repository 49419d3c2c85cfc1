"""The 95 % intervals of apisim contain the truth 95 times of 100: 200,000 replications a case.

The error of a count of 10,000 is 0.0022, a third of the tolerance; the seeds are fixed.
"""

import pytest

from tests.docs.interval_coverage import CASES, SIZES, TOLERANCE, covered

pytestmark = [pytest.mark.oracle, pytest.mark.slow]

GATED = [at for at, case in enumerate(CASES) if case.gated]


@pytest.mark.parametrize("at", GATED, ids=[CASES[at].name for at in GATED])
def test_ninety_five_of_a_hundred_intervals_contain_the_truth(at: int) -> None:
    case = CASES[at]
    found = covered(at, range(case.runs))
    for one in case.gated:
        for size in SIZES:
            share = found[f"{one.label} R={size}"][0] / case.runs
            assert abs(share - 0.95) <= TOLERANCE, (one.label, size, share)
