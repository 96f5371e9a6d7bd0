"""Where the spread comes from, and which cluster carries the result."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seatrial.stats import _check
from seatrial.stats._check import Floats, Ints
from seatrial.stats.clusters import cautious_effect
from seatrial.stats.distributions import normal_quantile, t_quantile
from seatrial.stats.pairs import tango_bounds
from seatrial.stats.rates import Interval


class VarianceComponents(NamedTuple):
    """Spread between cases and between the epochs of one case; `se` is that of the mean of case means."""

    mean: float
    se: float
    between: float
    within: float
    icc: float


class Jackknife(NamedTuple):
    """Leave-one-cluster-out: `means[g]` without cluster g (labels sorted), and the one that moves most."""

    estimate: float
    se: float
    means: Floats
    most: int
    shift: float


def variance_components(scores: ArrayLike) -> VarianceComponents:
    """Return the variance between cases and within a case from repeated runs (epochs).

    Args:
        scores: one row per case, one column per epoch, any unit; NaN where an epoch is missing. At least
            2 cases, and at least one case with 2 epochs.

    More epochs shrink only `within`: the variance of the mean is (between + within/K)/n. Cases weigh
    alike however many epochs they have; `within` is then the mean of the cases' variances and K the
    harmonic mean of their epochs. `between` is at least 0; `icc` is between/(between + within), NaN when
    both are 0. `se` treats cases as independent.
    Source: one-way random effects; Miller 2024 for the use.

    Raises:
        ValueError: not two-dimensional, an infinite score, a case without scores, or too few of them.

    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] < 2:
        raise ValueError(f"scores must have two dimensions and at least 2 rows; got shape {table.shape}")
    if np.isinf(table).any():
        raise ValueError("scores must be finite or NaN; got an infinite one")
    seen = np.isfinite(table)
    epochs = np.asarray(seen.sum(axis=1), dtype=np.float64)
    if epochs.min() < 1 or epochs.max() < 2:
        raise ValueError(
            f"scores must have one epoch a case and two for some case; got {epochs.min():g} to {epochs.max():g}"
        )
    means = np.asarray(np.where(seen, table, 0.0).sum(axis=1) / epochs, dtype=np.float64)
    gaps = table - means[:, None]
    squares = np.asarray(np.where(seen, gaps * gaps, 0.0).sum(axis=1), dtype=np.float64)
    repeated = epochs > 1
    within = float((squares[repeated] / (epochs[repeated] - 1)).sum()) / int(np.count_nonzero(repeated))
    apart = means - float(means.mean())
    spread = float(np.sum(apart * apart)) / (means.size - 1)
    between = max(0.0, spread - within * float((1 / epochs).sum()) / epochs.size)
    both = between + within
    icc = between / both if both > 0 else math.nan
    return VarianceComponents(float(means.mean()), math.sqrt(spread / means.size), between, within, icc)


def jackknife(values: ArrayLike, cluster: ArrayLike, weights: ArrayLike | None = None) -> Jackknife:
    """Return the mean with each cluster left out, its jackknife standard error and the largest shift.

    Args:
        values: one number per case, any unit.
        cluster: one label per case; `means` follows the sorted labels.
        weights: one weight per case, not negative; None weighs all alike.

    `shift` is the mean without cluster `most`, minus the mean with it: the largest in size (the first of
    equals). A cluster that holds all weight gives NaN for its mean. Needs 2 clusters.
    Source: Quenouille 1956; Tukey 1958; delete-a-group form.

    Raises:
        ValueError: fewer than 2 clusters, lengths that differ, or a bad weight.

    """
    y = _check.vector("values", values)
    group, n_clusters = _check.groups(cluster, y.size)
    if n_clusters < 2:
        raise ValueError(f"cluster must name at least 2 clusters; got {n_clusters}")
    w = _check.weights_of("weights", weights, y.size)
    sums = _check.sums_by(group, w * y, n_clusters)
    sizes = _check.sums_by(group, w, n_clusters)
    rest = sizes.sum() - sizes
    means = np.divide(sums.sum() - sums, rest, out=np.full(n_clusters, np.nan), where=rest > 0)
    estimate = float(sums.sum() / sizes.sum())
    se = math.sqrt((n_clusters - 1) / n_clusters * float(np.nansum((means - np.nanmean(means)) ** 2)))
    shifts = np.nan_to_num(means - estimate, nan=0.0)
    most = int(np.argmax(np.abs(shifts)))
    return Jackknife(estimate, se, means, most, float(shifts[most]))


def tango_without_each(d: ArrayLike, cluster: ArrayLike, *, alpha: float = 0.05) -> tuple[Floats, Floats]:
    """Return both ends of `tango_clustered` with each cluster left out in turn, to see fragile verdicts.

    Args:
        d: one difference per case: 1, 0 or −1.
        cluster: one label per case; the results follow the sorted labels.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.

    All at once, so thousands of clusters cost little. Fewer than 3 clusters leave (−1, 1) for each.
    Source: as `tango_clustered`.

    Raises:
        ValueError: as `tango_clustered`.

    """
    _check.inside("alpha", alpha, 0, 1)
    values = _check.vector("d", d, -1.0, 1.0)
    group, n_clusters = _check.groups(cluster, values.size)
    if n_clusters < 3:
        return np.full(n_clusters, -1.0), np.full(n_clusters, 1.0)
    wins = _check.sums_by(group, values == 1, n_clusters)
    losses = _check.sums_by(group, values == -1, n_clusters)
    sizes = np.bincount(group, minlength=n_clusters).astype(np.float64)
    b, c, n = wins.sum() - wins, losses.sum() - losses, sizes.sum() - sizes
    effect = cautious_effect(wins, losses, sizes, leave_out=True)
    z = normal_quantile(1 - alpha / 2)
    t = t_quantile(1 - alpha / 2, n_clusters - 2)
    constant = (b + c == 0) | (b == n) | (c == n)
    deflation = effect * np.where(constant, 1.0, (t / z) ** 2)
    return tango_bounds(b / deflation, c / deflation, n / deflation, z=z)


