"""BLEU, chrF, ROUGE-L and embeddings against those who compute them elsewhere."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
from pathlib import Path

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.errors import ScorerConfigError
from seatrial.scorers import build, judge
from seatrial.scorers.text.overlap import without_spaces, words_of

FRAGMENTS = ("the a cat dog sat mat on over under ran quick brown", "fox jumps lazy, today. Not")
WORDS = [word for part in FRAGMENTS for word in part.split(" ")]


def texts(seed: int) -> tuple[str, list[str]]:
    chance = random.Random(seed)

    def one() -> str:
        return " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, 15)))

    return one(), [one() for _ in range(chance.randint(1, 3))]


@pytest.mark.parametrize("seed", range(40))
def test_bleu_is_sacrebleus(judged, seed):
    answer, goals = texts(seed)
    found = judged("bleu", {"threshold": 0.3}, answer, {"answers": goals})
    assert found.value == pytest.approx(sacrebleu.sentence_bleu(answer, goals, use_effective_order=True).score / 100)
    assert found.passed is (found.value >= 0.3)


@pytest.mark.parametrize("seed", range(40))
def test_chrf_is_sacrebleus(judged, seed):
    answer, goals = texts(seed)
    found = judged("chrf", {"words": 2 * (seed % 2)}, answer, {"answers": goals})
    assert found.value == pytest.approx(sacrebleu.sentence_chrf(answer, goals, word_order=2 * (seed % 2)).score / 100)


def longest_common(a: list[str], b: list[str]) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], before + 1 if x == y else max(row[j], row[j - 1])
    return row[-1]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("measure", ["f1", "precision", "recall"])
def test_rouge_l_by_its_definition(judged, seed, measure):
    answer, goals = texts(seed)
    found = judged("rouge_l", {"measure": measure}, answer, {"answers": goals})
    said, best = words_of(answer), 0.0
    for goal in goals:
        common, size = longest_common(said, words_of(goal)), len(words_of(goal))
        p, r = common / len(said), common / size
        f1 = 2 * p * r / (p + r) if common else 0.0
        best = max(best, {"f1": f1, "precision": p, "recall": r}[measure])
    assert found.value == pytest.approx(best)


@pytest.mark.parametrize("seed", range(20))
def test_rouge_l_is_rouge_scores(judged, seed):
    rouge = pytest.importorskip("rouge_score.rouge_scorer", reason="rouge-score is not installed")
    answer, goals = texts(seed)
    theirs = rouge.RougeScorer(["rougeL"]).score_multi(goals, answer)["rougeL"].fmeasure
    assert judged("rouge_l", {}, answer, {"answers": goals}).value == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop_me now!", ["don", "t", "stop", "me", "now"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("我喜欢猫", ["我", "喜", "欢", "猫"]),
        ("GPT模型2", ["gpt", "模", "型", "2"]),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
        ("naïve café", ["naïve", "café"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("\x00 … —", []),
    ],
)
def test_words(text, words):
    assert words_of(text) == words


def test_scripts_without_spaces_are_told_from_the_reference(judged):
    assert without_spaces(["我喜欢猫 GPT"])
    assert not without_spaces(["I like 猫"])
    assert judged("bleu", {}, "我非常喜欢这只猫", "我非常喜欢那只猫").value > 0.4
    assert judged("bleu", {"tokenize": "none"}, "我非常喜欢这只猫", "我非常喜欢那只猫").value < 0.1


TEXT = st.text(st.sampled_from("ab \u4e00\ud800\u202e\x00é"), max_size=30)


@pytest.mark.parametrize("name", ["bleu", "chrf", "rouge_l", "fuzzy"])
@given(answer=TEXT, goal=TEXT)
def test_values_are_shares_and_the_reference_itself_is_1(judged, name, answer, goal):
    found = judged(name, {}, answer, goal)
    if found.status == "scored":
        assert 0 <= found.value <= 1
    same = judged(name, {}, goal, goal)
    if same.status == "scored" and words_of(goal):
        assert same.value == pytest.approx(1)
        assert same.passed


@pytest.mark.parametrize("name", ["chrf", "rouge_l", "fuzzy"])
@given(st.lists(st.sampled_from(WORDS), min_size=2, max_size=10, unique=True), st.randoms())
def test_putting_a_word_right_never_lowers_the_value(judged, name, words, chance):
    answer = [f"{at}%%" for at in range(len(words))]
    order = list(range(len(words)))
    chance.shuffle(order)
    values = []
    for at in order:
        answer[at] = words[at]
        values.append(judged(name, {}, " ".join(answer), " ".join(words)).value)
    assert all(b >= a - 1e-9 for a, b in itertools.pairwise(values))


HOSTILE = [
    "\x00" * 100,
    "\ud800\udfff",
    "\u202eabc",
    "x" * 1_000_000,
    "a " * 200_000,
    "".join(map(chr, range(32, 5000))),
]


@pytest.mark.parametrize("name", ["bleu", "chrf", "rouge_l"])
@pytest.mark.parametrize("answer", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_answers(judged, name, answer):
    found = judged(name, {}, answer, "the cat sat")
    assert found.status == "scored", found.reason
    assert 0 <= found.value < 0.5


def test_a_long_answer_to_a_long_reference_is_missing_rather_than_wrong(judged):
    found = judged("chrf", {}, "x" * 600_000, "y" * 400_000)
    assert (found.status, found.passed) == ("judge_error", None)


@pytest.mark.parametrize("name", ["bleu", "chrf", "rouge_l", "embedding_similarity"])
def test_cases_without_a_reference(judged, name):
    assert judged(name, {}, "text").status == "not_applicable"
    assert judged(name, {}, "text", "  ").status == "not_applicable"


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("bleu", {"tokenize": "flores200"}),
        ("bleu", {"order": 0}),
        ("chrf", {"beta": 0}),
        ("rouge_l", {"measure": "f2"}),
    ],
)
def test_bad_settings(name, settings):
    with pytest.raises(ScorerConfigError):
        build(name, settings, Path())


class Embedder:
    """Services that give the vectors they were made with, or raise."""

    def __init__(self, *vectors, error=None):
        self.vectors, self.error, self.asked = list(vectors), error, []

    async def complete(self, target, request):
        raise AssertionError("no judge is asked")

    async def embed(self, texts):
        self.asked.append(list(texts))
        if self.error:
            raise self.error
        return self.vectors


def embedded(embedder, *goals, text="answer", **settings):
    scorer = build("embedding_similarity", settings, Path()).bind(embedder)
    case = Case(id="1", input="q", expected={"answers": list(goals)}).view()
    return asyncio.run(judge(scorer, case, Output.of(text)))


@pytest.mark.parametrize(
    ("vectors", "value", "passed"),
    [
        ([(1, 0), (1, 0)], 1.0, True),
        ([(1, 0), (0, 1)], 0.0, False),
        ([(1, 0), (-1, 0)], 0.0, False),
        ([(1, 0), (0.8, 0.6)], 0.8, True),
        ([(3, 0), (1.6, 1.2)], 0.8, True),
        ([(1, 0), (0, 1), (0.6, 0.8)], 0.6, False),
    ],
)
def test_the_cosine_with_the_nearest_reference(vectors, value, passed):
    embedder = Embedder(*vectors)
    found = embedded(embedder, *[f"goal {at}" for at in range(len(vectors) - 1)])
    assert (found.status, found.passed) == ("scored", passed)
    assert found.value == pytest.approx(value)
    assert embedder.asked == [["answer", *[f"goal {at}" for at in range(len(vectors) - 1)]]]


BROKEN = [
    pytest.param(Embedder(error=ConnectionError("503")), id="the-service-is-down"),
    pytest.param(Embedder(), id="no-vectors"),
    pytest.param(Embedder((1, 0)), id="one-vector-too-few"),
    pytest.param(Embedder((1, 0), (0, 0)), id="no-direction"),
    pytest.param(Embedder((1, 0), (math.nan, 1)), id="not-a-number"),
    pytest.param(Embedder((1, 0), (math.inf, 1)), id="infinite"),
    pytest.param(Embedder((1, 0), (1, 0, 0)), id="unlike-lengths"),
]


@pytest.mark.parametrize("embedder", BROKEN)
def test_an_outage_is_no_bad_answer(embedder):
    found = embedded(embedder, "goal")
    assert (found.status, found.value, found.passed) == ("judge_error", None, None)
    assert found.reason


def test_binding_leaves_the_scorer_as_it_was():
    scorer = build("embedding_similarity", {"threshold": 0.9}, Path())
    bound = scorer.bind(Embedder((1, 0), (1, 0)))
    assert bound.identity() == scorer.identity() == {"threshold": 0.9}
    case = Case(id="1", input="q", expected="goal").view()
    assert asyncio.run(judge(scorer, case, Output.of("x"))).status == "judge_error"
    assert asyncio.run(judge(bound, case, Output.of("x"))).passed
