"""Is a changed control flow seen? Mutations of both engines, and which random scenario sees them.

    python -m tests.equivalence.mutations            both engines, a table at the end
    python -m tests.equivalence.mutations golden     the golden model only: seconds a mutation
    python -m tests.equivalence.mutations compiled   the compiled engine only: minutes a mutation

What follows on the command line chooses mutations: those with any of these words in what is wrong.

Each mutation changes a few words of one engine's source, one at a time. A mutated golden model runs
in this process, its changed functions put in the place of the real ones. A mutated compiled engine
is a copy of the package in a temporary folder, compiled from nothing into a cache of its own and run
by a process of its own. Both look at the scenarios of the equivalence test, in the same way, until
the engines differ.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings

from apisim.scenario import load
from tests.equivalence.drawing import Style
from tests.equivalence.engines import both, differences, lowered
from tests.equivalence.mutation import Mutation
from tests.equivalence.scenarios import Case, scenarios
from tests.equivalence.socket_mutations import COMPILED_SOCKETS, GOLDEN_SOCKETS

__all__ = ["COMPILED", "GOLDEN", "Mutation", "caught_compiled", "caught_golden", "first_caught"]

EXAMPLES: Final = 600
KEPT: Final = Path(__file__).parent / "kept"
_NAME: Final = "tests.equivalence.mutations"
_PROJECT: Final = Path(__file__).resolve().parent.parent.parent
_GOLDEN_MODULES: Final = (
    "timeline",
    "environment",
    "call",
    "clients",
    "backends",
    "access",
    "sign_in",
    "gateway",
    "keys",
    "model",
    "caching",
    "limits",
    "validate",
    "resource",
    "waf",
    "mutual_tls",
    "browsers",
    "retries",
    "bodies",
    "events",
    "sessions",
    "sockets",
    "pushes",
)


GOLDEN: Final = (
    Mutation(
        "a client goes before an answer that comes at its deadline",
        "retries",
        "model.env.moment(call.give_up_ns, GIVE_UP, call.address)",
        "model.env.moment(call.give_up_ns, 2, call.address)",
    ),
    Mutation(
        "a call that succeeds gives nothing back to its quota",
        "retries",
        "retries.give_back(client, tokens, process, attempt.attempt, cost)",
        "pass",
    ),
    Mutation(
        "a page sends its request although it has given up on the preflight",
        "browsers",
        " or model.now > call.give_up_ns:",
        ":",
    ),
    Mutation(
        "each retry waits as the first one does",
        "retries",
        "retries.backoff_ns(client, call.attempt + 1, seen, before_ns, np.float64(drawn))",
        "retries.backoff_ns(client, 1, seen, before_ns, np.float64(drawn))",
    ),
    Mutation(
        "the throttle stands before the authorizer",
        "gateway",
        "            if gates & GATE_AUTH:\n",
        "            self._throttle(call, self.tables.route_levels)\n            if gates & GATE_AUTH:\n",
    ),
    Mutation(
        "tokens are taken after the overhead",
        "gateway",
        "            self.throttle(call)\n            yield from self.overhead(call)\n",
        "            yield from self.overhead(call)\n            self.throttle(call)\n",
    ),
    Mutation(
        "a key is looked at although the authorizer names them",
        "keys",
        "key = -1 if binding.key_unread else call.key",
        "key = call.key",
    ),
    Mutation(
        "a quota that refuses counts as a throttle",
        "gateway",
        "if call.customer >= 0 and refusal.answer != Answer.QUOTA_EXCEEDED:",
        "if call.customer >= 0:",
    ),
    Mutation(
        "a key in no plan for the stage is let by",
        "keys",
        "if call.subscription == NO_SUBSCRIPTION:",
        "if call.key < 0:",
    ),
    Mutation(
        "failed answers are cached too",
        "gateway",
        "                keep_answer(self, call)\n            return\n        line",
        "                keep_answer(self, call)\n        line",
    ),
    Mutation(
        "the gateway waits for ever",
        "gateway",
        "deadline.callbacks.append(lambda _: _give_up(answered))",
        "del deadline",
    ),
    Mutation(
        "denied identities are not kept",
        "access",
        "    if authorizer.line >= 0:\n        model.make_room()\n",
        "    if authorizer.line >= 0 and document == 1:\n        model.make_room()\n",
    ),
    Mutation(
        "keys are fetched once for all who wait",
        "access",
        '    key_set["fetches"] += 1\n',
        '    key_set["fetches"] += 1\n    keep_keys(key_set, model.now)\n',
    ),
    Mutation(
        "a caller who waited for its token came at once",
        "sign_in",
        "    call.door_ns = model.now\n",
        "    call.door_ns += 0\n",
    ),
    Mutation(
        "deadlines come before answers",
        "environment",
        "ANSWER = 3\nDEADLINE = 4",
        "ANSWER = 4\nDEADLINE = 3",
    ),
    Mutation(
        "arrivals come before ends of work", "environment", "END_OF_WORK = 2", "END_OF_WORK = 6"
    ),
    Mutation(
        "ties go by when a wait began, as in SimPy",
        "environment",
        "(time_ns, rank, address, next(self._arose), event)",
        "(time_ns, rank, (0, 0, 0, 0), next(self._arose), event)",
    ),
    Mutation(
        "what happens as a period ends belongs to it",
        "runner",
        "if at_ns >= due_ns:",
        "if at_ns > due_ns:",
    ),
    Mutation("a wait of no time is an event", "model", "if time_ns > 0:", "if time_ns >= 0:"),
    Mutation(
        "the run ends with the last answer, not with the last work",
        "backends",
        "        self.model.end_work()\n        lambda_.release(",
        "        lambda_.release(",
    ),
    Mutation(
        "the INIT phase of a cold start is not billed",
        "backends",
        "(init_ns if spec.init_unbilled else 0)",
        "init_ns",
    ),
    Mutation(
        "the time before INIT is billed",
        "backends",
        "billed_from_ns = start_ns + setup_ns + ",
        "billed_from_ns = start_ns + ",
    ),
    Mutation(
        "an additional version is never picked",
        "backends",
        "if spec.other >= 0 and",
        "if spec.other >= 1_000 and",
    ),
    Mutation(
        "what a function returns is always an answer",
        "backends",
        "elif draws.happens(call, spec.malformed",
        "elif draws.happens(call, 0 * spec.malformed",
    ),
    Mutation(
        "a custom integration makes of errors what a proxy does",
        "gateway",
        "        if route.error_answer:\n",
        "        if route.error_answer > 1_000:\n",
    ),
    Mutation(
        "a late start counts as a cold start of the request",
        "backends",
        " and not call.is_answered",
        "",
    ),
    Mutation(
        "a user thinks from its call, not from its answer",
        "clients",
        "due_ns = model.now + model.draws",
        "due_ns = call.arrival_ns + model.draws",
    ),
    Mutation(
        "who may not invalidate does",
        "caching",
        "    if said == INVALIDATES:\n",
        "    if said != REFUSED:\n",
    ),
    Mutation(
        "an invalidation's answer replaces nothing",
        "caching",
        "        bool(call.flags & FLAG_INVALIDATION),\n",
        "        False,\n",
    ),
    Mutation(
        "an answer is stored where there is no cache",
        "caching",
        "if call.cache != CACHE_MISS or not is_available(model.state.clusters[rule.cache], model.now):",
        "if call.cache != CACHE_MISS:",
    ),
    Mutation(
        "a flush comes after the arrivals of its instant",
        "timeline",
        'int(action["at_ns"]), TIMELINE, (0, 0, at, 0))',
        'int(action["at_ns"]), 5, (1 << 40, 0, at, 0))',
    ),
    Mutation(
        "the gateway goes by what was before a change",
        "timeline",
        "        model.read_tables()\n",
        "",
    ),
    Mutation(
        "whether an answer is stale is drawn anew for each hit",
        "caching",
        "call.cache_key, stored_ns)",
        "call.cache_key, model.now)",
    ),
    Mutation(
        "lookups do not wait for their turn",
        "caching",
        "yield from model.wait(call, served_ns - model.now, ARRIVAL)",
        "yield from model.wait(call, 0, ARRIVAL)",
    ),
    Mutation(
        "a cached answer needs no validation",
        "gateway",
        "            if gates & GATE_VALIDATE:\n                yield from pass_validation(self, call)\n"
        "            if (yield from self._is_in_cache(call)):\n"
        "                yield from self._hit(call)\n            else:\n",
        "            if (yield from self._is_in_cache(call)):\n"
        "                yield from self._hit(call)\n            else:\n"
        "                if gates & GATE_VALIDATE:\n"
        "                    yield from pass_validation(self, call)\n",
    ),
    Mutation(
        "the body that is weighed is not the one that is written down",
        "limits",
        "Purpose.REQUEST_SIZE",
        "Purpose.RESPONSE_SIZE",
    ),
    Mutation(
        "a policy that denies is named as one that is silent",
        "resource",
        "if decision == POLICY_DENIES:",
        "if decision == POLICY_DENIES and call.ip < 0:",
    ),
    Mutation(
        "the policy of a VPC endpoint is not read",
        "resource",
        "_effect(gateway, call, binding.endpoint_policy),",
        "_effect(gateway, call, -1),",
    ),
    Mutation(
        "rate-based rules count a call when it comes, not when it is looked at",
        "waf",
        "        call.ip,\n        model.now,\n",
        "        call.ip,\n        call.door_ns,\n",
    ),
    Mutation(
        "a failed handshake takes the time of a refusal",
        "mutual_tls",
        "raise Refused(Answer.MTLS_FAILED, at_once=True)",
        "raise Refused(Answer.MTLS_FAILED)",
    ),
    Mutation(
        "a browser remembers a preflight that failed",
        "browsers",
        "            if preflight.answer != Answer.PREFLIGHT or model.now > call.give_up_ns:\n"
        "                return preflight  # the request itself is never sent\n"
        "            if line >= 0:\n                model.make_room()\n"
        "                remember(model.store, line, key, model.now)\n",
        "            if line >= 0:\n                model.make_room()\n"
        "                remember(model.store, line, key, model.now)\n"
        "            if preflight.answer != Answer.PREFLIGHT or model.now > call.give_up_ns:\n"
        "                return preflight\n",
    ),
    Mutation(
        "a request's time counts from its preflight",
        "browsers",
        "            call.arrival_ns = model.now\n",
        "",
    ),
    Mutation(
        "what the gateway answers itself runs a template",
        "bodies",
        "    if gateway.tables.body[_REST, call.answer] > 0:\n        return\n",
        "",
    ),
    Mutation(
        "a throttled event waits a second each time",
        "events",
        "n_throttles += 1",
        "n_throttles = 1",
    ),
    Mutation(
        "an event is tried again although it went well",
        "events",
        "if answer != Answer.FUNCTION_ERROR:",
        "if answer == Answer.FUNCTION_THROTTLED:",
    ),
    *GOLDEN_SOCKETS,
)

COMPILED: Final = (
    Mutation(
        "a call that succeeds gives nothing back to its quota",
        "clients",
        'give_back(client, state.retry_tokens, process, attempt, patience["retry_cost"])',
        "pass",
    ),
    Mutation(
        "who has gone decides again when the answer comes",
        "clients",
        '    patience["decided"] = 1\n',
        '    patience["decided"] = 0\n',
    ),
    Mutation(
        "the throttle stands before the authorizer",
        "advance",
        "elif stage == STAGE_AUTHORIZER:",
        "elif stage == STAGE_AUTHORIZER and admit(state.buckets, tables.route_levels["
        'slot["route"]], now_ns, _WHOLE, _WHOLE) == NO_BUCKET:',
    ),
    Mutation(
        "a key is looked at although the authorizer names them",
        "keys",
        'if tables.bindings[slot["binding"]]["key_unread"] == 1:',
        'if tables.bindings[slot["binding"]]["key_unread"] == 2:',
    ),
    Mutation(
        "a quota that refuses counts as a throttle",
        "advance",
        'and slot["customer"] >= 0 and refusal != _QUOTA:',
        'and slot["customer"] >= 0:',
    ),
    Mutation(
        "an answer at its deadline is late",
        "advance",
        'elif back_ns > slot["deadline_ns"]:',
        'elif back_ns >= slot["deadline_ns"]:',
    ),
    Mutation(
        "deadlines come before answers",
        "calendar",
        "RANK_ANSWER: Final = constant(3)",
        "RANK_ANSWER: Final = constant(5)",
    ),
    Mutation(
        "nobody watches the clock of a call in a queue",
        "work",
        "if arrived == QUEUED:\n        guard(world, at)\n",
        "if arrived == QUEUED:\n",
    ),
    Mutation(
        "failed answers are cached too",
        "gates",
        '            keep_answer(world, slot, now_ns)\n        return\n    slot["answer"] = _SERVED\n',
        "            keep_answer(world, slot, now_ns)\n"
        '    else:\n        slot["answer"] = _SERVED\n',
    ),
    Mutation(
        "the deadline of a request that has gone hits the next one in its place",
        "kernel",
        "if stage == STAGE_DEADLINE and is_stale(calendar, item):",
        "if stage == STAGE_DEADLINE and is_stale(calendar, item) and now_ns < 0:",
    ),
    Mutation(
        "denied identities are not kept",
        "gates",
        'if authorizer["line"] >= 0:\n        keep_decision(',
        'if authorizer["line"] >= 0 and decision == ALLOW:\n        keep_decision(',
    ),
    Mutation(
        "an invalidation finds the old answer",
        "caching",
        'if slot["flags"] & FLAG_INVALIDATION:\n        return STAGE_INTEGRATION\n    found',
        "found",
    ),
    Mutation(
        "lookups do not wait for their turn",
        "caching",
        "if served_ns > now_ns:",
        "if served_ns < now_ns:",
    ),
    Mutation(
        "a preflight shows the caller's token",
        "preflights",
        '    slot["attempt"] += PREFLIGHT_ATTEMPT\n    slot["token"] = np.uint64(0)\n',
        '    slot["attempt"] += PREFLIGHT_ATTEMPT\n',
    ),
    Mutation(
        "a request's time counts from its preflight",
        "preflights",
        '    slot["arrival_ns"] = now_ns\n',
        "",
    ),
    *COMPILED_SOCKETS,
)


class _Caught(Exception):
    """An example on which the engines differ."""


def first_caught(examples: int = EXAMPLES) -> tuple[str, str] | None:
    """The first scenario on which the engines differ, and in what; None if there is none.

    Random scenarios come first, as many of each style; then those that were kept, because the
    engines once differed on them or because random ones hardly meet what they have.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for style in (Style.CROWDED, Style.ANY):
            caught = _first_random(style, examples // 2, folder)
            if caught is not None:
                number, difference = caught
                return f"{style.value} {number}", difference
    for file in sorted(KEPT.glob("*.yaml")):
        found = differences(*both(lowered(load(file))))
        if found:
            return file.stem, _in_short(found)
    return None


def _first_random(style: Style, examples: int, folder: Path) -> tuple[int, str] | None:
    looked_at = 0

    # The first difference is all that is wanted: neither a smaller one nor a second kind.
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=scenarios(style=style))
    def look(case: Case) -> None:
        nonlocal looked_at
        looked_at += 1
        found = differences(*both(lowered(case.load(folder))))
        if found:
            raise _Caught(_in_short(found))

    try:
        look()
    except _Caught as caught:
        return looked_at, str(caught)
    return None


