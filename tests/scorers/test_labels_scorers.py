from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import ScorerConfigError
from seatrial.scorers import build
from seatrial.scorers.answers.labels import mentions, pick

LABELS = ["refund", "exchange", "not a complaint"]


@pytest.mark.parametrize(
    ("settings", "text", "passed", "reason"),
    [
        pytest.param({}, " Refund.\n", True, "'Refund'", id="whole"),
        pytest.param({}, "**`refund`**", True, "", id="emphasis"),
        pytest.param({}, "“refund”", True, "", id="quotes"),
        pytest.param({}, "It is a refund", False, "not valid", id="whole: prose"),
        pytest.param({}, "exchange", False, "expected 'refund'", id="another valid label"),
        pytest.param({}, "return", False, "'return' is not valid", id="invalid label"),
        pytest.param({"ignore_case": False}, "Refund", False, "not valid", id="case"),
        pytest.param({"labels": []}, "Refund", True, "", id="no list of labels"),
        pytest.param({"labels": []}, "anything", False, "expected", id="no list, wrong"),
        pytest.param({"extract": "last_line"}, "I think…\nrefund\n\n", True, "", id="last line"),
        pytest.param({"extract": "last_line"}, "refund\nbecause", False, "not valid", id="last line: not there"),
        pytest.param({"extract": "marker"}, "Why…\nLabel: refund\nok", True, "", id="marker"),
        pytest.param({"extract": "marker"}, "refund", False, "does not occur", id="marker missing"),
        pytest.param({"extract": "marker"}, "Label:", False, "no label stands there", id="marker without label"),
        pytest.param({"extract": "marker", "marker": "=>"}, "x => refund", True, "", id="own marker"),
        pytest.param({"extract": "field"}, '{"label": "Refund"}', True, "", id="field"),
        pytest.param({"extract": "field", "field": "a.b"}, '{"a": {"b": "refund"}}', True, "", id="nested field"),
        pytest.param({"extract": "field"}, '{"label": null}', False, "is no text", id="field null"),
        pytest.param({"extract": "field"}, '{"label": ["refund"]}', False, "is no text", id="field list"),
        pytest.param({"extract": "field"}, "{}", False, "is missing", id="field missing"),
        pytest.param({"extract": "field"}, "refund", False, "no JSON object", id="field: no JSON"),
        pytest.param({"extract": "mention"}, "So: a REFUND, please", True, "", id="mention"),
        pytest.param({"extract": "mention"}, "refund, or exchange", False, "ambiguous", id="mention: two"),
        pytest.param(
            {"extract": "mention"}, "refunded", False, "mentions no valid label", id="mention: part of a word"
        ),
        pytest.param({"extract": "mention"}, "refund refund", True, "", id="mention: twice the same"),
        pytest.param({"extract": "mention"}, "not  a\ncomplaint", False, "expected 'refund'", id="mention: spacing"),
    ],
)
def test_label(judged, settings, text, passed, reason):
    score = judged("label", {"labels": LABELS, **settings}, text, "refund")
    assert (score.status, score.passed) == ("scored", passed), score
    assert reason in score.reason


def test_an_invalid_label_is_flagged_in_the_evidence(judged):
    assert judged("label", {"labels": LABELS}, "return", "refund").evidence[0].note == "not a valid label"
    assert judged("label", {"labels": LABELS}, "exchange", "refund").evidence[0].note == ""


@pytest.mark.parametrize(
    ("expected", "why"), [(None, "no expected answers"), ("return", "none of the valid"), ("", "blank")]
)
def test_label_not_applicable(judged, expected, why):
    score = judged("label", {"labels": LABELS}, "refund", expected)
    assert score.status == "not_applicable"
    assert why in score.reason


@pytest.mark.parametrize(
    "settings",
    [{"labels": ["a", "A"]}, {"labels": [" "]}, {"extract": "mention"}, {"marker": " "}, {"extract": "somehow"}],
)
def test_bad_label_settings(settings):
    with pytest.raises(ScorerConfigError):
        build("label", settings, Path())


