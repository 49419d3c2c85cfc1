"""Alarms in the summary: when each first went off, and what was refused until then."""

from collections.abc import Iterator, Sequence
from statistics import median

from apisim.results.alarms import AlarmHistory
from apisim.results.section import FAILED, Section, section
from apisim.results.wording import NOTHING, count_text, moment_text

__all__ = ["alarms_section"]


def alarms_section(histories: Sequence[AlarmHistory]) -> Section | None:
    """One row an alarm; with several replications medians, and in how many it went off."""
    by_name: dict[str, list[AlarmHistory]] = {}
    for history in histories:
        by_name.setdefault(history.name, []).append(history)
    n_replications = max((len(all_) for all_ in by_name.values()), default=0)
    rows = []
    marks = {}
    for at, (name, all_) in enumerate(by_name.items()):
        firsts = [one.first_alarm_s for one in all_ if one.first_alarm_s is not None]
        if firsts:
            marks[at] = FAILED
        rows.append(
            (
                name,
                all_[0].state if len(all_) == 1 else f"{len(firsts)} of {len(all_)}",
                moment_text(median(firsts)) if firsts else NOTHING,
                count_text(round(median(one.refused_before_alarm for one in all_))),
                count_text(round(median(one.failed_before_alarm for one in all_))),
            )
        )
    state = "At the end" if n_replications == 1 else "Went off in"
    return section(
        "Alarms",
        f"Alarm|{state}|>First ALARM|>429 before|>Failed before",
        rows,
        marks,
        tuple(_remarks(by_name, n_replications)),
    )


def _remarks(by_name: dict[str, list[AlarmHistory]], n_replications: int) -> Iterator[str]:
    for name, all_ in by_name.items():
        yield f"{name}: {all_[0].condition}"
    if n_replications > 1:
        yield "times and counts: medians over replications"
