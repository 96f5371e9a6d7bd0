"""What each key does, as a table; and the laws of undoing, for any keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.datasets.labelling.made_units import unit, units

from seatrial.datasets.labelling.journal import entry_of
from seatrial.datasets.labelling.session import Edit, Key, Leave, Mark, Save, State, begin, edited, finished, press

NAMES = ["enter", "escape", "backspace", "left", "right", "up", "down", "home", "end", "ctrl-d", "ctrl-u"]


def typed(text: str) -> list[Key]:
    """A text as keys; `⏎` is Enter, `␛` Escape, `⌫` backspace."""
    names = {"⏎": "enter", "␛": "escape", "⌫": "backspace"}
    return [Key(names[c]) if c in names else Key("char", c) for c in text]


def after(state: State, keys: list[Key]) -> tuple[State, list]:
    """The state after some keys, and all effects."""
    effects = []
    for key in keys:
        state, made = press(state, key)
        effects += made
    return state, effects


STARTED = {"answers": ["from the model"], "tool_calls": [[{"name": "refund"}]]}
KEYS = [
    pytest.param("verdict", "p", {"verdict": "pass"}, "", 1, id="pass-goes-on"),
    pytest.param("verdict", "f", {"verdict": "fail"}, "", 1, id="fail"),
    pytest.param("verdict", "s", {"skip": True}, "", 1, id="skip"),
    pytest.param("verdict", "nodd⏎", {}, "odd", 0, id="a-note-stays-here"),
    pytest.param("verdict", "nodd⏎p", {"verdict": "pass"}, "odd", 1, id="a-note-stays-with-the-verdict"),
    pytest.param("verdict", "nodd␛", None, "", 0, id="escape-drops-what-was-typed"),
    pytest.param("verdict", "nab⌫c⏎", {}, "ac", 0, id="backspace"),
    pytest.param("verdict", "?p", None, "", 0, id="any-key-leaves-help-and-does-nothing-else"),
    pytest.param("verdict", "kx9é", None, "", 0, id="keys-of-other-modes-do-nothing"),
    pytest.param("verdict", "pu", None, "", 0, id="undo"),
    pytest.param("curate", "k", {"decision": "keep"}, "", 1, id="keep"),
    pytest.param("curate", "r1", {"decision": "reject", "reason": "duplicate"}, "", 1, id="reject-by-number"),
    pytest.param("curate", "rtoo old⏎", {"decision": "reject", "reason": "too old"}, "", 1, id="reject-in-words"),
    pytest.param("curate", "r⏎", None, "", 0, id="no-rejection-without-a-reason"),
    pytest.param("curate", "ta=b c=d⏎k", {"decision": "keep", "strata": {"a": "b", "c": "d"}}, "", 1, id="strata"),
    pytest.param("curate", "tnonsense⏎", None, "", 0, id="strata-need-a-value"),
    pytest.param("outcome", "a", STARTED, "", 1, id="accept-the-answer"),
    pytest.param("outcome", "wone⏎two⏎.⏎", {"answers": ["one\ntwo"]}, "", 0, id="a-block-ends-with-a-full-stop"),
    pytest.param("outcome", "h2", {"behaviour": "refuse"}, "", 0, id="behaviour"),
    pytest.param("outcome", "h2wno⏎.⏎", {"behaviour": "refuse", "answers": ["no"]}, "", 0, id="parts-add-up"),
    pytest.param("outcome", "h2x", None, "", 0, id="clear"),
]


@pytest.mark.parametrize(("mode", "keys", "value", "note", "at"), KEYS)
def test_a_key(mode: str, keys: str, value: dict | None, note: str, at: int):
    state, _ = after(begin(mode, units(3, start=STARTED), editor=False), typed(keys))
    mark = state.marks.get("c0")
    assert (None if mark is None else mark) == (None if value is None else Mark(value, note))
    assert state.at == at


MOVES = [
    pytest.param([Key("right"), Key("right"), Key("right")], 2, id="not-beyond-the-end"),
    pytest.param([Key("left")], 0, id="not-before-the-start"),
    pytest.param(typed("g3⏎"), 2, id="go-to-a-number"),
    pytest.param(typed("g4⏎"), 0, id="go-to-none"),
    pytest.param(typed("g999999999999999999999⏎"), 0, id="go-far"),
    pytest.param(typed("pp"), 2, id="verdicts-go-on"),
    pytest.param(typed("g3⏎p"), 0, id="round-the-end-to-what-is-left"),
]


@pytest.mark.parametrize(("keys", "at"), MOVES)
def test_where_a_key_goes(keys: list[Key], at: int):
    assert after(begin("verdict", units(3)), keys)[0].at == at


def test_leaving_and_interrupting_are_told_apart():
    state = begin("verdict", units())
    assert press(state, Key("char", "q"))[1] == (Leave(),)
    assert press(state, Key("ctrl-c"))[1] == (Leave(interrupted=True),)
    assert press(press(state, Key("char", "n"))[0], Key("ctrl-c"))[1] == (Leave(interrupted=True),)


def test_a_paste_outside_a_prompt_labels_nothing():
    state, effects = after(begin("verdict", units()), [Key("paste", "ppffq")])
    assert (state.marks, effects) == ({}, [])


def test_the_editor_opens_on_the_draft_and_its_text_counts():
    state = begin("outcome", units(2, start={"answers": ["draft"]}))
    state, effects = after(state, typed("e"))
    assert effects == [Edit("text", "draft")]
    made, saved = edited(state, "text", "better")
    assert made.marks["c0"].value == {"answers": ["better"]}
    assert saved == (Save(state.unit, Mark({"answers": ["better"]})),)
    assert edited(state, "text", None)[0].marks == {}


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        pytest.param("json", "{", "is not JSON", id="broken-json"),
        pytest.param("calls", '[{"name": "refnd"}]', "refnd is no tool of this case", id="unknown-tool"),
        pytest.param("calls", '[{"name": "refund", "arguments": {"order": "A"}}]', "must be a list", id="not-a-list"),
        pytest.param("behaviour", "refus", "did you mean refuse?", id="misspelt"),
    ],
)
def test_a_reference_with_a_fault_is_not_kept(kind: str, text: str, said: str):
    from seatrial.core.case import Tool

    state = begin("outcome", [unit("c0", tools=(Tool(name="refund"),))])
    made, effects = edited(state, kind, text)
    assert said in made.said
    assert (made.marks, effects) == ({}, ())


def test_the_same_answer_under_the_next_rubric_stays_on_its_page():
    held = [unit(f"{a}{r}", group="case", heading=a, rubric=r) for a in "AB" for r in "xy"]
    state = replace(begin("verdict", held), page=2)
    state, _ = after(state, typed("p"))
    assert (state.unit.key, state.page) == ("Ay", 2)
    assert after(state, typed("p"))[0].page == 0


any_key = st.one_of(
    st.sampled_from([Key("char", c) for c in "pfsunrkthawecjx?gb[] q123=."]),
    st.sampled_from([Key(name) for name in NAMES]),
    st.builds(Key, st.just("paste"), st.text(max_size=8)),
    st.builds(Key, st.just("char"), st.characters()),
)
modes = st.sampled_from(["verdict", "curate", "outcome"])


@given(modes, st.lists(any_key, max_size=40))
def test_undo_takes_back_exactly_the_last_thing_said(mode: str, keys: list[Key]):
    state = begin(mode, units(4, start=STARTED), editor=False)
    for key in keys:
        before = state
        state, effects = press(state, key)
        if any(isinstance(e, Save) and not e.undo for e in effects):
            undone, back = press(replace(state, prompt=None), Key("char", "u"))
            assert (undone.marks, undone.history, undone.at) == (before.marks, before.history, before.at)
            assert back == (Save(before.unit, before.mark, undo=True),)


@given(modes, st.lists(any_key, max_size=60))
def test_undoing_everything_leads_back_to_the_start(mode: str, keys: list[Key]):
    start = begin(mode, units(4, start=STARTED), editor=False)
    state, _ = after(start, keys)
    state = replace(state, prompt=None, help=False)
    for _ in state.history:
        state, _ = press(state, Key("char", "u"))
    assert (state.marks, state.history) == (start.marks, ())
    assert press(state, Key("char", "u"))[0].said == "there is nothing to undo"


@given(modes, st.lists(any_key, max_size=60))
def test_a_session_goes_on_where_its_journal_ends(mode: str, keys: list[Key]):
    held = units(4, start=STARTED)
    state, effects = after(begin(mode, held, editor=False), keys)
    journal = [
        entry_of(
            e.unit,
            mode,
            "Ann",
            value=None if e.mark is None else dict(e.mark.value),
            note="" if e.mark is None else e.mark.note,
            undo=e.undo,
        )
        for e in effects
        if isinstance(e, Save)
    ]
    again = begin(mode, held, journal, editor=False)
    assert (again.marks, again.history) == (state.marks, state.history)
    assert again.done + again.skipped == sum(finished(mark) for mark in state.marks.values())


COUNTS = [
    pytest.param("verdict", "psf", (2, 1, 0), "everything is labelled or skipped: u undoes, q leaves", id="a-skip"),
    pytest.param("verdict", "ppp", (3, 0, 0), "everything is labelled: u undoes, q leaves", id="no-skip"),
    pytest.param("verdict", "ssu", (0, 1, 2), "undone", id="a-skip-taken-back"),
    pytest.param("curate", "ta=b⏎", (0, 0, 3), "", id="strata-alone"),
    pytest.param("outcome", "sas", (1, 2, 0), "everything is labelled or skipped: u undoes, q leaves", id="outcome"),
]


@pytest.mark.parametrize(("mode", "keys", "counts", "said"), COUNTS)
def test_what_is_skipped_is_not_labelled(mode: str, keys: str, counts: tuple, said: str):
    state, _ = after(begin(mode, units(3, start=STARTED), editor=False), typed(keys))
    assert (state.done, state.skipped, state.left) == counts
    assert state.said == said
