"""What a run wrote to logs and recorded as traces.

Where AWS does not say which meter counts, the plain one does: access and execution logs are
ordinary ingestion, a function's log is a vended one (since May 2025). What is stored is billed by
the month, so only a projected month has it: in a steady state each log holds what is written within
its retention. It is taken as it was written; that CloudWatch compresses it is known, not how much.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from apisim.pricing.book import PriceBook
from apisim.pricing.counting import check_counted, check_known

__all__ = ["LogUsage", "TraceUsage"]

#: Meters of what is written, by whose log it is.
_METERS: Final = {
    "access": "cloudwatch.logs.ingest",
    "execution": "cloudwatch.logs.ingest",
    "function": "cloudwatch.logs.ingest_vended",
}
_HOURS_PER_DAY: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class LogUsage:
    """What was written to one log; that of a canary is counted with its stage's.

    Attributes
    ----------
    name : str
        Whose it is: ``API/STAGE`` or a function.
    kind : str
        ``access``, ``execution`` or ``function``.
    bytes : int
        What was written [bytes].
    retention_days : int or None
        Days after which it expires; None: never.
    month_h : Fraction or None
        Hours of the month in which so much is written: then what is stored is counted, too.
    """

    name: str
    kind: str
    bytes: int = 0
    retention_days: int | None = None
    month_h: Fraction | None = None

    def __post_init__(self) -> None:
        check_known("kind", self.kind, tuple(_METERS))
        check_counted("bytes", self.bytes)

    def quantities(self, book: PriceBook) -> Iterator[tuple[str, Fraction]]:
        """Meters and quantities in their units; of a month also what is held of it all the time."""
        gigabytes = Fraction(self.bytes, book.conventions.gigabyte_bytes)
        yield _METERS[self.kind], gigabytes
        if self.retention_days is not None and self.month_h is not None:
            months = self.retention_days * _HOURS_PER_DAY / self.month_h
            yield "cloudwatch.logs.storage", gigabytes * months

    @property
    def notes(self) -> Iterator[str]:
        """What is not counted."""
        if self.bytes and self.retention_days is None:
            yield (
                f"{self.kind} log of {self.name}: it never expires, so that more is stored each "
                "month; storage is not counted (log_retention: says how long it is kept)"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceUsage:
    """Requests of one stage that X-Ray recorded.

    Attributes
    ----------
    name : str
        ``API/STAGE``.
    traces : int
        How many they are.
    """

    name: str
    traces: int = 0

    def __post_init__(self) -> None:
        check_counted("traces", self.traces)

    def quantities(self) -> Iterator[tuple[str, Fraction]]:
        """Meters and quantities in their units."""
        yield "xray.traces.recorded", Fraction(self.traces)
