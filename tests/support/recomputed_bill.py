"""A bill of request records, made again with pandas and nothing of the package.

The records are the file of ``--requests``, the prices the book's YAML, the scenario the data it was
made of. What is charged, how bytes become units, what a function is billed and how tiers are rated
are all written here a second time, row by row, as the price book and the pricing pages say it.

What the records do not tell is read from the scenario: memory, cache sizes, web ACLs, the length of
the run. It knows functions of a fixed timeout below the integration's, queues, Network Load
Balancers whose answers come in time, traces, and access logs of one format.
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pandas as pd
from ruamel.yaml import YAML

__all__ = ["read_book", "recomputed"]

GB: Final = 2**30
HOUR_NS: Final = 3_600 * 10**9
MINUTE_NS: Final = 60 * 10**9
MS_NS: Final = 10**6

#: What the book calls an outcome of the records; another is charged by default.
RULES: Final = {
    "served": "integration_response",
    "cors_blocked": "integration_response",
    "cache_hit": "cache_hit",
    "preflight": "options_preflight",
    "throttled": "gateway_throttled",
    "quota": "usage_plan_throttled_or_over_quota",
    "unauthorized": "authentication_or_authorization_failure",
    "forbidden": "authentication_or_authorization_failure",
    "no_key": "api_key_missing_or_invalid",
    "blocked": "waf_blocked",
    "invalid": "request_validation_failure",
    "not_found": "no_such_route",
    "timeout": "integration_error_or_timeout",
    "backend_error": "integration_error_or_timeout",
    "backend_throttled": "integration_throttled",
}
METERS: Final = {
    "rest": "apigateway.rest.requests",
    "http": "apigateway.http.requests",
    "websocket": "apigateway.websocket.messages",
}
#: The access-log format of which lines are known here: an id, the status, the bytes of the answer.
LOG_FORMAT: Final = "$context.requestId $context.status $context.responseLength"
UUID_LENGTH: Final = 36
#: Of a message to a queue [bytes].
MESSAGE_STEP: Final = 65_536
#: Routes that open and close a connection: no messages.
CONNECTION_ROUTES: Final = ("$connect", "$disconnect")
#: Refused before the web ACL looks at a request.
BEFORE_WAF: Final = ("not_found",)


def read_book(file: Path) -> dict[str, Any]:
    """A price book's YAML as it stands there."""
    book: dict[str, Any] = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    return book


def recomputed(
    records: Path, scenario: Mapping[str, Any], book: Mapping[str, Any], length_ns: int
) -> dict[str, Fraction]:
    """What each meter costs, by the records of one replication [currency of the book].

    Parameters
    ----------
    records : pathlib.Path
        File of ``--requests``.
    scenario : dict
        Data of the scenario.
    book : dict
        Data of the price book.
    length_ns : int
        From the start to the end of the traffic [ns].
    """
    rows = pd.read_csv(records, dtype={"customer": "string"}, keep_default_na=False, na_values={
        "integration_latency_ns": [""], "authorizer_latency_ns": [""],
    })  # fmt: skip
    used: dict[str, Fraction] = {}

    def add(meter: str, quantity: Fraction) -> None:
        used[meter] = used.get(meter, Fraction(0)) + quantity

    for name, api in scenario["apis"].items():
        of_api = rows[rows["api"] == name]
        kind = api["type"]
        increment = book["meters"][METERS[kind]]["metering"].get("metering_increment_bytes")
        units = _units(of_api, kind, int(increment) if increment else None, book)
        add(METERS[kind], Fraction(units))
        out = int(of_api["response_bytes"].sum())
        out += int(of_api.loc[of_api["outcome"] == "sent", "request_bytes"].sum())
        if api.get("endpoint") == "private":
            add(
                "privatelink.data_processed", Fraction(out + int(of_api["request_bytes"].sum()), GB)
            )
        else:
            add("datatransfer.out.internet", Fraction(out, GB))
        if kind == "websocket":
            minutes = _connection_minutes(of_api)
            add("apigateway.websocket.connection_minutes", Fraction(minutes))
        stage = api.get("stage", {})
        if size := stage.get("cache_cluster_size"):
            add(f"apigateway.cache.{size}", Fraction(length_ns, HOUR_NS))
        if waf := stage.get("waf"):
            months = Fraction(length_ns, 730 * HOUR_NS)
            add("waf.web_acls", months)
            add("waf.rules", months * (waf.get("rules", 0) + len(waf.get("rate_based", []))))
            add("waf.requests", Fraction(int((~of_api["outcome"].isin(BEFORE_WAF)).sum())))
        _add_functions(add, of_api, api, scenario)
        _add_neighbours(add, of_api, api, scenario, length_ns)
        if stage.get("tracing"):
            traced = of_api["remarks"].str.split(" ").map(lambda words: "traced" in words)
            add("xray.traces.recorded", Fraction(int(traced.sum())))
        if log := stage.get("access_log"):
            assert log == LOG_FORMAT, "the one format that is known here"
            digits = of_api["status"].map(lambda status: len(str(status))) + of_api[
                "response_bytes"
            ].map(lambda size: len(str(size)))
            n_bytes = len(of_api) * (UUID_LENGTH + 2) + int(digits.sum())
            add("cloudwatch.logs.ingest", Fraction(n_bytes, GB))
    return {meter: cost for meter, n in used.items() if (cost := _rated(book["meters"][meter], n))}


