"""Records: shorthands, and what they refuse."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from seatrial.core.case import Case, Expected
from seatrial.core.output import Output
from seatrial.core.record import Record, lazy
from seatrial.core.suite import RubricSpec, Suite

SHORTHANDS = [
    pytest.param("Paris", {"answers": ("Paris",)}, id="text"),
    pytest.param(18, {"answers": (18,)}, id="number"),
    pytest.param(["a", "b"], {"answers": ("a", "b")}, id="several"),
    pytest.param({"answer": {"total": 3}}, {"answers": ({"total": 3},)}, id="one-json-answer"),
    pytest.param({"answer": [1, 2]}, {"answers": ([1, 2],)}, id="one-answer-that-is-a-list"),
    pytest.param({"behaviour": "refuse"}, {"behaviour": "refuse"}, id="behaviour"),
    pytest.param({"choice": "B", "choices": ["A", "B"]}, {"choice": ("B",), "choices": ("A", "B")}, id="choice"),
]


@pytest.mark.parametrize(("written", "fields"), SHORTHANDS)
def test_expected_may_be_written_short(written, fields):
    expected = Case.model_validate({"id": "a", "input": "q", "expected": written}).expected
    assert expected == Expected.model_validate(fields)


def test_one_call_sequence_or_alternatives():
    call = {"name": "f", "arguments": {"a": [1, 2]}}
    one = Expected.model_validate({"tool_calls": [call]})
    assert one.tool_calls is not None
    assert one == Expected.model_validate({"tool_calls": [[call]]})
    assert len(Expected.model_validate({"tool_calls": [[call], []]}).tool_calls or ()) == 2
    assert Expected.model_validate({"tool_calls": []}).tool_calls == ((),)  # no call may be made


REFUSED = [
    pytest.param({"id": "", "input": "q"}, "id", id="empty-id"),
    pytest.param({"input": "q"}, "id", id="no-id"),
    pytest.param({"id": "a", "input": []}, "input", id="no-message"),
    pytest.param({"id": "a", "input": "q", "expect": 1}, "expect", id="unknown-key"),
    pytest.param({"id": "a", "input": "q", "weight": 0}, "weight", id="weight-zero"),
    pytest.param({"id": "a", "input": "q", "weight": float("nan")}, "weight", id="weight-nan"),
    pytest.param({"id": "a", "input": "q", "created_at": "soon"}, "created_at", id="bad-date"),
    pytest.param({"id": "a", "input": 5}, "input", id="input-number"),
    pytest.param({"id": 5, "input": "q"}, "id", id="id-number"),
    pytest.param({"id": "a", "input": [{"role": "robot", "content": "x"}]}, "role", id="bad-role"),
]


@pytest.mark.parametrize(("row", "field"), REFUSED)
def test_a_bad_case_is_refused(row, field):
    with pytest.raises(ValidationError, match=field):
        Case.model_validate(row)


def test_strata_are_text():
    case = Case.model_validate({"id": "a", "input": "q", "strata": {"vip": True, "tier": 2, "none": None}})
    assert case.strata == {"vip": "true", "tier": "2"}


RUBRICS = [
    pytest.param({"kind": "gate"}, "limit_points", id="gate-without-limit"),
    pytest.param({"kind": "limit"}, "at_most", id="limit-without-bound"),
    pytest.param({"kind": "limit", "at_most": 1, "at_most_ratio": 2}, "either", id="limit-with-both"),
    pytest.param({"kind": "gate", "limit_points": 1, "margin_points": 3}, "margin_points", id="margin-on-a-gate"),
    pytest.param({"limit_points": 1}, "limit_points", id="limit-on-quality"),
    pytest.param({"margin_points": -1}, "margin_points", id="negative-margin"),
]


@pytest.mark.parametrize(("fields", "word"), RUBRICS)
def test_a_rubric_must_fit_its_kind(fields, word):
    with pytest.raises(ValidationError, match=word):
        RubricSpec.model_validate({"name": "r", "scorer": "exact", **fields})


def suite(**changes: object) -> dict[str, object]:
    return {
        "name": "s",
        "dataset": {"path": "c.jsonl"},
        "targets": {"a": {"use": "python:m:f"}, "b": {"use": "python:m:g"}},
        "incumbent": "a",
        "rubrics": [{"name": "r", "scorer": "exact"}],
        **changes,
    }


def test_a_suite_knows_its_candidates_and_margins():
    made = Suite.model_validate(suite(policy={"margin_points": 2}))
    assert made.candidates == ("b",)
    assert made.margin(made.rubrics[0]) == 0.02


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"incumbent": "c"}, "names no target"),
        ({"incumbent": None}, "need an incumbent"),
        ({"rubrics": [{"name": "r", "scorer": "exact"}] * 2}, "two rubrics"),
        ({"rubrics": []}, "rubrics"),
        ({"targets": {}}, "targets"),
        ({"targets": {"a": {"use": "openai"}}}, "adapter:object"),
        ({"dataset": {"path": ""}}, "path"),
        ({"rubrics": [{"name": "r", "scorer": ""}]}, "scorer"),
    ],
)
def test_a_suite_must_fit_together(change, word):
    with pytest.raises(ValidationError, match=word):
        Suite.model_validate(suite(**change))


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()))
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(_VALUES)
@example({"a": [2**70, float("nan"), -0.0, 1e-7, "\ud800 é \0 \u2028"], "": {}})
def test_an_answer_that_is_no_text_is_accepted_as_the_json_that_the_standard_library_writes(value):
    (text,) = Expected.model_validate({"answer": value}).texts
    assert text == (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def test_an_answer_within_itself_or_too_deep_has_no_text():
    inside: dict[str, object] = {}
    inside["again"] = inside
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for value, fault in ((inside, ValueError), (deep, RecursionError), ({"a": {1, 2}}, TypeError)):
        with pytest.raises(fault):
            _ = Expected.model_construct(answers=(value,)).texts


def test_a_lazy_value_is_worked_out_once_and_is_no_field():
    asked: list[str] = []

    class Name(Record):
        first: str

        @lazy
        def long(self) -> str:
            asked.append(self.first)
            return f"{self.first} of Harbour Street"

    name = Name(first="Anna")
    assert (name.long, name.long, asked) == ("Anna of Harbour Street", "Anna of Harbour Street", ["Anna"])
    assert name == Name(first="Anna")
    assert name.plain() == {"first": "Anna"}
    assert isinstance(Name.long, lazy)
    assert Output.of("yes").text == "yes"
