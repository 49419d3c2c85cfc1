"""What browsers asked, what they remembered, and what they hid from their pages."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apisim.gateway.cors import MESSAGES, Message
from apisim.gateway.status import Answer
from apisim.results.tally import Measurements
from apisim.results.wording import count_text

__all__ = ["CorsStats", "cors_rows", "cors_stats"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorsStats:
    """Cross-origin requests to one API, after the warm-up, summed over replications.

    Attributes
    ----------
    preflights : int
        Preflights sent, whatever came of them.
    from_memory : int
        Requests that needed a preflight and were sent without, as the browser knew the answer.
    blocked : int
        Calls that came to nothing for their pages: never sent after a preflight in vain, or sent
        and their answer hidden.
    messages : dict of str to int
        Those calls by what the browser said.
    """

    preflights: int
    from_memory: int
    blocked: int
    messages: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """The numbers by name."""
        return {
            "preflights": self.preflights,
            "from_memory": self.from_memory,
            "blocked": self.blocked,
            "messages": dict(self.messages),
        }


def cors_stats(measurements: Measurements) -> dict[str, CorsStats]:
    """By API; only those that browsers call."""
    tables, names = measurements.program.tables, measurements.program.names
    found: dict[str, CorsStats] = {}
    for name in names.apis:
        preflights = asked_well = needed = 0
        said: dict[Message, int] = {}
        is_called = False
        for cell, binding in _cells_of_browsers(measurements):
            if names.cells[cell].api != name:
                continue
            is_called = True
            bound, counts = tables.bindings[binding], measurements.counts[cell]
            if bound["actual"] >= 0:
                preflights += int(counts.sum())
                asked_well += int(counts[Answer.PREFLIGHT])
            elif bound["preflight"] >= 0:
                needed += int(counts.sum())
            for answer in counts.nonzero()[0]:
                message = Message(int(tables.cors_messages[bound["cors"], answer]))
                said[message] = said.get(message, 0) + int(counts[answer])
        said.pop(Message.NONE, None)
        if is_called:
            found[name] = CorsStats(
                preflights=preflights,
                # A preflight of the warm-up may have let a request pass that came after it.
                from_memory=max(0, needed - asked_well),
                blocked=sum(said.values()),
                messages={MESSAGES[message]: said[message] for message in sorted(said)},
            )
    return found


def cors_rows(
    found: Mapping[str, CorsStats],
) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """Rows of the summary, one for each API, and what the browsers said below them."""
    rows: list[tuple[str, ...]] = [
        (
            api,
            count_text(stats.preflights),
            count_text(stats.from_memory),
            count_text(stats.blocked),
        )
        for api, stats in found.items()
    ]
    said = Counter[str]()
    for stats in found.values():
        said.update(stats.messages)
    return rows, tuple(f"{count_text(count)} x {message}" for message, count in said.items())


def _cells_of_browsers(measurements: Measurements) -> Iterator[tuple[int, int]]:
    """Cells whose requests browsers make, with their bindings."""
    tables = measurements.program.tables
    for source, following in zip(
        tables.sources, [*tables.sources["first_cell"][1:], len(measurements.counts)], strict=True
    ):
        for cell in range(int(source["first_cell"]), int(following)):
            at = (cell - int(source["first_cell"])) % int(source["n_bindings"])
            binding = int(source["first_binding"]) + at
            if tables.bindings[binding]["cors"] >= 0:
                yield cell, binding
