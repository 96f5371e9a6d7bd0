"""What differences that are not just won or lost say: graded values, and numbers taken over all cases at once.

A mean difference over clusters with a cluster-robust t. For a number over all cases (F1, MCC …) the values are the
jackknife's pseudo-values, one a cluster, so that one arithmetic serves both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from seatrial.stats import Interval
from seatrial.stats.distributions import special
from seatrial.verdicts.engine.outcomes import Floats, Ints, Outcomes, spread, weight_of

LEAST_SPREAD = 1e-10
"""A standard error below this is a rounding error: no spread was seen."""


@dataclass(frozen=True, eq=False)
class MeanEvidence:
    """A weighted mean difference from sums by cluster: `sums` of weight × difference, `sizes` of weights.

    `limits`: the least and most it could be. `results` that count, of `cases`. `t` statistics have one degree of
    freedom fewer than there are clusters; where no spread is seen, the interval is that of as many identical pairs.
    """

    sums: Floats
    sizes: Floats
    cases: int
    results: int
    method: str
    test: str
    limits: tuple[float, float] = (-1.0, 1.0)
    labels: Ints | None = None

    @property
    def estimate(self) -> float:
        """The mean difference."""
        return float(self.sums.sum() / self.sizes.sum())

    @property
    def clusters(self) -> int:
        """How many independent groups of cases there are."""
        return len(self.sizes)

    @property
    def clustered(self) -> bool:
        """Always: the spread is measured between clusters, though each be a single case."""
        return True

    @property
    def identical(self) -> bool:
        """Whether no cluster differs."""
        return not self.sums.any()

    @property
    def piled_up(self) -> bool:
        """Never: the t interval has no such warning."""
        return False

    @property
    def discordant_clusters(self) -> int:
        """How many clusters differ."""
        return int(np.count_nonzero(self.sums))

    @property
    def variance(self) -> float:
        """Of one result's difference, clusters and weights included."""
        se = self._errors(left_out=False)[1][0]
        return float(se * se * self.results) if np.isfinite(se) else np.inf

    @property
    def design_effect(self) -> float:
        """1: it is in the variance already."""
        return 1.0

    def _errors(self, *, left_out: bool) -> tuple[Floats, Floats]:
        """Means and standard errors: of all clusters, then (`left_out`) without each of them."""
        s, m = self.sums, self.sizes
        parts = (s, m, s * s, s * m, m * m)
        total, size, ss, sm, mm = (_totals(part, left_out=left_out) for part in parts)
        count = np.array([len(m), *([len(m) - 1] * len(m) if left_out else [])], dtype=np.float64)
        mean = np.divide(total, size, out=np.zeros_like(total), where=size > 0)
        spread_ = np.maximum(0.0, ss - 2 * mean * sm + mean * mean * mm)
        spread_[spread_ <= 1e-13 * (ss + mean * mean * mm)] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            se = np.sqrt(count / (count - 1) * spread_) / size
        return mean, np.where(count < 2, np.inf, se)

    def statistics(self, delta0: float, *, left_out: bool = False) -> Floats:
        """How far the estimate lies above `delta0`, in standard errors; `left_out` adds one entry a cluster."""
        mean, se = self._errors(left_out=left_out)
        count = np.where(np.arange(len(mean)) == 0, self.clusters, self.clusters - 1)
        found = np.divide(mean - delta0, se, out=np.zeros_like(mean), where=se > LEAST_SPREAD)
        for at in np.flatnonzero(se <= LEAST_SPREAD):
            found[at] = self._without_spread(float(mean[at]), delta0, int(count[at]))
        return found

    def _without_spread(self, mean: float, delta0: float, clusters: int) -> float:
        """The normal quantile whose interval around constant differences ends at `delta0`."""
        if abs(mean - delta0) <= LEAST_SPREAD:
            return 0.0
        reach = mean - self.limits[0] if delta0 < mean else self.limits[1] - mean
        share = abs(mean - delta0) / reach if reach > 0 else np.inf
        z = np.inf if share >= 1 else float(np.sqrt(clusters * share / (1 - share)))
        return float(np.copysign(z, mean - delta0))

    def _df(self, *, left_out: bool = False) -> Floats:
        _, se = self._errors(left_out=left_out)
        freedom = np.where(np.arange(len(se)) == 0, self.clusters - 1, self.clusters - 2)
        return np.where(se <= LEAST_SPREAD, np.inf, np.maximum(1, freedom)).astype(np.float64)

    def decisions(self, delta0: float, alpha: float, *, left_out: bool = False) -> Floats:
        """1 where the difference is shown to be above `delta0`, -1 below, 0 neither, each one-sided at `alpha`."""
        statistics = self.statistics(delta0, left_out=left_out)
        beyond = np.asarray(special.stdtrit(self._df(left_out=left_out), 1 - alpha), dtype=np.float64)
        told = (statistics > beyond).astype(np.float64) - (statistics < -beyond)
        count = np.where(np.arange(len(told)) == 0, self.clusters, self.clusters - 1)
        return np.where(count < 2, 0.0, told)

    def interval(self, alpha: float) -> Interval:
        """The two-sided interval at 1 − alpha, within the limits."""
        low, high = self.limits
        if self.clusters < 2:
            return Interval(low, high)
        mean, se = (float(part[0]) for part in self._errors(left_out=False))
        if se <= LEAST_SPREAD:
            zz = float(special.ndtri(1 - alpha / 2)) ** 2
            share = zz / (self.clusters + zz)
            return Interval(mean - (mean - low) * share, mean + (high - mean) * share)
        half = float(special.stdtrit(self.clusters - 1, 1 - alpha / 2)) * se
        return Interval(max(low, mean - half), min(high, mean + half))

    @cached_property
    def _freedom(self) -> float:
        return float(self._df()[0])

    def p_below(self, delta0: float) -> float:
        """One-sided p-value that the true difference is below `delta0`; 1 with fewer than two clusters."""
        return self._p(float(self.statistics(delta0)[0]))

    def _p(self, statistic: float) -> float:
        return 1.0 if self.clusters < 2 else float(special.stdtr(self._freedom, statistic))

    @property
    def p_worse(self) -> float:
        """One-sided p-value that the candidate is worse at all."""
        return self.p_below(0.0)

    @property
    def p_value(self) -> float:
        """Two-sided p-value that the arms differ."""
        return min(1.0, 2 * self._p(-abs(float(self.statistics(0.0)[0]))))

    def visible(self, alpha: float, power: float) -> float | None:
        """The smallest difference that this many results show with such a power; None when they show none."""
        variance = max(self.variance, 1 / self.results)
        told = float(special.ndtri(1 - alpha) + special.ndtri(power)) * float(np.sqrt(variance / self.results))
        return told if told <= self.limits[1] else None


