"""The pictures of the README say what the scenarios say now, and load nothing."""

import re
from pathlib import Path

import pytest

from apisim.results.result import Result
from tests.docs import assets
from tests.docs.assets import ASSETS, FIGURES, SHOWN, texts_of

HINT = "make them anew: make docs-assets"
NAMES = ["summary.svg", *(f"{name}-{look}.svg" for name in FIGURES for look in ("light", "dark"))]


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """All pictures, made anew."""
    return dict(assets.assets())


def words_of(text: str) -> set[str]:
    """Words of a picture or a page, without rules."""
    return {word for word in text.split() if word.strip("─")}


@pytest.fixture(scope="module")
def result(made: dict[str, str]) -> Result:
    """The run of the summary, which was made with the pictures."""
    assert made
    return assets.result_of("scenarios/black-friday.yaml")


def test_the_folder_holds_these_pictures_and_no_others() -> None:
    assert sorted(file.name for file in ASSETS.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_says_what_it_would_say_now(name: str, made: dict[str, str]) -> None:
    said = texts_of((ASSETS / name).read_text(encoding="utf-8"))
    assert len(said) > 10
    assert said == texts_of(made[name]), HINT


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_loads_nothing(name: str) -> None:
    svg = (ASSETS / name).read_text(encoding="utf-8")
    assert svg.count("<svg") == 1
    links = set(re.findall(r"https?://[^\"' )<]+", svg))
    assert all(link.startswith("http://www.w3.org/") for link in links)
    assert "<script" not in svg
    assert "@font-face" not in svg
    assert "<image" not in svg


def test_the_terminal_says_nothing_that_the_summary_does_not(
    made: dict[str, str], result: Result
) -> None:
    page = result.summary(width=88)
    said = texts_of(made["summary.svg"])
    assert words_of(" ".join(said)) - words_of(page) == {"$", "scenarios/black-friday.yaml"}
    for title in SHOWN:
        assert any(text.startswith(title) for text in said)
    requests = result.requests
    assert any(f"{requests.total:,} requests: 200 96.8%" in text for text in said)
    assert f"digest {result.run_info.digest}" in " ".join(said)
    assert "simulated in" not in " ".join(said)


def test_a_dark_figure_says_what_the_light_one_says(made: dict[str, str]) -> None:
    for name in FIGURES:
        light, dark = (made[f"{name}-{look}.svg"] for look in ("light", "dark"))
        assert texts_of(light) == texts_of(dark)
        assert light != dark


def test_the_figure_s_key_has_the_shares_of_the_result(
    made: dict[str, str], result: Result
) -> None:
    said = " ".join(texts_of(made["requests-light.svg"]))
    series = result.frame("series")  # warm-up included, as in the figure
    for words, column in (
        ("throttled: method limit", "throttled_method"),
        ("served from the cache", "cache_hit"),
    ):
        share = series[column].sum() / series["requests"].sum()
        assert f"{words}, {share:.1%}" in said


def test_the_readme_shows_each_with_words_for_those_who_do_not_see_it(project: Path) -> None:
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert {name for name in NAMES if f"docs/assets/{name}" in readme} == set(NAMES)
    alts = re.findall(r"!\[([^\]]*)\]\(docs/assets/", readme) + re.findall(
        r'<img src="docs/assets/[^"]+" alt="([^"]*)"', readme
    )
    assert len(alts) == 3
    assert all(len(alt.split()) > 15 for alt in alts)


def test_the_words_for_the_pictures_are_true(result: Result) -> None:
    assert [verdict.ok for verdict in result.thresholds].count(False) == 2
    assert len(result.thresholds) == 4
    assert f"{result.bill.run.total:.2f}" == "2.58"
    slow = assets.result_of("scenarios/slow-database.yaml").frame("latency_series")
    calm, rush = slow[slow.time_s.between(8, 115)], slow[slow.time_s.between(130, 235)]
    after = slow[slow.time_s > 250]
    for quiet in (calm, after):
        assert quiet.latency_ms_p50.mean() == pytest.approx(54, abs=1)
    for column in ("latency_ms_p50", "latency_ms_p90", "latency_ms_p99"):
        assert rush[column].between(1170, 1530).all()
