"""CloudWatch alarms over a run: their states minute by minute, and what was refused before.

Every alarm is evaluated at the end of every minute, over a window that slides with it (CloudWatch
user guide, "Alarm evaluation window"), and of metrics that are there at once: the minute or two
that CloudWatch may take to publish them are not modelled. Before the run there is no data, and an
alarm begins in INSUFFICIENT_DATA. Minutes that the traffic does not fill are not evaluated.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from apisim.engine.program import Program
from apisim.results.alarm_states import EXTRA_DATAPOINTS, State, evaluate
from apisim.results.metric_points import NO_POINT, Point
from apisim.results.metric_series import ALL_FAILED, METRICS, TOO_MANY, Metric, MetricTables
from apisim.results.minute_metrics import MINUTE_NS, Minute, MinuteMetrics
from apisim.results.spans import open_ended
from apisim.results.wording import counted, three_digits
from apisim.scenario.alarms import Alarm
from apisim.scenario.checks_alarms import alarm_stages
from apisim.scenario.cloudwatch_metrics import ALARM_METRICS

__all__ = ["MAX_TRANSITIONS", "AlarmHistory", "AlarmWatch", "Transition"]

#: Transitions of an alarm that are kept, the first ones.
MAX_TRANSITIONS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state.

    Attributes
    ----------
    time_s : float
        When [s].
    before, after : str
        The states.
    reason : str
        What it was evaluated on.
    """

    time_s: float
    before: State
    after: State
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {
            "time_s": self.time_s,
            "from": self.before,
            "to": self.after,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmHistory:
    """One alarm in one replication.

    Attributes
    ----------
    name, condition : str
        Its name, and what it looks for in one line.
    replication : int
        From 0.
    state : {"OK", "ALARM", "INSUFFICIENT_DATA"}
        At the end.
    first_alarm_s : float or None
        When it first went to ALARM [s]; None: never.
    alarms : int
        How often it went to ALARM.
    alarm_s : float
        How long it was in ALARM [s].
    refused_before_alarm, failed_before_alarm : int
        429s, and all answers of 400 and above, that left the gateway before it first went to ALARM,
        in the whole run where it never did; of what the alarm looks at, a composite one of all.
    transitions : tuple of Transition
        The first :data:`MAX_TRANSITIONS`.
    """

    name: str
    condition: str
    replication: int
    state: State
    first_alarm_s: float | None
    alarms: int
    alarm_s: float
    refused_before_alarm: int
    failed_before_alarm: int
    transitions: tuple[Transition, ...]

    def to_dict(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        found = {name: getattr(self, name) for name in self.__slots__ if name != "transitions"}
        return found | {"transitions": [one.to_dict() for one in self.transitions]}


class AlarmWatch:
    """All alarms of one replication.

    Parameters
    ----------
    program : Program
    tables : MetricTables
    replication : int
        Its number.
    minute_ns : int
        Length of a minute [ns]; others than 60 s are for tests of short runs.
    """

    def __init__(
        self,
        program: Program,
        tables: MetricTables,
        replication: int,
        *,
        minute_ns: int = MINUTE_NS,
    ) -> None:
        self.metrics = MinuteMetrics(tables, self._take, minute_ns=minute_ns)
        self._minute_ns = minute_ns
        self._program = program
        self._replication = replication
        everything = tuple(range(len(tables.leaves)))
        self._watched = {
            name: _Watched(alarm, _metric_of(program, alarm), _leaves(program, tables, alarm))
            if alarm.composite is None
            else _Watched(alarm, None, everything)
            for name, alarm in program.scenario.alarms.items()
        }
        self._order = list(_children_first(program.scenario.alarms))
        # Who knows when the traffic ends needs no minute beyond.
        is_open = bool(open_ended(program.scenario))
        self._n_minutes = None if is_open else program.horizon_ns // minute_ns

    def finish(self, *, completed: bool, end_ns: int) -> list[AlarmHistory]:
        """The replication is over.

        Parameters
        ----------
        completed : bool
            False if it was interrupted.
        end_ns : int
            When it ended [ns].
        """
        if self._n_minutes is None:
            self._n_minutes = end_ns // self._minute_ns
        self.metrics.finish(completed=completed, until_ns=self._n_minutes * self._minute_ns)
        return [watched.history(name, self._replication) for name, watched in self._watched.items()]

    def _take(self, minute: Minute) -> None:
        for watched in self._watched.values():
            watched.count(minute)
        if self._n_minutes is not None and minute.number >= self._n_minutes:
            return
        time_s = (minute.number + 1) * self._minute_ns / 1e9
        states: dict[str, State] = {}
        for name in self._order:
            watched = self._watched[name]
            watched.evaluate(minute, time_s, states)
            states[name] = watched.state


@dataclass(slots=True)
class _Watched:
    """One alarm as the run goes on."""

    alarm: Alarm
    metric: Metric | None
    leaves: tuple[int, ...]
    state: State = "INSUFFICIENT_DATA"
    refused: int = 0
    failed: int = 0
    first_alarm_s: float | None = None
    n_alarms: int = 0
    alarm_s: float = 0.0
    evaluated_s: float = 0.0
    transitions: list[Transition] = field(default_factory=list)
    # Minutes of the newest period, and values of datapoints that end at each of the last minutes.
    minutes: deque[Point] = field(default_factory=deque)
    values: deque[float | None] = field(default_factory=deque)

    def count(self, minute: Minute) -> None:
        """Add up what is refused until the alarm goes off."""
        if self.first_alarm_s is None:
            self.refused += minute.point(self.leaves, TOO_MANY).total
            self.failed += minute.point(self.leaves, ALL_FAILED).total

    def evaluate(self, minute: Minute, time_s: float, states: dict[str, State]) -> None:
        """State at the end of a minute."""
        alarm = self.alarm
        if self.state == "ALARM":
            self.alarm_s += time_s - self.evaluated_s
        if alarm.composite is not None:
            after: State = "ALARM" if alarm.composite.holds(states) else "OK"
            names = dict.fromkeys(alarm.composite.alarms())
            reason = ", ".join(f"{name} is {states[name]}" for name in names)
        else:
            assert self.metric is not None, "an alarm that is not composite has a metric"
            after, reason = self._evaluate_metric(self.metric, minute)
        self.evaluated_s = time_s
        if after == self.state:
            return
        if len(self.transitions) < MAX_TRANSITIONS:
            self.transitions.append(Transition(time_s, self.state, after, reason))
        self.state = after
        if after == "ALARM":
            self.n_alarms += 1
            if self.first_alarm_s is None:
                self.first_alarm_s = time_s

    def _evaluate_metric(self, metric: Metric, minute: Minute) -> tuple[State, str]:
        period = self.alarm.period // MINUTE_NS
        m, n = self.alarm.datapoints
        self.minutes.append(minute.point(self.leaves, metric.name))
        if len(self.minutes) > period:
            self.minutes.popleft()
        whole = NO_POINT
        for point in self.minutes:
            whole = whole.joined(point)
        value = metric.value(whole, str(self.alarm.statistic)) if whole.count else None
        self.values.append(value)
        if len(self.values) > (n + EXTRA_DATAPOINTS) * period:
            self.values.popleft()
        newest_first = list(self.values)[::-1][::period]
        seen = newest_first[::-1]
        comparison = self.alarm.comparison
        breaching: list[bool | None] = [
            None if one is None else comparison.breaches(one) for one in seen
        ]
        # Before the run there is no data.
        breaching[:0] = [None] * (n + EXTRA_DATAPOINTS - len(breaching))
        after = evaluate(breaching, m=m, n=n, missing=self.alarm.missing, state=self.state)
        return after, _reason(self.alarm, breaching, value)

    def history(self, name: str, replication: int) -> AlarmHistory:
        """What came of it."""
        return AlarmHistory(
            name=name,
            condition=self.alarm.condition,
            replication=replication,
            state=self.state,
            first_alarm_s=self.first_alarm_s,
            alarms=self.n_alarms,
            alarm_s=self.alarm_s,
            refused_before_alarm=self.refused,
            failed_before_alarm=self.failed,
            transitions=tuple(self.transitions),
        )


def _metric_of(program: Program, alarm: Alarm) -> Metric:
    stages = alarm_stages(program.scenario, alarm)
    kind = program.scenario.apis[stages[0]].type
    return METRICS[ALARM_METRICS[str(alarm.metric)][kind]]


def _leaves(program: Program, tables: MetricTables, alarm: Alarm) -> tuple[int, ...]:
    stages = alarm_stages(program.scenario, alarm)
    keys = {
        (name.removesuffix(f"/{stage}"), stage)
        for name in stages
        for stage in [program.scenario.apis[name].stage.name]
    }
    return tuple(
        at
        for at, leaf in enumerate(tables.leaves)
        if (leaf.api, leaf.stage) in keys and alarm.route in (None, leaf.route)
    )


def _children_first(alarms: Mapping[str, Alarm]) -> Iterator[str]:
    """Names so that each comes after those that it looks at; there are no circles."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in done:
            return
        done.add(name)
        rule = alarms[name].composite
        for other in () if rule is None else rule.alarms():
            yield from visit(other)
        yield name

    for name in alarms:
        yield from visit(name)


def _reason(alarm: Alarm, is_breaching: Sequence[bool | None], value: float | None) -> str:
    """What was seen, in words: ``3 of the last 5 datapoints are above 60, the newest is 75``."""
    known = [one for one in is_breaching if one is not None]
    if not known:
        return f"none of the last {counted(len(is_breaching), 'datapoint')} has data"
    used = known[-alarm.datapoints.n :]
    comparison = alarm.comparison
    words = f"{comparison.word.replace('_', ' ')} {comparison.written}"
    newest = "missing" if value is None else three_digits(float(f"{value:.6g}"))
    return (
        f"{sum(used)} of the last {counted(len(used), 'datapoint')} {words}; the newest is {newest}"
    )
