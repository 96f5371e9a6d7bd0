from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import ExpectedCall
from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Output
from seatrial.scorers.agents.tool_calls import align, assign, call_faults, call_fits, from_bfcl, loosely


def made(*calls: Any, text: str = "Let me see.") -> Output:
    made_calls = [call if isinstance(call, ToolCall) else ToolCall(name=call[0], arguments=call[1]) for call in calls]
    return Output(messages=(Message(role="assistant", content=text, tool_calls=tuple(made_calls)),))


def wanted(*calls: Any, **fields: Any) -> dict[str, Any]:
    return {"tool_calls": [[_call(*call) for call in calls]], **fields}


def _call(name: str, arguments: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"name": name, "arguments": {k: [v] for k, v in arguments.items()}, "optional": optional}


A, B, C = ("a", {"x": 1}), ("b", {"y": "two"}), ("c", {})
TOOLS = [
    {"name": "a", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}},
    {"name": "b", "parameters": {"type": "object", "properties": {"y": {"type": "string"}}}},
    {"name": "c"},
]


@pytest.mark.parametrize(
    ("expected", "calls", "value", "reason"),
    [
        pytest.param([A], [A], 1, "1 of 1", id="identity"),
        pytest.param([A, B], [B, A], 1, "2 of 2", id="permutation"),
        pytest.param([A, B], [A], 2 / 3, "call of 'b' is missing", id="missing call"),
        pytest.param([A], [A, C], 2 / 3, "call 2 'c': is not expected", id="extra call"),
        pytest.param([A], [A, A], 2 / 3, "call 2 'a': repeats call 1", id="duplicate call"),
        pytest.param([A, A], [A], 2 / 3, "call of 'a' is missing", id="expected twice"),
        pytest.param([A, A], [A, A], 1, "2 of 2", id="expected twice, made twice"),
        pytest.param([A], [("aa", {"x": 1})], 0, "call of 'a' is missing", id="wrong name, same arguments"),
        pytest.param([A], [("a", {"x": 2})], 0, "argument 'x' is 2, accepted: 1", id="wrong value"),
        pytest.param([A], [("a", {})], 0, "argument 'x' is missing", id="no arguments"),
        pytest.param([A], [("a", {"x": 1, "z": 0})], 0, "argument 'z' is not expected", id="extra argument"),
        pytest.param([A], [("a", {"X": 1})], 0, "argument 'x' is missing", id="case of an argument"),
        pytest.param([A], [("a", {"x": 1.0})], 1, "1 of 1", id="1 is 1.0"),
        pytest.param([A], [("a", {"x": True})], 0, "is true", id="1 is not true"),
        pytest.param([A], [("a", {"x": "1"})], 0, "is '1'", id="1 is not text"),
        pytest.param([A], [("a", {"x": [1]})], 0, "is [1]", id="1 is no list"),
        pytest.param([A], [("a", {"x": float("nan")})], 0, "NaN", id="NaN"),
        pytest.param([A], [("a", '{"x": 1')], 0, "no JSON object", id="arguments that are no JSON"),
        pytest.param([A], [("a", None)], 0, "no JSON object", id="arguments null"),
        pytest.param([A], [], 0, "call of 'a' is missing", id="required tool never called"),
        pytest.param([], [], 1, "no call, as expected", id="no call wanted, none made"),
        pytest.param([], [A], 0, "is not expected", id="no call wanted, one made"),
        pytest.param([C], [C], 1, "1 of 1", id="empty arguments"),
        pytest.param(
            [("a", {"x": {"deep": [1, {"k": None}]}})],
            [("a", {"x": {"deep": [1.0, {"k": None}]}})],
            1,
            "1 of 1",
            id="nested, unhashable",
        ),
        pytest.param(
            [("a", {"x": {"k": 1}})], [("a", {"x": {"k": 1, "l": 2}})], 0, "accepted", id="nested, one more field"
        ),
    ],
)
def test_calls(judged, expected, calls, value, reason):
    score = judged("tool_calls", {}, made(*calls), wanted(*expected))
    assert score.value == pytest.approx(value)
    assert score.passed is (value == 1)
    assert reason in score.reason, score


