"""A graded scale with anchored levels."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Filled, Record, Text
from seatrial.core.score import Score, ScorerInfo
from seatrial.errors import JudgeError
from seatrial.scorers.base import Flag, Share
from seatrial.scorers.card import Card, Example
from seatrial.scorers.judged.asking import Material, Question, choose, level_chances, probability
from seatrial.scorers.judged.base import JudgedScorer, evidence_of, together
from seatrial.scorers.judged.showing import SIGHTS, Sight, shown_to_judge

UNDECIDED = "undecided"
FARTHEST = 1.0


def _word(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", value):
        raise ValueError("must be a word of at most 40 letters, digits, _ and -")
    return value


class Level(Record):
    """One level of a scale, with what an answer on it looks like."""

    name: Annotated[Filled, AfterValidator(_word)] = Field(description="A word of letters, digits, _ and -")
    means: Filled = Field(description="What an answer on this level looks like")
    value: Share | None = Field(default=None, description="Evenly spaced from 0 to 1 where no level has one")


class Grade(JudgedScorer):
    """The level of a scale that a judge puts the answer on.

    Each level is anchored by a description, and the judge quotes what its choice rests on. The value is the level's.
    With `logprobs` it is the expected value instead: the judge is asked once more for the level's number, and the
    likeliest first tokens (`top_logprobs`) give each level's chance, as in G-Eval. Where a judge does not give those,
    or there are more than nine levels, it is asked of each level but the lowest whether the answer reaches it, in one
    word, whose own log probabilities give the chance. Where it gives none either, the stated level stands; the reason
    says which it was. A stated level and an expectation more than one level apart are a `judge_error`. Example:
    `{judge: careful, question: How helpful is the answer?, levels: [{name: poor, means: …}, {name: good, means: …}]}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("grade", "2", needs=frozenset({"judge"}), cost="model")
    card: ClassVar[Card] = Card(
        formula=(
            "The value of the stated level; with `logprobs`, Σ vₖ·P(level k), the P from the likeliest tokens of one "
            "answer brought up to 1; without those, v₁ + Σ (vₖ − vₖ₋₁)·P(level ≥ k), each P from a one-word answer's "
            "log probabilities. Passed at `threshold`."
        ),
        examples=(
            Example(
                "How long do refunds take?",
                "Five working days.",
                1.0,
                True,
                {
                    "judge": "careful",
                    "question": "How clear is the answer?",
                    "levels": [
                        {"name": "muddled", "means": "it takes two readings"},
                        {"name": "passable", "means": "one reading, with effort"},
                        {"name": "clear", "means": "one reading"},
                    ],
                    "threshold": 0.5,
                },
                judge=({"*": {"verdict": "clear", "quote": "Five working days", "where": "answer"}},),
            ),
            Example(
                "How long do refunds take?",
                "It depends, as it were, on what one means by long.",
                0.0,
                False,
                {
                    "judge": "careful",
                    "question": "How clear is the answer?",
                    "levels": [
                        {"name": "muddled", "means": "it takes two readings"},
                        {"name": "clear", "means": "one reading"},
                    ],
                    "threshold": 0.5,
                },
                judge=({"*": "muddled"},),
            ),
        ),
        fails=(
            "Judges avoid the ends of a scale and differ in their strictness: two judges' grades are not comparable.",
            "Levels without a clear description are graded by taste.",
            "Values of levels are an order that you made into numbers; their mean is only as good as those.",
        ),
        sources=(
            "Liu et al. 2023, G-Eval: NLG Evaluation using GPT-4 with Better Human Alignment (arXiv:2303.16634).",
            "Frank and Hall 2001, A Simple Approach to Ordinal Classification (ECML).",
        ),
        also_called=(
            "promptfoo:g-eval",
            "deepeval:GEval",
            "ragas:RubricsScore",
            "ragas:SimpleCriteriaScore",
            "langchain:score_string",
        ),
    )

    question: Filled = Field(description="What is graded")
    levels: tuple[Level, ...] = Field(min_length=2, description="From the worst to the best")
    threshold: Share = Field(description="The value that passes")
    logprobs: Flag = Field(default=False, description="Expected value; one more request, or one a level")
    sees: tuple[Sight, ...] = Field(default=SIGHTS, description="What the judge is shown beside the answer")
    guidance: Text = Field(default="", description="What the judge should know, from you")

    @model_validator(mode="after")
    def _a_scale(self) -> Self:
        names = [level.name for level in self.levels]
        given = [level.value for level in self.levels if level.value is not None]
        if len(set(names)) < len(names) or UNDECIDED in names:
            raise ValueError(f"levels need names of their own, other than {UNDECIDED}")
        if given and len(given) < len(names):
            raise ValueError("either every level has a value or none")
        if any(low >= high for low, high in pairwise(given)):
            raise ValueError("levels go from the worst to the best, so their values must rise")
        return self

    def values(self) -> list[float]:
        """The levels' values."""
        last = len(self.levels) - 1
        return [n / last if level.value is None else level.value for n, level in enumerate(self.levels)]

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output. Raises JudgeError."""
        materials = shown_to_judge(case, output, self.sees)
        words = {level.name: level.means for level in self.levels} | {UNDECIDED: "the materials do not tell"}
        question = Question("level", self.question)
        found = await choose(self.services, self.judge, [question], words, materials, guidance=self.guidance)
        stated = found["level"]
        evidence = (evidence_of(self.question, stated),)
        if stated.word == UNDECIDED:
            return Score(status="judge_error", reason="the judge could not decide on a level", evidence=evidence)
        at = [level.name for level in self.levels].index(stated.word)
        chances = await self._chances(materials) if self.logprobs else None
        if chances is None:
            silent = " (the judge gives no log probabilities)" if self.logprobs else ""
            return Score.graded(
                self.values()[at], self.threshold, f"level {stated.word}, as stated{silent}", evidence=evidence
            )
        return Score.graded(
            self._expected(chances, at),
            self.threshold,
            f"expected value by log probabilities; stated level {stated.word}",
            evidence=evidence,
        )

    def _expected(self, chances: list[float], stated: int) -> float:
        """The expected value of the chances to reach each level. Raises JudgeError where they belie the stated one."""
        place = sum(chances)
        if abs(place - stated) > FARTHEST:
            raise JudgeError(
                f"The judge states level {self.levels[stated].name}, but its log probabilities say {place:.2f} levels "
                "above the lowest."
            )
        values = self.values()
        steps = zip(pairwise(values), chances, strict=True)
        return min(1.0, max(0.0, values[0] + sum((high - low) * chance for (low, high), chance in steps)))

    async def _chances(self, materials: list[Material]) -> list[float] | None:
        """The chance to reach each level but the lowest, none above that of the level below; None where not given."""
        said = [f"{level.name}, {level.means}" for level in self.levels]
        each = await level_chances(self.services, self.judge, self.question, said, materials, guidance=self.guidance)
        if each is not None:
            return [min(1.0, math.fsum(each[k:])) for k in range(1, len(each))]
        scale = "; ".join(f"{level.name}: {level.means}" for level in self.levels)
        questions = [
            f"{self.question} The levels, from the worst to the best, are: {scale}. "
            f"Does the answer reach at least the level {level.name}?"
            for level in self.levels[1:]
        ]
        found = await together(
            probability(self.services, self.judge, question, materials, guidance=self.guidance)
            for question in questions
        )
        chances: list[float] = []
        for chance in found:
            if chance is None:
                return None
            chances.append(min([chance, *chances[-1:]]))
        return chances