def _is_charged(rows: pd.DataFrame, book: Mapping[str, Any]) -> "pd.Series[bool]":
    rules = book["charge_rules"]
    by_default = rules["default"] == "charged"
    by_rule = {name: rule["charge"] for name, rule in rules["outcomes"].items()}
    return rows["outcome"].map(lambda outcome: by_rule.get(RULES.get(outcome, ""), by_default))


def _units(rows: pd.DataFrame, kind: str, increment: int | None, book: Mapping[str, Any]) -> int:
    if kind == "websocket":
        rows = rows[~rows["route"].isin(CONNECTION_ROUTES)]
    charged = rows[_is_charged(rows, book).astype(bool)]
    if increment is None:
        return len(charged)
    if kind == "websocket":
        # A message that could not be delivered is none; a reply is a second one.
        charged = charged[(charged["outcome"] == "sent") | (charged["source"] == charged["client"])]
    units = -(-charged["request_bytes"].clip(lower=1) // increment)
    total = int(units.sum())
    if kind == "websocket":
        replies = rows.loc[rows["response_bytes"] > 0, "response_bytes"]
        total += int((-(-replies // increment)).sum())
    return total


def _connection_minutes(rows: pd.DataFrame) -> int:
    """Whole minutes from each ``$connect`` that went well to its user's ``$disconnect``."""
    rows = rows.assign(user=rows["request_id"].str.rsplit("/", n=2).str[0])
    opened = rows[(rows["route"] == "$connect") & (rows["outcome"] == "connected")]
    closed = rows[rows["route"] == "$disconnect"]
    ends = closed.sort_values("arrival_ns").groupby("user")["arrival_ns"].apply(list)
    minutes = 0
    for user, of_user in opened.sort_values("arrival_ns").groupby("user"):
        starts = of_user["arrival_ns"] + of_user["latency_ns"]
        for start, end in zip(starts, ends[user], strict=True):
            minutes += -((int(start) - int(end)) // MINUTE_NS)
    return minutes


def _add_functions(
    add: Any, rows: pd.DataFrame, api: Mapping[str, Any], scenario: Mapping[str, Any]
) -> None:
    """Invocations of routes and authorizers: each is billed the time it took, in whole ms."""
    called: list[tuple[str, pd.Series]] = []
    for route, spec in api["routes"].items():
        of_route = rows[rows["route"] == route]
        integration = spec["integration"]
        if integration["type"].startswith("lambda"):
            ran = of_route[of_route["outcome"] != "backend_throttled"]["integration_latency_ns"]
            called.append((integration["function"], ran.dropna()))
        if authorizer := spec.get("authorizer"):
            function = scenario["authorizers"][authorizer].get("function")
            if function is not None:
                called.append((function, of_route["authorizer_latency_ns"].dropna()))
    for name, times_ns in called:
        function = scenario["functions"][name]
        add("lambda.requests", Fraction(len(times_ns)))
        ms = int((-(-times_ns.astype("int64") // MS_NS)).sum())
        memory_mb = int(function["memory"].removesuffix("MB"))
        kind = function.get("architecture", "x86")
        add(f"lambda.duration.{kind}", Fraction(ms * memory_mb, 1_000 * 1_024))


def _add_neighbours(
    add: Any,
    rows: pd.DataFrame,
    api: Mapping[str, Any],
    scenario: Mapping[str, Any],
    length_ns: int,
) -> None:
    """Messages of queues in steps of 64 KB; hours and capacity units of load balancers."""
    for route, spec in api["routes"].items():
        integration = spec["integration"]
        called = rows[(rows["route"] == route) & rows["integration_latency_ns"].notna()]
        if integration["type"] == "aws_service":
            queue = scenario["services"][integration["service"]]
            assert queue["type"] == "sqs"
            size = int(queue["item_size"].removesuffix("KB")) * 1_024
            add("sqs.standard.requests", Fraction(len(called) * -(-size // MESSAGE_STEP)))
        elif integration["type"] == "http_proxy":
            endpoint = scenario["endpoints"][integration["endpoint"]]
            if endpoint.get("behind") != "nlb":
                continue
            n_bytes = int(called["request_bytes"].sum()) + int(called["response_bytes"].sum())
            busy_ns = int(called["integration_latency_ns"].astype("int64").sum())
            opened = Fraction(len(called), endpoint["requests_per_connection"] * 3_600)
            units = max(Fraction(n_bytes, GB), Fraction(busy_ns, HOUR_NS) / 100_000, opened / 800)
            add("elb.nlb.hours", Fraction(length_ns, HOUR_NS))
            add("elb.nlb.nlcu_hours", units)


def _rated(meter: Mapping[str, Any], quantity: Fraction) -> Fraction:
    """Cost of a quantity by graduated tiers."""
    cost, begun = Fraction(0), Fraction(0)
    for tier in meter["tiers"]:
        end = quantity if tier["up_to"] is None else min(Fraction(tier["up_to"]), quantity)
        cost += max(end - begun, Fraction(0)) * Fraction(tier["price_per_unit"])
        begun = max(begun, end)
    return cost
