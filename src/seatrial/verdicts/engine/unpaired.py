"""What two arms say that did not answer the same cases: compared unpaired, over clusters.

All results of both arms count, not only those of cases they share. Passes: Miettinen and Nurminen's score test and
interval, at the effective size where cases share clusters or count differently (an arm's clusters may hold cases of the
other: their covariance is in the variance). Graded values: a cluster-robust t of the difference of the means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from seatrial.stats import Interval, miettinen_nurminen, miettinen_nurminen_z
from seatrial.stats.clusters import ENOUGH_CLUSTERS
from seatrial.stats.distributions import special
from seatrial.verdicts.engine.outcomes import Floats, Ints, Outcomes, distinct, known, weight_of


class _State(NamedTuple):
    """Both arms' rates and effective sizes, and the variance of their difference; `effect` is in the sizes already."""

    first: float
    second: float
    size_first: float
    size_second: float
    variance: float
    df: float
    clusters: int


@dataclass(frozen=True, eq=False)
class UnpairedEvidence:
    """The difference (candidate − incumbent) of two arms from sums by cluster, six columns.

    The columns are, of each arm: Σ weight × value, Σ weight, Σ weight². `kinds` is one cluster of every kind, `labels`
    its label. `cases`: of the smaller arm; `shared`: how many cases both arms have.
    """

    columns: Floats
    labels: Ints
    kinds: Ints
    cases: int
    shared: int
    graded: bool
    related: bool
    weighted: bool

    @property
    def clusters(self) -> int:
        """How many independent groups the arm with fewer has."""
        return min(self._present(self.columns))

    @staticmethod
    def _present(columns: Floats) -> tuple[int, int]:
        return int(np.count_nonzero(columns[1] > 0)), int(np.count_nonzero(columns[4] > 0))

    @property
    def clustered(self) -> bool:
        """Whether some results are related, or count differently."""
        return self.related or self.weighted

    @property
    def method(self) -> str:
        """The interval's name."""
        if self.graded:
            return "unpaired cluster-robust t"
        if not self.clustered:
            return "unpaired Miettinen–Nurminen"
        parts = [name for name, true in (("weights", self.weighted), ("clusters", self.related)) if true]
        return f"unpaired Miettinen–Nurminen at the effective size of the {' and '.join(parts)}"

    @property
    def test(self) -> str:
        """The name of the p-values against no difference."""
        if self.graded:
            return "unpaired cluster-robust t test"
        where = " at the effective size" if self.clustered else ""
        return f"unpaired Miettinen–Nurminen score test{where}"

    @property
    def results(self) -> int:
        """As many as there are cases in the smaller arm."""
        return self.cases

    @property
    def identical(self) -> bool:
        """Never: different cases cannot show it."""
        return False

    @property
    def piled_up(self) -> bool:
        """Never: losses have no pairs here."""
        return False

    @property
    def discordant_clusters(self) -> int:
        """Unknown without pairs: 0."""
        return 0

    @property
    def design_effect(self) -> float:
        """1: it is in the variance already."""
        return 1.0

    @cached_property
    def _whole(self) -> _State:
        return next(self._states(left_out=False))

    @property
    def estimate(self) -> float:
        """The difference of both arms' means."""
        return self._whole.first - self._whole.second

    @property
    def variance(self) -> float:
        """Of one case's share in the difference."""
        return self._whole.variance * self.cases

    def _states(self, *, left_out: bool) -> Iterator[_State]:
        """What all clusters say; then, with `left_out`, what they say without one of each kind."""
        c = self.columns
        k1, n1, _, k2, n2, _ = c
        products = (k1 * k1, k1 * n1, n1 * n1, k2 * k2, k2 * n2, n2 * n2, k1 * k2, k1 * n2, n1 * k2, n1 * n2)
        table = np.vstack((c, *products, c[1] > 0, c[4] > 0, *_mixed(c), np.ones(c.shape[1])))
        whole = table.sum(axis=1)
        yield self._state(whole)
        if left_out:
            for kind in self.kinds.tolist():
                yield self._state(whole - table[:, kind])

    def _state(self, t: Floats) -> _State:
        k1, n1, q1, k2, n2, q2 = t[:6].tolist()
        c1, c2, mixed1, mixed2, clusters = t[16:].tolist()
        if min(c1, c2) < 2 or min(n1, n2) <= 0:
            return _State(k1 / n1 if n1 > 0 else 0.0, k2 / n2 if n2 > 0 else 0.0, 0, 0, np.inf, 1, int(min(c1, c2)))
        p1, p2 = min(1.0, max(0.0, k1 / n1)), min(1.0, max(0.0, k2 / n2))
        s1 = max(0.0, t[6] - 2 * p1 * t[7] + p1 * p1 * t[8]) / (n1 * n1)
        s2 = max(0.0, t[9] - 2 * p2 * t[10] + p2 * p2 * t[11]) / (n2 * n2)
        cross = (t[12] - p2 * t[13] - p1 * t[14] + p1 * p2 * t[15]) / (n1 * n2)
        robust = clusters / (clusters - 1) * max(0.0, s1 + s2 - 2 * cross)
        size1, size2 = n1 * n1 / q1, n2 * n2 / q2
        df = float(min(c1, c2) - 1)
        if s1 + s2 > 0:
            df = (s1 + s2) ** 2 / (s1 * s1 / (c1 - 1) + s2 * s2 / (c2 - 1))
        if self.graded:
            return _State(p1, p2, size1, size2, robust, df, int(min(c1, c2)))
        effect = self._effect(robust, (p1, p2), (size1, size2), (t[8] / q1, t[11] / q2), mixed1 + mixed2)
        naive = p1 * (1 - p1) / size1 + p2 * (1 - p2) / size2
        freedom = np.inf if not self.clustered or naive < 1e-15 else df
        return _State(p1, p2, size1 / effect, size2 / effect, naive * effect, freedom, int(min(c1, c2)))

    def _effect(
        self,
        robust: float,
        rates: tuple[float, float],
        sizes: tuple[float, float],
        worst: tuple[float, float],
        mixed: float,
    ) -> float:
        """Robust over naive variance, at least 1, drawn to the worst case where few clusters tell about it."""
        if not self.clustered:
            return 1.0
        naive = sum(p * (1 - p) / size for p, size in zip(rates, sizes, strict=True))
        least = max(1.0, *worst)
        if naive < 1e-15:
            return least
        effect = max(1.0, robust / naive)
        trust = min(1.0, max(0.0, (mixed - 1) / (ENOUGH_CLUSTERS - 1)))
        return trust * effect + (1 - trust) * max(effect, least)

    def _statistic(self, at: _State, delta0: float, deflation: float = 1.0) -> float:
        if at.clusters < 2:
            return 0.0
        if self.graded:
            se = float(np.sqrt(at.variance))
            return (at.first - at.second - delta0) / se if se > 1e-12 else 0.0
        n1, n2 = at.size_first / deflation, at.size_second / deflation
        return miettinen_nurminen_z(at.first * n1, n1, at.second * n2, n2, delta0)

    def decisions(self, delta0: float, alpha: float, *, left_out: bool = False) -> Floats:
        """1 where the difference is shown to be above `delta0`, -1 below, 0 neither, each one-sided at `alpha`."""
        z = float(special.ndtri(1 - alpha))
        told: list[float] = []
        for at in self._states(left_out=left_out):
            t = float(special.stdtrit(at.df, 1 - alpha))
            deflation, beyond = (1.0, t) if self.graded else ((t / z) ** 2, z)
            statistic = self._statistic(at, delta0, deflation)
            told.append(float(statistic > beyond) - float(statistic < -beyond))
        return np.array(told)

    def interval(self, alpha: float) -> Interval:
        """The two-sided interval at 1 − alpha."""
        at = self._whole
        if at.clusters < 2:
            return Interval(-1.0, 1.0)
        t, z = float(special.stdtrit(at.df, 1 - alpha / 2)), float(special.ndtri(1 - alpha / 2))
        if self.graded:
            half = t * float(np.sqrt(at.variance))
            return Interval(max(-1.0, self.estimate - half), min(1.0, self.estimate + half))
        n1, n2 = at.size_first * (z / t) ** 2, at.size_second * (z / t) ** 2
        return miettinen_nurminen(at.first * n1, n1, at.second * n2, n2, alpha=alpha)

    def p_below(self, delta0: float) -> float:
        """One-sided p-value that the true difference is below `delta0`; 1 with fewer than two clusters an arm."""
        at = self._whole
        return 1.0 if at.clusters < 2 else float(special.stdtr(at.df, self._statistic(at, delta0)))

    @property
    def p_worse(self) -> float:
        """One-sided p-value that the candidate is worse at all."""
        return self.p_below(0.0)

    @property
    def p_value(self) -> float:
        """Two-sided p-value that the arms differ."""
        at = self._whole
        return 1.0 if at.clusters < 2 else min(1.0, 2 * float(special.stdtr(at.df, -abs(self._statistic(at, 0.0)))))

    def visible(self, alpha: float, power: float) -> float | None:
        """The smallest difference that these results show with such a power; None when they show none."""
        told = float(special.ndtri(1 - alpha) + special.ndtri(power)) * float(np.sqrt(self._whole.variance))
        return told if 0 < told <= 1 else None


