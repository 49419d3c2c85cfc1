"""Finding price books by name: the package's own, a user's file, one region of either.

A user's file may be a whole book, or an overlay on another book (``base:``).

===========================  ==========================================================
``aws-us-east-1``            a book of the package
``aws-apigateway-regions/R`` region R of a regional book of the package
``prices/mine.yaml``         a user's book
``prices/mine.yaml/R``       region R of a user's regional book
===========================  ==========================================================
"""

import functools
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from apisim.pricing.book import PriceBook
from apisim.pricing.changes import base_key
from apisim.pricing.document import BookDocument, BookError
from apisim.pricing.overlay import is_overlay, overlay_base, read_overlay
from apisim.pricing.reading import read_book
from apisim.pricing.regions import REGIONS_SCHEMA, read_region, region_names, regional_base
from apisim.scenario.positions import MAX_BYTES
from apisim.scenario.problems import PricingError, did_you_mean

__all__ = ["available_books", "is_regional", "load_book", "read_book_file", "read_book_text"]

_SUFFIXES = (".yaml", ".yml", ".json")
#: Overlays on overlays: more than this is a mistake.
_MAX_BASES: Final = 10


def load_book(name: str | Path, *, base: Path | None = None) -> PriceBook:
    """The price book of that name or in that file.

    Parameters
    ----------
    name : str or pathlib.Path
        Name of a packaged book, or a path ending in ``.yaml``, ``.yml`` or ``.json``; either may be
        followed by ``/`` and a region where the book is a regional one.
    base : pathlib.Path, optional
        Directory that relative paths start from; the current directory by default.

    Returns
    -------
    PriceBook
        Checked and immutable.

    Raises
    ------
    PricingError
        If there is no such book or region, or the file cannot be read.
    BookError
        If the book is wrong; carries every problem with file, line and column.

    Examples
    --------
    >>> load_book("aws-us-east-1").reference
    'aws-us-east-1@2026.09.11'
    >>> load_book("aws-apigateway-regions/eu-west-2").meters["lambda.requests"].is_priced
    False
    """
    return _loaded(str(name), base, ())


def _loaded(name: str, base: Path | None, within: tuple[Path, ...]) -> PriceBook:
    """A book that those of ``within`` are laid over, the nearest last."""
    region = _region_of(name)
    stem = name.removesuffix(f"/{region}") if region else name
    if stem.endswith(_SUFFIXES):
        return _from_file(stem, region, base, within)
    return _packaged(stem, region)


def _region_of(name: str) -> str:
    """The region a book's name ends with; empty for an ordinary book."""
    head, _, last = name.rpartition("/")
    if name.endswith(_SUFFIXES):
        return ""
    return last if head else ""


@functools.cache
def available_books() -> tuple[str, ...]:
    """Names of the package's books; a regional book is listed once for each region."""
    names: list[str] = []
    for stem in _stems():
        document = BookDocument(f"{stem}.yaml", _packaged_text(stem))
        if is_regional(document):
            names += [f"{stem}/{region}" for region in region_names(document)]
        else:
            names.append(stem)
    return tuple(names)


def read_book_text(
    file: str,
    text: bytes | str,
    *,
    region: str = "",
    base: Path | None = None,
    within: Sequence[Path] = (),
) -> PriceBook:
    """The price book in a text.

    Parameters
    ----------
    file : str
        Name used in problems and as the book's name.
    text : bytes or str
        YAML.
    region : str
        Region to take from a regional book; empty for an ordinary book.
    base : pathlib.Path, optional
        Directory in which the book that this one changes is looked for.
    within : sequence of pathlib.Path
        Files of the books that are laid over this one, and its own.

    Raises
    ------
    PricingError, BookError
        As :func:`load_book`.
    """
    document = BookDocument(file, text)
    if is_regional(document):
        known = ", ".join(region_names(document))
        if not region:
            raise PricingError(f"price book {file} needs a region: {file}/REGION, one of {known}")
        extended = regional_base(document)
        if _region_of(extended):
            raise PricingError(f"price book {file} extends {extended}: a region cannot be extended")
        return read_region(
            document, region, _base(document, extended, base, within), f"{file}/{region}"
        )
    if region:
        raise PricingError(f"price book {file} has no regions, so {region!r} cannot be chosen")
    if is_overlay(document):
        changed = overlay_base(document)
        return read_overlay(document, _base(document, changed, base, within), file)
    return read_book(document, file)


def _base(
    document: BookDocument, name: str, folder: Path | None, within: Sequence[Path]
) -> PriceBook:
    """The book a file changes; what is wrong with its name is a problem of that file."""
    try:
        return _loaded(name, folder, tuple(within))
    except BookError:
        raise  # knows its own line
    except PricingError as error:
        document.add((base_key(document),), str(error))
        raise document.error() from None


def is_regional(document: BookDocument) -> bool:
    """Whether a file has books of several regions."""
    return bool(document.entries.get("schema") == REGIONS_SCHEMA)


def _stems() -> tuple[str, ...]:
    books = resources.files("apisim.pricing").joinpath("books")
    return tuple(
        sorted(
            entry.name.removesuffix(".yaml")
            for entry in books.iterdir()
            if entry.name.endswith(".yaml")
        )
    )


def _packaged_text(stem: str) -> str:
    file = resources.files("apisim.pricing").joinpath("books", f"{stem}.yaml")
    return file.read_text(encoding="utf-8")


@functools.cache
def _packaged(stem: str, region: str) -> PriceBook:
    if stem not in _stems():
        hint = did_you_mean(stem, _stems())
        raise PricingError(
            f"there is no price book {stem!r} ({hint or 'apisim pricebooks lists them'}); "
            f"a file of your own must end in .yaml"
        )
    return read_book_text(stem, _packaged_text(stem), region=region)


def _from_file(name: str, region: str, base: Path | None, within: tuple[Path, ...]) -> PriceBook:
    path = (base or Path()) / name
    here = path.resolve()
    if here in within:
        raise PricingError(f"price book {name} is laid over itself")
    if len(within) >= _MAX_BASES:
        raise PricingError(f"price book {name} is below {_MAX_BASES} others: that is too many")
    text = read_book_file(path, name)
    return read_book_text(name, text, region=region, base=path.parent, within=(*within, here))


def read_book_file(path: Path, name: str) -> bytes:
    """What stands in a user's file; one byte more than a book may have, at most.

    Raises
    ------
    PricingError
        If it cannot be read.
    """
    try:
        if not path.is_file():
            raise PricingError(f"there is no price book {name}: no such file")
        with path.open("rb") as stream:
            # One byte more than a book may have: the reader then says that it is too large.
            return stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise PricingError(f"price book {name} cannot be read: {error}") from None
