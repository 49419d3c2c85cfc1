"""Logs of real servers, and the formats that AWS publishes, against readers that are not ours."""

import json
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from apisim.scenario.log_formats import form_of
from apisim.traffic.trace import read_trace

pytestmark = pytest.mark.real


def test_a_real_log_of_a_web_server(shared: Path) -> None:
    file = shared / "data" / "access_logs" / "apache_combined_300.log"
    trace = read_trace(file, log_format="clf", sort=True)
    # pandas reads the same lines as a table of words.
    table = pd.read_csv(file, sep=" ", header=None, quotechar='"', escapechar="\\")
    table["second"] = [
        datetime.strptime(f"{text}{zone}", "[%d/%b/%Y:%H:%M:%S%z]")
        for text, zone in zip(table[3], table[4], strict=True)
    ]
    table = table.sort_values("second", kind="stable")
    since = (table.second - table.second.min()).dt.total_seconds()
    assert trace.arrival_ns.tolist() == [round(1e9 * second) for second in since]
    said = [" ".join(trace.targets[at]) for at in trace.target_index]
    assert said == [text.rpartition(" ")[0] for text in table[5]]
    assert [trace.clients[at] for at in trace.client_index] == table[0].tolist()
    sizes = [-1 if size == "-" else int(size) for size in table[7].astype(str)]
    assert trace.response_bytes.tolist() == sizes


def test_published_formats_say_when_who_and_what(shared: Path) -> None:
    text = (shared / "data" / "access_logs" / "apigw_access_log_formats.json").read_text()
    # A shell's line ends; one of them is missing where it would stand inside XML.
    formats = [one["format"].replace("\\\n", "").replace("\n", " ") for one in json.loads(text)]
    assert len(formats) == 5
    for log_format in formats:
        form = form_of(log_format)
        assert {"requestTime", "identity.sourceIp", "httpMethod"} <= form.variables
        assert form.is_coarse
        assert bool(form.keys) == log_format.startswith("{")
