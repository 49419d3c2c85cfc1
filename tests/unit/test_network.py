"""The way to the API: connections and their handshakes, bandwidth, edge locations; by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import apisim
from apisim.engine.flags import FLAG_NEW_CONNECTION
from apisim.engine.run import Engine
from apisim.gateway.status import Answer
from apisim.scenario import ScenarioError, loads
from apisim.traffic.connections import transfer_ns
from tests.support.experiments import MOCK, Data, mock_api, prepare, rows_of, scenario

MS = 1_000_000
#: Twice a, whose second call comes during the handshake of the first; then each after a while.
LOG = """timestamp_s,client,method,path,status,bytes
0,a,GET,/,200,0
0.010,a,GET,/,200,0
1,b,GET,/,200,0
5,a,GET,/,200,0
5.5,b,GET,/,200,0
11,a,GET,/,200,0
12,,GET,/,200,0
12.5,,GET,/,200,0
"""


def rows(data: Data, base: Path | None = None, engine: Engine = "simpy") -> NDArray[np.void]:
    return rows_of(prepare(data, base), engine=engine)[1]


def is_new(found: NDArray[np.void]) -> list[int]:
    """1 for each request that opened a connection, by arrival."""
    return [int(flags & FLAG_NEW_CONNECTION != 0) for flags in found["flags"]]


def times_ms(found: NDArray[np.void]) -> list[float]:
    return [latency / MS for latency in found["latency_ns"]]


def user(network: Data, mix: str = "GET /", **more: Any) -> Data:
    """One user who calls every second, nine times."""
    phases = [{"duration": "9500ms", "users": 1, "think_time": "1s"}]
    source = {"phases": phases, "mix": {mix: 1}, "network": network, "offset": 0, **more}
    return {"web": source}


@pytest.mark.parametrize(("tls", "handshake"), [("1.3", 200), ("1.2", 300)])
def test_each_client_of_a_log_keeps_a_connection_for_a_while(
    tmp_path: Path, tls: str, handshake: int
) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    network = {"rtt": "100ms", "keep_alive": "5s", "tls": tls}
    source = {"trace": {"file": "log.csv"}, "network": network}
    found = rows(scenario(apis=mock_api(), traffic={"log": source}), tmp_path)
    # a waits 10 ms less for its own handshake; unused since 5.1 s it is gone at 11 s.
    assert is_new(found) == [1, 0, 1, 0, 0, 1, 1, 1]
    full = handshake + 100
    assert times_ms(found) == [full, full - 10, full, 100, 100, full, full, full]


@pytest.mark.parametrize(
    ("keep_alive", "news"), [("off", [1] * 9), ("500ms", [1] * 9), ("2s", [1] + [0] * 8)]
)
def test_a_user_finds_its_connection_open_if_it_thinks_for_less(
    keep_alive: str, news: list[int]
) -> None:
    traffic = user({"rtt": "20ms", "keep_alive": keep_alive})
    found = rows(scenario(apis=mock_api(), traffic=traffic, settings={"tls_time": "2ms"}))
    assert is_new(found)[:9] == news
    assert times_ms(found)[:9] == [62 if new else 20 for new in news]


def test_a_connection_as_old_as_its_keep_alive_is_gone() -> None:
    """What is exactly as old as its limit is gone, here as everywhere."""
    traffic = user({"keep_alive": "1s"})
    assert is_new(rows(scenario(apis=mock_api(), traffic=traffic)))[:9] == [1] * 9


def test_stages_of_an_api_are_called_over_one_connection() -> None:
    """They differ by the path; another API has a host name, and connections, of its own."""
    staged = {"type": "rest", "stages": {"prod": {}, "dev": {}}, "routes": {"GET /": MOCK}}
    apis = {"one": staged, **mock_api()}
    phases = [{"duration": "30s", "users": 1, "think_time": "100ms"}]
    mix = {"one/prod GET /": 1, "one/dev GET /": 1, "api GET /": 1}
    source = {"phases": phases, "mix": mix, "network": {"keep_alive": "1h"}}
    found = rows(scenario(apis=apis, traffic={"web": source}))
    assert sum(is_new(found)) == 2


@pytest.mark.parametrize("percent", [0, 75, 100])
def test_a_share_of_open_calls_finds_a_connection(percent: int) -> None:
    phases = [{"duration": "100s", "rate": 10}]
    network = {"rtt": "20ms", "reuse": f"{percent}%"}
    source = {"phases": phases, "mix": {"GET /": 1}, "network": network}
    found = rows(scenario(apis=mock_api(), traffic={"web": source}, settings={"tls_time": "2ms"}))
    wanted = 1 - percent / 100
    spread = (wanted * (1 - wanted) / len(found)) ** 0.5
    assert abs(sum(is_new(found)) / len(found) - wanted) <= 4 * spread
    # A round trip for TCP, one for TLS, the processor, and the call's own.
    assert times_ms(found) == [62 if new else 20 for new in is_new(found)]


def test_a_long_call_keeps_its_connection_open() -> None:
    """A call of 29 s on a connection that lives for a second; the user calls 0.5 s after it."""
    phases = [{"duration": "40s", "users": 1, "think_time": "500ms"}]
    network = {"rtt": "20ms", "keep_alive": "1s"}
    traffic = {"web": {"phases": phases, "mix": {"GET /": 1}, "network": network, "offset": 0}}
    api = {
        "api": {
            "type": "rest",
            "routes": {"GET /": {"integration": {"type": "http_proxy", "endpoint": "e"}}},
        }
    }
    endpoints = {"e": {"servers": 9, "service_time": "28s"}}
    assert is_new(rows(scenario(apis=api, endpoints=endpoints, traffic=traffic))) == [1, 0]


@pytest.mark.parametrize(
    ("size", "kbps", "expected"),
    [
        (1_250_000, 20_000, 500 * MS),
        (1, 100_000_000, 0),  # 0.08 ns
        (1, 3, 2_666_666),
        (10 * 1024**2, 7, 11_983_725_714_285),
        (1024**4, 1, 8 * 1024**4 * MS),
    ],
)
def test_bytes_take_their_time_to_the_nanosecond(size: int, kbps: int, expected: int) -> None:
    assert transfer_ns(size, kbps) == expected == 8 * size * MS // kbps


def test_a_body_takes_time_each_way() -> None:
    api = mock_api({"request_size": "500B", "response_size": "1250B"})
    found = rows(scenario(apis=api, traffic=user({"rtt": "100ms", "bandwidth": "1Mbps"})))
    assert set(times_ms(found)) == {100 + 4 + 10}
    assert set(found["gateway_ns"]) == {0}
    assert is_new(found) == [0] * len(found)  # connections cost nothing here


def test_an_error_takes_time_for_its_own_body() -> None:
    api = mock_api(
        {
            "request_size": "0B",
            "response_size": "10MB",
            "throttle": {"rate_limit": 1, "burst_limit": 1},
        }
    )
    phases = [{"duration": "100ms", "rate": 20}]
    source = {"phases": phases, "mix": {"GET /": 1}, "arrivals": "uniform", "offset": 0}
    source["network"] = {"bandwidth": "1kbps"}
    found = rows(scenario(apis=api, traffic={"web": source}))
    refused = found[found["answer"] == Answer.THROTTLED_METHOD]
    assert len(refused) == 1
    assert refused["response_bytes"][0] == len('{"message":"Too Many Requests"}')
    assert refused["latency_ns"][0] == 8 * 31 * MS


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_a_compressed_answer_takes_the_time_of_what_is_left_of_it(engine: Engine) -> None:
    route = {**MOCK, "request_size": "0B", "response_size": "1250B", "compression_ratio": 0.2}
    api = {"api": {"type": "rest", "routes": {"GET /": route}}}
    api["api"]["stage"] = {"minimum_compression_size": 0}
    found = rows(scenario(apis=api, traffic=user({"bandwidth": "1Mbps"})), engine=engine)
    assert set(found["response_bytes"]) == {250}
    assert set(times_ms(found)) == {2}


@pytest.mark.parametrize(("endpoint", "expected"), [("regional", 800), ("edge", 130)])
def test_the_handshake_is_with_the_nearer_end(endpoint: str, expected: int) -> None:
    network = {"rtt": "200ms", "edge_rtt": "10ms", "origin_rtt": "90ms"}
    traffic = user({**network, "keep_alive": "off", "tls": "1.2"})
    api = {"api": {"type": "rest", "endpoint": endpoint, "routes": {"GET /": MOCK}}}
    assert set(times_ms(rows(scenario(apis=api, traffic=traffic)))) == {expected}


@pytest.mark.parametrize(
    ("network", "expected"),
    [({}, [3] * 9), ({"keep_alive": "1h"}, [3] + [0] * 8), ({"keep_alive": "off"}, [3] * 9)],
)
def test_a_certificate_is_looked_at_once_for_each_connection(
    network: Data, expected: list[int]
) -> None:
    api = {"api": {"type": "rest", "mutual_tls": {}, "routes": {"GET /": MOCK}}}
    settings = {"mutual_tls_time": "3ms"}
    found = rows(scenario(apis=api, traffic=user(network), settings=settings))
    assert times_ms(found)[:9] == expected


def test_a_bad_certificate_opens_no_connection() -> None:
    api = {
        "api": {
            "type": "rest",
            "mutual_tls": {"invalid_certificates": "100%"},
            "routes": {"GET /": MOCK},
        }
    }
    found = rows(scenario(apis=api, traffic=user({"keep_alive": "1h"})))
    assert is_new(found) == [1] * len(found)
    assert set(found["answer"]) == {Answer.MTLS_FAILED}


def test_a_request_comes_on_the_connection_of_its_preflight() -> None:
    cors = {"allow_origins": ["*"], "allow_methods": ["PUT"], "allow_headers": ["content-type"]}
    cors["max_age"] = -1  # type: ignore[assignment]
    api = {"api": {"type": "rest", "cors": cors, "routes": {"PUT /": MOCK}}}
    traffic = user({"reuse": "0%"}, "PUT /", browser={"origin": "https://app.example.com"})
    found = rows(scenario(apis=api, traffic=traffic))
    is_preflight = found["answer"] == Answer.PREFLIGHT
    assert is_preflight.any()
    assert is_new(found) == is_preflight.astype(int).tolist()


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"keep_alive": "60s"}, "network: nobody is known who could keep a connection alive"),
        ({"keep_alive": "off", "reuse": "9%"}, "network.reuse: keep_alive says already which"),
        ({"tls": "1.2"}, "network.tls: no connection is opened"),
        ({"tls": "1.1", "reuse": "9%"}, "network.tls: must be 1.3 or 1.2"),
        ({"keep_alive": "2h", "reuse": "9%"}, "keep_alive: 2h is above the 1h maximum"),
        ({"keep_alive": "on"}, "network.keep_alive: must be a duration or off"),
        ({"bandwidth": "20"}, '"20" is not a bandwidth'),
        ({"bandwidth": 20}, "20 is not a bandwidth"),
        ({"bandwidth": "20MBps"}, '"20MBps" is in bytes, a bandwidth is in bits'),
        ({"bandwidth": "0Mbps"}, '"0Mbps" is out of range'),
        ({"bandwidth": "1.0001kbps"}, '"1.0001kbps" is not a whole number of kbps'),
    ],
)
def test_what_makes_no_sense_is_refused(network: Data, said: str) -> None:
    source = {"phases": [{"duration": "1s", "rate": 1}], "mix": {"GET /": 1}, "network": network}
    data = scenario(apis=mock_api(), traffic={"web": source})
    with pytest.raises(ScenarioError) as caught:
        loads(json.dumps(data))
    assert said in str(caught.value)
    assert str(caught.value).count("traffic.web") == 1


def test_results_say_by_source_who_opened_a_connection() -> None:
    phases = [{"duration": "200s", "rate": 10}]
    base = {"phases": phases, "mix": {"GET /": 1}}
    traffic = {
        "kept": {**base, "network": {"rtt": "1ms", "reuse": "75%"}},
        "each": {**base, "network": {"keep_alive": "off"}},
        "near": base,
    }
    data = scenario(apis=mock_api(), traffic=traffic)
    found = apisim.run(loads(json.dumps(data)), engine="simpy", replications=1)
    rows = {row["traffic"]: row for row in found.to_dict()["traffic"]}
    counts = {
        name: (row["new_connections"], row["reused_connections"], row["requests"])
        for name, row in rows.items()
    }
    assert all(new + reused == all_ for new, reused, all_ in (counts["kept"], counts["each"]))
    assert counts["each"][1] == 0
    new, reused, all_ = counts["kept"]
    # A share of a quarter, by hand: 2,000 draws are within four standard deviations, 3.9 %.
    assert abs(new / all_ - 0.25) < 0.039
    assert counts["near"][:2] == (0, 0)
    assert counts["Aggregated"][:2] == (new + counts["each"][0], reused)
    said = next(line for line in found.summary().splitlines() if "opened a connection" in line)
    assert said.endswith(f"opened a connection first: kept {new / all_:.1%}, each 100%")
