"""What is interrupted while it is simulated is never taken for the whole."""

import _thread
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import apisim
from apisim.scenario import Scenario, loads
from apisim.studies import whole

RATE = "traffic.web.phases.0.rate"
#: So long that no machine is through with it before it is interrupted.
LONG = """
apisim: 1
replications: 2
apis: {shop: {type: rest, routes: {GET /: {integration: {type: lambda_proxy, function: f}}}}}
functions: {f: {duration: {p50: 20ms, p99: 100ms}}}
traffic: {web: {phases: [{duration: 20000s, rate: 50}], mix: {GET /: 1}}}
"""


@pytest.fixture
def scenario(monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """One whose replications are interrupted soon after their first event."""
    simulated = whole.run_replication

    def begin(*args: Any, **options: Any) -> Any:
        threading.Timer(0.1, _thread.interrupt_main).start()
        return simulated(*args, **options)

    monkeypatch.setattr(whole, "run_replication", begin)
    return loads(LONG)


@pytest.mark.parametrize(
    "study",
    [
        lambda one: apisim.sweep(one, [f"{RATE}=10,40"], engine="simpy"),
        lambda one: apisim.compare(one, variants={"more": [f"{RATE}=60"]}, engine="simpy"),
        lambda one: apisim.search(
            one, [f"{RATE}=10,40"], subject_to=["latency mean<1s"], maximize=RATE, engine="simpy"
        ),
        lambda one: apisim.advise(one, engine="simpy"),
        lambda one: apisim.assumptions(one, engine="simpy"),
    ],
    ids=["sweep", "compare", "search", "advise", "assumptions"],
)
def test_a_study_that_is_interrupted_says_nothing(
    study: Callable[[Scenario], object], scenario: Scenario
) -> None:
    with pytest.raises(KeyboardInterrupt):
        study(scenario)


def test_a_point_that_is_interrupted_is_not_kept(scenario: Scenario, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        apisim.sweep(scenario, [f"{RATE}=10,40"], engine="simpy", out=tmp_path / "o")
    assert list((tmp_path / "o" / "points").glob("*.json")) == []
