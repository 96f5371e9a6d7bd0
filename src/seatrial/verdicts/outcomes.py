"""One rubric's results as arrays, and what becomes of them when candidate and incumbent are laid side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

MOST_MISSING = 0.20
"""An arm that misses more than this share of its results cannot pass a rubric."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """One rubric over its cases: a row a case, a column an epoch, NaN where a result is missing.

    For quality rubrics and gates 1 is a pass and 0 a failure; for limits the numbers are measures. `cluster` labels
    each case; `rows` are the cases' places in the frame they came from. `judge_errors` of the missing results are so
    because the scorer failed.
    """

    cluster: Ints
    candidate: Floats
    incumbent: Floats | None = None
    rows: Ints | None = None
    judge_errors: int = 0

    @classmethod
    def of(cls, candidate: ArrayLike, incumbent: ArrayLike | None = None, cluster: ArrayLike | None = None) -> Outcomes:
        """From one number a case (or one row of epochs a case); without `cluster`, every case stands for itself.

        Raises ValueError when the shapes do not fit.
        """
        first = _table(candidate)
        second = None if incumbent is None else _table(incumbent)
        labels = np.arange(len(first)) if cluster is None else np.asarray(cluster, dtype=np.intp)
        if labels.shape != (len(first),) or (second is not None and second.shape != first.shape):
            raise ValueError("candidate, incumbent and cluster must have one row a case, and the same epochs")
        return cls(labels, first, second)

    def take(self, kept: Bools) -> Outcomes:
        """The cases where `kept` is True."""
        return Outcomes(
            self.cluster[kept],
            self.candidate[kept],
            None if self.incumbent is None else self.incumbent[kept],
            None if self.rows is None else self.rows[kept],
        )

    def only_candidate(self) -> Outcomes:
        """The same without an incumbent."""
        return replace(self, incumbent=None)

    @property
    def missing(self) -> int:
        """How many results are missing, of both arms."""
        gone = int(np.count_nonzero(np.isnan(self.candidate)))
        return gone + (0 if self.incumbent is None else int(np.count_nonzero(np.isnan(self.incumbent))))

    @property
    def most_missing(self) -> float:
        """The larger of the arms' shares of missing results."""
        arms = [self.candidate] if self.incumbent is None else [self.candidate, self.incumbent]
        return max(float(np.isnan(arm).mean()) if arm.size else 0.0 for arm in arms)

    def filled(self, *, worst: bool) -> Outcomes:
        """Every missing result replaced by what is worst, or best, for the candidate."""
        low, high = (0.0, 1.0) if worst else (1.0, 0.0)
        return replace(
            self,
            candidate=np.where(np.isnan(self.candidate), low, self.candidate),
            incumbent=None if self.incumbent is None else np.where(np.isnan(self.incumbent), high, self.incumbent),
        )


def _table(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return array[:, None] if array.ndim == 1 else array


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """Candidate minus incumbent: one number (-1, 0, 1) a pair, a pair being one case at one epoch with both results.

    `cluster` labels each pair; the epochs of a case are in its cluster, so they never count as independent. `cases`
    have at least one pair; `missing` pairs lack a side.
    """

    d: Floats
    cluster: Ints
    cases: int
    both: int
    gained: int
    lost: int
    missing: int

    @property
    def pairs(self) -> int:
        """How many pairs have both sides."""
        return len(self.d)

    @property
    def neither(self) -> int:
        """How many pairs both arms fail."""
        return self.pairs - self.both - self.gained - self.lost


def pair(outcomes: Outcomes) -> Paired:
    """Lay the arms side by side, by case and epoch."""
    if outcomes.incumbent is None:
        raise ValueError("there is no incumbent to pair with")
    gap = outcomes.candidate - outcomes.incumbent
    there = ~np.isnan(gap)
    d = gap[there]
    return Paired(
        d=d,
        cluster=spread(outcomes.cluster, there),
        cases=int(np.count_nonzero(there.any(axis=1))),
        both=int(np.count_nonzero((outcomes.candidate > 0) & (outcomes.incumbent > 0))),
        gained=int(np.count_nonzero(d > 0)),
        lost=int(np.count_nonzero(d < 0)),
        missing=gap.size - len(d),
    )


def known(arm: Floats, cluster: Ints) -> tuple[Floats, Ints]:
    """One arm's results that are not missing, each with its cluster."""
    there = ~np.isnan(arm)
    return arm[there], spread(cluster, there)


def spread(cluster: Ints, there: Bools) -> Ints:
    """The cluster of every result that is there: a case's label for each of its epochs."""
    return np.broadcast_to(cluster[:, None], there.shape)[there]


def independent(cluster: Ints) -> bool:
    """Whether every cluster holds one result."""
    return len(np.unique(cluster)) == len(cluster)
