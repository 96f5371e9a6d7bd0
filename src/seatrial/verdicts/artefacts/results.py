"""From a finding to the record of it: every number with its interval, level and method."""

from __future__ import annotations

import math

from seatrial.core.suite import Policy, RubricSpec, Suite
from seatrial.stats import Interval
from seatrial.stats.distributions import special
from seatrial.verdicts.artefacts import sentences
from seatrial.verdicts.engine import gates, limits, quality
from seatrial.verdicts.engine.aggregates import confusion
from seatrial.verdicts.engine.evidence import Evidence, weigh
from seatrial.verdicts.engine.judging import Finding
from seatrial.verdicts.engine.needs import Need, named
from seatrial.verdicts.engine.outcomes import Outcomes, pair
from seatrial.verdicts.engine.rates import rates_of, tries
from seatrial.verdicts.engine.weighing import Comparison, compare
from seatrial.verdicts.records import Estimate, Pairs, Quantity, RubricResult


def result(suite: Suite, rubric: RubricSpec, outcomes: Outcomes, finding: Finding | None, unit: str) -> RubricResult:
    """The record of one rubric; `finding` is None where nothing is decided, `unit` is of a limit's measures."""
    match finding:
        case quality.QualityFinding():
            return _quality(rubric, finding, suite.policy)
        case gates.GateFinding():
            return _gate(rubric, finding, suite.policy)
        case limits.LimitFinding():
            return _limit(rubric, finding, suite.policy, unit)
        case None:
            return _shown(rubric, outcomes, suite.policy, unit)


def _base(rubric: RubricSpec, outcomes: Outcomes, policy: Policy) -> RubricResult:
    """What all kinds that count passes share: the arms' rates and the paired counts."""
    candidate, incumbent = rates_of(outcomes, policy.alpha)
    counted = outcomes.asked is None and outcomes.labels is None and not outcomes.graded
    paired = pairs_of(outcomes, policy) if incumbent is not None and counted else None
    return RubricResult(
        name=rubric.name,
        kind=rubric.kind,
        scorer=rubric.scorer,
        decision="SHOWN",
        sentence="",
        candidate=candidate,
        incumbent=incumbent,
        pairs=paired,
        unweighted=_unweighted(outcomes, policy),
        unseen=outcomes.unseen,
        tries=tries(outcomes, policy.alpha),
        confusion=confusion(outcomes),
        missing_range=quality.missing_range(outcomes),
        warnings=_warnings(rubric, outcomes),
    )


def _warnings(rubric: RubricSpec, outcomes: Outcomes) -> tuple[str, ...]:
    told: list[str] = []
    if quality.uneven_missing(outcomes):
        told.append("One arm misses results more often than the other, beyond chance: what is missing is not random.")
    if outcomes.asked is not None and rubric.kind == "gate":
        told.append("The arms were asked different cases: whether the candidate fails more often was not tested.")
    if outcomes.asked is not None and rubric.at_most_ratio is not None:
        told.append("The arms were asked different cases: their ratio is of those that both were asked.")
    if outcomes.as_failures:
        share = sentences.points(outcomes.as_failures)
        told.append(f"Missing results count as failures, as the policy says: up to {share}% of an arm's.")
    return tuple(told)


def _unweighted(outcomes: Outcomes, policy: Policy) -> Estimate | None:
    """The difference if all cases counted the same; None where they do."""
    if outcomes.weight is None or outcomes.incumbent is None:
        return None
    evidence = compare(outcomes.unweighted())
    if evidence is None:
        return None
    return _estimate(evidence.estimate, evidence.interval(2 * policy.alpha), 1 - 2 * policy.alpha, evidence.method)


def pairs_of(outcomes: Outcomes, policy: Policy) -> Pairs:
    """The paired counts of both arms, and what the method divides them by."""
    paired = pair(outcomes)
    evidence = weigh(paired)
    return Pairs(
        n=paired.pairs,
        both=paired.both,
        gained=paired.gained,
        lost=paired.lost,
        neither=paired.neither,
        missing=paired.missing,
        clusters=evidence.clusters if evidence else 0,
        discordant_clusters=evidence.discordant_clusters if evidence else 0,
        deflation=_deflation(evidence, policy.alpha) if evidence else 1.0,
    )


def _deflation(evidence: Evidence, alpha: float) -> float:
    """What the method divided the counts by: design effect × (t/z)², at most down to one result."""
    if evidence.clusters < 2:
        return float(evidence.paired.pairs)
    t, z = float(special.stdtrit(evidence.df[0], 1 - alpha)), float(special.ndtri(1 - alpha))
    return min(evidence.design_effect * (t / z) ** 2, float(evidence.paired.pairs))


def _estimate(value: float, interval: Interval, level: float, method: str) -> Estimate:
    """An estimate whose infinite ends are left out."""
    low, high = (end if math.isfinite(end) else None for end in interval)
    return Estimate(value=value, low=low, high=high, level=level, method=method)


def _difference(evidence: Comparison, alpha: float) -> Estimate:
    return _estimate(evidence.estimate, evidence.interval(alpha), 1 - alpha, evidence.method)


