"""How near the answer's JSON is to the expected JSON."""

from __future__ import annotations

import copy
import itertools
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import ScorerConfigError
from seatrial.scorers.structured.nearness import Comparison, Rules, parts_of, pointer, pruned
from seatrial.scorers.structured.pairing import MOST_EXACT, in_any_order, in_sequence

ORDER = {"id": 7, "lines": [{"sku": "A", "n": 1}, {"sku": "B", "n": 2}, {"sku": "C", "n": 3}], "tags": ["x", "y"]}

CASES = [
    pytest.param(ORDER, json.dumps(ORDER), {}, 1.0, id="identical"),
    pytest.param(ORDER, "x", {}, 0.0, id="no-json-never-passes"),
    pytest.param(ORDER, json.dumps([ORDER]), {}, 0.0, id="a-list-around-it"),
    pytest.param(ORDER, "```json\n" + json.dumps(ORDER) + "\n```", {}, 1.0, id="in-a-code-block"),
    pytest.param(ORDER, "Here you are: " + json.dumps(ORDER) + " Bye.", {}, 1.0, id="within-prose"),
    pytest.param(ORDER, json.dumps(ORDER) + json.dumps(ORDER), {}, 0.0, id="two-of-them"),
    pytest.param(ORDER, "Here: " + json.dumps(ORDER), {"find": "whole"}, 0.0, id="prose-refused"),
    pytest.param({"a": 5}, '{"a": 5.0}', {}, 1.0, id="5-is-5.0"),
    pytest.param({"a": 5}, '{"a": "5"}', {}, 0.0, id="5-is-no-text"),
    pytest.param({"a": 1}, '{"a": true}', {}, 0.0, id="1-is-not-true"),
    pytest.param({"a": None}, "{}", {}, 0.0, id="null-is-not-missing"),
    pytest.param({"a": 1, "b": 2}, '{"a": 1}', {}, 0.5, id="missing-key"),
    pytest.param({"a": 1}, '{"a": 1, "b": 2}', {}, 0.5, id="extra-key"),
    pytest.param({"a": 1}, '{"a": 1, "b": 2}', {"extra": "ignore"}, 1.0, id="extra-key-forgiven"),
    pytest.param([1, 2, 3, 4], "[2, 3, 4]", {}, 0.75, id="a-missing-head-shifts-nothing"),
    pytest.param([1, 2, 3], "[3, 1, 2]", {}, 0.5, id="order-counts"),
    pytest.param([1, 2, 3], "[3, 1, 2]", {"lists": "unordered"}, 1.0, id="order-forgiven"),
    pytest.param([1, 1, 2], "[1, 2, 2]", {"lists": "unordered"}, 2 / 3, id="an-item-counts-as-often-as-it-is-there"),
    pytest.param({"t": [1, 2], "o": [1, 2]}, '{"t": [2, 1], "o": [1, 2]}', {"unordered": "/t"}, 1.0, id="one-list"),
    pytest.param({"t": [1, 2], "o": [1, 2]}, '{"t": [1, 2], "o": [2, 1]}', {"unordered": "/t"}, 0.6, id="no-other"),
    pytest.param({"a": 10.0}, '{"a": 10.4}', {"abs": 0.5}, 1.0, id="absolute-tolerance"),
    pytest.param({"a": 100}, '{"a": 102}', {"rel": 0.01}, 0.0, id="beyond-relative-tolerance"),
    pytest.param({"a": "Berlin"}, '{"a": "BERLIN"}', {"ignore_case": True}, 1.0, id="case-ignored"),
    pytest.param({"a": "Berlin"}, '{"a": "Berlim"}', {"values": "graded"}, 10 / 12, id="graded-text"),
    pytest.param({"a": 10}, '{"a": 30}', {"values": "graded"}, 0.5, id="graded-number"),
    pytest.param({"a": 1, "t": 9}, '{"a": 1, "t": 8}', {"ignore": ["/t"]}, 1.0, id="ignored-path"),
    pytest.param([{"i": 1, "v": 2}], '[{"i": 9, "v": 2}]', {"ignore": ["/*/i"]}, 1.0, id="ignored-in-every-item"),
    pytest.param({"a/b": {"~": 1}, "c": 1}, '{"a/b": {"~": 2}, "c": 1}', {"ignore": ["/a~1b/~0"]}, 1.0, id="escaped"),
    pytest.param({}, "{}", {}, 1.0, id="both-empty"),
    pytest.param([], "[1]", {}, 0.0, id="empty-against-one"),
    pytest.param("42", "42", {}, 1.0, id="a-bare-number-as-text"),
    pytest.param({"a": {"b": 1}}, '{"a": 1}', {}, 0.0, id="object-against-scalar"),
]