def _totals(part: Floats, *, left_out: bool) -> Floats:
    whole = float(part.sum())
    return np.append(whole, whole - part) if left_out else np.array([whole])


def graded(outcomes: Outcomes) -> MeanEvidence | None:
    """What paired values in [0, 1] say; None without a pair. The epochs of a case are averaged with its cluster."""
    assert outcomes.incumbent is not None, "a comparison has two arms"
    gap = outcomes.candidate - outcomes.incumbent
    there = ~np.isnan(gap)
    if outcomes.weight is not None:
        there &= (outcomes.weight > 0)[:, None]
    if not there.any():
        return None
    d, labels = gap[there], spread(outcomes.cluster, there)
    weight = np.ones(len(d)) if outcomes.weight is None else weight_of(outcomes.weight, there)
    names, (sums, sizes) = by_cluster(labels, d * weight, weight)
    what = " of weighted paired differences" if outcomes.weight is not None else " of paired differences"
    return MeanEvidence(
        sums,
        sizes,
        cases=int(np.count_nonzero(there.any(axis=1))),
        results=len(d),
        method=f"cluster-robust t{what}",
        test=f"cluster-robust t test{what}",
        labels=names,
    )


def by_cluster(labels: Ints, *parts: Floats) -> tuple[Ints, list[Floats]]:
    """The clusters' labels, sorted, and the sums of each part in every cluster."""
    names, group = np.unique(labels, return_inverse=True)
    return names, [np.bincount(group, weights=part, minlength=len(names)).astype(np.float64) for part in parts]
