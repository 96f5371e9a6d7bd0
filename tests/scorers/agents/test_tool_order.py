"""The five senses of order, on calls and on whole trajectories."""

from __future__ import annotations

import pytest

from seatrial.core.output import Output

A, B, C = ("a", {}), ("b", {}), ("c", {})
ORDERS = ("exact", "in_order", "any_order", "superset", "subset")

# what was called, against the expected a, b: which orders pass
TABLE = {
    "the same": ("ab", ORDERS),
    "turned round": ("ba", ("any_order", "superset", "subset")),
    "one between": ("acb", ("in_order", "superset")),
    "one before": ("cab", ("in_order", "superset")),
    "one after, turned round": ("bac", ("superset",)),
    "one missing": ("a", ("subset",)),
    "one twice": ("aab", ("in_order", "superset")),
    "only others": ("cc", ()),
    "one and another": ("ac", ()),
    "none": ("", ()),
}


def expected(order=None, calls="ab"):
    made = {"tool_calls": [[{"name": name} for name in calls]]}
    return made if order is None else {**made, "order": order}


def output(names):
    calls = [{"name": name} for name in names]
    return Output.model_validate({"messages": [{"role": "assistant", "content": "So.", "tool_calls": calls}]})


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("order", ORDERS)
def test_each_order_passes_what_it_should(judged, name, order):
    made, passing = TABLE[name]
    score = judged("tool_order", {"order": order}, output(made), expected())
    assert score.passed is (order in passing)
    assert (score.value == 1) is score.passed
    assert judged("tool_order", {}, output(made), expected(order)) == score
    assert score.passed or score.evidence or not made


@pytest.mark.parametrize(
    ("order", "made", "value"),
    [
        ("exact", "acb", 2 / 3),
        ("exact", "ba", 1 / 2),
        ("in_order", "ba", 1 / 2),
        ("any_order", "ac", 1 / 2),
        ("superset", "ac", 1 / 2),
        ("subset", "acc", 1 / 3),
    ],
)
def test_the_value_is_graded(judged, order, made, value):
    assert judged("tool_order", {"order": order}, output(made), expected()).value == pytest.approx(value)


def test_arguments_may_be_left_aside(judged):
    case = {"tool_calls": [{"name": "a", "arguments": {"x": [1]}}]}
    made = Output.model_validate({"steps": [{"kind": "tool_call", "name": "a", "input": {"x": 2}}]})
    assert judged("tool_order", {}, made, case).passed is False
    assert judged("tool_order", {"arguments": False}, made, case).passed is True


PATH = [
    {"kind": "tool", "name": "find", "input": {"id": 7}},
    {"kind": "message", "output": "Shall I refund it?"},
    {"kind": "tool", "name": "refund"},
]
TRACE = [
    {"kind": "thought", "output": "find it first"},
    {"kind": "tool_call", "name": "find", "input": {"id": 7, "verbose": True}, "output": {"found": 1}},
    {"kind": "message", "output": "Shall I refund it?"},
    {"kind": "function", "name": "refund", "output": {"ok": True}},
]


def test_a_trajectory_is_judged_as_a_whole(judged):
    case = {"trajectory": PATH, "order": "exact"}
    assert judged("tool_order", {}, Output.model_validate({"steps": TRACE}), case).passed is True
    assert judged("tool_order", {"kinds": "all"}, Output.model_validate({"steps": TRACE}), case).passed is False
    assert judged("tool_order", {}, Output.model_validate({"steps": TRACE[::-1]}), case).passed is False


def test_a_trajectory_is_read_from_messages_too(judged):
    messages = [
        {"role": "assistant", "tool_calls": [{"name": "find", "arguments": {"id": 7}, "id": "1"}]},
        {"role": "tool", "tool_call_id": "1", "content": '{"found": 1}'},
        {"role": "assistant", "content": "Shall I refund it?"},
        {"role": "user", "content": "Yes"},
        {"role": "assistant", "tool_calls": [{"name": "refund", "id": "2"}]},
        {"role": "tool", "tool_call_id": "2", "content": "ok"},
    ]
    case = {"trajectory": PATH, "order": "in_order"}
    assert judged("tool_order", {}, Output.model_validate({"messages": messages}), case).passed is True
    messages[-1]["content"] = "Error: refund window closed"
    score = judged("tool_order", {}, Output.model_validate({"messages": messages}), case)
    assert score.passed is False, "a failed call is not the step that was to be taken"
    assert score.value == pytest.approx(2 / 3)


def test_a_step_that_is_to_fail_fits_one_that_failed(judged):
    case = {"trajectory": [{"kind": "tool", "name": "pay", "error": "declined"}, {"kind": "tool", "name": "pay"}]}
    steps = [{"kind": "tool", "name": "pay", "error": "card declined"}, {"kind": "tool", "name": "pay", "output": 1}]
    assert judged("tool_order", {}, Output.model_validate({"steps": steps}), {**case, "order": "exact"}).passed is True
    assert (
        judged("tool_order", {}, Output.model_validate({"steps": steps[::-1]}), {**case, "order": "exact"}).passed
        is False
    )


def test_cases_without_expected_steps_are_not_applicable(judged):
    for case in (None, {"answers": ["x"]}, {"trajectory": []}):
        assert judged("tool_order", {}, output("a"), case).status == "not_applicable"
    assert judged("tool_order", {"of": "trajectory"}, output("a"), expected()).status == "not_applicable"
    assert judged("tool_order", {"of": "calls"}, output("a"), {"trajectory": PATH}).status == "not_applicable"
