"""What the command line says about input it cannot use, word by word.

Each case of ``tests/golden/cli`` is a command, what stderr says and the exit code; nothing goes to
stdout. The scenarios are those of ``tests/golden/broken``, or are made here where a file of the
project cannot hold them. ``APISIM_UPDATE_GOLDEN=1`` writes the texts anew; read them before they
are committed.
"""

import gzip
import os
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import SMALL, Cli

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
HEADER = "timestamp_s,client,method,path,status,bytes\n"
REPLAY = """\
apisim: 1
apis:
  site:
    type: rest
    routes:
      GET /: {integration: {type: mock}}
      GET /{page}: {integration: {type: mock}}
traffic:
  replayed:
    trace: {file: log.csv}
"""

#: Scenarios of ``tests/golden/broken``.
SCENARIOS = (
    "alias_bomb",
    "all_at_once",
    "bare_durations",
    "cache_on_an_http_api",
    "control_character",
    "deep_nesting",
    "duplicate_keys",
    "empty",
    "functions",
    "huge_numbers",
    "missing_names",
    "negative_rate",
    "not_a_mapping",
    "not_a_number",
    "projection",
    "route_used_but_not_defined",
    "tabs",
    "ttl_above_an_hour",
    "unclosed_bracket",
    "unknown_keys",
    "wrong_types",
)

#: Content of ``log.csv``, replayed by ``replay.yaml``; None for no such file.
TRACES: dict[str, bytes | None] = {
    "trace_missing": None,
    "trace_empty": b"",
    "trace_without_rows": HEADER.encode(),
    "trace_without_its_columns": b"time,client,verb,path\n0,a,GET,/\n",
    "trace_unsorted": (HEADER + "0,a,GET,/,200,1\n5,a,GET,/x,200,1\n3,a,GET,/x,200,1\n").encode(),
    "trace_bad_rows": (
        HEADER
        + "0,a,GET,/,200,1\nsoon,a,GET,/x,200,1\n3,a,GET\n4,a,GET,/x,200,-5\n"
        + "1e400,a,GET,/x,200,5\nnan,a,GET,/,200,1\n-1,a,GET,/,200,1\n7,a,,/,200,1\n"
    ).encode(),
    "trace_many_bad_rows": (HEADER + "x,a,GET,/,200,1\n" * 1000).encode(),
    "trace_not_utf8": HEADER.encode() + b"0,a,GET,/,200,1\n1,a,GET,/caf\xe9,200,1\n",
    "trace_cut_off": gzip.compress((HEADER + "0,a,GET,/,200,1\n" * 100).encode(), mtime=0)[:40],
    "trace_not_text": bytes(range(256)),
}

#: Arguments behind ``apisim run``, in a directory with ``small.yaml``.
ARGUMENTS = {
    "set_without_value": ["small.yaml", "--set", "seed"],
    "set_unknown_path": ["small.yaml", "--set", "trafic.web.phases.0.rate=5"],
    "set_no_such_item": ["small.yaml", "--set", "traffic.web.phases.3.rate=5"],
    "set_wrong_type": ["small.yaml", "--set", "replications=many", "--set", "warm_up=5"],
    "set_not_yaml": ["small.yaml", "--set", "account={"],
    "set_missing_trace": ["small.yaml", "--set", "traffic.web={trace: {file: nowhere.csv}}"],
    "options_out_of_range": [
        *("small.yaml", "--seed", "-1", "--replications", "0"),
        *("--duration", "10", "--profile", "awz"),
    ],
    "price_book_unknown": ["small.yaml", "--set", "pricing.book=aws-mars-1"],
    "metric_not_measured": ["small.yaml", "--set", "thresholds={dropped: [count<1]}"],
    "requests_of_no_kind": ["small.yaml", "--engine", "simpy", "--requests", "requests.xlsx"],
    "requests_into_no_directory": ["small.yaml", "--engine", "simpy", "--requests", "no/r.csv"],
    "export_of_no_kind": ["small.yaml", "--export", "cloudwach=metrics.json"],
    "export_without_a_path": ["small.yaml", "--export", "cloudwatch"],
    "export_into_no_directory": [
        *("small.yaml", "--engine", "simpy", "--export", "cloudwatch=no/m.csv"),
    ],
    "out_into_a_file": ["small.yaml", "--out", "small.yaml/results"],
    "missing_file": ["missing.yaml"],
    "directory": ["."],
    "not_utf8": ["not_utf8.yaml"],
}
COMMANDS = {
    "init_over_a_file": ["init", "small.yaml"],
    "init_a_directory": ["init", "."],
    "price_nothing": ["price"],
    "price_by_no_book": ["price", "--book", "aws-mars-1", "--quantity", "lambda.requests=1"],
    "price_by_a_file_that_is_not_there": ["price", "--book", "no.yaml", "--quantity", "x=1"],
    "price_of_no_file": ["price", "--quantities", "no.yaml"],
    "price_of_a_directory": ["price", "--quantities", "."],
    "price_with_no_free_tier": [
        *("price", "--quantity", "lambda.requests=1", "--free-tier", "allways-free"),
    ],
    "price_of_slips": [
        *("price", "--quantity", "apigateway.rest.reqests=5", "--quantity", "lambda.requests"),
        *("--quantity", "lambda.requests=-3", "--quantity", "sqs.standard.requests=1"),
        *("--quantity", "sqs.standard.requests=2", "--quantity", "=7", "--quantity", "x=y=z"),
        *("--quantity", "waf.requests=1e6", "--month-to-date", "waf.rules=" + "9" * 50),
    ],
    "pricebooks_show_no_book": ["pricebooks", "show", "aws-us-east-2"],
    "pricebooks_show_no_meter": ["pricebooks", "show", "aws-us-east-1", "lambda.request"],
    "pricebooks_show_no_price": ["pricebooks", "show", "seed-chapter", "lambda.duration.x86"],
    "pricebooks_check_no_file": ["pricebooks", "check", "no.yaml"],
    "pricebooks_check_a_scenario": ["pricebooks", "check", "small.yaml"],
    "pricebooks_schema_into_a_directory": ["pricebooks", "schema", "--out", "."],
}
#: Files of ``tests/golden/broken_books``: price books that are checked, quantities that are billed.
BOOKS = sorted(path.stem for path in (GOLDEN / "broken_books").glob("*.yaml"))

