"""``docs/assets``: the pictures of the README, made from scenarios that are shipped.

python -m tests.docs.assets    writes them (``make docs-assets``)

They are SVG whose words are text: what they say can be compared, searched and read aloud. Bytes may
differ between versions of the libraries, what is said may not.
"""

import io
import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any, Final

import apisim
from apisim.report.style import theme
from apisim.results.headline import headline, reproduction
from apisim.results.result import Result
from apisim.results.sections import sections
from apisim.results.text import render_sheet

__all__ = ["ASSETS", "FIGURES", "SCENARIOS", "SHOWN", "assets", "result_of", "texts_of"]

_PROJECT: Final = Path(__file__).resolve().parent.parent.parent
ASSETS: Final = _PROJECT / "docs" / "assets"

#: Scenario of each figure, and what draws it.
FIGURES: Final = {
    "requests": ("scenarios/black-friday.yaml", "plot_requests"),
    "latency": ("scenarios/slow-database.yaml", "plot_latency_over_time"),
}
_SUMMARY: Final = "scenarios/black-friday.yaml"
SCENARIOS: Final = (_SUMMARY, "scenarios/slow-database.yaml")
#: Tables of the summary that the picture has room for.
SHOWN: Final = ("Thresholds", "Traffic", "Throttling", "Lambda functions", "Cost of the run")
_COLUMNS: Final = 88
#: Of lines and areas; and those of their numbers that are longer than they need be.
_COORDINATES: Final = re.compile(r'\bd="[^"]*"')
_LONG: Final = re.compile(r"-?\d+\.\d+")
#: Without fonts from elsewhere: a picture in a page loads nothing.
_TERMINAL: Final = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; white-space: pre;
}}
.{unique_id}-title {{ font-size: 18px; font-family: system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def assets() -> Iterator[tuple[str, str]]:
    """Name and text of each picture."""
    yield "summary.svg", _terminal(result_of(_SUMMARY))
    for name, (scenario, draw) in FIGURES.items():
        for look in ("light", "dark"):
            yield f"{name}-{look}.svg", _figure(result_of(scenario), draw, look)


@cache
def result_of(scenario: str) -> Result:
    return apisim.run(_PROJECT / scenario)


def _terminal(result: Result) -> str:
    """Some tables of the summary as a terminal shows them, recorded by rich."""
    from rich.console import Console
    from rich.text import Text

    console = Console(
        file=io.StringIO(), record=True, width=_COLUMNS, force_terminal=True,
        color_system="truecolor", _environ={},
    )  # fmt: skip
    console.print(Text.assemble(("$ ", "dim"), f"apisim run {_SUMMARY}"))
    shown = [one for one in sections(result) if one.title.startswith(SHOWN)]
    console.print(render_sheet(headline(result), shown))
    # Not how long it took, which is of the machine.
    (digest,) = [line for line in reproduction(result) if line.startswith("digest ")]
    console.print(f"\n{digest}", highlight=False)
    return console.export_svg(title="apisim", code_format=_TERMINAL, unique_id="summary")


def _figure(result: Result, draw: str, look: str) -> str:
    from matplotlib import pyplot as plt
    from matplotlib import rc_context

    settings: dict[str, Any] = {"svg.fonttype": "none", "svg.hashsalt": draw}
    with theme(look), rc_context(settings):
        figure = getattr(apisim, draw)(result).figure
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", text.getvalue(), flags=re.DOTALL)
    # A tenth of a point is finer than a screen, and half of the file.
    return _COORDINATES.sub(lambda path: _LONG.sub(_rounded, path[0]), svg)


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")


def texts_of(svg: str) -> list[str]:
    """What a picture says, in the order in which it is drawn."""
    said = re.findall(r"<text\b[^>]*>(.*?)</text>", svg, re.DOTALL)
    plain = (unescape(re.sub(r"<[^>]+>", "", text)) for text in said)
    return [" ".join(text.split()) for text in plain if text.strip()]


def main() -> None:
    """Write them."""
    ASSETS.mkdir(exist_ok=True)
    for name, svg in assets():
        lines = (line.rstrip() for line in svg.splitlines())
        (ASSETS / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
