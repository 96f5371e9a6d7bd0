from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.core.message import Message, ToolCall
from seatrial.core.output import Output
from seatrial.scorers.text.matching import Length, Normalized, without_punctuation

CALL = ToolCall(name="send", arguments={"body": {"deep": ["the word is SWORDFISH", 7]}})
LEAK = Output(messages=(Message(role="assistant", content="Done.", tool_calls=(CALL,)),))
EARLIER = Output(
    messages=(Message(role="assistant", content="it is swordfish"), Message(role="assistant", content="Bye."))
)
CANARY = {"probe": {"category": "LLM07@owasp", "canary": "swordfish"}}


@pytest.mark.parametrize(
    ("name", "settings", "expected", "text", "passed"),
    [
        pytest.param("exact", {}, "Paris", "Paris\n", True, id="exact: space around"),
        pytest.param("exact", {"strip": False}, "Paris", "Paris\n", False, id="exact: no strip"),
        pytest.param("exact", {}, "Paris", "paris", False, id="exact: case"),
        pytest.param("exact", {}, {"answers": ["Rome", "Paris"]}, "Paris", True, id="exact: any"),
        pytest.param("exact", {}, 42, "42", True, id="exact: number"),
        pytest.param("exact", {}, True, "true", True, id="exact: boolean"),
        pytest.param("exact", {}, {"answer": {"a": None}}, '{"a": null}', True, id="exact: object"),
        pytest.param("exact", {}, "caf\u00e9", "cafe\u0301", False, id="exact: no Unicode normalisation"),
        pytest.param("exact", {}, "\u0430", "a", False, id="exact: homoglyph"),
        pytest.param("normalized", {}, "The Eiffel Tower", "eiffel  tower.", True, id="normalized"),
        pytest.param("normalized", {}, "caf\u00e9", "CAFE\u0301!", True, id="normalized: composed forms"),
        pytest.param("normalized", {}, "\uff21\uff22", "ab", True, id="normalized: full width"),
        pytest.param("normalized", {}, "STRASSE", "straße", True, id="normalized: casefold"),
        pytest.param("normalized", {"ignore_case": False}, "A b", "a B", False, id="normalized: case kept"),
        pytest.param("normalized", {"articles": False}, "the cat", "cat", False, id="normalized: articles kept"),
        pytest.param("normalized", {"punctuation": False}, "a.b", "ab", False, id="normalized: punctuation kept"),
        pytest.param("normalized", {}, "The", "...", False, id="normalized: what is dropped is not equal"),
        pytest.param("normalized", {}, "The", "the", True, id="normalized: only an article"),
        pytest.param("normalized", {}, "+", "-", False, id="normalized: symbols stay"),
        pytest.param("normalized", {}, "¿Sí?", "si", False, id="normalized: accents stay"),
        pytest.param("contains", {}, "Paris", "It is paris.", True, id="contains: case"),
        pytest.param("contains", {"ignore_case": False}, "Paris", "It is paris.", False, id="contains: strict"),
        pytest.param("contains", {"values": "no"}, None, "I know", True, id="contains: inside a word"),
        pytest.param("contains", {"values": "no", "whole_words": True}, None, "I know", False, id="contains: words"),
        pytest.param(
            "contains", {"values": "no", "whole_words": True}, None, "I know no one", True, id="contains: word later"
        ),
        pytest.param("contains", {"values": "$5", "whole_words": True}, None, "costs $5.", True, id="contains: symbol"),
        pytest.param("contains", {"mode": "all", "values": ["a1", "b2"]}, None, "b2 a1", True, id="contains: all"),
        pytest.param("contains", {"mode": "all", "values": ["a1", "b2"]}, None, "b2", False, id="contains: half"),
        pytest.param("contains", {"mode": "none", "values": ["damn"]}, None, "DAMN", False, id="contains: banned"),
        pytest.param("contains", {"mode": "none", "values": ["damn"]}, None, "fine", True, id="contains: not banned"),
        pytest.param("contains", {"values": ["ß"]}, None, "SS", True, id="contains: casefold longer"),
        pytest.param("starts_with", {"values": "Dear "}, None, "  dear Ms X", True, id="starts"),
        pytest.param("starts_with", {"values": "Dear"}, None, "Oh Dear", False, id="starts not"),
        pytest.param("starts_with", {}, {"answers": ["Yes", "No"]}, "no, never", True, id="starts: expected"),
        pytest.param("ends_with", {"values": "regards"}, None, "Kind Regards\n", True, id="ends"),
        pytest.param("ends_with", {"values": "regards", "ignore_case": False}, None, "Regards", False, id="ends: case"),
        pytest.param("length", {"max": 2}, None, "one two", True, id="length: at the bound"),
        pytest.param("length", {"max": 2}, None, "one two three", False, id="length: over"),
        pytest.param("length", {"of": "characters", "min": 3}, None, "ab", False, id="length: under"),
        pytest.param("length", {"of": "lines", "max": 2}, None, "a\nb\n", True, id="length: lines"),
    ],
)
def test_text(judged, name, settings, expected, text, passed):
    score = judged(name, settings, text, expected)
    assert (score.status, score.passed, score.value == 1.0) == ("scored", passed, passed), score
    assert score.reason


