"""What else a replication might have used: other readings of what AWS does not document.

Usage is kept as sums by cell and answer. Where a reading depends on the size of single requests or
the length of single connections, which nobody keeps, it is bounded by what the sums allow.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from apisim.draws.laws import Constant
from apisim.engine.program import Cell, Program
from apisim.engine.run import Replication
from apisim.gateway.metering import BASES
from apisim.gateway.status import ANSWERS, Answer
from apisim.pricing.charges import API_METERS, OUTCOME_RULES
from apisim.pricing.doubts import CONNECTION_MINUTES, HTTP_BASIS, Doubt

__all__ = ["doubts_of", "minute_doubt"]

_MINUTES: Final = "apigateway.websocket.connection_minutes"
_LIFE: Final = ("$connect", "$disconnect")
_LIFE_RULE: Final = "websocket_connect_disconnect"
_REQUEST, _RESPONSE, _LARGER, _SUM = range(len(BASES))


def doubts_of(
    replication: Replication, cells: Collection[int], parts: Sequence[int]
) -> Iterator[Doubt]:
    """Doubts about the requests of some cells.

    Parameters
    ----------
    replication : Replication
    cells : collection of int
        Positions of the cells.
    parts : sequence of int
        Which of what was measured (0) and the warm-up (1).
    """
    program = replication.program
    for at in cells:
        cell = program.names.cells[at]
        meter = program.cell_meters[at]
        kind = program.scenario.apis[cell.api].type
        sums = replication.recorder.usage[at, list(parts)]
        ended = np.flatnonzero(sums["requests"].sum(axis=0)).tolist()
        for answer in map(Answer, ended):
            group = _Group(
                requests=int(sums["requests"][:, answer].sum()),
                units=int(sums["units"][:, answer].sum()),
                bytes_in=int(sums["bytes_in"][:, answer].sum()),
                bytes_out=int(sums["bytes_out"][:, answer].sum()),
                increment=int(program.tables.meters[meter]["increment_bytes"]),
            )
            is_charged = bool(program.tables.charged[meter, answer])
            if kind == "websocket" and cell.route in _LIFE:
                yield from _of_life(group, answer, is_charged)
                continue
            rule = _rule_of(program, cell, answer)
            yield from _of_rule(program, kind, group, rule, is_charged)
            if kind == "http" and group.increment and is_charged:
                yield from _of_basis(program, cell, group, answer)


@dataclass(frozen=True, slots=True)
class _Group:
    """Requests of one cell that ended with one answer; sizes in bytes."""

    requests: int
    units: int
    bytes_in: int
    bytes_out: int
    increment: int

    def bounds(self, size: int, each: int | None) -> tuple[int, int]:
        """Fewest and most units if they are ``size`` bytes in all, ``each`` of them if known.

        An event of b bytes is at least one unit, at least b / increment, and at most one more than
        the whole increments in b.
        """
        if each is not None and each * self.requests == size:
            units = self.requests * max(1, -(-each // self.increment))
            return units, units
        return max(self.requests, -(-size // self.increment)), (
            self.requests + size // self.increment
        )


def _rule_of(program: Program, cell: Cell, answer: Answer) -> str:
    """Charge rule that is about requests of a cell that end so; empty where none is."""
    if answer in (Answer.MTLS_FAILED, Answer.NO_MAPPING):
        return ""  # no request, whatever a book says
    route = program.scenario.apis[cell.api].routes.get(cell.route)
    if answer == Answer.SERVED and route is not None and route.integration.type == "mock":
        return OUTCOME_RULES["mock"]
    return OUTCOME_RULES.get(ANSWERS[answer].outcome, "")


def _of_rule(
    program: Program, kind: str, group: _Group, rule: str, is_charged: bool
) -> Iterator[Doubt]:
    """Another reading of whether requests that end so are charged."""
    if not rule:
        return
    setting = ""
    if rule == "options_preflight" and kind == "http":
        setting = "settings.http_preflights"
    meter = API_METERS[kind]
    if is_charged:
        # What a route of a WebSocket API sends back is a message of its own.
        low, is_exact = Fraction(-group.units), kind != "websocket"
        yield Doubt(
            case=rule, meter=meter, low=low, high=Fraction(0), is_exact=is_exact, setting=setting
        )
        return
    most, is_exact = group.requests, True
    if group.increment:
        most = group.bounds(_measured(program, kind, group), None)[1]
        is_exact = most == group.requests
    yield Doubt(
        case=rule,
        meter=meter,
        low=Fraction(0),
        high=Fraction(most),
        is_exact=is_exact,
        setting=setting,
    )


def _measured(program: Program, kind: str, group: _Group) -> int:
    """Bytes that metering looks at; the larger of two is at most their sum."""
    if kind != "http":
        # What comes in and what goes back are messages of their own; streams count what goes back.
        return group.bytes_in + group.bytes_out
    basis = BASES.index(program.scenario.settings.http_metering_basis)
    if basis == _REQUEST:
        return group.bytes_in
    return group.bytes_out if basis == _RESPONSE else group.bytes_in + group.bytes_out


def _of_life(group: _Group, answer: Answer, is_charged: bool) -> Iterator[Doubt]:
    """Upgrades and closes: no messages, or messages."""
    if group.units:
        low, high = Fraction(-group.units), Fraction(0)
    else:
        low, high = Fraction(0), Fraction(group.requests if is_charged or _opens(answer) else 0)
    yield Doubt(case=_LIFE_RULE, meter=API_METERS["websocket"], low=low, high=high)


def _opens(answer: Answer) -> bool:
    return answer == Answer.CONNECTED


def _of_basis(program: Program, cell: Cell, group: _Group, answer: Answer) -> Iterator[Doubt]:
    """Units by the other things that an HTTP API's increment may measure."""
    each_in, each_out = _sizes(program, cell, answer)
    basis = BASES.index(program.scenario.settings.http_metering_basis)
    found = {
        _REQUEST: group.bounds(group.bytes_in, each_in),
        _RESPONSE: group.bounds(group.bytes_out, each_out),
    }
    n = group.requests
    both = None if each_in is None or each_out is None else each_in + each_out
    if basis in found:
        found[basis] = group.units, group.units
    sides = found[_REQUEST], found[_RESPONSE]
    together = group.bounds(group.bytes_in + group.bytes_out, both)
    found[_SUM] = (
        max(together[0], sides[0][0], sides[1][0]),
        min(together[1], sides[0][1] + sides[1][1]),
    )
    found[_LARGER] = (
        max(sides[0][0], sides[1][0]),
        # Of two sizes with i and j units, the larger has at most i + j - 1.
        min(found[_SUM][1], sides[0][1] + sides[1][1] - n),
    )
    if (
        each_in is not None
        and each_out is not None
        and (each_in * n, each_out * n) == (group.bytes_in, group.bytes_out)
    ):
        each = max(each_in, each_out)
        found[_LARGER] = group.bounds(each * n, each)
    found[basis] = group.units, group.units
    yield Doubt(
        case=HTTP_BASIS,
        meter=API_METERS["http"],
        low=Fraction(min(low for low, _ in found.values()) - group.units),
        high=Fraction(max(high for _, high in found.values()) - group.units),
        is_exact=all(low == high for low, high in found.values()),
        setting="settings.http_metering_basis",
    )


