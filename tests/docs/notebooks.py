"""Notebooks: paired with a script that is edited and reviewed, executed with outputs stored.

``python -m tests.docs.notebooks`` executes the scripts and writes the notebooks.
"""

from pathlib import Path
from typing import Any, Final

import jupytext
import nbclient
import nbformat

__all__ = ["FOLDER", "MEASURED", "NAMES", "executed", "outputs", "script", "stored"]

FOLDER: Final = Path(__file__).resolve().parents[2] / "notebooks"
#: Names of all notebooks, without the ending.
NAMES: Final = sorted(file.stem for file in FOLDER.glob("*.py"))

#: Tag of cells that read what was measured, which is kept beside the project.
MEASURED: Final = "measured"

#: Long enough to compile the engine on a busy machine [s].
_PATIENCE_S: Final = 600
_METADATA: Final = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def script(name: str) -> nbformat.NotebookNode:
    """A notebook as its script says, without outputs."""
    return jupytext.read(FOLDER / f"{name}.py")


def stored(name: str) -> nbformat.NotebookNode:
    """A notebook as it is stored, with outputs."""
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def executed(name: str) -> nbformat.NotebookNode:
    """A notebook executed now, in a new kernel.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    notebook = script(name)
    # Cells are numbered, so that nothing differs from one execution to the next.
    for number, cell in enumerate(notebook.cells, 1):
        cell["id"] = f"cell-{number}"
    nbclient.NotebookClient(
        notebook,
        timeout=_PATIENCE_S,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(FOLDER)}},
    ).execute()
    notebook.metadata = nbformat.from_dict(_METADATA)
    return notebook


def outputs(
    notebook: nbformat.NotebookNode, *, without: str | None = None
) -> list[tuple[int, Any]]:
    """Every output of a notebook with the number of its cell.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    without : str, optional
        Cells with this tag are left out.
    """
    return [
        (cell["execution_count"], output)
        for cell in notebook.cells
        if cell["cell_type"] == "code" and without not in cell["metadata"].get("tags", [])
        for output in cell["outputs"]
    ]


if __name__ == "__main__":
    for each in NAMES:
        nbformat.write(executed(each), FOLDER / f"{each}.ipynb")