CASES = sorted(
    [
        *((f"scenario_{name}", ["run", f"{name}.yaml"]) for name in SCENARIOS),
        *((name, ["run", "replay.yaml"]) for name in TRACES),
        *((name, ["run", *arguments]) for name, arguments in ARGUMENTS.items()),
        *COMMANDS.items(),
        *((name, ["pricebooks", "check", f"{name}.yaml"]) for name in BOOKS if name[0] == "b"),
        *((name, ["price", "--quantities", f"{name}.yaml"]) for name in BOOKS if name[0] == "q"),
    ]
)


def lay_out(folder: Path, name: str) -> None:
    """The files a case needs."""
    (folder / "not_utf8.yaml").write_bytes(SMALL.encode().replace(b"small", b"caf\xe9"))
    (folder / "replay.yaml").write_text(REPLAY, encoding="utf-8")
    broken = GOLDEN / "broken" / f"{name.removeprefix('scenario_')}.yaml"
    if name.startswith("scenario_"):
        (folder / broken.name).write_bytes(broken.read_bytes())
    if name in BOOKS:
        (folder / f"{name}.yaml").write_bytes(
            (GOLDEN / "broken_books" / f"{name}.yaml").read_bytes()
        )
    trace = TRACES.get(name)
    if trace is not None:
        (folder / "log.csv").write_bytes(trace)


def test_there_are_more_than_twenty() -> None:
    assert len(CASES) > 20
    assert sorted(path.stem for path in (GOLDEN / "cli").glob("*.txt")) == [n for n, _ in CASES]


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=[name for name, _ in CASES])
def test_broken_input_is_refused_with_place_reason_and_hint(
    name: str, arguments: list[str], cli: Cli, here: Path
) -> None:
    lay_out(here, name)
    before = sorted(here.iterdir())
    code, out, err = cli(*arguments)
    assert out == ""
    assert code == 2
    err = err.replace(f"{here}{os.sep}", "")
    said = f"$ {shlex.join(['apisim', *arguments])}\n{err}exit {code}\n"
    golden = GOLDEN / "cli" / f"{name}.txt"
    if os.environ.get("APISIM_UPDATE_GOLDEN"):
        golden.write_text(said, encoding="utf-8")
    assert said == golden.read_text(encoding="utf-8")
    assert sorted(here.iterdir()) == before


PLACES = [name for name, _ in CASES if name.startswith(("scenario_", "trace_")) or name in BOOKS]


@pytest.mark.parametrize("name", PLACES)
def test_each_problem_of_a_file_names_its_place(name: str) -> None:
    _, *said, count, code = (GOLDEN / "cli" / f"{name}.txt").read_text("utf-8").splitlines()
    problems = [line for line in said if not line.startswith("    hint: ")]
    assert all(re.match(r"[\w.]+\.(?:yaml|csv):[1-9]\d*:[1-9]\d*: \S", one) for one in problems)
    assert count.partition(",")[0] == f"{len(problems)} problem" + "s" * (len(problems) != 1)
    assert code == "exit 2"


@pytest.mark.parametrize("name", [name for name, _ in CASES])
def test_no_message_shows_python(name: str) -> None:
    said = (GOLDEN / "cli" / f"{name}.txt").read_text("utf-8")
    assert not re.search(r"Traceback|\bNone\b|<class|Fraction\(|Decimal\(|Errno|defect", said)
    assert all(line.isprintable() for line in said.splitlines())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["sweep", "small.yaml"], "sweep"),
        (["run"], "FILE"),
        (["run", "small.yaml", "small.yaml"], "small.yaml"),
        (["run", "small.yaml", "--sed", "7"], "--seed"),
        (["run", "small.yaml", "--seed", "x"], "--seed"),
        (["run", "small.yaml", "--seed", "9" * 5000], "--seed"),
        (["run", "small.yaml", "--engine", "fast"], "compiled"),
        (["run", "small.yaml", "--workers", "0"], "--workers"),
        (["run", "small.yaml", "--set"], "--set"),
        (["price", "--quantity", "lambda.requests=1", "--date", "soon"], "--date"),
        (["price", "--quantity"], "--quantity"),
        (["pricebooks", "shw"], "shw"),
        (["pricebooks", "show"], "BOOK"),
    ],
)
def test_wrong_usage_is_told_without_running_anything(
    arguments: list[str], reason: str, cli: Cli
) -> None:
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert reason in err
    assert "Traceback" not in err


def test_validate_finds_the_same_problems(cli: Cli, here: Path) -> None:
    for name in ("scenario_all_at_once", "trace_bad_rows"):
        lay_out(here, name)
        file = "replay.yaml" if name.startswith("trace_") else "all_at_once.yaml"
        assert cli("validate", file) == cli("run", file)
