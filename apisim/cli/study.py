"""``apisim compare``, ``sweep`` and ``search``: many scenarios under common random numbers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apisim import __version__
from apisim.cli import options
from apisim.cli.exits import ExitCode
from apisim.cli.guard import guard
from apisim.cli.progress import steps_bar
from apisim.cli.streams import say, write_json, write_rich

if TYPE_CHECKING:
    from rich.console import RenderableType


__all__ = ["compare", "print_study", "search", "sweep", "where"]

Files = Annotated[
    list[str], typer.Argument(metavar="FILE...", help="Scenarios; the first is the base.")
]
Variants = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="PATH=VALUE",
        help="Compare the first with itself so changed; may be repeated: a variant each.",
        show_default=False,
    ),
]
Overs = Annotated[
    list[str],
    typer.Option(
        "--over",
        metavar="PATH=VALUES",
        help="Vary a value: path=a,b,c or path=first:last:step or path=low..high; may be repeated.",
        show_default=False,
    ),
]
Zip = Annotated[bool, typer.Option("--zip", help="First values together, second together, ...")]
Lhs = Annotated[
    int | None,
    typer.Option("--lhs", metavar="N", help="N points of a Latin hypercube.", show_default=False),
]
Points = Annotated[
    int | None,
    typer.Option("--points", metavar="N", help="N points of a Sobol sequence.", show_default=False),
]
Sobol = Annotated[
    int | None,
    typer.Option(
        "--sobol",
        metavar="N",
        help="Sobol indices: which value the measures depend on; N is a power of two.",
        show_default=False,
    ),
]
OutDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Keep points that are done there, and write the table.",
        show_default=False,
    ),
]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first point that fails.")]
SubjectTo = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CONDITION",
        help='What must hold: "latency p(99)<300ms"; may be repeated.',
        show_default=False,
    ),
]
Minimize = Annotated[
    str | None,
    typer.Option(
        metavar="PATH|MEASURE",
        help="The path of --over (bisected), or cost_month, 'latency p(99)', ...",
        show_default=False,
    ),
]
Maximize = Annotated[
    str | None,
    typer.Option(metavar="PATH|MEASURE", help="Likewise, the most of it.", show_default=False),
]
Delta = Annotated[
    str | None,
    typer.Option(metavar="D", help="How near the ends of a bracket shall be.", show_default=False),
]
MostReplications = Annotated[
    int, typer.Option(metavar="N", min=2, help="Of a setting that is unclear.")
]
Workers = Annotated[int, typer.Option(metavar="N", min=1, help="Processes that simulate.")]


def compare(
    files: Files,
    variants: Variants = None,
    overrides: options.Overrides = None,
    engine: options.Engine = options.EngineName.AUTO,
    seed: options.Seed = None,
    replications: options.Replications = None,
    duration: options.Duration = None,
    profile: options.Profile = None,
    workers: Workers = 1,
    scheduler: options.Scheduler = None,
    out: OutDir = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Compare scenarios with the first: paired differences under common random numbers."""
    with guard(as_json=as_json, debug=debug):
        from apisim import studies
        from apisim.scenario.problems import ApisimError

        if len(files) + len(variants or ()) < 2:
            raise ApisimError("there is nothing to compare with: name a second FILE, or --with")
        if replications is not None and replications < 2:
            raise ApisimError(f"--replications must be at least 2 here, got {replications}")
        with steps_bar(is_wanted=not quiet) as progress:
            found = studies.compare(
                *files,
                variants={text: (text,) for text in variants or ()},
                overrides=overrides or (),
                profile=profile,
                seed=seed,
                replications=replications,
                duration=duration,
                engine=engine.value,
                executor=where(workers, scheduler),
                progress=progress,
            )
        print_study(found, as_json=as_json)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            path = found.write(out)
            if not quiet:
                say(f"note: wrote {path}")


def sweep(
    file: options.File,
    over: Overs,
    zipped: Zip = False,
    lhs: Lhs = None,
    points: Points = None,
    sobol: Sobol = None,
    overrides: options.Overrides = None,
    engine: options.Engine = options.EngineName.AUTO,
    seed: options.Seed = None,
    replications: options.Replications = None,
    duration: options.Duration = None,
    profile: options.Profile = None,
    workers: Workers = 1,
    scheduler: options.Scheduler = None,
    out: OutDir = None,
    fail_fast: FailFast = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Simulate a scenario with some of its values varied."""
    with guard(as_json=as_json, debug=debug):
        from apisim import studies
        from apisim.scenario.problems import ApisimError

        sampled = {"lhs": lhs, "sobol": points, "saltelli": sobol}
        asked = [(name, n) for name, n in sampled.items() if n is not None]
        if zipped + len(asked) > 1:
            raise ApisimError("--zip, --lhs, --points and --sobol exclude each other")
        design: Any = asked[0][0] if asked else "zip" if zipped else "grid"
        with steps_bar(is_wanted=not quiet) as progress, _kept(out):
            found = studies.sweep(
                file,
                over,
                design=design,
                n_points=asked[0][1] if asked else 0,
                overrides=overrides or (),
                profile=profile,
                seed=seed,
                replications=replications,
                duration=duration,
                engine=engine.value,
                executor=where(workers, scheduler),
                out=out,
                fail_fast=fail_fast,
                progress=progress,
            )
        print_study(found, as_json=as_json)
        if out is not None and not quiet:
            say(f"note: wrote {out / 'sweep.csv'}")
        if found.failures:
            for failure in found.failures:
                say(failure.text)
            raise typer.Exit(ExitCode.BAD_INPUT)


def search(
    file: options.File,
    over: Overs,
    subject_to: SubjectTo = None,
    minimize: Minimize = None,
    maximize: Maximize = None,
    delta: Delta = None,
    most_replications: MostReplications = 80,
    overrides: options.Overrides = None,
    engine: options.Engine = options.EngineName.AUTO,
    seed: options.Seed = None,
    replications: options.Replications = None,
    duration: options.Duration = None,
    profile: options.Profile = None,
    workers: Workers = 1,
    scheduler: options.Scheduler = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Find the smallest, largest or cheapest setting that meets conditions."""
    with guard(as_json=as_json, debug=debug):
        from apisim import studies
        from apisim.scenario.problems import ApisimError

        if (minimize is None) == (maximize is None):
            raise ApisimError("say one objective: --minimize or --maximize")
        found = studies.search(
            file,
            over,
            subject_to=subject_to or (),
            minimize=minimize,
            maximize=maximize,
            delta=delta,
            most_replications=most_replications,
            overrides=overrides or (),
            profile=profile,
            seed=seed,
            replications=replications,
            duration=duration,
            engine=engine.value,
            executor=where(workers, scheduler),
            progress=None if quiet or as_json else lambda text: say(f"tried {text}"),
        )
        print_study(found, as_json=as_json)
        if not found.is_feasible:
            raise typer.Exit(ExitCode.THRESHOLD_FAILED)


@contextmanager
def _kept(out: Path | None) -> Iterator[None]:
    """Who interrupts a sweep is told what is left of it."""
    try:
        yield
    except KeyboardInterrupt:
        if out is not None:
            say(f"points that are done are kept in {out}: the same command goes on")
        raise


def where(workers: int, scheduler: str | None) -> int | str | None:
    """Where to work, by what the options say."""
    return scheduler if scheduler is not None else workers


def print_study(found: Any, *, as_json: bool) -> None:
    """Print what a study has found."""
    if as_json:
        document = {"apisim": __version__, **found.to_dict()}
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
        write_json(f"{text}\n")
    else:
        rendered: RenderableType = found.__rich__()
        write_rich(rendered)
