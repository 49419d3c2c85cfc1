"""The report: read back by an HTML parser, against the result it is about."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from apisim.report.page import RunFolderError, report_html, run_of, write_report
from apisim.report.page.answer import answer_of, verdict_of
from apisim.report.style import FAINT, INK
from apisim.results.atomic import OutputError
from apisim.results.files import write_files
from apisim.results.sections import sections
from apisim.scenario import loads
from apisim.studies import run
from tests.support.figures import SHOP, result_of

VOID = {"meta", "br", "wbr", "link", "img", "hr", "input"}
HOSTILE = """
apisim: 1
profile: ideal
name: <script>alert("1")</script> & 'friends'
description: "</style><img src=x onerror=alert(2)>"
apis:
  shop: {type: rest, routes: {GET /items: {integration: {type: mock}}}}
traffic:
  web: {phases: [{duration: 2s, rate: 5}], mix: {GET /items: 1}}
thresholds: {'latency{route:"GET /items"}': ["p(95)<1s"]}
"""


class Page(HTMLParser):
    """What an HTML document says, by the standard library's parser."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.attributes.append((tag, given))
        if name := given.get("id"):
            self.ids.append(name)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.links += [given[name] or "" for name in ("href", "src", "xlink:href") if name in given]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} ends where something else is open"

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)
            if self.open[-1] in ("td", "th"):
                self.tables[-1][-1][-1] += data


@pytest.fixture(scope="module")
def html() -> str:
    return report_html(result_of(SHOP))


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_element_is_closed_and_every_name_is_there_once(page: Page) -> None:
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_nothing_is_fetched_and_nothing_runs(html: str, page: Page) -> None:
    assert page.links
    assert all(link.startswith("#") for link in page.links)
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert "script" not in {tag for tag, _ in page.attributes}
    assert not [name for _, given in page.attributes for name in given if name.startswith("on")]
    # The namespaces of SVG are names, not addresses.
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.findall(r"url\((?!#)|@import", html)


def test_a_screen_reader_finds_its_way(page: Page) -> None:
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    steps = zip(page.headings, page.headings[1:], strict=False)
    assert all(two <= one + 1 for one, two in steps)
    assert page.attributes[0] == ("html", {"lang": "en"})
    assert all("scope" in given for tag, given in page.attributes if tag == "th")
    drawings = [given for tag, given in page.attributes if tag == "svg"]
    assert drawings
    for given in drawings:
        assert given["role"] == "img"
        assert given["aria-labelledby"] in page.ids


def test_a_row_that_goes_on_has_no_empty_header() -> None:
    """A bill of two tiers; a screen reader would read nothing out as the name of the second."""
    busy = HOSTILE.replace("rate: 5", "rate: 200")  # 525,600,000 requests a month
    html = report_html(result_of(busy + "pricing: {month: project, represents: steady}"))
    bill = next(one for one in Page(html).tables if any(row[0] == "" for row in one[1:]))
    assert bill[0][0] == "Item"
    assert not re.search(r"<th[^>]*>\s*</th>", html)


def test_tables_say_what_the_summary_says(page: Page) -> None:
    wanted = [
        [[column.removeprefix(">") for column in one.columns], *map(list, one.rows)]
        for one in sections(result_of(SHOP))
    ]
    assert len(wanted) > 8
    assert [table for table in page.tables if table in wanted] == wanted
    # Two more are about the scenario.
    assert len(page.tables) == len(wanted) + 2


def test_figures_have_their_words_as_text_and_the_colours_of_the_page(
    html: str, page: Page
) -> None:
    words = {word.strip() for word in page.texts["text"]}
    assert {"Requests over time, by who refused them", "shop POST /orders", "rush"} <= words
    drawings = html[html.index("<svg") : html.rindex("</svg>")]
    for colour in (INK, FAINT, "#ffffff"):
        assert not re.search(rf"(?:fill|stroke): {colour}", drawings)
    assert "var(--ink)" in drawings
    assert "<text" in drawings


