"""States of alarms against the tables of the CloudWatch user guide.

Source: Amazon CloudWatch User Guide, "How alarm state is evaluated when data is missing" (in its
public source, awsdocs/amazon-cloudwatch-user-guide, doc_source/AlarmThatSendsEmail.md). 0 is
within the threshold, X breaches it, - is missing; the newest datapoint is the last.
"""

import itertools

import pytest

from apisim.results.alarm_states import evaluate
from apisim.scenario.alarm_rules import parse_rule
from apisim.scenario.units import UnitError

TREATMENTS = ("missing", "ignore", "breaching", "not_breaching")
RETAIN = "retain"
ID = "INSUFFICIENT_DATA"
#: Datapoints to alarm and evaluation periods are both 3.
THREE_OF_THREE = {
    "0-X-X": ("OK", "OK", "OK", "OK"),
    "0----": ("OK", "OK", "OK", "OK"),
    "-----": (ID, RETAIN, "ALARM", "OK"),
    "0XX-X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "----X": (ID, RETAIN, "ALARM", "OK"),
    "X----": ("ALARM", RETAIN, "ALARM", "OK"),
}
#: 2 out of 3.
TWO_OF_THREE = {
    "0-X-X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "00X0X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0-X--": ("OK", "OK", "ALARM", "OK"),
    "----0": ("OK", "OK", "ALARM", "OK"),
    "----X": (ID, RETAIN, "ALARM", "OK"),
}
CASES = [
    (m, points, treatment, wanted)
    for m, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for points, states in table.items()
    for treatment, wanted in zip(TREATMENTS, states, strict=True)
]


def read(points: str) -> list[bool | None]:
    return [{"0": False, "X": True, "-": None}[one] for one in points]


@pytest.mark.parametrize(("m", "points", "treatment", "wanted"), CASES)
def test_the_tables_of_the_user_guide(m: int, points: str, treatment: str, wanted: str) -> None:
    for before in ("OK", "ALARM", ID):
        state = evaluate(read(points), m=m, n=3, missing=treatment, state=before)
        assert state == (before if wanted == RETAIN else wanted)


def test_the_figure_of_the_user_guide() -> None:
    """3 of 3 above 3 units: ALARM in the third through fifth period over, OK from the next on."""
    over = "XXXXX0000X000"
    states = [
        evaluate(read("-----"[at:] + over[max(0, at - 5) : at]), m=3, n=3, missing="missing",
                 state="OK")
        for at in range(5, len(over) + 1)
    ]  # fmt: skip
    assert states == ["ALARM", *["OK"] * 8]


def test_without_missing_datapoints_the_newest_n_decide() -> None:
    for points in itertools.product([False, True], repeat=5):
        for m in (1, 2, 3):
            wanted = "ALARM" if sum(points[-3:]) >= m else "OK"
            for treatment in TREATMENTS:
                assert evaluate(points, m=m, n=3, missing=treatment, state=ID) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a AND b", "a AND b"),
        ("ALARM(a) OR ALARM('b') AND NOT c", "a OR (b AND NOT c)"),
        ("NOT (a OR OK(b))", "NOT (a OR OK(b))"),
        ('INSUFFICIENT_DATA("a") AND (TRUE OR FALSE)', "INSUFFICIENT_DATA(a) AND (TRUE OR FALSE)"),
    ],
)
def test_rules_read_as_python_reads_them(text: str, wanted: str) -> None:
    rule = parse_rule(text)
    assert str(rule) == wanted
    assert str(parse_rule(wanted)) == wanted
    # Python's own and, or, not bind as CloudWatch's do.
    python = text.replace("ALARM", "ALARM").replace("'b'", "b").replace('"a"', "a")
    for word in ("AND", "OR", "NOT"):
        python = python.replace(f"{word} ", f"{word.lower()} ")
    for values in itertools.product(("OK", "ALARM", ID), repeat=3):
        states = dict(zip("abc", values, strict=True))
        names = {name: states[name] == "ALARM" for name in states}
        functions = {
            "ALARM": lambda is_so: is_so,
            "OK": lambda is_so, states=states, names=names: states["b"] == "OK",
            "INSUFFICIENT_DATA": lambda is_so, states=states: states["a"] == ID,
            "TRUE": True,
            "FALSE": False,
        }
        assert rule.holds(states) == eval(python, functions, names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a AND", "is missing before the end"),
        ("AND b", "is missing before .AND"),
        ("(a OR b", "a bracket is not closed"),
        ("a b", ".b. is not expected there"),
        ("a && b", "is no part of a rule"),
        ("OK a", "OK needs the name of an alarm"),
        ("NOT " * 1000 + "a", "maximum"),
        ("(" * 400 + "a" + ")" * 99, "more than 50 levels"),
        ("a" * 20_000, "above the 10,240 maximum"),
    ],
)
def test_what_is_no_rule(text: str, message: str) -> None:
    with pytest.raises(UnitError, match=message):
        parse_rule(text)
