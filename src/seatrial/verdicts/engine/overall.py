"""One number over a whole run, of each arm and their difference: over all labels, or over all scores."""

from __future__ import annotations

import math

import numpy as np

from seatrial.verdicts.engine.aggregates import Jackknifed, jackknifed, named
from seatrial.verdicts.engine.means import MeanEvidence
from seatrial.verdicts.engine.outcomes import Bools, Codes, Floats, Ints, Labels, Outcomes, spread, weight_of
from seatrial.verdicts.engine.pooling import Scored

MOST_GROUPS = 200
"""Clusters beyond this many are left out by random groups of equal size, so many in all."""


def over_all(outcomes: Outcomes) -> Jackknifed | None:
    """The number of each arm over the results that all arms have, and their difference; None without any."""
    match outcomes.labels:
        case Labels() as labels:
            return jackknifed(outcomes, named(labels.aggregate))
        case Scored() as scored:
            return _over_scores(outcomes, scored)
        case None:
            raise ValueError("there is nothing to take one number over")


def _over_scores(outcomes: Outcomes, scored: Scored) -> Jackknifed | None:
    """As for labels, calling the aggregate over the scores without each cluster, or group of clusters, in turn.

    A function that takes no weights counts all cases alike, but for those that count nothing.
    """
    there = _counted(outcomes)
    if not there.any():
        return None
    arms = [scored.candidate] if scored.incumbent is None else [scored.candidate, scored.incumbent]
    group, names, unit = _groups(spread(tied(outcomes.cluster, scored.tie), there))
    weight = weight_of(outcomes.weight, there) if outcomes.weight is not None and scored.of.weighted else None
    columns = [column[there].astype(np.intp) for column in arms]
    values = [_replicates(scored, column, group, len(names), weight) for column in columns]
    counted = "" if outcomes.weight is None else "weighted " if scored.of.weighted else "unweighted "
    method = f"delete-one-{unit} jackknife of {counted}{scored.aggregate}, t"
    cases = int(np.count_nonzero(there.any(axis=1)))

    def evidence(full: float, left: Floats, limits: tuple[float, float]) -> MeanEvidence | None:
        if math.isnan(full):
            return None
        pseudo = len(left) * full - (len(left) - 1) * left if len(left) > 1 else np.array([full])
        return MeanEvidence(
            sums=pseudo - pseudo.mean() + full,
            sizes=np.ones(len(left)),
            cases=cases,
            results=len(group),
            method=method,
            test=f"{method} test",
            limits=limits,
            labels=names,
        )

    low, high = scored.of.limits
    found = [evidence(full, left, (low, high)) for full, left in values]
    if len(values) == 1:
        return Jackknifed(found[0])
    (full_c, left_c), (full_i, left_i) = values
    return Jackknifed(found[0], found[1], evidence(full_c - full_i, left_c - left_i, (low - high, high - low)))


def _counted(outcomes: Outcomes) -> Bools:
    """The results that every arm has, and whose weight is not 0."""
    there = ~np.isnan(outcomes.candidate)
    if outcomes.incumbent is not None:
        there &= ~np.isnan(outcomes.incumbent)
    return there if outcomes.weight is None else there & (outcomes.weight > 0)[:, None]


def _replicates(scored: Scored, codes: Ints, group: Ints, groups: int, weight: Floats | None) -> tuple[float, Floats]:
    """The number of one arm, and without each group; 0 where that is undefined."""
    full = scored.number(codes, weight)
    if math.isnan(full) or groups < 2:
        return full, np.full(groups, full)
    left = np.empty(groups)
    for at in range(groups):
        kept = group != at
        left[at] = scored.number(codes[kept], None if weight is None else weight[kept])
    return full, np.nan_to_num(left, nan=0.0)


def _groups(cluster: Ints) -> tuple[Ints, Ints, str]:
    """The group of every result, a cluster's label for each group, and what a group is."""
    names, which = np.unique(cluster, return_inverse=True)
    if len(names) <= MOST_GROUPS:
        return which.astype(np.intp), names, "cluster"
    order = np.random.default_rng(0).permutation(len(names))
    group_of = np.empty(len(names), dtype=np.intp)
    group_of[order] = np.arange(len(names)) % MOST_GROUPS
    first = np.full(MOST_GROUPS, np.iinfo(np.intp).max, dtype=np.intp)
    np.minimum.at(first, group_of, names)
    return group_of[which], first, "group-of-clusters"


def tied(cluster: Ints, tie: Codes) -> Ints:
    """Clusters of which some cases stand and fall together, as one: labelled by the smallest of their labels."""
    bound = tie >= 0
    if not bound.any():
        return cluster
    found, own = cluster.copy(), np.unique(cluster, return_inverse=True)[1]
    while True:
        least = np.full(int(tie.max()) + 1, np.iinfo(np.intp).max, dtype=np.intp)
        np.minimum.at(least, tie[bound], found[bound])
        reached = found.copy()
        reached[bound] = least[tie[bound]]
        lowest = np.full(int(own.max()) + 1, np.iinfo(np.intp).max, dtype=np.intp)
        np.minimum.at(lowest, own, reached)
        reached = lowest[own]
        if (reached == found).all():
            return found
        found = reached
