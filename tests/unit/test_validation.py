"""Request validation: what a route asks, what a source sends, and how many calls fail."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from apisim.engine.calls import validate_call
from apisim.engine.lowering.validations import lacking_share
from apisim.gateway.status import Answer
from apisim.gateway.validation import VALID, VALIDATION_DTYPE, validation_answer
from apisim.scenario import Scenario, ScenarioError, loads
from apisim.scenario.units import UnitError
from apisim.scenario.validators import BodyModel, BodySample, invalid_share
from tests.equivalence.engines import lowered, run

_KEY = np.uint64(0x9123456789ABCDEF)
_TEXT = """
apisim: 1
profile: ideal
apis:
  a:
    type: {type}
    routes:
      GET /x/{{id}}: {{integration: {{type: {mock}}}, {of_get}}}
      POST /y: {{integration: {{type: {mock}}}, {of_post}}}
{more}
traffic:
  web:
    phases: [{{duration: 20s, rate: 500}}]
    arrivals: uniform
    mix: {{'GET /x/{{id}}': 1, POST /y: 1}}
    {sent}
"""


def _scenario(
    of_get: str = "", of_post: str = "", sent: str = "", kind: str = "rest", more: str = ""
) -> Scenario:
    mock = "mock" if kind == "rest" else "http_proxy, endpoint: e"
    text = _TEXT.format(type=kind, mock=mock, of_get=of_get, of_post=of_post, sent=sent, more=more)
    return loads(text)


def _answers(scenario: Scenario) -> dict[str, float]:
    """Shares of the answers to calls of each method."""
    rows = run(lowered(scenario), "compiled").rows
    result = {}
    for cell in np.unique(rows["cell"]):
        of_cell = rows["answer"][rows["cell"] == cell]
        for answer in np.unique(of_cell):
            share = float(np.mean(of_cell == answer))
            result[f"{'GET' if cell == 0 else 'POST'} {Answer(answer).name}"] = share
    return result


def test_parameters_come_first() -> None:
    assert validation_answer(True, True) == Answer.MISSING_PARAMETERS
    assert validation_answer(True, False) == Answer.MISSING_PARAMETERS
    assert validation_answer(False, True) == Answer.INVALID_BODY
    assert validation_answer(False, False) == VALID


def test_shares_of_calls_are_those_of_the_row() -> None:
    row = np.array([(0.2, 0.5)], VALIDATION_DTYPE)[0]
    answers = np.array([validate_call(row, _KEY, entity) for entity in range(20_000)])
    # Five standard deviations of binomial shares over 20,000 calls: below 0.018.
    assert np.mean(answers == Answer.MISSING_PARAMETERS) == pytest.approx(0.2, abs=0.015)
    assert np.mean(answers == Answer.INVALID_BODY) == pytest.approx(0.4, abs=0.018)
    certain = np.array([(1.0, 0.0)], VALIDATION_DTYPE)[0]
    assert validate_call(certain, _KEY, 0) == Answer.MISSING_PARAMETERS


def test_a_parameter_nobody_sends_is_always_missing() -> None:
    found = _answers(_scenario("validate: {parameters: [querystring.q]}"))
    assert found == {"GET MISSING_PARAMETERS": 1.0, "POST SERVED": 1.0}


def test_a_parameter_that_is_sent_is_there() -> None:
    asked = "validate: {parameters: [querystring.q, path.id, header.Authorization]}"
    sent = "values: {querystring.q: {uniform: 3}, header.authorization: {uniform: 9}}"
    assert _answers(_scenario(asked, sent=sent)) == {"GET SERVED": 1.0, "POST SERVED": 1.0}


def test_parameters_are_missing_independently_of_each_other() -> None:
    asked = "validate: {parameters: [querystring.q, header.h]}"
    scenario = _scenario(asked, sent="missing: {querystring.q: 20%, header.h: 50%}")
    assert lacking_share(
        scenario.apis["a"].routes["GET /x/{id}"], scenario.traffic["web"]
    ) == pytest.approx(1 - 0.8 * 0.5)
    found = _answers(scenario)
    # 5,000 calls of the route: five standard deviations are 0.035.
    assert found["GET MISSING_PARAMETERS"] == pytest.approx(0.6, abs=0.035)
    # Power: one of the two forgotten, or both taken for one another's, would be seen.
    for wrong in (0.2, 0.5, 0.7, 0.1):
        assert found["GET MISSING_PARAMETERS"] != pytest.approx(wrong, abs=0.035)
    assert found["POST SERVED"] == 1.0


def test_bodies_are_validated_by_their_weights() -> None:
    asked = "validate: {body: {schema: {type: object, required: [name]}}}"
    bodies = "bodies: {POST /y: [{weight: 3, json: {name: x}}, {json: {nam: x}}]}"
    found = _answers(_scenario(of_post=asked, sent=bodies))
    assert found["POST INVALID_BODY"] == pytest.approx(0.25, abs=0.031)
    assert found["GET SERVED"] == 1.0


def test_a_share_of_rejections_needs_no_reason() -> None:
    assert _answers(_scenario(of_post="validate: {reject: 100%}"))["POST INVALID_BODY"] == 1.0


def test_what_is_refused_never_reaches_the_integration_and_is_not_cached() -> None:
    more = "    stage: {cache_max_entries: 9}"
    asked = "validate: {parameters: [querystring.q]}, cache: {keys: []}"
    result = run(lowered(_scenario(asked, more=more)), "compiled")
    rows = result.rows[result.rows["answer"] == Answer.MISSING_PARAMETERS]
    assert len(rows)
    assert (rows["integration_ns"] == -1).all()
    assert not result.result.caches["entries"].any()


#: Bodies and whether they fit, written out by hand from the draft 4 texts.
_FITTING: list[tuple[dict[str, Any], Any, bool]] = [
    ({"type": "object", "required": ["a"]}, {"a": 1}, True),
    ({"type": "object", "required": ["a"]}, {"b": 1}, False),
    ({"type": "integer"}, 1, True),
    ({"type": "integer"}, 1.5, False),
    ({"type": "integer"}, True, False),
    ({"minimum": 5, "exclusiveMinimum": True}, 5, False),  # a flag in draft 4
    ({"minimum": 5}, 5, True),
    ({"enum": ["a", "b"]}, "c", False),
    ({"pattern": "^a+$"}, "aaa", True),
    ({"additionalProperties": False, "properties": {"a": {}}}, {"b": 1}, False),
    ({"const": 1}, 2, True),  # not a keyword of draft 4
    ({"items": {"type": "string"}, "minItems": 1}, [], False),
    ({"definitions": {"n": {"type": "null"}}, "$ref": "#/definitions/n"}, 1, False),
]


@pytest.mark.parametrize(("schema", "body", "fits"), _FITTING)
def test_a_body_fits_its_model_as_draft_4_says(
    schema: dict[str, Any], body: Any, fits: bool
) -> None:
    model = BodyModel.model_validate({"schema": schema})
    assert BodySample.model_validate({"json": body}).fits(model) is fits


@pytest.mark.parametrize(
    ("sample", "fits"),
    [
        ({"text": '{"name": "x"}'}, True),
        ({"text": "{"}, False),
        ({"text": "{", "content_type": "text/plain"}, True),  # no model for that type
        ({"text": "{", "content_type": "Application/JSON; charset=utf-8"}, False),
        ({"text": ""}, False),  # a body that is missing counts as {}
        ({"text": "[" * 100_000}, False),
    ],
)
def test_only_json_is_validated(sample: dict[str, Any], fits: bool) -> None:
    model = BodyModel.model_validate({"schema": {"required": ["name"], "type": "object"}})
    assert BodySample.model_validate(sample).fits(model) is fits


def test_the_share_of_invalid_bodies_is_exact() -> None:
    model = BodyModel.model_validate({"schema": {"type": "object"}})
    samples = [
        BodySample.model_validate({"weight": weight, "json": body})
        for weight, body in [(1, 1), (2, {}), (4, "x")]
    ]
    assert invalid_share(model, samples) == 5 / 7


def test_files_are_read_where_the_scenario_is(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"type": "object", "required": ["a"]}')
    (tmp_path / "body.json").write_text('{"b": 1}')
    asked = "validate: {body: {schema: model.json}}"
    sent = "bodies: {POST /y: [{file: body.json}]}"
    text = _TEXT.format(type="rest", mock="mock", of_get="", of_post=asked, sent=sent, more="")
    scenario = loads(text, base=tmp_path)
    assert _answers(scenario)["POST INVALID_BODY"] == 1.0
    assert loads(scenario.to_yaml()) == scenario


def test_a_log_says_which_parameters_were_sent(tmp_path: Path) -> None:
    rows = ["0,c,GET,/x/1?q=1,200,5", "1,c,GET,/x/1?q=%20&q=,200,5", "2,c,GET,/x/1,200,5"]
    (tmp_path / "log.csv").write_text(
        "\n".join(["timestamp_s,client,method,path,status,bytes", *rows, ""])
    )
    text = """
