"""``--set path=value`` and ``Scenario.with_``."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from apisim.draws.discrete import UniformKeys, ZipfKeys
from apisim.draws.distributions import Constant, LogNormal
from apisim.scenario import ClosedPhase, OpenPhase, Scenario, ScenarioError, load, loads

TEXT = """\
apisim: 1
apis:
  users:
    type: rest
    stage: {cache_cluster_size: "0.5"}
    routes:
      GET /users/{userId}:
        integration: {type: lambda_proxy, function: get-user}
        cache: {ttl: 5m, keys: [path.userId]}
      GET /v1.0/users: {integration: {type: mock}}
functions:
  get-user: {duration: 40ms}
traffic:
  web:
    phases: [{duration: 1m, rate: 10}, {name: spike, duration: 10s, rate: 100}]
    mix: {"GET /users/{userId}": 9}
    values: {path.userId: {uniform: 10}}
thresholds:
  'latency{phase:spike}': ["p(95)<1s"]
"""
MS = 1e6


def changed(*overrides: str) -> Scenario:
    return loads(TEXT, overrides=overrides)


def refused(*overrides: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        changed(*overrides)
    return [str(problem) for problem in caught.value.problems]


def test_a_list_item_is_numbered() -> None:
    phases = changed("traffic.web.phases.0.rate=300").traffic["web"].phases
    assert [phase.rate for phase in phases] == [300, 100]


def test_a_key_with_dots_and_spaces_is_found() -> None:
    scenario = changed(
        "apis.users.routes.GET /users/{userId}.throttle.rate_limit=0.3",
        "apis.users.routes.GET /users/{userId}.throttle.burst_limit=5",
        "apis.users.routes.GET /v1.0/users.throttle={rate_limit: 1/min, burst_limit: 2}",
        "traffic.web.values.path.userId.uniform=99",
    )
    first, second = scenario.apis["users"].routes.values()
    assert first.throttle is not None
    assert (first.throttle.rate_limit, first.throttle.burst_limit) == (Fraction(3, 10), 5)
    assert second.throttle is not None
    assert second.throttle.rate_limit == Fraction(1, 60)
    assert scenario.traffic["web"].values["path.userId"] == UniformKeys(99)


def test_the_longest_key_that_fits_is_taken() -> None:
    scenario = changed("traffic.web.mix.GET /v1.0/users=1", "traffic.web.mix.GET /v1.0/users=2")
    assert [entry.weight for entry in scenario.traffic["web"].mix] == [9, 2]


def test_the_value_is_yaml() -> None:
    scenario = changed("functions.get-user.duration={p50: 1ms, p99: 9ms}")
    assert scenario.functions["get-user"].duration == LogNormal(1 * MS, 9 * MS)


def test_a_value_may_contain_equals_signs() -> None:
    assert changed("name='a=b'").name == "a=b"
    assert changed("thresholds.requests=['count==5']").thresholds[1].limit == 5


def test_what_is_missing_is_made_where_the_vocabulary_has_it() -> None:
    scenario = changed("settings.idle_expiry=5m", "account.throttle.rate_limit=7")
    assert scenario.settings.idle_expiry == 300 * 10**9
    throttle = scenario.account.throttle
    assert (throttle.rate_limit, throttle.burst_limit) == (7, 5_000)


def test_null_takes_a_key_out() -> None:
    scenario = changed("apis.users.routes.GET /users/{userId}.cache=null", "name=~")
    assert scenario.apis["users"].routes["GET /users/{userId}"].cache is None
    phases = changed("traffic.web.phases.1=null", "thresholds=null").traffic["web"].phases
    assert [phase.name for phase in phases] == ["phase-1"]


def test_a_new_name_comes_with_its_definition() -> None:
    scenario = changed(
        "functions.other={duration: 1ms}",
        "apis.users.routes.GET /users/{userId}.integration.function=other",
        "apis.users.routes.POST /v1.0/x={integration: {type: mock}}",
        "traffic.two={phases: [{duration: 1s, users: 3, think_time: 1s}], mix: {POST /v1.0/x: 1}}",
    )
    assert scenario.functions["other"].duration == Constant(1 * MS)
    assert isinstance(scenario.traffic["two"].phases[0], ClosedPhase)


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("sed=7", "--set:1:1: sed: unknown path (did you mean seed?)"),
        ("seed", '--set:1:1: "seed" is not path=value (write e.g. seed=7)'),
        ("", '--set:1:1: "" is not path=value (write e.g. seed=7)'),
        ("=5", "--set:1:1: the path is empty (write path=value)"),
        ("seed=", "--set:1:1: seed: has no value (write null to take the key out)"),
        (
            "functions.get-usr.memory=1GB",
            '--set:1:1: functions.get-usr: unknown path: "get-usr" is not defined '
            "(did you mean get-user?)",
        ),
        (
            "functions.new=1GB",
            '--set:1:1: functions.new: unknown path: "new" is not defined (known here: get-user)',
        ),
        (
            "apis.users.routes.GET /user/{userId}.cache.ttl=1s",
            '--set:1:1: apis.users.routes.GET /user/{userId}: unknown path: no route '
            '"GET /user/{userId}" (did you mean GET /users/{userId}?)',
        ),
        (
            "traffic.web.phases.2.rate=1",
            '--set:1:1: traffic.web.phases.2: there is no item "2" '
            "(items are numbered 0 to 1)",
        ),
        (
            "traffic.web.phases.spike.rate=1",
            '--set:1:1: traffic.web.phases.spike: there is no item "spike" '
            "(items are numbered 0 to 1)",
        ),
        ("seed.x=1", "--set:1:1: seed: must be a whole number, got a mapping "
         "(allowed: 0 to 18446744073709551615)"),
        (
            "apis.users.type.x=1",
            '--set:1:1: apis.users.type.x: unknown path (apis.users.type is "rest")',
        ),
        (
            "apis.users.stagge.name=x",
            "--set:1:1: apis.users.stagge: unknown key (did you mean stage?)",
        ),
        (
            "functions.get-user.timeout=30",
            "--set:1:1: functions.get-user.timeout: 30 has no unit; a duration needs one "
            "(write 30s or 30ms)",
        ),
        (
            "traffic.web.phases.0.rate=[1",
            "--set:1:1: traffic.web.phases.0.rate: \"[1\": expected ',' or ']', "
            "but got '<stream end>'",
        ),
        (
            "traffic.web.phases.0=3",
            "--set:1:1: traffic.web.phases.0: must be a mapping (key: value), got 3",
        ),
    ],
)  # fmt: skip
def test_a_wrong_override_is_a_problem_in_the_same_shape(override: str, problem: str) -> None:
    assert problem in refused(override)


def test_overrides_are_numbered_and_all_problems_come_at_once() -> None:
    said = refused("seed=1", "sed=7", "functions.get-user.duration=5", "replications=0")
    assert [line.split(": ")[0] for line in said] == ["--set:2:1", "--set:3:1", "--set:4:1"]


def test_what_an_override_replaces_has_its_place_no_longer_in_the_file() -> None:
    scenario = changed("functions.get-user={duration: 1ms}")
    assert scenario.positions.locate(("functions", "get-user", "duration")) == ("--set", 1, 1)
    assert scenario.positions.locate(("functions",))[0] == "<string>"


def test_files_in_overrides_start_in_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "here").mkdir()
    file = tmp_path / "scenarios" / "x.yaml"
    file.write_text(TEXT)
    (tmp_path / "here" / "t.csv").write_text("ms\n5\n")
    (tmp_path / "scenarios" / "u.csv").write_text("ms\n7\n")
    monkeypatch.chdir(tmp_path / "here")
    override = "functions.get-user.duration={{samples: {}, column: ms, unit: ms}}"
    drawn = load(file, overrides=[override.format("t.csv")]).functions["get-user"].duration
    assert drawn.mean() == 5 * MS
    with pytest.raises(ScenarioError, match="does not exist"):
        load(file, overrides=[override.format("u.csv")])
    file.write_text(TEXT.replace("40ms", "{samples: u.csv, column: ms, unit: ms}"))
    assert load(file).functions["get-user"].duration.mean() == 7 * MS


def test_with_gives_a_changed_copy() -> None:
    scenario = loads(TEXT)
    other = scenario.with_("seed=7", **{"traffic.web.phases.0.rate": Fraction(1, 4)})
    assert (scenario.seed, other.seed) == (1, 7)
    assert other.traffic["web"].phases[0].rate == Fraction(1, 4)
    assert scenario.traffic["web"].phases[0].rate == 10
    assert other.with_(seed=1, **{"traffic.web.phases.0.rate": 10}) == scenario


def test_with_takes_the_numbers_of_a_sweep() -> None:
    scenario = loads(TEXT)
    for value in (np.int64(20), np.float64(20.0), 20, 20.0, "20/s"):
        phase = scenario.with_(**{"traffic.web.phases.0.rate": value}).traffic["web"].phases[0]
        assert isinstance(phase, OpenPhase)
        assert phase.rate == 20
    zipf = scenario.with_(**{"traffic.web.values.path.userId": {"zipf": 0.9, "of": 10}})
    assert zipf.traffic["web"].values["path.userId"] == ZipfKeys(0.9, 10)


def test_with_reports_like_a_file_does() -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(TEXT).with_("sed=1", **{"traffic.web.phases.0.rate": -1, "seed": 10**5_000})
    assert [str(problem).split(": ")[:2] for problem in caught.value.problems] == [
        ["with_:1:1", "sed"],
        ["with_:2:1", "traffic.web.phases.0.rate"],
        ["with_:3:1", "seed"],
    ]


def test_with_refuses_what_a_scenario_cannot_hold() -> None:
    with pytest.raises(TypeError, match="cannot hold"):
        loads(TEXT).with_(seed=object())


def test_changes_add_up() -> None:
    scenario = loads(TEXT, overrides=["seed=5"], duration="30s")
    other = scenario.with_("name=x")
    assert (other.seed, other.name, other.duration_limit_ns) == (5, "x", 30 * 10**9)
