"""``apisim report``: a run as one HTML file that can be sent on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apisim.cli import options
from apisim.cli.exits import ExitCode
from apisim.cli.guard import guard
from apisim.cli.progress import progress_bar, steps_bar
from apisim.cli.run import check_directory, say_compiling
from apisim.cli.streams import say, write
from apisim.cli.study import where

if TYPE_CHECKING:
    from apisim.results.result import Result

__all__ = ["report"]

What = Annotated[
    str,
    typer.Argument(
        metavar="FILE|DIR",
        help="Scenario (YAML), which is run; or the folder of a run (run --out).",
        show_default=False,
    ),
]
Page = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE.html",
        help="Instead of DIR/report.html, or of the scenario's name with .html.",
        show_default=False,
    ),
]

Assumed = Annotated[
    bool,
    typer.Option(
        "--assumptions",
        help="Also which assumptions matter: each is replaced, one at a time, and simulated.",
    ),
]


def report(
    what: What,
    overrides: options.Overrides = None,
    engine: options.Engine = options.EngineName.AUTO,
    seed: options.Seed = None,
    replications: options.Replications = None,
    duration: options.Duration = None,
    profile: options.Profile = None,
    workers: options.Workers = 1,
    scheduler: options.Scheduler = None,
    out: Page = None,
    assumptions: Assumed = False,
    quiet: options.Quiet = False,
    skip_bad_rows: options.SkipBadRows = False,
    debug: options.Debug = False,
) -> None:
    """Write a report: one HTML file with the answer, the figures, the bill and how to reproduce."""
    with guard(debug=debug):
        from apisim import studies
        from apisim.report.page import RunFolderError, run_of, write_report

        is_folder = Path(what).is_dir()
        page = out or (Path(what) / "report.html" if is_folder else Path(Path(what).stem + ".html"))
        check_directory(page.parent)
        compiling = None if quiet else say_compiling
        with progress_bar(is_wanted=not quiet) as progress:
            if is_folder:
                given = (overrides, seed, replications, duration, profile, scheduler)
                if any(one is not None for one in given) or engine != options.EngineName.AUTO:
                    message = (
                        f"{what} is a folder of one run: its options are those it was run with"
                    )
                    raise RunFolderError(f"{message}; leave others out")
                result = run_of(
                    what,
                    workers=workers,
                    skip_bad_rows=skip_bad_rows,
                    progress=progress,
                    compiling=compiling,
                )
            else:
                result = studies.run(
                    what,
                    overrides=overrides or (),
                    engine=engine.value,
                    seed=seed,
                    replications=replications,
                    duration=duration,
                    profile=profile,
                    workers=workers,
                    executor=scheduler,
                    skip_bad_rows=skip_bad_rows,
                    progress=progress,
                    compiling=compiling,
                )
        assumed = None
        if assumptions and result.completed:
            with steps_bar(is_wanted=not quiet) as steps:
                assumed = studies.assumptions(
                    result.scenario,
                    engine=engine.value,
                    executor=where(workers, scheduler),
                    progress=steps,
                )
        write_report(result, page, assumed=assumed)
        write(f"{page}\n")
        if not quiet:
            _say_verdict(result)
        if not result.completed:
            say("interrupted")
            raise typer.Exit(ExitCode.INTERRUPTED)


def _say_verdict(result: "Result") -> None:
    """The first sentence of the page, for those who do not open it."""
    from apisim.report.page.answer import verdict_of

    say(f"note: {verdict_of(result)[1]}")
