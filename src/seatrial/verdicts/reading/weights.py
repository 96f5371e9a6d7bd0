"""What a case counts: its own weight, brought to the traffic shares of the dataset's strata.

Shares of one stratum: post-stratification (the weights of each value's cases are scaled to its share). Of several:
raking, which scales to each in turn until all hold (Deming and Stephan 1940). Weights are made over all traffic cases
of the trial; a rubric about some of them is a domain of it and uses their weights as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from seatrial.core.suite import RubricSpec
from seatrial.verdicts.engine.outcomes import Bools, Floats
from seatrial.verdicts.reading.cases import CaseTable

ROUNDS = 500
CLOSE = 1e-9
"""Raking ends when no share is off by more than this."""
BARELY = 1e-3
"""Where raking has not ended, shares that are off by more than this cannot all hold on these cases."""
SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Weighting:
    """What every case of a trial counts (`weight`; None: all the same), and what cannot be weighted.

    `unseen`: by stratum, the values with traffic and without a case, with their shares. `by`: the strata that have
    shares. `notes`: sentences about what was left out.
    """

    weight: Floats | None = None
    by: tuple[str, ...] = ()
    unseen: Mapping[str, Mapping[str, float]] | None = None
    notes: tuple[str, ...] = ()

    def share_unseen(self, rubric: RubricSpec) -> float:
        """The share of a rubric's traffic of which there is no case, at most: that of all its strata together."""
        return min(1.0, sum(_unseen_of(gone, rubric.where.get(name)) for name, gone in (self.unseen or {}).items()))


def _unseen_of(values: Mapping[str, float], wanted: str | tuple[str, ...] | None) -> float:
    if wanted is None:
        return min(1.0, sum(values.values()))
    accepted = {wanted} if isinstance(wanted, str) else set(wanted)
    return min(1.0, sum(share for value, share in values.items() if value in accepted))


def weighting(cases: CaseTable, traffic: Bools, shares: Mapping[str, Mapping[str, float]]) -> Weighting:
    """What the cases marked as `traffic` count; the others count nothing. Weights are one on average over traffic."""
    start = np.where(traffic, cases.weight, 0.0)
    if not traffic.any():
        return Weighting()
    if not shares:
        alike = np.ptp(cases.weight[traffic]) == 0
        return Weighting() if alike else Weighting(_scaled(start, traffic))
    unseen: dict[str, Mapping[str, float]] = {}
    notes: list[str] = []
    targets: list[tuple[np.ndarray, Floats]] = []
    for name, wanted in shares.items():
        codes, names = _codes(cases, name, wanted)
        held = np.bincount(codes[traffic & (codes >= 0)], minlength=len(names)) > 0
        gone = {value: wanted[value] for value, there in zip(names, held, strict=True) if wanted[value] and not there}
        if gone:
            unseen[name] = gone
            notes.append(_no_case(name, gone))
        if stray := int(np.count_nonzero(traffic & (codes < 0))):
            notes.append(_no_share(name, stray))
        goal = np.array([wanted[value] for value in names]) * held
        if goal.sum() <= 0:
            return Weighting(None, tuple(shares), unseen, tuple(notes))
        targets.append((codes, goal / goal.sum()))
        start = np.where(codes >= 0, start, 0.0)
    if not start.any():
        return Weighting(None, tuple(shares), unseen, (*notes, "No case has a share of traffic in all strata."))
    weight, off = _raked(start, targets)
    if off > BARELY:
        notes.append(
            f"The traffic shares of {' and '.join(shares)} cannot all hold on these cases: they are missed by up to "
            f"{100 * off:.1f} points."
        )
    return Weighting(_scaled(weight, traffic), tuple(shares), unseen, tuple(notes))


def _codes(cases: CaseTable, name: str, wanted: Mapping[str, float]) -> tuple[np.ndarray, list[str]]:
    """For each case the place of its value among those with a share, -1 without one."""
    names = list(wanted)
    stratum = cases.strata.get(name)
    if stratum is None:
        return np.full(len(cases), -1, dtype=np.intp), names
    at = {value: code for code, value in enumerate(names)}
    known = np.array([at.get(value, -1) for value in stratum.values] + [-1], dtype=np.intp)
    return known[stratum.codes], names


def _raked(start: Floats, targets: list[tuple[np.ndarray, Floats]]) -> tuple[Floats, float]:
    """Weights that sum to 1 and meet every stratum's shares, and by how much they miss one."""
    weight, off = start / start.sum(), np.inf
    for _ in range(ROUNDS):
        for codes, goal in targets:
            held = np.bincount(codes[codes >= 0], weights=weight[codes >= 0], minlength=len(goal))
            factor = np.divide(goal, held, out=np.zeros_like(goal), where=held > 0)
            weight = np.where(codes >= 0, weight * factor[codes], 0.0)
            if weight.sum() <= 0:
                return start / start.sum(), 1.0
            weight = weight / weight.sum()
        off = max(
            float(np.abs(np.bincount(c[c >= 0], weights=weight[c >= 0], minlength=len(g)) - g).max())
            for c, g in targets
        )
        if off <= CLOSE:
            break
    return weight, off


def _scaled(weight: Floats, traffic: Bools) -> Floats:
    return weight * (int(np.count_nonzero(traffic)) / float(weight.sum()))


def _no_case(name: str, gone: Mapping[str, float]) -> str:
    listed = ", ".join(f"{value} ({100 * share:g}%)" for value, share in list(gone.items())[:SHOWN])
    more = f" and {len(gone) - SHOWN} more" if len(gone) > SHOWN else ""
    return (
        f"There is no case of {name} {listed}{more}, which traffic has: the other shares are brought up to the whole, "
        "and quality rubrics are decided only where that holds whatever happens there."
    )


def _no_share(name: str, stray: int) -> str:
    cases = "1 case has" if stray == 1 else f"{stray:,} cases have"
    return f"{cases} no {name} that has a share of traffic: on quality rubrics that counts nothing."
