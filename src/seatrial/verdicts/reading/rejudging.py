"""Judging a trial again by another suite's rubrics and policy: from the scores that it has, and only from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from seatrial.core.suite import RubricSpec, Suite
from seatrial.verdicts.checks.registered import Again, scorers_of
from seatrial.verdicts.engine.outcomes import Bools
from seatrial.verdicts.reading.frame import ABSENT, OUTSIDE, UNSCORED, Arm, Frame


def rejudged(frame: Frame, again: Again) -> Frame:
    """The frame under the other suite's rubrics and policy; its targets, dataset and answers stay the trial's.

    A rubric takes the scores of every rubric of the trial whose scorer is the very same. What none of them scored is
    missing; the notes name it.
    """
    suite = adopted(frame.suite, again.suite)
    taken = [_scored(frame, rubric) for rubric in suite.rubrics]
    arms = {name: _arm(arm, frame, suite.rubrics, taken, again.scorers) for name, arm in frame.arms.items()}
    found = replace(frame, suite=suite, arms=arms, set_aside={}, confirmed={})
    return replace(found, notes=(*frame.notes, *_unscored(found)))


def adopted(own: Suite, other: Suite) -> Suite:
    """The trial's suite with another's rubrics and policy, and its business case where that is of the same targets."""
    case = other.economics
    fits = case is not None and set(case.fixed) <= set(own.targets)
    return own.model_copy(
        update={"rubrics": other.rubrics, "policy": other.policy, "economics": case if fits else None}
    )


def _arm(
    arm: Arm, frame: Frame, rubrics: Sequence[RubricSpec], taken: Sequence[Bools], scorers: Mapping[str, str]
) -> Arm:
    hashes = scorers_of(arm.run)
    shape = (len(rubrics), *arm.output_id.shape)
    score_id, measure = np.full(shape, ABSENT, dtype=np.int64), np.full(shape, np.nan)
    status, passed = np.full(shape, ABSENT, dtype=np.int8), np.full(shape, -1, dtype=np.int8)
    answered = arm.output_id > 0
    for at, rubric in enumerate(rubrics):
        score_id[at][answered] = 0
        status[at][answered] = OUTSIDE
        wanted = taken[at][:, None] & answered
        seen = np.zeros_like(wanted)
        for source, old in enumerate(frame.suite.rubrics):
            if hashes.get(old.name, "-") != scorers.get(rubric.name, ""):
                continue
            from_here = wanted & _scored(frame, old)[:, None] & ~seen
            for new, was in (
                (score_id, arm.score_id),
                (status, arm.status),
                (passed, arm.passed),
                (measure, arm.measure),
            ):
                new[at][from_here] = was[source][from_here]
            seen |= from_here
        status[at][wanted & ~seen] = UNSCORED
    return replace(arm, score_id=score_id, status=status, passed=passed, measure=measure)


def _scored(frame: Frame, rubric: RubricSpec) -> Bools:
    """Which cases a run scores under a rubric: by its selection and its strata, whatever of it then decides."""
    return frame.cases.selected(rubric.model_copy(update={"kind": "advisory", "cases": rubric.selection}))


def _unscored(frame: Frame) -> list[str]:
    """Which rubrics lack scores, wholly or on some of the answers that they take now."""
    said: list[str] = []
    for at, rubric in enumerate(frame.suite.rubrics):
        lacking = sum(int(np.count_nonzero(arm.status[at] == UNSCORED)) for arm in frame.arms.values())
        scored = any(bool((arm.score_id[at] > 0).any()) for arm in frame.arms.values())
        if lacking and not scored:
            said.append(f"Rubric {rubric.name} is unscored in this trial: run the suite to score it.")
        elif lacking:
            said.append(f"Rubric {rubric.name} is unscored on {lacking:,} of the answers it takes: run the suite.")
    return said
