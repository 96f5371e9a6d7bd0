"""One rubric's results as arrays, and what becomes of them when candidate and incumbent are laid side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from seatrial.verdicts.engine.pooling import Scored

S = TypeVar("S", bound=np.generic)
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]

MOST_MISSING = 0.20
"""An arm that misses more than this share of its results cannot pass a rubric, unless its policy says otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What each arm called every case at every epoch: codes of `names`, -1 where it named none of them.

    `expected` is -1 where the case itself has no label. Where an arm has no result, its number in `Outcomes` is NaN.
    `aggregate`: the number that is taken over them.
    """

    aggregate: str

    names: tuple[str, ...]
    expected: Codes
    candidate: Codes
    incumbent: Codes | None = None

    def take(self, kept: Bools) -> Labels:
        """The cases where `kept` is True."""
        second = None if self.incumbent is None else self.incumbent[kept]
        return Labels(self.aggregate, self.names, self.expected[kept], self.candidate[kept], second)

    def filled(self, gone: Sequence[Bools], *, worst: bool) -> Labels:
        """Right labels where an arm is to be flattered, none where it is not."""
        right, none = self.expected, np.full_like(self.expected, -1)
        first, second = (none, right) if worst else (right, none)
        other = None if self.incumbent is None else np.where(gone[1], second, self.incumbent)
        return replace(self, candidate=np.where(gone[0], first, self.candidate), incumbent=other)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Which cells (case and epoch) each arm was asked at all, where that differs: the others are not missing."""

    candidate: Bools
    incumbent: Bools

    def take(self, kept: Bools) -> Asked:
        """The cases where `kept` is True."""
        return Asked(self.candidate[kept], self.incumbent[kept])

    @property
    def both(self) -> Bools:
        """The cells that both arms were asked."""
        return self.candidate & self.incumbent


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """One rubric over its cases: a row a case, a column an epoch, NaN where a result is missing.

    For quality rubrics and gates 1 is a pass and 0 a failure, or where `graded` a value between; for limits the numbers
    are measures. `cluster` labels each case; `rows` are the cases' places in the frame they came from. `judge_errors`
    of the missing results are so because the scorer failed. `confirmed`: the candidate's failures that a person
    confirmed, each in a few words. `weight`: what a case counts, one on average over the trial; None: all the same.
    `labels`: for one number over all labels, or all scores. `asked`: None where both arms were asked everything.
    `unseen`: the share of traffic of which there is no case. `most_allowed`: the share of missing results
    that an arm may have; `as_failures`: the larger of the arms' shares that were missing and count as failures.
    `untimed`: the targets whose answers have no time that this rubric could be about.
    """

    cluster: Ints
    candidate: Floats
    incumbent: Floats | None = None
    rows: Ints | None = None
    judge_errors: int = 0
    confirmed: tuple[str, ...] = ()
    weight: Floats | None = None
    graded: bool = False
    labels: Labels | Scored | None = None
    asked: Asked | None = None
    unseen: float = 0.0
    most_allowed: float = MOST_MISSING
    as_failures: float = 0.0
    untimed: tuple[str, ...] = ()

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
        return replace(
            self,
            cluster=self.cluster[kept],
            candidate=self.candidate[kept],
            incumbent=None if self.incumbent is None else self.incumbent[kept],
            rows=None if self.rows is None else self.rows[kept],
            judge_errors=0,
            weight=None if self.weight is None else self.weight[kept],
            labels=None if self.labels is None else self.labels.take(kept),
            asked=None if self.asked is None else self.asked.take(kept),
        )

    def only_candidate(self) -> Outcomes:
        """The same without an incumbent."""
        return replace(self, incumbent=None, asked=None)

    def unweighted(self) -> Outcomes:
        """The same with all cases counting alike."""
        return replace(self, weight=None, unseen=0.0)

    @property
    def missing(self) -> int:
        """How many results are missing, of both arms."""
        return sum(int(np.count_nonzero(gone)) for gone, _ in self._gone())

    @property
    def most_missing(self) -> float:
        """The larger of the arms' shares of missing results, of what the arm was asked."""
        shares = [int(np.count_nonzero(gone)) / max(1, int(np.count_nonzero(asked))) for gone, asked in self._gone()]
        return max(self.as_failures, *shares)

    @property
    def too_much_missing(self) -> bool:
        """Whether an arm misses more results than it may."""
        return self.most_missing > self.most_allowed

    @property
    def gone(self) -> tuple[Bools, ...]:
        """For each arm which results are missing."""
        return tuple(cells for cells, _ in self._gone())

    def _gone(self) -> list[tuple[Bools, Bools]]:
        """For each arm which results are missing, and which cells it was asked."""
        everything = np.ones(self.candidate.shape, dtype=np.bool_)
        asked = Asked(everything, everything) if self.asked is None else self.asked
        arms = [(self.candidate, asked.candidate)]
        if self.incumbent is not None:
            arms.append((self.incumbent, asked.incumbent))
        return [(np.isnan(arm) & cells, cells) for arm, cells in arms]

    def filled(self, *, worst: bool) -> Outcomes:
        """Every missing result replaced by what is worst, or best, for the candidate."""
        low, high = (0.0, 1.0) if worst else (1.0, 0.0)
        gone = [cells for cells, _ in self._gone()]
        return replace(
            self,
            candidate=np.where(gone[0], low, self.candidate),
            incumbent=None if self.incumbent is None else np.where(gone[1], high, self.incumbent),
            labels=None if self.labels is None else self.labels.filled(gone, worst=worst),
        )

    def missing_as_failures(self) -> Outcomes:
        """Every missing result counted as a failure of the arm that misses it."""
        if not self.missing:
            return self
        gone = [cells for cells, _ in self._gone()]
        return replace(
            self,
            candidate=np.where(gone[0], 0.0, self.candidate),
            incumbent=None if self.incumbent is None else np.where(gone[1], 0.0, self.incumbent),
            judge_errors=0,
            as_failures=self.most_missing,
        )


