"""Quality rubrics: whether the candidate is shown to be no worse than the incumbent by more than the margin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from seatrial.core.suite import Policy
from seatrial.stats import holm, mcnemar
from seatrial.verdicts.engine.needs import Need, cases_to_tell, cure, further, identical_to_tell, one_cluster
from seatrial.verdicts.engine.outcomes import Floats, Ints, Outcomes
from seatrial.verdicts.engine.weighing import Comparison, compare
from seatrial.verdicts.records import Decision, Flag

FEW_CLUSTERS = 30
"""With fewer clusters than this, intervals are rough."""
LEAST_CLUSTERS = 10
"""With fewer clusters than this, nothing is decided: the spread between clusters is not known."""
UNEVEN = 0.01
"""A p-value below this says that results are missing more often on one side."""


@dataclass(frozen=True, slots=True, eq=False)
class QualityFinding:
    """What a quality rubric's outcomes say. `holm` is set when rubrics were adjusted together.

    `open_because` names what keeps it from being decided: `no_data`, `few_cases`, `few_clusters`, `none_pass` (an arm
    passes nothing), `missing`, `holm`, or nothing when the interval holds the margin.
    """

    decision: Decision
    margin: float
    outcomes: Outcomes
    evidence: Comparison | None
    flags: tuple[Flag, ...] = ()
    open_because: str = ""
    p_below: float | None = None
    p_holm: float | None = None
    tested: int = 1


def judge_quality(outcomes: Outcomes, margin: float, policy: Policy) -> QualityFinding:
    """Decide one rubric by itself: PASS when shown to be above −margin, BLOCK when shown to be below, at policy.alpha.

    `outcomes` has both arms; `margin` is a share in (0, 1]. A BLOCK stands only after `adjust`.
    """
    evidence = compare(outcomes)
    if evidence is None:
        flags: tuple[Flag, ...] = ("few_cases", "missing") if outcomes.missing else ("few_cases",)
        return QualityFinding("INCONCLUSIVE", margin, outcomes, None, flags, "no_data")
    line = _line(margin)
    decisions = evidence.decisions(line, policy.alpha, left_out=True)
    decision, because = _first(decisions[0]), ""
    flags = _flags(evidence, outcomes, policy)
    if evidence.cases < policy.min_cases:
        because = "few_cases"
    elif evidence.clustered and evidence.clusters < LEAST_CLUSTERS:
        because = "few_clusters"
    elif decision == "PASS" and "superior" not in flags and none_pass(outcomes):
        because = "none_pass"
    elif decision == "PASS" and outcomes.too_much_missing:
        because = "missing"
    if because:
        decision = "INCONCLUSIVE"
    if decision != "INCONCLUSIVE" and _fragile(decisions, outcomes, line, policy.alpha):
        flags = (*flags, "fragile")
    tested = because not in {"few_cases", "few_clusters"}
    return QualityFinding(
        decision, margin, outcomes, evidence, flags, because, evidence.p_below(line) if tested else None
    )


def again(finding: QualityFinding, outcomes: Outcomes, policy: Policy, margin: float | None = None) -> QualityFinding:
    """The finding on other outcomes, or with another margin; what keeps it from being decided at all stays so."""
    if finding.evidence is None or finding.open_because not in {"", "holm"}:
        return finding
    line, evidence = _line(finding.margin if margin is None else margin), compare(outcomes)
    if evidence is None:
        return replace(finding, decision="INCONCLUSIVE", open_because="no_data", p_below=None)
    decision = _first(evidence.decisions(line, policy.alpha)[0])
    return replace(finding, decision=decision, open_because="", p_below=evidence.p_below(line))


def turning(finding: QualityFinding, policy: Policy) -> Ints:
    """The clusters (one of each kind) without which the rubric by itself would be decided otherwise."""
    if finding.evidence is None:
        return np.zeros(0, dtype=np.intp)
    decisions = finding.evidence.decisions(_line(finding.margin), policy.alpha, left_out=True)
    turned, labels = decisions[1:] != decisions[0], finding.evidence.labels
    return np.flatnonzero(turned).astype(np.intp) if labels is None else labels[turned]


def none_pass(outcomes: Outcomes) -> str:
    """Which arm passes nothing, as a clause; empty where each passes something. Against nothing, nothing is shown."""
    arms = {"candidate": outcomes.candidate, "incumbent": _second(outcomes)}
    idle = [name for name, arm in arms.items() if not (arm > 0).any()]
    if len(idle) == len(arms):
        return "no answer of either arm passes"
    return f"no answer of the {idle[0]} passes" if idle else ""


def adjust(
    findings: Mapping[str, QualityFinding], alpha: float, holm_level: Callable[[int], float] | None = None
) -> dict[str, QualityFinding]:
    """Holm over all rubrics that were tested: a BLOCK whose adjusted p is above alpha becomes INCONCLUSIVE.

    `holm_level`: the level that the smallest of so many p-values must keep, where that is not alpha over their number.
    """
    tested = [name for name, finding in findings.items() if finding.p_below is not None]
    adjusted = dict(zip(tested, holm([findings[name].p_below or 0.0 for name in tested]).tolist(), strict=True))
    if holm_level is None:
        held = {name for name, p in adjusted.items() if p <= alpha}
    else:
        held = _step_down({name: findings[name].p_below or 0.0 for name in tested}, holm_level)
    done: dict[str, QualityFinding] = {}
    for name, finding in findings.items():
        p = adjusted.get(name)
        done[name] = replace(finding, p_holm=p, tested=len(tested))
        if finding.decision == "BLOCK" and p is not None and name not in held:
            kept: tuple[Flag, ...] = tuple(flag for flag in finding.flags if flag != "fragile")
            done[name] = replace(done[name], decision="INCONCLUSIVE", open_because="holm", flags=kept)
    return done


def _step_down(p_values: Mapping[str, float], holm_level: Callable[[int], float]) -> set[str]:
    """The names whose p-values hold, from the smallest on, up to the first that does not."""
    held: set[str] = set()
    for name in sorted(p_values, key=lambda name: p_values[name]):
        if p_values[name] > holm_level(len(p_values) - len(held)):
            break
        held.add(name)
    return held


def _line(margin: float) -> float:
    """The difference tested: minus the margin, just inside the range where a whole margin was asked for."""
    return max(-margin, -1 + 1e-9)


def _first(code: float) -> Decision:
    return "PASS" if code > 0 else "BLOCK" if code < 0 else "INCONCLUSIVE"


def _fragile(decisions: Floats, outcomes: Outcomes, line: float, alpha: float) -> bool:
    """Whether leaving out a cluster, or filling in the missing results either way, changes the decision."""
    if (decisions != decisions[0]).any():
        return True
    if not outcomes.missing:
        return False
    for worst in (True, False):
        evidence = compare(outcomes.filled(worst=worst))
        if evidence is None or evidence.decisions(line, alpha)[0] != decisions[0]:
            return True
    return False


def _flags(evidence: Comparison, outcomes: Outcomes, policy: Policy) -> tuple[Flag, ...]:
    superior = bool(evidence.decisions(0.0, policy.alpha / 2)[0] > 0)
    told: dict[Flag, bool] = {
        "superior": superior,
        "regressed": evidence.decisions(0.0, policy.alpha)[0] < 0,
        "few_cases": evidence.cases < policy.min_cases,
        "few_clusters": evidence.clustered and evidence.clusters < FEW_CLUSTERS,
        "piled_up": evidence.clustered and evidence.piled_up and not superior,
        "missing": outcomes.missing > 0,
    }
    return tuple(flag for flag, true in told.items() if true)


def need(finding: QualityFinding, policy: Policy) -> Need:
    """How many further cases would settle an open rubric, at the difference and discordance seen so far.

    Planned is what the data point to: a pass as if the arms were equal where the candidate is not behind; a pass at
    the difference seen where it is behind, but within the margin; a block where it is behind by more. Where a share of
    traffic has no case, whatever may happen there is taken off the margin first.
    """
    evidence = finding.evidence
    lacking = finding.open_because in {"missing", "no_data"}
    if (missing := cure(finding.outcomes, lacking=lacking)) is not None:
        return missing
    if evidence is None:
        return Need(policy.min_cases, "cases that both arms answer")
    if finding.open_because == "none_pass":
        return Need(None, f"{none_pass(finding.outcomes)}: check prompt, scorer and references")
    if evidence.clusters < 2:
        return one_cluster(evidence.cases)
    unseen = finding.outcomes.unseen
    room, beyond = ((finding.margin + rest) / (1 - unseen) for rest in (-unseen, unseen))
    behind = evidence.estimate < -beyond
    if unseen and not behind and evidence.estimate <= -room:
        return Need(None, f"no case stands for {100 * unseen:.3g}% of traffic, which decides: add such cases")
    alpha = policy.alpha / max(1, finding.tested) if behind else policy.alpha
    per_case = evidence.results / evidence.cases
    per_cluster = evidence.cases / evidence.clusters
    if evidence.identical:
        total = identical_to_tell(room, alpha=alpha) * per_cluster
    else:
        distance = (beyond if behind else room) + min(0.0, evidence.estimate)
        total = cases_to_tell(_variance(evidence), distance, alpha=alpha, power=policy.power) / per_case
    least = LEAST_CLUSTERS * per_cluster if evidence.clustered else 0.0
    return further(max(total, policy.min_cases, least), evidence.cases)._replace(against=behind)


def _variance(evidence: Comparison) -> float:
    """Of one result, at the difference planned for (none where the candidate is ahead)."""
    ahead = max(0.0, evidence.estimate) ** 2 * evidence.design_effect
    return max(evidence.variance + ahead, evidence.design_effect / evidence.results)


def missing_range(outcomes: Outcomes) -> tuple[float, float] | None:
    """The difference if all missing results were the worst, and the best, for the candidate; None without missing."""
    if not outcomes.missing or outcomes.incumbent is None:
        return None
    worst, best = (compare(outcomes.filled(worst=worst)) for worst in (True, False))
    return None if worst is None or best is None else (worst.estimate, best.estimate)


def _second(outcomes: Outcomes) -> Floats:
    assert outcomes.incumbent is not None
    return outcomes.incumbent


def uneven_missing(outcomes: Outcomes) -> bool:
    """Whether one arm misses results more often than the other, beyond chance (mid-p McNemar below 0.01)."""
    if outcomes.incumbent is None or not outcomes.missing:
        return False
    first, second = outcomes.gone
    only_first, only_second = int(np.count_nonzero(first & ~second)), int(np.count_nonzero(second & ~first))
    return mcnemar(only_first, only_second).mid_p < UNEVEN
