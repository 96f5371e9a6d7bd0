from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import ScorerConfigError
from seatrial.scorers import build
from seatrial.scorers.structured.fields import MISSING, at_path, leaves, read_object

GOLD = {"vendor": {"name": "Acme Corp", "vat": None}, "total": 1250.0, "lines": [1, 2], "paid": True}


def answer(**changes):
    return json.dumps({**copy.deepcopy(GOLD), **changes})


@pytest.mark.parametrize(
    ("settings", "text", "value", "passed"),
    [
        pytest.param({}, answer(), 1.0, True, id="equal"),
        pytest.param({}, answer(vendor={"name": " acme  CORP ", "vat": None}), 1.0, True, id="case and spacing"),
        pytest.param({}, answer(total=1250), 1.0, True, id="int for float"),
        pytest.param({}, answer(total="1250.0"), 0.8, False, id="text for number"),
        pytest.param({}, answer(total=None), 0.8, False, id="null for number"),
        pytest.param({}, answer(paid=1), 0.8, False, id="number for boolean"),
        pytest.param({}, answer(lines=[2, 1]), 0.8, False, id="order of a list"),
        pytest.param({"types": {"lines": "set"}}, answer(lines=[2, 1]), 1.0, True, id="set"),
        pytest.param({"types": {"lines": "set"}}, answer(lines=[2, 2]), 0.8, False, id="set counts"),
        pytest.param({}, answer(vendor={"name": "Acme Corp"}), 1.0, True, id="missing where null is expected"),
        pytest.param({}, answer(vendor=None), 0.8, False, id="parent null"),
        pytest.param({}, answer(vendor="Acme Corp"), 0.8, False, id="parent text"),
        pytest.param({}, answer(vendor=[]), 0.8, False, id="parent list"),
        pytest.param({"fields": ["total"]}, '{"total": 1250}', 1.0, True, id="one field"),
        pytest.param({"fields": ["lines.1"]}, '{"lines": [9, 2]}', 1.0, True, id="list position"),
        pytest.param({"fields": ["lines.1"]}, '{"lines": [9]}', 0.0, False, id="list too short"),
        pytest.param(
            {"types": {"total": {"type": "number", "abs": 0.01}}}, answer(total="1,250.01 EUR"), 1.0, True, id="number"
        ),
        pytest.param({"types": {"total": "number"}}, answer(total=True), 0.8, False, id="boolean is no number"),
        pytest.param({"types": {"paid": "text"}}, answer(paid="TRUE"), 1.0, True, id="text"),
        pytest.param({"types": {"vendor.name": "exact"}}, answer(vendor={"name": "acme corp"}), 0.8, False, id="exact"),
        pytest.param({"threshold": 0.8}, answer(total=1), 0.8, True, id="threshold"),
        pytest.param({"extra": "fail"}, answer(vendor_id=7), 5 / 6, False, id="extra counts"),
        pytest.param({}, answer(vendor_id=7), 1.0, True, id="extra ignored"),
        pytest.param({}, f"Here you are:\n```json\n{answer()}\n```\nBye", 1.0, True, id="code block in prose"),
        pytest.param({}, f"It is {answer()}.", 1.0, True, id="in prose"),
        pytest.param({}, f"{answer()} or {answer(total=1)}", 0.0, False, id="two objects"),
        pytest.param({"find": "whole"}, f"```json\n{answer()}\n```", 0.0, False, id="whole only"),
        pytest.param({"find": "fenced"}, f"```json\n{answer()}\n```", 1.0, True, id="fenced"),
        pytest.param({"find": "fenced"}, f"It is {answer()}", 0.0, False, id="fenced only"),
        pytest.param({}, "[1]", 0.0, False, id="list"),
        pytest.param({}, "null", 0.0, False, id="null"),
        pytest.param({}, "{}", 0.2, False, id="empty object"),
        pytest.param({}, '{"total": NaN}', 0.0, False, id="NaN"),
    ],
)
def test_fields(judged, settings, text, value, passed):
    score = judged("fields", settings, text, {"answer": GOLD})
    assert (score.status, score.passed) == ("scored", passed), score
    assert score.value == pytest.approx(value)


