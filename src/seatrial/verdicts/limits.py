"""Limits: whether a statistic of the measure (latency, cost, length) is shown to be at most what is allowed.

Absolute: quantiles by order statistics, means by a cluster-robust t. Relative to the incumbent, on the pairs that both
arms have: means on the log scale, quantiles by a seeded bootstrap of whole clusters. Intervals are two-sided at
1 − 2·alpha, so that each end is a one-sided bound at alpha.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy import special  # pyright: ignore[reportMissingTypeStubs]  # scipy ships no stubs

from seatrial.core.suite import Policy, RubricSpec, Statistic
from seatrial.stats import cluster_rate, n_zero_failures, paired_cluster, quantile_ranks
from seatrial.verdicts.needs import Need, cases_to_tell, further
from seatrial.verdicts.outcomes import MOST_MISSING, Floats, Ints, Outcomes, independent, known, spread
from seatrial.verdicts.records import Decision, Flag

Reason = Literal["kept", "broken", "open", "few_cases", "few_clusters", "missing", "no_data", "no_ratio"]

RESAMPLES = 1000
LEAST_CLUSTERS = 10
FEW_CLUSTERS = 30
QUANTILES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}


class Measured(NamedTuple):
    """A statistic with its interval at 1 − 2·alpha; an end is infinite where the data cannot bound it.

    `variance` is of one result, on the scale on which the statistic is compared with its limit (`distance` apart):
    together they say how many results would settle it.
    """

    value: float
    low: float
    high: float
    method: str
    variance: float = math.inf
    distance: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class LimitFinding:
    """What a limit's measures say: the statistic that was compared with `allowed`, and for which reason."""

    decision: Decision
    reason: Reason
    allowed: float
    outcomes: Outcomes
    compared: Measured | None
    candidate: Measured | None
    incumbent: Measured | None
    results: int = 0
    cases: int = 0
    clusters: int = 0
    flags: tuple[Flag, ...] = ()


def judge_limit(outcomes: Outcomes, rubric: RubricSpec, policy: Policy, seed: int = 0) -> LimitFinding:
    """Decide a limit on measures: PASS when the upper bound is within it, BLOCK when the lower bound is beyond it.

    `seed` fixes the bootstrap of a relative quantile. Too few cases, too few clusters or too many missing measures
    decide nothing.
    """
    relative = rubric.at_most_ratio is not None
    used = _paired(outcomes) if relative else outcomes
    allowed = rubric.at_most_ratio if rubric.at_most_ratio is not None else rubric.at_most
    assert allowed is not None, "a limit has one of the two"
    candidate = measure(used.candidate, used.cluster, rubric.statistic, policy.alpha, allowed)
    incumbent = None
    if used.incumbent is not None:
        incumbent = measure(used.incumbent, used.cluster, rubric.statistic, policy.alpha, allowed)
    compared = ratio(used, rubric.statistic, policy.alpha, allowed, seed) if relative else candidate
    labels = known(used.candidate, used.cluster)[1]
    cases = int(np.count_nonzero((~np.isnan(used.candidate)).any(axis=1)))
    clusters, clustered = len(np.unique(labels)), not independent(labels)
    reason = _reason(compared, allowed)
    if candidate is None:
        reason = "no_data"
    elif cases < policy.min_cases:
        reason = "few_cases"
    elif clustered and clusters < LEAST_CLUSTERS:
        reason = "few_clusters"
    elif reason == "kept" and outcomes.most_missing > MOST_MISSING:
        reason = "missing"
    told: dict[Flag, bool] = {
        "few_cases": cases < policy.min_cases,
        "few_clusters": clustered and clusters < FEW_CLUSTERS,
        "missing": outcomes.missing > 0,
        "fragile": not relative and reason in {"kept", "broken"} and _fragile(used, rubric, policy, reason),
    }
    flags: tuple[Flag, ...] = tuple(flag for flag, true in told.items() if true)
    return LimitFinding(
        _decision(reason),
        reason,
        allowed,
        outcomes,
        compared,
        candidate,
        incumbent,
        len(labels),
        cases,
        clusters,
        flags,
    )


def _paired(outcomes: Outcomes) -> Outcomes:
    """The same with a measure missing in both arms where it is missing in either."""
    if outcomes.incumbent is None:
        return outcomes
    gone = np.isnan(outcomes.candidate) | np.isnan(outcomes.incumbent)
    first, second = np.where(gone, np.nan, outcomes.candidate), np.where(gone, np.nan, outcomes.incumbent)
    return Outcomes(outcomes.cluster, first, second, outcomes.rows)


