"""A cheap judge first, a dear one for what it is not sure of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple, Self

from pydantic import Field, model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Filled
from seatrial.core.score import Score, ScorerInfo
from seatrial.errors import JudgeError
from seatrial.scorers.base import Share
from seatrial.scorers.card import Card, Example
from seatrial.scorers.judged.asking import Finding, Material, Verdict, ask, probability
from seatrial.scorers.judged.base import evidence_of, own_names, together
from seatrial.scorers.judged.criteria import CriteriaScorer
from seatrial.scorers.judged.showing import shown_to_judge
from seatrial.scorers.judged.tally import Item, criteria_of, scored


class _Decided(NamedTuple):
    judge: str
    finding: Finding


class Cascade(CriteriaScorer):
    """Criteria decided by the first of several judges that is sure.

    The judges are asked in order, from the cheap to the dear, each only of what those before it left undecided, or
    gave no usable answer to. With a `margin` a verdict counts as sure only where the judge's probability of it, by the
    log probabilities of a one-word answer, exceeds that of its opposite by so much; that costs one more request a
    criterion, and a judge that gives no log probabilities is taken as unsure. The last judge's verdicts stand. The
    reason says how much each decided, the evidence which judge decided what. Example: `{judges: [small, large],
    criteria: ["is polite"], margin: 0.8}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("cascade", "1", needs=frozenset({"judge"}), cost="model")
    card: ClassVar[Card] = Card(
        formula="As `criteria`, each verdict by the first judge that is sure of it.",
        examples=(
            Example(
                "My parcel is late.",
                "I am sorry! It arrives on Friday.",
                1.0,
                True,
                {"judges": ["small", "large"], "criteria": ["is polite", "names a day"]},
                judge=({"c01": "yes", "c02": "undecided"}, {"c02": "yes"}),
                note="The large judge is asked of the second criterion alone.",
            ),
            Example(
                "My parcel is late.",
                "So what.",
                0.0,
                False,
                {"judges": ["small", "large"], "criteria": "is polite"},
                judge=({"*": "no"},),
                note="The large judge is never asked.",
            ),
        ),
        fails=(
            "A cheap judge that is sure and wrong is never found out; measure it by itself.",
            "Verdicts of two judges are mixed, so that both need to be held against people's.",
        ),
        sources=("Jung et al. 2024, Trust or Escalate: LLM Judges with Provable Guarantees (arXiv:2407.18370).",),
    )

    judges: tuple[Filled, ...] = Field(min_length=2, description="Names under the suite's judges, the cheapest first")
    margin: Share = Field(default=0.0, description="By how much a sure verdict is the likelier; 0 does not ask")

    @model_validator(mode="after")
    def _own_names(self) -> Self:
        own_names(self.judges)
        return self

    @property
    def asks(self) -> tuple[str, ...]:
        """The names of all judges that it may ask."""
        return self.judges

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output. Raises JudgeError where the last judge gave no usable answer."""
        items = self.items(case)
        materials = shown_to_judge(case, output, self.sees)
        decided: dict[str, _Decided] = {}
        for judge in self.judges:
            left = {key: item for key, item in items.items() if key not in decided}
            if not left:
                break
            decided |= await self._sure(judge, left, materials, last=judge == self.judges[-1])
        verdicts: dict[str, Verdict] = {key: decided[key].finding.verdict for key in items}
        evidence = [evidence_of(items[key].text, decided[key].finding, judge=decided[key].judge) for key in items]
        return scored(items, verdicts, self.threshold, evidence, note=_shares(decided, self.judges))

    async def _sure(
        self, judge: str, left: Mapping[str, Item], materials: Sequence[Material], *, last: bool
    ) -> dict[str, _Decided]:
        """What a judge decides of what is left: everything, where it is the last."""
        try:
            found = await ask(self.services, judge, criteria_of(left), materials, guidance=self.guidance)
        except JudgeError:
            if last:
                raise
            return {}
        sure = {key: finding for key, finding in found.items() if last or finding.verdict != "undecided"}
        if self.margin and not last:
            margins = await together(self._margin(judge, left[key], sure[key], materials) for key in sure)
            sure = {key: sure[key] for key, margin in zip(list(sure), margins, strict=True) if margin >= self.margin}
        return {key: _Decided(judge, finding) for key, finding in sure.items()}

    async def _margin(self, judge: str, item: Item, finding: Finding, materials: Sequence[Material]) -> float:
        """The probability of the verdict less that of its opposite; -1 where it is not known."""
        try:
            chance = await probability(self.services, judge, item.text, materials, guidance=self.guidance)
        except JudgeError:
            return -1.0
        if chance is None:
            return -1.0
        return 2 * chance - 1 if finding.verdict == "yes" else 1 - 2 * chance


def _shares(decided: Mapping[str, _Decided], judges: Sequence[str]) -> str:
    counts = {judge: sum(one.judge == judge for one in decided.values()) for judge in judges}
    return ", ".join(f"{judge} decided {count}" for judge, count in counts.items() if count)
