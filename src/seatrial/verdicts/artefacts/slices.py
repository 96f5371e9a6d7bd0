"""Results broken down by stratum: exploratory, with p-values adjusted over all slices of a rubric."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from seatrial.core.suite import Policy
from seatrial.stats import benjamini_hochberg
from seatrial.verdicts.engine.outcomes import Outcomes
from seatrial.verdicts.engine.rates import rates_of
from seatrial.verdicts.engine.weighing import compare
from seatrial.verdicts.reading.cases import MOST_VALUES, CaseTable
from seatrial.verdicts.records import Estimate, SliceResult

MOST_SLICES = 200
"""Slices of one rubric; beyond it the smallest are left out."""


class _Slice(NamedTuple):
    stratum: str
    value: str
    rows: np.ndarray


def slices(cases: CaseTable, outcomes: Outcomes, policy: Policy) -> tuple[tuple[SliceResult, ...], int]:
    """One result for every value of the policy's strata (or of all that group), and how many were left out.

    `outcomes.rows` are places in `cases`. Differences have two-sided intervals at 1 − alpha.
    """
    found = _cut(cases, outcomes, policy)
    kept = found
    if len(found) > MOST_SLICES:
        largest = sorted(range(len(found)), key=lambda at: (-len(found[at].rows), at))[:MOST_SLICES]
        kept = [found[at] for at in sorted(largest)]
    results = [_result(part, outcomes, policy) for part in kept]
    tested = [at for at, result in enumerate(results) if result.p_value is not None]
    adjusted = benjamini_hochberg([results[at].p_value or 0.0 for at in tested])
    for at, p in zip(tested, adjusted.tolist(), strict=True):
        results[at] = results[at].model_copy(update={"p_adjusted": p})
    return tuple(results), len(found) - len(kept)


def _cut(cases: CaseTable, outcomes: Outcomes, policy: Policy) -> list[_Slice]:
    """The rows of the outcomes that each value holds, in the order of names and values."""
    assert outcomes.rows is not None, "slices need the outcomes' places among the cases"
    parts: list[_Slice] = []
    for name, stratum in cases.strata.items():
        if policy.slices and name not in policy.slices:
            continue
        codes = stratum.codes[outcomes.rows]
        order = np.argsort(codes, kind="stable")
        present, starts = np.unique(codes[order], return_index=True)
        groups = [
            _Slice(name, stratum.values[code], rows)
            for code, rows in zip(present.tolist(), np.split(order, starts)[1:], strict=True)
            if code >= 0
        ]
        if policy.slices or 2 <= len(groups) <= MOST_VALUES:
            parts += groups
    return parts


def _result(part: _Slice, outcomes: Outcomes, policy: Policy) -> SliceResult:
    taken = np.zeros(len(outcomes.candidate), dtype=np.bool_)
    taken[part.rows] = True
    sub = outcomes.take(taken)
    evidence = None if sub.incumbent is None else compare(replace(sub, unseen=0.0))
    if evidence is None:
        difference = Estimate(value=None, level=1 - policy.alpha, method="no pairs")
    else:
        low, high = evidence.interval(policy.alpha)
        difference = Estimate(
            value=evidence.estimate, low=low, high=high, level=1 - policy.alpha, method=evidence.method
        )
    return SliceResult(
        stratum=part.stratum,
        value=part.value,
        n=len(part.rows),
        candidate=_mean(sub, 0),
        incumbent=None if sub.incumbent is None else _mean(sub, 1),
        difference=difference,
        p_value=None if evidence is None else evidence.p_value,
    )


def _mean(outcomes: Outcomes, which: int) -> float | None:
    """An arm's mean, weighted as the cases count; or its number over all labels."""
    if outcomes.labels is not None:
        found = rates_of(outcomes, 0.05)[which]
        return None if found is None else found.estimate.value
    arm = outcomes.candidate if which == 0 else outcomes.incumbent
    assert arm is not None, "the arm is there"
    there = ~np.isnan(arm)
    weight = np.ones(arm.shape) if outcomes.weight is None else np.broadcast_to(outcomes.weight[:, None], arm.shape)
    total = float(weight[there].sum())
    return float((weight * np.where(there, arm, 0.0)).sum() / total) if total > 0 else None
