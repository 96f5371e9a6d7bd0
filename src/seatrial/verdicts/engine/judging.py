"""From every rubric's outcomes to the decision: pure, and fast enough to be driven by simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from seatrial.core.suite import RubricSpec, Suite
from seatrial.verdicts.engine.gates import GateFinding, judge_gate
from seatrial.verdicts.engine.limits import LimitFinding, judge_limit
from seatrial.verdicts.engine.outcomes import Floats, Outcomes
from seatrial.verdicts.engine.quality import QualityFinding, adjust, judge_quality
from seatrial.verdicts.records import Decision, Overall

Finding = QualityFinding | GateFinding | LimitFinding


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What each deciding rubric found, and what follows from all of them together."""

    findings: Mapping[str, Finding]
    overall: Overall

    def decision(self, name: str) -> Decision:
        """A rubric's decision; SHOWN for one that decides nothing."""
        return self.findings[name].decision if name in self.findings else "SHOWN"


def judge(
    suite: Suite, outcomes: Mapping[str, Outcomes], holm_level: Callable[[int], float] | None = None
) -> Judgement:
    """Decide every rubric of a suite on its outcomes, by rubric name; about 2,000 rubrics a second.

    Quality rubrics (and relative limits) need both arms and are left out without an incumbent. Blocks of quality
    rubrics are adjusted together (Holm); gates and limits are not. `holm_level`: as for `quality.adjust`.
    """
    found = {
        rubric.name: finding
        for rubric in suite.rubrics
        if (finding := judge_rubric(suite, rubric, outcomes[rubric.name])) is not None
    }
    quality = {name: finding for name, finding in found.items() if isinstance(finding, QualityFinding)}
    found.update(adjust(quality, suite.policy.alpha, holm_level))
    return Judgement(found, overall(found, evaluable=evaluable(outcomes)))


def judge_rubric(suite: Suite, rubric: RubricSpec, outcomes: Outcomes) -> Finding | None:
    """Decide one rubric by itself; None where it does not decide, or cannot without an incumbent."""
    paired = outcomes.incumbent is not None
    match rubric.kind:
        case "quality" if paired:
            return judge_quality(outcomes, suite.margin(rubric), suite.policy)
        case "gate":
            assert rubric.limit_points is not None, "a gate has a limit"
            return judge_gate(outcomes, rubric.limit_points / 100, suite.policy)
        case "limit" if paired or rubric.at_most is not None:
            return judge_limit(outcomes, rubric, suite.policy, suite.seed)
        case _:
            return None


def overall(findings: Mapping[str, Finding], *, evaluable: bool) -> Overall:
    """Ship when every deciding rubric passes, block when any blocks, else inconclusive.

    What is open where an arm misses more results than it may is not evaluable: more cases would not help.
    """
    decisions = {finding.decision for finding in findings.values()}
    if not evaluable or not decisions:
        return "not_evaluable"
    if "BLOCK" in decisions:
        return "block"
    if any(found.decision != "PASS" and found.outcomes.too_much_missing for found in findings.values()):
        return "not_evaluable"
    return "ship" if decisions == {"PASS"} else "inconclusive"


def evaluable(outcomes: Mapping[str, Outcomes]) -> bool:
    """Whether each arm has a result on any rubric."""
    candidate = any(_any(o.candidate) for o in outcomes.values())
    paired = [o.incumbent for o in outcomes.values() if o.incumbent is not None]
    return candidate and (not paired or any(_any(arm) for arm in paired))


def _any(arm: Floats) -> bool:
    return not bool(np.isnan(arm).all())
