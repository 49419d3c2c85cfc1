"""What a change of the scenario does to the requests, and what it does not.

P9: all times ten times as long and all rates a tenth of them give the same decisions, at ten times
the times. P10: a route and a source that share nothing with the others change nothing for them. The
same seed gives the same run, another seed another one.
"""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.equivalence.drawing import Style
from tests.equivalence.engines import Run, both, differences, lowered, run
from tests.equivalence.laws import FILES
from tests.equivalence.scenarios import Case, scenarios

whole_scenarios = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of one example after the other are written."""
    return tmp_path_factory.mktemp("case")


def simulate(case: Case, folder: Path) -> Run:
    return run(lowered(case.load(folder)), "compiled")


# P9


_RATES = ("rate", "rate_limit", "sign_in_quota", "updates", "cache_throughput")
_TIMES = ("arrival_ns", "latency_ns", "gateway_ns", "integration_ns", "authorizer_ns")


def slower(value: Any) -> Any:
    """Part of a scenario with all times ten times as long and all rates a tenth."""
    if isinstance(value, dict):
        return {
            key: tenth(inner) if key in _RATES else slower(inner) for key, inner in value.items()
        }
    if isinstance(value, list):
        return [slower(inner) for inner in value]
    line = re.fullmatch(r"(\d+)([kM]bps)", value) if isinstance(value, str) else None
    if line:
        return f"{int(line[1]) / 10}{line[2]}"
    match = re.fullmatch(r"(\d+)(ns|us|ms|s|m)", value) if isinstance(value, str) else None
    return f"{int(match[1]) * 10}{match[2]}" if match else value


def tenth(rate: Any) -> str:
    number, slash, period = str(rate).partition("/")
    if not number[:1].isdigit():  # a word
        return rate  # type: ignore[no-any-return]
    return f"{float(Fraction(number) / 10):.6f}{slash}{period}"


def say_all(data: dict[str, Any]) -> None:
    """Write down the times and rates that are more than nothing if they are left out."""
    data.pop("start", None)  # the calendar of quotas goes on at its own pace
    data["settings"] = {
        "sign_in_burst": "1s",
        "retry_after": "1s",
        "signature_window": "5m",
        "idle_expiry": "10m",
        **data.get("settings", {}),
    }
    limit = {"rate_limit": 10_000, "burst_limit": 5_000}
    data.setdefault("account", {}).setdefault("throttle", limit)
    for function in data.get("functions", {}).values():
        function.setdefault("timeout", "3s")
    for endpoint in data.get("endpoints", {}).values():
        if "behind" in endpoint:
            endpoint.setdefault("health_check", {}).setdefault("interval", "30s")


def slower_file(text: str) -> str:
    """A file with the numbers of its first column ten times as large."""
    header, *rows = text.splitlines()
    cells = [row.partition(",") for row in rows]
    slow = [f"{float(Fraction(first) * 10):.9f}{comma}{rest}" for first, comma, rest in cells]
    return "\n".join([header, *slow]) + "\n"


@whole_scenarios
@given(case=scenarios(style=Style.EXACT))
def test_ten_times_slower_is_the_same_at_ten_times_the_times(case: Case, folder: Path) -> None:
    files = {name: slower_file(text) for name, text in case.files.items()}
    files["times.csv"] = slower_file(FILES["times.csv"])
    say_all(case.data)
    one = simulate(case, folder).rows
    ten = simulate(Case(slower(case.data), files), folder).rows
    assert len(one) == len(ten)
    for name in one.dtype.names or ():
        if name in _TIMES:
            expected = np.where(one[name] > 0, 10 * one[name], one[name])
            assert ten[name].tolist() == expected.tolist(), name
        else:
            assert ten[name].tolist() == one[name].tolist(), name


# P10


def _names_an_api(line: str, apis: list[str]) -> bool:
    """Whether a line of a mix says which API it calls, by its name or by a domain's."""
    return re.split("[ /]", line)[0] in apis or "." in line.split(" ", maxsplit=1)[0]


