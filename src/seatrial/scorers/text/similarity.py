"""Nearness of texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

from pydantic import Field
from rapidfuzz import fuzz

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score, ScorerInfo
from seatrial.scorers.base import Flag, ReferenceScorer, Share, answers, shown
from seatrial.scorers.card import Card, Example

MAX_WORK = 4_000_000_000

_METHODS: dict[str, Callable[[str, str], float]] = {
    "ratio": fuzz.ratio,
    "partial": fuzz.partial_ratio,
    "token_sort": fuzz.token_sort_ratio,
    "token_set": fuzz.token_set_ratio,
}


class Fuzzy(ReferenceScorer):
    """How near the answer is to the nearest expected answer, in [0, 1].

    Formula of `ratio`: 1 − d / (len(a) + len(b)), d the insertions and deletions that turn one into the other (indel
    distance, by rapidfuzz). `partial`: the best stretch of the longer text. `token_sort`: words in any order.
    `token_set`: repeated and additional words are forgiven, so an answer of one shared word scores 1: use with care.
    Fails to help where one character decides ("not", numbers, ids). Example: `{method: token_sort, threshold: 0.9}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("fuzzy", "1", needs=frozenset({"expected"}))
    card: ClassVar[Card] = Card(
        formula="1 − insertions and deletions / (len(a) + len(b)), the best over the expected answers",
        examples=(
            Example({"input": "q", "expected": "Main Street 5, Ulm"}, "Main Street 5 Ulm", 34 / 35, True),
            Example({"input": "q", "expected": "Paris"}, "London", 0.0, False),
        ),
        fails=(
            "One character can turn the meaning ('not', a digit, an id) and hardly moves the value.",
            "`token_set` gives 1 to an answer of a single shared word.",
        ),
        sources=("Levenshtein 1966", "rapidfuzz"),
        also_called=(
            "autoevals:Levenshtein",
            "promptfoo:levenshtein",
            "ragas:NonLLMStringSimilarity",
            "langchain:string_distance",
            "openai-evals:FuzzyMatch",
        ),
    )
    method: Literal["ratio", "partial", "token_sort", "token_set"] = "ratio"
    threshold: Share = Field(default=0.8, gt=0)
    ignore_case: Flag = True

    def score(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        text = self._clean(output.text)
        compare = _METHODS[self.method]
        best, nearest = 0.0, ""
        for answer in answers(case):
            wanted = self._clean(answer)
            if len(text) * len(wanted) > MAX_WORK:
                return Score(
                    status="judge_error", reason=f"texts of {len(text)} and {len(wanted)} characters: too long"
                )
            value = min(1.0, compare(text, wanted) / 100) if text and wanted else 0.0
            if value > best or not nearest:
                best, nearest = value, answer
        return Score.graded(best, self.threshold, f"{best:.3f} near {shown(nearest, 80)}")

    def _clean(self, text: str) -> str:
        text = " ".join(text.split())
        return text.casefold() if self.ignore_case else text