def _decision(reason: Reason) -> Decision:
    return "PASS" if reason == "kept" else "BLOCK" if reason == "broken" else "INCONCLUSIVE"


def _reason(compared: Measured | None, allowed: float) -> Reason:
    if compared is None:
        return "no_ratio"
    return "kept" if compared.high <= allowed else "broken" if compared.low > allowed else "open"


# one arm --------------------------------------------------------------------------------------------------------------


def measure(arm: Floats, cluster: Ints, statistic: Statistic, alpha: float, allowed: float) -> Measured | None:
    """A statistic of one arm's measures; None without any."""
    values, labels = known(arm, cluster)
    if not len(values):
        return None
    if statistic == "mean":
        return _mean(values, labels, alpha, allowed)
    return _quantile(values, labels, QUANTILES[statistic], alpha, allowed)


def _mean(values: Floats, labels: Ints, alpha: float, allowed: float) -> Measured:
    found = paired_cluster(values, labels, alpha=2 * alpha, limits=(-math.inf, math.inf))
    if found.se == 0:
        return Measured(found.estimate, found.estimate, found.estimate, "mean; all measures are equal", 0.0)
    variance = math.inf if math.isnan(found.se) else found.se**2 * found.n
    low, high = found.interval
    return Measured(found.estimate, low, high, "mean, cluster-robust t", variance, abs(allowed - found.estimate))


def _quantile(values: Floats, labels: Ints, q: float, alpha: float, allowed: float) -> Measured:
    """Order statistics; with clusters at the effective size of "at most the quantile" (Woodruff 1952)."""
    ordered = np.sort(values)
    n = len(ordered)
    at = float(ordered[_rank(q, n) - 1])
    size, method = n, f"{_name(q)}, order statistics"
    if not independent(labels):
        size = _effective_size(values <= at, labels, q, alpha)
        method = f"{_name(q)}, order statistics at the effective size of the clusters"
    low, high = _ends(ordered, q, alpha, size)
    share = float(np.count_nonzero(values <= allowed)) / n
    return Measured(at, low, high, method, share * (1 - share) * n / max(1, size), abs(share - q))


def _name(q: float) -> str:
    return f"p{q * 100:g}"


def _rank(q: float, n: int) -> int:
    """Which sorted value is the q-quantile: the first that at least the share q does not exceed."""
    return min(n, max(1, math.ceil(q * n - 1e-9)))


def _effective_size(within: np.ndarray, labels: Ints, q: float, alpha: float) -> int:
    """How many independent results tell as much about the share of results within the quantile; 0: nothing."""
    n, clusters = len(labels), len(np.unique(labels))
    if clusters < 2:
        return 0
    se = cluster_rate(within.astype(np.float64), labels).se
    if se == 0:
        return clusters
    effect = max(1.0, se * se / (q * (1 - q) / n))
    t, z = float(special.stdtrit(clusters - 1, 1 - alpha)), float(special.ndtri(1 - alpha))
    return max(1, math.floor(n / (effect * (t / z) ** 2)))


def _ends(ordered: Floats, q: float, alpha: float, size: int) -> tuple[float, float]:
    """The sorted values that bound the quantile, their ranks taken at the effective size."""
    if size < 1:
        return -math.inf, math.inf
    n, ranks = len(ordered), quantile_ranks(size, q, alpha=2 * alpha)
    low, high = math.floor((ranks.low - 1) * n / size) + 1, math.ceil(ranks.high * n / size)
    return (
        float(ordered[low - 1]) if ranks.low >= 1 else -math.inf,
        float(ordered[min(n, high) - 1]) if ranks.high <= size else math.inf,
    )


# against the incumbent ------------------------------------------------------------------------------------------------


def ratio(paired: Outcomes, statistic: Statistic, alpha: float, allowed: float, seed: int) -> Measured | None:
    """Candidate over incumbent on the pairs; None where either statistic is not positive, or there is no pair."""
    if paired.incumbent is None:
        return None
    there = ~np.isnan(paired.candidate)
    first, second, labels = paired.candidate[there], paired.incumbent[there], spread(paired.cluster, there)
    if not len(first):
        return None
    if statistic == "mean":
        return _ratio_of_means(first, second, labels, alpha, allowed)
    return _ratio_of_quantiles(first, second, labels, QUANTILES[statistic], alpha, allowed, seed)


