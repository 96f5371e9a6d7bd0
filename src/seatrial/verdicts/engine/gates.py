"""Gates: whether the failure rate is shown to be at most the limit, and not to be worse than the incumbent's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from seatrial.core.suite import Policy
from seatrial.stats import Interval, clopper_pearson, cluster_clopper_pearson, mcnemar, mcnemar_one_sided
from seatrial.stats.distributions import special
from seatrial.verdicts.engine.evidence import Tally, effects_of, tally
from seatrial.verdicts.engine.needs import Need, clean_to_pass, cure
from seatrial.verdicts.engine.outcomes import Bools, Floats, Ints, Outcomes, distinct, independent, known, spread
from seatrial.verdicts.records import Decision, Flag

Reason = Literal["kept", "broken", "worse", "confirmed", "open", "few_cases", "missing", "no_data"]

FEW_CLUSTERS = 30


class Failures(NamedTuple):
    """One arm's failures: `low` and `high` are the one-sided bounds of the rate, each at 1 − alpha."""

    failed: int
    results: int
    cases: int
    clusters: int
    failed_clusters: int
    low: float
    high: float
    method: str


class Compared(NamedTuple):
    """Clusters in which only one arm failed, among results that both arms have; mid-p of McNemar on them."""

    only_incumbent: int
    only_candidate: int
    p_worse: float
    p_value: float


@dataclass(frozen=True, slots=True, eq=False)
class GateFinding:
    """What a gate's outcomes say, and for which reason."""

    decision: Decision
    reason: Reason
    limit: float
    outcomes: Outcomes
    failures: Failures
    compared: Compared | None
    flags: tuple[Flag, ...] = ()


def judge_gate(outcomes: Outcomes, limit: float, policy: Policy) -> GateFinding:
    """Decide a gate. `limit` is a share in (0, 1].

    BLOCK: a person confirmed a failure, the failure rate's lower bound lies above the limit, or the candidate is worse
    than the incumbent at policy.gate_alpha. PASS: its upper bound lies at or below the limit. Bounds are one-sided at
    policy.alpha. No data, too few cases or too many missing results never pass.
    """
    failures = count_failures(outcomes, policy.alpha)
    compared = None if outcomes.asked is not None else compare_failures(outcomes)
    reason = _reason(failures, compared, limit, policy)
    if outcomes.confirmed:
        reason = "confirmed"
    elif reason == "kept" and failures.cases < policy.min_cases:
        reason = "few_cases"
    elif reason == "kept" and outcomes.too_much_missing:
        reason = "missing"
    clustered = failures.clusters < failures.results
    told: dict[Flag, bool] = {
        "few_cases": failures.cases < policy.min_cases,
        "few_clusters": clustered and failures.clusters < FEW_CLUSTERS,
        "regressed": compared is not None and compared.p_worse <= policy.gate_alpha,
        "missing": outcomes.missing > 0,
        "fragile": reason in {"kept", "broken", "worse"} and _fragile(reason, outcomes, limit, policy),
    }
    flags: tuple[Flag, ...] = tuple(flag for flag, true in told.items() if true)
    return GateFinding(_decision(reason), reason, limit, outcomes, failures, compared, flags)


def _decision(reason: Reason) -> Decision:
    return "PASS" if reason == "kept" else "BLOCK" if reason in {"broken", "worse", "confirmed"} else "INCONCLUSIVE"


def _reason(failures: Failures, compared: Compared | None, limit: float, policy: Policy) -> Reason:
    if not failures.results:
        return "no_data"
    worse = compared is not None and compared.p_worse <= policy.gate_alpha
    return _said(failures.low, failures.high, limit, worse=worse)


def _said(low: float, high: float, limit: float, *, worse: bool) -> Reason:
    if low > limit:
        return "broken"
    if worse:
        return "worse"
    return "kept" if high <= limit else "open"


def count_failures(outcomes: Outcomes, alpha: float) -> Failures:
    """The candidate's failures with exact one-sided bounds, at the effective size where cases share clusters."""
    values, labels = known(outcomes.candidate, outcomes.cluster)
    n, failed = len(values), int(np.count_nonzero(values == 0))
    cases = int(np.count_nonzero((~np.isnan(outcomes.candidate)).any(axis=1)))
    if independent(labels):
        method = "Clopper–Pearson, one-sided"
        ends = Interval(
            clopper_pearson(failed, n, alpha=alpha, side="lower").low,
            clopper_pearson(failed, n, alpha=alpha, side="upper").high,
        )
    else:
        method = "Clopper–Pearson at the effective size of the clusters, one-sided"
        ends = Interval(
            cluster_clopper_pearson(1 - values, labels, alpha=alpha, side="lower").low,
            cluster_clopper_pearson(1 - values, labels, alpha=alpha, side="upper").high,
        )
    clusters, failed_clusters = len(distinct(labels)), len(distinct(labels[values == 0]))
    return Failures(failed, n, cases, clusters, failed_clusters, ends.low, ends.high, method)


def compare_failures(outcomes: Outcomes) -> Compared | None:
    """Whether the candidate fails in more clusters than the incumbent; None without a pair.

    A cluster counts as failed when any of its results is a failure, so that variants of one seed count once.
    """
    failed = _failed_clusters(outcomes)
    if failed is None:
        return None
    only_incumbent = int(np.count_nonzero(failed.incumbent & ~failed.candidate))
    only_candidate = int(np.count_nonzero(failed.candidate & ~failed.incumbent))
    return Compared(
        only_incumbent,
        only_candidate,
        mcnemar_one_sided(only_incumbent, only_candidate).mid_p,
        mcnemar(only_incumbent, only_candidate).mid_p,
    )


