"""Shared n-grams and common subsequences with reference texts: BLEU, chrF, ROUGE-L."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from rapidfuzz.distance import LCSseq
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score, ScorerInfo
from seatrial.scorers.base import Flag, ReferenceScorer, Share, answers, encodable, shown
from seatrial.scorers.card import Card, Example

MAX_CHARACTERS = 500_000
RUNS_ON = 10
"""How many times a reference's length makes an answer that is too long to compare a wrong one."""
MAX_WORK = 4_000_000_000
_EXPECTED = frozenset({"expected"})
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # iteration mark and ideographic zero
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
    (0x20000, 0x3FFFF),
)
Whole = Annotated[int, Field(strict=True, ge=0, le=10)]


def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script that is written without spaces between words (Han, kana, Thai …)."""
    code = ord(character)
    return code >= 0x0E00 and any(low <= code <= high for low, high in _UNSPACED)


def without_spaces(texts: Iterable[str]) -> bool:
    """Whether most letters are of a script without spaces."""
    letters = [c for text in texts for c in text if c.isalpha()]
    return 2 * sum(map(is_unspaced, letters)) > len(letters)


def words_of(text: str) -> list[str]:
    """Words in any case: runs of letters and digits; each character of a script without spaces is one.

    Marks stay with the letter before them.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    if text.isascii():
        return "".join(c if c.isalnum() else " " for c in text).split()
    found: list[str] = []
    joined = False
    for c in text:
        if c.isalnum():
            alone = is_unspaced(c)
            if joined and not alone:
                found[-1] += c
            else:
                found.append(c)
            joined = not alone
        elif found and unicodedata.combining(c) + (unicodedata.category(c)[0] == "M"):
            found[-1] += c
        else:
            joined = False
    return found


def references(case: Case) -> list[str]:
    """The accepted answers that say something, without lone surrogates."""
    return [encodable(answer) for answer in answers(case) if answer.strip()]


class _Overlap(ReferenceScorer):
    threshold: Share = Field(default=0.5, gt=0)

    def applies(self, case: Case) -> str:
        """Empty when the case has a reference text."""
        return super().applies(case) or ("" if references(case) else "the expected answers are blank")

    def graded(self, text: str, goals: Sequence[str], measure: Callable[[str], tuple[float, str]]) -> Score:
        """The value of a measure as a score."""
        longest = max(map(len, goals))
        if max(len(text), longest) > MAX_CHARACTERS:
            return self.too_long(text, longest)
        value, reason = measure(encodable(text))
        return Score.graded(min(1.0, max(0.0, value)), self.threshold, reason)

    def too_long(self, text: str, longest: int) -> Score:
        """The score of texts that are too long to compare: 0 for an answer that runs on and on, else a judge_error."""
        reason = f"texts of {len(text)} and {longest} characters: too long to compare"
        if len(text) > RUNS_ON * longest:
            return Score.graded(0.0, self.threshold, reason)
        return Score(status="judge_error", reason=reason)