apisim: 1
apis:
  a:
    type: rest
    routes:
      GET /x/{id}:
        integration: {type: mock}
        validate: {parameters: [querystring.q, path.id, header.h]}
traffic: {log: {trace: {file: log.csv}}}
"""
    answers = run(lowered(loads(text, base=tmp_path)), "compiled").rows["answer"].tolist()
    assert answers == [Answer.SERVED, Answer.MISSING_PARAMETERS, Answer.MISSING_PARAMETERS]


@pytest.mark.parametrize(
    ("of_post", "sent", "said"),
    [
        ("validate: {}", "", "asks for nothing"),
        ("validate: {reject: 1%, parameters: [querystring.q]}", "", "exclude each other"),
        ("validate: {parameters: [querystring.q, querystring.q]}", "", "is given twice"),
        ("validate: {parameters: [path.id]}", "", "has no parameter id"),
        ("validate: {body: {schema: {type: thing}}}", "", "is not a JSON Schema of draft 4"),
        ("validate: {body: {schema: 7}}", "", "must be a JSON Schema"),
        ("validate: {body: {schema: none.json}}", "", "does not exist"),
        ("", "missing: {querystring.q: 1%}", "no route of the mix requires querystring.q"),
        ("", "missing: {path.id: 1%}", "would be another route's"),
        ("", "bodies: {POST /y: [{json: {}}]}", "has a model of its body"),
        ("", "bodies: {POST /z: [{json: {}}]}", "is no line of the mix"),
        (
            "validate: {body: {schema: {$ref: 'https://example.com/s.json'}}}",
            "bodies: {POST /y: [{json: {}}]}",
            "which is not inside it",
        ),
        (
            "validate: {body: {schema: {type: object}}}",
            "bodies: {POST /y: [{json: {}, weight: 0}]}",
            "all weights are 0",
        ),
        (
            "validate: {body: {schema: {type: object}}}",
            "bodies: {POST /y: [{json: {}, text: x}]}",
            "a sample is one body",
        ),
    ],
)
def test_validators_that_cannot_be_are_refused(of_post: str, sent: str, said: str) -> None:
    with pytest.raises(ScenarioError) as found:
        _scenario(of_post=of_post, sent=sent)
    assert said in str(found.value)


def test_http_apis_have_no_validation() -> None:
    more = "endpoints: {e: {servers: 1, service_time: 1ms}}"
    with pytest.raises(ScenarioError, match=r"HTTP APIs have no request validation.*type: rest"):
        _scenario(of_post="validate: {reject: 1%}", kind="http", more=more)


@pytest.mark.parametrize(
    "schema", [{"patternProperties": {"(": {}}}, {"$ref": 3}, {"$ref": "#/foo", "foo": 3}]
)
def test_a_model_that_cannot_be_applied_is_the_users_error(schema: dict[str, Any]) -> None:
    with pytest.raises((UnitError, ValidationError, ScenarioError)):
        BodySample.model_validate({"json": {"a": 1}}).fits(
            BodyModel.model_validate({"schema": schema})
        )


@pytest.mark.parametrize("written", ["NaN", "-Infinity", '{"a": Infinity}'])
def test_what_is_no_number_of_json_is_no_json(written: str) -> None:
    model = BodyModel.model_validate({"schema": {"multipleOf": 2}})
    assert not BodySample.model_validate({"text": written}).fits(model)


@pytest.mark.parametrize(("keys", "answer"), [("true", "SERVED"), ("false", "MISSING_PARAMETERS")])
def test_customers_with_keys_send_them(keys: str, answer: str) -> None:
    more = f"populations: {{p: {{count: 3, key_each: {keys}}}}}"
    asked = "validate: {parameters: [header.x-api-key]}"
    assert _answers(_scenario(of_post=asked, sent="of: p", more=more))[f"POST {answer}"] == 1.0
