"""What a report says first: does it hold, who is refused, how long do callers wait, what it costs.

Every number is one of the result's; nothing is computed here but the words around them.
"""

from apisim.pricing import dollars
from apisim.results.result import Result
from apisim.results.sections_thresholds import value_text
from apisim.results.verdicts import Verdict
from apisim.results.wording import count_text, counted, share_text, time_text

__all__ = ["answer_of", "key_figures", "verdict_of"]

#: Failed thresholds that are told one by one.
_TOLD = 3


def verdict_of(result: Result) -> tuple[str, str]:
    """One word for how it looks (``good``, ``bad``, ``open``), and the verdict as a sentence."""
    if not result.completed:
        return "open", "Interrupted: this is about what was simulated until then."
    asked = result.thresholds
    if not asked:
        return "open", "No threshold was set: the numbers are below, the judgement is yours."
    failed = [one for one in asked if not one.ok]
    unclear = [one for one in asked if one.ok and one.conclusive is False]
    if failed:
        told = ", ".join(map(_told, failed[:_TOLD]))
        more = "" if len(failed) <= _TOLD else f", and {len(failed) - _TOLD} more"
        words = f"No: {len(failed)} of {counted(len(asked), 'threshold')} "
        words += "fails" if len(failed) == 1 else "fail"
        return "bad", f"{words} ({told}{more})."
    words = "the threshold holds" if len(asked) == 1 else f"all {len(asked)} thresholds hold"
    if unclear:
        chance = "it" if len(asked) == 1 else f"{len(unclear)} of them"
        return "open", f"Yes, but not beyond chance: {words}, {chance} within sampling error only."
    return "good", f"Yes: {words}."


def _told(verdict: Verdict) -> str:
    asked = f"{verdict.metric} {verdict.expression}"
    if not verdict.is_measured:
        return f"nothing was measured for {asked}"
    return f"{asked} is {value_text(verdict.value, verdict.unit)}"


def answer_of(result: Result) -> list[str]:
    """Sentences on refusals, waiting and money."""
    requests = result.requests
    if not requests.total:
        return ["No request was made after the warm-up."]
    sentences = []
    refused = requests.by_status.get(429, 0)
    failed = sum(count for status, count in requests.by_status.items() if status >= 500)
    of = counted(requests.total, "request")
    if refused:
        by = ", ".join(f"{who.replace('_', ' ')} {n:,}" for who, n in _throttles(result).items())
        sentences.append(
            f"{share_text(refused / requests.total)} of {of} are answered 429 (by limit: {by})."
        )
    else:
        sentences.append(f"Of {of} none is throttled.")
    if failed:
        sentences.append(f"{share_text(failed / requests.total)} fail (5xx).")
    latency = result.latency_ms
    sentences.append(
        f"Half of the callers wait at most {time_text(latency.p50)}, 99 of 100 at most "
        f"{time_text(latency.p99)}, refusals included."
    )
    cost = f"The run costs {dollars(result.bill.run.total)}"
    if result.bill.month is not None:
        cost += f", a month of such traffic {dollars(result.bill.month.total)}"
    sentences.append(f"{cost} ({result.bill.run.currency}).")
    return sentences


def _throttles(result: Result) -> dict[str, int]:
    """Requests answered 429 by who refused them, most first."""
    found: dict[str, int] = {}
    for stats in result.answers:
        if stats.status == 429:
            found[stats.refused_by] = found.get(stats.refused_by, 0) + stats.requests
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def key_figures(result: Result) -> list[tuple[str, str]]:
    """What everybody asks for, each a label and a value."""
    requests, latency = result.requests, result.latency_ms
    total = requests.total
    refused = requests.by_status.get(429, 0)
    failed = sum(count for status, count in requests.by_status.items() if status >= 500)
    found = [("Requests", count_text(total))]
    if total:
        found += [
            ("Answered 429", share_text(refused / total)),
            ("Failed (5xx)", share_text(failed / total)),
            ("Median latency", time_text(latency.p50)),
            ("99th percentile", time_text(latency.p99)),
        ]
    found.append(("Cost of the run", dollars(result.bill.run.total)))
    if result.bill.month is not None:
        found.append(("Expected month", dollars(result.bill.month.total)))
    return found