class Bleu(_Overlap):
    """Sentence BLEU of the answer against the expected answers, in [0, 1], by sacrebleu.

    Formula: BP · exp(mean of log pₙ), pₙ the share of the answer's n-grams up to `order` (4) that occur in a reference
    (clipped by the most that one has), BP = min(1, exp(1 − r / c)) for an answer of c words and a nearest reference of
    r. Effective order: n-grams longer than the answer are left out. Zero counts are smoothed (`smooth`: exp, as in
    mteval-v13a; floor, add-k, none). All expected answers are references at once. `tokenize: auto` is 13a, or single
    characters where most letters of the references are of a script without spaces. Passes from `threshold` on (0.5).
    Fails to help for single answers: BLEU was made for a corpus, and wording that differs is not worse.
    Example: `{threshold: 0.3}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("bleu", "1", needs=_EXPECTED, cost="heavy")
    card: ClassVar[Card] = Card(
        formula="BP · exp(mean log pₙ), n = 1 … 4, effective order, exponential smoothing",
        examples=(
            Example({"input": "q", "expected": "the cat sat on the mat"}, "the cat sat on the mat", 1.0, True),
            Example({"input": "q", "expected": "the cat sat on the mat"}, "wholly different words here", 0.0, False),
        ),
        fails=(
            "A right answer in other words scores low, a wrong one in nearly the same words ('not') scores high.",
            "Sentence BLEU is unstable below about ten words; the corpus score is another number.",
        ),
        sources=("Papineni et al. 2002", "Chen & Cherry 2014 (smoothing)", "Post 2018 (sacrebleu)"),
        also_called=("promptfoo:bleu", "ragas:BleuScore", "lm-eval:bleu", "futureagi:bleu_score"),
    )
    tokenize: Literal["auto", "13a", "intl", "zh", "char", "none"] = "auto"
    smooth: Literal["exp", "floor", "add-k", "none"] = "exp"
    order: Annotated[int, Field(strict=True, ge=1, le=10)] = 4
    ignore_case: Flag = False

    @cached_property
    def _metrics(self) -> dict[bool, BLEU]:
        """By whether the references are of a script without spaces."""
        return {unspaced: self._metric(unspaced) for unspaced in (False, True)}

    def _metric(self, unspaced: bool) -> BLEU:
        return BLEU(
            lowercase=self.ignore_case,
            tokenize=("char" if unspaced else "13a") if self.tokenize == "auto" else self.tokenize,
            smooth_method=self.smooth,
            max_ngram_order=self.order,
            effective_order=True,
        )

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        goals = references(case)
        metric = self._metrics[without_spaces(goals)]

        def measure(text: str) -> tuple[float, str]:
            found = metric.sentence_score(text, goals)
            shares = " / ".join(f"{share:.0f}" for share in found.precisions)
            return found.score / 100, f"BLEU {found.score:.1f}; n-grams shared, percent: {shares}; BP {found.bp:.2f}"

        return self.graded(output.text, goals, measure)


class Chrf(_Overlap):
    """chrF of the answer against the nearest expected answer, in [0, 1], by sacrebleu.

    Formula: (1 + β²)·P·R / (β²·P + R) with β = `beta` (2), P and R the mean precision and recall of character n-grams
    up to `characters` (6), white space left out; `words: 2` adds word n-grams (chrF++). Several references: the best.
    Works for every script, inflected languages too. Passes from `threshold` on (0.5).
    Fails to help where a short difference decides (numbers, negation). Example: `{words: 2, threshold: 0.6}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("chrf", "1", needs=_EXPECTED, cost="heavy")
    card: ClassVar[Card] = Card(
        formula="F2 of character n-grams up to 6, mean over the orders that both texts have",
        examples=(
            Example({"input": "q", "expected": "Das Haus ist groß"}, "Das Haus ist groß", 1.0, True),
            Example({"input": "q", "expected": "Das Haus ist groß"}, "xyz", 0.0, False),
        ),
        fails=(
            "A changed digit or 'not' costs a few points only: it measures wording, not truth.",
            "Two unrelated texts of one language share enough n-grams for about 0.2.",
        ),
        sources=("Popović 2015 (chrF)", "Popović 2017 (chrF++)", "Post 2018 (sacrebleu)"),
        also_called=("ragas:ChrfScore", "lm-eval:chrf"),
    )
    characters: Annotated[int, Field(strict=True, ge=1, le=10)] = 6
    words: Whole = 0
    beta: Annotated[int, Field(strict=True, ge=1, le=10)] = 2
    ignore_case: Flag = False

    @cached_property
    def _metric(self) -> CHRF:
        return CHRF(
            char_order=self.characters,
            word_order=self.words,
            beta=self.beta,
            lowercase=self.ignore_case,
            eps_smoothing=False,
        )

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        goals = references(case)

        def measure(text: str) -> tuple[float, str]:
            value = self._metric.sentence_score(text, goals).score / 100
            return value, f"chrF {100 * value:.1f}"

        return self.graded(output.text, goals, measure)


class RougeL(_Overlap):
    """ROUGE-L of the answer against the nearest expected answer: the longest common subsequence of words, in [0, 1].

    Formula: F = 2·P·R / (P + R), P = LCS / words of the answer, R = LCS / words of the reference; `measure` takes one
    of them alone. Words are runs of letters and digits in any case; in scripts without spaces each character is one. No
    stemming. Several references: the best. Passes from `threshold` on (0.5).
    Fails to help where the order of clauses may change, and against padding with `measure: recall`.
    Example: `{measure: recall, threshold: 0.7}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("rouge_l", "1", needs=_EXPECTED)
    card: ClassVar[Card] = Card(
        formula="2·P·R / (P + R), with P = LCS / words of the answer, R = LCS / words of the reference",
        examples=(
            Example({"input": "q", "expected": "police killed the gunman"}, "Police kill the gunman.", 0.75, True),
            Example({"input": "q", "expected": "police killed the gunman"}, "the gunman kill police", 0.5, False,
                    {"threshold": 0.6}, note="the order of words counts"),
            Example({"input": "q", "expected": "我喜欢猫"}, "我喜欢狗", 0.75, True, note="each character is a word"),
        ),
        fails=(
            "It measures wording: a negated or wrong copy of the reference scores nearly 1.",
            "Chinese, Japanese and Thai are compared by character, which is more forgiving than by word.",
        ),
        sources=("Lin 2004 (ROUGE)",),
        also_called=("promptfoo:rouge-n", "ragas:RougeScore", "futureagi:rouge_score"),
    )  # fmt: skip
    measure: Literal["f1", "precision", "recall"] = "f1"

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        goals = references(case)
        longest = max(map(len, goals))
        if len(output.text) * longest > MAX_WORK:
            return self.too_long(output.text, longest)
        return self.graded(output.text, goals, lambda text: self._best(text, goals))

    def _best(self, text: str, goals: Sequence[str]) -> tuple[float, str]:
        said = words_of(text)
        found = [(self._value(said, words_of(goal)), goal) for goal in goals]
        (value, common), goal = max(found, key=lambda one: one[0][0])
        return value, f"{common} words in common order with {shown(goal, 80)}"

    def _value(self, said: Sequence[str], goal: Sequence[str]) -> tuple[float, int]:
        if not said or not goal:
            return 0.0, 0
        common = LCSseq.similarity(said, goal)
        whole = {"precision": len(said), "recall": len(goal), "f1": (len(said) + len(goal)) / 2}[self.measure]
        return common / whole, common