def with_room_for_others(data: dict[str, Any]) -> dict[str, Any]:
    """The scenario with the API named wherever it may be left out and no limit of the account."""
    apis = list(data["apis"])
    traffic = {}
    for name, source in data["traffic"].items():
        if "trace" in source:
            if "domain" not in source["trace"]:
                source = source | {"trace": {"api": apis[0], **source["trace"]}}
        else:
            # Bodies are given by the lines of the mix.
            for part in {"mix", "bodies"} & set(source):
                named = {
                    key if _names_an_api(key, apis) else f"{apis[0]} {key}": inner
                    for key, inner in source[part].items()
                }
                source = source | {part: named}
        traffic[name] = source
    throttle = {"rate_limit": 1_000_000, "burst_limit": 1_000_000}
    account = data.get("account", {}) | {"throttle": throttle}
    return data | {"account": account, "traffic": traffic}


def with_a_stranger(data: dict[str, Any], *, first: bool) -> dict[str, Any]:
    """The scenario with an API, an endpoint and a source that share nothing with the others."""
    integration = {"type": "http_proxy", "endpoint": "stranger"}
    routes = {"GET /items/{id}": {"integration": integration}}
    strange = {
        "apis": {"stranger": {"type": "http", "routes": routes}},
        "endpoints": {"stranger": {"servers": 1, "service_time": "1ms"}},
        "traffic": {
            "stranger": {
                "arrivals": "uniform",
                "offset": 0,
                "phases": [{"duration": "20ms", "rate": 2000}],
                "mix": {"stranger GET /items/{id}": 1},
                "values": {"header.authorization": {"uniform": 3}},
            }
        },
    }
    joined = dict(data)
    for section, part in strange.items():
        own = data.get(section, {})
        joined[section] = part | own if first else own | part
    return joined


def named(simulation: Run) -> list[tuple[Any, ...]]:
    """Rows with names in place of positions, the stranger's left out."""
    rows, names = simulation.rows, simulation.result.program.names
    columns = [n for n in rows.dtype.names or () if n not in ("source", "cell", "api", "client")]
    facts: list[tuple[Any, ...]] = rows[columns].tolist()
    who = zip(rows["cell"].tolist(), rows["client"].tolist(), strict=True)
    return [
        (names.cells[cell], names.clients[client] if client >= 0 else "", fact)
        for (cell, client), fact in zip(who, facts, strict=True)
        if names.cells[cell].source != "stranger"
    ]


@whole_scenarios
@given(case=scenarios(), first=st.booleans())
def test_a_stranger_changes_nothing_for_the_others(case: Case, first: bool, folder: Path) -> None:
    data = with_room_for_others(case.data)
    alone = simulate(Case(data, case.files), folder)
    joined = simulate(Case(with_a_stranger(data, first=first), case.files), folder)
    assert len(joined.rows) == len(alone.rows) + 40
    assert named(joined) == named(alone)


# seeds


@whole_scenarios
@given(case=scenarios(), replication=st.integers(1, 1000))
def test_a_seed_decides_everything(case: Case, replication: int, folder: Path) -> None:
    program = lowered(case.load(folder))
    first = run(program, "compiled")
    assert differences(first, run(program, "compiled")) == []
    if len(first.rows) == 0:
        return
    other = run(program, "compiled", replication)
    reseeded = simulate(Case(case.data | {"seed": 99}, case.files), folder)
    assert len({first.result.digest, other.result.digest, reseeded.result.digest}) == 3


@settings(whole_scenarios, max_examples=10)
@given(case=scenarios(), replication=st.integers(1, 1000))
def test_both_engines_agree_on_every_replication(
    case: Case, replication: int, folder: Path
) -> None:
    assert differences(*both(lowered(case.load(folder)), replication)) == []
