"""Candidate against incumbent when cases share a seed, a document or a conversation."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats import _check
from seatrial.stats._check import Floats
from seatrial.stats.distributions import normal_quantile, t_cdf, t_quantile
from seatrial.stats.pairs import Tail, is_greater, tango_ends, tango_z
from seatrial.stats.rates import ENOUGH_CLUSTERS, Interval

FEW_CLUSTERS = 30
"""Below this many clusters a report should warn."""

FEW_LOSING = 10.0
FEW_LOSING_ONE_WAY = 30.0
"""Below these effective numbers of losing clusters losses count as piled up; the second when hardly any
case is won (fewer than a fifth of those lost)."""


class ClusteredTango(NamedTuple):
    """`tango_clustered` with what a report needs to name the method and to warn.

    `b`, `c`, `n` are the raw counts; `b_eff`, `c_eff`, `n_eff` what the interval was taken at, that is
    the raw counts divided by `deflation` = `design_effect` × (t/z)².
    """

    estimate: float
    interval: Interval
    b: int
    c: int
    n: int
    b_eff: float
    c_eff: float
    n_eff: float
    design_effect: float
    deflation: float
    n_clusters: int
    n_discordant_clusters: int
    losing_clusters: float
    piled_up: bool


class ClusteredMean(NamedTuple):
    """A mean difference over clusters: estimate, cluster-robust standard error and t interval."""

    estimate: float
    se: float
    interval: Interval
    n: int
    n_clusters: int
    df: int


class _Pairs(NamedTuple):
    d: Floats
    wins: Floats
    losses: Floats
    b: int
    c: int
    design_effect: float


def _pairs(d: ArrayLike, cluster: ArrayLike) -> _Pairs:
    """Check the differences and measure by how much clustering inflates the variance of their mean."""
    values = _check.vector("d", d, -1.0, 1.0)
    odd = values != np.rint(values)
    if odd.any():
        at = int(np.argmax(odd))
        raise ValueError(f"d must hold only −1, 0 and 1; got {values[at]!r} at index {at}")
    index, n_clusters = _check.groups(cluster, values.size)
    sizes = np.bincount(index, minlength=n_clusters).astype(np.float64)
    wins = _check.sums_by(index, values > 0, n_clusters)
    losses = _check.sums_by(index, values < 0, n_clusters)
    b, c = int(wins.sum()), int(losses.sum())
    effect = math.inf  # one cluster says nothing about the spread between clusters
    if n_clusters >= 2:
        effect = float(cautious_effect(wins, losses, sizes)[0])
    return _Pairs(values, wins, losses, b, c, effect)


def measured_effect(wins: Floats, losses: Floats, sizes: Floats, *, leave_out: bool = False) -> Floats:
    """Return robust over naive variance of the mean difference, at least 1, from counts per cluster.

    With nothing to measure (constant differences) it is the mean cluster size. With `leave_out` one value
    per cluster, that cluster left out; otherwise a single value. Needs 2 clusters that stay.
    """
    sums = wins - losses
    out = (wins + losses, sums, sizes, sums * sums, sums * sizes, sizes * sizes)
    totals = [part.sum() - part if leave_out else part.sum(keepdims=True) for part in out]
    discordant, total, n, sum_sum, sum_size, size_size = totals
    left = sizes.size - 1 if leave_out else sizes.size
    mean = total / n
    naive = discordant - n * mean * mean
    robust = left / (left - 1) * np.maximum(0.0, sum_sum - 2 * mean * sum_size + mean * mean * size_size)
    measured = naive > 1e-12 * n
    safe = np.asarray(np.where(measured, naive, 1.0), dtype=np.float64)
    return np.asarray(np.where(measured, np.maximum(1.0, robust / safe), n / left), dtype=np.float64)


def cautious_effect(wins: Floats, losses: Floats, sizes: Floats, *, leave_out: bool = False) -> Floats:
    """Return `measured_effect`, drawn towards the mean cluster size when few clusters tell about it.

    With K < 6 discordant clusters a measured effect counts (K − 1)/5 and the worst case, a cluster being
    one case, the rest; so a first loss cannot look better than none.
    """
    effect = measured_effect(wins, losses, sizes, leave_out=leave_out)
    touched = (wins + losses > 0).astype(np.float64)
    told = touched.sum() - touched if leave_out else touched.sum(keepdims=True)
    rest = sizes.sum() - sizes if leave_out else sizes.sum(keepdims=True)
    worst = np.maximum(effect, rest / (sizes.size - 1 if leave_out else sizes.size))
    trust = np.clip((told - 1) / (ENOUGH_CLUSTERS - 1), 0.0, 1.0)
    return trust * effect + (1 - trust) * worst


def weighted_effect(wins: Floats, losses: Floats, sizes: Floats, squares: Floats, *, leave_out: bool = False) -> Floats:
    """Return the design effect of a weighted mean difference, from weighted sums per cluster.

    Args:
        wins: sums of the weights of the cases that only the candidate passes.
        losses: sums of the weights of the cases that only the incumbent passes.
        sizes: sums of all weights, above 0 in each cluster; all together the number of cases.
        squares: sums of the squared weights.
        leave_out: one value per cluster, that cluster left out; otherwise a single value. Needs 2 that stay.

    The robust over the naive variance as in `measured_effect`, and never below Kish's n·Σw²/(Σw)², so that weights
    never make a result surer. With K < 6 discordant clusters what was measured counts (K − 1)/5 and the worst case, a
    cluster being one case, the rest. Divide the weighted counts by it. Source: Rao and Scott 1992; Kish 1965.

    """

    def rest(part: Floats) -> Floats:
        return np.asarray(part.sum() - part if leave_out else part.sum(keepdims=True), dtype=np.float64)

    size, kept = rest(sizes), sizes.size - 1 if leave_out else sizes.size
    kish, worst = rest(squares) / size, rest(sizes * sizes) / size
    measured = measured_effect(wins, losses, sizes, leave_out=leave_out)
    discordant = rest(wins + losses)
    mean = rest(wins - losses) / size
    told = discordant - size * mean * mean > 1e-9 * size
    effect = np.maximum(np.where(told, measured, worst), kish)
    touched = rest((wins + losses > 0).astype(np.float64))
    trust = np.clip((touched - 1) / (ENOUGH_CLUSTERS - 1), 0.0, 1.0) if kept else np.zeros_like(size)
    return np.asarray(trust * effect + (1 - trust) * np.maximum(effect, worst), dtype=np.float64)


def tango_clustered(d: ArrayLike, cluster: ArrayLike, *, alpha: float = 0.05, df: int | None = None) -> Interval:
    """Return Tango's interval of the mean paired difference at the effective size: for clustered cases.

    Args:
        d: one difference per case: 1 only the candidate passes, −1 only the incumbent, 0 otherwise.
        cluster: one label per case (the seed it was made from). Labels of one kind: all text or all ints.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.
        df: degrees of freedom, 1 or more; None for C − 1. For strata that `combine_strata` adds up: all
            clusters minus the number of strata.

    The counts are divided by max(1, robust variance / naive variance) × (t/z)², t with C − 1 degrees of
    freedom, and Tango's interval is taken there. Assumes independent clusters. Constant differences say
    nothing about clustering: the size is then the number of clusters; with K < 6 discordant clusters that
    worst case counts (6 − K)/5 and what was measured the rest, so that a first loss never makes the
    result surer. One cluster or no data: (−1, 1). Losses piled into few clusters may still let too
    much through: `clustered_tango` says when.
    Source: Tango 1998; effective sizes after Rao and Scott 1992 and Korn and Graubard 1998.

    Raises:
        ValueError: a difference other than −1, 0 and 1, lengths that differ, or alpha out of range.

    """
    return clustered_tango(d, cluster, alpha=alpha, df=df).interval


def clustered_tango(d: ArrayLike, cluster: ArrayLike, *, alpha: float = 0.05, df: int | None = None) -> ClusteredTango:
    """Return `tango_clustered` with counts, effective counts, deflation and the warning for piled-up losses.

    Args:
        d: one difference per case: 1, 0 or −1.
        cluster: one label per case.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.
        df: as for `tango_clustered`.

    `losing_clusters` is the effective number of clusters that carry the losses, (Σ losses)² / Σ losses²
    over clusters: 10 clusters with one loss each count 10, one cluster with ten losses counts 1.
    `piled_up` is True when losses were seen and that number is below 10, or below 30 when wins are fewer
    than a fifth of the losses: a lower end above the margin is then less sure than it says. With no data
    `estimate` is NaN.
    Source: as `tango_clustered`; the effective number is Kish's.

    Raises:
        ValueError: as `tango_clustered`.

    """
    _check.inside("alpha", alpha, 0, 1)
    at = _pairs(d, cluster)
    n, z = at.d.size, normal_quantile(1 - alpha / 2)
    n_clusters = at.losses.size
    losing = at.c**2 / float(at.losses @ at.losses) if at.c else 0.0
    deflation = math.inf
    interval = Interval(-1.0, 1.0)
    if n_clusters >= 2:  # one cluster says nothing about the spread between clusters
        constant = at.d.min() == at.d.max()
        freedom = n_clusters - 1 if df is None else _check.whole("df", df, least=1)
        t = z if constant else t_quantile(1 - alpha / 2, freedom)
        deflation = at.design_effect * (t / z) ** 2
        interval = tango_ends(at.b / deflation, at.c / deflation, n / deflation, z=z)
    return ClusteredTango(
        estimate=(at.b - at.c) / n if n else math.nan,
        interval=interval,
        b=at.b,
        c=at.c,
        n=n,
        b_eff=at.b / deflation,
        c_eff=at.c / deflation,
        n_eff=n / deflation,
        design_effect=at.design_effect,
        deflation=deflation,
        n_clusters=n_clusters,
        n_discordant_clusters=int(np.count_nonzero(at.wins + at.losses)),
        losing_clusters=losing,
        piled_up=0 < losing < (FEW_LOSING_ONE_WAY if 5 * at.b < at.c else FEW_LOSING),
    )


def tango_clustered_p(d: ArrayLike, cluster: ArrayLike, delta0: float, *, tail: Tail) -> float:
    """Return the one-sided p-value that goes with `tango_clustered`: for Holm over rubrics.

    Args:
        d: one difference per case: 1, 0 or −1.
        cluster: one label per case.
        delta0: the difference tested, −1 < delta0 < 1; −margin or 0.
        tail: "greater" (small when the difference is above delta0) or "less".

    Tango's statistic divided by the root of the design effect, against Student's t with C − 1 degrees of
    freedom; it agrees with the interval. One cluster or no data: 1.
    Source: as `tango_clustered`.

    Raises:
        ValueError: as `tango_clustered`, or delta0 or tail out of range.

    """
    at, greater = _pairs(d, cluster), is_greater(tail)
    n_clusters = at.losses.size
    if n_clusters < 2:  # one cluster says nothing about the spread between clusters
        _check.inside("delta0", delta0, -1, 1)
        return 1.0
    z = tango_z(at.b, at.c, at.d.size, delta0) / math.sqrt(at.design_effect)
    df = math.inf if at.d.min() == at.d.max() else n_clusters - 1
    return t_cdf(-z if greater else z, df)


def paired_cluster(
    d: ArrayLike,
    cluster: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    alpha: float = 0.05,
    limits: tuple[float, float] = (-1.0, 1.0),
) -> ClusteredMean:
    """Return the mean paired difference of graded scores, with a cluster-robust t interval.

    Args:
        d: one difference per case: candidate minus incumbent, epochs averaged first.
        cluster: one label per case.
        weights: one weight per case, not negative; None weighs all alike.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.
        limits: the smallest and largest possible difference; (−inf, inf) for unbounded units such as money.

    Assumes independent clusters and means that are close to normal; for pass or fail use
    `tango_clustered`, which holds its level near 0 and 1. When no spread is seen (constant differences)
    the interval is ± z²/(C + z²) of the way from the estimate to each limit, which is Tango's interval
    for C identical pairs. One cluster or no data: the limits, and NaN for what is unknown. `df` is C − 1.
    Source: Liang and Zeger 1986; Miller 2024.

    Raises:
        ValueError: a difference outside the limits, lengths that differ, or an argument out of range.

    """
    low, high = limits
    if not low < high:
        raise ValueError(f"limits must be a smaller and a larger number; got {limits!r}")
    _check.inside("alpha", alpha, 0, 1)
    values = _check.vector("d", d, low, high)
    n = values.size
    index, n_clusters = _check.groups(cluster, n)
    w = _check.weights_of("weights", weights, n)
    if n == 0:
        return ClusteredMean(math.nan, math.nan, Interval(low, high), 0, 0, 0)
    mean = float(w @ values) / (total := float(w.sum()))
    if n_clusters < 2:  # one cluster says nothing about the spread between clusters
        return ClusteredMean(mean, math.nan, Interval(low, high), n, n_clusters, 0)
    sums = _check.sums_by(index, w * (values - mean), n_clusters)
    se = math.sqrt(n_clusters / (n_clusters - 1) * float(sums @ sums)) / total
    if se <= 1e-10 * max(1.0, abs(mean)):
        zz = normal_quantile(1 - alpha / 2) ** 2
        share, se = zz / (n_clusters + zz), 0.0
        ends = Interval(mean - (mean - low) * share, mean + (high - mean) * share)
    else:
        half = t_quantile(1 - alpha / 2, n_clusters - 1) * se
        ends = Interval(max(low, mean - half), min(high, mean + half))
    return ClusteredMean(mean, se, ends, n, n_clusters, n_clusters - 1)
