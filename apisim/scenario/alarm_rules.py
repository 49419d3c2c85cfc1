"""Rules of composite alarms: states of other alarms joined by AND, OR and NOT.

CloudWatch's functions are there (``ALARM(name)``, ``OK(name)``, ``INSUFFICIENT_DATA(name)``,
``TRUE``, ``FALSE``); a bare name stands for ``ALARM(name)``. NOT binds closer than AND, AND closer
than OR. Source: API reference, ``PutCompositeAlarm``, parameter ``AlarmRule``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from apisim.scenario.units import UnitError, shown

__all__ = ["STATES", "Rule", "parse_rule"]

STATES: Final = ("OK", "ALARM", "INSUFFICIENT_DATA")
#: ``PutCompositeAlarm``: characters of a rule, and elements in it.
_MAX_LENGTH: Final = 10_240
_MAX_ELEMENTS: Final = 500
_MAX_DEPTH: Final = 50
_TOKEN: Final = re.compile(r"""\s*(?:([()])|"([\w-]+)"|'([\w-]+)'|([\w-]+))""", re.ASCII)
_WORDS: Final = frozenset({"AND", "OR", "NOT"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One node of a rule.

    Attributes
    ----------
    kind : {"and", "or", "not", "state", "constant"}
    parts : tuple of Rule
        What is joined or negated.
    alarm, state : str
        Of a ``state``: which alarm must be in which state.
    value : bool
        Of a ``constant``.
    """

    kind: Literal["and", "or", "not", "state", "constant"]
    parts: tuple["Rule", ...] = ()
    alarm: str = ""
    state: str = ""
    value: bool = False

    def alarms(self) -> Iterator[str]:
        """Names of the alarms in it, as often as they occur."""
        if self.kind == "state":
            yield self.alarm
        for part in self.parts:
            yield from part.alarms()

    def holds(self, states: Mapping[str, str]) -> bool:
        """Whether it is true of the states of the alarms."""
        if self.kind == "state":
            return states[self.alarm] == self.state
        if self.kind == "constant":
            return self.value
        if self.kind == "not":
            return not self.parts[0].holds(states)
        found = (part.holds(states) for part in self.parts)
        return all(found) if self.kind == "and" else any(found)

    def __str__(self) -> str:
        if self.kind == "state":
            return self.alarm if self.state == "ALARM" else f"{self.state}({self.alarm})"
        if self.kind == "constant":
            return str(self.value).upper()
        texts = [f"({part})" if len(part.parts) > 1 else str(part) for part in self.parts]
        return f"NOT {texts[0]}" if self.kind == "not" else f" {self.kind.upper()} ".join(texts)


def parse_rule(text: str) -> Rule:
    """A rule as it is written.

    Raises
    ------
    UnitError
        If it is none.

    Examples
    --------
    >>> rule = parse_rule("throttling AND NOT (OK(slow) OR FALSE)")
    >>> rule.holds({"throttling": "ALARM", "slow": "INSUFFICIENT_DATA"})
    True
    """
    if len(text) > _MAX_LENGTH:
        raise UnitError(f"{len(text):,} characters are above the {_MAX_LENGTH:,} maximum")
    tokens = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise UnitError(f"{shown(text[at:].strip()[:20])} is no part of a rule", _HINT)
        is_name = match[1] is None and match[4] is None
        tokens.append((next(filter(None, match.groups())), is_name))
        at = match.end()
    if len(tokens) > _MAX_ELEMENTS:
        raise UnitError(f"{len(tokens)} elements are above the {_MAX_ELEMENTS} maximum")
    parser = _Parser(tokens)
    rule = parser.any_of(0)
    if parser.next:
        raise UnitError(f"{shown(parser.next)} is not expected there", _HINT)
    return rule


_HINT: Final = "write e.g. throttling AND (slow OR NOT OK(errors))"


class _Parser:
    """Recursive descent over tokens: text, and whether it is a quoted name."""

    def __init__(self, tokens: list[tuple[str, bool]]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> str:
        """The next token; "" at the end."""
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _take(self, *wanted: str) -> bool:
        is_there = self._at < len(self._tokens) and self._tokens[self._at] in [
            (word, False) for word in wanted
        ]
        self._at += is_there
        return is_there

    def any_of(self, depth: int) -> Rule:
        """Rules joined by OR."""
        parts = [self._all_of(depth)]
        while self._take("OR"):
            parts.append(self._all_of(depth))
        return parts[0] if len(parts) == 1 else Rule("or", tuple(parts))

    def _all_of(self, depth: int) -> Rule:
        parts = [self._one(depth)]
        while self._take("AND"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Rule("and", tuple(parts))

    def _one(self, depth: int) -> Rule:
        if depth > _MAX_DEPTH:
            raise UnitError(f"more than {_MAX_DEPTH} levels of brackets and NOT")
        if self._take("NOT"):
            return Rule("not", (self._one(depth + 1),))
        if self._take("("):
            inner = self.any_of(depth + 1)
            self._close()
            return inner
        for state in STATES:
            if self._take(state):
                if not self._take("("):
                    raise UnitError(f"{state} needs the name of an alarm", f"{state}(name)")
                rule = Rule("state", alarm=self._name(), state=state)
                self._close()
                return rule
        for word in ("TRUE", "FALSE"):
            if self._take(word):
                return Rule("constant", value=word == "TRUE")
        return Rule("state", alarm=self._name(), state="ALARM")

    def _name(self) -> str:
        word = self.next
        is_quoted = self._at < len(self._tokens) and self._tokens[self._at][1]
        if not word or word in "()" or (word in _WORDS and not is_quoted):
            got = shown(word) if word else "the end"
            raise UnitError(f"the name of an alarm is missing before {got}", _HINT)
        self._at += 1
        return word

    def _close(self) -> None:
        if not self._take(")"):
            raise UnitError("a bracket is not closed", _HINT)
