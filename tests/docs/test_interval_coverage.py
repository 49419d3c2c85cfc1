"""``docs/interval-coverage.md`` says what was measured, and that is what would be measured now."""

from tests.docs.interval_coverage import (
    CASES,
    DOCUMENT,
    FEW,
    SIZES,
    TOLERANCE,
    covered,
    document,
    kept,
)


def test_the_page_is_what_the_figures_say() -> None:
    assert DOCUMENT.read_text() == document(kept())


def test_a_part_of_one_case_comes_out_the_same() -> None:
    """Twenty-five runs of twenty replications, count by count: nothing is random in them."""
    assert covered(1, range(FEW)) == kept()[CASES[1].name]["few"]


def test_the_gated_cells_are_within_their_tolerance() -> None:
    figures = kept()
    looked_at = 0
    for case in CASES:
        assert figures[case.name]["runs"] == case.runs
        for one in case.gated:
            for size in SIZES:
                inside = figures[case.name]["counts"][f"{one.label} R={size}"][0]
                assert abs(inside / case.runs - 0.95) <= TOLERANCE, (case.name, one.label, size)
                looked_at += 1
    assert looked_at == 8
