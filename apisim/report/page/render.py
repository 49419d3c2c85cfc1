"""The page itself: contents, figures and style put together."""

from pathlib import Path
from typing import TYPE_CHECKING

from apisim.report.page.answer import answer_of, key_figures, verdict_of
from apisim.report.page.drawings import drawings_of, tornado_of
from apisim.report.subjects import draws
from apisim.results.atomic import as_output_error, refuse_input, write_text
from apisim.results.headline import headline, reproduction
from apisim.results.page_tables import name_parts
from apisim.results.result import Result
from apisim.results.section import Section
from apisim.results.sections import chapters
from apisim.scenario import Scenario
from apisim.scenario.html import scenario_facts, scenario_tables
from apisim.studies import Assumptions

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["report_html", "write_report"]


@draws
def report_html(result: Result, *, assumed: Assumptions | None = None) -> str:
    """A run as a page.

    Parameters
    ----------
    result : Result
        Of :func:`apisim.run`.
    assumed : Assumptions, optional
        Of :func:`apisim.assumptions`: which of them matter becomes a part of the page.

    Returns
    -------
    str
        An HTML document, complete in itself: no network, no script. Every text is escaped.

    Examples
    --------
    >>> import apisim
    >>> result = apisim.run("scenarios/quickstart.yaml")  # doctest: +SKIP
    >>> apisim.report_html(result)[:15]  # doctest: +SKIP
    '<!doctype html>'
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("apisim.report.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    scenario = result.scenario
    looks, verdict = verdict_of(result)
    parts = chapters(result)
    return environment.get_template("page.html.j2").render(
        title=scenario.name or scenario.source.file,
        description=[part for part in scenario.description.split("\n\n") if part.strip()],
        headline=headline(result)[1:],
        looks=looks,
        verdict=verdict,
        answer=answer_of(result),
        key_figures=key_figures(result),
        drawings=drawings_of(result),
        parts=parts,
        scenario=_scenario_sections(scenario),
        facts=scenario_facts(scenario),
        notes=result.notes,
        assumed=None if assumed is None else assumed.sheet(),
        tornado=None if assumed is None else tornado_of(assumed),
        reproduction="\n".join(reproduction(result)),
        resolved=scenario.to_yaml(),
        sha256=scenario.source.sha256,
        css=environment.loader.get_source(environment, "page.css")[0],  # type: ignore[union-attr]
    )


def _breakable(name: str) -> "Markup":
    """A name that a narrow column may break behind what joins its parts."""
    from markupsafe import Markup

    return Markup("<wbr>").join(name_parts(name))  # escapes each


@draws
def write_report(result: Result, file: str | Path, *, assumed: Assumptions | None = None) -> Path:
    """Write a run as a page, whole or not at all.

    Parameters
    ----------
    result : Result
    file : str or pathlib.Path
        Replaced if it is there; its folder is made if it is missing.
    assumed : Assumptions, optional
        As :func:`report_html`.

    Raises
    ------
    OutputError
        If it cannot be written, or is a file that the run has read.
    """
    file = Path(file)
    refuse_input(file, result.scenario)
    with as_output_error(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, report_html(result, assumed=assumed))
    return file


def _scenario_sections(scenario: Scenario) -> list[Section]:
    titles = ("Routes", "Traffic asked for")
    return [
        Section(title=title, columns=tuple(columns), rows=tuple(rows), marks={})
        for title, (columns, rows) in zip(titles, scenario_tables(scenario), strict=True)
        if rows
    ]