def test_evidence_names_every_field(judged):
    text = json.dumps({"vendor": {"name": "Other"}, "lines": [1, 2], "paid": True, "po": "x"})
    notes = {e.where: (e.note, e.expected, e.found) for e in judged("fields", {}, text, {"answer": GOLD}).evidence}
    assert notes == {
        "field:vendor.name": ("wrong", "Acme Corp", "Other"),
        "field:vendor.vat": ("right", None, None),
        "field:total": ("missing", 1250.0, None),
        "field:lines": ("right", [1, 2], [1, 2]),
        "field:paid": ("right", True, True),
        "field:po": ("extra", None, "x"),
    }


@pytest.mark.parametrize(
    ("rule", "found", "wanted", "good"),
    [
        ("date", "2026-03-01T10:00:00Z", "2026-03-01", True),
        ("date", "2026-03-02", "2026-03-01", False),
        ("date", "March 1", "2026-03-01", False),
        ("date", None, "2026-03-01", False),
        ("date", "soon", "soon", False),
        ("number", "three", 3, False),
        ("number", 10**400, 10**400, True),
        ("set", ["A", "b"], ["B", "a"], True),
        ("set", "ab", ["a", "b"], False),
        ("exact", True, 1, False),
        ("auto", {"a": [1.0, "X"]}, {"a": [1, "x"]}, True),
        ("auto", {"a": 1, "b": 2}, {"a": 1}, False),
        ("text", ["5"], "5", False),
    ],
)
def test_types(judged, rule, found, wanted, good):
    text = json.dumps({"f": found})
    score = judged("fields", {"fields": ["f"], "types": {"f": rule}}, text, {"answer": {"f": wanted}})
    assert (score.status, score.passed) == ("scored", good)


def test_expected_text_that_holds_json_is_read(judged):
    assert judged("fields", {}, '{"a": 1}', '{"a": 1}').passed
    assert judged("fields", {}, '{"a": 1}', {"answers": ['{"a": 2}', '{"a": 1}']}).passed


@pytest.mark.parametrize("expected", [None, "Paris", 5, {"answer": [1]}, {"answer": {}}, {"answer": {"other": 1}}])
def test_a_case_without_the_fields_is_not_applicable(judged, expected):
    assert judged("fields", {"fields": ["total"]}, '{"total": 1}', expected).status == "not_applicable"


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"fields": ["a"], "types": {"b": "number"}}, "which fields does not"),
        ({"types": {"b": "money"}}, "types.b.type"),
        ({"types": {"b": {"type": "number", "tol": 1}}}, "types.b.tol"),
        ({"fields": ["a", "a"]}, "twice"),
        ({"threshold": 0}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"thresold": 0.5}, "did you mean 'threshold'?"),
    ],
)
def test_bad_settings(settings, rule):
    with pytest.raises(ScorerConfigError) as caught:
        build("fields", settings, Path())
    assert rule in str(caught.value)


KEYS = st.text("ab.", min_size=1, max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text("abc", min_size=1, max_size=3), JSON, min_size=1, max_size=4)


@given(OBJECTS)
def test_every_leaf_is_found_at_its_path(value):
    assert all(at_path(value, path) is not MISSING for path in leaves(value))


@given(OBJECTS)
def test_an_object_is_read_from_prose(value):
    assert read_object(f"Sure. {json.dumps(value)} Done.").value == value


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3), min_size=1), st.data())
def test_one_more_right_field_never_lowers_the_score(judged, gold, data):
    given_fields = data.draw(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3)))
    key = data.draw(st.sampled_from(sorted(gold)))
    before = judged("fields", {}, json.dumps({**given_fields, key: 9}), {"answer": gold}).value
    after = judged("fields", {}, json.dumps({**given_fields, key: gold[key]}), {"answer": gold}).value
    assert after > before