def _quality(rubric: RubricSpec, finding: quality.QualityFinding, policy: Policy) -> RubricResult:
    evidence, alpha = finding.evidence, policy.alpha
    need = named(quality.need(finding, policy), rubric) if finding.decision == "INCONCLUSIVE" else None
    interval = evidence.interval(2 * alpha) if evidence else None
    update: dict[str, object] = {
        "decision": finding.decision,
        "sentence": sentences.quality(finding, interval, alpha, need),
        "margin": finding.margin,
        "p_holm": finding.p_holm,
        "flags": finding.flags,
        **_needed(need),
    }
    if evidence is not None and interval is not None:
        update |= _paired_numbers(evidence, interval, policy)
    base = _base(rubric, finding.outcomes, policy)
    update["sentence"] = f"{update['sentence']}{sentences.tries(base.tries)}"
    return base.model_copy(update=update)


def _paired_numbers(evidence: Comparison, interval: Interval, policy: Policy) -> dict[str, object]:
    """The difference at both levels, the p-values against none, and what this many cases can show."""
    return {
        "difference": _estimate(evidence.estimate, interval, 1 - 2 * policy.alpha, evidence.method),
        "difference_wide": _difference(evidence, policy.alpha),
        "p_value": evidence.p_value,
        "p_worse": evidence.p_worse,
        "p_method": evidence.test,
        "visible": evidence.visible(policy.alpha, policy.power),
    }


def _needed(need: Need | None) -> dict[str, object]:
    return {} if need is None else {"needed": need.cases, "needed_note": need.note}


def _gate(rubric: RubricSpec, finding: gates.GateFinding, policy: Policy) -> RubricResult:
    failures = finding.failures
    need = gates.need(finding, policy) if finding.decision == "INCONCLUSIVE" else None
    need = named(need, rubric, new_seeds=failures.clusters < failures.results)
    update: dict[str, object] = {
        "decision": finding.decision,
        "sentence": sentences.gate(finding, policy.alpha, need),
        "limit": finding.limit,
        "flags": finding.flags,
        **_needed(need),
    }
    if failures.results:
        ends = Interval(failures.low, failures.high)
        share = failures.failed / failures.results
        update["failures"] = _estimate(share, ends, 1 - policy.alpha, failures.method)
    evidence = weigh(pair(finding.outcomes)) if finding.compared is not None else None
    if evidence is not None and finding.compared is not None:
        update |= _paired_numbers(evidence, evidence.interval(2 * policy.alpha), policy)
        update |= {"p_value": finding.compared.p_value, "p_worse": finding.compared.p_worse}
        update["p_method"] = "mid-p McNemar" + (" on clusters with any failure" if evidence.clustered else "")
    return _base(rubric, finding.outcomes, policy).model_copy(update=update)


def _limit(rubric: RubricSpec, finding: limits.LimitFinding, policy: Policy, unit: str) -> RubricResult:
    need = named(limits.need(finding, rubric, policy), rubric) if finding.decision == "INCONCLUSIVE" else None
    return RubricResult(
        name=rubric.name,
        kind=rubric.kind,
        scorer=rubric.scorer,
        decision=finding.decision,
        sentence=sentences.limit(finding, rubric, policy.alpha, unit, need),
        quantity=_quantity(rubric, finding, policy, unit),
        flags=finding.flags,
        needed=None if need is None else need.cases,
        needed_note="" if need is None else need.note,
        warnings=_warnings(rubric, finding.outcomes),
    )


def _quantity(rubric: RubricSpec, finding: limits.LimitFinding, policy: Policy, unit: str) -> Quantity:
    return Quantity(
        statistic=rubric.statistic,
        unit=unit,
        n=finding.results,
        candidate=_measured(finding.candidate, policy) or Estimate(value=None, method="no data"),
        incumbent=_measured(finding.incumbent, policy),
        ratio=_measured(finding.compared, policy) if rubric.at_most_ratio is not None else None,
        at_most=rubric.at_most,
        at_most_ratio=rubric.at_most_ratio,
    )


def _measured(found: limits.Measured | None, policy: Policy) -> Estimate | None:
    if found is None:
        return None
    return _estimate(found.value, Interval(found.low, found.high), 1 - 2 * policy.alpha, found.method)


def _shown(rubric: RubricSpec, outcomes: Outcomes, policy: Policy, unit: str) -> RubricResult:
    """A rubric that decides nothing: advisory, or without the incumbent that it needs."""
    if rubric.kind == "limit":
        assert rubric.at_most_ratio is not None, "an absolute limit always decides"
        finding = limits.judge_limit(outcomes, rubric, policy)
        sentence = sentences.limit(finding, rubric, policy.alpha, unit, None)
        return _limit(rubric, finding, policy, unit).model_copy(
            update={"decision": "SHOWN", "sentence": sentence, "needed": None, "needed_note": ""}
        )
    base = _base(rubric, outcomes, policy)
    evidence = None if outcomes.incumbent is None else compare(outcomes)
    tried = sentences.tries(base.tries)
    if evidence is None:
        assert base.candidate is not None
        return base.model_copy(update={"sentence": f"{sentences.rate(base.candidate, outcomes)}{tried}"})
    interval = evidence.interval(2 * policy.alpha)
    sentence = sentences.difference(evidence.estimate, interval, policy.alpha, outcomes) + tried
    return base.model_copy(update={"sentence": sentence, **_paired_numbers(evidence, interval, policy)})