def test_assignment_is_optimal_not_greedy(judged):
    """The first call fits both expected ones; only giving it to the second leaves room for the other."""
    loose = {"name": "a", "arguments": {"x": [1, 2]}}
    tight = {"name": "a", "arguments": {"x": [1]}}
    for goals in permutations([loose, tight]):
        for calls in permutations([("a", {"x": 1}), ("a", {"x": 2})]):
            assert judged("tool_calls", {}, made(*calls), {"tool_calls": [list(goals)]}).passed


ORDERS = {
    "exact": {"AB"},
    "any_order": {"AB", "BA"},
    "in_order": {"AB", "CAB", "ACB", "ABA", "AAB"},
    "superset": {"AB", "BA", "CAB", "ACB", "ABA", "AAB", "BCA"},
    "subset": {"A", "B", "AB", "BA"},
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("source", ["case", "settings"])
def test_orders(judged, order, source):
    calls = {"A": A, "B": B, "C": C}
    for sequence in ("", "A", "B", "C", "AB", "BA", "AC", "CAB", "ACB", "ABA", "AAB", "BCA"):
        settings = {"order": order} if source == "settings" else {}
        expected = wanted(A, B, order=order) if source == "case" else wanted(A, B)
        score = judged("tool_calls", settings, made(*(calls[c] for c in sequence)), expected)
        assert score.passed is (sequence in ORDERS[order]), (sequence, score)
        assert (score.value == 1) is score.passed


@pytest.mark.parametrize("order", ORDERS)
def test_no_order_lets_a_call_through_where_none_may_be_made(judged, order):
    assert not judged("tool_calls", {"order": order}, made(A), wanted()).passed
    assert judged("tool_calls", {"order": order}, made(), wanted()).passed


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        (("drop_table", {}), "none of the tools offered"),
        (("b", {"y": 5}), "argument y"),
        (("b", {"z": "1"}), "z"),
        (("c", "oops"), "no JSON object"),
    ],
)
def test_extra_calls_must_be_calls_of_the_tools_offered(judged, extra, reason):
    expected = wanted(A, order="superset")
    score = judged("tool_calls", {}, made(A, extra), expected, tools=TOOLS)
    assert not score.passed
    assert reason in score.reason
    assert judged("tool_calls", {"check_tools": False}, made(A, extra), expected, tools=TOOLS).passed
    assert judged("tool_calls", {}, made(A, ("b", {"y": "1"})), expected, tools=TOOLS).passed


def test_where_the_case_contradicts_the_schema_the_case_wins(judged):
    expected = wanted(("a", {"x": "one"}))
    assert judged("tool_calls", {}, made(("a", {"x": "one"})), expected, tools=TOOLS).passed


def test_an_optional_argument_may_be_left_out_but_not_be_wrong(judged):
    expected = {"tool_calls": [{"name": "a", "arguments": {"x": [1, 2]}, "optional": ["x"]}]}
    verdicts = [judged("tool_calls", {}, made(("a", args)), expected).passed for args in ({}, {"x": 2}, {"x": 3})]
    assert verdicts == [True, True, False]


def test_one_alternative_is_enough_and_the_best_explains(judged):
    expected = {"tool_calls": [[_call(*A), _call(*B)], [_call(*C)]]}
    assert judged("tool_calls", {}, made(C), expected).passed
    assert "'b' is missing" in judged("tool_calls", {}, made(A), expected).reason


def test_text_is_compared_exactly_unless_asked(judged):
    expected, calls = wanted(("b", {"y": "New York, NY"})), made(("b", {"y": "new-york ny"}))
    assert not judged("tool_calls", {}, calls, expected).passed
    assert judged("tool_calls", {"strings": "normalized"}, calls, expected).passed
    assert not judged("tool_calls", {"strings": "normalized"}, made(("b", {"y": "Newark"})), expected).passed
    assert not loosely(5, "5")


