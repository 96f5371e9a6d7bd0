"""How a session went: whether the matter was settled, and whether each reply belongs where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.record import Json
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.errors import safe
from seatrial.scorers.base import SHOWN, Flag, Share, Whole, encodable
from seatrial.scorers.card import Card, Example
from seatrial.scorers.conversation._session import Turn, transcript, turns
from seatrial.scorers.judged.asking import Criterion, Finding, Material, ask
from seatrial.scorers.judged.base import JudgedScorer, evidence_of

MAX_SHOWN = 50
SETTLED = (
    "By the end of the session, is the matter that the user came with settled, so that the user need not come back for"
    " it? A promise, a hand-over to somebody else without an answer, or a user who gives up is a no. A user's thanks"
    " alone do not show it."
)
_THANKS = re.compile(
    r"\b(?:thank(?:s| you)|great|perfect|that.?s all|solved|gracias|danke|merci|obrigad[oa]|grazie)\b", re.IGNORECASE
)
_HANDED = re.compile(r"\b(?:transfer(?:red|ring)?|escalat\w+|human agent|a colleague|specialist)\b", re.IGNORECASE)
_JUDGED = frozenset({"judge"})

_QUESTION = {"input": "My invoice shows the wrong address."}
_JUDGED_BY: Mapping[str, Json] = {"judge": "grader"}


class Resolution(JudgedScorer):
    """Whether the user's matter was settled by the end of the session, by a judge.

    The judge reads the session (the case's input, then the output's messages, with the calls of tools and what they
    returned) and is asked each of the case's `criteria`, or whether the matter is settled; a yes must quote what shows
    it. Signs that rules can find (the user thanks, the last word is a question of the assistant's, the user is handed
    over) are kept as evidence and decide nothing: thanks are no proof. Nothing passes without the judge's yes.
    Example: `{judge: grader}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("resolution", "1", unit="session", needs=_JUDGED, cost="model")
    card: ClassVar[Card] = Card(
        formula="criteria that the judge found met / criteria; passes when all are.",
        examples=(
            Example(
                _QUESTION,
                "I have corrected the address; the new invoice is attached.",
                1.0,
                True,
                _JUDGED_BY,
                judge=[{"*": {"verdict": "yes", "where": "session", "quote": "I have corrected the address"}}],
            ),
            Example(
                _QUESTION,
                "Somebody will get back to you. Thank you!",
                0.0,
                False,
                _JUDGED_BY,
                judge=[{"*": {"verdict": "no", "reason": "nothing was done"}}],
                note="a promise settles nothing",
            ),
        ),
        fails=("The judge sees what the session shows: what happened afterwards is not in it.",),
        also_called=("deepeval:ConversationCompletenessMetric", "futureagi:conversation_resolution"),
    )

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        session = turns(case, output, tools=True)
        asked = case.criteria or (SETTLED,)
        criteria = [Criterion(f"settled_{i}", text, quoted=True) for i, text in enumerate(asked)]
        found = await ask(self.services, self.judge, criteria, [Material("session", transcript(session))])
        unmet = [c for c in criteria if found[c.key].verdict != "yes"]
        why = found[unmet[0].key].reason or found[unmet[0].key].verdict if unmet else "the matter is settled"
        evidence = tuple(evidence_of(c.question, found[c.key], judge=self.judge) for c in criteria) + signs(session)
        value = 1 - len(unmet) / len(criteria)
        return Score(value=value, passed=not unmet, reason=safe(why, 200), evidence=evidence)


def signs(session: Sequence[Turn]) -> tuple[Evidence, ...]:
    """What rules find of how a session ended: signs, which decide nothing."""
    said = [turn for turn in session if turn.role in ("user", "assistant")]
    user = next((turn for turn in reversed(said) if turn.role == "user"), None)
    reply = next((turn for turn in reversed(said) if turn.role == "assistant"), None)
    found: list[Evidence] = []
    if user is not None and (thanks := _THANKS.search(encodable(user.text[:2000]))) is not None:
        found.append(_sign(user, thanks.span(), "sign: the user's last turn thanks or closes"))
    if reply is not None and reply.text.rstrip().endswith(("?", "？", "؟")):
        text = reply.text.rstrip()
        found.append(_sign(reply, (max(0, len(text) - 80), len(text)), "sign: the last reply ends with a question"))
    if reply is not None and (handed := _HANDED.search(encodable(reply.text[:2000]))) is not None:
        found.append(_sign(reply, handed.span(), "sign: the user is handed over"))
    if said and said[-1].role == "user":
        found.append(Evidence(where=said[-1].where, note="sign: the last word is the user's, unanswered"))
    return tuple(found)


def _sign(turn: Turn, span: tuple[int, int], note: str) -> Evidence:
    return Evidence(where=turn.where, quote=turn.text[slice(*span)][:SHOWN], start=span[0], end=span[1], note=note)


class TurnRelevance(JudgedScorer):
    """The share of the assistant's replies that belong where they stand, each judged in its place.

    A judge is asked of every reply of the output (with `all_turns: true` of the case's input as well) whether it takes
    up what the user wanted at that point of the session; it sees the turns before it, at most `window` of them. A
    reply that the judge leaves undecided is not relevant. Passes at `threshold`. Example: `{judge: grader}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo("turn_relevance", "1", unit="session", needs=_JUDGED, cost="model")
    card: ClassVar[Card] = Card(
        formula="replies that the judge found relevant / replies.",
        examples=(
            Example(_QUESTION, "I can change it.", 1.0, True, _JUDGED_BY, judge=[{"*": "yes"}]),
            Example(_QUESTION, "Our shops open at nine.", 0.0, False, _JUDGED_BY, judge=[{"*": "no"}]),
        ),
        fails=(
            "A reply may belong where it stands and be wrong; a session may be relevant turn by turn and lead nowhere.",
        ),
        also_called=(
            "deepeval:TurnRelevancyMetric",
            "deepeval:ConversationRelevancyMetric",
            "article:Answer Relevance",
        ),
    )
    threshold: Share = 0.8
    all_turns: Flag = False
    window: Annotated[Whole, Field(ge=1)] = 10
    batch: Annotated[Whole, Field(ge=1, le=100)] = 10

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        session = turns(case, output)
        replies = [
            i
            for i, turn in enumerate(session)
            if turn.role == "assistant" and (self.all_turns or not turn.where.startswith("input:"))
        ]
        if not replies:
            return Score(value=0.0, passed=False, reason="the assistant said nothing")
        found: list[tuple[Turn, Finding]] = []
        for start in range(0, len(replies), self.batch):
            found += await self._asked(session, replies[start : start + self.batch])
        off = [(turn, finding) for turn, finding in found if finding.verdict != "yes"]
        evidence = tuple(
            Evidence(where=turn.where, quote=turn.text[:SHOWN], found=finding.verdict, note=finding.reason)
            for turn, finding in off[:MAX_SHOWN]
        )
        value = 1 - len(off) / len(found)
        first = f"; {safe(evidence[0].note, 150)}" if evidence and evidence[0].note else ""
        reason = f"{len(found) - len(off)} of {len(found)} replies are relevant{first}"
        return Score.graded(value, self.threshold, reason, evidence=evidence)

    async def _asked(self, session: Sequence[Turn], places: Sequence[int]) -> list[tuple[Turn, Finding]]:
        """The finding of each reply in the batch; turns are numbered from the first one shown."""
        first = max(0, places[0] - self.window)
        shown = list(session[first : places[-1] + 1])
        criteria = [
            Criterion(
                f"turn_{place}",
                f"Does the assistant's turn number [{place - first + 1}] take up what the user wanted at that point,"
                " given the turns before it? What comes after it does not matter.",
            )
            for place in places
        ]
        found = await ask(self.services, self.judge, criteria, [Material("session", transcript(shown))])
        return [(session[place], found[c.key]) for place, c in zip(places, criteria, strict=True)]
