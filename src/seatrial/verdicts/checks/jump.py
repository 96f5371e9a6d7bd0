"""The jump test: does a candidate gain only on cases that it may have seen in training?

A case is exposed when it was published (or created) before the candidate's training data end, or comes from a public
benchmark; fresh when it is dated after that. On each side the paired difference has its interval; their difference, a
difference in differences with the incumbent as reference, has one by the method of variance estimates recovery, which
recovers the spread of two independent estimates from their intervals. Nothing is decided by it.
Source: Angrist and Pischke 2009, chapter 5; Zou and Donner 2008.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import numpy as np

from seatrial.core.case import Case
from seatrial.core.suite import Policy, TargetSpec
from seatrial.stats import Interval
from seatrial.store.store import Store
from seatrial.verdicts.artefacts import sentences
from seatrial.verdicts.checks.ages import moment, oldest_allowed
from seatrial.verdicts.engine.outcomes import Bools, Outcomes
from seatrial.verdicts.engine.weighing import compare
from seatrial.verdicts.reading.frame import Frame
from seatrial.verdicts.reading.grouping import whole_cases
from seatrial.verdicts.records import Estimate, Jump

METHOD = "difference in differences, interval by variance estimates recovery"


class Exposure(NamedTuple):
    """Which cases of a frame a target may have seen in training, which it cannot, and by what that is told."""

    exposed: Bools
    fresh: Bools
    because: str


def exposure(store: Store, frame: Frame, target: TargetSpec) -> Exposure | None:
    """What a target may have seen; None where nothing tells: no date of the target's, no benchmark among the cases."""
    line, what = _line(frame, target)
    benchmark = _origin(frame, "benchmark")
    if line is None:
        return Exposure(benchmark, ~benchmark, "from a public benchmark") if benchmark.any() else None
    dates = {at: _date(case) for at, case in whole_cases(store, frame.trial.dataset_id)}
    held = [dates.get(position) for position in frame.cases.position.tolist()]
    before = np.array([date is not None and date < line for date in held], dtype=np.bool_)
    after = np.array([date is not None and date >= line for date in held], dtype=np.bool_)
    because = f"older than {what}{', or from a public benchmark' if benchmark.any() else ''}"
    return Exposure(before | benchmark, after & ~benchmark, because)


def _line(frame: Frame, target: TargetSpec) -> tuple[datetime | None, str]:
    """The date that parts what may have been seen from what cannot, and what it is."""
    age = frame.suite.policy.exposed_after
    if target.cutoff is not None:
        return moment(target.cutoff), f"its training cutoff, {target.cutoff[:10]}"
    if target.released is not None:
        return moment(target.released), f"its release, {target.released[:10]}"
    return (None, "") if age is None else (oldest_allowed(frame, age), age)


def _date(case: Case) -> datetime | None:
    said = case.published_at or case.created_at
    return None if said is None else moment(said)


def _origin(frame: Frame, name: str) -> Bools:
    names = frame.cases.origin.values
    return np.array([value == name for value in names] or [False])[frame.cases.origin.codes]


def seen_whole(frame: Frame) -> Frame:
    """The frame in which quality rubrics take benchmarks too: they decide nothing, and here they say something."""
    rubrics = tuple(
        rubric.model_copy(update={"kind": "advisory", "cases": rubric.selection})
        if rubric.kind == "quality"
        else rubric
        for rubric in frame.suite.rubrics
    )
    return replace(frame, suite=frame.suite.model_copy(update={"rubrics": rubrics}))


def jump(rubric: str, outcomes: Outcomes, exposed: Bools, fresh: Bools, policy: Policy, tests: int) -> Jump | None:
    """How one rubric moved on both sides; `exposed` and `fresh` are of the outcomes' cases. None with too few cases.

    Intervals are two-sided at 1 − 2·alpha/`tests`, so that over all rubrics tested chance shows a jump in at most
    alpha of trials.
    """
    alpha = policy.alpha / max(1, tests)
    sides: list[Estimate] = []
    cases: list[int] = []
    for mask in (exposed, fresh):
        evidence = compare(outcomes.take(mask))
        if evidence is None or evidence.cases < policy.min_cases:
            return None
        low, high = evidence.interval(2 * alpha)
        estimate = Estimate(value=evidence.estimate, low=low, high=high, level=1 - 2 * alpha, method=evidence.method)
        sides.append(estimate)
        cases.append(evidence.cases)
    between = recovered(sides[0], sides[1])
    gains = (sides[0].low or 0) > 0 and (sides[1].low or 0) <= 0 and (between.low or 0) > 0
    return Jump(
        rubric=rubric,
        exposed_cases=cases[0],
        fresh_cases=cases[1],
        exposed=sides[0],
        fresh=sides[1],
        between=between,
        gained_there_only=gains,
    )


def recovered(first: Estimate, second: Estimate) -> Estimate:
    """The difference of two independent estimates, its interval recovered from theirs."""
    (a, la, ua), (b, lb, ub) = ((e.value or 0.0, e.low or 0.0, e.high or 0.0) for e in (first, second))
    low = a - b - math.hypot(a - la, ub - b)
    high = a - b + math.hypot(ua - a, b - lb)
    return Estimate(value=a - b, low=low, high=high, level=first.level, method=METHOD)


def jumps(found: Exposure, outcomes: Mapping[str, Outcomes], policy: Policy) -> tuple[Jump, ...]:
    """Every quality rubric's movement, of those with enough cases on both sides; `outcomes` by rubric name."""
    told: list[Jump] = []
    for name, held in outcomes.items():
        assert held.rows is not None, "outcomes of a frame know their rows"
        exposed, fresh = found.exposed[held.rows], found.fresh[held.rows]
        one = jump(name, held, exposed, fresh, policy, len(outcomes))
        told += [one] if one is not None else []
    return tuple(told)


def suspect(told: Sequence[Jump], because: str) -> str:
    """What is suspect about the candidate, in words; empty where nothing is."""
    odd = [one for one in told if one.gained_there_only]
    if not odd:
        return ""
    return " ".join(_said(one, because) for one in odd)


def beside(told: Sequence[Jump]) -> str:
    """The same in a short sentence to stand behind the verdict; empty where nothing is suspect."""
    odd = [one.rubric for one in told if one.gained_there_only]
    return f" Suspect: its gain on {sentences.listed(odd)} may come from its training data." if odd else ""


def _said(one: Jump, because: str) -> str:
    gap = one.between
    ends = Interval(gap.low or 0.0, gap.high or 0.0)
    return (
        f"On {one.rubric} it gains {sentences.points(one.exposed.value or 0.0)} points on {one.exposed_cases:,} cases "
        f"{because}, but {sentences.points(one.fresh.value or 0.0)} on {one.fresh_cases:,} fresh ones: "
        f"{sentences.points(gap.value or 0.0)} points apart "
        f"({100 * gap.level:.3g}% interval {sentences.points(ends.low)} to {sentences.points(ends.high)})."
    )
