"""``apisim run``: simulate a scenario; a summary and a bill."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from apisim.cli import options
from apisim.cli.exits import ExitCode
from apisim.cli.guard import guard
from apisim.cli.streams import say, write_json, write_rich
from apisim.cli.watching import watching

if TYPE_CHECKING:
    from apisim.results.result import Result

__all__ = ["check_directory", "run", "say_compiling"]


def run(
    file: options.File,
    overrides: options.Overrides = None,
    engine: options.Engine = options.EngineName.AUTO,
    seed: options.Seed = None,
    replications: options.Replications = None,
    duration: options.Duration = None,
    profile: options.Profile = None,
    workers: options.Workers = 1,
    scheduler: options.Scheduler = None,
    out: options.Out = None,
    requests: options.Requests = None,
    exports: options.Exports = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    watch: options.Watch = False,
    strict: options.Strict = False,
    skip_bad_rows: options.SkipBadRows = False,
    debug: options.Debug = False,
) -> None:
    """Simulate a scenario: who is refused, how long callers wait, and the bill."""
    with guard(as_json=as_json, debug=debug):
        from apisim import studies
        from apisim.results.exporting import check_exports, export_paths
        from apisim.scenario import load

        wanted = export_paths(exports or ())
        check_exports(wanted)
        scenario = load(
            file,
            overrides=overrides or (),
            profile=profile,
            seed=seed,
            replications=replications,
            duration=duration,
        )
        if out is not None:
            check_directory(out)
        is_here = scheduler is None
        with watching(is_wanted=watch, is_quiet=quiet, is_here=is_here) as (progress, live):
            result = studies.run(
                scenario,
                engine=engine.value,
                workers=workers,
                executor=scheduler,
                requests=requests,
                exports=wanted,
                strict=strict,
                skip_bad_rows=skip_bad_rows,
                progress=progress,
                live=live,
                compiling=None if quiet or as_json else say_compiling,
            )
        _print(result, as_json=as_json)
        # The one object for stdout is there: what goes wrong from now on is told on stderr only.
        with guard(debug=debug):
            if not quiet:
                _say_notes(result.notes)
            if out is not None:
                _write_files(result, out, quiet=quiet)
            _leave(result, strict=strict)


def check_directory(out: Path) -> None:
    """Find out before the simulation, not after it, that its files cannot be written."""
    from apisim.results.atomic import OutputError

    there = next(path for path in (out, *out.parents) if path.exists())
    if not there.is_dir():
        raise OutputError(f"{out} cannot be written: {there} is not a directory")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"{out} cannot be written: no permission to write to {there}")


def _print(result: "Result", *, as_json: bool) -> None:
    if as_json:
        from apisim.results.files import to_json

        write_json(to_json(result))
    else:
        from apisim.results.text import render

        write_rich(render(result))


def say_compiling() -> None:
    """Tell why nothing is to be seen for a while."""
    say("compiling the engine, which may take a minute; later runs start at once")


def _say_notes(notes: Iterable[str]) -> None:
    for note in notes:
        say(f"note: {note}")


def _write_files(result: "Result", out: Path, *, quiet: bool) -> None:
    from apisim.results.files import write_files

    files = write_files(result, out)
    if not quiet:
        say(f"note: wrote {', '.join(file.name for file in files)} to {out}")


def _leave(result: "Result", *, strict: bool) -> None:
    if not result.completed:
        say("interrupted")
        raise typer.Exit(ExitCode.INTERRUPTED)
    failed = [verdict for verdict in result.thresholds if not verdict.ok]
    for verdict in failed:
        why = "" if verdict.is_measured else f" ({verdict.reason})"
        say(f"threshold failed: {verdict.metric} {verdict.expression}{why}")
    unclear = []
    if strict:
        unclear = [
            verdict for verdict in result.thresholds if verdict.ok and not verdict.conclusive
        ]
    for verdict in unclear:
        say(
            f"threshold inconclusive: {verdict.metric} {verdict.expression} (--strict): "
            f"{verdict.reason}"
        )
    if failed or unclear:
        raise typer.Exit(ExitCode.THRESHOLD_FAILED)
