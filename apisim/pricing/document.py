"""Reading a price book key by key: typed values, and a problem with its place for each that is not.

A price is the decimal as written, never a binary float; its digits are bounded, so that arithmetic
stays quick whatever a file says.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, TypeVar

from apisim.scenario.positions import read_yaml
from apisim.scenario.problems import Path, PricingError, Problem, ScenarioError, did_you_mean

__all__ = ["BookDocument", "BookError"]

#: 15 digits before and 20 after the point cover every price list.
_DIGITS_BEFORE: Final = 15
_DIGITS_AFTER: Final = 20
#: Words of a choice that a hint lists.
_MAX_LISTED: Final = 40
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?")

T = TypeVar("T")


class BookError(PricingError, ScenarioError):
    """A price book that cannot be used; carries every problem with its position."""


class BookDocument:
    """One book being read: its entries, and the problems found so far.

    Parameters
    ----------
    file : str
        Name used in problems.
    text : bytes or str
        The file's content.

    Raises
    ------
    BookError
        If the text is not YAML, is too large, or is not a mapping.
    """

    def __init__(self, file: str, text: bytes | str) -> None:
        try:
            document = read_yaml(text, file)
        except ScenarioError as error:
            raise BookError(error.problems) from None
        self._positions = document.positions
        self._problems: list[Problem] = []
        self.entries: dict[str, Any] = {}
        if isinstance(document.data, dict):
            self.entries = document.data
        else:
            self.add((), f"a price book is a mapping of keys, got {_shown(document.data)}")
            raise self.error()

    def add(self, path: Path, message: str, hint: str = "") -> None:
        """Note one problem and go on reading."""
        self._problems.append(self._positions.problem(path, message, hint))

    @property
    def is_wrong(self) -> bool:
        """Whether a problem has been found."""
        return bool(self._problems)

    def error(self) -> BookError:
        """The error that carries every problem found so far."""
        return BookError(tuple(dict.fromkeys(self._problems)))

    def mapping(
        self, value: Any, path: Path, known: Collection[str] | None = None
    ) -> Mapping[str, Any]:
        """Entries of a mapping; reports non-mappings and keys outside ``known`` (None: any key)."""
        if not isinstance(value, dict):
            self.add(path, f"must be a mapping, got {_shown(value)}")
            return {}
        for key in value:
            if known is not None and key not in known:
                self.add((*path, key), "is not known here", did_you_mean(key, known))
        return value

    def items(self, value: Any, path: Path) -> Iterator[tuple[Any, Path]]:
        """Items of a list with their paths."""
        if not isinstance(value, list):
            self.add(path, f"must be a list, got {_shown(value)}")
            return
        for position, item in enumerate(value):
            yield item, (*path, position)

    def required(
        self,
        entries: Mapping[str, Any],
        key: str,
        path: Path,
        read: Callable[[Any, Path], T | None],
    ) -> T | None:
        """``read`` applied to the entry ``key``; reported if it is left out or null."""
        value = entries.get(key)
        if value is None:
            self.add((*path, key), "is missing")
            return None
        return read(value, (*path, key))

    def optional(
        self,
        entries: Mapping[str, Any],
        key: str,
        path: Path,
        read: Callable[[Any, Path], T | None],
    ) -> T | None:
        """``read`` applied to the entry ``key``; None where it is left out or null."""
        value = entries.get(key)
        return None if value is None else read(value, (*path, key))

    def words(
        self, entries: Mapping[str, Any], keys: Collection[str], path: Path
    ) -> dict[str, str]:
        """Optional texts by key; empty where left out."""
        return {key: self.optional(entries, key, path, self.text) or "" for key in keys}

    def text(self, value: Any, path: Path) -> str | None:
        """A text that is not empty."""
        if isinstance(value, str) and value.strip():
            return value.strip()
        hint = "put it in quotes" if isinstance(value, int | Decimal) else ""
        self.add(path, f"must be a text, got {_shown(value)}", hint)
        return None

    def choice(self, known: Collection[str], what: str) -> Callable[[Any, Path], str | None]:
        """Reader of one of some words, which are ``what``."""

        def read(value: Any, path: Path) -> str | None:
            word = self.text(value, path)
            if word is not None and word not in known:
                hint = did_you_mean(word, known)
                if not hint and len(known) <= _MAX_LISTED:
                    hint = f"known here: {', '.join(sorted(known))}"
                self.add(path, f"{_shown(word)} is no {what}", hint)
                return None
            return word

        return read

    def decimal(self, value: Any, path: Path) -> Decimal | None:
        """An exact decimal of at least 0, as written."""
        number = _number(value)
        if number is None:
            self.add(
                path,
                f"must be a decimal number, got {_shown(value)}",
                f'plain digits like "0.0000035", at most {_DIGITS_BEFORE} before and '
                f"{_DIGITS_AFTER} after the point",
            )
            return None
        if number < 0:
            self.add(path, f"must not be negative, got {number:f}")
            return None
        return number

    def positive(self, value: Any, path: Path) -> Decimal | None:
        """An exact decimal above 0."""
        number = self.decimal(value, path)
        if number == 0:
            self.add(path, "must be above 0")
            return None
        return number

    def whole(self, value: Any, path: Path) -> int | None:
        """A whole number above 0."""
        number = self.positive(value, path)
        if number is not None and number != number.to_integral_value():
            self.add(path, f"must be a whole number, got {number:f}")
            return None
        return None if number is None else int(number)

    def flag(self, value: Any, path: Path) -> bool | None:
        """``true`` or ``false``."""
        if isinstance(value, bool):
            return value
        self.add(path, f"must be true or false, got {_shown(value)}")
        return None


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    if isinstance(value, str) and not _DECIMAL.fullmatch(value.strip()):
        return None
    number = Decimal(value.strip()) if isinstance(value, str) else Decimal(value)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_DIGITS_AFTER:
        return None
    return number if number == 0 or number.adjusted() < _DIGITS_BEFORE else None


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
