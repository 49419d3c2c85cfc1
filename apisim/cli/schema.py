"""``apisim schema``: the vocabulary of scenarios for editors."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from apisim.cli.guard import guard
from apisim.cli.options import Debug
from apisim.cli.streams import say, write_json

__all__ = ["print_schema", "schema"]


def schema(
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it to a file.", show_default=False),
    ] = None,
    debug: Debug = False,
) -> None:
    """Print the JSON Schema of scenarios, for editors that complete and check YAML."""
    with guard(debug=debug):
        from apisim.scenario import json_schema

        print_schema(json_schema(), out)


def print_schema(document: dict[str, Any], out: Path | None) -> None:
    """Print a JSON Schema, or write it to a file.

    Raises
    ------
    OutputError
        If it cannot be written there.
    """
    from apisim.results.atomic import OutputError, write_text

    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if out is None:
        write_json(text)
    elif out.is_dir():
        raise OutputError(f"{out} is a directory: name a file in it")
    else:
        write_text(out, text)
        say(f"wrote {out}")
