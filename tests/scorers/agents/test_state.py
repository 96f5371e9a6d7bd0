"""What must, must not and may change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.output import Output
from seatrial.scorers.agents._states import changes, pointer
from seatrial.scorers.base import same

BEFORE = {"orders": {"7": {"status": "open", "note": ""}, "8": {"status": "open", "note": ""}}, "log": []}


def after(**orders):
    state = {"orders": {k: dict(v) for k, v in BEFORE["orders"].items()}, "log": []}
    for key, change in orders.items():
        state["orders"].setdefault(key[1:], {}).update(change)
    return state


def run(judged, expected, state, settings=None, before=BEFORE):
    metadata = {} if before is None else {"state": before}
    output = Output.of("Done.", state=state)
    return judged("state", settings or {}, output, {"state": expected}, metadata=metadata)


DONE = {"must": {"/orders/7/status": "cancelled"}}
TABLE = {
    "done": (DONE, after(o7={"status": "cancelled"}), {}, True),
    "done nothing": (DONE, after(), {}, False),
    "wrong order": (DONE, after(o8={"status": "cancelled"}), {}, False),
    "another one too": (DONE, after(o7={"status": "cancelled"}, o8={"status": "cancelled"}), {}, False),
    "another one too, allowed": (DONE, after(o7={"status": "cancelled"}, o8={"status": "x"}), {"extra": "allow"}, True),
    "a note, allowed in the suite": (
        DONE,
        after(o7={"status": "cancelled", "note": "n"}),
        {"may_change": "/orders/*/note"},
        True,
    ),
    "a note": (DONE, after(o7={"status": "cancelled", "note": "n"}), {}, False),
    "a note, allowed by the case": (
        {**DONE, "may": ["/orders/7/note"]},
        after(o7={"status": "cancelled", "note": "n"}),
        {},
        True,
    ),
    "a note on the other": (
        {**DONE, "may": ["/orders/7/note"]},
        after(o7={"status": "cancelled"}, o8={"note": "n"}),
        {},
        False,
    ),
    "kept what must stay": (
        {**DONE, "must_not": ["/orders/8"]},
        after(o7={"status": "cancelled"}),
        {"extra": "allow"},
        True,
    ),
    "changed what must stay": (
        {**DONE, "must_not": ["/orders/8"]},
        after(o7={"status": "cancelled"}, o8={"note": "n"}),
        {"extra": "allow"},
        False,
    ),
    "a value that must not be": (
        {"must_not": {"/orders/*/status": "lost"}},
        after(o8={"status": "lost"}),
        {"extra": "allow"},
        False,
    ),
    "without that value": (
        {"must_not": {"/orders/*/status": "lost"}},
        after(o8={"status": "sent"}),
        {"extra": "allow"},
        True,
    ),
    "plain": ({"orders": {"7": {"status": "cancelled"}}}, after(o7={"status": "cancelled"}), {}, True),
    "plain, not done": ({"orders": {"7": {"status": "cancelled"}}}, after(), {}, False),
    "plain pointer": ({"/orders/7/status": "cancelled"}, after(o7={"status": "cancelled"}), {}, True),
    "an addition asked for": ({"must": {"/orders/9/status": "open"}}, after(o9={"status": "open"}), {}, True),
    "an addition with more than was asked for": (
        {"must": {"/orders/9/status": "open"}},
        after(o9={"status": "open", "free": True}),
        {},
        False,
    ),
    "every one of them": (
        {"must": {"/orders/*/status": "sent"}},
        after(o7={"status": "sent"}, o8={"status": "sent"}),
        {},
        True,
    ),
    "not every one of them": ({"must": {"/orders/*/status": "sent"}}, after(o7={"status": "sent"}), {}, False),
    "either end, first": (
        {"one_of": [{"/orders/7/status": "a"}, {"/orders/7/status": "b"}]},
        after(o7={"status": "a"}),
        {},
        True,
    ),
    "either end, second": (
        {"one_of": [{"/orders/7/status": "a"}, {"must": {"/orders/7/status": "b"}}]},
        after(o7={"status": "b"}),
        {},
        True,
    ),
    "neither end": (
        {"one_of": [{"/orders/7/status": "a"}, {"/orders/7/status": "b"}]},
        after(o7={"status": "c"}),
        {},
        False,
    ),
    "nothing may change": ({}, after(), {}, True),
    "nothing may change, and did": ({}, after(o7={"status": "x"}), {}, False),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_state(judged, name):
    expected, state, settings, passed = TABLE[name]
    score = run(judged, expected, state, settings)
    assert (score.status, score.passed) == ("scored", passed), score
    assert (score.value == 1) is passed
    assert passed or score.evidence


@pytest.mark.parametrize(
    ("wanted", "found", "right"),
    [
        (1, 1.0, True),
        (1, "1", False),
        (1, True, False),
        (0, False, False),
        (None, 0, False),
        (None, None, True),
        ("a", "A", False),
        ([1, 2], [2, 1], False),
        ([], {}, False),
        (2**63, 2**63, True),
        (2**63, float(2**63), True),
        (0.1 + 0.2, 0.3, False),
    ],
)
def test_values_compare_by_type(judged, wanted, found, right):
    assert run(judged, {"must": {"/x": wanted}}, {"x": found}, before={"x": "?"}).passed is right


def test_numbers_may_have_a_tolerance(judged):
    assert run(judged, {"must": {"/x": 0.3}}, {"x": 0.1 + 0.2}, {"abs": 1e-9}, before=None).passed is True
    assert run(judged, {"must": {"/x": 1}}, {"x": True}, {"abs": 1.0}, before=None).passed is False
    assert (
        run(judged, {"must": {"/x": {"y": [0.3]}}}, {"x": {"y": [0.30001]}}, {"abs": 0.01}, before=None).passed is True
    )
    assert run(judged, {"must": {"/x": 10**400}}, {"x": 1.5}, {"abs": 0.01}, before=None).passed is False


def test_further_changes_cannot_be_seen_without_a_state_before(judged):
    score = run(judged, DONE, after(o7={"status": "cancelled"}, o8={"status": "cancelled"}), before=None)
    assert score.passed is True
    assert "not looked for" in score.reason
    stated = {**DONE, "before": BEFORE}
    assert run(judged, stated, after(o7={"status": "cancelled"}, o8={"status": "x"}), before=None).passed is False


def test_pointers_escape_and_lists_go_by_place(judged):
    assert run(judged, {"must": {"/a~1b/m~0n/1": 5}}, {"a/b": {"m~n": [4, 5]}}, before=None).passed is True
    assert run(judged, {"must": {"/l/2": 1}}, {"l": [1, 1]}, before=None).passed is False
    assert run(judged, {"must": {"/l/1": "b"}}, {"l": ["a", "b"]}, before={"l": ["a"]}).passed is True
    assert run(judged, {"must": {"/l/1": "b"}}, {"l": ["z", "b"]}, before={"l": ["a"]}).passed is False


@pytest.mark.parametrize(
    "expected",
    [
        {"must": {"orders": 1}, "may": ["x"]},
        {"must": [1]},
        {"one_of": []},
        {"one_of": [1]},
        {"may": [1]},
        {"must_not": 5},
        {"must": {}},
    ],
)
def test_rules_that_say_nothing_usable_are_not_applicable(judged, expected):
    assert run(judged, expected, after(), before=None).status == "not_applicable"


def test_what_must_not_change_needs_a_state_before(judged):
    assert run(judged, {"must_not": ["/orders"]}, after(), before=None).status == "not_applicable"


def test_an_environment_without_a_state_is_an_error_not_a_pass(judged):
    score = judged("state", {}, "All done!", {"state": DONE})
    assert (score.status, score.passed) == ("judge_error", None)


def test_a_deep_state_fails_and_does_not_break(judged):
    deep = {}
    for _ in range(900):
        deep = {"x": deep}
    assert run(judged, DONE, {"orders": deep}).passed is False


def test_every_demand_met_more_never_scores_lower(judged):
    many = {"must": {f"/{i}": 1 for i in range(5)}}
    values = [
        run(judged, many, {str(i): int(i < good) for i in range(5)}, before={str(i): 0 for i in range(5)}).value
        for good in range(6)
    ]
    assert values == sorted(values)
    assert values[-1] == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, json_values)
def test_a_diff_is_empty_exactly_for_equal_values(first, second):
    assert not [*changes(first, first)]
    found = [*changes(first, second)]
    assert bool(found) is not same(second, first)
    assert len({pointer(change.path) for change in found}) == len(found)