OPTIONS = ["Paris", "Rome", "A loaf of bread", "Paris, Texas"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("B", {1}), ("b.", {1}), ("(b)", {1}), ("**B)**", {1}), ("Rome", {1}), ("rome!", {1}),
        ("Answer: B", {1}), ("The answer is (B).", {1}), ("answer is Rome", {1}), ("Answer: B) Rome", {1}),
        (r"\boxed{B}", {1}), ("Final answer:\n\nB", {1}), ("Answer: B. Paris", {0, 1}), ("Answer: A or B", {0, 1}),
        ("Answer: A loaf of bread", {2}), ("Answer: A", {0}), ("The answer is a loaf of bread.", {2}),
        ("First A seems right.\nAnswer: B", {1}), ("Answer: A\nNo, answer: B", {1}),
        ("B) Rome\nbecause it is old", {1}), ("It is old.\n(B) Rome", {1}), ("A) is wrong.\nB) is right.", {0, 1}),
        ("I would say Rome.", {1}), ("Paris or Rome", {0, 1}),
        ("in Paris, Texas", {3}), ("It must be (B), surely", {1}),
        ("(A) or (B)", {0, 1}), ("A dog barks", set()), ("I think so", set()), ("Z", set()), ("Romeo", set()),
        ("", set()),
        ("none of them", set()),
    ],
)  # fmt: skip
def test_picking_an_option(text, found):
    assert pick(text, OPTIONS).options == found


@pytest.mark.parametrize(
    ("settings", "choice", "text", "passed", "reason"),
    [
        pytest.param({}, "B", "Answer: B", True, "picks B", id="letter"),
        pytest.param({}, "Rome", "b", True, "picks B", id="text expected, letter given"),
        pytest.param({}, "B", "A or B", False, "ambiguous", id="ambiguous"),
        pytest.param({}, ["A", "B"], "Rome", True, "", id="either is right"),
        pytest.param({}, ["A", "B"], "Answer: A and B", False, "ambiguous", id="both is not one"),
        pytest.param({}, "B", "no idea", False, "names no option", id="none"),
        pytest.param({"pick": "all"}, ["A", "B"], "A, B", True, "", id="all: listed"),
        pytest.param({"pick": "all"}, ["A", "B"], "Answer: B and A", True, "", id="all: marker"),
        pytest.param({"pick": "all"}, ["A", "B"], "A) Paris\nB) Rome", True, "", id="all: lines"),
        pytest.param({"pick": "all"}, ["A", "B"], "A", False, "expected A, B", id="all: one of two"),
        pytest.param({"pick": "all"}, ["A"], "A, B", False, "expected A", id="all: one too many"),
    ],
)
def test_choice(judged, settings, choice, text, passed, reason):
    score = judged("choice", settings, text, {"choices": OPTIONS, "choice": choice})
    assert (score.status, score.passed) == ("scored", passed), score
    assert reason in score.reason


def test_options_that_are_letters_are_known_by_their_text(judged):
    assert judged("choice", {}, "A", {"choices": ["B", "A"], "choice": "A"}).passed


def test_letters_alone_are_enough(judged):
    assert judged("choice", {}, "Answer: D", {"choice": "D"}).passed
    assert not judged("choice", {}, "Answer: C", {"choice": "D"}).passed


@pytest.mark.parametrize("expected", [None, {"choices": OPTIONS}, {"choices": OPTIONS, "choice": "Q"}, {"choice": "7"}])
def test_choice_not_applicable(judged, expected):
    assert judged("choice", {}, "A", expected).status == "not_applicable"


@given(st.lists(st.text("abc ", min_size=1, max_size=4).filter(str.strip), min_size=1, max_size=4), st.text("abc ,"))
def test_a_name_is_mentioned_only_where_it_stands(names, text):
    squeezed = " ".join(text.split())
    assert all(" ".join(names[i].split()) in squeezed for i in mentions(text, names))


@given(st.integers(0, 3))
def test_every_option_is_picked_by_letter_and_by_text(index):
    for text in (OPTIONS[index], f"Answer: {'ABCD'[index]}", f"({'abcd'[index]})"):
        assert pick(text, OPTIONS).options == {index}