def _mixed(columns: Floats) -> tuple[Floats, Floats]:
    """In each arm which clusters hold the arm's rarer outcome."""
    told: list[Floats] = []
    for k, n in ((columns[0], columns[1]), (columns[3], columns[4])):
        rare_is_pass = k.sum() <= n.sum() / 2
        told.append(((k > 0) if rare_is_pass else (n - k > 1e-12)).astype(np.float64))
    return told[0], told[1]


def unpaired(outcomes: Outcomes) -> UnpairedEvidence | None:
    """What both arms' results say, whatever cases they come from; None where an arm has none."""
    assert outcomes.incumbent is not None, "a comparison has two arms"
    weights = np.ones(len(outcomes.cluster)) if outcomes.weight is None else outcomes.weight
    arms: list[tuple[Floats, Ints, Floats, int]] = []
    for arm in (outcomes.candidate, outcomes.incumbent):
        used = np.where((weights > 0)[:, None], arm, np.nan)
        values, labels = known(used, outcomes.cluster)
        if not len(values):
            return None
        there = ~np.isnan(used)
        arms.append((values, labels, weight_of(weights, there), int(np.count_nonzero(there.any(axis=1)))))
    names = distinct(np.concatenate([labels for _, labels, _, _ in arms]))
    rows: list[Floats] = []
    for values, labels, weight, _ in arms:
        at = np.searchsorted(names, labels)
        parts = (weight * values, weight, weight * weight)
        rows += [np.bincount(at, weights=part, minlength=len(names)).astype(np.float64) for part in parts]
    columns = np.array(rows)
    kinds = np.unique(np.round(columns, 12), axis=1, return_index=True)[1].astype(np.intp)
    both = ~np.isnan(outcomes.candidate).all(axis=1) & ~np.isnan(outcomes.incumbent).all(axis=1)
    total = sum(len(values) for values, _, _, _ in arms)
    return UnpairedEvidence(
        columns=columns,
        labels=names[kinds],
        kinds=kinds,
        cases=min(cases for _, _, _, cases in arms),
        shared=int(np.count_nonzero(both)),
        graded=outcomes.graded,
        related=len(names) < total,
        weighted=outcomes.weight is not None,
    )
