"""What the chapter names, heading by heading, and what of it can be simulated.

One row a capability, in words of our own. A row that is modelled names the scenario's key, a test,
words of its module that :data:`OFF` takes out, so that its test can be seen to fail, and, where
there is one, a scenario that uses it.
"""

from dataclasses import dataclass
from typing import Final

__all__ = ["CAPABILITIES", "OFF", "Capability", "Switch"]


@dataclass(frozen=True)
class Switch:
    """A few words of a module without which a mechanism does nothing.

    Parameters
    ----------
    module : str
        File of the package.
    old, new : str
        The words, which stand there exactly once, and what they become.
    """

    module: str
    old: str
    new: str


@dataclass(frozen=True)
class Capability:
    """One row.

    Parameters
    ----------
    heading : str
        Where the chapter names it.
    words : str
        What it is.
    key : str
        Key of a scenario, or what else makes use of it; "" where it is not modelled yet.
    off : str
        Name in :data:`OFF`, whose module is the row's.
    test : str
        ``file::test`` or ``file::test[case]``.
    scenario : str
        File under ``scenarios/``, or "".
    """

    heading: str
    words: str
    key: str = ""
    off: str = ""
    test: str = ""
    scenario: str = ""

    @property
    def is_modelled(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.key)

    @property
    def file(self) -> str:
        """The module that decides."""
        return OFF[self.off].module


