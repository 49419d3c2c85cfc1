"""The command line in this process and in one of its own."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from apisim.cli.main import command_line

#: A scenario with a bit of everything that is over at once, and whose thresholds hold.
SMALL = """\
apisim: 1
name: small
replications: 2
apis:
  shop:
    type: rest
    stage: {throttle: {rate_limit: 20, burst_limit: 10}, cache_cluster_size: "0.5"}
    routes:
      GET /items/{itemId}:
        integration: {type: lambda_proxy, function: get-item}
        authorizer: tokens
        cache: {ttl: 5m, keys: [path.itemId]}
      POST /orders: {integration: {type: http_proxy, endpoint: orders}}
authorizers:
  tokens: {type: token, function: check, ttl: 1m}
functions:
  get-item: {duration: {p50: 40ms, p99: 300ms}}
  check: {duration: 10ms}
endpoints:
  orders: {servers: 2, service_time: 5ms}
traffic:
  web:
    phases: [{name: steady, duration: 10s, rate: 30}]
    mix: {"GET /items/{itemId}": 3, POST /orders: 1}
    values: {path.itemId: {zipf: 1.0, of: 100}, header.authorization: {uniform: 5}}
thresholds:
  latency: ["p(99)<20s"]
  cost_run: ["value<5"]
"""


class Outcome(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]
Start = Callable[..., subprocess.Popen[Any]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Current directory with ``small.yaml``; every page has 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR", "APISIM_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    return tmp_path


@pytest.fixture
def cli(here: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs ``apisim`` in this process."""

    def run(*arguments: str) -> Outcome:
        code = command_line(arguments)
        return Outcome(int(code), *capsys.readouterr())

    return run


@pytest.fixture
def start(here: Path) -> Start:
    """Starts ``apisim`` as a process of its own."""

    def begin(*arguments: str, **options: Any) -> subprocess.Popen[Any]:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        environment = {**os.environ, "PYTHONWARNINGS": "error", **options.pop("env", {})}
        command = [sys.executable, "-m", "apisim", *arguments]
        return subprocess.Popen(command, env=environment, **{**pipes, **options})

    return begin


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


Attach = Callable[[str], Terminal]


@pytest.fixture
def attach(monkeypatch: pytest.MonkeyPatch, here: Path) -> Attach:
    """Attaches a terminal of 80 columns to stdout or stderr."""
    monkeypatch.setenv("TERM", "xterm-256color")

    def to(name: str) -> Terminal:
        # Inside the test: between its phases pytest puts its own streams back.
        stream = Terminal()
        monkeypatch.setattr(sys, name, stream)
        return stream

    return to
