"""A figure of the wrong object is refused by name, with the call that makes the right one."""

import subprocess
import sys

import pytest
from matplotlib import pyplot as plt

import apisim
from apisim.results.result import Result
from apisim.scenario import loads
from tests.unit.test_report_studies import EVEN, RATE

FIGURES = [name for name in apisim.__all__ if name.startswith("plot_")]
OTHERS = {
    "plot_advice": "an Advised, as apisim.advise",
    "plot_comparison": "a Comparison, as apisim.compare",
    "plot_launch_envelope": "a Limits, as apisim.limits",
    "plot_limits": "a Limits, as apisim.limits",
    "plot_sweep": "a Sweep, as apisim.sweep",
    "plot_sweep_heat": "a Sweep, as apisim.sweep",
    "plot_tornado": "an Assumptions, as apisim.assumptions",
}


@pytest.fixture(scope="module")
def result() -> Result:
    """Ten requests."""
    return apisim.run(loads(EVEN), engine="simpy")


@pytest.mark.parametrize("name", [*FIGURES, "report_html"])
def test_the_wrong_object_is_refused_by_name(name: str, result: Result) -> None:
    given = result if name in OTHERS else apisim.sweep(loads(EVEN), {RATE: [5]}, engine="simpy")
    wanted = OTHERS.get(name, "a Result, as apisim.run")
    verb = "takes" if name == "report_html" else "draws"
    got = f"a {type(given).__name__}"
    with pytest.raises(TypeError, match=rf"^{name} {verb} {wanted} makes it; got {got}$"):
        getattr(apisim, name)(given)
    with pytest.raises(TypeError, match=r"; got a str$"):
        getattr(apisim, name)("rest.yaml")


def test_a_figure_takes_its_object_by_name_and_misses_it(result: Result) -> None:
    apisim.plot_requests(result=result)
    plt.close("all")
    with pytest.raises(TypeError, match="a Result"):
        apisim.plot_requests(result="rest.yaml")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'result'"):
        apisim.plot_requests()  # type: ignore[call-arg]


@pytest.mark.parametrize(("ax", "told"), [(3, "an int"), ([None], "a list")])
def test_what_is_no_axes_is_refused(ax: object, told: str, result: Result) -> None:
    with pytest.raises(TypeError, match=rf"^ax takes one Axes of matplotlib.*; got {told}$"):
        apisim.plot_requests(result, ax=ax)  # type: ignore[arg-type]


def test_the_check_does_not_import_matplotlib() -> None:
    code = (
        "import apisim, sys\n"
        "try: apisim.plot_sweep(1)\n"
        "except TypeError: print('matplotlib' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
