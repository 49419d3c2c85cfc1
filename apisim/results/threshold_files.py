"""The exports ``junit`` and ``github``: thresholds where a build shows its tests.

``junit`` is the XML that CI systems read: a test case for each condition, a failure where it does
not hold, skipped where it holds but the interval over replications reaches over the limit. With one
replication there is no interval, and what holds has passed. Both are failures of a strict run.
``github`` has workflow commands, one a line, to be printed by a step (``cat``): an error, a warning
or a notice at the condition's own line of the scenario.

Sources: the schema of Jenkins' xUnit plugin (``junit-10.xsd``); GitHub Docs, "Workflow commands for
GitHub Actions" (what is escaped, and how).
"""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from typing import Final

from apisim.engine.program import Program
from apisim.results.exporter import INTERRUPTED, Export, ExportKind
from apisim.results.result import Result
from apisim.results.sections_thresholds import between, value_text
from apisim.results.verdicts import Verdict

__all__ = ["GITHUB", "JUNIT", "GitHubAnnotations", "JUnitXml"]

#: What XML 1.0 cannot hold, not even escaped.
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Thresholds(Export):
    """Verdicts of a run."""

    def _fails(self, verdict: Verdict) -> bool:
        return not verdict.ok or (self.is_strict and not verdict.conclusive)


class JUnitXml(_Thresholds):
    """JUnit's XML."""

    def write(self, result: Result) -> None:
        """Write a suite of all thresholds."""
        verdicts = result.thresholds
        info, name = result.run_info, _clean(result.scenario.title)
        numbers = {
            "tests": str(len(verdicts) + (not result.completed)),
            "failures": str(sum(self._fails(one) for one in verdicts)),
            "errors": str(int(not result.completed)),
            "skipped": str(sum(_is_doubtful(one) and not self.is_strict for one in verdicts)),
            "time": f"{info.wall_s:.3f}",
        }
        suites = ET.Element("testsuites", numbers)
        suite = ET.SubElement(suites, "testsuite", {"name": name, **numbers})
        properties = ET.SubElement(suite, "properties")
        for key in ("version", "engine", "seed", "replications", "digest"):
            value = str(getattr(info, key))
            ET.SubElement(properties, "property", name=f"apisim.{key}", value=value)
        if not result.completed:
            case = ET.SubElement(suite, "testcase", classname=name, name="run")
            ET.SubElement(case, "error", message=INTERRUPTED, type="interrupted")
        for verdict in verdicts:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=f"{name}.thresholds",
                name=_clean(f"{verdict.metric}: {verdict.expression}"),
                time="0",
            )
            said = _clean(_said(verdict))
            if self._fails(verdict):
                failure = ET.SubElement(case, "failure", message=said, type="threshold")
                failure.text = said
            elif _is_doubtful(verdict):
                ET.SubElement(case, "skipped", message=said)
            else:
                ET.SubElement(case, "system-out").text = said
        ET.indent(suites)
        text = ET.tostring(suites, encoding="unicode")
        self.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')
        self.file.keep()


class GitHubAnnotations(_Thresholds):
    """Workflow commands of GitHub Actions."""

    def write(self, result: Result) -> None:
        """Write a line for each threshold."""
        if not result.completed:
            self.write_text(f"::error title=run::{INTERRUPTED}\n")
        for verdict, place in zip(result.thresholds, _places(self.program), strict=True):
            word = "warning" if _is_doubtful(verdict) else "notice"
            if self._fails(verdict):
                word = "error"
            title = f"{verdict.metric}: {verdict.expression}"
            named = {**place, "title": title}
            properties = ",".join(f"{key}={_property(text)}" for key, text in named.items())
            self.write_text(f"::{word} {properties}::{_data(_said(verdict))}\n")
        self.file.keep()


def _places(program: Program) -> Iterator[dict[str, str]]:
    """Where each threshold is written; nothing for those of an option."""
    scenario = program.scenario
    seen: Counter[str] = Counter()
    for threshold in scenario.thresholds:
        path = ("thresholds", threshold.key, seen[threshold.key])
        seen[threshold.key] += 1
        file, line, column = scenario.positions.locate(path)
        if file == scenario.source.file:
            yield {"file": file, "line": str(line), "col": str(column)}
        else:
            yield {}


def _is_doubtful(verdict: Verdict) -> bool:
    return verdict.ok and verdict.conclusive is False


def _said(verdict: Verdict) -> str:
    """A verdict in a sentence."""
    if not verdict.is_measured:
        return f"nothing was measured for {verdict.metric}: {verdict.expression} does not hold"
    said = f"{verdict.metric} is {value_text(verdict.value, verdict.unit)}"
    if verdict.interval is not None:
        said += f" (95% interval {between(verdict.interval, verdict.unit)})"
    said += f": {verdict.expression} {'holds' if verdict.ok else 'does not hold'}"
    return f"{said}; {verdict.reason}" if verdict.reason and verdict.conclusive is False else said


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


JUNIT: Final = ExportKind(
    name="junit",
    endings=(".xml",),
    description="thresholds as tests, in JUnit's XML",
    opens=JUnitXml,
)
GITHUB: Final = ExportKind(
    name="github",
    endings=(".txt",),
    description="thresholds as annotations of GitHub Actions",
    opens=GitHubAnnotations,
)
