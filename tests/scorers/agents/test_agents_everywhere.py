"""Trace scorers on hostile outputs, at once, and on outputs rebuilt from stored bytes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from seatrial.core.case import Case
from seatrial.core.identity import encode, loads
from seatrial.core.message import ToolCall
from seatrial.core.output import Output
from seatrial.scorers import build, judge

EXPECTED: dict[str, Any] = {
    "tool_calls": [[{"name": "f", "arguments": {"x": [1, {"a": [1, 2]}]}}, {"name": "g"}]],
    "trajectory": [{"kind": "tool", "name": "f", "input": {"x": 1}}, {"kind": "message"}],
    "state": {"must": {"/orders/*/status": "done"}, "must_not": ["/kept"], "may": ["/log"]},
}
CASE = Case.model_validate(
    {
        "id": "1",
        "input": "go",
        "expected": EXPECTED,
        "tools": [{"name": "f"}, {"name": "g"}],
        "metadata": {"state": {"orders": {"1": {"status": "open"}}, "kept": 1}},
    }
)
SCORERS = {
    "efficiency": {},
    "forbidden_calls": {"names": "x*", "when": {"f": {"required": ["y"]}}, "undeclared": True},
    "loops": {},
    "recovery": {},
    "redundant_steps": {},
    "state": {},
    "task_completion": {},
    "tool_arguments": {"strings": "normalized", "abs": 0.1, "compare": {"x": "set"}},
    "tool_calls": {},
    "tool_f1": {},
    "tool_order": {"order": "exact", "kinds": "all"},
    "unnecessary_calls": {},
}

MB = 1_000_000
NASTY_TEXT = {
    "null bytes": "\0" * 100,
    "lone surrogates": "\ud800x\udfff",
    "right to left": "\u202e1x \u05d0\u05d1",
    "long": "a" * MB,
    "errors": "Error" * (MB // 5),
    "words": "error no if you " * (MB // 16),
    "traceback": "[(<*" * (MB // 4),
    "braces": "{" * MB,
    "deep": "[" * 10_000 + "]" * 10_000,
    "NaN": '{"error": NaN}',
    "dots": "a." * (MB // 2),
    "spaces": " " * MB + "x",
}


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"x": [value]}
    return value


VALUES = [
    None,
    True,
    1,
    2**63,
    10**5000,
    1.5,
    "text",
    [],
    {},
    [1, [2]],
    {"x": None},
    {"x": {"y": [1]}},
    nested(450),
    {"": {"": 0}},
]


def outputs():
    for name, text in NASTY_TEXT.items():
        call = ToolCall(name=text[:2000], arguments={"x": text}, id="1")
        messages = [
            {"role": "assistant", "content": text, "tool_calls": [call, call]},
            {"role": "tool", "tool_call_id": "1", "content": text},
            {"role": "assistant", "content": text + "\nend"},
        ]
        yield pytest.param({"messages": messages, "state": {"orders": {text[:50]: text[:50]}}}, id=name)
    for value in VALUES:
        steps = [
            {"kind": "tool", "name": "f", "input": value, "output": value},
            {"kind": "tool", "name": "f", "input": value, "error": "no"},
            {"kind": "tool_result", "output": value},
            {"kind": "", "name": "", "input": value},
        ]
        messages = [{"role": "assistant", "tool_calls": [{"name": "f", "arguments": value}]}]
        shown = str(value)[:20] if not isinstance(value, int) or value < 2**64 else "huge"
        yield pytest.param({"steps": steps, "messages": messages, "state": {"orders": value}}, id=f"value {shown}")
    many = [
        {"kind": "tool", "name": "fg"[i % 2], "input": {"x": i}, "error": "no" if i % 3 else ""} for i in range(300)
    ]
    yield pytest.param({"steps": many, "state": {}}, id="many steps")
    yield pytest.param({"state": {}}, id="state alone")


@pytest.mark.parametrize("fields", [*outputs()])
def test_hostile_outputs_get_a_typed_status(fields):
    output = Output.model_validate(fields)
    for name, settings in SCORERS.items():
        score = asyncio.run(judge(build(name, settings, Path()), CASE.view(), output))
        assert score.status == "scored", (name, score.reason)
        assert score.value is not None
        assert 0 <= score.value <= 1
        encode(score.plain())


@pytest.mark.parametrize("name", SCORERS)
def test_an_empty_output_never_passes(name):
    scorer = build(name, SCORERS[name], Path())
    for output in (Output(), Output.of(""), Output.of(" \n")):
        score = asyncio.run(judge(scorer, CASE.view(), output))
        assert (score.status, score.passed) == ("model_failure", False)


TRACE = {
    "steps": [
        {"kind": "thought", "output": "first f"},
        {"kind": "tool", "name": "f", "input": {"x": 1}, "output": {"ok": True}},
        {"kind": "tool", "name": "g", "input": {}, "error": "timed out"},
        {"kind": "tool", "name": "g", "input": {}, "output": "fine"},
    ],
    "messages": [{"role": "assistant", "content": "Both are done; g failed once."}],
    "state": {"orders": {"1": {"status": "done"}}, "kept": 1, "log": ["\ud800", 1.0]},
}


@pytest.mark.parametrize("name", SCORERS)
def test_an_output_rebuilt_from_stored_bytes_scores_the_same(name):
    scorer = build(name, SCORERS[name], Path())
    output = Output.model_validate(TRACE)
    stored = Output.model_validate(loads(encode(output.recorded)))
    case = Case.kept(loads(encode(CASE.recorded)), CASE.view_hash, CASE.input_hash)
    first = asyncio.run(judge(scorer, CASE.view(), output))
    assert asyncio.run(judge(scorer, case.view(), stored)) == first
    assert first.status == "scored"
    assert json.dumps(first.plain())


def test_a_good_trace_is_good_by_all_of_them():
    output = Output.model_validate(TRACE)
    for name in ("task_completion", "state", "recovery", "loops", "redundant_steps"):
        score = asyncio.run(judge(build(name, {}, Path()), CASE.view(), output))
        assert (name, score.passed) == (name, True), score
    assert asyncio.run(judge(build("tool_f1", {}, Path()), CASE.view(), output)).value == pytest.approx(4 / 5)


def test_they_are_safe_to_call_at_once():
    async def run() -> list[Any]:
        made = [build(name, settings, Path()) for name, settings in SCORERS.items()]
        output = Output.model_validate(TRACE)
        return await asyncio.gather(*(judge(scorer, CASE.view(), output) for scorer in made for _ in range(50)))

    found = asyncio.run(run())
    assert all(
        len({json.dumps(s.plain(), sort_keys=True) for s in found[i : i + 50]}) == 1 for i in range(0, len(found), 50)
    )


@pytest.mark.parametrize("name", SCORERS)
def test_reasons_are_short_and_printable(name):
    nasty = "\x1b[31m\ud800\n" * 500
    call = {"kind": "tool", "name": nasty, "input": {nasty: nasty}, "output": nasty, "error": nasty}
    output = Output.model_validate({"steps": [call] * 4, "state": {"orders": {nasty: {"status": nasty}}}})
    score = asyncio.run(judge(build(name, SCORERS[name], Path()), CASE.view(), output))
    assert score.reason.isprintable()
    assert len(score.reason) < 1000
    assert len(encode(score.plain())) < 100_000
