"""Several judges, who vote."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Filled
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.errors import JudgeError, TargetDownError, safe
from seatrial.scorers.card import Card, Example
from seatrial.scorers.judged.asking import Finding, Verdict, ask
from seatrial.scorers.judged.base import evidence_of, own_names
from seatrial.scorers.judged.criteria import CriteriaScorer
from seatrial.scorers.judged.showing import shown_to_judge
from seatrial.scorers.judged.tally import Item, criteria_of, scored

Ballots = Mapping[str, Mapping[str, Finding]]
"""Each judge's findings by criterion; a judge that gave none is not there."""


class Jury(CriteriaScorer):
    """Criteria decided by the votes of several judges.

    Each judge is asked by itself. By `majority` a criterion gets the verdict of more than half of all judges, by
    `unanimity` that of all; otherwise, in a tie above all, it is undecided, as it is with a judge that gave no usable
    answer and whose vote was needed. The value is that of `criteria`. `measure` is the disagreement: the share of
    pairs of judges, over all criteria, whose verdicts differ; each vote is in the evidence. Choose judges of different
    families, as those of one family err together. Example: `{judges: [one, two, three], criteria: ["is polite"]}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("jury", "1", needs=frozenset({"judge"}), cost="model")
    card: ClassVar[Card] = Card(
        formula="As `criteria`, each verdict by the votes of more than half of all judges, or of all.",
        examples=(
            Example(
                "My parcel is late.",
                "I am sorry! It arrives on Friday.",
                1.0,
                True,
                {"judges": ["one", "two", "three"], "criteria": "is polite"},
                judge=({"*": "yes"}, {"*": "no"}, {"*": "yes"}),
                note="Two of three; the measure is 2/3, as two of three pairs differ.",
            ),
            Example(
                "My parcel is late.",
                "So what.",
                0.0,
                False,
                {"judges": ["one", "two", "three"], "criteria": "is polite"},
                judge=({"*": "no"},),
            ),
            Example(
                "My parcel is late.",
                "It will come.",
                None,
                None,
                {"judges": ["one", "two"], "criteria": "is polite"},
                status="judge_error",
                judge=({"*": "yes"}, {"*": "no"}),
                note="A tie decides nothing.",
            ),
        ),
        fails=(
            "Judges that err together are worth fewer votes: five with errors that correlate at 0.5 count as 1.7.",
            "Every judge costs a request, so that three cost three times as much.",
        ),
        sources=("Verga et al. 2024, Replacing Judges with Juries (arXiv:2404.18796).",),
        also_called=("inspect:multi_scorer",),
    )

    judges: tuple[Filled, ...] = Field(min_length=2, description="Names under the suite's judges")
    rule: Literal["majority", "unanimity"] = Field(default="majority", description="How votes decide")

    @model_validator(mode="after")
    def _own_names(self) -> Self:
        own_names(self.judges)
        return self

    @property
    def asks(self) -> tuple[str, ...]:
        """The names of all judges that it may ask."""
        return self.judges

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output. Raises JudgeError where no judge gave a usable answer."""
        items = self.items(case)
        asked, materials = criteria_of(items), shown_to_judge(case, output, self.sees)
        questions = [ask(self.services, judge, asked, materials, guidance=self.guidance) for judge in self.judges]
        results = await asyncio.gather(*questions, return_exceptions=True)
        ballots: dict[str, Mapping[str, Finding]] = {}
        absent: dict[str, str] = {}
        for judge, result in zip(self.judges, results, strict=True):
            if isinstance(result, JudgeError | TargetDownError):
                absent[judge] = result.problem
            elif isinstance(result, BaseException):
                raise result
            else:
                ballots[judge] = result
        if not ballots:
            raise JudgeError(f"No judge of the jury gave a usable answer: {next(iter(absent.values()))}")
        return self._score(items, ballots, absent)

    def _score(self, items: Mapping[str, Item], ballots: Ballots, absent: Mapping[str, str]) -> Score:
        verdicts: dict[str, Verdict] = {
            key: self.decided([found[key].verdict for found in ballots.values()]) for key in items
        }
        differing = disagreement(ballots)
        note = f"disagreement {differing:.2f}" if differing else ""
        note += f"{'; ' if note and absent else ''}{f'no answer of {len(absent)} judges' if absent else ''}"
        measured: dict[str, Any] = {"measure": differing, "unit": "disagreement"}
        evidence = _votes(items, ballots, verdicts, absent)
        return scored(items, verdicts, self.threshold, evidence, note=note, **measured)

    def decided(self, votes: Sequence[Verdict]) -> Verdict:
        """The verdict of these votes; a judge without a vote still has its seat."""
        needed = len(self.judges) if self.rule == "unanimity" else len(self.judges) // 2 + 1
        if votes.count("yes") >= needed:
            return "yes"
        return "no" if votes.count("no") >= needed else "undecided"


def disagreement(ballots: Ballots) -> float:
    """The share of pairs of judges, over all criteria, whose verdicts differ; 0 with a single judge."""
    pairs = [one[key].verdict != other[key].verdict for one, other in combinations(ballots.values(), 2) for key in one]
    return sum(pairs) / len(pairs) if pairs else 0.0


def _votes(
    items: Mapping[str, Item], ballots: Ballots, verdicts: Mapping[str, Verdict], absent: Mapping[str, str]
) -> list[Evidence]:
    evidence = [
        Evidence(where="jury", found=verdict, note=f"{items[key].text}"[:200]) for key, verdict in verdicts.items()
    ]
    for judge, found in ballots.items():
        evidence += [evidence_of(items[key].text, finding, judge=judge) for key, finding in found.items()]
    return evidence + [Evidence(where="judge", note=f"{judge}: {safe(why, 200)}") for judge, why in absent.items()]
