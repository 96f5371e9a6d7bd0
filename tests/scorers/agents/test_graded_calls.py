"""The named cases that every measure of tool calls must get right, and the laws that they keep."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.core.case import ExpectedCall
from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Output
from seatrial.scorers.agents._arguments import ArgumentRules, grade, pair
from seatrial.scorers.agents._trail import Call
from seatrial.scorers.assignment import best_assignment

FIND = {"name": "find", "arguments": {"q": ["shoes"], "limit": [5]}}
BUY = {"name": "buy", "arguments": {"id": [7]}}
GOLD = {"tool_calls": [FIND, BUY]}
RIGHT = [("find", {"q": "shoes", "limit": 5}), ("buy", {"id": 7})]


def calls(*made, text=""):
    message = Message(role="assistant", content=text, tool_calls=tuple(ToolCall(name=n, arguments=a) for n, a in made))
    return Output(messages=(message,))


# (made, tool_f1, tool_f1 by arguments, tool_arguments, unnecessary_calls, tool_order any_order passes)
MUST = {
    "identity": (RIGHT, 1, 1, 1, 1, True),
    "permutation": (RIGHT[::-1], 1, 1, 1, 1, True),
    "extra call": ([*RIGHT, ("log", {})], 4 / 5, 4 / 5, 1, 2 / 3, False),
    "missing call": (RIGHT[:1], 2 / 3, 2 / 3, 2 / 3, 1, False),
    "wrong name, same arguments": ([("search", {"q": "shoes", "limit": 5})], 0, 0, 0, 0, False),
    "empty arguments": ([("find", {}), ("buy", {})], 0, 0, 0, 0, False),
    "duplicate call": ([*RIGHT, RIGHT[1]], 4 / 5, 4 / 5, 1, 2 / 3, False),
    "one argument wrong": ([("find", {"q": "shoes", "limit": 6}), RIGHT[1]], 1 / 2, 3 / 4, 2 / 3, 1 / 2, False),
    "one argument too many": (
        [("find", {"q": "shoes", "limit": 5, "x": 1}), RIGHT[1]],
        1 / 2,
        5 / 6,
        3 / 4,
        1 / 2,
        False,
    ),
    "unhashable arguments": (
        [("find", {"q": ["shoes", {"a": [1]}], "limit": {}}), RIGHT[1]],
        1 / 2,
        1 / 2,
        1 / 3,
        1 / 2,
        False,
    ),
    "arguments as text": ([("find", '{"q": "shoes", "limit": 5}'), RIGHT[1]], 1 / 2, 1 / 2, 1 / 3, 1 / 2, False),
    "1 as 1.0": ([RIGHT[0], ("buy", {"id": 7.0})], 1, 1, 1, 1, True),
    "1 as text": ([RIGHT[0], ("buy", {"id": "7"})], 1 / 2, 1 / 2, 2 / 3, 1 / 2, False),
    "1 as true": ([RIGHT[0], ("buy", {"id": True})], 1 / 2, 1 / 2, 2 / 3, 1 / 2, False),
}


@pytest.mark.parametrize("name", MUST)
def test_must_pass(judged, name):
    made, f1, soft, arguments, needed, in_any_order = MUST[name]
    output = calls(*made)
    assert judged("tool_f1", {}, output, GOLD).value == pytest.approx(f1)
    assert judged("tool_f1", {"credit": "arguments"}, output, GOLD).value == pytest.approx(soft)
    assert judged("tool_arguments", {}, output, GOLD).value == pytest.approx(arguments)
    assert judged("unnecessary_calls", {}, output, GOLD).value == pytest.approx(needed)
    assert judged("tool_order", {"order": "any_order"}, output, GOLD).passed is in_any_order
    assert judged("tool_calls", {"order": "any_order"}, output, GOLD).passed is in_any_order


def test_true_is_no_one_and_one_no_true(judged):
    for accepted, given_, right in [
        (True, 1, False),
        (1, True, False),
        (1, 1.0, True),
        (False, 0, False),
        (0, 0.0, True),
    ]:
        expected = {"tool_calls": [{"name": "f", "arguments": {"x": [accepted]}}]}
        assert judged("tool_arguments", {}, calls(("f", {"x": given_})), expected).passed is right


@pytest.mark.parametrize(
    "scorer", ["tool_calls", "tool_arguments", "tool_f1", "unnecessary_calls", "efficiency", "tool_order"]
)
def test_a_tool_that_was_never_called_scores_nothing(judged, scorer):
    score = judged(scorer, {}, "I have looked it up for you: all is well.", GOLD)
    assert (score.value, score.passed, score.status) == (0.0, False, "scored")


@pytest.mark.parametrize("scorer", ["tool_calls", "tool_arguments", "tool_f1", "unnecessary_calls", "tool_order"])
def test_no_call_where_none_is_expected_is_right_and_any_call_wrong(judged, scorer):
    none = {"tool_calls": [[]]}
    assert judged(scorer, {}, "Two and two is four.", none).passed is True
    wrong = judged(scorer, {}, calls(("find", {})), none)
    assert (wrong.value, wrong.passed) == (0.0, False)


def test_the_f1_reports_precision_and_recall(judged):
    output = calls(*RIGHT, ("log", {}), ("log", {}))
    assert judged("tool_f1", {"of": "precision"}, output, GOLD).value == pytest.approx(2 / 4)
    assert judged("tool_f1", {"of": "recall"}, output, GOLD).value == 1
    assert "F1 0.667" in judged("tool_f1", {}, output, GOLD).reason


def test_the_best_alternative_counts(judged):
    either = {"tool_calls": [[BUY], [FIND]]}
    for scorer in ("tool_f1", "tool_arguments", "unnecessary_calls"):
        assert judged(scorer, {}, calls(RIGHT[0]), either).passed is True


COMPARED = [
    ("exact", [1, 2], [2, 1], False),
    ("set", [1, 2], [2, 1], True),
    ("set", [1, 2], [2, 1, 1], False),
    ("set", [{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}], True),
    ("date", "2026-03-01", "20260301", True),
    ("date", "2026-03-01", "2026-03-02", False),
    ("date", "2026-03-01T10:00:00+00:00", "2026-03-01T11:00:00+01:00", True),
    ("date", "2026-03-01", "soon", False),
    ("normalized", "New York", "new-york", True),
    ("exact", "New York", "new york", False),
    ("regex", "[A-Z]{3}", "OSL", True),
    ("regex", "[A-Z]{3}", "OSLO", False),
]


@pytest.mark.parametrize(("how", "accepted", "given_", "right"), COMPARED)
def test_arguments_compare_as_declared(judged, how, accepted, given_, right):
    expected = {"tool_calls": [{"name": "f", "arguments": {"x": [accepted], "y": [1]}}]}
    output = calls(("f", {"x": given_, "y": 1}))
    for key in ("x", "f.x"):
        assert judged("tool_arguments", {"compare": {key: how}}, output, expected).passed is right


def test_numbers_have_a_tolerance_and_arguments_weights(judged):
    expected = {"tool_calls": [{"name": "pay", "arguments": {"amount": [100], "note": ["x"]}}]}
    output = calls(("pay", {"amount": 100.4, "note": "y"}))
    assert judged("tool_arguments", {}, output, expected).value == 0
    assert judged("tool_arguments", {"abs": 0.5}, output, expected).value == 0.5
    assert judged("tool_arguments", {"rel": 0.005, "weights": {"pay.note": 0.25}}, output, expected).value == 0.8
    huge = calls(("pay", {"amount": 10**400, "note": "x"}))
    assert judged("tool_arguments", {"rel": 0.1}, huge, expected).value == 0.5


def test_an_optional_argument_may_be_absent(judged):
    expected = {"tool_calls": [{"name": "f", "arguments": {"x": [1], "y": [2]}, "optional": ["y"]}]}
    assert judged("tool_arguments", {}, calls(("f", {"x": 1})), expected).value == 1
    assert judged("tool_arguments", {}, calls(("f", {"y": 2})), expected).value == 0.5


def test_evidence_names_the_call_and_the_argument(judged):
    score = judged("tool_arguments", {}, calls(("find", {"q": "boots", "limit": 5}), ("buy", {"id": 7})), GOLD)
    (wrong,) = score.evidence
    assert (wrong.where, wrong.expected, wrong.found) == ("call:0", ["shoes"], "boots")
    assert "'q'" in wrong.note


def test_pairs_are_the_best_ones():
    goals = tuple(ExpectedCall(name="f", arguments={"x": (i,), "y": (i,)}) for i in range(3))
    made = [Call("f", {"x": i, "y": 9}, f"call:{i}", i) for i in (2, 0)] + [Call("f", {"x": 1, "y": 1}, "call:2", 2)]
    assert pair(goals, made, ArgumentRules()).of == (1, 2, 0)


def test_whole_calls_come_before_nearly_right_ones():
    """Worth alone would pair 0.5 + 0.75 rather than 1 + 0; a hard count must find the one that is right."""
    goals = (
        ExpectedCall(name="f", arguments={"a": (1,), "b": (1,)}),
        ExpectedCall(name="f", arguments={"a": (1,), "b": (1,), "c": (5,), "d": (6,)}),
    )
    made = [Call("f", {"a": 1, "b": 1}, "call:0", 0), Call("f", {"c": 0}, "call:1", 1)]
    assert pair(goals, made, ArgumentRules(), whole=True).of[0] == 0


@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_the_assignment_is_the_best_of_all(rows, columns, data):
    worth = data.draw(
        st.lists(
            st.lists(st.sampled_from([0, 0.25, 0.5, 1.0]), min_size=columns, max_size=columns),
            min_size=rows,
            max_size=rows,
        )
    )
    of = best_assignment(worth)
    used = [column for column in of if column >= 0]
    assert len(used) == len(set(used))
    got = sum(worth[row][column] for row, column in enumerate(of) if column >= 0)
    turned = worth if rows <= columns else [list(line) for line in zip(*worth, strict=True)]
    best = max(
        sum(turned[row][column] for row, column in enumerate(chosen))
        for chosen in itertools.permutations(range(len(turned[0])), len(turned))
    )
    assert got == pytest.approx(best)


@settings(max_examples=60)
@given(st.lists(st.sampled_from([0, 1, 2]), min_size=1, max_size=4), st.data())
def test_a_better_call_never_scores_lower(judged, values, data):
    """Putting one wrong argument right, or making one missing call, lowers no score."""
    expected = {"tool_calls": [{"name": "f", "arguments": {"i": [i], "v": [v]}} for i, v in enumerate(values)]}
    made = [("f", {"i": i, "v": data.draw(st.sampled_from([v, 9]))}) for i, v in enumerate(values)]
    made = made[: data.draw(st.integers(0, len(made)))]
    at = data.draw(st.integers(0, len(made)))
    better = list(made)
    if at < len(made):
        better[at] = ("f", {"i": at, "v": values[at]})
    elif len(made) < len(values):
        better.append(("f", {"i": at, "v": values[at]}))
    for scorer, setting in [
        ("tool_f1", {}),
        ("tool_f1", {"credit": "arguments"}),
        ("tool_arguments", {}),
        ("unnecessary_calls", {}),
        ("tool_order", {"order": "in_order"}),
        ("tool_order", {"order": "exact"}),
        ("tool_order", {"order": "any_order"}),
        ("efficiency", {}),
    ]:
        first = judged(scorer, setting, calls(*made, text="So."), expected)
        second = judged(scorer, setting, calls(*better, text="So."), expected)
        assert second.value >= first.value - 1e-12, (scorer, made, better)


def test_grading_is_by_share():
    goal = ExpectedCall(name="f", arguments={"a": (1,), "b": (2,)})
    assert grade(Call("f", {"a": 1, "b": 3, "c": 1}, "call:0", 0), goal, ArgumentRules()).worth == pytest.approx(1 / 3)
    assert grade(Call("g", {"a": 1, "b": 2}, "call:0", 0), goal, ArgumentRules()).worth == 0
