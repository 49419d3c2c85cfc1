"""AWS services as arrays: their limits, and what each action costs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from apisim.backends.service import ACTION_COST_DTYPE, LIMIT_DTYPE, MAX_LIMITS, open_limit
from apisim.engine.backend_tables import SERVICE_SPEC_DTYPE
from apisim.engine.lowering.context import Context
from apisim.gateway.throttle import BUCKET_DTYPE, fill_bucket
from apisim.scenario.actions import READS
from apisim.scenario.services import Service

__all__ = ["LoweredServices", "lower_services"]

#: Unused capacity of a table that is kept [s] (DynamoDB developer guide, "Burst capacity").
_KEPT_S = 300
_NO_LIMIT = (Fraction(0), 0)
_KB = 1_024


@dataclass(slots=True)
class LoweredServices:
    """Services, their limits, and the actions that routes and functions use."""

    context: Context
    names: tuple[str, ...]
    specs: NDArray[np.void]
    limit_rows: list[NDArray[np.void]] = field(default_factory=list)
    _actions: dict[tuple[str, str], int] = field(default_factory=dict)
    _costs: list[NDArray[np.void]] = field(default_factory=list)

    @property
    def limits(self) -> NDArray[np.void]:
        """``LIMIT_DTYPE[n]``, at least as many as one request looks at."""
        if not self.limit_rows:
            return np.zeros(MAX_LIMITS, LIMIT_DTYPE)
        return np.concatenate(self.limit_rows)

    @property
    def costs(self) -> NDArray[np.void]:
        """``ACTION_COST_DTYPE[n]``, at least one row."""
        return np.concatenate(self._costs) if self._costs else np.zeros(1, ACTION_COST_DTYPE)

    def index(self, service: str) -> int:
        """Index of a service."""
        return self.names.index(service)

    def action(self, service: str, action: str) -> int:
        """Row of what an action on a service costs."""
        at = self._actions.setdefault((service, action), len(self._costs))
        if at == len(self._costs):
            self._costs.append(_cost(self.context.scenario.services[service], action))
        return at


def lower_services(context: Context) -> LoweredServices:
    """Lower ``services:``."""
    services = context.scenario.services
    lowered = LoweredServices(
        context, tuple(services), np.zeros(max(1, len(services)), SERVICE_SPEC_DTYPE)
    )
    first = 0
    for row, (name, service) in zip(lowered.specs, services.items(), strict=False):
        row["latency"] = context.dists.add(service.latency)
        row["item_size"] = context.dists.add(service.item_size)
        row["errors"] = service.errors
        row["first_limit"], row["shards"] = first, service.shards
        of_shard = _limits(context, name, service)
        lowered.limit_rows.append(np.tile(of_shard, service.shards))
        first += MAX_LIMITS * service.shards
    return lowered


def _limits(context: Context, name: str, service: Service) -> NDArray[np.void]:
    """The two limits of a service, or of each of its shards."""
    written = [_NO_LIMIT, _NO_LIMIT]
    if service.type == "dynamodb":
        written = _of_table(service)
    elif service.type == "kinesis":
        written = [(Fraction(1_000), 1_000), (Fraction(_KB * _KB), _KB * _KB)]
    elif service.limit is not None:
        written[0] = (service.limit.rate_limit, service.limit.burst_limit)
    is_full = context.scenario.settings.buckets_start == "full"
    rows, bucket = np.zeros(MAX_LIMITS, LIMIT_DTYPE), np.zeros(1, BUCKET_DTYPE)
    for row, (rate, burst) in zip(rows, written, strict=True):
        try:
            fill_bucket(bucket[0], rate, burst, 0, starts_full=is_full)
        except OverflowError as error:
            context.refuse(("services", name), str(error), "use a smaller limit")
        open_limit(row, bucket[0])
    return rows


def _of_table(service: Service) -> list[tuple[Fraction, int]]:
    """Limits of a DynamoDB table on reads, in halves of a unit, and on writes."""
    reads, writes = service.read_capacity_units, service.write_capacity_units
    if reads is not None and writes is not None:
        return [
            (Fraction(2 * reads), 2 * reads * _KEPT_S),
            (Fraction(writes), writes * _KEPT_S),
        ]
    reads = service.max_read_request_units or 12_000
    writes = service.max_write_request_units or 4_000
    return [(Fraction(2 * reads), 2 * reads), (Fraction(writes), writes)]


def _cost(service: Service, action: str) -> NDArray[np.void]:
    """What one action costs: units of each begun step of the item's size."""
    row = np.zeros(1, ACTION_COST_DTYPE)
    if service.type == "dynamodb":
        twice = 2 if service.consistency == "transactional" else 1
        if action in READS:
            units = 2 * twice if service.consistency != "eventual" else 1
            _set(row, first=(units, 4 * _KB), meter=(units, 4 * _KB), is_read=1)
        else:
            _set(row, second=(twice, _KB), meter=(twice, _KB))
    elif service.type == "kinesis":
        _set(row, first=(1, 0), second=(1, 1), meter=(1, 25 * _KB))
    else:
        meter = (1, 0) if service.type == "step_functions" else (1, 64 * _KB)
        _set(row, first=(0, 0) if service.limit is None else (1, 0), meter=meter)
    return row


def _set(
    row: NDArray[np.void],
    *,
    first: Sequence[int] = (0, 0),
    second: Sequence[int] = (0, 0),
    meter: Sequence[int],
    is_read: int = 0,
) -> None:
    row["first_tokens"], row["first_bytes"] = first
    row["second_tokens"], row["second_bytes"] = second
    row["meter_units"], row["meter_bytes"] = meter
    row["is_read"] = is_read
