"""The report in headless Chromium: what a person sees of it on a screen, a phone and paper.

Screenshots are not kept: fonts differ between machines. What must hold of one is measured in the
page (sizes, places, contrast), and the figures are compared with matplotlib's own drawing of them.
"""

import io
import itertools
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from apisim.report import (
    plot_latency_by_route,
    plot_latency_over_time,
    plot_requests,
)
from apisim.report import theme as dressed
from apisim.report.page import write_report
from apisim.results.result import Result
from apisim.results.section import Section
from apisim.results.sections import sections
from tests.support.browsing import axe_source, chromium
from tests.support.figures import SHOP, result_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZES = {1280: 900, 390: 844}
THEMES = ("light", "dark")
SCREENS = list(itertools.product(SIZES, THEMES))

#: Names that no narrow screen has room for, a failed threshold, and a phase for each table row.
LONG = """
apisim: 1
profile: ideal
name: A_name_without_any_space_that_is_longer_than_every_telephone_is_wide_and_goes_on_and_on
apis:
  an-api-with-quite-a-long-name-of-its-own:
    type: rest
    routes:
      GET ROUTE:
        integration: {type: mock}
traffic:
  everybody:
    phases: [PHASES]
    mix: {"GET ROUTE": 1}
thresholds:
  'requests{traffic:"everybody",route:"GET ROUTE"}': ["count<1"]
  cost_run: ["value<0.000001"]
"""
ROUTE = "/organisations/{organisation}/departments/{department}/employees/{employee}/addresses"
N_PHASES = 55


def long_names() -> Result:
    phases = (f"{{name: phase-{k}-of-the-day, duration: 1s, rate: 9}}" for k in range(N_PHASES))
    return result_of(LONG.replace("PHASES", ", ".join(phases)).replace("ROUTE", ROUTE))


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    return {
        "shop": write_report(result_of(SHOP), folder / "shop.html"),
        "long": write_report(long_names(), folder / "long.html"),
    }


@pytest.fixture(scope="module")
def opened(browser: "Browser", pages: dict[str, Path]) -> "Iterator[Opened]":
    found = Opened(browser, pages)
    yield found
    found.close()


class Opened:
    """Pages, each opened once, and what they said and asked for on the way."""

    def __init__(self, browser: "Browser", files: dict[str, Path]) -> None:
        self._browser = browser
        self._files = files
        self._pages: dict[tuple[str, int, str], Page] = {}
        self.said: list[str] = []
        self.asked: list[str] = []

    def __call__(self, name: str, width: int = 1280, theme: str = "light") -> "Page":
        key = (name, width, theme)
        if key not in self._pages:
            self._pages[key] = self._open(self._files[name], width, theme)
        return self._pages[key]

    def _open(self, file: Path, width: int, theme: Any) -> "Page":
        size: Any = {"width": width, "height": SIZES[width]}
        page = self._browser.new_page(viewport=size, color_scheme=theme)
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(file.as_uri())
        return page

    def close(self) -> None:
        for page in self._pages.values():
            page.close()


# ------------------------------------------------------------------------------------- on screens


def test_nothing_is_complained_of_and_nothing_else_is_asked_for(
    opened: Opened, pages: dict[str, Path]
) -> None:
    for width, theme in SCREENS:
        opened("shop", width, theme)
    for width in SIZES:
        opened("long", width)
    assert opened.said == []
    assert set(opened.asked) == {file.as_uri() for file in pages.values()}


def test_the_listeners_hear_what_they_wait_for(browser: "Browser", tmp_path: Path) -> None:
    file = tmp_path / "bad.html"
    file.write_text(
        "<meta http-equiv='Content-Security-Policy' content=\"script-src 'none'\">"
        "<img src='other.png'><script>1</script>"
    )
    bad = Opened(browser, {"bad": file})
    bad("bad").wait_for_load_state("networkidle")
    bad.close()
    assert bad.asked[1:] == [(tmp_path / "other.png").as_uri()]
    assert any("Content Security Policy" in said for said in bad.said)


@pytest.mark.parametrize(
    ("name", "width", "theme"),
    [*(("shop", *screen) for screen in SCREENS), ("long", 390, "light")],
)
def test_axe_finds_no_violation(opened: Opened, name: str, width: int, theme: str) -> None:
    page = opened(name, width, theme)
    page.evaluate(axe_source() + "; 0")
    found = page.evaluate("axe.run()")
    told = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]
    assert told == []
    assert {"color-contrast", "th-has-data-cells"} <= {one["id"] for one in found["passes"]}


