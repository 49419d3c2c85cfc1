"""A log that a run writes is read as a trace of the same arrivals."""

import json
from pathlib import Path

import pandas as pd
import pytest

from apisim.scenario import loads
from apisim.studies import run

#: Times in ms, paths with their values.
FINE = "$context.requestTimeEpoch $context.identity.sourceIp $context.httpMethod \
$context.resourcePath $context.responseLength $context.status $context.requestId"
ROUTES = """
    routes:
      GET /users/{userId}:
        integration: {type: lambda_proxy, function: get-user}
        throttle: {rate_limit: 30, burst_limit: 20}
      POST /users:
        integration: {type: lambda_proxy, function: get-user}
functions: {get-user: {duration: {p50: 40ms, p99: 300ms}}}
"""
RUN = """
apisim: 1
name: first
seed: 5
start: 2026-11-02T12:00:00.250Z
apis:
  users:
    type: API_TYPE
    stage: {access_log: LOG}
ROUTES
traffic:
  web:
    phases: [{duration: 20s, rate: 40}]
    mix: {'GET /users/{userId}': 4, 'POST /users': 1}
    network: {rtt: {p50: 20ms, p99: 120ms}}
"""
REPLAY = """
apisim: 1
name: second
seed: 6
apis:
  users:
    type: API_TYPE
    stage: {access_log: LOG}
ROUTES
traffic: {logged: {trace: {file: FILE, format: LOG}}}
"""


def _rows(scenario: str, file: Path, log: str, api_type: str, engine: str) -> pd.DataFrame:
    """Run a scenario with an export of its log; rows in the order of their arrivals."""
    text = scenario.replace("ROUTES", ROUTES.strip("\n")).replace("LOG", json.dumps(log))
    if api_type == "http":  # HTTP APIs have the names of routes alone
        text = text.replace("$context.resourcePath", "$context.routeKey")
    text = text.replace("FILE", json.dumps(str(file.with_name("first.log"))))
    text = text.replace("API_TYPE", api_type)
    requests = file.with_suffix(".csv")
    run(loads(text), engine=engine, requests=requests, exports={"access-log": file})
    found = pd.read_csv(requests)
    # Half of what the network took lies before the gateway.
    found["reached_ns"] = found.arrival_ns
    found["reached_ns"] += (found.latency_ns - found.gateway_latency_ns).clip(lower=0) // 2
    return found.sort_values("reached_ns", kind="stable").reset_index(drop=True)


@pytest.mark.parametrize(
    ("api_type", "log", "unit_ns", "offset_ns"),
    [
        ("rest", FINE, 1_000_000, 250_000_000),
        ("http", FINE, 1_000_000, 250_000_000),
        *[(kind, log, 10**9, 250_000_000) for kind in ("rest", "http") for log in
          ("clf", "json", "xml", "csv")],
    ],
)  # fmt: skip
def test_a_written_log_is_read_as_the_same_arrivals(
    tmp_path: Path, api_type: str, log: str, unit_ns: int, offset_ns: int
) -> None:
    first = _rows(RUN, tmp_path / "first.log", log, api_type, "simpy")
    again = _rows(REPLAY, tmp_path / "second.log", log, api_type, "simpy")
    assert len(again) == len(first) > 700
    assert (first.status == 429).sum() > 10
    logged = (first.reached_ns + offset_ns) // unit_ns
    assert again.arrival_ns.tolist() == ((logged - logged[0]) * unit_ns).tolist()
    assert again.route.tolist() == first.route.tolist()
    # What is written of the replay says the same again: a log is a fixed point.
    columns = slice(0, 4) if log == FINE else slice(0, 0)
    lines = [(tmp_path / f"{name}.log").read_text().splitlines() for name in ("first", "second")]
    said = [[line.split()[columns][2:] for line in text] for text in lines]
    assert said[0] == said[1]


def test_notes_say_what_a_log_does_not_know(tmp_path: Path) -> None:
    _rows(RUN, tmp_path / "first.log", "clf", "rest", "simpy")
    text = REPLAY.replace("ROUTES", ROUTES.strip("\n")).replace("LOG", "clf")
    text = text.replace("FILE", json.dumps(str(tmp_path / "first.log")))
    notes = run(loads(text.replace("API_TYPE", "rest")), engine="simpy").notes
    assert any("the log's times are whole seconds" in note for note in notes)
    said = "traffic.logged: paths of the log, such as /users/{userId}, have no values of parameters"
    assert any(note.startswith(said) for note in notes)


@pytest.mark.parametrize(
    ("api_type", "mix", "log"),
    [
        ("rest", "ANY /pets", "$context.resourcePath"),
        ("http", "ANY /pets", "$context.routeKey"),
        ("http", "$default", "$context.path"),
    ],
)
def test_calls_of_a_route_that_takes_any_have_a_method(
    tmp_path: Path, api_type: str, mix: str, log: str
) -> None:
    log = f"$context.requestTimeEpoch $context.httpMethod {log} $context.requestId"
    file = tmp_path / "first.log"
    apis = f"""
apisim: 1
apis:
  pets:
    type: {api_type}
    stage: {{access_log: {log}}}
    routes: {{{mix}: {{integration: {{type: lambda_proxy, function: f}}}}}}
functions: {{f: {{duration: 10ms, logs: false}}}}
"""
    made = f"{apis}traffic: {{web: {{phases: [{{duration: 1s, rate: 20}}], mix: {{{mix}: 1}}}}}}"
    first = run(loads(made), engine="simpy", exports={"access-log": file})
    lines = file.read_text().splitlines()
    assert {line.split()[1] for line in lines} == {"GET"}
    # The bill is of the same bytes as the file.
    meters = [x for x in first.bill.run.lines if x.meter.name.startswith("cloudwatch.logs")]
    assert sum(x.quantity for x in meters) * 1024**3 == sum(len(line) for line in lines)
    again = f"{apis}traffic: {{web: {{trace: {{file: {file}, format: {log}}}}}}}"
    replayed = run(loads(again), engine="simpy")
    assert replayed.to_dict()["requests"] == first.to_dict()["requests"]
