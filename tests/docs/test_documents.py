"""Documents are true: their commands print what stands there, their code runs, their links lead."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from apisim.cli.main import command_line
from tests.docs.blocks import DOCUMENTS, PROJECT, Block, blocks, run, scenario_of, split, timeless

CONSOLE = [block for document in DOCUMENTS for block in blocks(document, "console")]
PYTHON = [block for document in DOCUMENTS for block in blocks(document, "python")]
ALL_YAML = [block for document in DOCUMENTS for block in blocks(document, "yaml")]
BOOKS = [block for block in ALL_YAML if block.text.startswith("schema: apisim/pricebook")]
QUANTITIES = [block for block in ALL_YAML if block.text.startswith("apigateway.")]
YAML = [block for block in ALL_YAML if block not in (*BOOKS, *QUANTITIES)]
MARKDOWN = sorted(
    path for path in PROJECT.glob("**/*.md") if not {".venv", "node_modules"} & set(path.parts)
)


def _label(block: Block) -> str:
    return f"{block.document}:{block.line}"


@pytest.mark.parametrize("block", CONSOLE, ids=_label)
def test_a_command_prints_what_the_document_says(block: Block) -> None:
    command, shown = split(block)
    assert timeless(run(command)) == timeless(shown)


@pytest.mark.parametrize("block", PYTHON, ids=_label)
def test_code_in_a_document_runs(block: Block) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block.text],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", YAML, ids=_label)
def test_a_scenario_in_a_document_runs(
    block: Block, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(scenario_of(block))
    assert command_line(["run", str(file), "--quiet"]) in (0, 99), capsys.readouterr().err


def _accepted(file: Path, text: str, *command: str) -> None:
    file.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "apisim", *command, str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", BOOKS, ids=_label)
def test_a_price_book_in_a_document_is_right(block: Block, tmp_path: Path) -> None:
    _accepted(tmp_path / "book.yaml", block.text, "pricebooks", "check")


@pytest.mark.parametrize("block", QUANTITIES, ids=_label)
def test_quantities_in_a_document_can_be_priced(block: Block, tmp_path: Path) -> None:
    _accepted(tmp_path / "month.yaml", block.text, "price", "--quantities")


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(PROJECT)))
def test_links_inside_the_project_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path}: {target}"
