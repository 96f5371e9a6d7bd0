from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reports.made_reports import HOSTILE, flips, hostile

from seatrial.reports.diff import excerpts, word_diff
from seatrial.reports.text import LONGEST, clean, cut, one_line, visible
from seatrial.verdicts.records import ArmSummary

VISIBLE = [
    pytest.param("a\nb\tc", "a\nb\tc", id="line-feeds-and-tabs-stay"),
    pytest.param("a\r\nb", "a\nb", id="crlf-is-one-line-break"),
    pytest.param("a\rb", "a␍b", id="a-lone-carriage-return-overwrites-nothing"),
    pytest.param("\x1b[31m", "␛[31m", id="escape"),
    pytest.param("\x00\x07\x7f", "␀␇␡", id="null-bell-delete"),
    pytest.param("\x9b31m", "⟨U+009B⟩31m", id="c1-control-sequence"),
    pytest.param("\ud800x", "⟨U+D800⟩x", id="lone-surrogate"),
    pytest.param("\u202egnp", "⟨U+202E⟩gnp", id="right-to-left-override"),
    pytest.param("\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩", id="isolates"),
    pytest.param("a\u200bb\ufeff", "a⟨U+200B⟩b⟨U+FEFF⟩", id="zero-width"),
    pytest.param("\U000e0041", "⟨U+E0041⟩", id="tag-characters-smuggle-text"),
    pytest.param("\U000e0101", "⟨U+E0101⟩", id="variation-selectors-smuggle-text"),
    pytest.param("a\u2028b", "a⟨U+2028⟩b", id="line-separator"),
    pytest.param("\uffff", "⟨U+FFFF⟩", id="noncharacter"),
    pytest.param("👩\u200d🔬 नमस्ते עברית", "👩\u200d🔬 नमस्ते עברית", id="emoji-and-scripts-stay"),
    pytest.param("\x00" * 4000, "␀×4,000 ", id="a-long-run-is-counted"),
    pytest.param("", "", id="nothing"),
]


@pytest.mark.parametrize(("text", "expected"), VISIBLE)
def test_what_cannot_be_seen_is_written_out(text, expected):
    assert visible(text) == expected


@given(st.text(st.characters(codec=None)))
def test_visible_text_can_be_encoded_and_holds_no_control(text):
    shown = visible(text)
    shown.encode("utf-8")
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} and c not in "\n\t" for c in shown)
    assert visible(shown) == shown


def test_cut_says_what_is_missing():
    assert cut("abc", 3) == "abc"
    assert cut("a" * 5000, 4000) == "a" * 4000 + "… [1,000 more characters]"


def test_one_line():
    assert one_line("a\n  b\tc ", 20) == "a ⏎ b c"
    assert one_line("abcdef", 4) == "abc…"
    assert len(one_line("x\n" * 100_000, 30)) <= 30


def test_clean_reaches_every_text_and_keeps_lines_only_in_flips():
    report = clean(hostile())
    texts = []

    def walk(value):
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, dict):
            for key, item in value.items():
                walk(key)
                walk(item)
        elif isinstance(value, list | tuple):
            for item in value:
                walk(item)

    walk(report.model_dump())
    assert len(texts) > 60
    assert all(visible(text) == text for text in texts)
    flip = report.verdicts[0].flips[0]
    assert "\n" in flip.input
    assert "\n" not in flip.case_id + report.suite + report.verdicts[0].headline
    assert max(map(len, texts)) < LONGEST + 50


def test_clean_bounds_length_and_depth():
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    arm = ArmSummary(target="x" * 1_000_000, use="", outputs=1, statuses={})
    assert len(clean(arm).target) < LONGEST + 50
    report = hostile().model_copy(update={"environment": {"deep": deep}})
    assert "…" in repr(clean(report).environment)


DIFFS = [
    pytest.param("a b c", "a x c", ["b"], ["x"], id="one-word"),
    pytest.param("same", "same", [], [], id="equal"),
    pytest.param("", "new words", [], [], id="nothing-in-common-is-not-marked"),
    pytest.param("one two three", "vier fünf sechs sieben acht neun", [], [], id="unlike-texts-are-not-marked"),
    pytest.param("pay 10.50 now", "pay 10.75 now", ["50"], ["75"], id="digits"),
    pytest.param("a b c d", "a b d", ["c "], [], id="a-word-less"),
]


@pytest.mark.parametrize(("old", "new", "only_old", "only_new"), DIFFS)
def test_word_diff(old, new, only_old, only_new):
    left, right = word_diff(old, new, limit=100)
    assert [p.text for p in left if p.kind == "changed"] == only_old
    assert [p.text for p in right if p.kind == "changed"] == only_new


@given(st.text(), st.text())
def test_a_diff_loses_nothing(old, new):
    left, right = word_diff(old, new, limit=10_000)
    assert "".join(p.text for p in left) == old
    assert "".join(p.text for p in right) == new


@given(st.text(st.sampled_from("ab \n"), max_size=600), st.text(st.sampled_from("ab \n"), max_size=600))
def test_a_diff_keeps_its_limit(old, new):
    for side in word_diff(old, new, limit=200):
        assert sum(len(p.text) for p in side if p.kind != "skipped") <= 200


def test_a_long_common_stretch_is_left_out_and_the_change_stays():
    words = " ".join(f"word{i}" for i in range(600))
    left, right = word_diff(f"{words} yes {words}", f"{words} no {words}", limit=2_000)
    assert [p.text for p in left if p.kind == "changed"] == ["yes"]
    assert [p.text for p in right if p.kind == "changed"] == ["no"]
    assert any(p.kind == "skipped" and "words alike" in p.text for p in left)


@pytest.mark.timeout(20)
def test_repetitive_text_does_not_take_forever():
    word_diff("a b " * 1_000, "b a " * 1_000, limit=4_000)
    word_diff("a" * 1_000_000, "a " * 500_000, limit=4_000)


def test_excerpts_begin_where_the_texts_part():
    flip = flips(1)[0]
    old, new = excerpts(flip.incumbent, flip.candidate, 90)
    assert "inside the 30-day" in old
    assert "outside the 14-day" in new
    assert max(len(old), len(new)) <= 90
    assert excerpts("short", "shirt", 90) == ("short", "shirt")
    assert HOSTILE[:20] in excerpts(HOSTILE, "", 60)[0]
