"""Notebooks run, are what their scripts say, and hold the outputs they give."""

import os
from pathlib import Path

import pytest

for _package in ("ipykernel", "jupytext", "nbclient"):
    pytest.importorskip(_package, reason=f"notebooks need {_package} (extras: notebook, dev)")

from tests.docs.notebooks import (  # noqa: E402
    FOLDER,
    MEASURED,
    NAMES,
    executed,
    outputs,
    script,
    stored,
)

#: The five that there are to be: a question each.
FIVE = (
    "01-first-look",
    "02-how-much-traffic-until-429",
    "03-rest-or-http-or-websocket",
    "04-cache-size-and-ttl-in-dollars",
    "05-validate-against-theory-and-aws",
)

_MEND = "python -m tests.docs.notebooks executes and stores the notebooks again"


def test_there_are_notebooks() -> None:
    assert tuple(NAMES) == FIVE
    assert [file.stem for file in sorted(FOLDER.glob("*.ipynb"))] == NAMES
    readme = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"(notebooks/{name}.ipynb)" not in readme] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_what_its_script_says(name: str) -> None:
    def cells(notebook):
        return [(cell["cell_type"], cell["source"]) for cell in notebook.cells]

    assert cells(stored(name)) == cells(script(name)), _MEND


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_stored_as_it_was_executed_from_top_to_bottom(name: str) -> None:
    code = [cell for cell in stored(name).cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), _MEND


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_does_not_tell_where_it_was_executed(name: str) -> None:
    assert str(FOLDER.parent) not in (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_goes_from_a_question_to_a_decision(name: str) -> None:
    told = [cell["source"] for cell in script(name).cells if cell["cell_type"] == "markdown"]
    assert told[0].startswith("# ")
    assert "?**" in told[0]
    assert any(text.startswith("## Decision") or "\n## Decision" in text for text in told)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_gives_what_is_stored(name: str) -> None:
    folder = Path(os.environ.get("APISIM_SHARED") or FOLDER.parents[1] / "shared")
    without = None if (folder / "data").is_dir() else MEASURED

    def texts(notebook):
        """Tables, figures and results in a line; their HTML has the time a run took."""
        return [
            (cell, output["output_type"], output.get("data", {}).get("text/plain"))
            for cell, output in outputs(notebook, without=without)
        ]

    now = executed(name)
    # No progress bar, no warning: nothing but what the cells show.
    assert {output["output_type"] for _, output in outputs(now)} <= {
        "display_data",
        "execute_result",
    }
    assert texts(now) == texts(stored(name)), _MEND