def _table(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return array[:, None] if array.ndim == 1 else array


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """Candidate minus incumbent: one number (-1, 0, 1) a pair, a pair being one case at one epoch with both results.

    `cluster` labels each pair; the epochs of a case are in its cluster, so they never count as independent. `cases`
    have at least one pair; `missing` pairs lack a side. `weight` is of each pair, above 0; None: all count the same.
    """

    d: Floats
    cluster: Ints
    cases: int
    both: int
    gained: int
    lost: int
    missing: int
    weight: Floats | None = None

    @property
    def pairs(self) -> int:
        """How many pairs have both sides."""
        return len(self.d)

    @property
    def neither(self) -> int:
        """How many pairs both arms fail."""
        return self.pairs - self.both - self.gained - self.lost


def pair(outcomes: Outcomes) -> Paired:
    """Lay the arms side by side, by case and epoch. Cases of no weight are left out."""
    if outcomes.incumbent is None:
        raise ValueError("there is no incumbent to pair with")
    gap = outcomes.candidate - outcomes.incumbent
    there = ~np.isnan(gap)
    whole = gap.size
    if outcomes.weight is not None:
        counts = outcomes.weight > 0
        there &= counts[:, None]
        whole = int(np.count_nonzero(counts)) * gap.shape[1]
    d = gap[there]
    return Paired(
        d=d,
        cluster=spread(outcomes.cluster, there),
        cases=int(np.count_nonzero(there.any(axis=1))),
        both=int(np.count_nonzero(there & (outcomes.candidate > 0) & (outcomes.incumbent > 0))),
        gained=int(np.count_nonzero(d > 0)),
        lost=int(np.count_nonzero(d < 0)),
        missing=whole - len(d),
        weight=None if outcomes.weight is None else weight_of(outcomes.weight, there),
    )


def weight_of(weight: Floats, there: Bools) -> Floats:
    """The weight of every result that is there: a case's, for each of its epochs."""
    return np.broadcast_to(weight[:, None], there.shape)[there]


def known(arm: Floats, cluster: Ints) -> tuple[Floats, Ints]:
    """One arm's results that are not missing, each with its cluster."""
    there = ~np.isnan(arm)
    return arm[there], spread(cluster, there)


def spread(cluster: Ints, there: Bools) -> Ints:
    """The cluster of every result that is there: a case's label for each of its epochs."""
    return np.broadcast_to(cluster[:, None], there.shape)[there]


def distinct(values: NDArray[S]) -> NDArray[S]:
    """The different values, sorted: `np.unique`, which by itself would import NumPy's masked arrays first."""
    return np.unique(values, return_counts=True)[0]


def independent(cluster: Ints) -> bool:
    """Whether every cluster holds one result."""
    return len(distinct(cluster)) == len(cluster)