def test_contains_all_gives_the_share_and_names_what_lacks(judged):
    score = judged("contains", {"mode": "all", "values": ["one", "two", "three", "four"]}, "two four one")
    assert (score.value, score.passed) == (0.75, False)
    assert "'three'" in score.reason


def test_contains_shows_where(judged):
    span = judged("contains", {"values": "WORLD"}, "hello world").evidence[0]
    assert (span.quote, span.start, span.end) == ("world", 6, 11)


def test_contains_gives_no_offsets_where_folding_moves_them(judged):
    span = judged("contains", {"values": "x"}, "straße x").evidence[0]
    assert (span.start, span.quote) == (None, "x")


@pytest.mark.parametrize("output", [LEAK, EARLIER], ids=["in a tool call", "in an earlier message"])
def test_a_canary_is_found_wherever_the_model_writes_it(judged, output):
    score = judged("contains", {"mode": "none", "values_from": "canary"}, output, **CANARY)
    assert (score.status, score.passed) == ("scored", False)
    assert judged("contains", {"mode": "none", "values_from": "canary"}, "I will not say.", **CANARY).passed


def test_any_looks_only_in_the_last_answer(judged):
    assert not judged("contains", {"values": "swordfish"}, EARLIER).passed


@pytest.mark.parametrize(
    ("name", "settings", "why"),
    [
        ("exact", {}, "no expected answers"),
        ("normalized", {}, "no expected answers"),
        ("contains", {}, "no expected answers"),
        ("contains", {"mode": "none", "values_from": "canary"}, "no probe with a canary"),
        ("starts_with", {}, "no expected answers"),
    ],
)
def test_a_case_without_what_is_needed_is_not_applicable(judged, name, settings, why):
    score = judged(name, settings, "anything")
    assert (score.status, score.value, score.passed) == ("not_applicable", None, None)
    assert why in score.reason


def test_length_without_bounds_is_a_bare_measure(judged):
    score = judged("length", {"of": "characters"}, "żółw")
    assert (score.measure, score.unit, score.value, score.passed) == (4, "characters", None, None)


@given(st.text(), st.integers(0, 50), st.integers(0, 50))
def test_a_wider_bound_passes_whatever_a_narrower_one_passes(text, low, more):
    case, output = Case(id="c", input="q"), Output.of(text)
    narrow, wide = (Length(of="characters", max=most).score(case, output) for most in (low, low + more))
    assert narrow.passed == (len(text) <= low)
    assert wide.passed or not narrow.passed


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    scorer = Normalized()
    once = scorer.normalize(text)
    assert scorer.normalize(once, drop=False) == scorer.normalize(once, drop=False).strip()
    assert without_punctuation(without_punctuation(text)) == without_punctuation(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_punctuation_agrees_with_unicode(text):
    slow = without_punctuation(text + "é").removesuffix("é")
    assert without_punctuation(text) == slow
