"""How far synthetic cases lie from the others: a set that is easier, or harder, than production speaks of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from seatrial.core.suite import Policy
from seatrial.verdicts.engine.outcomes import Asked, Bools, Floats, Outcomes
from seatrial.verdicts.engine.unpaired import unpaired
from seatrial.verdicts.reading.frame import Frame
from seatrial.verdicts.records import Estimate, SyntheticGap


def gap(frame: Frame, index: int, arms: Sequence[str]) -> SyntheticGap | None:
    """Each arm's rate on synthetic cases minus that on production and manual ones; None without either of them.

    `arms`: the candidate, then the incumbent if any. Compared unpaired over clusters, so that variants stay with their
    seeds. All synthetic cases are looked at, whatever the policy counts.
    """
    rubric, policy = frame.suite.rubrics[index], frame.suite.policy
    if rubric.kind != "quality" or rubric.aggregate:
        return None
    everything = policy.model_copy(update={"synthetic": "include"})
    wide = replace(frame, suite=frame.suite.model_copy(update={"policy": everything}), shares={})
    outcomes = replace(wide.outcomes(index, arms[0], arms[1] if len(arms) > 1 else None), weight=None)
    assert outcomes.rows is not None, "outcomes of a frame know their rows"
    made = frame.cases.of_origin("synthetic")[outcomes.rows]
    if not made.any() or made.all():
        return None
    counted = frame.cases.counted(policy.synthetic)[outcomes.rows]
    sides = [_of(outcomes, arm, made, policy) for arm in (outcomes.candidate, outcomes.incumbent)]
    return SyntheticGap(
        cases=int(np.count_nonzero(made)),
        others=int(np.count_nonzero(~made)),
        counted=bool((made & counted).any()),
        candidate=sides[0],
        incumbent=sides[1],
    )


def _of(outcomes: Outcomes, arm: Floats | None, made: Bools, policy: Policy) -> Estimate | None:
    if arm is None:
        return None
    ours, others = (np.where(rows[:, None], arm, np.nan) for rows in (made, ~made))
    cells = np.broadcast_to(made[:, None], arm.shape)
    split = Outcomes(outcomes.cluster, ours, others, graded=outcomes.graded, asked=Asked(cells, ~cells))
    found = unpaired(split)
    if found is None:
        return None
    low, high = found.interval(policy.alpha)
    return Estimate(value=found.estimate, low=low, high=high, level=1 - policy.alpha, method=found.method)


def warning(found: SyntheticGap) -> str:
    """That synthetic cases which count are easier or harder than the others, beyond chance; empty otherwise."""
    arms = [arm for arm in (found.candidate, found.incumbent) if arm is not None]
    apart = [arm for arm in arms if arm.low is not None and arm.high is not None and (arm.low > 0 or arm.high < 0)]
    if not found.counted or not apart:
        return ""
    widest = max(apart, key=lambda arm: abs(arm.value or 0.0))
    size = 100 * abs(widest.value or 0.0)
    how = "easier" if (widest.value or 0.0) > 0 else "harder"
    return (
        f"The {found.cases:,} synthetic cases are {how} than the {found.others:,} others, by {size:.1f} points, and "
        "they count: policy.synthetic says which do."
    )
