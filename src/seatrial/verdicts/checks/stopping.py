"""What a verdict says about the look at which its trial ended, and what ending there saved."""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.core.record import as_dict, as_list
from seatrial.verdicts.artefacts.sentences import count, listed, number
from seatrial.verdicts.engine.looks import METHOD
from seatrial.verdicts.reading.frame import Frame
from seatrial.verdicts.records import ArmSummary, Stopping

BECAUSE = {
    "ship": "every deciding rubric passes",
    "block": "{rubrics} blocks",
    "cannot_pass": "{rubrics} can no longer pass, however the rest turns out",
}


def stopping(frame: Frame, candidate: str, incumbent: str, arms: Mapping[str, ArmSummary]) -> Stopping | None:
    """The look of a verdict; None for a trial that is not looked at before its end."""
    look = frame.look(candidate, incumbent)
    if look is None:
        return None
    policy = frame.suite.policy
    why, rubrics = _because(frame, candidate)
    cases, of = look.cases[look.number - 1], look.cases[-1]
    saved = {name: (of - _asked(frame, name)) * frame.epochs for name in (candidate, incumbent)}
    costs = [_dollars(arms[name], left) for name, left in saved.items() if left]
    known = [dollars for dollars in costs if dollars is not None]
    found = Stopping(
        look=look.number,
        looks=len(look.cases),
        cases=cases,
        planned_cases=of,
        why=why,
        rubrics=rubrics,
        level=look.level(policy.alpha),
        gate_level=look.level(policy.gate_alpha),
        method=METHOD,
        saved_requests=sum(saved.values()),
        saved_dollars=sum(known) if len(known) == len(costs) else None,
        sentence="",
    )
    return found.model_copy(update={"sentence": sentence(found)})


def _asked(frame: Frame, name: str) -> int:
    """How many cases an arm was asked: an incumbent goes on while another candidate is open."""
    look = frame.look(name)
    assert look is not None, "a trial with looks has one for every arm"
    return look.cases[look.number - 1]


def _because(frame: Frame, candidate: str) -> tuple[str, tuple[str, ...]]:
    kept = as_dict(frame.arms[candidate].run.counts.get("stopped")) or {}
    return str(kept.get("why", "")), tuple(str(name) for name in as_list(kept.get("rubrics")) or ())


def _dollars(arm: ArmSummary, requests: int) -> float | None:
    """What these requests would have cost, at the mean of the arm's answers; None where no cost is known."""
    priced = arm.outputs - arm.cost_unknown
    return None if arm.cost is None or priced < 1 else arm.cost / priced * requests


def sentence(found: Stopping) -> str:
    """The look in words."""
    at = f"look {found.look} of {found.looks}"
    level = f"one-sided level {number(100 * found.level)}% instead of one for a single look"
    held = f"Its intervals hold at every look ({found.method}, {level})."
    if found.cases == found.planned_cases:
        return f"Looked at {count(found.looks, 'time')}, to the end of all {count(found.cases, 'case')}. {held}"
    because = BECAUSE.get(found.why, "the incumbent's trial ended there").format(rubrics=listed(found.rubrics))
    if found.why == "block" and len(found.rubrics) > 1:
        because = because.replace(" blocks", " block")
    dollars = "" if found.saved_dollars is None else f", about ${number(found.saved_dollars)} at the mean cost so far"
    saved = f"Saved: {count(found.planned_cases - found.cases, 'case')}, {count(found.saved_requests, 'request')}"
    seen = f"after {found.cases:,} of {count(found.planned_cases, 'case')}"
    return f"Stopped at {at}, {seen}: {because}. {saved}{dollars}. {held}"
