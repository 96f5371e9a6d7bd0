"""Whether the assistant remembers what the user told it."""

from __future__ import annotations

from typing import ClassVar

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.errors import safe
from seatrial.scorers.base import SHOWN, Share, shown
from seatrial.scorers.card import Card, Example
from seatrial.scorers.conversation._facts import retained
from seatrial.scorers.conversation._session import transcript, turns
from seatrial.scorers.judged.asking import Criterion, Material, ask
from seatrial.scorers.judged.base import JudgedScorer, evidence_of

MAX_SHOWN = 20
KEPT = (
    "Do the assistant's replies keep to everything that the user told it earlier in the session? Asking again for what"
    " was told, saying it back wrongly, or going against a preference or a limit that the user stated is a no. Asking"
    " again because a value did not work, or to confirm it, is not."
)

_OPENING = [
    {"role": "user", "content": "Hello, my order number is AB-1207 and it never came."},
    {"role": "assistant", "content": "I am sorry to hear that. I will look into it."},
    {"role": "user", "content": "Thanks. When will it be here?"},
]


class KnowledgeRetention(JudgedScorer):
    """The share of facts stated by the user that the assistant neither asks for again nor contradicts later.

    The session is the case's input and then the output's messages. By rules: what the user gives as "my … is …", as
    the answer to a question of the assistant's, by name or as an e-mail address; the last value given counts. Asking
    for it again after it was given is a breach, unless the reply says that the value did not work, names it, or asks
    to confirm it or for another one; so is saying "your … is …" with another value, and a greeting by another name.
    With a `judge`, it is also asked whether the replies keep to all that the user said (preferences, limits), and the
    value is 0 where they do not. Where the rules find no fact and no judge is named nothing can be told: a
    `judge_error`, never a pass. Passes at `threshold`. Example: `{judge: grader}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("knowledge_retention", "1", unit="session", cost="heavy")
    card: ClassVar[Card] = Card(
        formula="1 − facts forgotten / facts stated; 0 where a judge, if one is named, finds that more was.",
        examples=(
            Example({"input": _OPENING}, "Order AB-1207 should reach you on Friday.", 1.0, True),
            Example(
                {"input": _OPENING},
                "Of course! Could you please tell me your order number?",
                0.0,
                False,
                note="it was given in the first message",
            ),
            Example({"input": _OPENING}, "Your order number is AB-1270. It comes on Friday.", 0.0, False),
        ),
        fails=(
            "Facts stated in a roundabout way, and preferences, need the judge.",
            "The rules know a few languages, English best.",
        ),
        also_called=("deepeval:KnowledgeRetentionMetric", "futureagi:customer_agent_context_retention"),
    )
    threshold: Share = 1.0

    @property
    def info(self) -> ScorerInfo:
        """What it declares of itself: it asks a model where a judge is named."""
        if not self.judge:
            return self.about
        return ScorerInfo("knowledge_retention", "1", unit="session", needs=frozenset({"judge"}), cost="model")

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        session = turns(case, output)
        facts, breaches = retained(session)
        evidence = tuple(
            Evidence(
                where=breach.where,
                quote=breach.quote[:SHOWN],
                start=breach.start,
                end=breach.end,
                note=f"{breach.kind}: {shown(breach.fact.slot, 60)}, stated in {breach.fact.where}",
                expected=breach.fact.value or None,
            )
            for breach in breaches[:MAX_SHOWN]
        )
        forgotten = len({breach.fact.slot for breach in breaches})
        value = 1 - forgotten / len(facts) if facts else 1.0
        reason = evidence[0].note if evidence else f"none of {len(facts)} facts was forgotten"
        if value < self.threshold:
            return Score(value=value, passed=False, reason=reason, evidence=evidence)
        if self.judge:
            criterion = Criterion("kept", KEPT)
            found = await ask(self.services, self.judge, [criterion], [Material("session", transcript(session))])
            finding = found["kept"]
            evidence = (*evidence, evidence_of(KEPT, finding, judge=self.judge))
            if finding.verdict != "yes":
                reason = safe(finding.reason or finding.verdict, 200)
                return Score(value=0.0, passed=False, reason=reason, evidence=evidence)
        elif not facts:
            return Score(status="judge_error", reason="the rules find no fact that the user stated; name a judge")
        return Score(value=value, passed=True, reason=reason, evidence=evidence)
