"""What was used, and whose requests used it: the items that a bill is cut up into.

What grows with the traffic is known by source; within a source it belongs to the routes that lead
to it, by what is counted of their requests (:data:`_CLAIMS`). What is paid for being there belongs
to the routes, callers or API that the scenario names (:data:`_SCOPES`), and is shared among them by
``pricing.allocation``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from apisim.engine.program import Program, Targets
from apisim.gateway.status import Answer
from apisim.pricing import PriceBook, Usage
from apisim.pricing.project import scaling_part
from apisim.results.usage_groups import OWNER_MEASURES, Owner, PartUsage
from apisim.scenario.stages import stage_label

__all__ = ["BEFORE_WAF", "Claim", "Used", "Weighted", "entries_of", "held_items", "scaling_items"]

_Mask = NDArray[np.bool_]
#: A part of what was used and how often it happened: a run once, a window so many times a month.
Weighted = tuple[Fraction, PartUsage]


class Claim(NamedTuple):
    """Requests that used a thing: those of some owners, with some answers, each so much."""

    measure: int
    owners: _Mask
    answers: _Mask
    weight: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Used:
    """Something that was used.

    Attributes
    ----------
    quantities : dict of str to Fraction
        By meter.
    scope : bool[n_owners]
        Whose it may be.
    claims : tuple of Claim
        Who used how much of it; without any, nobody in particular.
    """

    quantities: dict[str, Fraction]
    scope: _Mask
    claims: tuple[Claim, ...] = ()


#: Answers of the gates before a web ACL (``engine/*/gateway.py`` has their order).
BEFORE_WAF: Final = (
    Answer.SIGN_IN_THROTTLED, Answer.UNAVAILABLE, Answer.MTLS_FAILED, Answer.TOO_LARGE,
    Answer.URL_TOO_LONG, Answer.HEADERS_TOO_LARGE, Answer.NO_MAPPING, Answer.NO_ROUTE,
)  # fmt: skip
#: Calls of a function that Lambda refuses: nothing runs.
_NOT_RUN: Final = (Answer.FUNCTION_THROTTLED, Answer.FUNCTION_REQUEST_TOO_LARGE)
#: What each count of an API is shared by.
_API_COUNTS: Final = {
    "requests_charged": "units",
    "bytes_out": "bytes_out",
    "bytes_in": "bytes_in",
    "connection_ns": "connection_ms",
}


def _answers(without: Iterable[Answer] = ()) -> _Mask:
    mask = np.ones(len(Answer), bool)
    mask[list(without)] = False
    return mask


@dataclass(frozen=True, slots=True, eq=False)
class _Owners:
    """The owners, and questions about them."""

    program: Program
    owners: Sequence[Owner]
    targets: Sequence[Targets]

    @classmethod
    def of(cls, program: Program, owners: Sequence[Owner]) -> "_Owners":
        led = {
            (cell.api, cell.route, cell.variant): targets
            for cell, targets in zip(program.names.cells, program.cell_targets, strict=True)
        }
        nowhere = Targets(*[frozenset[str]()] * 4)  # of an API that nobody calls
        targets = [led.get((one.api, one.route, one.variant), nowhere) for one in owners]
        return cls(program, owners, targets)

    def where(self, is_meant: Callable[[Owner, Targets], bool]) -> _Mask:
        pairs = zip(self.owners, self.targets, strict=True)
        return np.array([is_meant(owner, target) for owner, target in pairs], bool)

    @cache  # noqa: B019 - lives as long as the costs of one bill
    def of_api(self, name: str) -> _Mask:
        return self.where(lambda owner, _: owner.api == name)

    @cache  # noqa: B019
    def of_stage(self, label: str) -> _Mask:
        apis = self.program.scenario.apis
        return self.where(
            lambda owner, _: stage_label(owner.api, apis[owner.api].stage.name) == label
        )

    @cache  # noqa: B019
    def calling(self, function: str) -> _Mask:
        of = function.partition(":")[0]
        return self.where(lambda _, target: of in target.functions)

    @cache  # noqa: B019
    def asking(self, function: str) -> _Mask:
        of = function.partition(":")[0]
        return self.where(lambda _, target: of in target.authorizers)

    def from_source(self, is_meant: Callable[[Any], bool]) -> _Mask:
        traffic = self.program.scenario.traffic
        return self.where(
            lambda owner, _: owner.source in traffic and is_meant(traffic[owner.source])
        )


def _of_function(owners: _Owners, name: str) -> Iterator[Claim]:
    yield _claim("integrations", owners.calling(name), _NOT_RUN)
    yield _claim("authorizer_calls", owners.asking(name))


def _of_service(owners: _Owners, name: str) -> Iterator[Claim]:
    yield _claim("integrations", owners.where(lambda _, target: name in target.services))
    for function in owners.program.scenario.functions:
        n_calls = owners.program.service_calls.get((function, name), 0)
        if n_calls:
            for claim in _of_function(owners, function):
                yield claim._replace(weight=n_calls)


def _of_balancer(owners: _Owners, name: str) -> Iterator[Claim]:
    yield _claim("integrations", owners.where(lambda _, target: name in target.endpoints))


def _of_web_acl(owners: _Owners, api: str) -> Iterator[Claim]:
    yield _claim("requests", owners.of_api(api), BEFORE_WAF)


def _of_log(owners: _Owners, name: str, kind: str) -> Iterable[Claim]:
    if kind == "function":
        return _of_function(owners, name)
    measure = {"access": "log_bytes", "execution": "execution_bytes"}[kind]
    return [_claim(measure, owners.of_stage(name))]


def _claim(measure: str, owners: _Mask, without: Iterable[Answer] = ()) -> Claim:
    return Claim(OWNER_MEASURES.index(measure), owners, _answers(without))


#: Who used what grows with the traffic, by field of :class:`Usage`; APIs are by their counts.
_CLAIMS: Final[dict[str, Callable[[_Owners, Any], Iterable[Claim]]]] = {
    "functions": lambda owners, one: _of_function(owners, one.name),
    "services": lambda owners, one: _of_service(owners, one.name),
    "balancers": lambda owners, one: _of_balancer(owners, one.name),
    "wafs": lambda owners, one: _of_web_acl(owners, one.api),
    "logs": lambda owners, one: _of_log(owners, one.name, one.kind),
    "traces": lambda owners, one: [_claim("traces", owners.of_stage(one.name))],
}
#: What tells apart the entries of a field.
_NAMES: Final = ("name", "api", "stage", "route", "kind")
#: Whose may be what is paid for being there, by field of :class:`Usage`.
_SCOPES: Final[dict[str, Callable[[_Owners, Any], _Mask]]] = {
    "caches": lambda owners, one: owners.of_api(one.api),
    "wafs": lambda owners, one: owners.of_api(one.api),
    "functions": lambda owners, one: owners.calling(one.name) | owners.asking(one.name),
    "services": lambda owners, one: _any(_of_service(owners, one.name), owners),
    "balancers": lambda owners, one: _any(_of_balancer(owners, one.name), owners),
    "vpc_endpoints": lambda owners, one: owners.from_source(
        lambda source: source.vpc_endpoint == one.name
    ),
    "user_pools": lambda owners, one: owners.from_source(lambda source: source.of == one.name),
    "route_metrics": lambda owners, one: owners.where(
        lambda owner, _: (owner.api, owner.route) == (one.api, one.route)
    ),
}


def _any(claims: Iterable[Claim], owners: _Owners) -> _Mask:
    found = np.zeros(len(owners.owners), bool)
    for claim in claims:
        found |= claim.owners
    return found


def scaling_items(
    program: Program,
    owners: Sequence[Owner],
    parts: Sequence[Weighted],
    book: PriceBook,
    n_replications: int,
    month_h: Fraction | None = None,
) -> Iterator[Used]:
    """What grew with the traffic, of a mean replication or of a month.

    Parameters
    ----------
    program : Program
    owners : sequence of Owner
    parts : sequence of (Fraction, PartUsage)
        Sums over replications, each with how often it happens.
    book : PriceBook
    n_replications : int
    month_h : Fraction, optional
        Hours of the month; None for a run.
    """
    known = _Owners.of(program, owners)
    for source in dict.fromkeys(name for _, part in parts for name in part.sources):
        own = known.where(lambda owner, _, of=source: owner.source == of)  # type: ignore[misc]
        pieces: dict[tuple[str, ...], list[tuple[Fraction, Usage]]] = {}
        for times, part in parts:
            for key, piece in _pieces(part.sources[source]):
                pieces.setdefault(key, []).append((times, piece))
        for (field, count, *_), weighted in pieces.items():
            quantities: dict[str, Fraction] = {}
            for times, piece in weighted:
                for meter, quantity in scaling_part(piece, month_h).quantities(book).items():
                    share = quantity * times / n_replications
                    quantities[meter] = quantities.get(meter, Fraction(0)) + share
            if not quantities:
                continue
            entry = getattr(weighted[0][1], field)[0]
            yield _item(known, field, count, entry, own, quantities)


def _item(
    known: _Owners, field: str, count: str, entry: Any, own: _Mask, quantities: dict[str, Fraction]
) -> Used:
    if field == "apis":
        scope = own & known.of_api(entry.name)
        return Used(quantities, scope, (_claim(_API_COUNTS[count], scope),))
    claims = tuple(
        claim._replace(owners=claim.owners & own)
        for claim in (_CLAIMS[field](known, entry) if field in _CLAIMS else ())
    )
    scope = _any(claims, known)
    return Used(quantities, scope if scope.any() else own, claims)


def _pieces(usage: Usage) -> Iterator[tuple[tuple[str, ...], Usage]]:
    """A usage in pieces that have one way to be shared each, with what tells them apart."""
    for key, piece in entries_of(usage):
        if key[0] != "apis":
            yield (key[0], "", *key[1:]), piece
            continue
        (api,) = piece.apis
        for count in _API_COUNTS:
            others = {name: 0 for name in _API_COUNTS if name != count}
            yield (key[0], count, *key[1:]), Usage(apis=(replace(api, **others),))  # type: ignore[arg-type]


def entries_of(usage: Usage) -> list[tuple[tuple[str, ...], Usage]]:
    """A usage cut up: one for each API, function, cache, ..., with what tells it apart."""
    found: dict[tuple[str, ...], list[Any]] = {}
    for field in fields(usage):
        if field.name == "doubts":
            continue  # about the others, and paid by nobody
        for entry in getattr(usage, field.name):
            named = (getattr(entry, key, "") for key in _NAMES)
            found.setdefault((field.name, *named), []).append(entry)
    return [(key, Usage(**{key[0]: tuple(entries)})) for key, entries in found.items()]


def held_items(
    program: Program, owners: Sequence[Owner], held: Iterable[tuple[str, Any, dict[str, Fraction]]]
) -> Iterator[Used]:
    """What was paid for being there.

    Parameters
    ----------
    program : Program
    owners : sequence of Owner
    held : iterable of (str, entry, dict of str to Fraction)
        Fields of :class:`Usage`, an entry of each, and its quantities by meter.
    """
    known = _Owners.of(program, owners)
    everybody = np.ones(len(owners), bool)
    for field, entry, quantities in held:
        scope = _SCOPES[field](known, entry) if field in _SCOPES else everybody
        yield Used(quantities, scope if scope.any() else everybody)