_GATEWAY: Final = "apisim/gateway"
#: Mechanisms and how each is switched off.
OFF: Final[dict[str, Switch]] = {
    "alarms": Switch(
        "apisim/results/alarm_states.py", "    if breaching >= m:\n", "    if breaching > n:\n"
    ),
    "compression": Switch(
        f"{_GATEWAY}/compression.py",
        "if ratio_ppm < 0 or size < threshold:",
        "if size >= 0:",
    ),
    "streams": Switch(f"{_GATEWAY}/streaming.py", "if size <= FREELY_SENT_BYTES:", "if size >= 0:"),
    "stages": Switch(
        "apisim/scenario/stages.py",
        'return _USE.sub(lambda match: str(variables.get(match[1], "x")), written)',
        "return written",
    ),
    "canary": Switch(
        "apisim/engine/lowering/stages.py", 'row["gates"] |= GATE_CANARY', 'row["gates"] |= 0'
    ),
    "promotion": Switch(
        "apisim/engine/lowering/stages.py",
        "            if canary.promoted:\n",
        "            if False:\n",
    ),
    "base paths": Switch(
        "apisim/scenario/domains.py", "if mapping in mappings:", 'if mapping in [""]:'
    ),
    "connections": Switch(
        "apisim/traffic/connections.py",
        'now_ns - connection["unused_ns"] < keep_alive_ns',
        'now_ns - connection["unused_ns"] < 0',
    ),
    "places": Switch(
        "apisim/scenario/places.py",
        "return RoundTrip(known_ms * _MS, is_measured=True)",
        "return RoundTrip(0, is_measured=True)",
    ),
    "bandwidth": Switch("apisim/traffic/connections.py", "bits = 8 * size", "bits = 0 * size"),
    "reuse": Switch("apisim/engine/lowering/network.py", "= SHARE, network.reuse", "= SHARE, 0.0"),
    "way behind the edge": Switch(
        "apisim/engine/simpy_model/connecting.py",
        "if source.origin_rtt >= 0 and",
        "if False and",
    ),
    "messages": Switch(
        f"{_GATEWAY}/message_routing.py",
        "return self._default if value is None else self._routes.get(value, self._default)",
        "return self._default",
    ),
    "sessions": Switch(
        "apisim/engine/simpy_model/sessions.py",
        "min(self._end_ns, model.now + length_ns)",
        "min(self._end_ns, model.now + 2 * length_ns)",
    ),
    "reconnects": Switch(
        "apisim/engine/simpy_model/sessions.py", "if spec.reconnect < 0:", "if True:"
    ),
    "route responses": Switch(
        "apisim/engine/frames.py",
        "return response_bytes if replies == 1 else NOTHING",
        "return NOTHING",
    ),
    "frames": Switch(
        "apisim/engine/frames.py",
        "if size > max_message or min(size, frame) > max_frame:",
        "if size < 0:",
    ),
    "pushes": Switch(
        "apisim/engine/senders.py", 'is_chosen = socket["listed"] == 1', "is_chosen = False"
    ),
    "directory": Switch(f"{_GATEWAY}/sockets.py", 'row["listed"] = 0', 'row["listed"] = 1'),
    "idle limit": Switch(
        f"{_GATEWAY}/sockets.py",
        'return min(row["opened_ns"] + max_age_ns, last_ns + idle_ns)',
        'return row["opened_ns"] + max_age_ns',
    ),
    "pings": Switch(f"{_GATEWAY}/sockets.py", "if pings_ns > 0:", "if pings_ns < 0:"),
    "cuts": Switch(
        "apisim/engine/drops.py",
        'is_cut = row["open"] == 1 and row["serial"] <= drop["last_serial"]',
        "is_cut = False",
    ),
    "new connections": Switch(
        "apisim/engine/lowering/buckets.py",
        "levels[_PLACE[_CONNECTIONS]] = account.connections",
        "levels[_PLACE[_CONNECTIONS]] = NO_BUCKET",
    ),
    "messages both ways": Switch(f"{_GATEWAY}/metering.py", "    if replied:\n", "    if False:\n"),
    "connection minutes": Switch(
        "apisim/engine/connection_records.py",
        'minutes[0]["minutes"] += billed - before',
        'minutes[0]["minutes"] += 0',
    ),
    "messages' meter": Switch(
        "apisim/pricing/charges.py",
        '"websocket": "apigateway.websocket.messages"',
        '"websocket": "apigateway.http.requests"',
    ),
    "routing": Switch(
        f"{_GATEWAY}/routing.py",
        "return None if self._default is None else Match(self._default, {})",
        "return None",
    ),
    "buckets": Switch(
        f"{_GATEWAY}/throttle.py",
        'if bucket["level"] < bucket["parts_per_token"]:',
        'if bucket["level"] < -1_000_000_000_000_000_000:',
    ),
    "burst": Switch(
        "apisim/arrays/tokens.py",
        'min(bucket["capacity"], bucket["level"] + elapsed_ns * bucket["parts_per_ns"])',
        'bucket["level"] + elapsed_ns * bucket["parts_per_ns"]',
    ),
    "429 headers": Switch(
        f"{_GATEWAY}/replies.py",
        "if rate_limit_headers and ANSWERS[answer].rest == 429:",
        "if rate_limit_headers and ANSWERS[answer].rest == 0:",
    ),
    "metrics": Switch(
        f"{_GATEWAY}/replies.py",
        "if 400 <= status < 600:",
        "if 600 <= status < 600:",
    ),
    "Retry-After": Switch(
        "apisim/traffic/retries.py",
        'wait_ns = max(wait_ns, client["retry_after_ns"])',
        "wait_ns = max(wait_ns, 0)",
    ),
    "retries": Switch(
        "apisim/engine/lowering/clients.py",
        'row["max_retries"] = retries.max',
        'row["max_retries"] = 0',
    ),
    "retry quota": Switch(
        "apisim/traffic/retries.py", "tokens[process] -= cost", "tokens[process] -= 0"
    ),
    "client time-outs": Switch(
        "apisim/engine/lowering/clients.py",
        'row["timeout_ns"] = client.timeout or 0',
        'row["timeout_ns"] = 0',
    ),
    "quota": Switch(
        f"{_GATEWAY}/quota.py", 'return state["used"] < state["allowed"]', "return True"
    ),
    "keys": Switch(
        "apisim/engine/lowering/bindings.py", 'row["gates"] |= GATE_KEY', 'row["gates"] |= 0'
    ),
    "attachments": Switch(
        f"{_GATEWAY}/usage_plan.py",
        'if plan_routes[subscriptions[at]["plan"], route, 0] != NOT_ATTACHED:',
        'if plan_routes[subscriptions[at]["plan"], route, 0] != NOT_ATTACHED - 1:',
    ),
    "key sets": Switch(
        f"{_GATEWAY}/key_set.py",
        'return now_ns - key_set["fetched_ns"] < key_set["lifetime_ns"]',
        'return now_ns >= key_set["fetched_ns"]',
    ),
    "sign-ins": Switch(
        f"{_GATEWAY}/sign_in.py",
        "if not try_take(bucket, 1, now_ns):",
        "if not try_take(bucket, 0, now_ns):",
    ),
    "preflights": Switch(
        f"{_GATEWAY}/cors.py", "return method not in _SAFE_METHODS or bool(unsafe)", "return False"
    ),
    "automatic preflights": Switch(
        "apisim/engine/lowering/cors.py", "found = AUTOMATIC", "found = None"
    ),
    "kept preflights": Switch(
        f"{_GATEWAY}/cors.py",
        "return max(0, min(_DEFAULT_MAX_AGE_NS if said is None else said, cap_ns))",
        "return 0",
    ),
    "what browsers say": Switch(
        f"{_GATEWAY}/cors.py", "return Message.OTHER_ORIGIN", "return Message.NONE"
    ),
    "cache": Switch(
        f"{_GATEWAY}/response_cache.py",
        "    if body_bytes > max_object_bytes:\n        return False\n"
        "    weight = body_bytes + overhead_bytes\n",
        "    if body_bytes >= 0:\n        return False\n    weight = body_bytes + overhead_bytes\n",
    ),
    "expiry": Switch(
        "apisim/arrays/expiring_lru.py",
        'if now_ns - entry["stored_ns"] >= line["ttl_ns"]:',
        'if now_ns - entry["stored_ns"] >= 1_000_000 * line["ttl_ns"]:',
    ),
    "timeline": Switch(
        "apisim/engine/timeline.py",
        'words[index] = patch["a"]',
        "words[index] = words[index]",
    ),
    "flush": Switch(
        "apisim/arrays/expiring_lru.py",
        'while cache["newest"] != NOWHERE:\n        _remove(store, cache["newest"])',
        'if cache["newest"] != NOWHERE:\n        _remove(store, cache["newest"])',
    ),
    "invalidation": Switch(
        f"{_GATEWAY}/cache_control.py",
        "if needs_permission == 0 or has_permission:",
        "if needs_permission == 0 and not has_permission:",
    ),
    "wrong answers": Switch(
        f"{_GATEWAY}/cache_entries.py",
        "return kept != own and kept != UNKNOWN and own != UNKNOWN",
        "return kept != kept",
    ),
    "stale answers": Switch(
        f"{_GATEWAY}/cache_entries.py",
        "return age_ns * _NANOSECOND * updates_per_s >= -log(u)",
        "return age_ns * updates_per_s < -log(u) * 0.0",
    ),
    "authorizer cache": Switch(
        f"{_GATEWAY}/authorizer.py",
        'return store.entries[at]["value"]',
        "return UNKNOWN",
    ),
    "tokens": Switch(
        "apisim/engine/credentials.py",
        'if befalls(authorizer["invalid"], authorizer["invalid_key"], identity):\n',
        'if befalls(0.0, authorizer["invalid_key"], identity):\n',
    ),
    "signatures": Switch(
        "apisim/engine/credentials.py",
        "if off_ns > window_ns:",
        "if off_ns > 1_000_000 * window_ns:",
    ),
    "policies": Switch(
        f"{_GATEWAY}/resource_policy.py",
        "    if POLICY_DENIES in said:\n        return POLICY_DENIES\n",
        "",
    ),
    "policy tables": Switch(
        f"{_GATEWAY}/resource_policy.py",
        "    if identity == POLICY_DENIES or policy == POLICY_DENIES:\n"
        "        return POLICY_DENIES\n    if table == TABLE_ALONE:",
        "    if table == TABLE_ALONE:",
    ),
    "private": Switch(
        "apisim/engine/compiled/resource.py",
        'if binding["outside"] == 1:',
        'if binding["outside"] == 2:',
    ),
    "firewall": Switch(
        f"{_GATEWAY}/waf.py",
        'rate["is_blocked"] = 1 if total > rule["limit"] else 0',
        'rate["is_blocked"] = 0',
    ),
    "certificates": Switch(
        "apisim/engine/compiled/mutual_tls.py",
        'if drawn >= tables.apis[slot["api"]]["invalid_certificates"]:',
        "if drawn >= 0.0:",
    ),
    "hidden answers": Switch(
        f"{_GATEWAY}/cors.py",
        "return answer if message == 0 else _BLOCKED",
        "return answer",
    ),
    "validation": Switch(
        f"{_GATEWAY}/validation.py",
        "if lacks_parameters:",
        "if lacks_parameters and has_invalid_body:",
    ),
    "models": Switch(
        "apisim/scenario/validators.py",
        "return bool(validator.is_valid(value))",
        "return validator is not None",
    ),
    "limits": Switch(f"{_GATEWAY}/limits.py", "if url_bytes > max_url:", "if url_bytes < 0:"),
    "features": Switch(
        "apisim/scenario/features.py",
        "    if has_feature(feature, api_type, profile):\n        return None\n",
        "    if feature in FEATURES:\n        return None\n",
    ),
    "matrix": Switch(
        "apisim/scenario/features.py",
        'if profile == "chapter" and self.chapter is not None:',
        'if profile == "book" and self.chapter is not None:',
    ),
    "cold starts": Switch(
        "apisim/backends/lambda_.py",
        'pool["cold_starts"] += 1',
        'pool["cold_starts"] += 0',
    ),
    "concurrency": Switch(
        "apisim/backends/lambda_.py",
        'if groups[of]["busy"] >= groups[of]["limit"]:',
        'if groups[of]["busy"] >= groups[of]["limit"] + 1_000_000:',
    ),
    "requests a second": Switch(
        "apisim/backends/lambda_.py", "    if rate < 0:\n", "    if rate < 1_000_000_000:\n"
    ),
    "growth": Switch(
        "apisim/backends/lambda_.py", "    if scaling < 0:\n", "    if scaling < 1_000_000_000:\n"
    ),
    "provision": Switch(
        "apisim/backends/lambda_.py", "is_free = of >= 0 and", "is_free = of >= 1_000_000 and"
    ),
    "function time-out": Switch(
        "apisim/engine/compiled/work.py",
        'is_cut = busy_ns > function["timeout_ns"]',
        'is_cut = busy_ns > function["timeout_ns"] + 1_000_000_000_000',
    ),
    "background": Switch(
        "apisim/engine/lowering/backends.py",
        "account.lambda_concurrency - set_aside - account.background.lambda_concurrency",
        "account.lambda_concurrency - set_aside",
    ),
    "init billing": Switch(
        "apisim/engine/compiled/work.py",
        'if function["init_unbilled"] == 1:',
        'if function["init_unbilled"] == 2:',
    ),
    "presets": Switch(
        "apisim/scenario/backends.py",
        "if self.runtime is None:\n            return self.init",
        "if self.init is not None:\n            return self.init",
    ),
    "memory": Switch(
        "apisim/scenario/backends.py",
        "return 1 - working + working * slower",
        "return 1 - working + working",
    ),
    "malformed": Switch(
        "apisim/engine/compiled/functions.py",
        "return happens(world, slot, share, _MALFORMED",
        "return happens(world, slot, share - 2.0, _MALFORMED",
    ),
    "custom errors": Switch(
        "apisim/engine/functions.py",
        "    if result == _ERROR:\n        return error_answer\n",
        "    if result == _ERROR:\n        return result\n",
    ),
    "events": Switch(
        "apisim/engine/lowering/bodies.py",
        'row["event"] = int(route.integration.invocation == "event")',
        'row["event"] = 0',
    ),
    "failed events": Switch(
        "apisim/backends/events.py", "if n_runs > max_retries:", "if n_runs > 0:"
    ),
    "throttled events": Switch(
        "apisim/backends/events.py",
        "wait_ns = _SECOND_NS << (n_throttles - 1)",
        "wait_ns = _SECOND_NS",
    ),
    "template time": Switch(
        "apisim/engine/compiled/bodies.py",
        "time_ns = draw_int(world, slot, dist, _REQUEST_MAPPING)",
        "time_ns = 0 * draw_int(world, slot, dist, _REQUEST_MAPPING)",
    ),
    "template size": Switch(
        f"{_GATEWAY}/mapping.py",
        "return (size * ratio_ppm + UNCHANGED_PPM - 1) // UNCHANGED_PPM",
        "return size",
    ),
    "large events": Switch(
        "apisim/engine/lowering/bodies.py",
        "else REQUEST_BYTES",
        "else BODY_BYTES",
    ),
    "large results": Switch(
        "apisim/engine/compiled/work.py",
        'slot["result"] = _ANSWER_TOO_LARGE',
        'slot["result"] = RESULT_OK',
    ),
    "large answers": Switch(
        f"{_GATEWAY}/mapping.py", "    if size > max_answer:", "    if size > 2 * max_answer:"
    ),
    "versions": Switch(
        "apisim/engine/compiled/functions.py",
        'slot["index"] = function["other"]',
        'slot["index"] = slot["index"]',
    ),
    "queue": Switch(
        "apisim/backends/http.py",
        'if row["waiting"] >= row["queue_limit"]:',
        'if row["waiting"] >= row["queue_limit"] + 1_000_000:',
    ),
    "service limits": Switch(
        "apisim/backends/service.py",
        'if n_tokens <= limit["level"] // limit["parts_per_token"]:',
        "if n_tokens >= 0:",
    ),
    "health checks": Switch(
        "apisim/backends/targets.py",
        'outage["out_ns"] <= now_ns < outage["back_ns"]',
        'outage["out_ns"] < now_ns < outage["out_ns"]',
    ),
    "calls behind": Switch(
        "apisim/engine/lowering/backends.py",
        'rows[-1]["first_call"], rows[-1]["n_calls"] = len(calls), len(spec.calls)',
        'rows[-1]["first_call"], rows[-1]["n_calls"] = len(calls), 0',
    ),
    "endpoints": Switch(f"{_GATEWAY}/limits.py", '"edge": 8_192', '"edge": 10_240'),
    "own time": Switch(
        "apisim/engine/lowering/apis.py",
        "getattr(settings.gateway_overhead, api.type)",
        "settings.gateway_overhead.rest",
    ),
    "mocks": Switch(
        "apisim/engine/compiled/advance.py", 'slot["result"] = RESULT_OK', 'slot["result"] = _QUOTA'
    ),
    "renewals": Switch(
        "apisim/engine/callers.py",
        "return (now_ns + phase_ns) // lifetime_ns",
        "return phase_ns * 0",
    ),
    "early throttle": Switch(
        "apisim/engine/lowering/bindings.py",
        "if settings.throttle_before_auth:",
        "if settings.throttle_before_auth is None:",
    ),
    "shared account": Switch(
        "apisim/engine/lowering/buckets.py",
        "    levels[ACCOUNT_PLACE] = account.requests\n",
        # A bucket for each.
        "    levels[ACCOUNT_PLACE] = AccountBuckets(context, lowered).requests\n",
    ),
    "shares of plans": Switch(
        "apisim/engine/lowering/plans.py",
        "if len(shares) == 1:",
        "if len(shares) > 0:",
    ),
    "use by day": Switch(f"{_GATEWAY}/usage_plan.py", 'of_day["used"] += 1', 'of_day["used"] += 0'),
    "cache keys": Switch(
        "apisim/engine/lowering/bindings.py",
        "keys = set(spec.keys)\n    if context.scenario.settings.path_in_cache_key:",
        "keys = set(spec.keys)\n    if spec.keys is not None:",
    ),
    "cache hours": Switch(
        "apisim/pricing/usage.py",
        "Fraction(cache.provisioned_ns, NS_PER_HOUR)",
        "Fraction(0)",
    ),
    "service meters": Switch(
        "apisim/pricing/usage.py",
        "*(service.quantities(book) for service in self.services),",
        "",
    ),
    "balancer bytes": Switch(
        "apisim/results/neighbours.py",
        'n_bytes += int((moved * carried["integrations"] // of).sum())',
        "n_bytes += 0",
    ),
    "endpoint hours": Switch(
        "apisim/pricing/neighbours.py",
        "Fraction((self.zones or 0) * hours)",
        "Fraction(hours)",
    ),
    "access logs": Switch(
        "apisim/gateway/access_log.py",
        'return size * line["lines"]',
        "return 0",
    ),
    "execution logs": Switch(
        "apisim/gateway/execution_log.py",
        'if line["bodies"] == 1:',
        "if False:",
    ),
    "function logs": Switch(
        "apisim/backends/function_log.py",
        "return size + cold if is_cold else size",
        "return size",
    ),
    "log retention": Switch(
        "apisim/pricing/logs.py",
        "if self.retention_days is not None and self.month_h is not None:",
        "if False:",
    ),
    "tracing": Switch(
        "apisim/gateway/tracing.py",
        'if sampler["taken"] < reservoir:',
        "if False:",
    ),
    "detailed metrics": Switch(
        "apisim/results/neighbours.py",
        "and (cell := program.names.cells[at]).route",
        "and (cell := program.names.cells[at]) is None",
    ),
    "active users": Switch(
        "apisim/pricing/neighbours.py",
        'yield f"cognito.mau.{self.tier}", Fraction(self.users)',
        'yield f"cognito.mau.{self.tier}", Fraction(0 * self.users)',
    ),
    "meters": Switch(
        "apisim/pricing/usage.py", "add(API_METERS[api.type],", 'add(API_METERS["rest"],'
    ),
    "margin": Switch(
        "apisim/results/customer_costs.py",
        "return self.revenue - self.cost",
        "return self.revenue - 0 * self.cost",
    ),
    "allocation": Switch(
        "apisim/pricing/allocation.py",
        "line.meter.name: line.amount / totals[line.meter.name]",
        "line.meter.name: Fraction(line.rows[0].price_per_unit)",
    ),
    "refused cost": Switch(
        "apisim/results/costs.py", "if who in _NO_REFUSAL:", "if who not in _NO_REFUSAL:"
    ),
    "overlays": Switch(
        "apisim/pricing/overlay.py",
        "own.get(meter) or kept.get(meter)",
        "kept.get(meter)",
    ),
    "quantities": Switch(
        "apisim/pricing/quantities.py", "kept[meter] = quantity\n", "kept[meter] = 0 * quantity\n"
    ),
    "list prices": Switch(
        "apisim/pricing/focus.py",
        '"ListCost": _product(units, list_price),',
        '"ListCost": contracted,',
    ),
    "usage files": Switch(
        "apisim/pricing/infracost.py",
        "units = _whole(total(lambda one: one.requests_charged))",
        "units = 0",
    ),
    "ranges": Switch("apisim/pricing/ranges.py", "if lows[case] or highs[case]", "if False"),
    "ends of free tiers": Switch(
        "apisim/pricing/months.py", "account_month=account_months + number", "account_month=None"
    ),
    "credits": Switch("apisim/pricing/months.py", "left[at] -= paid", "left[at] -= 0"),
    "template": Switch("apisim/scenario/template.py", "apisim: 1\n", "apisim: 2\n"),
    "regions": Switch(
        "apisim/scenario/regions.py",
        "if region in SMALL_REGIONS else",
        'if region == "" else',
    ),
    "raised time-outs": Switch(
        "apisim/scenario/regions.py",
        "longest_ns = max(timeout_ns, UNRAISED_TIMEOUT_NS)",
        "longest_ns = UNRAISED_TIMEOUT_NS",
    ),
    "tiers": Switch(
        "apisim/pricing/rating.py",
        "top = end if tier.up_to is None else min(end, Fraction(tier.up_to))",
        "top = end",
    ),
}