def _ratio_of_means(first: Floats, second: Floats, labels: Ints, alpha: float, allowed: float) -> Measured | None:
    one, two = float(first.mean()), float(second.mean())
    if one <= 0 or two <= 0:
        return None
    method = "ratio of means, log scale, cluster-robust t"
    log = math.log(one / two)
    found = paired_cluster(first / one - second / two, labels, alpha=2 * alpha, limits=(-math.inf, math.inf))
    if math.isnan(found.se):
        return Measured(one / two, -math.inf, math.inf, method)
    half = 0.0 if found.se == 0 else found.interval.high - found.estimate
    return Measured(
        one / two,
        math.exp(log - half),
        math.exp(log + half),
        method,
        found.se**2 * found.n,
        abs(math.log(allowed) - log),
    )


def _ratio_of_quantiles(
    first: Floats, second: Floats, labels: Ints, q: float, alpha: float, allowed: float, seed: int
) -> Measured | None:
    one, two = (float(np.sort(arm)[_rank(q, len(arm)) - 1]) for arm in (first, second))
    if one <= 0 or two <= 0:
        return None
    method = f"ratio of {_name(q)}s, bootstrap of clusters ({RESAMPLES:,} draws, seed {seed})"
    names, group = np.unique(labels, return_inverse=True)
    bounded = all(math.isfinite(_quantile(arm, labels, q, alpha, allowed).high) for arm in (first, second))
    if len(names) < 2 or not bounded:
        return Measured(one / two, -math.inf, math.inf, f"{method}; too few results to bound it")
    draws = _resampled(first, second, group, len(names), q, seed)
    low, high = np.quantile(draws, [alpha, 1 - alpha], method="inverted_cdf")
    logs = np.log(draws[(draws > 0) & np.isfinite(draws)])
    variance = float(logs.var()) * len(first) if len(logs) else math.inf
    distance = abs(math.log(allowed) - math.log(one / two))
    return Measured(one / two, float(low), float(high), method, variance, distance)


def _resampled(first: Floats, second: Floats, group: Ints, clusters: int, q: float, seed: int) -> Floats:
    """The ratio in each bootstrap sample of whole clusters; infinite where the incumbent's statistic is 0."""
    random = np.random.default_rng(seed)
    orders = [np.argsort(arm, kind="stable") for arm in (first, second)]
    arms = [(arm[order], group[order]) for arm, order in zip((first, second), orders, strict=True)]
    found = np.empty((RESAMPLES, 2))
    for draw in range(RESAMPLES):
        times = np.bincount(random.integers(0, clusters, clusters), minlength=clusters)
        for side, (ordered, owner) in enumerate(arms):
            reached = np.cumsum(times[owner])
            found[draw, side] = ordered[np.searchsorted(reached, _rank(q, int(reached[-1])))]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(found[:, 1] > 0, found[:, 0] / found[:, 1], np.inf)


# what would change it, and what would settle it -----------------------------------------------------------------------


def _fragile(outcomes: Outcomes, rubric: RubricSpec, policy: Policy, reason: Reason) -> bool:
    """Whether missing measures could change a quantile's decision: all of them beyond the limit, or none."""
    if not np.isnan(outcomes.candidate).any() or rubric.statistic == "mean" or rubric.at_most is None:
        return False
    values = outcomes.candidate
    largest, least = float(np.nanmax(values)), float(np.nanmin(values))
    for filler in (max(largest, rubric.at_most) + 1, min(least, rubric.at_most)):
        filled = np.where(np.isnan(values), filler, values)
        again = measure(filled, outcomes.cluster, rubric.statistic, policy.alpha, rubric.at_most)
        if _reason(again, rubric.at_most) != reason:
            return True
    return False


def need(finding: LimitFinding, rubric: RubricSpec, policy: Policy) -> Need:
    """How many further cases would settle an open limit; no number where it is not for want of cases."""
    if finding.reason == "missing":
        return Need(None, "measures are missing: run again with --retry-errors")
    if finding.reason == "no_ratio":
        return Need(None, "the incumbent has no positive measure to compare with")
    if finding.compared is None or finding.clusters == 0:
        return Need(policy.min_cases, "cases with a measure")
    if finding.clusters < 2 and finding.results > 1:
        return Need(None, "all cases form one cluster: more of the same say nothing, other seeds would")
    per_case = finding.results / finding.cases
    q = QUANTILES.get(rubric.statistic)
    least = float(policy.min_cases)
    if q is not None:
        least = max(least, n_zero_failures(1 - q, alpha=policy.alpha) * finding.cases / finding.clusters)
    told = finding.compared
    total = 0.0
    if math.isfinite(told.variance) and (told.variance > 0 or told.distance == 0) and finding.reason == "open":
        total = cases_to_tell(told.variance, told.distance, alpha=policy.alpha, power=policy.power) / per_case
    return further(max(total, least), finding.cases)._replace(against=told.value > finding.allowed)
