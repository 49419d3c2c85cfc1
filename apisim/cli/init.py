"""``apisim init``: write a first scenario."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from apisim.cli.guard import guard
from apisim.cli.options import Debug
from apisim.cli.streams import say

__all__ = ["init"]


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to.")] = Path("scenario.yaml"),
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file if there is one.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Write a small commented scenario that runs."""
    with guard(debug=debug):
        from apisim.results.atomic import OutputError, write_text
        from apisim.scenario.template import TEMPLATE

        if file.is_dir():
            raise OutputError(f"{file} is a directory: name a file in it")
        if file.exists() and not force:
            raise OutputError(f"{file} is there already: use --force to replace it")
        # A name that would end the comment it stands in is left out.
        name = str(file) if str(file).isprintable() else "FILE"
        write_text(file, TEMPLATE.replace("FILE", name))
        say(f"wrote {file}; next: apisim run {shlex.quote(str(file))}")
