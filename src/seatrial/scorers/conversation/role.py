"""Whether the assistant keeps to the role that its system prompt gives it."""

from __future__ import annotations

from typing import ClassVar

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Evidence, Score, ScorerInfo
from seatrial.errors import safe
from seatrial.scorers.base import SHOWN
from seatrial.scorers.card import Card, Example
from seatrial.scorers.conversation._role import broken, lints
from seatrial.scorers.conversation._session import system_prompt, transcript, turns
from seatrial.scorers.judged.asking import Criterion, Material, ask
from seatrial.scorers.judged.base import JudgedScorer, evidence_of

MAX_SHOWN = 20
ROLE = Criterion(
    "role",
    "Does every reply of the assistant in the session keep to the role, the limits and the manner that the material"
    " named instructions gives it? Leaving the role because the user asks for it is a no.",
)
SCOPE = Criterion(
    "scope",
    "Does the assistant do only what the material named instructions lets it do, promising and deciding nothing that is"
    " beyond its authority there?",
)

_PROMPT = 'You are Marla, a clerk of a tool shop. Stay in character. Never say "guarantee". Use no emojis.'


def _case(question: str) -> dict[str, object]:
    return {"input": [{"role": "system", "content": _PROMPT}, {"role": "user", "content": question}]}


class RoleAdherence(JudgedScorer):
    """Whether the assistant's replies keep to the role that the system prompt gives, by its lints and by a judge.

    What the prompt demands in words that a rule can check is checked in every reply of the output: the assistant's
    name, phrases that it never says, begins or ends with, a length, no emoji, staying in character. One that is broken
    fails, whatever a judge would say, and none is asked. Else a judge is asked whether every reply keeps to role,
    limits and manner, and whether it stays within its authority; both must be so. Without a judge what breaks no lint
    is a `judge_error`, never a pass.
    Needs a system prompt in the case's input. The value is the share of criteria met. Example: `{judge: grader}`.
    """

    about: ClassVar[ScorerInfo] = ScorerInfo(
        "role_adherence", "1", unit="session", needs=frozenset({"judge"}), cost="model"
    )
    card: ClassVar[Card] = Card(
        formula="0 where a lint of the prompt is broken; else criteria that the judge found met / criteria.",
        examples=(
            Example(
                _case("Will this drill last?"),
                "We guarantee it for ten years.",
                0.0,
                False,
                note="a phrase that the prompt bans",
            ),
            Example(
                _case("Who are you?"),
                "As an AI language model I have no name.",
                0.0,
                False,
                note="out of character; no judge needs to be asked",
            ),
            Example(
                _case("Will this drill last?"),
                "Most customers keep it for many years.",
                1.0,
                True,
                {"judge": "grader"},
                judge=[{"*": "yes"}],
            ),
            Example(
                _case("Will this drill last?"),
                "Most customers keep it for many years.",
                None,
                None,
                status="judge_error",
                note="no lint is broken and no judge is named: not a pass",
            ),
        ),
        fails=(
            "The lints read the prompt's plain orders in English; what it says in other words is the judge's.",
            "The replies in the case's input were not this model's: only the output's are linted.",
        ),
        also_called=("deepeval:RoleAdherenceMetric", "futureagi:customer_agent_prompt_conformance"),
    )

    def applies(self, case: Case) -> str:
        """Empty when the case has a system prompt."""
        return "" if system_prompt(case) else "the case has no system prompt"

    async def __call__(self, case: Case, output: Output, /) -> Score:
        """Judge the output."""
        prompt = system_prompt(case)
        rules = lints(prompt)
        session = turns(case, output)
        replies = [one for one in session if one.role == "assistant" and not one.where.startswith("input:")]
        found = [
            Evidence(where=one.where, quote=one.text[b.start : b.end][:SHOWN], start=b.start, end=b.end, note=b.rule)
            for one in replies
            for b in broken(rules, one.text)
        ]
        if found:
            reason = f"breaks the prompt's rule: {found[0].note}"
            return Score(value=0.0, passed=False, reason=reason, evidence=tuple(found[:MAX_SHOWN]))
        if not self.judge:
            return Score(status="judge_error", reason="breaks no rule that can be linted; name a judge for the rest")
        criteria = [ROLE, SCOPE]
        materials = [Material("instructions", prompt, quotable=False), Material("session", transcript(session))]
        findings = await ask(self.services, self.judge, criteria, materials)
        unmet = [c for c in criteria if findings[c.key].verdict != "yes"]
        why = findings[unmet[0].key].reason or findings[unmet[0].key].verdict if unmet else "keeps to its role"
        evidence = tuple(evidence_of(c.question, findings[c.key], judge=self.judge) for c in criteria)
        value = 1 - len(unmet) / len(criteria)
        return Score(value=value, passed=not unmet, reason=safe(why, 200), evidence=evidence)
