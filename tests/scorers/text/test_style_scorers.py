from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import ScorerConfigError
from seatrial.scorers.text._prose import own_words, sentences
from seatrial.scorers.text.reading import count, syllables


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Dr. Ito paid 3.50 dollars, e.g. for tea. J. Smith left.", 2),
        ("One! Two? Three… done", 3),
        ("# Title\n\n- one\n- two\n1. three", 4),
        ("wrapped\nline goes on.", 1),
        ("これはペンです。あれは本です。", 2),
        ('He said "stop!" and left.', 1),
        ("\n\n- \n", 0),
    ],
)
def test_sentences(text, parts):
    assert len(sentences(text)) == parts


@given(st.text(alphabet='ab `\n~>"“”«».@:/<w#|', max_size=80))
def test_own_words_keeps_every_offset(text):
    said = own_words(text)
    assert len(said) == len(text)
    assert all(a in (b, " ") for a, b in zip(said, text, strict=True))


WORDS = (
    "the:1 cake:1 table:2 walked:1 wanted:2 boxes:2 people:2 nation:2 radio:3 idea:3 being:2 science:2 create:2 "
    "created:3 information:4 usually:4 language:2 marriage:2 social:2 various:3 easier:3 museum:3 rhythm:2 handled:2 "
    "queue:1 league:1 evaluate:4 client:2 available:4 everyone:3 statement:2 element:3 someone:2 fluid:2 friend:1"
)


@pytest.mark.parametrize("pair", WORDS.split())
def test_syllables(pair):
    word, _, number = pair.partition(":")
    assert syllables(word) == int(number)


def test_the_formulas():
    found = count("The cat sat on the mat. It was a big dog.")
    assert (found.words, found.sentences, found.syllables) == (11, 2, 11)
    assert found.grade == pytest.approx(0.39 * 5.5 + 11.8 - 15.59)
    assert found.ease == pytest.approx(206.835 - 1.015 * 5.5 - 84.6)


def test_reading_level(judged):
    text = "The dog ran home. It was wet."
    assert judged("reading_level", {}, text).unit == "grade"
    assert judged("reading_level", {"formula": "ease", "min": 90}, text).passed
    assert judged("reading_level", {}, text, strata={"language": "de"}).status == "not_applicable"
    assert judged("reading_level", {}, "Das ist ein ganz einfacher Satz über den Hund.").status == "judge_error"
    assert judged("reading_level", {}, "```\nx\n```").status == "judge_error"
    with pytest.raises(ScorerConfigError):
        judged("reading_level", {"min": 5, "max": 2}, "x")


@given(st.integers(1, 12), st.integers(1, 12))
def test_longer_sentences_are_never_easier(short, more):
    easy, hard = ("the dog ran on " * n + "." for n in (short, short + more))
    assert count(hard).grade >= count(easy).grade
    assert count(hard).ease <= count(easy).ease


@pytest.mark.parametrize(
    ("settings", "text", "passed"),
    [
        ({}, "Your parcel left on Monday and should arrive within two days.", True),
        ({}, "I am here. " * 5, False),
        ({}, "very very very very good", True),
        ({}, "ha " * 7, False),
        ({}, "a" * 900, False),
        ({}, "!" * 900, False),
        ({}, "| 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |", True),
        ({}, "これはペンです。" * 4, False),
        ({}, "We deliver to you.\nBut when?\n" * 4, False),
        ({"max_run": 9, "max_lines": 9, "max_share": 1.0}, "We deliver to you.\nBut when?\n" * 4, True),
        ({}, "```\n" + "x = 1\n" * 50 + "```", True),
        ({}, "- item one is red\n- item two is red\n- item three is blue", True),
    ],
)
def test_repetition(judged, settings, text, passed):
    score = judged("repetition", settings, text)
    assert (score.status, score.passed) == ("scored", passed), score
    assert score.unit == "share"


