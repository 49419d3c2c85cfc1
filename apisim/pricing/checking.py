"""Checking a user's price book: everything that is wrong with it, or what is in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apisim.pricing.book import Meter, PriceBook, usage_unit
from apisim.pricing.document import BookDocument, BookError
from apisim.pricing.library import is_regional, read_book_file, read_book_text
from apisim.pricing.regions import region_names
from apisim.scenario.formats import counted
from apisim.scenario.problems import PricingError, Problem

__all__ = ["Check", "check_book"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What is in a price book that is right.

    Attributes
    ----------
    file : str
        Its name, as it was given.
    kind : str
        ``book``, ``overlay`` or ``regional book``.
    books : tuple of PriceBook
        The book; of a regional one those of its regions.
    notes : tuple of str
        What is allowed, and yet worth a look.
    """

    file: str
    kind: str
    books: tuple[PriceBook, ...]
    notes: tuple[str, ...]

    @property
    def own(self) -> tuple[Meter, ...]:
        """Meters that have a price in this file, in each of its regions."""
        return tuple(
            meter
            for book in self.books
            for meter in book.meters.values()
            if meter.is_priced and meter.priced_by == book.reference
        )

    def in_words(self) -> str:
        """One sentence."""
        first = self.books[0]
        own = self.own
        n_tiers = sum(len(meter.tiers) for meter in own)
        parts = [f"{counted(len(own), 'price')} in {counted(n_tiers, 'tier')}"]
        if self.kind == "overlay":
            kept = sum(meter.is_priced for meter in first.meters.values()) - len(own)
            parts.append(f"{kept} kept of {first.bases[0]}")
        elif self.kind == "regional book":
            parts.append(f"{counted(len(self.books), 'region')}, over {first.bases[0]}")
        without = sum(not meter.is_priced for meter in first.meters.values())
        if self.kind != "regional book" and without:
            parts.append(f"{counted(without, 'meter')} without a price")
        parts.append(first.currency)
        return f"{self.file}: {self.kind} {first.version}, {', '.join(parts)}"


def check_book(file: str) -> Check:
    """Read a price book of any kind, whatever the name of its file ends with.

    Parameters
    ----------
    file : str
        Its path.

    Raises
    ------
    PricingError
        If it cannot be read.
    BookError
        With every problem of the file, in all its regions.
    """
    path = Path(file)
    text = read_book_file(path, file)
    document = BookDocument(file, text)
    within = (path.resolve(),)
    if not is_regional(document):
        book = read_book_text(file, text, base=path.parent, within=within)
        kind = "overlay" if book.bases else "book"
        return Check(file=file, kind=kind, books=(book,), notes=tuple(_notes(kind, book)))
    problems: list[Problem] = []
    books: list[PriceBook] = []
    for region in region_names(document):
        try:
            book = read_book_text(file, text, region=region, base=path.parent, within=within)
        except BookError as error:
            problems += error.problems
        else:
            books.append(book)
    if problems:
        raise BookError(tuple(dict.fromkeys(problems)))
    if not books:
        raise PricingError(f"price book {file} has no regions")
    return Check(file=file, kind="regional book", books=tuple(books), notes=())


def _notes(kind: str, book: PriceBook) -> Iterator[str]:
    """What a reader of bills will miss."""
    own = [meter for meter in book.meters.values() if meter.priced_by == book.reference]
    if book.as_of is None:
        yield "as_of is missing: nobody will be told when the prices are old"
    without = [meter.name for meter in own if not meter.status]
    if without:
        yield f"no status (verified, secondary or assumed): {_few(without)}"
    uncounted = [meter.name for meter in own if not usage_unit(meter.name)]
    if uncounted and kind == "book":
        yield f"a run counts nothing for these, apisim price does: {_few(uncounted)}"


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
