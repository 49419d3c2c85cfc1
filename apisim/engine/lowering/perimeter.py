"""Resource policies, VPC endpoints and web ACLs as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apisim.engine.lowering.context import Context
from apisim.engine.tables import GATE_RESOURCE, GATE_TLS, GATE_WAF, NONE
from apisim.gateway.resource_policy import (
    POLICY_ALLOWS,
    POLICY_DENIES,
    POLICY_DTYPE,
    TABLE_ALONE,
    TABLE_SAME_ACCOUNT,
    AddressRule,
    address_table,
)
from apisim.gateway.waf import BLOCK_DTYPE, RATE_RULE_DTYPE, WAF_DTYPE
from apisim.scenario.addresses import AddressRange
from apisim.scenario.formats import counted
from apisim.scenario.perimeter import MAX_ADDRESS_COUNTERS, Statement, Waf
from apisim.scenario.perimeter_checks import apis_of
from apisim.scenario.populations import blocks_of
from apisim.scenario.traffic import Source

__all__ = ["LoweredWafs", "Policies", "lower_wafs"]

_EFFECTS = {"allow": POLICY_ALLOWS, "deny": POLICY_DENIES}
#: How each kind of authorizer is put together with the policy (developer guide, "How API Gateway
#: resource policies affect authorization workflow"). A token checked without a function is like a
#: user pool's: the policy alone must allow.
_TABLES = {
    "token": TABLE_SAME_ACCOUNT,
    "request": TABLE_SAME_ACCOUNT,
    "iam": TABLE_SAME_ACCOUNT,
    "cognito": TABLE_ALONE,
    "jwt": TABLE_ALONE,
}


@dataclass(slots=True)
class Policies:
    """All policies under construction; equal ones are one row."""

    rows: list[tuple[int, int, int]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    effects: list[int] = field(default_factory=list)
    _known: dict[tuple[tuple[int, ...], ...], int] = field(default_factory=dict)

    def table(self) -> NDArray[np.void]:
        """``POLICY_DTYPE[n]``."""
        return np.array(self.rows, POLICY_DTYPE)

    def bind(
        self, context: Context, row: dict[str, int], source: Source, api: str, route: str
    ) -> None:
        """Fill in what a binding of a source's calls to a route meets at the perimeter."""
        scenario = context.scenario
        spec = scenario.apis[api]
        row |= {"policy": NONE, "endpoint_policy": NONE}
        if spec.mutual_tls is not None:
            row["gates"] |= GATE_TLS
        if not route:
            return
        if spec.stage.waf is not None:
            row["gates"] |= GATE_WAF
        behind = spec.every_route.get(route)  # an HTTP API's own preflights have no route
        authorizer = scenario.authorizers.get((behind and behind.authorizer) or "")
        row["policy_table"] = TABLE_ALONE if authorizer is None else _TABLES[authorizer.type]
        is_private = spec.endpoint == "private"
        if not is_private and spec.resource_policy is None:
            return
        row["gates"] |= GATE_RESOURCE
        through = source.vpc_endpoint if is_private else None
        if is_private and (through is None or spec.resource_policy is None):
            row["outside"] = 1
            return
        endpoint = None if through is None else scenario.vpc_endpoints[through]
        vpc = None if endpoint is None else endpoint.vpc
        row["policy"] = self._add(spec.resource_policy or (), route, through, vpc)
        if endpoint is not None and endpoint.policy is not None:
            row["endpoint_policy"] = self._add(endpoint.policy, route, through, vpc)

    def _add(
        self, statements: Sequence[Statement], route: str, through: str | None, vpc: str | None
    ) -> int:
        rules = [
            AddressRule(
                _EFFECTS[statement.effect],
                _blocks(statement.source_ip),
                _blocks(statement.not_source_ip),
            )
            for statement in statements
            if statement.holds_for(route, through, vpc)
        ]
        table = address_table(rules)
        key = (tuple(table.starts), tuple(table.effects), (table.unknown,))
        if key not in self._known:
            self._known[key] = len(self.rows)
            self.rows.append((len(self.starts), len(table.starts), table.unknown))
            self.starts += table.starts
            self.effects += table.effects
        return self._known[key]


def _blocks(ranges: Sequence[AddressRange] | None) -> list[tuple[int, int]] | None:
    return None if ranges is None else [(block.first, block.size) for block in ranges]


@dataclass(slots=True)
class LoweredWafs:
    """Web ACLs as arrays."""

    wafs: NDArray[np.void]
    rules: NDArray[np.void]
    blocks: NDArray[np.void]


def lower_wafs(context: Context, apis: NDArray[np.void]) -> LoweredWafs:
    """Lower ``waf:`` of each stage; the API's row learns its web ACL."""
    scenario = context.scenario
    wafs: list[tuple[int, int, int, int, float]] = []
    rules: list[tuple[int, int, int, int, int, int]] = []
    blocks: list[tuple[int, int, int]] = []
    n_rates = n_counts = 0
    for at, (name, api) in enumerate(scenario.apis.items()):
        spec = api.stage.waf
        apis[at]["waf"] = NONE
        if spec is None:
            continue
        apis[at]["waf"] = len(wafs)
        mine = _address_blocks(context, name, spec)
        n_addresses = sum(size for _, size, _ in mine)
        wafs.append((len(rules), len(spec.rate_based), len(blocks), len(mine), spec.block))
        blocks += mine
        for index, rule in enumerate(spec.rate_based):
            size = n_addresses * (rule.intervals + 1)
            if n_counts + size > MAX_ADDRESS_COUNTERS:
                path = ("apis", name, "stage", "waf", "rate_based", index)
                message = (
                    f"{counted(n_addresses, 'address', 'addresses')} with "
                    f"{rule.intervals + 1} counters each are above "
                    f"the {MAX_ADDRESS_COUNTERS:,} counters there may be"
                )
                context.refuse(path, message, "use smaller ranges of addresses, or a longer delay")
                continue
            rules.append((rule.limit, rule.delay, rule.intervals, n_addresses, n_rates, n_counts))
            n_rates += n_addresses
            n_counts += size
    return LoweredWafs(
        np.array(wafs, WAF_DTYPE), np.array(rules, RATE_RULE_DTYPE), np.array(blocks, BLOCK_DTYPE)
    )


def _address_blocks(context: Context, api: str, spec: Waf) -> list[tuple[int, int, int]]:
    """Addresses that call an API, as blocks that neither overlap nor touch."""
    if not spec.rate_based:
        return []
    known = blocks_of(context.scenario.populations)
    ranges = []
    for name, source in context.scenario.traffic.items():
        if api not in apis_of(context.scenario, name):
            continue
        if source.source_ip is not None:
            ranges.append((source.source_ip.first, source.source_ip.size))
        elif source.of in known:
            ranges.append((known[source.of].first, known[source.of].size))
    joined: list[tuple[int, int]] = []
    for first, size in sorted(ranges):
        if joined and first <= sum(joined[-1]):
            start, length = joined[-1]
            joined[-1] = (start, max(length, first + size - start))
        else:
            joined.append((first, size))
    before = [sum(size for _, size in joined[:at]) for at in range(len(joined))]
    return [(first, size, n) for (first, size), n in zip(joined, before, strict=True)]