class _Clusters(NamedTuple):
    """Clusters with a pair, by label, and whether each arm failed in them."""

    names: Ints
    candidate: Bools
    incumbent: Bools


def _failed_clusters(outcomes: Outcomes) -> _Clusters | None:
    if outcomes.incumbent is None:
        return None
    there = ~np.isnan(outcomes.candidate) & ~np.isnan(outcomes.incumbent)
    if not there.any():
        return None
    names, group = np.unique(spread(outcomes.cluster, there), return_inverse=True)
    arms = (outcomes.candidate[there], outcomes.incumbent[there])
    first, second = (np.bincount(group, weights=arm == 0, minlength=len(names)) > 0 for arm in arms)
    return _Clusters(names, first, second)


def _fragile(reason: Reason, outcomes: Outcomes, limit: float, policy: Policy) -> bool:
    """Whether leaving out a cluster, or filling in the missing results either way, changes the decision."""
    decision = _decision(reason)
    if any(_decision(other) != decision for other in _left_out(outcomes, limit, policy).values()):
        return True
    if not outcomes.missing:
        return False
    for worst in (True, False):
        filled = outcomes.filled(worst=worst)
        again = _reason(count_failures(filled, policy.alpha), compare_failures(filled), limit, policy)
        if _decision(again) != decision:
            return True
    return False


def again(finding: GateFinding, outcomes: Outcomes, policy: Policy) -> GateFinding:
    """The finding on other outcomes; what a person confirmed, and what keeps it from being decided, stays so."""
    if finding.reason in {"confirmed", "few_cases", "missing", "no_data"}:
        return finding
    failures, compared = count_failures(outcomes, policy.alpha), compare_failures(outcomes)
    reason = _reason(failures, compared, finding.limit, policy)
    return replace(finding, decision=_decision(reason), reason=reason)


def turning(finding: GateFinding, policy: Policy) -> Ints:
    """The clusters (one of each kind) without which the gate would be decided otherwise."""
    if not finding.failures.results:
        return np.zeros(0, dtype=np.intp)
    told = _left_out(finding.outcomes, finding.limit, policy)
    return np.array([label for label, said in told.items() if _decision(said) != finding.decision], dtype=np.intp)


def _left_out(outcomes: Outcomes, limit: float, policy: Policy) -> dict[int, Reason]:
    """What the gate would say without one cluster, by its label, for one of every kind of cluster."""
    values, labels = known(outcomes.candidate, outcomes.cluster)
    names = distinct(labels)
    gain, loss = np.zeros(len(names), dtype=np.intp), np.zeros(len(names), dtype=np.intp)
    failed = _failed_clusters(outcomes)
    if failed is not None:
        at = np.searchsorted(names, failed.names)
        gain[at], loss[at] = failed.incumbent & ~failed.candidate, failed.candidate & ~failed.incumbent
    counted = tally(values - 1, labels, gain + 2 * loss)
    low, high = _bounds(counted, policy.alpha)
    b, c = int(gain.sum()), int(loss.sum())
    said: dict[int, Reason] = {}
    for row, kind in enumerate(counted.kinds.tolist(), start=1):
        p = mcnemar_one_sided(b - int(gain[kind]), c - int(loss[kind])).mid_p
        said[int(names[kind])] = _said(float(low[row]), float(high[row]), limit, worse=p <= policy.gate_alpha)
    return said


def _bounds(failed: Tally, alpha: float) -> tuple[Floats, Floats]:
    """The one-sided bounds of `count_failures`, for every entry of the tally of failures."""
    results, clusters = failed.results, failed.clusters
    if failed.independent:
        return _exact(failed.losses, results, alpha)
    # the failures' design effect is cautious where few clusters fail; so is that of the passes where few pass
    effects = np.maximum(
        failed.effects, effects_of(failed.size, failed.size - failed.lost, 0 * failed.lost, failed.kinds)
    )
    constant = (failed.losses == 0) | (failed.losses == results)
    t = special.stdtrit(np.maximum(1.0, clusters - 1), 1 - alpha)
    shrink = np.where(constant, 1.0, (special.ndtri(1 - alpha) / t) ** 2)
    size = results / effects * shrink
    low, high = _exact(size * failed.losses / np.maximum(1.0, results), size, alpha)
    low = np.minimum(low, _exact(clusters, clusters, alpha)[0])
    high = np.maximum(high, _exact(np.zeros_like(clusters), clusters, alpha)[1])
    return np.where(clusters < 2, 0.0, low), np.where(clusters < 2, 1.0, high)


def _exact(k: Floats, n: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Clopper–Pearson's one-sided bounds for arrays."""
    low = np.where(k <= 0, 0.0, special.betaincinv(np.maximum(k, 1e-300), n - k + 1, alpha))
    high = np.where(k >= n, 1.0, special.betaincinv(k + 1, np.maximum(n - k, 1e-300), 1 - alpha))
    return low, high


def need(finding: GateFinding, policy: Policy) -> Need:
    """How many further clean cases would let the gate pass; no number when it is not for want of cases."""
    failures = finding.failures
    if (missing := cure(finding.outcomes, lacking=finding.reason in {"missing", "no_data"})) is not None:
        return missing
    if failures.results and failures.failed > finding.limit * failures.results:
        return Need(None, "more fail than the limit allows: further cases would rather break the gate than keep it")
    clean = clean_to_pass(failures.failed_clusters, failures.clusters, finding.limit, alpha=policy.alpha)
    if clean.cases is None:
        return clean
    return Need(max(clean.cases, policy.min_cases - failures.cases), clean.note)
