"""The program ``apisim``: its commands, and the way in and out of the process."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from apisim import __version__
from apisim.cli.advise import advise
from apisim.cli.exits import ExitCode
from apisim.cli.guard import guard
from apisim.cli.init import init
from apisim.cli.limits import limits
from apisim.cli.price import price
from apisim.cli.pricebooks import pricebooks
from apisim.cli.report import report
from apisim.cli.run import run
from apisim.cli.schema import schema
from apisim.cli.signals import interruptible
from apisim.cli.streams import open_streams, write
from apisim.cli.study import compare, search, sweep
from apisim.cli.validate import validate

__all__ = ["app", "command_line", "main"]

app = typer.Typer(
    name="apisim",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 fine, 99 a threshold failed, 2 bad usage or input, 130 interrupted, "
    "1 a defect of apisim.",
)
app.command()(run)
app.command()(report)
app.command()(compare)
app.command()(sweep)
app.command()(search)
app.command()(advise)
app.command()(validate)
app.command()(schema)
app.command()(init)
app.command()(limits)
app.command()(price)
app.add_typer(pricebooks)


def _show_version(value: bool) -> None:
    if value:
        write(f"apisim {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Simulate Amazon API Gateway: who is refused, how long callers wait, what it costs."""


def command_line(arguments: Sequence[str]) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str
        What stands behind ``apisim``.

    Returns
    -------
    int
        The exit code.
    """
    try:
        with guard():
            app(list(arguments), prog_name="apisim")
    except typer.Exit as leaving:
        return leaving.exit_code
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else ExitCode.DEFECT
    return ExitCode.FINE


def main() -> int:
    """Run the command of ``sys.argv``; returns the exit code."""
    with open_streams(), interruptible():
        return command_line(sys.argv[1:])
