"""Brand voice, judged by examples of it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Filled, Text
from seatrial.core.score import Score, ScorerInfo
from seatrial.scorers.base import OneOrMore, Share
from seatrial.scorers.card import Card, Example
from seatrial.scorers.judged.asking import Material, ask
from seatrial.scorers.judged.base import JudgedScorer, evidence_of
from seatrial.scorers.judged.showing import SIGHTS, Sight, shown_to_judge
from seatrial.scorers.judged.tally import Item, Items, criteria_of, distinct, scored

LIKE_THE_GOOD = Item(text="The answer is written in the voice of the good examples, whatever they are about")
UNLIKE_THE_BAD = Item(text="The answer has nothing of what sets the bad examples apart from the good ones")
ABOUT = (
    "The materials named good and bad are examples of a voice, not of what an answer should say: judge how the answer "
    "is written, never whether it is right."
)

Texts = Annotated[tuple[Filled, ...], OneOrMore]


class BrandVoiceJudge(JudgedScorer):
    """Whether an answer sounds as the brand does, by a judge who has examples of it.

    The judge sees texts in the voice (`good`) and, better, texts that are not (`bad`), and gives a verdict on each of
    the `traits`; without traits, on whether the answer sounds like the good ones and not like the bad ones. The value
    is the weighted share of yes. Example: `{judge: careful, good: ["Hi there! Sorted."], bad: ["Dear Sir or Madam"],
    traits: ["addresses the reader by you", "has no exclamation mark twice in a row"]}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("brand_voice_judge", "1", needs=frozenset({"judge"}), cost="model")
    card: ClassVar[Card] = Card(
        formula="Weight of the traits with the verdict yes, divided by the weight of all; passed at `threshold` (1).",
        examples=(
            Example(
                "Where is my parcel?",
                "Hi! It's on its way, and it's yours by Friday.",
                1.0,
                True,
                {"judge": "careful", "good": "Hi there! All sorted.", "bad": "Dear Sir or Madam,"},
                judge=({"*": {"verdict": "yes", "quote": "Hi!", "where": "answer"}},),
            ),
            Example(
                "Where is my parcel?",
                "Dear customer, your inquiry was received.",
                0.5,
                False,
                {"judge": "careful", "good": "Hi there!", "traits": ["speaks to you", "is free of jargon"]},
                judge=({"c01": "yes", "c02": "no"},),
            ),
        ),
        fails=(
            "Few examples of one kind teach their subject as much as their voice: give several of different content.",
            "For what can be listed, words, person, emoji, a lint is cheaper and does not err.",
        ),
        also_called=("article:Tone and brand voice",),
    )

    good: Texts = Field(min_length=1, description="Texts in the voice")
    bad: Texts = Field(default=(), description="Texts that are not")
    traits: Items = Field(default=(), description="What holds of the voice, a verdict each")
    threshold: Share = Field(default=1.0, description="The weighted share of yes that passes")
    sees: tuple[Sight, ...] = Field(default=SIGHTS, description="What the judge is shown beside the answer")
    guidance: Text = Field(default="", description="What the judge should know, from you")

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output. Raises JudgeError."""
        own = (LIKE_THE_GOOD, UNLIKE_THE_BAD) if self.bad else (LIKE_THE_GOOD,)
        items = distinct(self.traits or own)
        examples = [Material(f"good:{n}", text, quotable=False) for n, text in enumerate(self.good, 1)]
        examples += [Material(f"bad:{n}", text, quotable=False) for n, text in enumerate(self.bad, 1)]
        materials = [*examples, *shown_to_judge(case, output, self.sees)]
        guidance = f"{ABOUT}\n{self.guidance}"
        found = await ask(self.services, self.judge, criteria_of(items), materials, guidance=guidance)
        evidence = [evidence_of(items[key].text, finding) for key, finding in found.items()]
        return scored(items, {key: finding.verdict for key, finding in found.items()}, self.threshold, evidence)
