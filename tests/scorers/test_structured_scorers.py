from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import ScorerConfigError
from seatrial.scorers import build, scorer_hash
from seatrial.scorers.describe import describe

INVOICE = {
    "type": "object",
    "properties": {"total": {"type": "number", "minimum": 0}, "day": {"type": "string", "format": "date"}},
    "required": ["total"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("settings", "text", "passed"),
    [
        pytest.param({}, '{"a": [1, 2.5, null, "x"]}', True, id="object"),
        pytest.param({}, " 5 ", True, id="scalar"),
        pytest.param({}, "", None, id="empty"),
        pytest.param({}, "{'a': 1}", False, id="single quotes"),
        pytest.param({}, '{"a": 1,}', False, id="trailing comma"),
        pytest.param({}, "NaN", False, id="NaN"),
        pytest.param({}, '{"a": Infinity}', False, id="Infinity"),
        pytest.param({}, '{"a": 1} done', False, id="prose"),
        pytest.param({}, '{"a": "\\ud800"}', True, id="lone surrogate escape"),
        pytest.param({}, str(2**70), True, id="huge integer"),
        pytest.param({}, "9" * 5000, False, id="number of 5,000 digits"),
        pytest.param({}, "[" * 900 + "]" * 900, True, id="900 levels"),
        pytest.param({}, "[" * 10_000 + "]" * 10_000, False, id="10,000 levels"),
        pytest.param({}, "```json\n{}\n```", False, id="fence refused"),
        pytest.param({"fenced": True}, "```json\n{}\n```\n", True, id="fence allowed"),
        pytest.param({"fenced": True}, "Here:\n```json\n{}\n```", False, id="prose before the fence"),
        pytest.param({"fenced": True}, "```\n{}\n```\n```\n{}\n```", False, id="two fences"),
        pytest.param({"fenced": True}, "{}", True, id="no fence"),
        pytest.param({"kind": "object"}, "[]", False, id="kind"),
        pytest.param({"kind": "array"}, "[]", True, id="array"),
    ],
)
def test_json_valid(judged, settings, text, passed):
    score = judged("json_valid", settings, text)
    assert (score.status, bool(score.passed)) == ("model_failure" if passed is None else "scored", bool(passed)), score


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists))
def test_what_python_writes_is_json(judged, value):
    assert judged("json_valid", {}, json.dumps(value)).passed


@pytest.mark.parametrize(
    ("text", "passed", "path"),
    [
        ('{"total": 5, "day": "2026-03-01"}', True, ""),
        ('{"total": -1}', False, "field:total"),
        ('{"total": "5"}', False, "field:total"),
        ("{}", False, "field:"),
        ('{"total": 5, "day": "soon"}', False, "field:day"),
        ('{"total": 5, "\\ud800": 1}', False, "field:"),
        ('{"total": 1e999}', False, "field:total"),
        ("[]", False, "field:"),
        ("oops", False, None),
    ],
)
def test_json_schema(judged, text, passed, path):
    score = judged("json_schema", {"schema": INVOICE}, text)
    assert (score.status, score.passed) == ("scored", passed), score
    if not passed and path is not None:
        assert score.evidence[0].where == path


def test_violations_are_bounded(judged):
    score = judged("json_schema", {"schema": {"items": {"type": "string"}}, "max_errors": 3}, json.dumps([1] * 1000))
    assert len(score.evidence) == 3


def test_the_schema_may_lie_beside_the_suite_and_its_content_counts(tmp_path):
    (tmp_path / "one.json").write_text(json.dumps(INVOICE), "utf-8")
    (tmp_path / "two.json").write_text(json.dumps(INVOICE, indent=2), "utf-8")
    hashes = {scorer_hash(build("json_schema", {"file": name}, tmp_path)) for name in ("one.json", "two.json")}
    assert hashes == {scorer_hash(build("json_schema", {"schema": INVOICE}, Path()))}
    (tmp_path / "one.json").write_text('{"type": "array"}', "utf-8")
    assert scorer_hash(build("json_schema", {"file": "one.json"}, tmp_path)) not in hashes


def test_the_two_ways_to_give_a_schema_are_told_as_such():
    told = {one["name"]: one for one in describe("json_schema")["settings"]}
    assert (told["schema"]["instead"], told["file"]["instead"]) == ("file", "schema")
    assert "schema (mapping | boolean, this or file)" in describe("json_schema")["text"]
    assert "file (text, this or schema)" in describe("json_schema")["text"]
    assert [one["name"] for one in describe("numeric")["settings"] if "instead" in one] == []


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"file": "missing.json"}, "cannot be read"),
        ({"file": "broken.json"}, "cannot be read"),
        ({"file": 5}, "must name a file"),
        ({"file": "broken.json", "schema": {}}, "not both"),
        ({}, "schema: is required, or file in its place"),
        ({"fil": "one.json"}, "fil: is no setting; did you mean 'file'?"),
        ({"schema": {"type": "strin"}}, "no usable JSON Schema"),
        ({"schema": {"$ref": "http://127.0.0.1:9/schema.json"}}, "switched off"),
        ({"schema": {"$ref": "file:///etc/passwd"}}, "switched off"),
        ({"schema": {"$ref": "other.json"}}, "no usable JSON Schema"),
        ({"schema": {"pattern": "("}}, "no usable JSON Schema"),
        ({"schema": 5}, "schema"),
    ],
)
def test_bad_schemas(tmp_path, settings, rule, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    (tmp_path / "broken.json").write_text("{", "utf-8")
    with pytest.raises(ScorerConfigError) as caught:
        build("json_schema", settings, tmp_path)
    assert rule in str(caught.value)


def test_no_pattern_runs_away(judged):
    score = judged("json_schema", {"schema": {"pattern": "^(a+)+$"}}, json.dumps("a" * 50_000 + "!"))
    assert score.passed is False
