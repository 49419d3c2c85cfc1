"""Arguments and options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AsJson",
    "Debug",
    "Duration",
    "Engine",
    "EngineName",
    "Exports",
    "File",
    "Out",
    "Overrides",
    "Profile",
    "Quiet",
    "Replications",
    "Requests",
    "Scheduler",
    "Seed",
    "SkipBadRows",
    "Strict",
    "Watch",
    "Workers",
]


class EngineName(StrEnum):
    """Engines; all give the same numbers."""

    AUTO = "auto"
    COMPILED = "compiled"
    SIMPY = "simpy"


File = Annotated[str, typer.Argument(metavar="FILE", help="Scenario (YAML).", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change a value, e.g. traffic.web.phases.0.rate=300; may be repeated.",
        show_default=False,
    ),
]
Engine = Annotated[
    EngineName,
    typer.Option(help="All engines give the same numbers; compiled is the fast one."),
]
Seed = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Decides every draw; instead of the file's.", show_default=False
    ),
]
Replications = Annotated[
    int | None,
    typer.Option(metavar="N", help="Independent repetitions.", show_default=False),
]
Duration = Annotated[
    str | None,
    typer.Option(
        metavar="D", help="Nothing arrives after this time, e.g. 90s.", show_default=False
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(metavar="P", help="Default settings: aws, chapter or ideal.", show_default=False),
]
Workers = Annotated[
    int, typer.Option(metavar="N", min=1, help="Replications simulated at the same time.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="tcp://HOST:PORT", help="Work on a Dask cluster.", show_default=False),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Write result.json, tables (CSV), bills (CSV, FOCUS) and scenario.yaml there.",
        show_default=False,
    ),
]
Requests = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Write one row a request to a .csv or .parquet.", show_default=False
    ),
]
Exports = Annotated[
    list[str] | None,
    typer.Option(
        "--export",
        metavar="KIND=PATH",
        help="Write a file for another program; may be repeated. Kinds: cloudwatch, access-log, "
        "xray, hgrm, openmetrics, junit, github, costs, frame.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no notes.")]
Watch = Annotated[
    bool, typer.Option("--watch", help="Show rates, refusals, p99 and cost while it runs.")
]
Strict = Annotated[
    bool, typer.Option("--strict", help="A threshold that is inconclusive fails, too.")
]
SkipBadRows = Annotated[
    bool,
    typer.Option("--skip-bad-rows", help="Leave out and count rows of traces that are unreadable."),
]
Debug = Annotated[
    bool, typer.Option("--debug", help="Show the traceback of a defect of apisim.", hidden=True)
]
