"""YAML in, plain data and the place of every key out.

The text is composed to ruamel's node graph and turned into plain data here rather than by a
constructor, for four reasons: every key keeps its line and column, numbers keep the decimal as
written (floats become ``Decimal``), all duplicate keys are found at once, and nothing but mappings,
lists, texts, numbers, booleans and nothing can come out: tags have no effect because they are
refused. Size, depth and the expansion of aliases are bounded, so a hostile file costs an error.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from apisim.scenario.problems import Path, Problem, ScenarioError, dotted
from apisim.scenario.stages import written_path

__all__ = ["MAX_BYTES", "Document", "Positions", "read_yaml"]

#: A scenario of more bytes is refused: long lists belong into CSV files beside it.
MAX_BYTES: Final = 10 * 1024 * 1024
#: Deepest nesting of mappings and lists; the vocabulary needs ten.
MAX_DEPTH: Final = 50
#: Values a scenario may expand to, aliases counted as often as they are used.
MAX_VALUES: Final = 500_000
#: Longest number; Python's own limit for integers is 4,300 digits.
MAX_NUMBER_LENGTH: Final = 400

_TAG: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Positions:
    """Where each key and list item of a scenario is written.

    Parameters
    ----------
    file : str
        Name of the scenario file as it was given.
    places : dict
        Line and column, both from 1, of each path.
    overrides : dict
        File-like name, line and column of what did not come from the file (``--set:1:1``); it
        holds for everything beneath the path too.
    split : tuple of str
        APIs that stand for one of several stages.
    """

    file: str
    places: Mapping[Path, tuple[int, int]] = field(default_factory=dict)
    overrides: Mapping[Path, tuple[str, int, int]] = field(default_factory=dict)
    split: tuple[str, ...] = ()

    def locate(self, path: Sequence[str | int]) -> tuple[str, int, int]:
        """File, line and column of the value at ``path`` or of the nearest one above it."""
        parts = written_path(tuple(path), self.split)
        for length in range(len(parts), -1, -1):
            above = parts[:length]
            if above in self.overrides:
                return self.overrides[above]
            if above in self.places:
                return (self.file, *self.places[above])
        return (self.file, 1, 1)

    def problem(self, path: Sequence[str | int], message: str, hint: str = "") -> Problem:
        """Problem at ``path``, with its position and its dotted name."""
        file, line, column = self.locate(path)
        return Problem(
            file, line, column, dotted(written_path(tuple(path), self.split)), message, hint
        )


@dataclass(frozen=True)
class Document:
    """A YAML text as plain data.

    Parameters
    ----------
    data : object
        dict, list, str, int, Decimal, float (infinite or not a number), bool or None.
    positions : Positions
        Place of every value.
    """

    data: Any
    positions: Positions


class _Reader:
    """Turns one node graph into plain data; collects problems instead of stopping at the first."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[Path, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self.n_values = 0

    def refuse(self, node: Node, path: Path, message: str, hint: str = "") -> None:
        line, column = _place(node)
        self.problems.append(Problem(self.file, line, column, dotted(path), message, hint))

    def count(self, node: Node) -> None:
        self.n_values += 1
        if self.n_values > MAX_VALUES:
            hint = "aliases (*name) multiply; long lists belong into a CSV file"
            self.refuse(node, (), f"the file expands to more than {MAX_VALUES:,} values", hint)
            raise _Stop

    def value(self, node: Node, path: Path) -> Any:
        self.count(node)
        if len(path) > MAX_DEPTH:
            self.refuse(node, (), f"nested more than {MAX_DEPTH} levels deep")
            raise _Stop
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            if str(node.tag) != _TAG + "seq":
                self.refuse_tag(node, path)
            items = []
            for index, item in enumerate(node.value):
                self.places[(*path, index)] = _place(item)
                items.append(self.value(item, (*path, index)))
            return items
        return self.scalar(node, path)

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        if str(node.tag) != _TAG + "map":
            self.refuse_tag(node, path)
        result: dict[str, Any] = {}
        written: set[str] = set()
        for key_node, value_node, is_merged in self.entries(node, path):
            if not isinstance(key_node, ScalarNode):
                self.refuse(key_node, path, "a key must be a plain text")
                continue
            # Keys are texts whatever they look like: 99.9 in {quantiles: {99.9: 3s}}, on, 200.
            key = self.text(key_node, path)
            if key in result:
                # Written keys win over merged ones, earlier merged mappings over later ones.
                if not is_merged and key in written:
                    line, _ = self.places[(*path, key)]
                    message = f"given twice; the first is in line {line}"
                    self.refuse(key_node, (*path, key), message, "keep one of them")
                continue
            if not is_merged:
                written.add(key)
            self.places[(*path, key)] = _place(key_node)
            result[key] = self.value(value_node, (*path, key))
        return result

    def entries(
        self, node: MappingNode, path: Path, is_merged: bool = False, depth: int = 0
    ) -> Iterator[tuple[Node, Node, bool]]:
        """Keys and values of a mapping, its own first, then those of ``<<: *base``."""
        merged: list[Node] = []
        for key_node, value_node in node.value:
            if str(key_node.tag) == _TAG + "merge":
                is_list = isinstance(value_node, SequenceNode)
                merged.extend(value_node.value if is_list else [value_node])
            else:
                yield key_node, value_node, is_merged
        for base in merged:
            self.count(base)
            if not isinstance(base, MappingNode):
                self.refuse(base, path, "<< merges mappings only")
            elif depth > MAX_DEPTH:
                self.refuse(base, path, f"<< nested more than {MAX_DEPTH} levels deep")
                raise _Stop
            else:
                yield from self.entries(base, path, True, depth + 1)

    def text(self, node: Node, path: Path) -> str:
        text = str(node.value)
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            self.refuse(node, path, "half a surrogate pair is not a character")
            return "?"
        return text

    def scalar(self, node: Node, path: Path) -> Any:
        text = self.text(node, path)
        tag = str(node.tag).removeprefix(_TAG)
        if tag in ("str", "timestamp", "value"):
            return text
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() in ("true", "yes", "on", "y")
        if tag not in ("int", "float"):
            self.refuse_tag(node, path)
            return text
        if len(text) > MAX_NUMBER_LENGTH:
            self.refuse(node, path, f"a number of {len(text):,} characters is too long")
            return 0
        plain = text.replace("_", "").lower()
        if tag == "float":
            if plain.strip("+-") in (".inf", ".nan"):
                return float(plain.replace(".", ""))
            try:
                return Decimal(plain)
            except DecimalException:
                return text
        sign = -1 if plain.startswith("-") else 1
        digits = plain.lstrip("+-")
        base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2], 10)
        try:
            return sign * int(digits[2:] if base != 10 else digits, base)
        except ValueError:  # an explicit tag: !!int abc
            return text

    def refuse_tag(self, node: Node, path: Path) -> None:
        hint = "a scenario is data: plain keys, texts, numbers and lists"
        tag = str(node.tag).replace(_TAG, "!!")
        self.refuse(node, path, f"tags are not supported, got {tag[:60]}", hint)