def _sizes(program: Program, cell: Cell, answer: Answer) -> tuple[int | None, int | None]:
    """Size of every request and of every answer of a cell [bytes], where all are of one size."""
    route = program.scenario.apis[cell.api].routes.get(cell.route)
    if route is None:
        return None, None
    request, response = route.request_size, route.response_size
    return (
        int(request.value) if isinstance(request, Constant) else None,
        int(response.value) if isinstance(response, Constant) and answer == Answer.SERVED else None,
    )


def minute_doubt(replication: Replication, cells: Collection[int], parts: Sequence[int]) -> Doubt:
    """Other ways to round the connections that were opened in some cells to a minute."""
    program = replication.program
    opened = sum(
        int(replication.recorder.usage[at, list(parts)]["requests"][:, Answer.CONNECTED].sum())
        for at in cells
    )
    rounding = program.scenario.settings.connection_minutes
    # What a connection's minutes may differ by: its time t is billed as ceil(t), t or round(t).
    half = Fraction(1, 2)
    low, high = {
        "up": (Fraction(-1), Fraction(0)),
        "exact": (-half, Fraction(1)),
        "nearest": (-half, Fraction(1)),
    }[rounding]
    return Doubt(
        case=CONNECTION_MINUTES,
        meter=_MINUTES,
        low=low * opened,
        high=high * opened,
        is_exact=opened == 0,
        setting="settings.connection_minutes",
    )
