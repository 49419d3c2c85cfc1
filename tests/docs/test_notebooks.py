"""Notebooks run, are what their scripts say, and hold the outputs they give."""

import pytest

for _package in ("ipykernel", "jupytext", "nbclient"):
    pytest.importorskip(_package, reason=f"notebooks need {_package} (extras: notebook, dev)")

from tests.docs.notebooks import FOLDER, NAMES, executed, outputs, script, stored  # noqa: E402

_MEND = "python -m tests.docs.notebooks executes and stores the notebooks again"


def test_there_are_notebooks() -> None:
    assert "01-first-look" in NAMES
    assert [file.stem for file in sorted(FOLDER.glob("*.ipynb"))] == NAMES


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
def test_a_notebook_runs_and_gives_what_is_stored(name: str) -> None:
    def texts(notebook):
        """Tables, figures and results in a line; their HTML has the time a run took."""
        return [
            (cell, output["output_type"], output.get("data", {}).get("text/plain"))
            for cell, output in outputs(notebook)
        ]

    now = executed(name)
    # No progress bar, no warning: nothing but what the cells show.
    assert {output["output_type"] for _, output in outputs(now)} <= {
        "display_data",
        "execute_result",
    }
    assert texts(now) == texts(stored(name)), _MEND