def cluster_bootstrap(
    statistic: Callable[[Ints], float],
    cluster: ArrayLike,
    *,
    alpha: float = 0.05,
    draws: int = 2_000,
    seed: int = 0,
) -> Interval:
    """Return the percentile bootstrap interval of any statistic, whole clusters resampled.

    Args:
        statistic: takes the numbers of the rows drawn and gives a number; NaN draws are left out.
        cluster: one label per row; all rows of a drawn cluster are taken.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.
        draws: how many resamples, 100 or more.
        seed: of the random numbers; the same seed gives the same interval.

    For what has no formula here: agreement coefficients, differences of quantiles, ratios. Never for pass
    rates, where it is too narrow, and has no width at 100%. One cluster, or no draw with a value:
    (−inf, inf).
    Source: Efron 1979; Field and Welsh 2007 for clusters.

    Raises:
        ValueError: alpha or draws out of range.

    """
    _check.inside("alpha", alpha, 0, 1)
    _check.whole("draws", draws, least=100)
    labels = np.asarray(cluster)
    group, n_clusters = _check.groups(labels, labels.size)
    if n_clusters < 2:
        return Interval(-math.inf, math.inf)
    order = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group, minlength=n_clusters))
    members: list[Ints] = [order[a:b] for a, b in zip(np.append(0, ends[:-1]), ends, strict=True)]
    rng = np.random.default_rng(seed)
    got = np.empty(draws)
    for i in range(draws):
        drawn = rng.integers(0, n_clusters, n_clusters)
        got[i] = statistic(np.concatenate([members[int(g)] for g in drawn]))
    got = got[np.isfinite(got)]
    if got.size == 0:
        return Interval(-math.inf, math.inf)
    low, high = np.quantile(got, [alpha / 2, 1 - alpha / 2])
    return Interval(float(low), float(high))


def bootstrap_t(
    values: ArrayLike, cluster: ArrayLike, *, alpha: float = 0.05, draws: int = 10_000, seed: int = 0
) -> Interval:
    """Return the bootstrap-t interval of a mean of skewed numbers such as cost, whole clusters resampled.

    Args:
        values: one number per case (cost, tokens, or a paired difference of them), any unit.
        cluster: one label per case.
        alpha: 1 − confidence, two-sided; 0 < alpha < 1.
        draws: how many resamples, 100 or more.
        seed: of the random numbers.

    Assumes independent clusters. A resample without spread counts as infinitely far off, so that with a
    handful of clusters, or with nearly all alike, an end may be infinite. When all cluster means agree
    nothing can be resampled: as with one cluster or no data the result is (−inf, inf).
    Source: Efron 1981; Hall 1988.

    Raises:
        ValueError: a value that is not finite, lengths that differ, or alpha or draws out of range.

    """
    y = _check.vector("values", values)
    _check.inside("alpha", alpha, 0, 1)
    _check.whole("draws", draws, least=100)
    group, n_clusters = _check.groups(cluster, y.size)
    if n_clusters < 2:
        return Interval(-math.inf, math.inf)
    centre = float(y.mean())
    sums = _check.sums_by(group, y - centre, n_clusters)
    sizes = np.bincount(group, minlength=n_clusters).astype(np.float64)
    se = float(_mean_and_se(np.ones((1, n_clusters)), sums, sizes)[1][0])
    if se <= 1e-12 * float(np.abs(y).max()):
        return Interval(-math.inf, math.inf)
    rng = np.random.default_rng(seed)
    ratios: list[Floats] = []
    block = max(1, 2_000_000 // n_clusters)
    for start in range(0, draws, block):
        times = rng.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), min(block, draws - start))
        shift, spread = _mean_and_se(times.astype(np.float64), sums, sizes)
        far = np.copysign(math.inf, shift)
        ratios.append(np.divide(shift, spread, out=far, where=spread > 0))
    every = np.concatenate(ratios)
    low = float(np.quantile(every, alpha / 2, method="lower"))
    high = float(np.quantile(every, 1 - alpha / 2, method="higher"))
    return Interval(centre - high * se, centre - low * se)


def _mean_and_se(times: Floats, sums: Floats, sizes: Floats) -> tuple[Floats, Floats]:
    """Mean and cluster-robust standard error when cluster g is taken times[·, g] times."""
    n, drawn = times @ sizes, sizes.size
    mean = (times @ sums) / n
    within, square = times @ (sums * sums), mean**2 * (times @ (sizes * sizes))
    residual = within - 2 * mean * (times @ (sums * sizes)) + square
    residual[residual <= 1e-12 * (within + square)] = 0.0  # a rounding error, not a spread
    return mean, np.sqrt(residual * drawn / (drawn - 1)) / n