@pytest.mark.parametrize(("expected", "answer", "settings", "value"), CASES)
def test_nearness(judged, expected, answer, settings, value):
    found = judged("json_diff", settings, answer, {"answer": expected})
    assert found.status == "scored", found
    assert found.value == pytest.approx(value, abs=1e-9)
    assert found.passed is (value == 1.0)


def test_every_difference_is_named_by_its_pointer(judged):
    answer = {"id": 8, "lines": [{"sku": "B", "n": 2}, {"sku": "C", "n": 4}], "tags": ["x", "y"], "new": 1}
    found = judged("json_diff", {}, json.dumps(answer), {"answer": ORDER})
    assert [(e.where, e.note) for e in found.evidence] == [
        ("field:/id", "changed"),
        ("field:/lines/0", "missing"),
        ("field:/lines/2/n", "changed, found at /lines/1/n"),
        ("field:/new", "extra"),
    ]
    assert (found.evidence[0].expected, found.evidence[0].found) == (7, 8)
    assert "/lines/0" in found.reason


def test_the_nearest_of_several_answers_counts(judged):
    assert judged("json_diff", {}, '{"a": 2}', {"answers": [{"a": 1}, {"a": 2}]}).passed


@pytest.mark.parametrize(
    ("expected", "settings"),
    [
        (None, {}),
        ({"answer": "no json"}, {}),
        ({"answer": {"a": 1}}, {"ignore": ["/a"]}),
        ({"answer": "[" * 200 + "]" * 200}, {}),
    ],
)
def test_cases_that_cannot_be_judged(judged, expected, settings):
    assert judged("json_diff", settings, '{"a": 1}', expected).status == "not_applicable"


@pytest.mark.parametrize("settings", [{"ignore": "a"}, {"ignore": ""}, {"unordered": "lines"}, {"threshold": 0}])
def test_bad_settings(judged, settings):
    with pytest.raises(ScorerConfigError):
        judged("json_diff", settings, "{}", {"answer": {}})


HOSTILE = [
    "\x00" * 1000,
    "{" * 1_000_000,
    "[" * 900 + "]" * 900,
    '{"a":' * 900 + "1" + "}" * 900,
    '{"a": "\\ud800"}',
    "\u202e{}",
    '{"a": ' + "9" * 5000 + "}",
    "[" + "1," * 300_000 + "1]",
    json.dumps({str(i): [i] for i in range(20_000)}),
    "NaN",
    '{"a": 1e999}',
]


@pytest.mark.parametrize("answer", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("settings", [{}, {"lists": "unordered", "values": "graded"}], ids=["plain", "graded"])
def test_hostile_answers_are_scored(judged, answer, settings):
    for expected in ({"a": "\ud800"}, [1, {"a": 2}, "x"]):
        found = judged("json_diff", settings, answer, {"answer": expected})
        assert found.status == "scored"
        assert 0 <= found.value <= 1


def test_long_lists_of_unlike_items_are_compared(judged):
    items = [{"id": i, "v": i % 7} for i in range(700)]
    other = [{"id": i, "v": (i + 1) % 7} for i in range(700)]
    for settings in ({}, {"lists": "unordered"}):
        found = judged("json_diff", settings, json.dumps(other), {"answer": items})
        assert found.value == pytest.approx(0.5)


LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=3)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("xyz"), inner), max_leaves=12
)
RULES = st.sampled_from([Rules(), Rules(any_order=True), Rules(graded=True), Rules(any_order=True, graded=True)])