def test_names_that_are_markup_stay_text() -> None:
    result = result_of(HOSTILE)
    page = Page(report_html(result))
    assert page.open == []
    tags = {tag for tag, _ in page.attributes}
    assert not tags & {"script", "img", "b"}
    assert page.texts["h1"] == [result.scenario.name]
    assert len([tag for tag, _ in page.attributes if tag == "title"]) == 1


def test_the_verdict_comes_first() -> None:
    def told(thresholds: str, replications: int = 1) -> tuple[str, str]:
        text = SHOP.replace("replications: 2", f"replications: {replications}")
        return verdict_of(result_of(text + f"thresholds: {thresholds}\n"))

    assert told("{}")[0] == "open"
    assert told("{cost_run: ['value<1']}") == ("good", "Yes: the threshold holds.")
    looks, words = told("{cost_run: ['value<1'], latency: ['p(99)<1ms']}")
    assert looks == "bad"
    assert words.startswith("No: 1 of 2 thresholds fails (latency p(99)<1ms is ")
    # Nobody calls this route.
    looks, words = told("{'latency{route: GET /never}': ['p(99)<1s', 'p(50)<1s']}")
    assert (looks, words) == (
        "bad",
        "No: 2 of 2 thresholds fail (nothing was measured for latency{route: GET /never} p(99)<1s, "
        "nothing was measured for latency{route: GET /never} p(50)<1s).",
    )
    # The interval of two replications reaches over this limit, their mean does not.
    interval = result_of(SHOP).intervals["latency mean"]
    assert interval.mean < 40 < interval.high
    looks, words = told("{latency: ['mean<40ms']}", replications=2)
    assert looks == "open"
    assert "not beyond chance" in words


def test_the_answer_counts_what_was_answered_429() -> None:
    result = result_of(SHOP)
    first = answer_of(result)[0]
    counts = [int(count) for count in re.findall(r" (\d+)", first.partition("(")[2])]
    assert sum(counts) == result.requests.by_status[429]
    assert len(counts) == 3  # account, stage and method


def test_a_run_is_repeated_from_its_folder(tmp_path: Path) -> None:
    result = run(loads(SHOP), duration="31s")
    write_files(result, tmp_path)
    again = run_of(tmp_path)
    assert again.run_info.digest == result.run_info.digest
    assert again.run_info.simulated_s == result.run_info.simulated_s


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"digest": "0" * 16}, "it is another run"),
        ({"completed": False}, "was interrupted"),
        (None, "is not a result of apisim run"),
    ],
)
def test_a_folder_of_another_run_is_refused(
    tmp_path: Path, change: dict[str, Any] | None, message: str
) -> None:
    write_files(result_of(HOSTILE), tmp_path)
    document = json.loads((tmp_path / "result.json").read_text())
    if change is None:
        del document["run"]
    else:
        document["run"] |= change
    (tmp_path / "result.json").write_text(json.dumps(document))
    with pytest.raises(RunFolderError, match=message):
        run_of(tmp_path)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"result\.json cannot be read"):
        run_of(tmp_path)
    (tmp_path / "result.json").write_text("{")
    with pytest.raises(RunFolderError, match="is no JSON"):
        run_of(tmp_path)
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(RunFolderError, match=r"has no scenario\.yaml"):
        run_of(tmp_path)


def test_a_report_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    result = result_of(HOSTILE)
    page = write_report(result, tmp_path / "report.html")
    assert page.read_text() == report_html(result)
    with pytest.raises(OutputError):
        write_report(result, tmp_path / "report.html" / "report.html")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_an_interrupted_run_says_so() -> None:
    result = replace(result_of(HOSTILE), completed=False)
    assert verdict_of(result)[0] == "open"
    assert "INTERRUPTED" in report_html(result)


def test_a_month_of_periods_is_below_three_megabytes() -> None:
    text = SHOP.replace("duration: 30s, rate: 80", "duration: 66m, rate: 2").replace(
        "2\nwarm", "1\nwarm"
    )
    result = result_of(text)
    assert len(result.frame("series")) // 2 > 3_900
    assert len(report_html(result).encode()) < 3_000_000
