"""``apisim advise``: what is worth changing, with simulated evidence."""

from typing import Annotated

import typer

from apisim.cli import options
from apisim.cli.guard import guard
from apisim.cli.progress import steps_bar
from apisim.cli.study import Workers, print_study, where

__all__ = ["advise"]

Choose = Annotated[
    str | None,
    typer.Option(
        metavar="CHOICE,...",
        help="Try every option of: type, integration, auth; infeasible ones name what blocks them.",
        show_default=False,
    ),
]
LeastSaving = Annotated[
    float | None,
    typer.Option(
        metavar="USD", min=0.0, help="Least saving worth a change.", show_default="1 % of the bill"
    ),
]


def advise(
    file: options.File,
    choose: Choose = None,
    least_saving: LeastSaving = None,
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
    """Say what is worth changing about a scenario, with simulated evidence."""
    with guard(as_json=as_json, debug=debug):
        from apisim import studies

        with steps_bar(is_wanted=not quiet) as progress:
            found = studies.advise(
                file,
                choose=[one.strip() for one in choose.split(",")] if choose else (),
                least_saving=least_saving,
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
