"""What notebooks and consoles show of studies: one line, or tables that are well formed."""

import re
from collections.abc import Callable

import pytest

from apisim.scenario import loads
from apisim.studies import advise, assumptions, compare, limits, search, sweep
from tests.support.html_page import Page

#: Names that a scenario may hold and that HTML must not.
EVIL = """
apisim: 1
name: '<script>alert("&amp;")</script>'
profile: ideal
replications: 2
apis:
  a:
    type: rest
    routes:
      GET /items/{id}: {integration: {type: mock}, throttle: {rate_limit: 2, burst_limit: 1}}
traffic:
  web: {phases: [{name: calm, duration: 5s, rate: 4}], mix: {"GET /items/{id}": 1}}
"""
RATE = "traffic.web.phases.0.rate"

#: A few requests each, so the golden model is quick enough and nothing is to be compiled.
STUDIES: dict[str, Callable[[], object]] = {
    "Comparison": lambda: compare(
        loads(EVIL), variants={"<i>more</i>": [f"{RATE}=8"]}, engine="simpy"
    ),
    "Sweep": lambda: sweep(loads(EVIL), {RATE: [2, 8]}, engine="simpy"),
    "Found": lambda: search(
        loads(EVIL), [f"{RATE}=1..9"], subject_to=["throttled rate<50%"], maximize=RATE,
        delta="4", engine="simpy",
    ),
    "Advised": lambda: advise(loads(EVIL), engine="simpy"),
    "Limits": lambda: limits(loads(EVIL), up_to=1, engine="simpy"),
    "Assumptions": lambda: assumptions(loads(EVIL), engine="simpy"),
}  # fmt: skip


@pytest.fixture(scope="module")
def studies() -> dict[str, object]:
    return {name: study() for name, study in STUDIES.items()}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_shown_as_escaped_tables_with_heads(name: str, studies) -> None:
    html = studies[name]._repr_html_()
    page = Page(html)
    assert not {"script", "i"} & set(page.tags)
    # Each table has a caption of its own and names its columns.
    assert page.tags.count("h4") == page.tags.count("table") == page.tags.count("thead") > 0
    assert len(re.findall("<th ", html)) == len(re.findall('<th scope="col"', html)) > 0


def test_names_are_shown_as_they_are(studies) -> None:
    for name, shown in (
        ("Comparison", "<i>more</i>"),
        ("Sweep", '<script>alert("&amp;")</script>'),
    ):
        assert shown in Page(studies[name]._repr_html_()).text


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_shows_in_a_notebook_what_its_summary_says(name: str, studies) -> None:
    study = studies[name]
    shown = Page(study._repr_html_()).text
    words = set(study.summary(width=200).split()) - {"note:"}
    assert {word for word in words if set(word) > {"─"} and word not in shown} == set()


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_one_line_in_a_console(name: str, studies) -> None:
    line = repr(studies[name])
    assert line.startswith(f"<{name}")
    assert line.endswith(">")
    assert "\n" not in line
    assert len(line) < 150
