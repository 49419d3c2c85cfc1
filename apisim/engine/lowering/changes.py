"""The timeline's ``set:`` as patches: what differs between the tables of one state and the next.

A scenario is lowered once for each state of its timeline. All states share one table of
distributions, so a law that changes is another row, and what changes is who refers to it. Nothing
here knows what the numbers mean, except where a mechanism has to be told: buckets, concurrency,
servers, quotas, times to live.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from math import lcm
from typing import Final

import numpy as np
from numpy.typing import NDArray

from apisim.engine.actions import (
    ACTION_DTYPE,
    CHANGE,
    PATCH_BUCKET,
    PATCH_DTYPE,
    PATCH_ENDPOINT,
    PATCH_GROUP,
    PATCH_LINE,
    PATCH_PLAN_BUCKET,
    PATCH_POOL,
    PATCH_QUOTA,
    PATCH_SERVICE_LIMIT,
    PATCH_SIGN_IN_BUCKET,
    PATCH_WORD,
    TAKE_IN,
)
from apisim.engine.changeable import NUMBERS, differences
from apisim.engine.lowering.context import Context
from apisim.engine.lowering.streams import Rekey
from apisim.engine.program import Program
from apisim.engine.tables import (
    Tables,
)
from apisim.gateway.quota import NO_QUOTA
from apisim.scenario import ScenarioError
from apisim.scenario.changes import State

__all__ = ["with_changes"]

_LARGEST: Final = 1 << 62
#: What each replication fills in, what all states share, and what is made here.
_NOT_COMPARED: Final = (
    "dists",
    "dist_values",
    "popularities",
    "popularity_cells",
    "timeline",
    "patches",
    "words",
)
#: What of a program is the same in all states.
_SAME: Final = (
    "names",
    "flows",
    "caches",
    "key_sets",
    "n_signed_in",
    "n_users",
    "horizon_ns",
)
_BUCKETS: Final = {
    PATCH_BUCKET: "buckets",
    PATCH_PLAN_BUCKET: "plan_buckets",
    PATCH_SIGN_IN_BUCKET: "sign_in_quotas",
    PATCH_SERVICE_LIMIT: "service_limits",
}
_OF_WHAT_LIES: Final = frozenset({PATCH_POOL, PATCH_LINE})
_LATE: Final = "only what is under way then meets it"
#: What differs, in the scenario's words.
_WORDS: Final = {
    "buckets": "limits",
    "route_levels": "limits",
    "early_levels": "limits",
    "plan_buckets": "limits of plans",
    "plan_limits": "limits of plans",
    "plan_routes": "limits of plans",
    "sign_in_quotas": "sign-in quotas",
    "service_limits": "services",
    "groups": "shares of the concurrency",
    "pools": "functions",
    "scaling": "rates at which functions grow",
    "lines": "cached routes",
    "caching": "rules of caches",
    "caches": "caches (resize_cache: changes their size)",
}
#: One patch: kind, index and up to three numbers.
_Patch = tuple[int, int, int, int, int]


class _NotANumber(Exception):
    """What differs is not a number that may change."""


def with_changes(
    program: Program, context: Context, lower_state: Callable[[Context], Program]
) -> Program:
    """The program with what its timeline changes.

    Parameters
    ----------
    program : Program
        The scenario as it begins.
    context : Context
        Of that; its distributions are shared.
    lower_state : callable
        Lowers the scenario of a context.

    Raises
    ------
    ScenarioError
        If something changes that is no number.
    """
    states: Sequence[State] = context.scenario.states
    if not states:
        return program
    notes = list(program.notes)
    programs = [program]
    lowered: dict[int, Program] = {}
    for state in states:
        key = id(state.scenario)
        if key not in lowered:
            shared = Context(
                state.scenario,
                context.charging,
                dists=context.dists,
                popularities=context.popularities,
            )
            lowered[key] = lower_state(shared)
        programs.append(lowered[key])
    _give_equal_parts(programs, states)
    patches: list[_Patch] = []
    actions = np.zeros(0, ACTION_DTYPE)
    for state, before, after in zip(states, programs, programs[1:], strict=False):
        found = _patches(state, before, after)
        written = [change.written for change in state.begun]
        if state.at_ns > program.horizon_ns:
            # What is under way still meets it; what lies idle or cached stays as the traffic left
            # it, since nothing may come that would look at it.
            found = [patch for patch in found if patch[0] not in _OF_WHAT_LIES]
            notes += [f"timeline: {one} is set after the traffic: {_LATE}" for one in written]
        elif not found:
            notes += [f"timeline: {one} changes nothing that is simulated" for one in written]
        action = np.zeros(1, ACTION_DTYPE)
        action["at_ns"], action["kind"] = state.at_ns, CHANGE
        action["first"], action["last"] = len(patches), len(patches) + len(found)
        patches += found
        grown = [at for kind, at, *_ in found if kind == PATCH_ENDPOINT]
        takes_in = np.zeros(len(grown), ACTION_DTYPE)
        takes_in["at_ns"], takes_in["kind"], takes_in["endpoint"] = state.at_ns, TAKE_IN, grown
        actions = np.concatenate([actions, action, takes_in])
    dists, dist_values = context.dists.freeze()
    popularities, popularity_cells = context.popularities.freeze()
    timeline = np.concatenate([actions, program.tables.timeline])
    tables = program.tables._replace(
        dists=dists,
        dist_values=dist_values,
        popularities=popularities,
        popularity_cells=popularity_cells,
        timeline=timeline[np.argsort(timeline["at_ns"], kind="stable")],
        patches=np.array(patches, PATCH_DTYPE),
    )
    assert isinstance(program.rekey, Rekey)
    return replace(
        program,
        tables=tables,
        rekey=program.rekey.of(tables),
        # A ring has room for all environments that there may ever be at once.
        pools=tuple(
            replace(pool, limit=max(one.pools[at].limit for one in programs))
            for at, pool in enumerate(program.pools)
        ),
        notes=tuple(notes),
    )


def _give_equal_parts(programs: Sequence[Program], states: Sequence[State]) -> None:
    """Cut the tokens of a bucket into as many parts in all states, so that levels stay exact."""
    distinct = list({id(program): program for program in programs}.values())
    for name in _BUCKETS.values():
        tables = [getattr(program, name) for program in distinct]
        if len({len(table) for table in tables}) > 1:
            continue  # refused when the states are compared
        parts = np.stack([table["parts_per_token"] for table in tables])
        for at in np.flatnonzero((parts != parts[0]).any(axis=0)).tolist():
            common = lcm(*(int(one) for one in parts[:, at]))
            for table in tables:
                row = table[at]
                times = common // int(row["parts_per_token"])
                full = int(row["capacity"]) * times + int(row["parts_per_ns"]) * times
                if full >= _LARGEST or common >= _LARGEST:
                    message = "the rates of this bucket do not fit in 62 bits exactly together"
                    hint = "use rates with fewer decimals or a smaller burst"
                    raise _refused(states, message, hint)
                for column in ("level", "capacity", "parts_per_token", "parts_per_ns"):
                    row[column] *= times


def _refused(states: Sequence[State], message: str, hint: str) -> ScenarioError:
    """What is wrong, at all that begins or ends then."""
    problems = []
    for state in states:
        for change in state.begun or state.ended:
            one = state.scenario.problem(change.path, message, hint)
            if one not in problems:
                problems.append(one)
    return ScenarioError(problems)


def _patches(state: State, before: Program, after: Program) -> list[_Patch]:
    if before is after:
        return []
    try:
        _compare(before, after)
        return [*_table_patches(before.tables, after.tables), *_state_patches(before, after)]
    except _NotANumber as what:
        message = f"cannot be set while it runs: it would make other {what}"
        hint = "only numbers can change; what there is, is there from the start"
        raise _refused([state], message, hint) from None


def _compare(before: Program, after: Program) -> None:
    """Refuse what is not as long or not the same in both."""
    for field in fields(before.names):
        _same(field.name, getattr(before.names, field.name) == getattr(after.names, field.name))
    for name in _SAME:
        _same(name, getattr(before, name) == getattr(after, name))
    for name in ("subscriptions", "has_key"):
        _same(name, np.array_equal(getattr(before, name), getattr(after, name)))
    for name in ("groups", "pools", "endpoints", "lines", *_BUCKETS.values()):
        _same(name, len(getattr(before, name)) == len(getattr(after, name)))
    pools = list(zip(before.pools, after.pools, strict=True))
    _same("groups", all((x.group, x.provision) == (y.group, y.provision) for x, y in pools))
    _same("scaling", all(x.scaling == y.scaling for x, y in pools))
    _same("lines", all(x[1] == y[1] for x, y in zip(before.lines, after.lines, strict=True)))
    for name in Tables._fields:
        if name not in _NOT_COMPARED:
            old, new = getattr(before.tables, name), getattr(after.tables, name)
            _same(name, old.shape == new.shape)
            _same(name, name in NUMBERS or np.array_equal(old, new))
    quotas = [program.tables.quotas["limit"] == NO_QUOTA for program in (before, after)]
    _same("quotas", np.array_equal(*quotas))


def _same(name: str, is_same: bool) -> None:
    if not is_same:
        raise _NotANumber(_WORDS.get(name, name.replace("_", " ")))


def _table_patches(before: Tables, after: Tables) -> Iterator[_Patch]:
    for table, field, word, value in differences(before, after):
        if field not in NUMBERS[table]:
            raise _NotANumber(f"{table.replace('_', ' ')} ({field.replace('_', ' ')})")
        yield PATCH_WORD, word, value, 0, 0


def _state_patches(before: Program, after: Program) -> Iterator[_Patch]:
    for kind, name in _BUCKETS.items():
        yield from _bucket_patches(kind, getattr(before, name), getattr(after, name))
    for at, (old, new) in enumerate(zip(before.groups, after.groups, strict=True)):
        if old != new:
            yield PATCH_GROUP, at, new[0], new[1], 0
    for at, (was, pool) in enumerate(zip(before.pools, after.pools, strict=True)):
        if was.idle_expiry_ns != pool.idle_expiry_ns:
            yield PATCH_POOL, at, pool.idle_expiry_ns, 0, 0
    for at, (queue, other) in enumerate(zip(before.endpoints, after.endpoints, strict=True)):
        if queue != other:
            yield PATCH_ENDPOINT, at, other[0], other[1], 0
    limits = [tables.quotas["limit"] for tables in (before.tables, after.tables)]
    offsets = [tables.quotas["offset"] for tables in (before.tables, after.tables)]
    more, more_offset = limits[1] - limits[0], offsets[1] - offsets[0]
    for at in np.flatnonzero((more != 0) | (more_offset != 0)).tolist():
        yield PATCH_QUOTA, at, int(more[at]), int(more_offset[at]), 0
    for at, (line, later) in enumerate(zip(before.lines, after.lines, strict=True)):
        if line != later:
            yield PATCH_LINE, at, later[0], 0, 0


def _bucket_patches(
    kind: int, before: NDArray[np.void], after: NDArray[np.void]
) -> Iterator[_Patch]:
    columns = ["capacity", "parts_per_ns", "to_full_ns"]
    differs = np.zeros(len(before), np.bool_)
    for column in columns:
        differs |= before[column] != after[column]
    if kind != PATCH_SERVICE_LIMIT and (before["kind"] != after["kind"]).any():
        raise _NotANumber("another level of a throttle")
    for at in np.flatnonzero(differs).tolist():
        capacity, per_ns, to_full_ns = (int(after[column][at]) for column in columns)
        yield kind, at, capacity, per_ns, to_full_ns