def near(found, wanted, rules):
    one = Comparison(rules).near(found, wanted)
    return one.right / one.total


@given(VALUES, VALUES, RULES)
def test_laws(one, other, rules):
    assert near(one, copy.deepcopy(one), rules) == 1
    there, back = near(one, other, rules), near(other, one, rules)
    assert 0 <= there <= 1
    assert there == pytest.approx(back)
    assert (there == 1) == (not Comparison(rules).changes(one, other))


@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), LEAVES, min_size=1, max_size=8), st.randoms())
def test_mending_a_field_never_lowers_the_value(wanted, chance):
    answer = {key: f"wrong {value}" for key, value in wanted.items()}
    keys = list(wanted)
    chance.shuffle(keys)
    values = [near(answer, wanted, Rules())]
    for key in keys:
        answer[key] = wanted[key]
        values.append(near(answer, wanted, Rules()))
    assert values == sorted(values)
    assert values[-1] == 1


@given(st.lists(VALUES, max_size=6), st.randoms())
def test_shuffling_an_unordered_list_changes_nothing(items, chance):
    shuffled = copy.deepcopy(items)
    chance.shuffle(shuffled)
    assert near(shuffled, items, Rules(any_order=True)) == 1


@given(VALUES)
def test_pointers_are_read_back(value):
    for change in Comparison(Rules()).changes({"other": 1}, {"v": value}):
        assert tuple(map(str, change.path)) == parts_of(pointer(change.path))
    assert pruned(value, ()) == value


def table(seed: int, rows: int, columns: int) -> list[list[float]]:
    chance = random.Random(seed)
    return [[chance.choice([0, 0.25, 0.5, 1, 2]) for _ in range(columns)] for _ in range(rows)]


@pytest.mark.parametrize("seed", range(30))
def test_the_assignment_is_the_best_there_is(seed):
    rows, columns = 1 + seed % 5, 1 + (seed * 7) % 6
    gains = table(seed, rows, columns)
    found = in_any_order(range(rows), range(columns), lambda a, b: gains[a][b])
    assert len({p.first for p in found}) == len({p.second for p in found}) == len(found) == min(rows, columns)
    if rows <= columns:
        best = max(sum(gains[a][b] for a, b in enumerate(p)) for p in itertools.permutations(range(columns), rows))
    else:
        best = max(sum(gains[a][b] for b, a in enumerate(p)) for p in itertools.permutations(range(rows), columns))
    assert sum(gains[a][b] for a, b in found) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(30))
def test_the_alignment_is_the_best_there_is(seed):
    rows, columns = 1 + seed % 5, 1 + (seed * 3) % 5
    gains = table(seed, rows, columns)

    def best(a: int, b: int) -> float:
        if a == rows or b == columns:
            return 0.0
        return max(gains[a][b] + best(a + 1, b + 1), best(a + 1, b), best(a, b + 1))

    found = in_sequence(range(rows), range(columns), lambda a, b: gains[a][b])
    assert sum(gains[a][b] for a, b in found) == pytest.approx(best(0, 0))
    assert found == sorted(found)
    assert len({p.second for p in found}) == len(found)


def test_many_items_are_assigned_greedily():
    size = MOST_EXACT + 5
    found = in_any_order(range(size), range(size), lambda a, b: float(a == (b + 1) % size))
    assert {tuple(pair) for pair in found} == {((b + 1) % size, b) for b in range(size)}
