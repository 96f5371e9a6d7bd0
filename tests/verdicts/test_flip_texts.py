"""How cases and outputs are shown as text, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.verdicts.artefacts.flips import cut, expected_text, input_text, json_text, output_text


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


CALL = {"name": "refund", "arguments": {"order": [7, "7"], "note": []}}

EXPECTED = [
    pytest.param(None, "", id="nothing"),
    pytest.param("yes", "yes", id="text"),
    pytest.param({"answers": ["yes", 4, None]}, "yes | 4 | null", id="several-values"),
    pytest.param({"choice": "B"}, "choice: B", id="choice"),
    pytest.param({"tool_calls": [CALL]}, 'calls: refund(order=7 | "7", note=)', id="call"),
    pytest.param({"tool_calls": [[CALL], []]}, 'calls: refund(order=7 | "7", note=)\ncalls: none', id="two-ways"),
    pytest.param({"behaviour": "refuse"}, "behaviour: refuse", id="behaviour"),
    pytest.param({"state": {"a": 1}}, 'state: {"a": 1}', id="state"),
    pytest.param({"trajectory": [{"kind": "search", "input": "x"}]}, 'step: search  "x"', id="trajectory"),
    pytest.param({"tests": ["assert f(1) == 2"]}, "test: assert f(1) == 2", id="tests"),
    pytest.param({"answer": "\ud800\x00"}, "\ud800\x00", id="lone-surrogate-and-null"),
]


@pytest.mark.parametrize(("expected", "text"), EXPECTED)
def test_what_is_expected_as_text(expected, text):
    assert expected_text(Case.model_validate({"id": "c", "input": "q", "expected": expected})) == text


def test_criteria_are_shown_with_what_is_expected():
    case = Case.model_validate({"id": "c", "input": "q", "expected": "yes", "criteria": ["short", "kind"]})
    assert expected_text(case) == "yes\nshort\nkind"


def test_roles_are_named_where_there_are_several_messages():
    one = Case.model_validate({"id": "c", "input": "hello"})
    two = Case.model_validate(
        {"id": "c", "input": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]}
    )
    assert (input_text(one), input_text(two)) == ("hello", "system: be brief\n\nuser: hello")


def test_blobs_are_named():
    parts = [{"type": "text", "text": "what is this?"}, {"type": "image", "url": "https://example.org/a.png"}]
    case = Case.model_validate({"id": "c", "input": [{"role": "user", "content": parts}]})
    assert input_text(case) == "what is this?\n[image https://example.org/a.png]"


def test_outputs_as_text():
    assert output_text(None) == "(the output is not in the store)"
    assert output_text(Output()) == "(empty)"
    assert output_text(Output.of("x")) == "x"
    failed = Output.model_validate(
        {"failure": {"kind": "infra", "code": "timeout"}, "messages": [{"role": "assistant", "content": "par"}]}
    )
    assert output_text(failed) == "(infra failure: timeout)\n\npar"
    turns = [
        {"role": "assistant", "tool_calls": [{"name": "look_up", "arguments": "not json"}]},
        {"role": "tool", "content": "found"},
        {"role": "assistant", "content": "Done."},
    ]
    said = output_text(Output.model_validate({"messages": turns}))
    assert said == 'assistant: look_up("not json")\n\ntool: found\n\nassistant: Done.'


def test_what_is_too_long_or_too_deep_is_bounded():
    assert len(cut("x" * 1_000_000)) == 4000
    assert json_text(deep(100_000)) == "(nested too deep to show)"
    assert json_text({"n": float("nan"), "big": 2**70}) == '{"n": NaN, "big": 1180591620717411303424}'
