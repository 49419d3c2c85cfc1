"""The other commands, the program itself, and the public names."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

import apisim
import apisim.cli.validate
from tests.cli.conftest import SMALL, Cli, Start

HEAVY = ("numba", "numpy", "pandas", "pydantic", "scipy", "matplotlib", "ruamel", "simpy", "rich")


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_nothing_heavy_is_imported_to_answer_at_once(argument: str) -> None:
    code = (
        "import sys; from apisim.cli.main import command_line; "
        f"code = command_line([{argument!r}]); "
        f"sys.exit(code or ' '.join(m for m in {HEAVY!r} if m in sys.modules) or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(("Usage: apisim", f"apisim {apisim.__version__}"))


def test_help_names_every_command_and_exit_code(cli: Cli) -> None:
    code, out, err = cli("--help")
    assert (code, err) == (0, "")
    for word in ("run", "validate", "schema", "init", "price", "pricebooks", "99", "130"):
        assert word in out
    assert max(len(line) for line in out.splitlines()) <= 80


@pytest.mark.parametrize(
    "command",
    [
        *("run", "validate", "schema", "init", "price", "pricebooks", "pricebooks list"),
        *("pricebooks show", "pricebooks check", "pricebooks schema"),
    ],
)
def test_every_command_has_a_help(command: str, cli: Cli) -> None:
    code, out, err = cli(*command.split(), "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: apisim {command}")
    assert max(len(line) for line in out.splitlines()) <= 80


def test_run_has_the_options_it_is_known_by(cli: Cli) -> None:
    out = cli("run", "--help").out
    for option in (
        *("--set", "--engine", "--seed", "--replications", "--duration", "--profile"),
        *(
            "--workers",
            "--out",
            "--requests",
            "--export",
            "--json",
            "--quiet",
            "--strict",
            "--skip-bad-rows",
        ),
    ):
        assert option in out


def test_the_version_is_the_package_s(cli: Cli) -> None:
    assert cli("--version") == (0, f"apisim {apisim.__version__}\n", "")


def test_it_runs_as_a_module_and_as_a_script(start: Start) -> None:
    script = Path(sys.executable).with_name("apisim")
    for command in ([sys.executable, "-m", "apisim"], [str(script)]):
        ran = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert ran.stdout == f"apisim {apisim.__version__}\n"


def test_validate_says_what_is_in_a_scenario(cli: Cli) -> None:
    code, out, err = cli("validate", "small.yaml")
    assert code == 0
    assert out == (
        "ok: small: 1 API, 2 routes, 1 authorizer, 2 functions, 1 endpoint, 1 source of traffic; "
        "2 replications of 10s\n"
    )
    assert all(line.startswith("note: ") for line in err.splitlines())


def test_validate_says_it_as_json(cli: Cli) -> None:
    code, out, err = cli("validate", "small.yaml", "--json", "--quiet", "--seed", "3")
    assert (code, err) == (0, "")
    read = json.loads(out)
    assert read["ok"] is True
    assert read["scenario"]["name"] == "small"
    assert read["contents"]["routes"] == 2
    assert read["contents"]["simulated_s"] == 10


def test_validate_shows_notes_unless_it_is_to_be_quiet(cli: Cli) -> None:
    cut = ("validate", "small.yaml", "--duration", "5s", "--set", "warm_up=6s")
    assert "note: warm_up: 6s" in cli(*cut).err
    assert cli(*cut, "--quiet").err == ""


def test_validate_counts_what_is_in_traces(cli: Cli, here: Path) -> None:
    (here / "log.csv").write_text("timestamp_s,method,path\n0,GET,/\n1,GET,/\nx,GET,/\n", "utf-8")
    (here / "replay.yaml").write_text(
        "apisim: 1\n"
        "apis: {site: {type: rest, routes: {GET /: {integration: {type: mock}}}}}\n"
        "traffic: {replayed: {trace: {file: log.csv}}}\n",
        encoding="utf-8",
    )
    code, out, _ = cli("validate", "replay.yaml", "--skip-bad-rows", "-q")
    assert code == 0
    assert "2 requests in traces, 1 bad row left out; 1 replication of 1s" in out


def test_schema_accepts_the_scenarios_and_refuses_others(cli: Cli, here: Path) -> None:
    code, out, err = cli("schema")
    assert (code, err) == (0, "")
    schema = json.loads(out)
    validator = jsonschema.validators.validator_for(schema)(schema)
    validator.check_schema(schema)
    small = YAML(typ="safe").load(SMALL)
    assert list(validator.iter_errors(small)) == []
    assert list(validator.iter_errors({**small, "sed": 7})) != []
    assert cli("schema", "--out", "s.json") == (0, "", "wrote s.json\n")
    assert (here / "s.json").read_text("utf-8") == out


def test_init_writes_a_scenario_that_runs(cli: Cli, here: Path) -> None:
    code, out, err = cli("init")
    assert (code, out) == (0, "")
    assert err == "wrote scenario.yaml; next: apisim run scenario.yaml\n"
    text = (here / "scenario.yaml").read_text("utf-8")
    assert "#   apisim run scenario.yaml\n" in text
    assert cli("validate", "scenario.yaml", "-q").code == 0
    quick = ("--engine", "simpy", "--duration", "10s", "--replications", "1", "-q")
    assert cli("run", "scenario.yaml", *quick).code in {0, 99}


def test_init_replaces_a_file_only_when_it_is_told_to(cli: Cli, here: Path) -> None:
    assert cli("init", "small.yaml").code == 2
    assert (here / "small.yaml").read_text("utf-8") == SMALL
    assert cli("init", "small.yaml", "--force").code == 0
    assert (here / "small.yaml").read_text("utf-8") != SMALL


def test_init_takes_names_that_a_comment_cannot_hold(cli: Cli) -> None:
    name = "two\nlines and spaces.yaml"
    assert cli("init", name).code == 0
    assert cli("validate", name, "-q").code == 0


def test_a_defect_is_told_without_a_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a\nslip")

    monkeypatch.setattr(apisim.cli.validate, "_contents", broken)
    code, out, err = cli("validate", "small.yaml")
    assert (code, out) == (1, "")
    assert err.startswith("error: RuntimeError: a\\nslip\n")
    assert "report" in err
    assert "Traceback" not in err
    assert "Traceback" in cli("validate", "small.yaml", "--debug").err
    monkeypatch.setenv("APISIM_DEBUG", "1")
    assert "Traceback" in cli("validate", "small.yaml").err


def test_too_little_memory_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(apisim.cli.validate, "_contents", hungry)
    assert cli("validate", "small.yaml") == (2, "", "error: there is not enough memory\n")


def test_the_public_names_are_there_when_they_are_needed() -> None:
    names = {"Result", "Scenario", "ScenarioError", "__version__", "load", "run"}
    assert names <= set(apisim.__all__)
    assert set(apisim.__all__) <= set(dir(apisim))
    for name in apisim.__all__:
        assert getattr(apisim, name) is not None
    with pytest.raises(AttributeError, match="simulate"):
        _ = apisim.simulate


def test_the_names_work_together(here: Path) -> None:
    scenario = apisim.load("small.yaml", seed=5)
    assert isinstance(scenario, apisim.Scenario)
    result = apisim.run(scenario, engine="simpy")
    assert isinstance(result, apisim.Result)
    assert result.run_info.seed == 5
    with pytest.raises(apisim.ScenarioError, match=r"seed: -1 is below"):
        apisim.load("small.yaml", seed=-1)