_OUTCOME: Final = "tests/golden/test_outcomes.py::test_an_answer_is_what_the_table_says"
_BODIES: Final = "tests/unit/test_bodies.py"
_LARGE: Final = (
    "tests/golden/test_body_outcomes.py::"
    "test_a_body_that_is_too_large_is_answered_as_the_table_says"
)
_CLIENTS: Final = "tests/unit/test_clients.py"
_SOCKETS: Final = "tests/unit/test_websocket_runs.py"
_FUND: Final = "API Gateway Fundamentals"
_TYPES: Final = "API Types Comparison"
_INTEGRATION: Final = "Integration Types"
_AUTH: Final = "Authentication and Authorization"
_THROTTLE: Final = "Throttling and Rate Limiting"
_PLANS: Final = "Usage Plans"
_CACHE: Final = "Caching"
_CORS: Final = "CORS Configuration"
_MAPPING: Final = "Request/Response Transformation"
_LABS: Final = "Hands-On Implementation"
_TIPS: Final = "Tips & Best Practices"
_PITFALLS: Final = "Pitfalls & Remedies"
_REVIEW: Final = "Review Questions"

CAPABILITIES: Final = (
    Capability(
        _FUND,
        "requests find their route and backend",
        "apis.*.routes",
        "routing",
        test="tests/unit/test_routing.py::test_default_takes_whatever_is_left",
        scenario="quickstart.yaml",
    ),
    Capability(
        _FUND,
        "WebSocket messages find their route",
        "apis.*.route_selection_expression",
        "messages",
        test=f"{_SOCKETS}::test_the_value_of_a_message_names_its_route",
    ),
    Capability(
        _FUND,
        "requests checked for parameters they must have",
        "apis.*.routes.*.validate.parameters",
        "validation",
        test="tests/unit/test_validation.py::test_parameters_come_first",
    ),
    Capability(
        _FUND,
        "bodies checked against a model",
        "apis.*.routes.*.validate.body.schema",
        "models",
        test="tests/unit/test_validation.py::test_a_body_fits_its_model_as_draft_4_says",
    ),
    Capability(
        _FUND,
        "requests that are too large, and URLs that are too long",
        "traffic.*.url_size",
        "limits",
        test="tests/unit/test_limits.py::test_a_regional_rest_api_looks_at_each_part",
    ),
    Capability(_FUND, "requests and answers reshaped on the way"),
    Capability(
        _FUND,
        "web application firewall: addresses that call too often",
        "apis.*.stage.waf",
        "firewall",
        test="tests/unit/test_waf.py::"
        "test_a_flood_passes_until_the_counts_are_looked_at_and_is_then_blocked",
        scenario="ddos.yaml",
    ),
    Capability(
        _FUND,
        "TLS with certificates of the clients",
        "apis.*.mutual_tls",
        "certificates",
        test=f"{_OUTCOME}[mtls_failed-rest]",
    ),
    Capability(
        _FUND,
        "time of TCP and TLS handshakes",
        "traffic.*.network.keep_alive",
        "connections",
        test="tests/unit/test_network.py::test_each_client_of_a_log_keeps_a_connection_for_a_while",
        scenario="edge-or-regional.yaml",
    ),
    Capability(
        _FUND,
        "where clients are: round trips to Region and edge location",
        "traffic.*.network.location",
        "places",
        test="tests/unit/test_places.py::test_a_line_of_ones_own_leads_to_the_edge_and_to_the_region",
    ),
    Capability(
        _FUND,
        "connections that are found open, as a share",
        "traffic.*.network.reuse",
        "reuse",
        test="tests/unit/test_network.py::test_a_share_of_open_calls_finds_a_connection",
    ),
    Capability(
        _FUND,
        "bodies on the callers' lines",
        "traffic.*.network.bandwidth",
        "bandwidth",
        test="tests/unit/test_network.py::test_a_body_takes_time_each_way",
        scenario="edge-or-regional.yaml",
    ),
    Capability(
        _FUND,
        "the way between edge location and Region",
        "traffic.*.network.origin_rtt",
        "way behind the edge",
        test="tests/unit/test_network.py::test_the_handshake_is_with_the_nearer_end",
        scenario="edge-or-regional.yaml",
    ),
    Capability(
        _FUND,
        "edge-optimized and regional endpoints",
        "apis.*.endpoint",
        "endpoints",
        test="tests/unit/test_limits.py::test_each_type_and_endpoint_has_its_limits",
        scenario="edge-or-regional.yaml",
    ),
    Capability(
        _FUND,
        "payload compression",
        "apis.*.stage.minimum_compression_size",
        "compression",
        test="tests/unit/test_stages.py::test_who_takes_compressed_answers_gets_them",
    ),
    Capability(
        _FUND,
        "several stages of one API, with variables",
        "apis.*.stages",
        "stages",
        test="tests/unit/test_stages.py::test_each_stage_has_its_own_variables_and_throttle",
    ),
    Capability(
        _FUND,
        "canary releases",
        "apis.*.stage.canary",
        "canary",
        test="tests/unit/test_stages.py::test_the_canarys_share_is_binomial",
        scenario="canary-slow-release.yaml",
    ),
    Capability(
        _FUND,
        "canaries promoted, and deployments made, while it runs",
        "apis.*.stage.canary.promoted",
        "promotion",
        test="tests/unit/test_stages.py::test_a_promoted_canary_is_the_stage",
    ),
    Capability(
        _FUND,
        "CloudWatch's metrics of each answer",
        "results: answers",
        "metrics",
        test=f"{_OUTCOME}[throttled_method-rest]",
    ),
    Capability(
        _FUND,
        "access logs, to the byte",
        "apis.*.stage.access_log",
        "access logs",
        test="tests/unit/test_access_log.py::"
        "test_bytes_are_those_of_the_lines_whatever_the_answer[throttled_method-rest]",
    ),
    Capability(
        _FUND,
        "execution logs",
        "apis.*.stage.execution_log",
        "execution logs",
        test="tests/unit/test_log_bills.py::test_data_traces_have_bodies_of_at_most_1024_bytes",
    ),
    Capability(
        _FUND,
        "logs of functions",
        "functions.*.logs",
        "function logs",
        test="tests/unit/test_log_bills.py::test_a_function_s_log_has_lambda_s_lines_and_its_own",
    ),
    Capability(
        _FUND,
        "what is stored of logs in a month",
        "apis.*.stage.log_retention",
        "log retention",
        test="tests/unit/test_log_bills.py::test_a_month_has_what_is_written_and_what_is_held",
    ),
    Capability(
        _FUND,
        "X-Ray traces",
        "apis.*.stage.tracing",
        "tracing",
        test="tests/unit/test_tracing.py::test_a_second_is_one_of_the_scenario_s_clock",
    ),
    Capability(
        _FUND,
        "what detailed metrics of routes cost",
        "apis.*.stage.detailed_metrics",
        "detailed metrics",
        test="tests/unit/test_neighbour_bills.py::"
        "test_detailed_metrics_are_those_of_the_routes_that_were_called",
    ),
    Capability(_FUND, "documentation of an API"),
    Capability(_FUND, "OpenAPI definitions read and written"),
    Capability(
        _TYPES,
        "REST and HTTP APIs with what each has",
        "apis.*.type",
        "features",
        test="tests/unit/test_features.py::test_http_apis_lack_what_rest_apis_have",
        scenario="quickstart.yaml",
    ),
    Capability(
        _TYPES,
        "WebSocket APIs: users stay connected",
        "traffic.*.sessions.length",
        "sessions",
        test=f"{_SOCKETS}::test_a_session_lasts_as_long_as_its_user_wants",
        scenario="chapter/websocket-chat.yaml",
    ),
    Capability(
        _TYPES,
        "WebSocket messages answered by their route",
        "apis.*.routes.*.route_response",
        "route responses",
        test=f"{_SOCKETS}::test_what_a_route_answers_goes_back_only_if_it_has_a_route_response",
    ),
    Capability(
        _TYPES,
        "messages that the server begins, and the senders of them",
        "traffic.*.pushes",
        "pushes",
        test=f"{_SOCKETS}::test_a_push_goes_to_everybody_who_is_connected",
        scenario="websocket-dashboard.yaml",
    ),
    Capability(
        _TYPES,
        "connections that have gone and nobody has told of (410)",
        "settings.disconnect_delivery",
        "directory",
        test=f"{_SOCKETS}::test_whom_the_application_takes_to_be_there_meets_410_once",
    ),
    Capability(
        _TYPES,
        "WebSocket connections end: idle, or old",
        "settings.websocket_idle_timeout",
        "idle limit",
        test=f"{_SOCKETS}::test_a_connection_ends_when_nothing_is_said_or_when_it_is_old",
    ),
    Capability(
        _TYPES,
        "pings that keep them open",
        "traffic.*.sessions.pings",
        "pings",
        test=f"{_SOCKETS}::test_pings_keep_a_connection_open",
        scenario="iot-devices.yaml",
    ),
    Capability(
        _TYPES,
        "clients that connect again",
        "traffic.*.sessions.reconnect",
        "reconnects",
        test=f"{_SOCKETS}::test_a_connection_ends_when_nothing_is_said_or_when_it_is_old",
        scenario="websocket-reconnect-storm.yaml",
    ),
    Capability(
        _TYPES,
        "messages and frames that are too large, or binary",
        "traffic.*.sessions.max_frame",
        "frames",
        test=f"{_SOCKETS}::test_what_is_too_large_or_binary_closes_the_connection",
    ),
    Capability(
        _TYPES,
        "connections cut by a blip",
        "timeline.*.disconnect",
        "cuts",
        test="tests/unit/test_results_websockets.py::"
        "test_a_blip_is_on_the_timeline_and_nobody_is_asked_while_it_lasts",
        scenario="websocket-reconnect-storm.yaml",
    ),
    Capability(
        _TYPES,
        "messages billed both ways",
        "apis.*.routes.*.route_response",
        "messages both ways",
        test=f"{_SOCKETS}::test_messages_are_billed_both_ways_and_minutes_as_long_as_they_last",
    ),
    Capability(
        _TYPES,
        "connection minutes",
        "settings.connection_minutes",
        "connection minutes",
        test=f"{_SOCKETS}::test_messages_are_billed_both_ways_and_minutes_as_long_as_they_last",
        scenario="chapter/websocket-chat.yaml",
    ),
    Capability(
        _TYPES,
        "the same asked of one type and told by another, with both bills",
        "apis.*.type",
        "messages' meter",
        test="tests/golden/test_websocket_answers.py::test_the_answer_of_polling_or_pushing",
        scenario="rest-polling-vs-websocket.yaml",
    ),
    Capability(
        _TYPES,
        "the decision matrix, as the chapter has it and as AWS does",
        "profile",
        "matrix",
        test="tests/unit/test_features.py::"
        "test_the_decision_matrix_is_the_chapter_s_under_its_profile",
        scenario="chapter/three-level-throttling.yaml",
    ),
    Capability(
        _TYPES,
        "prices by tiers",
        "pricing.book",
        "tiers",
        test="tests/unit/test_pricing_rating.py::test_a_quantity_is_cut_at_the_tiers_ends",
        scenario="world-cup-day.yaml",
    ),
    Capability(
        _TYPES,
        "the example of 100 million requests: a bill without a run, by `apisim price`",
        "pricing.month_to_date",
        "quantities",
        test="tests/cli/test_price.py::test_the_chapters_comparison_is_a_command_each",
    ),
    Capability(
        _TYPES,
        "a month after the other, with a free tier that ends",
        "results: account_months of a quantities file",
        "ends of free tiers",
        test="tests/unit/test_pricing_months.py::"
        "test_a_plan_of_twelve_months_ends_with_the_twelfth",
    ),
    Capability(
        _TYPES,
        "credits that pay for bills until they are used up",
        "results: credits of a quantities file",
        "credits",
        test="tests/unit/test_pricing_months.py::test_a_credit_is_used_up_and_the_rest_is_paid",
    ),
    Capability(
        _TYPES,
        "a bill in the columns of FOCUS 1.2, with list and contract prices",
        "results: price --format focus, run --out",
        "list prices",
        test="tests/unit/test_pricing_focus.py::test_the_list_cost_of_a_contract_is_the_list_books",
    ),
    Capability(
        _TYPES,
        "a projected month as a usage file of Infracost",
        "results: run --out",
        "usage files",
        test="tests/unit/test_bill_exports.py::test_infracost_is_told_the_months_units",
    ),
    Capability(
        _TYPES,
        "what other readings of undocumented prices would cost",
        "settings.http_metering_basis",
        "ranges",
        test="tests/unit/test_bill_ranges.py::test_the_summary_and_the_object_say_it",
    ),
    Capability(
        _TYPES,
        "prices of a contract or of another Region",
        "pricing.book",
        "overlays",
        test="tests/unit/test_pricing_overlays.py::"
        "test_a_meter_with_tiers_of_its_own_keeps_what_it_is",
    ),
    Capability(
        _TYPES,
        "the slower and the faster type's own time",
        "settings.gateway_overhead",
        "own time",
        test="tests/unit/test_api_types.py::test_each_type_of_api_has_an_overhead_of_its_own",
    ),
    Capability(
        _TYPES,
        "private endpoints",
        "vpc_endpoints",
        "private",
        test=f"{_OUTCOME}[private_refused-rest]",
    ),
    Capability(
        _TYPES,
        "custom domain names; versions side by side by base path",
        "domains",
        "base paths",
        test="tests/unit/test_domains.py::test_versions_side_by_side",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: cold starts",
        "functions.*.init",
        "cold starts",
        test="tests/property/test_engine_warm_pool.py::"
        "test_an_arrival_is_a_cold_start_exactly_if_all_instances_alive_are_busy",
        scenario="quickstart.yaml",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: concurrency",
        "functions.*.reserved_concurrency",
        "concurrency",
        test="tests/oracle/test_concurrency.py::test_a_reserve_of_nothing_lets_nothing_run",
        scenario="black-friday.yaml",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: requests a second",
        "account.lambda_concurrency",
        "requests a second",
        test="tests/unit/test_lambda.py::"
        "test_an_account_takes_ten_requests_a_second_for_each_unit_of_concurrency",
        scenario="lambda-concurrency-wall.yaml",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: how fast they grow",
        "settings.lambda_scaling",
        "growth",
        test="tests/unit/test_lambda.py::"
        "test_a_function_adds_a_thousand_environments_at_once_and_a_hundred_a_second",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: provisioned concurrency",
        "functions.*.provisioned_concurrency",
        "provision",
        test="tests/unit/test_lambda_runs.py::test_what_is_provisioned_is_billed_by_time_and_what_"
        "runs_on_it_at_its_own_price",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: the rest of the account",
        "account.background",
        "background",
        test="tests/golden/test_lambda_outcomes.py::"
        "test_a_failure_is_what_the_table_says[others-rest-lambda_proxy]",
        scenario="lambda-concurrency-wall.yaml",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: time-outs",
        "functions.*.timeout",
        "function time-out",
        test="tests/golden/test_lambda_outcomes.py::"
        "test_a_failure_is_what_the_table_says[time-out-rest-lambda_proxy]",
        scenario="black-friday.yaml",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: INIT in and out of the bill",
        "settings.lambda_init_billed",
        "init billing",
        test="tests/unit/test_lambda_runs.py::"
        "test_init_may_be_left_out_of_the_bill_and_what_comes_before_it_always_is",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: measured runtimes",
        "functions.*.runtime",
        "presets",
        test="tests/unit/test_lambda_presets.py::test_a_preset_is_the_measured_table",
        scenario="lambda-concurrency-wall.yaml",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: memory and duration",
        "functions.*.measured_at",
        "memory",
        test="tests/unit/test_lambda_presets.py::test_a_processor_is_given_in_proportion_to_memory",
        scenario="lambda-concurrency-wall.yaml",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: results that are no answer",
        "functions.*.malformed",
        "malformed",
        test="tests/golden/test_lambda_outcomes.py::"
        "test_a_failure_is_what_the_table_says[malformed-rest-lambda_proxy]",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: errors through a custom integration",
        "apis.*.routes.*.integration.error_status",
        "custom errors",
        test="tests/golden/test_lambda_outcomes.py::"
        "test_a_failure_is_what_the_table_says[error-rest-lambda]",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: asynchronous calls, told at once",
        "apis.*.routes.*.integration.invocation",
        "events",
        test="tests/unit/test_events.py::test_the_caller_is_told_at_once_and_nothing_of_the_result",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: events that fail run again",
        "functions.*.maximum_retry_attempts",
        "failed events",
        test="tests/unit/test_events.py::test_a_failing_function_runs_three_times",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: throttled events wait",
        "functions.*.maximum_event_age",
        "throttled events",
        test="tests/unit/test_events.py::"
        "test_a_throttled_event_waits_twice_as_long_each_time_up_to_five_minutes",
    ),
    Capability(
        _INTEGRATION,
        "Lambda functions: two versions behind an alias",
        "functions.*.additional_version",
        "versions",
        test="tests/unit/test_lambda_runs.py::"
        "test_an_alias_gives_each_version_its_share_and_environments_of_its_own",
    ),
    Capability(
        _INTEGRATION,
        "custom Lambda and HTTP integrations: the time of their templates",
        "apis.*.routes.*.integration.transformation.request_time",
        "template time",
        test=f"{_BODIES}::test_templates_take_the_gateway_s_time_and_not_the_integration_s",
    ),
    Capability(
        _INTEGRATION,
        "custom Lambda and HTTP integrations: the size of what their templates make",
        "apis.*.routes.*.integration.transformation.response_ratio",
        "template size",
        test=f"{_BODIES}::test_the_cache_holds_what_callers_get",
    ),
    Capability(
        _INTEGRATION,
        "payload limits: what a function is sent",
        "apis.*.routes.*.request_size",
        "large events",
        test=f"{_LARGE}[request-7MB-rest-lambda_proxy--]",
    ),
    Capability(
        _INTEGRATION,
        "payload limits: what a function answers",
        "apis.*.routes.*.response_size",
        "large results",
        test=f"{_LARGE}[answer-7MB-rest-lambda_proxy--]",
    ),
    Capability(
        _INTEGRATION,
        "payload limits: what the gateway passes on",
        "apis.*.routes.*.response_size",
        "large answers",
        test=f"{_LARGE}[answer-11MB-rest-http-response:0.1]",
    ),
    Capability(
        _INTEGRATION,
        "proxy integrations of REST APIs: answers that are streamed",
        "apis.*.routes.*.integration.response_transfer_mode",
        "streams",
        test="tests/unit/test_streaming.py::test_what_is_beyond_10_mb_goes_at_2_mb_a_second",
    ),
    Capability(
        _INTEGRATION,
        "HTTP backends with a queue",
        "endpoints.*.queue_limit",
        "queue",
        test="tests/oracle/test_http_endpoint.py::"
        "test_a_short_queue_refuses_what_m_m_c_k_turns_away",
    ),
    Capability(
        _INTEGRATION,
        "AWS services called without a function, their limits",
        "services.*.read_capacity_units",
        "service limits",
        test="tests/oracle/test_service_limits.py::test_unused_capacity_lasts_as_long_as_aws_says",
        scenario="dynamodb-direct-vs-lambda.yaml",
    ),
    Capability(
        _INTEGRATION,
        "what functions call while they run holds them",
        "functions.*.calls",
        "calls behind",
        test="tests/unit/test_calls.py::test_an_instance_is_held_while_its_call_queues",
        scenario="slow-database.yaml",
    ),
    Capability(
        _INTEGRATION,
        "mock integrations",
        "apis.*.routes.*.integration.type",
        "mocks",
        test="tests/unit/test_api_types.py::test_a_mock_answers_in_no_time_and_calls_nothing",
    ),
    Capability(
        _INTEGRATION,
        "VPC links and what stands behind them",
        "endpoints.*.outages",
        "health checks",
        test="tests/unit/test_vpc_link.py::test_a_share_of_requests_fails_until_the_checks_have",
        scenario="vpc-link-private-api.yaml",
    ),
    Capability(
        _INTEGRATION,
        "what the services behind an API cost",
        "services.*.type",
        "service meters",
        test="tests/unit/test_neighbour_bills.py::test_what_functions_send_is_on_the_bill_too",
        scenario="dynamodb-direct-vs-lambda.yaml",
    ),
    Capability(
        _INTEGRATION,
        "what a load balancer behind a VPC link costs",
        "endpoints.*.behind",
        "balancer bytes",
        test="tests/unit/test_neighbour_bills.py::"
        "test_a_balancer_costs_its_hours_and_the_bytes_it_carries",
        scenario="vpc-link-private-api.yaml",
    ),
    Capability(
        _INTEGRATION,
        "what the way into a private API costs",
        "vpc_endpoints.*.zones",
        "endpoint hours",
        test="tests/unit/test_neighbour_bills.py::"
        "test_an_interface_endpoint_costs_every_begun_hour_in_every_zone",
        scenario="vpc-link-private-api.yaml",
    ),
    Capability(
        _AUTH,
        "Cognito: what its active users cost",
        "populations.*.user_pool_tier",
        "active users",
        test="tests/unit/test_neighbour_bills.py::"
        "test_users_who_signed_in_are_the_active_users_of_the_pool",
    ),
    Capability(
        _AUTH,
        "IAM: signatures, clocks that are off, callers' own policies",
        "traffic.*.credentials",
        "signatures",
        test=f"{_OUTCOME}[signature_expired-rest]",
    ),
    Capability(
        _AUTH,
        "Cognito and JWT: tokens that are no good",
        "authorizers.*.invalid_tokens",
        "tokens",
        test=f"{_OUTCOME}[token_invalid-rest]",
    ),
    Capability(
        _AUTH,
        "JWT: an issuer's keys, fetched and kept",
        "settings.key_set_lifetime",
        "key sets",
        test="tests/unit/test_authorizers.py::test_keys_are_fetched_when_they_are_too_old",
    ),
    Capability(
        _AUTH,
        "Cognito: sign-ins and refreshes within a quota",
        "populations.*.sign_in_quota",
        "sign-ins",
        test="tests/oracle/test_sign_ins.py::test_exactly_the_sign_ins_above_the_quota_are_refused",
    ),
    Capability(
        _AUTH,
        "users with tokens of their own that expire",
        "populations.*.token_lifetime",
        "renewals",
        test="tests/unit/test_callers.py::"
        "test_tokens_are_renewed_once_a_lifetime_each_user_at_a_time_of_its_own",
    ),
    Capability(
        _AUTH,
        "whether a throttled call reaches the authorizer",
        "settings.throttle_before_auth",
        "early throttle",
        test="tests/unit/test_authorizers.py::test_throttle_before_auth_spares_the_authorizer",
    ),
    Capability(
        _AUTH,
        "Lambda authorizers whose results are kept",
        "authorizers.*.ttl",
        "authorizer cache",
        test="tests/oracle/test_cache_expiry.py::"
        "test_an_authorizer_is_called_once_a_cycle_of_each_token",
        scenario="authorizer-ttl.yaml",
    ),
    Capability(
        _AUTH,
        "API keys: missing, unknown or unattached",
        "apis.*.routes.*.api_key_required",
        "keys",
        test=f"{_OUTCOME}[no_key-rest]",
        scenario="usage-plan-tiers.yaml",
    ),
    Capability(
        _AUTH,
        "resource policies by address",
        "apis.*.resource_policy",
        "policies",
        test="tests/unit/test_resource_policy.py::"
        "test_intervals_say_what_each_statement_says_of_each_address",
        scenario="ip-allowlist.yaml",
    ),
    Capability(
        _AUTH,
        "resource policies together with an authorizer",
        "apis.*.resource_policy",
        "policy tables",
        test="tests/unit/test_resource_policy.py::test_identity_and_policy_decide_as_published",
    ),
    Capability(
        _THROTTLE,
        "three levels: account, stage, method",
        "account.throttle",
        "buckets",
        test="tests/oracle/test_throttle_exact.py::"
        "test_all_levels_are_charged_or_none_and_the_most_specific_refuses",
        scenario="chapter/three-level-throttling.yaml",
    ),
    Capability(
        _THROTTLE,
        "token buckets that hold a burst and no more",
        "apis.*.routes.*.throttle.burst_limit",
        "burst",
        test="tests/oracle/test_throttle_exact.py::"
        "test_a_bucket_decides_as_the_generic_cell_rate_algorithm_does",
        scenario="chapter/burst-spike.yaml",
    ),
    Capability(
        _THROTTLE,
        "headers that say the limit and when to try again",
        "settings.rate_limit_headers",
        "429 headers",
        test="tests/golden/test_outcomes.py::"
        "test_the_chapter_s_429s_say_when_to_try_again[throttled_method-rest]",
    ),
    Capability(
        _THROTTLE,
        "clients that wait for Retry-After",
        "traffic.*.client.retries.obey_retry_after",
        "Retry-After",
        test=f"{_CLIENTS}::test_retry_after_is_obeyed_where_there_is_one",
    ),
    Capability(
        _THROTTLE,
        "clients that try again, with every kind of backoff",
        "traffic.*.client.retries",
        "retries",
        test=f"{_CLIENTS}::test_retries_are_rows_of_their_own_at_the_times_of_the_backoff",
        scenario="retry-storm.yaml",
    ),
    Capability(
        _THROTTLE,
        "the retry quota of the AWS SDKs",
        "traffic.*.client.retries.quota",
        "retry quota",
        test=f"{_CLIENTS}::test_a_used_up_quota_ends_the_retries_of_its_process_only",
    ),
    Capability(
        _THROTTLE,
        "clients that stop waiting",
        "traffic.*.client.timeout",
        "client time-outs",
        test=f"{_CLIENTS}::test_what_a_client_no_longer_waits_for_is_served_and_billed",
        scenario="retry-storm.yaml",
    ),
    Capability(
        _THROTTLE,
        "limits and backends that change while it runs",
        "timeline.*.set",
        "timeline",
        test="tests/oracle/test_timeline.py::test_an_outage_drains_as_lindley_s_recursion_says",
        scenario="backend-outage.yaml",
    ),
    Capability(
        _THROTTLE,
        "new WebSocket connections a second",
        "account.new_connections",
        "new connections",
        test=f"{_SOCKETS}::test_an_account_opens_so_many_connections_a_second",
        scenario="websocket-reconnect-storm.yaml",
    ),
    Capability(
        _THROTTLE,
        "APIs that share what an account may do",
        "account.throttle",
        "shared account",
        test="tests/unit/test_api_types.py::test_two_apis_share_the_bucket_of_their_account",
        scenario="noisy-neighbour.yaml",
    ),
    Capability(
        _THROTTLE,
        "what a time-out above 29 s costs of the account's rate",
        "settings.raised_timeout_rate",
        "raised time-outs",
        test="tests/unit/test_raised_timeouts.py::test_rate_times_time_out_stays_what_it_is",
    ),
    Capability(
        _PLANS,
        "a plan's rate and burst",
        "usage_plans.*.throttle",
        "buckets",
        test="tests/unit/test_usage_plans.py::"
        "test_the_first_that_refuses_is_named_plan_method_account_quota",
        scenario="usage-plan-tiers.yaml",
    ),
    Capability(
        _PLANS,
        "quotas by day, week and month",
        "usage_plans.*.quota",
        "quota",
        test="tests/unit/test_quota.py::test_a_quota_lets_by_what_a_dictionary_of_dates_lets_by",
        scenario="usage-plan-tiers.yaml",
    ),
    Capability(
        _PLANS,
        "customers' keys in plans, by their shares",
        "populations.*.plans",
        "shares of plans",
        test="tests/unit/test_usage_plans.py::"
        "test_shares_of_plans_are_exact_and_drawn_once_for_all_replications",
    ),
    Capability(
        _PLANS,
        "use of each key, day by day",
        "usage_plans.*.api_keys",
        "use by day",
        test="tests/unit/test_usage_plans.py::test_usage_by_day_has_the_shape_of_get_usage",
        scenario="usage-plan-tiers.yaml",
    ),
    Capability(
        _PLANS,
        "API monetization: what a plan costs and brings in",
        "usage_plans.*.price",
        "margin",
        test="tests/unit/test_whose_cost.py::"
        "test_the_margin_of_a_plan_is_its_keys_price_for_the_run_s_part_of_a_month",
        scenario="usage-plan-tiers.yaml",
    ),
    Capability(
        _PLANS,
        "cost control: whose cost it is",
        "pricing.allocation",
        "allocation",
        test="tests/unit/test_whose_cost.py::test_tiers_are_shared_by_all",
    ),
    Capability(
        _PLANS,
        "cost control: what refused requests cost all the same",
        "pricing.book",
        "refused cost",
        test="tests/unit/test_whose_cost.py::"
        "test_throttled_requests_cost_their_error_bodies_on_a_rest_api",
    ),
    Capability(
        _CACHE,
        "a cache of eight sizes",
        "apis.*.stage.cache_cluster_size",
        "cache",
        test=f"{_OUTCOME}[cache_hit-rest]",
        scenario="quickstart.yaml",
    ),
    Capability(
        _CACHE,
        "time to live",
        "apis.*.routes.*.cache.ttl",
        "expiry",
        test="tests/oracle/test_cache_expiry.py::"
        "test_at_a_constant_gap_what_is_as_old_as_its_limit_is_gone",
        scenario="chapter/cache-keys.yaml",
    ),
    Capability(
        _CACHE,
        "keys of chosen parameters",
        "apis.*.routes.*.cache.keys",
        "cache keys",
        test="tests/golden/test_scenario_answers.py::"
        "test_by_the_rules_of_aws_the_path_is_in_the_key_only_if_it_is_chosen",
        scenario="chapter/cache-keys.yaml",
    ),
    Capability(
        _CACHE,
        "the whole cache flushed",
        "timeline.*.flush_cache",
        "flush",
        test="tests/unit/test_cache_mechanisms.py::"
        "test_a_flush_empties_one_cache_and_leaves_the_others",
    ),
    Capability(
        _CACHE,
        "entries replaced at a caller's wish",
        "traffic.*.invalidate",
        "invalidation",
        test="tests/unit/test_cache_mechanisms.py::test_max_age_zero",
    ),
    Capability(
        _CACHE,
        "answers older than what they tell of",
        "apis.*.routes.*.updates",
        "stale answers",
        test="tests/unit/test_cache_mechanisms.py::"
        "test_the_share_of_stale_entries_is_exponential_in_their_age",
        scenario="cache-key-pitfall.yaml",
    ),
    Capability(
        _CACHE,
        "cost and worth of a cache",
        "apis.*.stage.cache_cluster_size",
        "cache hours",
        test="tests/golden/test_bills.py::test_the_sign_of_a_caches_worth_depends_on_the_function",
        scenario="chapter/cache-benefit.yaml",
    ),
    Capability(
        _CORS,
        "preflights of browsers",
        "traffic.*.browser",
        "preflights",
        test="tests/unit/test_browsers.py::"
        "test_a_preflight_goes_first_and_the_request_is_sent_when_its_answer_has_come",
        scenario="cors-preflight-storm.yaml",
    ),
    Capability(
        _CORS,
        "HTTP APIs answer preflights themselves",
        "apis.*.cors",
        "automatic preflights",
        test="tests/unit/test_browsers.py::"
        "test_an_http_api_answers_by_itself_and_no_backend_is_called",
    ),
    Capability(
        _CORS,
        "browsers keep preflights for a time",
        "apis.*.cors.max_age",
        "kept preflights",
        test="tests/unit/test_browsers.py::test_an_unsaid_max_age_is_five_seconds",
    ),
    Capability(
        _CORS,
        "four misconfigurations and what the browser says",
        "apis.*.routes.*.cors",
        "what browsers say",
        test="tests/unit/test_cors.py::test_the_misconfigurations_have_a_message_each",
    ),
    Capability(_MAPPING, "mapping templates of requests and answers"),
    Capability(_MAPPING, "functions and variables of templates"),
    Capability(_MAPPING, "parameter mapping of HTTP APIs"),
    Capability(
        _LABS,
        "lab 1: an HTTP API with a function",
        "apis.*.type",
        "template",
        test="tests/cli/test_commands.py::test_init_writes_a_scenario_that_runs",
    ),
    Capability(
        _LABS,
        "lab 2: a key that no plan attaches to a stage opens nothing",
        "usage_plans.*.api_stages",
        "attachments",
        test="tests/unit/test_usage_plans.py::"
        "test_a_key_opens_the_routes_of_the_stages_its_plans_are_attached_to",
        scenario="usage-plan-tiers.yaml",
    ),
    Capability(
        _TIPS,
        "what the cheaper type saves",
        "pricing.book",
        "meters",
        test="tests/golden/test_bills.py::test_tiers_apply_to_the_accounts_total_not_to_each_api",
    ),
    Capability(
        _TIPS,
        "alarms on errors",
        "alarms",
        "alarms",
        test="tests/unit/test_alarm_states.py::test_the_figure_of_the_user_guide",
    ),
    Capability(
        _TIPS,
        "how long an authorizer's results are kept",
        "authorizers.*.ttl",
        "authorizer cache",
        test="tests/golden/test_scenario_answers.py::"
        "test_an_authorizer_is_called_as_often_as_its_ttl_lets_it",
        scenario="authorizer-ttl.yaml",
    ),
    Capability(
        _PITFALLS,
        "1: calls that browsers block",
        "apis.*.cors",
        "hidden answers",
        test="tests/unit/test_cors.py::test_a_refusal_stays_what_it_is_and_an_answer_may_be_hidden",
        scenario="cors-preflight-storm.yaml",
    ),
    Capability(
        _PITFALLS,
        "2: limits too low for a rush, or too high for an attack",
        "apis.*.routes.*.throttle",
        "buckets",
        test=f"{_OUTCOME}[throttled_method-rest]",
        scenario="black-friday.yaml",
    ),
    Capability(
        _PITFALLS,
        "3: answers to somebody else's question",
        "apis.*.routes.*.depends_on",
        "wrong answers",
        test="tests/unit/test_cache_mechanisms.py::"
        "test_an_answer_is_wrong_only_if_both_sides_are_known",
        scenario="cache-key-pitfall.yaml",
    ),
    Capability(
        _REVIEW,
        "limits of a new account",
        "account.throttle",
        "regions",
        test="tests/unit/test_scenario_loading.py::"
        "test_thirteen_regions_start_with_a_quarter_of_the_limit",
    ),
)
