"""Two answers to one case, held against each other in both orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from pydantic import Field

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Filled, Text
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.scorers.base import Share, answers
from seatrial.scorers.card import Card, Example
from seatrial.scorers.judged.asking import Chosen, Question, choose
from seatrial.scorers.judged.base import JudgedScorer, evidence_of, together
from seatrial.scorers.judged.showing import SIGHTS, Sight, shown_answer, shown_to_judge

WORDS = {
    "first": "the first answer is better",
    "second": "the second answer is better",
    "tie": "neither is better than the other",
}
_TURNED = {"first": "second", "second": "first", "tie": "tie"}
_TURNED_PLACES = {"first": "second", "second": "first", "first_calls": "second_calls", "second_calls": "first_calls"}
_VALUES = {"first": 1.0, "tie": 0.5, "second": 0.0}
_SAYS = {"first": "the first is better", "second": "the second is better", "tie": "neither is better"}


class _Outcome(NamedTuple):
    word: str
    reason: str
    evidence: tuple[Evidence, ...]


class Preference(JudgedScorer):
    """Which of two answers a judge prefers, asked in both orders.

    As a scorer it holds the answer against the case's first accepted one: 1 where the answer is better, 0.5 for a tie,
    0 where the reference is. `compare` holds two outputs against each other. A judge whose two orders disagree is
    led by position: that is a tie, and the reason says so. Equal texts are a tie without asking. Example: `{judge:
    careful, question: Which answer is friendlier?}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("preference", "1", needs=frozenset({"judge", "expected"}), cost="model")
    card: ClassVar[Card] = Card(
        formula="1 where both orders prefer the answer, 0 where both prefer the other, else 0.5.",
        examples=(
            Example(
                {"input": "How long do refunds take?", "expected": "Some days."},
                "Five working days.",
                1.0,
                True,
                {"judge": "careful"},
                judge=({"better": "first"}, {"better": "second"}),
                note="The second request shows the answer second.",
            ),
            Example(
                {"input": "How long do refunds take?", "expected": "Five working days."},
                "Some days.",
                0.5,
                True,
                {"judge": "careful"},
                judge=({"better": "first"},),
                note="Whichever comes first is preferred: a tie.",
            ),
            Example(
                {"input": "How long do refunds take?", "expected": "Five working days."},
                "Some days.",
                0.0,
                False,
                {"judge": "careful"},
                judge=({"better": "second"}, {"better": "first"}),
            ),
        ),
        fails=(
            "Judges prefer the longer answer, and answers of their own family; asking in both orders does not help.",
            "Many ties may be a judge led by position: count the reasons.",
            "Better than the reference is not right: a reference may be wrong or dull.",
        ),
        sources=("Zheng et al. 2023, Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena (arXiv:2306.05685).",),
        also_called=(
            "promptfoo:select-best",
            "deepeval:ArenaGEval",
            "langchain:labeled_pairwise_string",
            "autoevals:Battle",
        ),
    )

    question: Filled = Field(default="Which answer serves the user better?", description="What is compared")
    threshold: Share = Field(default=0.5, description="The value that passes: 0.5 takes a tie, 1 does not")
    sees: tuple[Sight, ...] = Field(default=SIGHTS, description="What the judge is shown beside the answers")
    guidance: Text = Field(default="", description="What the judge should know, from you")

    def applies(self, case: Case) -> str:
        """Empty when the case has an accepted answer."""
        return "" if answers(case) else "the case has no expected answers"

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Hold the output against the first accepted answer. Raises JudgeError."""
        found = await self._decided(case, output, Output.of(answers(case)[0]))
        return Score.graded(_VALUES[found.word], self.threshold, found.reason, evidence=found.evidence)

    async def compare(self, case: Case, first: Output, second: Output) -> Score:
        """Hold two outputs against each other: value 1 prefers the first, 0 the second, 0.5 neither.

        An output with a failure of its model loses against one without; a failure of the infrastructure on either
        side is an `infra_error`. Raises JudgeError.
        """
        sides = {"first": first.failure, "second": second.failure}
        for name, failure in sides.items():
            if failure is not None and failure.kind == "infra":
                return Score(status="infra_error", reason=f"there is no {name} answer: {failure.code}")
        failed = [name for name, failure in sides.items() if failure is not None]
        if failed:
            word = "tie" if len(failed) == 2 else _TURNED[failed[0]]
            said = "neither is an answer" if word == "tie" else f"the {failed[0]} is no answer"
            return Score(value=_VALUES[word], reason=said)
        found = await self._decided(case, first, second)
        return Score(value=_VALUES[found.word], reason=found.reason, evidence=found.evidence)

    @property
    def comparator(self) -> PairwiseJudge:
        """The same as a `Comparator`."""
        return PairwiseJudge(self)

    async def _decided(self, case: Case, first: Output, second: Output) -> _Outcome:
        if first.text == second.text and first.tool_calls == second.tool_calls:
            return _Outcome("tie", "the two are equal", ())
        ahead, turned = await together([self._asked(case, first, second), self._asked(case, second, first)])
        back = turned._replace(word=_TURNED[turned.word], where=_TURNED_PLACES.get(turned.where, turned.where))
        evidence = (
            evidence_of("the first shown first", ahead),
            evidence_of("the first shown second", back),
        )
        if ahead.word == back.word:
            return _Outcome(ahead.word, f"{_SAYS[ahead.word]}, in both orders", evidence)
        reason = (
            f"the two orders disagree, which counts as a tie: {_SAYS[ahead.word]}; turned round, {_SAYS[back.word]}"
        )
        return _Outcome("tie", reason, evidence)

    async def _asked(self, case: Case, first: Output, second: Output) -> Chosen:
        beside = [m for m in shown_to_judge(case, first, self.sees) if not m.quotable]
        materials = [*beside, *shown_answer(first, "first"), *shown_answer(second, "second")]
        questions = [Question("better", self.question)]
        return (await choose(self.services, self.judge, questions, WORDS, materials, guidance=self.guidance))["better"]


@dataclass(frozen=True, slots=True)
class PairwiseJudge:
    """A preference as a `Comparator`."""

    preference: Preference

    @property
    def info(self) -> ScorerInfo:
        """What it declares of itself."""
        return self.preference.info

    async def __call__(self, case: Case, first: Output, second: Output, /) -> Score:
        """Compare the outputs. Raises JudgeError."""
        return await self.preference.compare(case, first, second)