def _in_short(found: list[str]) -> str:
    """The first difference: of rows its first row, not the line that counts them."""
    return found[1 if len(found) > 1 and found[0].endswith(":") else 0].strip()


def _module(name: str) -> ModuleType:
    return import_module(f"apisim.engine.simpy_model.{name}")


@contextmanager
def _golden_with(mutation: Mutation) -> Iterator[None]:
    """The golden model with the functions and constants of a mutated module in place of its own."""
    real = _module(mutation.file)
    assert real.__file__ is not None
    mutated = ModuleType(real.__name__)
    source = mutation.applied(Path(real.__file__).read_text())
    exec(compile(source, real.__file__, "exec"), mutated.__dict__)
    undo: list[tuple[Any, str, Any]] = []

    def put(owner: Any, name: str, value: Any) -> None:
        undo.append((owner, name, vars(owner)[name]))
        setattr(owner, name, value)

    for name, value in vars(mutated).items():
        old = vars(real).get(name)
        if isinstance(value, type) and value.__module__ == real.__name__:
            for key, inner in vars(value).items():
                # `super()` in __init__ knows its class; no mutation touches one.
                if isinstance(inner, FunctionType) and not key.startswith("__"):
                    put(old, key, inner)
        elif isinstance(value, FunctionType) or (isinstance(value, int) and value != old):
            for user in map(_module, _GOLDEN_MODULES):
                if name in vars(user) and vars(user)[name] is old:  # no namesake
                    put(user, name, value)
    try:
        yield
    finally:
        for owner, name, value in reversed(undo):
            setattr(owner, name, value)


