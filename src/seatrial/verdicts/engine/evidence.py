"""What the pairs say about the difference of two arms, and what they would say without any one cluster.

Independent cases, answered once: Tango's score test and interval, and mid-p McNemar. Cases in clusters, answered in
several epochs, or weighted to traffic: Tango's at the effective size, which holds its error rate where a cluster-robust
t lets up to a fifth of bad candidates through. Decisions are taken on the test statistic, which agrees with the
interval and costs a hundredth of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from seatrial.stats import Interval, mcnemar, mcnemar_one_sided, mde_paired, tango, tango_clustered, tango_z
from seatrial.stats.clusters import FEW_LOSING, FEW_LOSING_ONE_WAY, cautious_effect, weighted_effect
from seatrial.stats.distributions import special
from seatrial.stats.pairs import tango_ends, tango_statistics
from seatrial.verdicts.engine.outcomes import Floats, Ints, Paired, distinct


class Tally(NamedTuple):
    """Results (-1, 0 or 1) counted by cluster; and in all of them, then without one cluster of every kind.

    Clusters of one kind hold the same counts: leaving out either gives the same. `kinds` is one of each. The entries
    of the last five belong together: the first is of all clusters, each further one leaves out one kind. With weights
    (`weighted`) all counts are sums of weights, which are one on average.
    """

    size: Floats
    gained: Floats
    lost: Floats
    kinds: Ints
    clusters: Floats
    results: Floats
    gains: Floats
    losses: Floats
    effects: Floats
    weighted: bool = False

    @property
    def independent(self) -> bool:
        """Whether every cluster holds one result, and all count the same."""
        return not self.weighted and bool((self.size == 1).all())


def tally(d: Floats, cluster: Ints, role: Ints | None = None) -> Tally:
    """Count at least one result by cluster. `role` (one a cluster, by sorted label) sets further kinds apart.

    `effects` are the design effects of the mean: 1 for independent results, infinite with fewer than two clusters.
    """
    names, group = np.unique(cluster, return_inverse=True)
    size, gained, lost = (
        np.bincount(group, weights=part, minlength=len(names)).astype(np.float64)
        for part in (np.ones(len(d)), d > 0, d < 0)
    )
    kinds = _kinds(size, gained, lost, np.zeros(len(names), dtype=np.intp) if role is None else role)
    columns = (np.ones(len(names)), size, gained, lost)
    sums = [np.append(column.sum(), column.sum() - column[kinds]) for column in columns]
    return Tally(size, gained, lost, kinds, *sums, effects=effects_of(size, gained, lost, kinds))


def tally_weighted(d: Floats, cluster: Ints, weight: Floats) -> Tally:
    """The same from results that count differently; all weights are above 0."""
    w = weight * (len(weight) / float(weight.sum()))
    names, group = np.unique(cluster, return_inverse=True)
    size, gained, lost, squares = (
        np.bincount(group, weights=part, minlength=len(names)).astype(np.float64)
        for part in (w, w * (d > 0), w * (d < 0), w * w)
    )
    rows = np.round(np.stack((size, gained, lost, squares), axis=1), 12)
    kinds = np.unique(rows, axis=0, return_index=True)[1].astype(np.intp)
    columns = (np.ones(len(names)), size, gained, lost)
    sums = [np.maximum(0.0, np.append(column.sum(), column.sum() - column[kinds])) for column in columns]
    sums[3] = np.minimum(sums[3], sums[1] - np.minimum(sums[2], sums[1]))  # rounding must not pass the whole
    full = weighted_effect(gained, lost, size, squares)[0] if len(size) > 1 else np.inf
    without = weighted_effect(gained, lost, size, squares, leave_out=True)[kinds] if len(size) > 2 else np.inf
    effects = np.append(full, np.broadcast_to(without, kinds.shape))
    return Tally(size, gained, lost, kinds, *sums, effects=effects, weighted=True)


def _kinds(size: Floats, gained: Floats, lost: Floats, role: Ints) -> Ints:
    width = int(size.max()) + 1
    code = role.astype(np.int64)
    for part in (lost, gained, size):
        code = code * width + part.astype(np.int64)
    return np.unique(code, return_index=True)[1]


def effects_of(size: Floats, gained: Floats, lost: Floats, kinds: Ints) -> Floats:
    """The design effects of the mean from counts by cluster: of all clusters, then without one of each kind."""
    if (size == 1).all():
        return np.ones(len(kinds) + 1)
    full = cautious_effect(gained, lost, size)[0] if len(size) > 1 else np.inf
    without = cautious_effect(gained, lost, size, leave_out=True)[kinds] if len(size) > 2 else np.inf
    return np.append(full, np.broadcast_to(without, kinds.shape))


@dataclass(frozen=True, eq=False)
class Evidence:
    """The paired difference (candidate − incumbent, a share) of at least one pair."""

    paired: Paired
    tally: Tally

    @property
    def clustered(self) -> bool:
        """Whether some results are related, or count differently: less is known than as many single cases tell."""
        return not self.tally.independent

    @property
    def weighted(self) -> bool:
        """Whether results count differently."""
        return self.tally.weighted

    @property
    def method(self) -> str:
        """The interval's name."""
        if self.weighted:
            related = " and clusters" if len(self.tally.size) < self.paired.pairs else ""
            return f"Tango at the effective size of the weights{related}"
        return "Tango at the effective size of the clusters" if self.clustered else "Tango"

    @property
    def test(self) -> str:
        """The name of the p-values against no difference."""
        return "Tango's score test at the effective size" if self.clustered else "mid-p McNemar"

    @property
    def estimate(self) -> float:
        """The mean difference."""
        if self.weighted:
            return float((self.tally.gains[0] - self.tally.losses[0]) / self.tally.results[0])
        return (self.paired.gained - self.paired.lost) / self.paired.pairs

    @property
    def labels(self) -> Ints:
        """The label of one cluster of each kind, in the order in which they are left out."""
        return distinct(self.paired.cluster)[self.tally.kinds]

    @property
    def results(self) -> int:
        """How many pairs there are."""
        return self.paired.pairs

    @property
    def identical(self) -> bool:
        """Whether no pair differs."""
        return not self.paired.gained and not self.paired.lost

    @property
    def discordant(self) -> float:
        """The share of pairs that differ."""
        t = self.tally
        return float((t.gains[0] + t.losses[0]) / t.results[0])

    @property
    def cases(self) -> int:
        """How many cases have a pair."""
        return self.paired.cases

    @property
    def clusters(self) -> int:
        """How many independent groups of cases there are."""
        return int(self.tally.clusters[0])

    @property
    def design_effect(self) -> float:
        """By how much clusters inflate the variance of the mean; 1 for independent cases."""
        return min(float(self.tally.effects[0]), float(self.paired.pairs))

    @property
    def variance(self) -> float:
        """Of one pair's difference, design effect included."""
        return max(0.0, self.discordant - self.estimate**2) * self.design_effect

    def visible(self, alpha: float, power: float) -> float | None:
        """The smallest difference that this many pairs show with such a power; None when they show none."""
        size = self.paired.pairs / self.design_effect
        return mde_paired(size, self.discordant, alpha=alpha, power=power, sides=1)

    @cached_property
    def df(self) -> Floats:
        """The degrees of freedom of each statistic."""
        t = self.tally
        least = 1e-9 * t.results if t.weighted else 0.0
        none = t.gains + t.losses <= least
        constant = (t.results - t.gains <= least) | (t.results - t.losses <= least) | none
        return np.where(constant | t.independent, np.inf, t.clusters - 1)

    def statistics(self, delta0: float, *, left_out: bool = False) -> Floats:
        """How far the estimate lies above `delta0`, in standard errors; `left_out` adds one entry a kind of cluster."""
        t, rows = self.tally, len(self.tally.results) if left_out else 1
        if self.weighted:
            at = tango_statistics(t.gains[:rows], t.losses[:rows], t.results[:rows], delta0)
            return at / np.sqrt(t.effects[:rows])
        counts = zip(t.gains[:rows].tolist(), t.losses[:rows].tolist(), t.results[:rows].tolist(), strict=True)
        z = np.array([tango_z(b, c, n, delta0) for b, c, n in counts])
        return z / np.sqrt(t.effects[:rows])

    def decisions(self, delta0: float, alpha: float, *, left_out: bool = False) -> Floats:
        """1 where the difference is shown to be above `delta0`, -1 below, 0 neither, each one-sided at `alpha`."""
        statistics = self.statistics(delta0, left_out=left_out)
        beyond = np.asarray(special.stdtrit(self.df[: len(statistics)], 1 - alpha), dtype=np.float64)
        told = (statistics > beyond).astype(np.float64) - (statistics < -beyond)
        return np.where(self.tally.clusters[: len(statistics)] < 2, 0.0, told)

    def interval(self, alpha: float) -> Interval:
        """The two-sided interval at 1 − alpha."""
        if self.weighted:
            return self._at_effective_size(alpha)
        if self.clustered:
            return tango_clustered(self.paired.d, self.paired.cluster, alpha=alpha)
        return tango(self.paired.gained, self.paired.lost, self.paired.pairs, alpha=alpha)

    def _at_effective_size(self, alpha: float) -> Interval:
        if self.clusters < 2:
            return Interval(-1.0, 1.0)
        z, t = float(special.ndtri(1 - alpha / 2)), float(special.stdtrit(self.df[0], 1 - alpha / 2))
        deflation = float(self.tally.effects[0]) * (t / z) ** 2
        b, c, n = (float(part[0]) / deflation for part in (self.tally.gains, self.tally.losses, self.tally.results))
        return tango_ends(b, c, n, z=z)

    def p_below(self, delta0: float) -> float:
        """One-sided p-value that the true difference is below `delta0`; 1 with fewer than two clusters."""
        return self._p(float(self.statistics(delta0)[0]))

    def _p(self, statistic: float) -> float:
        return 1.0 if self.clusters < 2 else float(special.stdtr(self.df[0], statistic))

    @property
    def p_worse(self) -> float:
        """One-sided p-value that the candidate is worse at all."""
        if self.clustered:
            return self.p_below(0.0)
        return mcnemar_one_sided(self.paired.gained, self.paired.lost).mid_p

    @property
    def p_value(self) -> float:
        """Two-sided p-value that the arms differ."""
        if self.clustered:
            return min(1.0, 2 * self._p(-abs(float(self.statistics(0.0)[0]))))
        return mcnemar(self.paired.gained, self.paired.lost).mid_p

    @property
    def piled_up(self) -> bool:
        """Whether losses sit in so few clusters that the error rate is not held, as `stats.clustered_tango` says."""
        lost = self.tally.lost
        if not lost.any():
            return False
        few = FEW_LOSING_ONE_WAY if 5 * float(self.tally.gained.sum()) < float(lost.sum()) else FEW_LOSING
        return float(lost.sum()) ** 2 / float(lost @ lost) < few

    @property
    def discordant_clusters(self) -> int:
        """How many clusters hold a pair that differs."""
        return int(np.count_nonzero(self.tally.gained + self.tally.lost))


def weigh(paired: Paired) -> Evidence | None:
    """What the pairs say; None when there is no pair."""
    if not paired.pairs:
        return None
    if paired.weight is not None:
        return Evidence(paired, tally_weighted(paired.d, paired.cluster, paired.weight))
    return Evidence(paired, tally(paired.d, paired.cluster))
