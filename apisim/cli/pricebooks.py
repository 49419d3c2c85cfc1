"""``apisim pricebooks``: which price books there are, what they say, whether one's own is right."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apisim import __version__
from apisim.cli.guard import guard
from apisim.cli.options import AsJson, Debug, Quiet
from apisim.cli.schema import print_schema
from apisim.cli.streams import say, write, write_json, write_rich

if TYPE_CHECKING:
    from apisim.results.section import Section

__all__ = ["pricebooks"]

pricebooks = typer.Typer(
    name="pricebooks",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List, show and check price books.",
)


@pricebooks.command("list")
def list_books(as_json: AsJson = False, debug: Debug = False) -> None:
    """List the price books of the package."""
    with guard(as_json=as_json, debug=debug):
        from apisim.pricing import available_books, load_book
        from apisim.pricing.describing import summary_of
        from apisim.results.text import render_section

        books = [summary_of(load_book(name)) for name in available_books()]
        if as_json:
            _write({"apisim": __version__, "books": books})
        else:
            write_rich(render_section(_table(books)))


def _table(books: list[dict[str, Any]]) -> "Section":
    """A row for each book; the regions of one file stand below its name."""
    from itertools import groupby

    from apisim.results.section import Section

    rows: list[tuple[str, ...]] = []
    for file, found in groupby(books, key=lambda book: book["book"].partition("/")[0]):
        here = list(found)
        first = here[0]
        is_regional = first["book"] != file
        region = f"{len(here)} regions" if is_regional else first["region"]
        head = (file, first["version"], first["as_of"] or "-", region, first["currency"])
        rows.append((*head, "" if is_regional else _priced(first)))
        if is_regional:
            rows += [(f"  /{book['region']}", "", "", "", "", _priced(book)) for book in here]
    return Section(
        title="Price books",
        columns=("Book", "Version", "Date", "Region", "Currency", ">Meters"),
        rows=tuple(rows),
        marks={},
        remarks=("Meters: how many have a price, of how many.",),
    )


def _priced(book: dict[str, Any]) -> str:
    return f"{book['priced']} of {book['meters']}"


@pricebooks.command("show")
def show(
    book: Annotated[
        str,
        typer.Argument(
            metavar="BOOK", help="A packaged book, or a .yaml file.", show_default=False
        ),
    ],
    meter: Annotated[
        str | None,
        typer.Argument(
            metavar="METER", help="One meter, or the beginning of some.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show prices: tiers, units, sources, status, and which book each price is of."""
    with guard(as_json=as_json, debug=debug):
        from apisim.pricing import load_book
        from apisim.pricing.describing import book_as_data, book_in_words, wanted_meters

        found = load_book(book)
        meters = wanted_meters(found, meter)
        if as_json:
            _write({"apisim": __version__, **book_as_data(found, meters)})
        else:
            write(book_in_words(found, meters))


@pricebooks.command("check")
def check(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A book or an overlay.", show_default=False)
    ],
    as_json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Find what is wrong with a price book of your own."""
    with guard(as_json=as_json, debug=debug):
        from apisim.pricing.checking import check_book
        from apisim.pricing.describing import summary_of

        found = check_book(file)
        if as_json:
            books = [summary_of(book) for book in found.books]
            answer = {"file": file, "ok": True, "kind": found.kind, "books": books}
            _write({"apisim": __version__, **answer, "notes": list(found.notes)})
        else:
            write(f"ok: {found.in_words()}\n")
        if not quiet:
            for note in found.notes:
                say(f"note: {note}")


@pricebooks.command("schema")
def book_schema(
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it to a file.", show_default=False),
    ] = None,
    debug: Debug = False,
) -> None:
    """Print the JSON Schema of price books, for editors that complete and check YAML."""
    with guard(debug=debug):
        from apisim.pricing.schema import book_schema as schema

        print_schema(schema(), out)


def _write(document: dict[str, Any]) -> None:
    write_json(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