def caught_golden(mutation: Mutation) -> tuple[str, str] | None:
    """The first scenario that tells the mutated golden model from the compiled engine."""
    with _golden_with(mutation):
        return first_caught()


def caught_compiled(mutation: Mutation) -> tuple[str, str] | None:
    """The first scenario that tells the mutated compiled engine from the golden model."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for part in ("apisim", "tests/equivalence"):
            shutil.copytree(
                _PROJECT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        file = copy / "apisim" / "engine" / "compiled" / f"{mutation.file}.py"
        file.write_text(mutation.applied(file.read_text()))
        environment = {**os.environ, "PYTHONPATH": name, "APISIM_CACHE_DIR": str(copy / "cache")}
        done = subprocess.run(
            [sys.executable, "-m", _NAME, "look"],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    *_, package, number, difference = done.stdout.rstrip("\n").split("\n")
    assert Path(package).is_relative_to(copy.resolve()), "the copy was not what ran"
    return (number, difference) if number != "-" else None


def _look() -> None:
    """What a process of its own does: look for a difference and print where it is."""
    import apisim

    caught = first_caught()
    print(Path(str(apisim.__file__)).resolve(), *(caught or ("-", "-")), sep="\n")


def main(arguments: list[str]) -> int:
    """Try all mutations and print a table; 1 if one was not caught."""
    if arguments == ["look"]:
        _look()
        return 0
    engines = [name for name in ("golden", "compiled") if name in arguments[:1]]
    words = arguments[len(engines) :]
    tried = [
        (engine, mutation, caught_by)
        for engine, mutations, caught_by in (
            ("golden", GOLDEN, caught_golden),
            ("compiled", COMPILED, caught_compiled),
        )
        for mutation in mutations
        if engine in (engines or ("golden", "compiled"))
        and (not words or any(word in mutation.what for word in words))
    ]
    missed = 0
    print(f"{'engine':9} {'mutation':72} first seen in")
    for engine, mutation, caught_by in tried:
        caught = caught_by(mutation)
        missed += caught is None
        print(f"{engine:9} {mutation.what:72} {caught[0] if caught else 'NOT SEEN'}", flush=True)
        if caught:
            print(f"{'':9} {caught[1][:120]}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
