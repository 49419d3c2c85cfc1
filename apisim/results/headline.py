"""The first lines of a summary and its last: what was run, how it went, how to repeat it."""

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import Final

from apisim.results.result import Result
from apisim.results.wording import count_text, counted, share_text, three_digits
from apisim.scenario import Scenario
from apisim.scenario.formats import format_duration

__all__ = ["headline", "reproduction"]

_SECOND_NS: Final = 1_000_000_000
_PAGE: Final = 80
#: Longest changes that a command is printed with [characters].
_MOST_CHANGES: Final = 2000


def headline(result: Result) -> list[str]:
    """Name, length and answers of the run."""
    scenario, info = result.scenario, result.run_info
    # To the millisecond: an interrupted run ends anywhere, a log nearly so.
    length = format_duration(round(info.simulated_s * 1e3) * (_SECOND_NS // 1000))
    times = f"{info.replications} replications of {length}" if info.replications > 1 else length
    if scenario.warm_up:
        times += f", {format_duration(scenario.warm_up)} of it warm-up"
    lines = [scenario.name or scenario.source.file]
    lines.append(f"{times}; profile {scenario.profile}, {scenario.region}")
    if not result.completed:
        lines.append("INTERRUPTED: of what was simulated so far")
    requests = result.requests
    answers = ", ".join(
        f"{status} {share_text(count / requests.total)}"
        for status, count in requests.by_status.items()
    )
    lines.append(counted(requests.total, "request") + (f": {answers}" if answers else ""))
    if requests.refused_by:
        refused = ", ".join(
            f"{who} {count_text(count)}" for who, count in requests.refused_by.items()
        )
        lines.append(f"not served because of: {refused}")
    lines += _hidden(result)
    return lines


def _hidden(result: Result) -> list[str]:
    """What statuses do not tell: answers that browsers keep from their pages, and why."""
    said = Counter[str]()
    for stats in result.cors.values():
        said.update(stats.messages)
    if not said:
        return []
    ((reason, _),) = said.most_common(1)
    more = f" (and {counted(len(said) - 1, 'other reason')})" if len(said) > 1 else ""
    blocked = counted(sum(said.values()), "call")
    return [f"for the pages {blocked} came to nothing, whatever the status: {reason}{more}"]


def reproduction(result: Result) -> list[str]:
    """Engine, speed and digest; and the command that gives the same numbers."""
    scenario, info = result.scenario, result.run_info
    total = sum(replication.requests for replication in result.replications)
    lines = [
        f"apisim {info.version}, {info.engine} engine: {count_text(total)} requests simulated in "
        f"{three_digits(float(f'{info.wall_s:.3g}'))} s ({info.requests_per_s:,.0f}/s), set-up "
        f"{three_digits(float(f'{info.setup_s:.3g}'))} s",
        f"digest {info.digest}{'' if result.completed else ' (of a part)'}, scenario sha256 "
        f"{scenario.source.sha256[:16]}",
    ]
    if not result.completed:
        lines.append("cut short: these numbers cannot be reproduced, only the whole run can")
    lines += _command(scenario, "reproduce" if result.completed else "run it whole")
    return lines


def _command(scenario: Scenario, to: str) -> list[str]:
    """What to type to run a scenario like this, as far as options say it."""
    file = scenario.source.file
    if file.startswith("<"):
        return [f"seed {scenario.seed}"]
    words: list[tuple[str, ...]] = [("apisim",), ("run",), (file,), ("--seed", str(scenario.seed))]
    names = {name for name, _, _ in scenario.positions.overrides.values()}
    for option, value in (
        ("--profile", scenario.profile),
        ("--replications", str(scenario.replications)),
    ):
        if option in names:
            words.append((option, value))
    if scenario.duration_limit_ns is not None:
        words.append(("--duration", format_duration(scenario.duration_limit_ns)))
    is_long = sum(map(len, scenario.changes)) > _MOST_CHANGES
    words += [("--set", change) for change in scenario.changes if not is_long]
    changed = " with the same changes (--set)" if is_long else ""
    return [f"{to}{changed} by", *_broken(words)]


def _broken(words: Sequence[Sequence[str]]) -> list[str]:
    """A command as a shell takes it, in lines that fit on a page; an option keeps its value."""
    lines = [" "]
    for word in map(shlex.join, words):
        if len(lines[-1]) + len(word) + 3 > _PAGE and lines[-1].strip():
            lines[-1] += " \\"
            lines.append("   ")
        lines[-1] += f" {word}"
    return lines
