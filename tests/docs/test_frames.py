"""``docs/frames.md`` is what the schema makes it."""

from tests.docs.frames import PAGE, page


def test_the_page_of_frames_is_current() -> None:
    hint = "write it anew: python -m tests.docs.frames"
    assert PAGE.read_text(encoding="utf-8") == page(), hint
    assert "`series` has `mean_open`, `peak_open`, `connects`, `closes`\nonly with" in page()
    assert page().count("\n## ") == 40
    assert (
        "| `latency_ms_p99` | real | ms | 99th percentile at the client, refusals included |"
        in page()
    )
