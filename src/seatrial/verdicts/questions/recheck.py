"""One target at two times: the same cases, its answers of then and of now, laid side by side.

What watches a model in production. The test is the verdicts' own (`verdicts.evidence`): paired by case, aware of
clusters. Cases are paired by their whole content, so a set that grew is compared on what both times have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from seatrial.core.record import Json, Record, Text, as_dict
from seatrial.stats import holm
from seatrial.store import schema
from seatrial.store.store import Store
from seatrial.verdicts.artefacts.sentences import count
from seatrial.verdicts.engine.evidence import Evidence, weigh
from seatrial.verdicts.engine.outcomes import Outcomes, pair
from seatrial.verdicts.reading.frame import Frame
from seatrial.verdicts.records import Estimate

FEWEST = 20
"""Fewer pairs than this alarm nobody."""


class Recheck(Record):
    """One rubric of one target, then and now. Rates and difference are shares, of the `n` pairs.

    `regressed`: worse beyond doubt, its one-sided p-value, Holm-adjusted over all rubrics and targets looked at
    together, being at most alpha.
    """

    target: Text
    rubric: Text
    kind: Text
    n: int
    then: float
    now: float
    difference: Estimate
    p_worse: float
    p_holm: float
    p_method: Text
    regressed: bool
    sentence: Text


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found of one rubric, before the adjustment."""

    target: str
    rubric: str
    kind: str
    evidence: Evidence


def recheck(store: Store, then: Frame, now: Frame, targets: Sequence[str], alpha: float) -> tuple[Recheck, ...]:
    """Every pass/fail rubric of these targets that both trials judged by the same scorer.

    A target that is not the same in both, or a rubric that is not, is left out: `comparable` says which are.
    """
    names = [name for name in targets if comparable(then, now, name)]
    seen = [found for name in names for found in _of_target(store, then, now, name)]
    adjusted: list[float] = holm([s.evidence.p_worse for s in seen]).tolist()
    return tuple(_recheck(s, p, alpha) for s, p in zip(seen, adjusted, strict=True))


def comparable(then: Frame, now: Frame, target: str) -> bool:
    """Whether a target was asked for in both trials in the same way: model, endpoint, parameters and prompt."""
    runs = [frame.arms[target].run.definition for frame in (then, now) if target in frame.arms]
    return len(runs) == 2 and runs[0].get("identity") == runs[1].get("identity")


def _of_target(store: Store, then: Frame, now: Frame, target: str) -> list[_Seen]:
    scorers = [_scorers(frame, target) for frame in (then, now)]
    before = {rubric.name: at for at, rubric in enumerate(then.suite.rubrics)}
    found: list[_Seen] = []
    for at, rubric in enumerate(now.suite.rubrics):
        same = rubric.name in before and scorers[0].get(rubric.name) == scorers[1].get(rubric.name)
        if rubric.kind == "limit" or not same:
            continue
        old, new = then.outcomes(before[rubric.name], target, None), now.outcomes(at, target, None)
        evidence = weigh(pair(_side_by_side(_case_ids(store, then, old), old, _case_ids(store, now, new), new)))
        if evidence is not None:
            found.append(_Seen(target, rubric.name, rubric.kind, evidence))
    return found


def _scorers(frame: Frame, target: str) -> Mapping[str, Json]:
    return as_dict(frame.arms[target].run.definition.get("rubrics")) or {}


def _case_ids(store: Store, frame: Frame, outcomes: Outcomes) -> NDArray[np.int64]:
    """The store's number of each case: one a content, whatever dataset it is in."""
    assert outcomes.rows is not None, "outcomes of a frame know their rows"
    t = schema.dataset_cases.c
    query = select(t.position, t.case_id).where(t.dataset_id == frame.trial.dataset_id).order_by(t.position)
    with store.reading() as connection:
        places = np.array([tuple(row) for row in connection.execute(query)], dtype=np.int64).reshape(-1, 2)
    at = np.searchsorted(places[:, 0], frame.cases.position[outcomes.rows])
    return places[at, 1]


def _side_by_side(old_ids: NDArray[np.int64], old: Outcomes, new_ids: NDArray[np.int64], new: Outcomes) -> Outcomes:
    """The cases that both have, by number, and the epochs that both have; now is the candidate, then the incumbent."""
    _, first, second = np.intersect1d(old_ids, new_ids, return_indices=True)
    epochs = min(old.candidate.shape[1], new.candidate.shape[1])
    return Outcomes(new.cluster[second], new.candidate[second, :epochs], old.candidate[first, :epochs])


def _recheck(seen: _Seen, p_holm: float, alpha: float) -> Recheck:
    evidence, paired = seen.evidence, seen.evidence.paired
    interval = evidence.interval(2 * alpha)
    n = paired.pairs
    then, now = (paired.both + paired.lost) / n, (paired.both + paired.gained) / n
    regressed = p_holm <= alpha and now < then and n >= FEWEST
    estimate = Estimate(
        value=now - then, low=interval.low, high=interval.high, level=1 - 2 * alpha, method=evidence.method
    )
    return Recheck(
        target=seen.target,
        rubric=seen.rubric,
        kind=seen.kind,
        n=n,
        then=then,
        now=now,
        difference=estimate,
        p_worse=evidence.p_worse,
        p_holm=p_holm,
        p_method=f"{evidence.test}, Holm",
        regressed=regressed,
        sentence=_sentence(seen, estimate, (then, now), regressed=regressed),
    )


def _sentence(seen: _Seen, estimate: Estimate, rates: tuple[float, float], *, regressed: bool) -> str:
    """What was found, in points, with n."""
    assert estimate.low is not None
    assert estimate.high is not None
    change = 100 * (rates[1] - rates[0])
    word = "lost" if regressed else "changed by"
    points = f"{abs(change):.1f}" if regressed else f"{change:+.1f}"
    n = count(seen.evidence.paired.pairs, "pair")
    return (
        f"{seen.target} {word} {points} points on {seen.rubric}: {100 * rates[1]:.1f}% of {n} pass, it was "
        f"{100 * rates[0]:.1f}% ({100 * estimate.low:+.1f} to {100 * estimate.high:+.1f} points at "
        f"{100 * estimate.level:.0f}%)."
    )
