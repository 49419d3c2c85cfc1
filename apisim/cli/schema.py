"""``apisim schema``: the vocabulary of scenarios for editors."""

import json
from pathlib import Path
from typing import Annotated

import typer

from apisim.cli.guard import guard
from apisim.cli.options import Debug
from apisim.cli.streams import say, write_json

__all__ = ["schema"]


def schema(
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it to a file.", show_default=False),
    ] = None,
    debug: Debug = False,
) -> None:
    """Print the JSON Schema of scenarios, for editors that complete and check YAML."""
    with guard(debug=debug):
        from apisim.results.atomic import OutputError, write_text
        from apisim.scenario import json_schema

        text = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
        if out is None:
            write_json(text)
        elif out.is_dir():
            raise OutputError(f"{out} is a directory: name a file in it")
        else:
            write_text(out, text)
            say(f"wrote {out}")
