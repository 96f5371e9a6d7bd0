"""Forbidden and unnecessary calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.core.output import Output
from seatrial.errors import ScorerConfigError
from seatrial.scorers import build

BIG = {"refund": {"properties": {"amount": {"exclusiveMinimum": 100}}, "required": ["amount"]}}


def steps(*made):
    return Output.model_validate({"steps": [{"kind": "tool", "name": n, "input": a} for n, a in made]})


FORBIDDEN = {
    "none called": ({"names": "delete_*"}, [("get", {})], True),
    "called": ({"names": "delete_*"}, [("get", {}), ("delete_user", {})], False),
    "a name that only begins so": ({"names": "delete"}, [("delete_user", {})], True),
    "small refund": ({"when": BIG}, [("refund", {"amount": 100})], True),
    "big refund": ({"when": BIG}, [("refund", {"amount": 101})], False),
    "refund of nothing stated": ({"when": BIG}, [("refund", {})], True),
    "refund that cannot be read": ({"when": BIG}, [("refund", "amount=5000")], False),
    "another tool's amount": ({"when": BIG}, [("pay", {"amount": 101})], True),
    "undeclared": ({"undeclared": True}, [("made_up", {})], False),
    "declared": ({"undeclared": True}, [("get", {})], True),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_forbidden(judged, name):
    settings, made, passed = FORBIDDEN[name]
    score = judged("forbidden_calls", settings, steps(*made), tools=[{"name": "get"}])
    assert (score.status, score.passed) == ("scored", passed)
    assert score.measure == (0 if passed else 1)
    assert passed or score.evidence[0].where.startswith("step:")


def test_a_case_can_forbid(judged):
    output = steps(("refund", {}))
    assert judged("forbidden_calls", {}, output, metadata={"forbidden_calls": ["refund"]}).passed is False
    assert judged("forbidden_calls", {}, output).status == "not_applicable"
    assert judged("forbidden_calls", {"undeclared": True}, output).status == "not_applicable"
    assert judged("forbidden_calls", {}, output, metadata={"forbidden_calls": 5}).status == "not_applicable"


def test_a_schema_that_is_none_is_refused():
    with pytest.raises(ScorerConfigError):
        build("forbidden_calls", {"when": {"refund": {"type": "nonsense"}}}, Path())


def test_allowed_tools_are_never_unnecessary(judged):
    expected = {"tool_calls": [{"name": "refund", "arguments": {"id": [7]}}]}
    output = steps(("get_a", {}), ("get_b", {}), ("refund", {"id": 7}), ("mail", {}))
    assert judged("unnecessary_calls", {}, output, expected).value == 1 / 4
    score = judged("unnecessary_calls", {"allow": "get_*"}, output, expected)
    assert (score.value, score.passed, score.measure) == (3 / 4, False, 1)
    assert judged("unnecessary_calls", {"allow": "get_*", "at_most": 1}, output, expected).passed is True
    assert score.evidence[0].where == "step:3"


def test_names_alone_may_be_compared(judged):
    expected = {"tool_calls": [{"name": "refund", "arguments": {"id": [7]}}]}
    assert judged("unnecessary_calls", {}, steps(("refund", {"id": 8})), expected).value == 0
    assert judged("unnecessary_calls", {"arguments": False}, steps(("refund", {"id": 8})), expected).value == 1