@given(st.integers(0, 10))
def test_a_longer_loop_scores_no_higher(judged, times):
    start = "Your parcel left on Monday and will reach you soon, we hope. "
    values = [judged("repetition", {}, start + "It is on its way now. " * n).value for n in range(times + 1)]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize(
    ("settings", "text", "quotes"),
    [
        pytest.param({"banned": "cheap"}, "A cheapskate.", [], id="inside a word"),
        pytest.param({"banned": "cheap"}, "so CHEAP!", ["CHEAP"], id="any case"),
        pytest.param({"banned": "café"}, "un CAFÉ noir", ["CAFÉ"], id="accents"),
        pytest.param({"banned": "cafe"}, "un cafe\u0301 noir", [], id="a combining accent"),
        pytest.param({"banned": "don't panic"}, "Don’t\n panic", ["Don’t\n panic"], id="apostrophe and space"),
        pytest.param({"banned": "保証"}, "これは保証です", ["保証"], id="no spaces"),
        pytest.param({"banned": "C++"}, "in C++.", ["C++"], id="symbols"),
        pytest.param({"banned": "a.b"}, "axb", [], id="no pattern"),
        pytest.param({"required": ["thank you", "regards"]}, "Thank you! Regards", [], id="required"),
        pytest.param({"required": "regards"}, "Bye", [""], id="required, missing"),
        pytest.param({"avoid_persons": "first_singular", "language": "en"}, "I'm sure my dog", ["I'm", "my"], id="I"),
        pytest.param({"avoid_persons": "first_plural", "language": "en"}, "In the US, we", ["we"], id="we, not US"),
        pytest.param({"avoid_persons": "first_singular", "language": "en"}, 'He: "I am here."', [], id="quoted"),
        pytest.param({"formality": "formal", "language": "en"}, "We can't, gonna", ["can't", "gonna"], id="en formal"),
        pytest.param(
            {"formality": "formal", "language": "de"}, "Kannst du es Dir holen?", ["du", "Dir"], id="de formal"
        ),
        pytest.param(
            {"formality": "informal", "language": "de"}, "Sie ist da. Haben Sie sie?", ["Sie"], id="de informal"
        ),
        pytest.param({"formality": "formal", "language": "fr"}, "Tu as ton sac ?", ["Tu", "ton"], id="fr formal"),
        pytest.param(
            {"formality": "informal", "language": "fr"}, "Avez-vous votre sac ?", ["vous", "votre"], id="fr vous"
        ),
        pytest.param({"formality": "formal", "language": "es"}, "¿Tienes tu pedido?", ["tu"], id="es formal"),
        pytest.param({"formality": "informal", "language": "es"}, "Usted puede", ["Usted"], id="es usted"),
        pytest.param({"contractions": "forbid"}, "the dog's bone; it’s", ["it’s"], id="a genitive is none"),
        pytest.param({"max_emoji": 0}, "✓ ™ © → ok", [], id="symbols are no emoji"),
        pytest.param({"max_emoji": 2}, "👨\u200d👩\u200d👧 🇩🇪 👍🏽", ["👍🏽"], id="joined emoji are one"),
        pytest.param({"max_exclamations": 1}, "wow! `a!` no!", ["!"], id="exclamation marks"),
        pytest.param({"all_caps": False, "caps": "NASA"}, "NASA, the USA, Louis XVIII", [], id="acronyms"),
        pytest.param({"all_caps": False}, "STOP, do NOT TOUCH ÄRGER", ["STOP", "TOUCH", "ÄRGER"], id="shouting"),
        pytest.param(
            {"max_sentence_words": 3}, "One two three. One two three four.", ["One two three four."], id="long"
        ),
    ],
)
def test_brand_voice(judged, settings, text, quotes):
    score = judged("brand_voice", settings, text)
    assert (score.status, score.passed) == ("scored", not quotes), score
    assert [e.quote.strip() for e in score.evidence] == quotes
    assert all(e.start is None or text[e.start : e.end] == e.quote for e in score.evidence)


def test_the_value_is_the_share_of_kept_lints(judged):
    settings = {"banned": "cheap", "max_emoji": 0, "max_exclamations": 0, "required": "thanks"}
    values = [
        judged("brand_voice", settings, t).value for t in ("thanks", "cheap thanks", "cheap thanks!", "cheap! 🎉")
    ]
    assert values == [1.0, 0.75, 0.5, 0.0]


VOICE = {
    "banned": "cheap",
    "avoid_persons": "second",
    "contractions": "forbid",
    "max_emoji": 0,
    "max_exclamations": 0,
    "all_caps": False,
    "max_sentence_words": 8,
}
SLIPS = {
    "banned": "That is cheap.",
    "avoid_persons": "The parcel reaches you.",
    "contractions": "It can't wait.",
    "max_emoji": "Done 🎉.",
    "max_exclamations": "It is here!",
    "all_caps": "It is HERE TODAY.",
    "max_sentence_words": "This one goes on and on and on and on and on.",
}
TEXTS = st.lists(st.sampled_from(sorted(SLIPS)), max_size=8)


@given(TEXTS, TEXTS, st.integers(0, 8), st.sets(st.sampled_from(sorted(VOICE)), min_size=1))
def test_a_further_slip_never_raises_the_voice(judged, some, more, at, lints):
    settings = {**{lint: VOICE[lint] for lint in lints}, "language": "en"}

    def value(slips):
        return judged("brand_voice", settings, " ".join(["The parcel is here.", *(SLIPS[one] for one in slips)])).value

    assert value([*some[:at], *more, *some[at:]]) <= value(some) <= value([]) == 1
    assert value(some) == pytest.approx(1 - len(lints & set(some)) / len(lints))


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_a_stricter_limit_never_raises_the_voice(judged, marks, one, two):
    text = "Here it is" + "!" * marks + " 🎉" * marks
    strict, loose = sorted((one, two))
    for lint in ("max_exclamations", "max_emoji"):
        values = [judged("brand_voice", {lint: limit}, text).value for limit in (strict, loose)]
        assert values[0] <= values[1]


def test_formality_needs_a_language_it_knows(judged):
    assert judged("brand_voice", {"formality": "formal"}, "Привет, как у вас дела сегодня?").status == "judge_error"
    assert not judged("brand_voice", {"formality": "formal"}, "Bonjour, tu peux m'envoyer ton numéro ?").passed
    for settings in ({}, {"language": "de"}, {"banned": [" "]}, {"max_emoji": 0, "language": "xx"}):
        with pytest.raises(ScorerConfigError):
            judged("brand_voice", settings, "x")


@pytest.mark.parametrize(
    "piece", ["!", "a", "A'", "n't", "a.", "a@", "“", "I ", "👍\u200d", "\n- ", "`", "~~~\n", "1. ", "\0"]
)
def test_adversarial_text_ends(judged, piece):
    text = (piece * 1_000_000)[:1_000_000]
    lints = {
        "banned": "x y",
        "formality": "formal",
        "language": "en",
        "max_emoji": 0,
        "max_sentence_words": 9,
        "all_caps": False,
    }
    assert judged("brand_voice", lints, text).status == "scored"
    assert judged("repetition", {}, text).status == "scored"
    assert judged("reading_level", {"max": 9}, text, strata={"language": "en"}).status in ("scored", "judge_error")
    assert judged("same_language", {}, text, strata={"language": "en"}).status in ("scored", "judge_error")
    assert judged("length", {"of": "sentences", "max": 9}, text).status == "scored"
