"""``docs/calibration.md`` says what the measurements say."""

from pathlib import Path

from tests.docs.calibration import PAGE, page


def test_the_page_is_what_the_measurements_make_it(shared: Path) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(shared)
