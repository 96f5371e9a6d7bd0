"""The fragility block: what the verdict would be under other choices that somebody else might have made.

Each check draws the whole verdict again: missing results the worst or the best for the candidate, judge errors as
failures, without its most telling cluster, without the traffic's weights, under a second margin. What keeps a rubric
from being decided at all (too few cases, too much missing) stays as it was; relative and absolute limits too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from seatrial.core.suite import Sensitivity, Suite
from seatrial.verdicts.engine import gates, quality
from seatrial.verdicts.engine.judging import Finding, overall
from seatrial.verdicts.engine.outcomes import Bools, Floats, Ints, Outcomes, known
from seatrial.verdicts.records import Fragility, FragilityCheck, Overall

MOST_CLUSTERS = 20
"""Of one rubric, the clusters of so many kinds are left out in turn, the most influential first."""

SAYS: Mapping[Overall, str] = {
    "ship": "ship",
    "block": "a block",
    "inconclusive": "inconclusive",
    "not_evaluable": "not evaluable",
}


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A verdict as it was drawn: the suite at its levels, each rubric's outcomes, findings, and what follows.

    `failed`: of each rubric, where the judge failed on the candidate's and the incumbent's answer. `holm_level`: as for
    `quality.adjust`.
    """

    suite: Suite
    outcomes: Mapping[str, Outcomes]
    findings: Mapping[str, Finding]
    overall: Overall
    failed: Mapping[str, tuple[Bools, Bools]]
    holm_level: Callable[[int], float] | None = None

    def again(self, changed: Callable[[str, Outcomes], Outcomes], margin: float | None = None) -> dict[str, Finding]:
        """The findings on other outcomes by rubric, adjusted together; `margin`: the most that a rubric allows."""
        found: dict[str, Finding] = {}
        for name, finding in self.findings.items():
            match finding:
                case quality.QualityFinding():
                    line = None if margin is None else min(margin, finding.margin)
                    found[name] = quality.again(finding, changed(name, self.outcomes[name]), self.suite.policy, line)
                case gates.GateFinding():
                    found[name] = gates.again(finding, changed(name, self.outcomes[name]), self.suite.policy)
                case _:
                    found[name] = finding
        tested = {name: one for name, one in found.items() if isinstance(one, quality.QualityFinding)}
        return found | quality.adjust(tested, self.suite.policy.alpha, self.holm_level)


class Influence(NamedTuple):
    """A cluster, the rubric that it moves, and by how much the rubric's number moves without it (a share)."""

    label: int
    rubric: str
    moves: float
    turns: bool


def fragility(drawn: Drawn, cluster_name: Callable[[int], str]) -> Fragility | None:
    """All checks that the policy asks for and that apply; None for a verdict that is none.

    `cluster_name`: how a cluster is called, by its label.
    """
    if drawn.overall == "not_evaluable":
        return None
    asked = drawn.suite.policy.sensitivity
    makers: Mapping[Sensitivity, Callable[[], Iterable[FragilityCheck]]] = {
        "missing": lambda: _missing(drawn),
        "judge": lambda: _judge(drawn),
        "clusters": lambda: _clusters(drawn, cluster_name),
        "weights": lambda: _weights(drawn),
        "margin": lambda: _margin(drawn),
    }
    checks = tuple(check for name, make in makers.items() if asked is None or name in asked for check in make())
    turned = [check for check in checks if check.flips]
    settled = drawn.overall in {"ship", "block"}
    return Fragility(checks=checks, fragile=settled and bool(turned), sentence=_sentence(drawn.overall, checks))


def _sentence(found: Overall, checks: Sequence[FragilityCheck]) -> str:
    turned = [check for check in checks if check.flips]
    if not checks:
        return "No other choice applies: nothing is missing, weighted or clustered, and there is no second margin."
    if not turned:
        return (
            f"It stays {SAYS[found]} under all {len(checks)} other choices."
            if len(checks) > 1
            else (f"It stays {SAYS[found]} under the one other choice that applies.")
        )
    return f"It would be {'; '.join(f'{SAYS[check.overall]} {check.what}' for check in turned)}."


def _check(drawn: Drawn, name: Sensitivity, what: str, found: Mapping[str, Finding]) -> FragilityCheck:
    would = overall(found, evaluable=True)
    turned = tuple(rubric for rubric, one in found.items() if one.decision != drawn.findings[rubric].decision)
    return FragilityCheck(name=name, what=what, overall=would, flips=would != drawn.overall, rubrics=turned)


def _of(drawn: Drawn) -> dict[str, Outcomes]:
    """The outcomes of rubrics whose results are passes."""
    kinds = (quality.QualityFinding, gates.GateFinding)
    return {name: drawn.outcomes[name] for name, finding in drawn.findings.items() if isinstance(finding, kinds)}


