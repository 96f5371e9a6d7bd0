"""Intervals for one pass rate: independent cases, cases in clusters, strata, and zero-failure gates."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats import _check
from seatrial.stats._check import Floats, Ints, Side
from seatrial.stats.distributions import beta_quantile, normal_quantile, t_quantile

ENOUGH_CLUSTERS = 6
"""From this many clusters with the rarer outcome on, a measured design effect is taken as it is."""

FEW_EVENTS = 10
"""Below this many passes or failures `post_stratify` widens its interval to that of the effective size."""


class Interval(NamedTuple):
    """A confidence interval, ends included, in the unit of what it is about (rates: 0 to 1)."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """The distance between the two ends."""
        return self.high - self.low


class ClusterRate(NamedTuple):
    """A rate from cases in clusters: the estimate, its standard error and its interval."""

    estimate: float
    se: float
    interval: Interval
    n: int
    n_clusters: int
    n_eff: float


class PostStratified(NamedTuple):
    """A traffic-weighted rate; `estimate` is None when a stratum with traffic has no cases."""

    estimate: float | None
    se: float
    interval: Interval
    bounds: Interval
    n_eff: float


def wilson(k: float, n: float, *, alpha: float = 0.05) -> Interval:
    """Return the Wilson score interval of a pass rate: the default for independent cases.

    Args:
        k: passes, 0 to n. May be fractional (an effective size).
        n: independent cases, 0 or more.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.

    Assumes independent cases with one outcome each. At k = 0 the lower end is exactly 0, at k = n the
    upper end is exactly 1, and the width is never 0. n = 0 gives (0, 1): no data.
    Source: Wilson 1927; recommended by Brown, Cai and DasGupta 2001.

    Raises:
        ValueError: k, n or alpha out of range.

    """
    n = _check.count("n", n)
    k = _check.count("k", k, most=n)
    _check.inside("alpha", alpha, 0, 1)
    return _wilson(k, n, normal_quantile(1 - alpha / 2))


def _wilson(k: float, n: float, z: float) -> Interval:
    if n == 0:
        return Interval(0.0, 1.0)
    p, zz = k / n, z * z
    centre = (p + zz / (2 * n)) / (1 + zz / n)
    half = z / (1 + zz / n) * math.sqrt(max(0.0, p * (1 - p)) / n + zz / (4 * n * n))
    low = 0.0 if k == 0 else min(p, max(0.0, centre - half))
    high = 1.0 if k == n else max(p, min(1.0, centre + half))
    return Interval(low, high)


def clopper_pearson(k: float, n: float, *, alpha: float = 0.05, side: Side = "two-sided") -> Interval:
    """Return the Clopper–Pearson interval: at least 1 − alpha coverage, always. The one for safety gates.

    Args:
        k: events (passes, or failures for a failure rate), 0 to n. May be fractional (effective size).
        n: independent cases, 0 or more.
        alpha: 1 − confidence; 0 < alpha < 1.
        side: "two-sided" spends alpha/2 at each end; "upper" gives (0, high) and "lower" (low, 1), each
            with all of alpha on that end.

    At k = 0 the lower end is 0, at k = n the upper end is 1. n = 0 gives (0, 1): no data. With no
    events the one-sided upper end is 1 − alpha^(1/n).
    Source: Clopper and Pearson 1934.

    Raises:
        ValueError: an argument out of range, or an unknown side.

    """
    n = _check.count("n", n)
    k = _check.count("k", k, most=n)
    _check.inside("alpha", alpha, 0, 1)
    tail = alpha / 2 if _check.side_of(side) == "two-sided" else alpha
    low = 0.0 if k == 0 or side == "upper" else beta_quantile(tail, k, n - k + 1)
    high = 1.0 if k == n or side == "lower" else beta_quantile(1 - tail, k + 1, n - k)
    return Interval(low, high)


def jeffreys(k: float, n: float, *, alpha: float = 0.05) -> Interval:
    """Return the Jeffreys interval: quantiles of Beta(k + ½, n − k + ½).

    Args:
        k: passes, 0 to n.
        n: independent cases, 0 or more.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.

    The lower end is set to 0 at k = 0 and the upper end to 1 at k = n. n = 0 gives (0, 1).
    Near 0 and 1 it covers less than it says; used for draws and display, not for verdicts.
    Source: Brown, Cai and DasGupta 2001 (with their convention at both ends).

    Raises:
        ValueError: k, n or alpha out of range.

    """
    n = _check.count("n", n)
    k = _check.count("k", k, most=n)
    _check.inside("alpha", alpha, 0, 1)
    low = 0.0 if k == 0 else beta_quantile(alpha / 2, k + 0.5, n - k + 0.5)
    high = 1.0 if k == n else beta_quantile(1 - alpha / 2, k + 0.5, n - k + 0.5)
    return Interval(low, high)


class _Spread(NamedTuple):
    estimate: float
    se: float
    n: float
    n_clusters: int
    n_eff: float


def _spread(values: Floats, index: Ints, n_clusters: int, weights: Floats, icc: float) -> _Spread:
    """Weighted mean, cluster-robust standard error and effective size, before the t correction."""
    total = float(weights.sum())
    mean = float(weights @ values) / total
    sums = _check.sums_by(index, weights * (values - mean), n_clusters)
    size = total * total / float(weights @ weights)
    if n_clusters < 2:  # one cluster says nothing about the spread between clusters
        return _Spread(mean, math.nan, size, n_clusters, math.nan)
    variance = n_clusters / (n_clusters - 1) * float(sums @ sums) / (total * total)
    worst = 1 + (max(1.0, size / n_clusters) - 1) * icc
    at_random = mean * (1 - mean)
    if variance <= 1e-20 or at_random <= 1e-15:
        return _Spread(mean, 0.0, size, n_clusters, size / worst)
    effect = max(1.0, size * variance / at_random)
    told = min(np.unique(index[values < 1]).size, np.unique(index[values > 0]).size)
    trust = min(1.0, (told - 1) / (ENOUGH_CLUSTERS - 1))
    effect = trust * effect + (1 - trust) * max(effect, worst)
    return _Spread(mean, math.sqrt(variance), size, n_clusters, size / effect)


def cluster_rate(
    values: ArrayLike,
    cluster: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    alpha: float = 0.05,
    icc: float = 1.0,
    df: int | None = None,
) -> ClusterRate:
    """Return the mean of cases that come in clusters, with a cluster-Wilson interval.

    Args:
        values: one number per case, 0 to 1: pass or fail, or the mean of a case's epochs.
        cluster: one label per case (the seed it was made from). Labels of one kind: all text or all ints.
        weights: one weight per case, not negative; None weighs all alike.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.
        icc: correlation inside a cluster that is assumed where none can be measured (all pass, all fail);
            1, the cautious choice, makes the effective size the number of clusters.
        df: degrees of freedom, 1 or more; None for C − 1. For strata that `combine_strata` adds up: all
            clusters minus the number of strata.

    Assumes that clusters are independent; inside a cluster anything goes. `se` is the cluster-robust
    standard error with the factor C/(C − 1); `n_eff` the effective size at which the Wilson interval is
    taken: cases over the design effect (at least 1), already shrunk by (t_m/t)², where t has `df` degrees
    of freedom and t_m those of as many independent cases, m = cases over design effect − 1. With K < 6
    clusters that hold the rarer outcome, the measured design effect counts (K − 1)/5 and that of `icc`
    the rest. Fewer than 30 clusters: warn; fewer than 10: show the data instead. One cluster: `se` is NaN
    and the interval (0, 1). No data: `estimate` is NaN too.
    Source: Miller 2024 (standard error); Korn and Graubard 1998 (effective size and its shrinking); Dean
    and Pagano 2015 (design effect of at least 1).

    Raises:
        ValueError: a value outside 0 to 1, lengths that differ, or alpha or icc out of range.

    """
    y = _check.vector("values", values, 0.0, 1.0)
    _check.inside("alpha", alpha, 0, 1)
    _check.within("icc", icc, 0, 1)
    index, n_clusters = _check.groups(cluster, y.size)
    w = _check.weights_of("weights", weights, y.size)
    if y.size == 0:
        return ClusterRate(math.nan, math.nan, Interval(0.0, 1.0), 0, 0, 0.0)
    at = _spread(y, index, n_clusters, w, icc)
    if math.isnan(at.se):
        return ClusterRate(at.estimate, math.nan, Interval(0.0, 1.0), y.size, n_clusters, 0.0)
    freedom = n_clusters - 1 if df is None else _check.whole("df", df, least=1)
    alone = max(freedom, at.n_eff - 1)
    n_eff = at.n_eff * (t_quantile(1 - alpha / 2, alone) / t_quantile(1 - alpha / 2, freedom)) ** 2
    interval = _wilson(min(n_eff, at.estimate * n_eff), n_eff, normal_quantile(1 - alpha / 2))
    return ClusterRate(at.estimate, at.se, interval, y.size, n_clusters, n_eff)


def cluster_clopper_pearson(
    values: ArrayLike, cluster: ArrayLike, *, alpha: float = 0.05, side: Side = "two-sided"
) -> Interval:
    """Return the Clopper–Pearson interval at the effective size: for gates whose probes share seeds.

    Args:
        values: one number per case, 0 to 1; for a failure limit, 1 marks a failure.
        cluster: one label per case.
        alpha: 1 − confidence; 0 < alpha < 1.
        side: "two-sided", "lower" or "upper", as for `clopper_pearson`.

    Assumes that clusters are independent. With no events (or nothing else) the size is the number of
    clusters: variants of one seed that all pass count once. A first event never narrows what no events
    gave: the upper end is at least that of 0 events, the lower end at most that of all events. One
    cluster or no data: (0, 1).
    Source: Korn and Graubard 1998.

    Raises:
        ValueError: a value outside 0 to 1, lengths that differ, alpha or side out of range.

    """
    y = _check.vector("values", values, 0.0, 1.0)
    _check.inside("alpha", alpha, 0, 1)
    tail = alpha / 2 if _check.side_of(side) == "two-sided" else alpha
    index, n_clusters = _check.groups(cluster, y.size)
    if n_clusters < 2:  # one cluster says nothing about the spread between clusters
        return Interval(0.0, 1.0)
    at = _spread(y, index, n_clusters, np.ones(y.size), 1.0)
    n_eff = at.n_eff
    if at.se > 0:
        n_eff *= (normal_quantile(1 - tail) / t_quantile(1 - tail, n_clusters - 1)) ** 2
    got = clopper_pearson(min(n_eff, at.estimate * n_eff), n_eff, alpha=alpha, side=side)
    none = clopper_pearson(0, n_clusters, alpha=alpha, side=side)
    every = clopper_pearson(n_clusters, n_clusters, alpha=alpha, side=side)
    return Interval(min(got.low, every.low), max(got.high, none.high))


def post_stratify(
    k: ArrayLike,
    n: ArrayLike,
    weights: ArrayLike,
    *,
    alpha: float = 0.05,
    traffic: float | None = None,
) -> PostStratified:
    """Return a pass rate weighted by the shares of production traffic.

    Args:
        k: passes per stratum, 0 to n.
        n: independent cases per stratum.
        weights: traffic share per stratum, not negative; made to sum to 1.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.
        traffic: size of the traffic sample the shares were counted from; None when they are known.

    The interval is MOVER over Wilson intervals, which holds for small strata; with fewer than 10 passes
    or failures in all it is widened to Wilson's at Kish's size. `se` is the plain standard error
    Σ W² p(1−p)/(n−1) (NaN when a stratum with traffic has fewer than 2 cases); `n_eff` is Kish's
    1/Σ(W²/n). A stratum with traffic and no cases leaves the rate not identified: `estimate` is None,
    `bounds` says how far it may reach, and the interval covers both ends; otherwise both bounds equal
    the estimate.
    Source: Newcombe 2001 and Zou and Donner 2008 (MOVER); Kish 1965.

    Raises:
        ValueError: counts or weights out of range, lengths that differ, no stratum, or traffic not above 0.

    """
    sizes = _check.vector("n", n, 0.0)
    passes = _check.same_length("k", _check.vector("k", k, 0.0), sizes.size)
    _check.inside("alpha", alpha, 0, 1)
    if sizes.size == 0:
        raise ValueError(f"n must hold at least one stratum; got {n!r}")
    for h, (passed, size) in enumerate(zip(passes.tolist(), sizes.tolist(), strict=True)):
        _check.count(f"k[{h}]", passed, most=size)
    share = _check.weights_of("weights", weights, sizes.size)
    share, z = share / share.sum(), normal_quantile(1 - alpha / 2)
    rate = np.divide(passes, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    known, empty = float(share @ rate), float(share[sizes == 0].sum())
    sampled = math.inf if traffic is None else _check.positive("traffic", traffic)
    extra = max(0.0, float(share @ rate**2) - known**2) / sampled
    down, up = (math.sqrt(part + z * z * extra) for part in _mover_wilson(passes, sizes, share, z))
    interval = Interval(max(0.0, known - down), min(1.0, known + empty + up))
    se, kish = _stratified_se(rate, sizes, share)
    if empty == 0 and min(float(passes.sum()), float((sizes - passes).sum())) < FEW_EVENTS:
        wide = _wilson(min(kish, known * kish), kish, z)
        interval = Interval(min(interval.low, wide.low), max(interval.high, wide.high))
    reach = Interval(known, min(1.0, known + empty))
    return PostStratified(None if empty > 0 else known, math.hypot(se, math.sqrt(extra)), interval, reach, kish)


def _mover_wilson(passes: Floats, sizes: Floats, share: Floats, z: float) -> tuple[float, float]:
    """Squared distances from the weighted rate down and up to its MOVER ends; empty strata add nothing."""
    down = up = 0.0
    for k, n, w in zip(passes, sizes, share, strict=True):
        if n > 0:
            low, high = _wilson(float(k), float(n), z)
            down += float(w * (k / n - low)) ** 2
            up += float(w * (high - k / n)) ** 2
    return down, up


def _stratified_se(rate: Floats, sizes: Floats, share: Floats) -> tuple[float, float]:
    used = share > 0
    w, p, m = share[used], rate[used], sizes[used]
    kish = 0.0 if (m == 0).any() else float(1 / np.sum(w * w / m))
    if (m < 2).any():  # a variance needs two cases
        return math.nan, kish
    return math.sqrt(float(np.sum(w * w * p * (1 - p) / (m - 1)))), kish


def manski_bounds(k: float, scored: float, missing: float) -> Interval:
    """Return how low and how high the pass rate could be if every missing result failed, or passed.

    Args:
        k: passes among the scored cases, 0 to `scored`.
        scored: cases with a result.
        missing: cases without one, 0 or more.

    No assumption on why results are missing. These are bounds on the observed rate, not a confidence
    interval. A verdict must hold at both ends. No cases at all: (0, 1).
    Source: Manski 1989.

    Raises:
        ValueError: a count out of range.

    """
    _check.count("k", k, most=_check.count("scored", scored))
    total = scored + _check.count("missing", missing)
    return Interval(k / total, (k + missing) / total) if total else Interval(0.0, 1.0)


def combine_strata(estimate: ArrayLike, low: ArrayLike, high: ArrayLike, weights: ArrayLike) -> tuple[float, Interval]:
    """Return Σ W·estimate with its MOVER interval from one interval per stratum.

    Args:
        estimate: one estimate per stratum (a rate, a difference of rates, …).
        low: lower ends of the strata's intervals, all of one confidence; at most the estimate.
        high: upper ends, at least the estimate.
        weights: one weight per stratum, not negative; made to sum to 1.

    For what `post_stratify` does not take: strata of clustered cases (pass the ends of `cluster_rate`)
    and post-stratified differences (the ends of `tango` or `tango_clustered`). Assumes that strata are
    independent: no cluster in two strata. The result keeps the confidence of the ends.
    Source: Zou and Donner 2008.

    Raises:
        ValueError: lengths that differ, no stratum, an estimate outside its interval, or bad weights.

    """
    at = _check.vector("estimate", estimate)
    lower = _check.same_length("low", _check.vector("low", low), at.size)
    upper = _check.same_length("high", _check.vector("high", high), at.size)
    share = _check.weights_of("weights", weights, at.size)
    if at.size == 0:
        raise ValueError(f"estimate must hold at least one stratum; got {estimate!r}")
    if ((lower > at) | (upper < at)).any():
        h = int(np.argmax((lower > at) | (upper < at)))
        raise ValueError(f"estimate must lie within its interval; got {at[h]!r} at index {h}")
    share = share / share.sum()
    total = float(share @ at)
    down, up = math.hypot(*(share * (at - lower))), math.hypot(*(share * (upper - at)))
    return total, Interval(total - down, total + up)