class _Stop(Exception):
    """Ends reading after a problem that makes going on pointless."""


def _place(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _decode(raw: bytes, file: str) -> str:
    if len(raw) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1024**2} MB"
        raise ScenarioError([Problem(file, 1, 1, "", message, "put long lists into CSV files")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        hint = "save the file as UTF-8"
        raise ScenarioError([Problem(file, line, column, "", message, hint)]) from None


def _compose(text: str, file: str) -> Node | None:
    try:
        # A repeated anchor is legal YAML; ruamel warns about it on stderr.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            node: Node | None = YAML(typ="safe", pure=True).compose(text)
            return node
    except RecursionError:
        problem = Problem(file, 1, 1, "", f"nested more than {MAX_DEPTH} levels deep")
    except MarkedYAMLError as error:
        problem = _syntax_problem(error, text, file)
    except YAMLError as error:
        # The reader's own errors carry a character offset instead of a mark.
        at = int(getattr(error, "position", 0) or 0)
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        character = text[at : at + 1]
        message = f"character {character.encode('unicode_escape').decode()} is not allowed in YAML"
        problem = Problem(file, line, column, "", message)
    except Exception as error:  # noqa: BLE001 - ruamel raises what Python raised inside it
        message = f"not readable as YAML ({type(error).__name__})"
        problem = Problem(file, 1, 1, "", message, "check the syntax")
    raise ScenarioError([problem])


def _syntax_problem(error: MarkedYAMLError, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    what = " ".join(str(error.problem or error.context or "not readable as YAML").split())
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    if "\t" in written[: max(column, len(written) - len(written.lstrip()))]:
        column = written.index("\t") + 1
        return Problem(file, line, column, "", "a tab where only spaces may stand", "use spaces")
    if "expected a single document" in str(error.context):
        return Problem(file, line, column, "", "a second document (---)", "one file, one scenario")
    hint = ""
    if "mapping values are not allowed" in what:
        hint = "put texts with a colon in quotes, and check the indentation"
    return Problem(file, line, column, "", what, hint)


def read_yaml(source: bytes | str, file: str) -> Document:
    """Plain data of a YAML text, with the place of every value.

    Parameters
    ----------
    source : bytes or str
        The text; bytes must be UTF-8, with or without a byte order mark.
    file : str
        Name used in problems.

    Returns
    -------
    Document
        The data, and where each value is written.

    Raises
    ------
    ScenarioError
        If the text is no single, acyclic, untagged YAML document within the limits above, or has
        duplicate keys; all duplicates are reported at once.
    """
    raw = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    text = _decode(raw, file)
    node = _compose(text, file)
    reader = _Reader(file)
    data = None
    try:
        if node is not None:
            data = reader.value(node, ())
    except _Stop:
        pass
    if reader.problems:
        raise ScenarioError(reader.problems)
    return Document(data, Positions(file, reader.places))