def _missing(drawn: Drawn) -> Iterable[FragilityCheck]:
    if not any(outcomes.missing for outcomes in _of(drawn).values()):
        return
    for worst, word in ((True, "worst"), (False, "best")):
        found = drawn.again(lambda _, outcomes, worst=worst: outcomes.filled(worst=worst))
        yield _check(drawn, "missing", f"if all missing results were the {word} for the candidate", found)


def _judge(drawn: Drawn) -> Iterable[FragilityCheck]:
    if not any(mask.any() for name in _of(drawn) for mask in drawn.failed.get(name, ())):
        return

    def failing(name: str, outcomes: Outcomes) -> Outcomes:
        first, second = drawn.failed[name]
        other = None if outcomes.incumbent is None else np.where(second, 0.0, outcomes.incumbent)
        return replace(outcomes, candidate=np.where(first, 0.0, outcomes.candidate), incumbent=other)

    yield _check(drawn, "judge", "if every answer that could not be judged had failed", drawn.again(failing))


def _weights(drawn: Drawn) -> Iterable[FragilityCheck]:
    if all(outcomes.weight is None and not outcomes.unseen for outcomes in _of(drawn).values()):
        return
    found = drawn.again(lambda _, outcomes: outcomes.unweighted())
    yield _check(drawn, "weights", "if every case counted the same", found)


def _margin(drawn: Drawn) -> Iterable[FragilityCheck]:
    strict = drawn.suite.policy.margin_points_strict
    tested = [f for f in drawn.findings.values() if isinstance(f, quality.QualityFinding) and strict is not None]
    if strict is None or not any(100 * finding.margin > strict for finding in tested):
        return
    found = drawn.again(lambda _, outcomes: outcomes, strict / 100)
    yield _check(drawn, "margin", f"with a margin of {strict:g} point{'' if strict == 1 else 's'}", found)


# clusters -------------------------------------------------------------------------------------------------------------


def _clusters(drawn: Drawn, cluster_name: Callable[[int], str]) -> Iterable[FragilityCheck]:
    """Without the cluster that turns the verdict, else without the most influential one."""
    influences = [one for name in _of(drawn) for one in _influences(name, drawn.findings[name], drawn)]
    if not influences:
        return
    influences.sort(key=lambda one: (not one.turns, -abs(one.moves)))
    most = max(influences, key=lambda one: abs(one.moves))
    checks: list[FragilityCheck] = []
    for one in [*(each for each in influences if each.turns), most]:
        found = drawn.again(lambda _, outcomes, label=one.label: _without(outcomes, label))
        moves = f" ({one.rubric} moves by {abs(100 * one.moves):.2g} points)" if one.moves else ""
        what = f"without {cluster_name(one.label)}{moves}"
        checks.append(_check(drawn, "clusters", what, found))
        if checks[-1].flips:
            break
    yield checks[-1]


def _without(outcomes: Outcomes, label: int) -> Outcomes:
    kept = outcomes.cluster != label
    return outcomes if kept.all() else outcomes.take(kept)


def _influences(name: str, finding: Finding, drawn: Drawn) -> list[Influence]:
    """The clusters of a rubric without which it would be decided otherwise, and the one that moves its number most."""
    match finding:
        case quality.QualityFinding():
            labels, moves = _moves_of_difference(drawn.outcomes[name])
            turning = quality.turning(finding, drawn.suite.policy)
        case gates.GateFinding():
            values, where = known(drawn.outcomes[name].candidate, drawn.outcomes[name].cluster)
            labels, moves = moves_without(1 - values, where)
            turning = gates.turning(finding, drawn.suite.policy)
        case _:
            return []
    if len(labels) < 2:
        return []
    at = np.searchsorted(labels, turning[np.isin(turning, labels)])
    at = at[np.argsort(-np.abs(moves[at]), kind="stable")][:MOST_CLUSTERS]
    most = int(np.argmax(np.abs(moves)))
    found = [Influence(int(labels[i]), name, float(moves[i]), turns=True) for i in at.tolist()]
    return [*found, Influence(int(labels[most]), name, float(moves[most]), turns=False)]


def _moves_of_difference(outcomes: Outcomes) -> tuple[Ints, Floats]:
    if outcomes.incumbent is None:
        return np.zeros(0, dtype=np.intp), np.zeros(0)
    return moves_without(*known(outcomes.candidate - outcomes.incumbent, outcomes.cluster))


def moves_without(values: Floats, cluster: Ints) -> tuple[Ints, Floats]:
    """By how much the mean of the results moves without each cluster, by label in order; NaN never: 0 for the only one.

    A jackknife over clusters, all at once.
    """
    labels, group = np.unique(cluster, return_inverse=True)
    size = np.bincount(group, minlength=len(labels)).astype(np.float64)
    total = np.bincount(group, weights=values, minlength=len(labels))
    left = np.maximum(1.0, len(values) - size)
    moves = (values.sum() - total) / left - (values.mean() if len(values) else 0.0)
    return labels, np.where(size == len(values), 0.0, moves)
