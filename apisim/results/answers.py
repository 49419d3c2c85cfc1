"""How the APIs answered: by API and answer, with what a client and CloudWatch see of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from apisim.gateway.replies import answer_headers, answer_metrics
from apisim.gateway.status import ANSWERS, Answer
from apisim.gateway.websocket_metrics import Errand, websocket_metrics
from apisim.results.tally import Measurements
from apisim.results.websockets import requests_by_errand

__all__ = ["AnswerStats", "answer_stats"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStats:
    """Requests of one API with one answer.

    Attributes
    ----------
    api, type : str
        Name and type of the API.
    answer, outcome, refused_by : str
        What happened, in the engine's words and in those of the request file.
    status : int
        HTTP status.
    body : str
        Default body of an answer the gateway makes itself; "" where a backend's is passed on.
    requests : int
        How many, after the warm-up.
    billed : bool
        Whether the price book charges them.
    headers : tuple of str
        Headers of interest.
    metrics : tuple of str
        CloudWatch metrics that count them, those of the response cache left out.
    """

    api: str
    type: str
    answer: str
    outcome: str
    refused_by: str
    status: int
    body: str
    requests: int
    billed: bool
    headers: tuple[str, ...]
    metrics: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "headers": list(self.headers),
            "metrics": list(self.metrics),
        }


def answer_stats(measurements: Measurements) -> tuple[AnswerStats, ...]:
    """One row for each API and answer that occurred."""
    return tuple(_rows(measurements))


def _rows(measurements: Measurements) -> Iterator[AnswerStats]:
    program = measurements.program
    scenario, tables = program.scenario, program.tables
    charged = _charged(measurements)
    for at, name in enumerate(program.names.apis):
        kind = scenario.apis[name].type
        tally = measurements.select(api=name)
        errands = requests_by_errand(measurements, name) if kind == "websocket" else {}
        for answer, facts in ANSWERS.items():
            count = int(tally.by_answer[answer])
            if not count:
                continue
            status = int(tables.status[tables.apis["type"][at], answer])
            yield AnswerStats(
                api=name,
                type=kind,
                answer=Answer(answer).name.lower(),
                outcome=facts.outcome,
                refused_by=facts.refused_by,
                status=status,
                body=getattr(facts, f"{kind}_body"),
                requests=count,
                billed=(name, answer) in charged,
                headers=answer_headers(
                    answer, kind, rate_limit_headers=scenario.settings.rate_limit_headers
                ),
                metrics=(
                    _on_websocket(errands, answer)
                    if kind == "websocket"
                    else answer_metrics(answer, kind, status)
                ),
            )


def _charged(measurements: Measurements) -> set[tuple[str, Answer]]:
    """APIs and answers of which there were requests that are charged."""
    program = measurements.program
    found = set()
    names = program.names
    for cell, meter, counts in zip(
        names.cells, program.cell_meters, measurements.counts, strict=True
    ):
        charged = program.tables.charged[meter]
        found |= {(cell.api, Answer(at)) for at in np.flatnonzero(counts * charged).tolist()}
    return found


def _on_websocket(
    errands: Mapping[Errand, Mapping[Answer, int]], answer: Answer
) -> tuple[str, ...]:
    """Metrics that count requests with this answer, whatever they were for."""
    counted = [
        metric
        for errand, answers in errands.items()
        if answer in answers
        for metric in websocket_metrics(answer, errand)
    ]
    return tuple(dict.fromkeys(counted))
