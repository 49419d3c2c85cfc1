"""What a table of functions does not say in its columns: why Lambda refused, and what it ended."""

from typing import TYPE_CHECKING

from apisim.results.wording import count_text

if TYPE_CHECKING:
    from apisim.results.result import Result

__all__ = ["function_remarks"]

#: What is counted by function, and what it is called; only what occurred is said.
_REMARKS = (
    ("rate_throttles", "Throttled for too many requests a second"),
    ("scaling_throttles", "Throttled for growing too fast"),
    ("timeouts", "Ended by the function's time-out"),
    ("provisioned", "Run on provisioned concurrency"),
    ("events", "Called by events"),
    ("event_retries", "Run again for events that had failed"),
    ("events_dropped", "Events dropped"),
)


def function_remarks(result: "Result") -> tuple[str, ...]:
    """One line for each of these, with the functions that it is true of."""
    remarks = []
    for field, words in _REMARKS:
        counts = {name: getattr(stats, field) for name, stats in result.functions.items()}
        told = ", ".join(f"{name} {count_text(n)}" for name, n in counts.items() if n)
        if told:
            remarks.append(f"{words}: {told}.")
    return tuple(remarks)
