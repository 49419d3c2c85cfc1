"""``apisim limits``: how near each limit is, what to ask for, which one a launch meets first."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from apisim.cli import options
from apisim.cli.guard import guard
from apisim.cli.progress import progress_bar
from apisim.cli.run import check_directory, say_compiling
from apisim.cli.streams import say, write_json, write_rich

__all__ = ["limits"]

#: Largest multiple of the traffic.
_MOST = 1_000_000


def limits(
    file: options.File,
    overrides: options.Overrides = None,
    multiple: Annotated[
        str,
        typer.Option(metavar="X", help="Traffic to plan for, as a multiple of the scenario's."),
    ] = "1",
    up_to: Annotated[
        str,
        typer.Option(metavar="X", help="Largest multiple at which refusals are looked for."),
    ] = "4",
    precision: Annotated[
        str, typer.Option(metavar="SHARE", help="How far the ends of a bracket may be apart.")
    ] = "2%",
    reserve: Annotated[
        str, typer.Option(metavar="SHARE", help="What a value to request leaves above the peak.")
    ] = "20%",
    hit_ratio: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SHARE",
            help="Cache-hit ratio of the launch envelope; may be repeated.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show limits that are far away as well.")
    ] = False,
    engine: options.Engine = options.EngineName.AUTO,
    seed: options.Seed = None,
    replications: options.Replications = None,
    duration: options.Duration = None,
    profile: options.Profile = None,
    workers: options.Workers = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write limits.json, limits.csv, envelope.csv and scenario.yaml there.",
            show_default=False,
        ),
    ] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    skip_bad_rows: options.SkipBadRows = False,
    debug: options.Debug = False,
) -> None:
    """Print the limit-increase sheet and the launch envelope of a scenario."""
    with guard(as_json=as_json, debug=debug):
        from apisim import studies
        from apisim.scenario import load
        from apisim.studies.limits import LEAST_PRECISION

        planned, most = _number("--multiple", multiple), _number("--up-to", up_to)
        narrow = _share("--precision", precision, LEAST_PRECISION)
        above = _share("--reserve", reserve)
        ratios = [_share("--hit-ratio", one) for one in hit_ratio or ()]
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
        with progress_bar(is_wanted=not quiet) as progress:
            result = studies.limits(
                scenario,
                multiple=planned,
                up_to=most,
                precision=narrow,
                reserve=above,
                hit_ratios=ratios or None,
                engine=engine.value,
                workers=workers,
                skip_bad_rows=skip_bad_rows,
                progress=progress,
                compiling=None if quiet or as_json else say_compiling,
            )
        if as_json:
            write_json(result.to_json())
        else:
            write_rich(result.render(everything=everything))
        # The one object for stdout is there: what goes wrong from now on is told on stderr only.
        with guard(debug=debug):
            if not quiet:
                for note in result.notes:
                    say(f"note: {note}")
            if out is not None:
                files = result.write(out)
                if not quiet:
                    say(f"note: wrote {', '.join(one.name for one in files)} to {out}")


def _number(option: str, written: str) -> Fraction:
    """A multiple of traffic: ``3``, ``2.5`` or ``3x``."""
    from apisim.scenario.problems import Problem, ScenarioError

    try:
        number = Fraction(written.removesuffix("x"))
    except (ValueError, ZeroDivisionError):
        number = Fraction(0)
    if not 0 < number <= _MOST:
        message = f"must be above 0 and at most {_MOST:,}, got {written}"
        raise ScenarioError([Problem(option, 1, 1, "", message, "write e.g. 3 or 2.5")])
    return number


def _share(option: str, written: str, least: float = 0.0) -> float:
    from apisim.scenario.problems import Problem, ScenarioError
    from apisim.scenario.units import UnitError, parse_share

    try:
        share = parse_share(written)
    except UnitError as error:
        raise ScenarioError([Problem(option, 1, 1, "", error.message, error.hint)]) from None
    if share < least:
        message = f"must be at least {100 * least:g}%, got {written}"
        raise ScenarioError([Problem(option, 1, 1, "", message, "write e.g. 2%")])
    return share
