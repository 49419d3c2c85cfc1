"""``apisim.run``: options, engines, services of one's own, progress, mistakes."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import apisim
from apisim.scenario import ScenarioError, loads
from apisim.studies import Progress, run
from apisim.studies import progress as progress_module

SCENARIO = """
apisim: 1
profile: ideal
apis: {a: {type: rest, routes: {GET /x: {integration: {type: lambda_proxy, function: f}}}}}
functions: {f: {duration: 100ms}}
traffic: {web: {arrivals: uniform, offset: 0, phases: [{duration: 20s, rate: 5}], mix: {GET /x: 1}}}
"""


def test_a_file_is_loaded_with_its_options(tmp_path):
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    result = run(
        tmp_path / "scenario.yaml",
        overrides=["traffic.web.phases.0.rate=10"],
        seed=99,
        replications=2,
        duration="5s",
    )
    assert result.requests.total == 2 * 50
    assert (result.run_info.seed, result.run_info.replications) == (99, 2)
    assert result.run_info.simulated_s == 5.0
    assert result.scenario.source.file.endswith("scenario.yaml")


def test_a_scenario_object_takes_the_same_options():
    scenario = loads(SCENARIO)
    result = run(
        scenario,
        overrides=["traffic.web.phases.0.rate=10"],
        profile="ideal",
        seed=99,
        replications=2,
        duration="5s",
    )
    assert result.requests.total == 2 * 50
    assert result.run_info.seed == 99
    assert run(scenario).requests.total == 100


def test_a_service_of_ones_own_replaces_a_function():
    class Halting:
        def serve(self, call, draws):
            yield 5_000_000
            yield 2_000_000

    result = run(loads(SCENARIO), extend={"functions.f": Halting()})
    assert result.run_info.engine == "simpy"
    assert (result.latency_ms.p50, result.latency_ms.max) == (7.0, 7.0)


def test_progress_counts_up_to_the_end(monkeypatch):
    monkeypatch.setattr(progress_module, "_REPORT_EVERY_S", 0.0)
    told: list[Progress] = []
    run(loads(SCENARIO), replications=3, progress=told.append)
    assert told[-1].share == 1.0
    assert (told[-1].finished, told[-1].replications) == (3, 3)
    assert told[-1].requests == 300
    assert told[-1].left_s == 0.0
    assert [one.finished for one in told] == sorted(one.finished for one in told)
    assert all(0 <= one.share <= 1 and one.requests_per_s >= 0 for one in told)


def test_a_stop_ends_the_replications_that_have_begun_and_starts_no_more(monkeypatch):
    monkeypatch.setattr(progress_module, "_REPORT_EVERY_S", 0.0)

    def stop(progress):
        if progress.finished:
            raise KeyboardInterrupt

    for workers in (1, 2):
        result = run(loads(SCENARIO), replications=40, workers=workers, progress=stop)
        n_run = len(result.replications)
        assert 1 <= n_run < 40
        assert result.replications[0].completed
        assert any(f"{n_run} of 40 replications" in note for note in result.notes)
        assert result.requests.total == sum(one.requests for one in result.replications)


def test_a_run_in_another_thread_leaves_ctrl_c_alone():
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(run, loads(SCENARIO)).result()
    assert result.requests.total == 100


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"workers": 0}, "workers must be at least 1"),
        ({"engine": "fast"}, "engine must be auto, compiled or simpy"),
        ({"extend": {"functions.g": object()}}, "there is no 'functions.g'"),
        ({"extend": {"f": object()}}, "there is no 'f'"),
        ({"extend": {"functions.f": object()}}, "needs a method serve"),
    ],
)
def test_an_argument_out_of_range_is_refused(options, reason):
    with pytest.raises(ValueError, match=reason):
        run(loads(SCENARIO), **options)


def test_the_compiled_engine_knows_no_python_services():
    class Service:
        def serve(self, call, draws):
            yield 1

    with pytest.raises(ValueError, match="golden model only"):
        run(loads(SCENARIO), engine="compiled", extend={"functions.f": Service()})


def test_a_scenario_that_is_wrong_is_refused_with_its_positions():
    with pytest.raises(ScenarioError) as caught:
        run(loads(SCENARIO), overrides=["traffic.web.phases.0.rate=-1"])
    assert "rate" in str(caught.value)


def test_a_failure_in_one_replication_ends_the_others():
    class Failing:
        def serve(self, call, draws):
            raise RuntimeError("broken on purpose")
            yield 1

    for workers in (1, 2):
        with pytest.raises(RuntimeError, match="broken on purpose"):
            run(loads(SCENARIO), replications=6, workers=workers, extend={"functions.f": Failing()})


def test_the_setup_is_not_part_of_the_wall_time():
    result = run(loads(SCENARIO))
    info = result.run_info
    assert info.setup_s > 0
    assert 0 < info.wall_s < 5
    assert info.requests_per_s == pytest.approx(100 / info.wall_s)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["a.yaml", "b.yaml"], r"got a list: several are given one by one, as in compare\(first,"),
        ({"apisim": 1}, r"got a dict: loads takes a scenario that is written out"),
        (3, r"got an int$"),
    ],
)
@pytest.mark.parametrize("study", [run, apisim.compare, apisim.limits, apisim.assumptions])
def test_what_is_no_scenario_is_told_from_a_file(study, given, told):
    with pytest.raises(TypeError, match="a scenario is the name of its file.*" + told):
        study(given)


def test_the_result_of_a_scenario_is_no_scenario():
    result = run(loads(SCENARIO), duration="1s", engine="simpy")
    with pytest.raises(TypeError, match=r"got a Result: did you mean .* its \.scenario\?$"):
        run(result)
