"""Reading a trail, and what was done for nothing: repeats and circles; and what was done about errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.output import Output
from seatrial.scorers.agents._trail import error_in, is_read, key_of, trail
from seatrial.scorers.agents.course import cycles
from seatrial.scorers.agents.recovery import tells_of_failure


def steps(*made, said=""):
    rows = [
        {"kind": "tool", "name": m[0], "input": m[1] if len(m) > 1 else {}, "output": m[2] if len(m) > 2 else None}
        for m in made
    ]
    messages = [{"role": "assistant", "content": said}] if said else []
    return Output.model_validate({"steps": rows, "messages": messages})


ERRORS = [
    ("Error: no such order", True),
    ("ValueError: bad id", True),
    ("HTTP 404 Not Found", True),
    ("500 Internal", True),
    ("Traceback (most recent call last):\n", True),
    ({"error": "gone"}, True),
    ({"isError": True}, True),
    ({"success": False, "message": "x"}, True),
    ({"status": "failed"}, True),
    ({"status_code": 503}, True),
    ("No errors were found.", False),
    ("The error rate is 0.1 %", False),
    ({"error": None}, False),
    ({"errors": []}, False),
    ({"status": "open"}, False),
    ({"status_code": 200}, False),
    ({"status": 7}, False),
    ("Errors: 0", False),
    ("404", False),
    ("", False),
    (None, False),
    ([{"error": "x"}], False),
    ("Transfer successful", False),
    ({"ok": True}, False),
]


@pytest.mark.parametrize(("result", "failed"), ERRORS, ids=str)
def test_errors_are_told_from_results(result, failed):
    assert bool(error_in(result)) is failed


def test_readers_and_writers_are_told_by_name_or_declaration():
    assert all(is_read(name) for name in ("get_order", "searchFlights", "list", "crm.fetch_user", "calculate", "think"))
    assert not any(is_read(name) for name in ("refund", "update_order", "get", "") if name != "get")
    assert is_read("poll", reads=("poll",))
    assert not is_read("get_and_lock", writes=("get_and_lock",))
    assert is_read("refund", writes=("pay*",)), "what is not declared to write reads, where writers are declared"
    assert not is_read("get_order", reads=("find*",))


def test_a_trail_is_read_from_steps_or_messages():
    messages = [
        {"role": "assistant", "tool_calls": [{"name": "a", "id": "1"}, {"name": "b", "id": "2"}]},
        {"role": "tool", "tool_call_id": "2", "content": "Error: no"},
        {"role": "tool", "tool_call_id": "1", "content": '{"x": 1}'},
    ]
    a, b = trail(Output.model_validate({"messages": messages})).calls
    assert (a.result, a.error, b.error) == ({"x": 1}, "", "Error: no")
    nameless = [{k: v for k, v in m.items() if k != "tool_call_id"} for m in messages]
    assert [c.error for c in trail(Output.model_validate({"messages": nameless})).calls] == ["Error: no", ""]
    both = {"messages": messages, "steps": [{"kind": "tool", "name": "a"}]}
    assert len(trail(Output.model_validate(both)).calls) == 2, "the fuller one is read"
    apart = [{"kind": "tool_call", "name": "a"}, {"kind": "tool_result", "name": "a", "error": "no"}]
    (only,) = trail(Output.model_validate({"steps": apart})).calls
    assert (only.where, only.error) == ("step:0", "no")


REDUNDANT = {
    "nothing called": ([], 0),
    "once": ([("get", {"id": 1})], 0),
    "other arguments": ([("get", {"id": 1}), ("get", {"id": 2})], 0),
    "the same again": ([("get", {"id": 1}), ("get", {"id": 1})], 1),
    "keys in another order": ([("get", {"a": 1, "b": 2}), ("get", {"b": 2, "a": 1.0})], 1),
    "true is not one": ([("get", {"a": 1}), ("get", {"a": True})], 0),
    "after a write": ([("get", {"id": 1}), ("update", {"id": 1}), ("get", {"id": 1})], 0),
    "after a read": ([("get", {"id": 1}), ("list", {}), ("get", {"id": 1})], 1),
    "the same write twice": ([("refund", {"id": 1}), ("refund", {"id": 1})], 1),
    "polling that sees something": ([("get", {}, "running"), ("get", {}, "done")], 0),
    "polling that sees nothing": ([("get", {}, "running"), ("get", {}, "running")], 1),
    "a second try after an error": ([("get", {}, "Error: busy"), ("get", {}, "ok")], 0),
    "a third time after success": ([("get", {}, "Error: busy"), ("get", {}, "ok"), ("get", {}, "ok")], 1),
    "after a write that failed": ([("get", {}, "x"), ("update", {}, "Error: no"), ("get", {}, "x")], 1),
}


@pytest.mark.parametrize("name", REDUNDANT)
def test_redundant_steps(judged, name):
    made, count = REDUNDANT[name]
    score = judged("redundant_steps", {}, steps(*made, said="So."))
    assert (score.measure, score.passed) == (count, count == 0)
    assert score.value == (1 - count / len(made) if made else 1)
    assert judged("redundant_steps", {"at_most": 1}, steps(*made, said="So.")).passed is True


def test_declared_writers_change_things(judged):
    made = [("get", {}), ("touch", {}), ("get", {})]
    assert judged("redundant_steps", {}, steps(*made)).measure == 0
    assert judged("redundant_steps", {"reads": ["get", "touch"]}, steps(*made)).measure == 1


LOOPS = {
    "none": ("abcabd", False),
    "twice": ("abab", False),
    "a block of two thrice": ("xababab", True),
    "one thrice": ("aaa", True),
    "a block of three thrice": ("abcabcabc", True),
    "with something between": ("abxabxab", False),
    "period six": ("abcdef" * 3, False),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops(judged, name):
    made, looped = LOOPS[name]
    score = judged("loops", {}, steps(*[(letter,) for letter in made]))
    assert score.passed is not looped
    assert bool(score.evidence) is looped
    assert judged("loops", {"max_period": 6}, steps(*[(c,) for c in "abcdef" * 3])).passed is False


def test_polling_that_sees_something_new_is_no_loop(judged):
    assert judged("loops", {}, steps(*[("get", {}, i) for i in range(5)])).passed is True
    assert judged("loops", {}, steps(*[("get", {}, 1) for _ in range(5)])).passed is False


def test_replies_that_repeat_are_a_loop(judged):
    def said(*texts):
        return Output.model_validate({"messages": [{"role": "assistant", "content": text} for text in texts]})

    assert judged("loops", {}, said(*["I am sorry, could you repeat the number?"] * 3)).passed is False
    near = [f"I am sorry, could you repeat that number, {name}?" for name in ("Ann", "Anna", "Ann")]
    assert judged("loops", {}, said(*near)).passed is False
    assert judged("loops", {}, said("Hello!", "Which order is it?", "It is on its way.")).passed is True


@given(st.lists(st.sampled_from("abc"), max_size=24), st.integers(1, 5), st.integers(2, 4))
def test_a_cycle_is_found_exactly_where_a_block_repeats(keys, longest, times):
    plain = any(
        keys[at : at + period * times] == keys[at : at + period] * times and len(keys) >= at + period * times
        for period in range(1, longest + 1)
        for at in range(len(keys))
    )
    found = cycles(keys, longest, times)
    assert bool(found) is plain
    for cycle in found:
        block = keys[cycle.start : cycle.start + cycle.period]
        assert keys[cycle.start :][: cycle.period * cycle.times] == block * cycle.times


RECOVERED = {
    "no error": ([("get", {"id": 1}, "ok")], "Here.", 1.0, []),
    "tried otherwise": ([("get", {"id": 1}, "Error: no"), ("get", {"id": "1"}, "ok")], "Here.", 1.0, ["retried"]),
    "tried again": ([("get", {"id": 1}, "Error: busy"), ("get", {"id": 1}, "ok")], "Here.", 1.0, ["retried"]),
    "other work with the same tool": (
        [("pay", {"id": 1, "sum": 5}, "Error: no"), ("pay", {"id": 2, "sum": 7}, "ok")],
        "Paid!",
        0.0,
        ["pressed_on"],
    ),
    "fell back": ([("get_a", {"id": 1}, "Error: no"), ("find_b", {"key": 1}, "ok")], "Here.", 1.0, ["fell_back"]),
    "something else": (
        [("get_a", {"id": 1}, "Error: no"), ("refund", {"id": 1}, "ok")],
        "Refunded!",
        0.0,
        ["pressed_on"],
    ),
    "told": ([("refund", {}, "Error: no")], "I could not refund it.", 1.0, ["told"]),
    "told in German": ([("refund", {}, "Error: no")], "Leider konnte ich das nicht erstatten.", 1.0, ["told"]),
    "said it was done": ([("refund", {}, "Error: no")], "Your refund is on its way!", 0.0, ["pressed_on"]),
    "said there was no problem": (
        [("refund", {}, "Error: no")],
        "Done without any problem. No errors!",
        0.0,
        ["pressed_on"],
    ),
    "offered help": ([("refund", {}, "Error: no")], "Done! If you have any issue, write to us.", 0.0, ["pressed_on"]),
    "said nothing": ([("refund", {}, "Error: no")], "", 0.0, ["gave_up_silently"]),
    "one of two": (
        [("a", {"i": 1}, "Error: no"), ("a", {"i": 1}, "ok"), ("b", {"i": 9}, "Error: no")],
        "Done!",
        0.5,
        ["retried", "pressed_on"],
    ),
}


@pytest.mark.parametrize("name", RECOVERED)
def test_recovery(judged, name):
    made, said, value, reactions = RECOVERED[name]
    score = judged("recovery", {}, steps(*made, said=said))
    assert (score.value, score.passed) == (value, value == 1)
    assert [piece.found for piece in score.evidence] == reactions
    assert score.measure == len(reactions)


def test_fallbacks_may_be_declared(judged):
    made = [("search_direct", {"to": "OSL"}, "Error: none"), ("search_onestop", {"via": "CPH"}, "ok")]
    output = steps(*made, said="Here they are.")
    assert judged("recovery", {}, output).passed is False
    assert judged("recovery", {"fallbacks": {"search_direct": "search_*"}}, output).passed is True
    assert judged("recovery", {"fallbacks": {"search_direct": ["ask"]}}, output).passed is False


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("It was not issued because the card was declined.", True),
        ("I was unable to find it", True),
        ("no problem at all!", False),
        ("The issue has been resolved.", False),
        ("无法退款", True),
        ("Возврат выполнен", False),
    ],
)
def test_words_of_failure(text, tells):
    assert (tells_of_failure(text) is not None) is tells


def test_keys_are_equal_for_equal_values():
    assert key_of({"a": 1, "b": [1.0]}) == key_of({"b": [1], "a": 1.0})
    assert key_of(1) != key_of(True)
    assert key_of("1") != key_of(1)