@pytest.mark.parametrize("name", ["shop", "long"])
@pytest.mark.parametrize("width", SIZES)
def test_the_page_is_never_wider_than_the_screen(opened: Opened, name: str, width: int) -> None:
    page = opened(name, width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    # Nor is anything cut off: what is wider lies in a part that scrolls by itself.
    outside = page.evaluate(
        """() => [...document.querySelectorAll("main *, header *, nav *")].filter(one =>
             !one.closest(".scroll, pre") && one.getBoundingClientRect().right > innerWidth
           ).map(one => one.outerHTML.slice(0, 80))"""
    )
    assert outside == []


@pytest.mark.parametrize("width", SIZES)
def test_the_verdict_and_the_key_figures_are_on_the_first_screen(
    opened: Opened, width: int
) -> None:
    page = opened("shop", width)
    verdict, tile = (box(page, which) for which in (".verdict", ".tiles div"))
    assert verdict["y"] + verdict["height"] < tile["y"]
    assert tile["y"] + tile["height"] < SIZES[width]


@pytest.mark.parametrize("width", SIZES)
def test_no_text_is_small_or_cut(opened: Opened, width: int) -> None:
    page = opened("shop", width)
    cut = page.evaluate(
        """() => [...document.querySelectorAll("h1, h2, h3, p, li, dt, dd, th, td, figcaption")]
           .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.textContent)"""
    )
    assert cut == []
    sizes = page.evaluate(
        """() => [...document.querySelectorAll("main *")].filter(one =>
             one.checkVisibility() && [...one.childNodes].some(
               part => part.nodeType == 3 && part.data.trim())
           ).map(one => parseFloat(getComputedStyle(one).fontSize)
               * (one.ownerSVGElement
                 ? Math.hypot(one.getScreenCTM().a, one.getScreenCTM().b) : 1))"""
    )
    assert min(sizes) >= 8  # of a drawing on a phone, [pixels of CSS]
    assert np.median(sizes) >= 12


@pytest.mark.parametrize("name", ["shop", "long"])
def test_words_of_a_drawing_lie_inside_it_and_not_on_each_other(opened: Opened, name: str) -> None:
    boxes = opened(name).evaluate(
        """() => [...document.querySelectorAll("svg")].map(svg => [svg, ...svg.querySelectorAll(
             "text")].map(one => { const b = one.getBoundingClientRect();
               return [b.left, b.top, b.right, b.bottom] }))"""
    )
    for svg, *texts in boxes:
        assert len(texts) > 10
        for left, top, right, bottom in texts:
            assert left >= svg[0] - 2
            assert top >= svg[1] - 2
            assert right <= svg[2] + 2
            assert bottom <= svg[3] + 2
        for one, two in itertools.combinations(texts, 2):
            across = min(one[2], two[2]) - max(one[0], two[0])
            along = min(one[3], two[3]) - max(one[1], two[1])
            # A line of text is higher than its letters.
            assert across < 2 or along < 0.4 * min(one[3] - one[1], two[3] - two[1])


def test_a_row_keeps_its_name_while_its_numbers_are_scrolled(opened: Opened) -> None:
    page = opened("shop", 390)
    before, after = page.evaluate(
        """() => { const part = [...document.querySelectorAll(".scroll")].find(
             one => one.querySelector("table") && one.scrollWidth > one.clientWidth + 100);
           const name = part.querySelector("tbody th"), number = part.querySelector("tbody td");
           const places = () => [name, number].map(one => one.getBoundingClientRect().left);
           const before = places(); part.scrollLeft = 90; const after = places();
           part.scrollLeft = 0; return [before, after] }"""
    )
    assert after[0] == pytest.approx(before[0], abs=1)
    assert after[1] == pytest.approx(before[1] - 90, abs=1)


def test_the_keyboard_goes_from_the_first_link_to_the_answer(opened: Opened) -> None:
    page = opened("shop")
    page.evaluate("scrollTo(0, 9999)")
    page.reload()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
    assert box(page, ".skip")["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    targets = page.evaluate("[...document.querySelectorAll('nav a')].map(one => one.hash)")
    assert len(targets) >= 7
    for target in targets:
        page.click(f"nav a[href='{target}']")
        assert page.evaluate("document.querySelector(':target h2').checkVisibility()")


def test_the_page_is_light_or_dark_as_its_reader_is(opened: Opened) -> None:
    light, dark = (pixels(opened("shop", 1280, theme).screenshot()) for theme in THEMES)
    assert np.median(light) > 240
    assert np.median(dark) < 40
    # Words are as far from the paper on both.
    assert np.percentile(light, 0.5) < 80
    assert np.percentile(dark, 99.5) > 180


@pytest.mark.parametrize(
    ("number", "plot", "dress"),
    [
        (0, plot_requests, "light"), (1, plot_latency_by_route, "light"),
        (1, plot_latency_by_route, "dark"), (2, plot_latency_over_time, "light"),
        (2, plot_latency_over_time, "dark"),
    ],
)  # fmt: skip
def test_a_drawing_looks_as_matplotlib_draws_it(
    opened: Opened, number: int, plot: Any, dress: str
) -> None:
    """Colours, hatchings and clipping survive what makes a drawing part of a page.

    What lies inside of the axes is compared: where they stand depends on the widths of letters.
    Without its hatchings the first differs by 18.6. The page's dark figures are matplotlib's.
    """
    drawing = opened("shop", 1280, dress).locator("svg[role=img]").nth(number)
    shot = drawing.locator("[id$=-patch_2]").first.screenshot()
    with dressed(dress):
        axes = plot(result_of(SHOP))
    figure = axes.figure
    drawn = io.BytesIO()
    figure.savefig(io.BytesIO(), format="svg")  # lays it out, by this format's widths of letters
    figure.set_layout_engine("none")
    figure.savefig(drawn, format="png")
    plt.close(figure)
    whole, place = Image.open(drawn), axes.get_position()
    corners = (place.x0, 1 - place.y1, place.x1, 1 - place.y0)
    inside = whole.crop(
        tuple(round(at * of) for at, of in zip(corners, 2 * whole.size, strict=True))
    )
    seen, wanted = blurred(Image.open(io.BytesIO(shot))), blurred(inside)
    difference = np.abs(seen - wanted).mean()
    assert difference < 6
    assert np.abs(seen[:, ::-1] - wanted).mean() > 3 * difference  # another one would be noticed


@pytest.mark.parametrize("theme", THEMES)
def test_every_colour_of_a_drawing_is_seen_on_its_paper(opened: Opened, theme: str) -> None:
    fills, paper = opened("shop", 1280, theme).evaluate(
        """() => [[...document.querySelectorAll("svg path, svg text")]
             .filter(one => !one.closest("defs")).map(one => getComputedStyle(one))
             .filter(one => one.fill != "none" && one.fillOpacity == 1).map(one => one.fill),
           getComputedStyle(document.body).backgroundColor]"""
    )
    colours = {colour for colour in fills if not colour.startswith("url")} - {paper}
    assert len(colours) >= 4
    # Areas of what is usual are pale on purpose; what is refused is not.
    faint = sorted(round(contrast(colour, paper), 2) for colour in colours)
    assert faint[0] >= 1.3, faint
    assert contrast(opened("shop", 1280, theme).evaluate(
        "getComputedStyle(document.body).color"), paper) > 7  # fmt: skip


# --------------------------------------------------------------------------------------- on paper


@pytest.fixture(scope="module", params=["shop", "long"])
def paper(request: pytest.FixtureRequest, opened: Opened) -> tuple[list[Section], list[str], Any]:
    """Tables of a result, the text of each page of its print, and the document."""
    pypdf = pytest.importorskip("pypdf", reason="no pypdf: pip install it")
    result = {"shop": lambda: result_of(SHOP), "long": long_names}[request.param]()
    printed = opened(request.param).pdf(prefer_css_page_size=True)
    document = pypdf.PdfReader(io.BytesIO(printed))
    return sections(result), [plain(page.extract_text()) for page in document.pages], document


def test_it_prints_on_a4(paper: Any) -> None:
    _, texts, document = paper
    for page in document.pages:
        assert [float(side) for side in page.mediabox[2:]] == pytest.approx([595, 842], abs=1.5)
    assert 2 <= len(texts) <= 8
    assert all(len(text) > 100 for text in texts)


def test_no_row_of_a_table_is_cut_by_the_end_of_a_page(paper: Any) -> None:
    tables, texts, _ = paper
    rows = [row for one in tables for row in one.rows if len("".join(row)) < 80]
    assert len(rows) > 15
    assert [row for row in rows if not any(plain("".join(row)) in text for text in texts)] == []


def test_a_short_table_is_on_one_page_and_a_long_one_repeats_its_header(paper: Any) -> None:
    tables, texts, _ = paper
    for one in tables:
        names = {plain("".join(row)) for row in one.rows if len("".join(row)) < 80}
        on = [text for text in texts if any(name in text for name in names)]
        header = plain("".join(column.removeprefix(">") for column in one.columns))
        assert len(on) <= (1 if len(one.rows) < 30 else 3), one.title
        assert all(header in text for text in on), one.title


@pytest.mark.parametrize("name", ["shop", "long"])
def test_nothing_is_wider_than_paper(browser: "Browser", pages: dict[str, Path], name: str) -> None:
    width = 680  # 180 mm between the margins, [pixels of CSS]
    page = browser.new_page(viewport={"width": width, "height": 1000})
    page.emulate_media(media="print")
    page.goto(pages[name].as_uri())
    right = page.evaluate(
        """() => Math.max(...[...document.querySelectorAll("body *")].filter(
             one => one.checkVisibility() && !one.closest("svg *")
           ).map(one => one.getBoundingClientRect().right))"""
    )
    page.close()
    assert right <= width + 0.5


# ----------------------------------------------------------------------------------------- helpers


def box(page: "Page", which: str) -> Any:
    """Where the first such element is on the page."""
    page.evaluate("scrollTo(0, 0)")
    return page.locator(which).first.bounding_box()


def plain(text: str) -> str:
    """Text without white space and ligatures, which a print has at other places."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def pixels(png: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"), dtype=float)


def blurred(picture: Image.Image) -> Any:
    """A picture in colours, so small that letters of any font are alike."""
    small = picture.convert("RGB").resize((80, 40), Image.Resampling.BOX)
    return np.asarray(small, dtype=float)


def contrast(one: str, two: str) -> float:
    """Contrast ratio of two colours, as WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        parts = np.array([int(part) for part in re.findall(r"\d+", colour)[:3]]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted(luminance(colour) for colour in (one, two))
    return (high + 0.05) / (low + 0.05)
