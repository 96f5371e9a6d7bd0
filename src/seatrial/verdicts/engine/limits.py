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

from seatrial.core.suite import Policy, RubricSpec, Statistic
from seatrial.stats import cluster_rate, n_zero_failures, paired_cluster, quantile_ranks
from seatrial.stats.distributions import special
from seatrial.verdicts.engine.needs import Need, cases_to_tell, cure, further, one_cluster
from seatrial.verdicts.engine.outcomes import Floats, Ints, Outcomes, distinct, independent, known, spread
from seatrial.verdicts.records import Decision, Flag

Reason = Literal["kept", "broken", "open", "few_cases", "few_clusters", "missing", "no_data", "no_ratio"]

RESAMPLES = 1000
LARGEST_LOG = 709.0
"""Beyond it an exponential is no number any more."""
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
    clusters, clustered = len(distinct(labels)), not independent(labels)
    reason = _reason(compared, allowed)
    if candidate is None:
        reason = "no_data"
    elif cases < policy.min_cases:
        reason = "few_cases"
    elif clustered and clusters < LEAST_CLUSTERS:
        reason = "few_clusters"
    elif reason == "kept" and outcomes.too_much_missing:
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
    """Taken in units of the largest measure, so that neither tiny nor huge ones lose their spread."""
    scale = _scale(values)
    found = paired_cluster(values / scale, labels, alpha=2 * alpha, limits=(-math.inf, math.inf))
    mean = found.estimate * scale
    if found.se == 0:
        return Measured(mean, mean, mean, "mean; all measures are equal", 0.0)
    variance = math.inf if math.isnan(found.se) else found.se**2 * found.n
    low, high = (end * scale for end in found.interval)
    return Measured(mean, low, high, "mean, cluster-robust t", variance, abs(allowed / scale - found.estimate))


def _scale(values: Floats) -> float:
    """The largest measure's size; 1 where all are 0."""
    return float(np.abs(values).max()) or 1.0


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
    n, clusters = len(labels), len(distinct(labels))
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
    scales = _scale(first), _scale(second)
    one, two = first / scales[0], second / scales[1]
    means = float(one.mean()), float(two.mean())
    if min(means) <= 0:
        return None
    log = math.log(means[0]) - math.log(means[1]) + math.log(scales[0]) - math.log(scales[1])
    found = paired_cluster(one / means[0] - two / means[1], labels, alpha=2 * alpha, limits=(-math.inf, math.inf))
    half = 0.0 if found.se == 0 else found.interval.high - found.estimate
    variance = math.inf if math.isnan(found.se) else found.se**2 * found.n
    return _from_logs((log, log - half, log + half), "ratio of means, log scale, cluster-robust t", variance, allowed)


def _from_logs(logs: tuple[float, float, float], method: str, variance: float, allowed: float) -> Measured | None:
    """A ratio from its logarithm and that of its ends; None where no number can hold it."""
    if not abs(logs[0]) < LARGEST_LOG:
        return None
    value, low, high = (math.exp(log) if log < LARGEST_LOG else math.inf for log in logs)
    return Measured(value, low, high, method, variance, abs(math.log(allowed) - logs[0]))


def _ratio_of_quantiles(
    first: Floats, second: Floats, labels: Ints, q: float, alpha: float, allowed: float, seed: int
) -> Measured | None:
    ends = [_quantile(arm, labels, q, alpha, allowed) for arm in (first, second)]
    if min(end.value for end in ends) <= 0:
        return None
    log = math.log(ends[0].value) - math.log(ends[1].value)
    method = f"ratio of {_name(q)}s, bootstrap of clusters ({RESAMPLES:,} draws, seed {seed})"
    names, group = np.unique(labels, return_inverse=True)
    if len(names) < 2 or not all(math.isfinite(end.high) for end in ends):
        return _from_logs((log, -math.inf, math.inf), f"{method}; too few results to bound it", math.inf, allowed)
    draws = _resampled(first, second, group, len(names), q, seed)
    low, high = np.quantile(draws, [alpha, 1 - alpha], method="inverted_cdf").tolist()
    finite = draws[np.isfinite(draws)]
    variance = float(finite.var()) * len(first) if len(finite) else math.inf
    return _from_logs((log, low, high), method, variance, allowed)


def _resampled(first: Floats, second: Floats, group: Ints, clusters: int, q: float, seed: int) -> Floats:
    """The ratio's logarithm in each bootstrap sample of whole clusters; ±inf where either statistic is not positive."""
    random = np.random.default_rng(seed)
    orders = [np.argsort(arm, kind="stable") for arm in (first, second)]
    arms = [(arm[order], group[order]) for arm, order in zip((first, second), orders, strict=True)]
    found = np.empty((RESAMPLES, 2))
    for draw in range(RESAMPLES):
        times = np.bincount(random.integers(0, clusters, clusters), minlength=clusters)
        for side, (ordered, owner) in enumerate(arms):
            reached = np.cumsum(times[owner])
            found[draw, side] = ordered[np.searchsorted(reached, _rank(q, int(reached[-1])))]
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(found, 0.0))
    return np.where(found[:, 1] > 0, logs[:, 0] - np.where(found[:, 1] > 0, logs[:, 1], 0.0), np.inf)


# what would change it, and what would settle it -----------------------------------------------------------------------


def _fragile(outcomes: Outcomes, rubric: RubricSpec, policy: Policy, reason: Reason) -> bool:
    """Whether missing measures could change a quantile's decision: all of them beyond the limit, or none."""
    if not np.isnan(outcomes.candidate).any() or rubric.statistic == "mean" or rubric.at_most is None:
        return False
    for filler in (math.inf, -math.inf):
        filled = np.where(np.isnan(outcomes.candidate), filler, outcomes.candidate)
        again = measure(filled, outcomes.cluster, rubric.statistic, policy.alpha, rubric.at_most)
        if _reason(again, rubric.at_most) != reason:
            return True
    return False


def need(finding: LimitFinding, rubric: RubricSpec, policy: Policy) -> Need:
    """How many further cases would settle an open limit; no number where it is not for want of cases."""
    if (missing := cure(finding.outcomes, lacking=finding.reason in {"missing", "no_data"})) is not None:
        return missing
    if finding.reason == "no_ratio":
        return Need(None, "the ratio needs a positive statistic of both arms")
    if finding.compared is None or finding.clusters == 0:
        return Need(policy.min_cases, "cases with a measure")
    if finding.clusters < 2 and finding.results > 1:
        return one_cluster(finding.cases)
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
