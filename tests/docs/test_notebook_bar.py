"""The bar of ``apisim.progress_bar`` in a real Jupyter kernel: what is sent to the browser."""

import sys
from typing import Any
from xml.etree import ElementTree as ET

import pytest

for _package in ("ipykernel", "nbclient"):
    pytest.importorskip(_package, reason=f"notebooks need {_package} (extras: notebook, dev)")

import nbclient  # noqa: E402
import nbformat  # noqa: E402

import apisim  # noqa: E402
from apisim.studies import Steps  # noqa: E402
from tests.docs.notebooks import FOLDER  # noqa: E402

SHOP = "../docs/studies/shop.yaml"
RUN = f"""
import apisim

with apisim.progress_bar() as bar:
    result = apisim.run(
        "{SHOP}", engine="simpy", duration="1s", replications=3, workers=2, progress=bar
    )
"""
SWEEP = f"""
with apisim.progress_bar() as bar:
    apisim.sweep(
        "{SHOP}", {{"traffic.web.phases.0.rate": [10, 20]}}, engine="simpy", duration="1s",
        replications=2, progress=bar,
    )
"""
SEARCH = """
import time

with apisim.progress_bar() as bar:
    time.sleep(0.2)  # longer than between two drawings
    bar("rate=3: <b>feasible</b>")
    raise KeyboardInterrupt
"""


class Recorded(nbclient.NotebookClient):
    """A notebook client that keeps every message of the kernel's by cell."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.shown: dict[int, list[dict[str, str]]] = {}

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        if msg["msg_type"] in {"display_data", "update_display_data"}:
            self.shown.setdefault(cell_index, []).append(msg["content"]["data"])
        return super().process_message(msg, cell, cell_index)


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    cells = [nbformat.v4.new_code_cell(source) for source in (RUN, SWEEP, SEARCH)]
    client = Recorded(
        nbformat.v4.new_notebook(cells=cells), timeout=600, kernel_name="python3",
        allow_errors=True, resources={"metadata": {"path": str(FOLDER)}},
    )  # fmt: skip
    client.execute()
    return client


def bars(client: Recorded, cell: int) -> list[tuple[str | None, str]]:
    """Value of each bar and the words around it; the last message must take it away."""
    *shown, last = client.shown[cell]
    assert last == {"text/plain": "", "text/html": ""}
    found = []
    for data in shown:
        root = ET.fromstring(data["text/html"])
        bar = root.find("progress")
        assert bar is not None
        assert bar.get("aria-label")
        found.append((bar.get("value"), "".join(root.itertext())))
    return found


def test_a_run_has_a_bar_that_fills_and_goes(recorded: Recorded) -> None:
    first, *_, last = bars(recorded, 0)
    assert first[0] is None
    assert "getting ready" in first[1]
    assert last[0] == "1.0000"
    assert "(3/3)" in last[1]
    assert "requests/s" in last[1]


def test_a_sweep_has_a_bar_of_its_points(recorded: Recorded) -> None:
    *_, last = bars(recorded, 1)
    assert last[0] == "1.0000"
    assert "2 of 2" in last[1]


def test_what_was_tried_is_escaped_and_a_bar_goes_after_an_error_as_well(
    recorded: Recorded,
) -> None:
    assert bars(recorded, 2)[-1] == (None, "tried  rate=3: <b>feasible</b>")
    (error,) = (
        output for output in recorded.nb.cells[2]["outputs"] if output["output_type"] == "error"
    )
    assert error["ename"] == "KeyboardInterrupt"


def test_nothing_of_a_bar_is_left_in_the_notebook(recorded: Recorded) -> None:
    for cell in recorded.nb.cells[:2]:
        (output,) = cell["outputs"]
        assert output["data"] == {"text/plain": "", "text/html": ""}


def test_there_is_no_bar_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert not sys.stderr.isatty()
    with apisim.progress_bar() as bar:
        bar(Steps(points=2, finished=1, found=0, elapsed_s=1.0))
    assert capsys.readouterr() == ("", "")
