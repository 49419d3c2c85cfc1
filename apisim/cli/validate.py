"""``apisim validate``: find what is wrong with a scenario without simulating it."""

import json
from typing import TYPE_CHECKING, Any

from apisim import __version__
from apisim.cli import options
from apisim.cli.guard import guard
from apisim.cli.streams import say, write, write_json

if TYPE_CHECKING:
    from apisim.engine.program import Program

__all__ = ["validate"]


def validate(
    file: options.File,
    overrides: options.Overrides = None,
    seed: options.Seed = None,
    replications: options.Replications = None,
    duration: options.Duration = None,
    profile: options.Profile = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    skip_bad_rows: options.SkipBadRows = False,
    debug: options.Debug = False,
) -> None:
    """Check a scenario with its traces and prices; nothing is simulated."""
    with guard(as_json=as_json, debug=debug):
        from apisim.scenario import load
        from apisim.studies.preparation import prepare

        scenario = load(
            file,
            overrides=overrides or (),
            profile=profile,
            seed=seed,
            replications=replications,
            duration=duration,
        )
        # The golden model, because it needs no compiling.
        program = prepare(
            scenario, engine="simpy", skip_bad_rows=skip_bad_rows, extend=None
        ).program
        contents = _contents(program)
        notes = [*scenario.notes, *program.notes]
        if as_json:
            source = scenario.source
            document = {
                "apisim": __version__,
                "scenario": {"name": scenario.name, "file": source.file, "sha256": source.sha256},
                "ok": True,
                "contents": contents,
                "notes": notes,
            }
            write_json(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        else:
            write(f"ok: {_in_words(scenario.name, contents)}\n")
        if not quiet:
            for note in notes:
                say(f"note: {note}")


def _contents(program: "Program") -> dict[str, Any]:
    """What is in a scenario, in numbers."""
    scenario = program.scenario
    return {
        "apis": len(scenario.apis),
        "routes": sum(len(api.routes) for api in scenario.apis.values()),
        "authorizers": len(scenario.authorizers),
        "functions": len(scenario.functions),
        "endpoints": len(scenario.endpoints),
        "services": len(scenario.services),
        "traffic": len(scenario.traffic),
        "traced_requests": len(program.tables.trace_ns),
        "skipped_rows": program.n_skipped_rows,
        "simulated_s": program.horizon_ns / 1e9,
        "replications": scenario.replications,
        "thresholds": len(scenario.thresholds),
    }


def _in_words(name: str, contents: dict[str, Any]) -> str:
    from apisim.scenario.formats import counted, format_duration

    parts = [
        counted(contents["apis"], "API"),
        counted(contents["routes"], "route"),
        *(
            counted(contents[key], key.removesuffix("s"))
            for key in ("authorizers", "functions", "endpoints", "services")
            if contents[key]
        ),
        counted(contents["traffic"], "source") + " of traffic",
    ]
    if contents["traced_requests"]:
        parts.append(counted(contents["traced_requests"], "request") + " in traces")
    if contents["skipped_rows"]:
        parts.append(counted(contents["skipped_rows"], "bad row") + " left out")
    length = format_duration(round(contents["simulated_s"] * 1e9))
    times = counted(contents["replications"], "replication")
    words = f"{', '.join(parts)}; {times} of {length}"
    return f"{name}: {words}" if name else words
