"""Several rubrics as one: a case passes when it passes all of them that apply to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seatrial.core.suite import Suite
from seatrial.verdicts.engine.outcomes import Floats, Outcomes
from seatrial.verdicts.reading.frame import MODEL_FAILURE, SCORED, Frame


def chosen(suite: Suite, names: Sequence[str] = ()) -> tuple[str, ...]:
    """The rubrics of these names; all quality rubrics without any, or all advisory ones where there is none."""
    if names:
        return tuple(names)
    for kind in ("quality", "advisory"):
        if found := tuple(rubric.name for rubric in suite.rubrics if rubric.kind == kind):
            return found
    return ()


def passes_all(frame: Frame, names: Sequence[str], candidate: str, incumbent: str | None = None) -> Outcomes:
    """Both arms on the traffic cases that any of these rubrics is about: 1 all passed, 0 one failed, NaN not known.

    A failure is known even where another rubric's result is missing; a pass is not. Adversarial cases say nothing
    about traffic and are left out.
    """
    rubrics = [at for at, rubric in enumerate(frame.suite.rubrics) if rubric.name in names]
    taken = np.zeros(len(frame.cases), dtype=np.bool_)
    for at in rubrics:
        taken |= frame.population(at)
    attacks = [code for code, name in enumerate(frame.cases.origin.values) if name == "adversarial"]
    rows = np.flatnonzero(taken & ~np.isin(frame.cases.origin.codes, attacks))
    first = _worst(frame, rubrics, candidate)[rows]
    second = None if incumbent is None else _worst(frame, rubrics, incumbent)[rows]
    return Outcomes(frame.cases.cluster[rows], first, second, rows)


def weighted(frame: Frame, names: Sequence[str], candidate: str, incumbent: str) -> bool:
    """Whether the verdict counts some case of these rubrics more than another, which `passes_all` does not."""
    rubrics = [at for at, rubric in enumerate(frame.suite.rubrics) if rubric.name in names]
    return any(frame.outcomes(at, candidate, incumbent).weight is not None for at in rubrics)


def _worst(frame: Frame, rubrics: Sequence[int], name: str) -> Floats:
    """Of all cases and epochs the worst result on these rubrics, where they apply."""
    arm = frame.arms[name]
    failed, unknown = (np.zeros(arm.output_id.shape, dtype=np.bool_) for _ in range(2))
    for at in rubrics:
        inside = frame.population(at)[:, None]
        broken = arm.status[at] == MODEL_FAILURE
        said = (arm.status[at] == SCORED) & (arm.passed[at] >= 0)
        failed |= inside & (broken | (said & (arm.passed[at] == 0)))
        unknown |= inside & ~broken & ~said
    return np.where(failed, 0.0, np.where(unknown, np.nan, 1.0))