def test_calls_of_several_turns_count(judged):
    turns = (made(A).messages[0], Message(role="tool", content="ok"), made(B).messages[0])
    assert judged("tool_calls", {}, Output(messages=turns), wanted(A, B, order="exact")).passed


@pytest.mark.parametrize("expected", [None, "text", {"tool_calls": None}, {"answers": ["x"]}])
def test_without_expected_calls_it_is_not_applicable(judged, expected):
    assert judged("tool_calls", {}, made(A), expected).status == "not_applicable"


def test_evidence_has_expected_and_found(judged):
    score = judged("tool_calls", {}, made(("a", {"x": 2}), C), wanted(A))
    assert [(e.where, e.expected, e.found) for e in score.evidence] == [("call:0", [1], 2), ("call:1", None, {})]


def test_bfcl_objects_are_multiplied_out():
    (call,) = from_bfcl([{"f": {"o": [{"a": [1, 2], "b": ["x", ""]}, ""], "l": [[{"c": [3, 4]}]]}}])
    assert call.optional == ("o",)
    assert call.arguments["o"] == ({"a": 1, "b": "x"}, {"a": 1}, {"a": 2, "b": "x"}, {"a": 2})
    assert call.arguments["l"] == ([{"c": 3}], [{"c": 4}])


@pytest.mark.parametrize(
    "row", [{"f": {}, "g": {}}, {"f": {"o": [{"a": 1}]}}, {"f": {"o": [{str(i): [1, 2] for i in range(20)}]}}]
)
def test_bfcl_rows_of_another_shape_are_refused(row):
    with pytest.raises(ValueError, match=r"BFCL|variants"):
        from_bfcl([row])


MATRIX = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=1, max_size=5)
)


@given(MATRIX)
def test_the_matching_is_as_large_as_any(fits):
    rows, columns = len(fits), len(fits[0])
    padded = [*range(columns), *([-1] * rows)]
    best = max(sum(c >= 0 and fits[r][c] for r, c in enumerate(p)) for p in set(permutations(padded, rows)))
    found = assign(fits)
    used = [c for c in found if c >= 0]
    assert len(used) == len(set(used)) == best
    assert all(fits[r][c] for r, c in enumerate(found) if c >= 0)


@given(MATRIX)
def test_the_alignment_is_increasing_and_never_larger_than_the_matching(fits):
    used = [c for c in align(fits) if c >= 0]
    assert used == sorted(set(used))
    assert len(used) <= sum(c >= 0 for c in assign(fits))


NAMES = st.lists(st.sampled_from([A, B, C]), max_size=4)


@given(NAMES, NAMES)
def test_f1_is_symmetric_and_one_only_for_equal_multisets(judged, expected, calls):
    here = judged("tool_calls", {}, made(*calls), wanted(*expected)).value
    there = judged("tool_calls", {}, made(*expected), wanted(*calls)).value
    assert here == pytest.approx(there)
    assert (here == 1) is (sorted(map(str, expected)) == sorted(map(str, calls)))


ACCEPTED = st.dictionaries(st.sampled_from("xyz"), st.lists(st.sampled_from([1, "1"]), max_size=2))
ARGUMENTS = st.none() | st.dictionaries(st.sampled_from("xyz"), st.sampled_from([1, 1.0, True, "1", [1]]), max_size=3)


@given(st.sampled_from("ab"), ARGUMENTS, ACCEPTED, st.sets(st.sampled_from("xyz")))
def test_a_call_has_faults_exactly_when_it_does_not_fit(name, arguments, accepted, optional):
    call = ToolCall(name=name, arguments=arguments)
    goal = ExpectedCall(name="a", arguments=accepted, optional=tuple(optional))
    assert call_fits(call, goal) is not bool(call_faults(call, goal))
