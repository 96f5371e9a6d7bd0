"""The fragility block: each check is the verdict drawn again, against a plain recomputation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.made_trials import from_counts, make_suite

from seatrial.core.suite import Suite
from seatrial.verdicts.checks.fragility import Drawn, fragility, moves_without
from seatrial.verdicts.engine.judging import judge
from seatrial.verdicts.engine.outcomes import Outcomes
from seatrial.verdicts.records import Fragility

QUALITY = {"name": "right"}
GATE = {"name": "safe", "kind": "gate", "limit_points": 3}


def drawn(
    suite: Suite, outcomes: dict[str, Outcomes], failed: dict[str, tuple] | None = None
) -> tuple[str, Fragility | None]:
    judgement = judge(suite, outcomes)
    found = Drawn(suite, outcomes, judgement.findings, judgement.overall, failed or {})
    return judgement.overall, fragility(found, lambda label: f"cluster {label}")


def names(found: Fragility | None) -> list[str]:
    assert found is not None
    return [check.name for check in found.checks]


def test_a_sound_verdict_stays_and_says_so():
    overall, found = drawn(make_suite(QUALITY), {"right": from_counts(60, 30, 1500, both=1000)})
    assert (overall, found.fragile, names(found)) == ("ship", False, ["clusters"])
    assert found.sentence == "It stays ship under the one other choice that applies."
    assert found.checks[0].what.startswith("without cluster ")


def test_missing_results_are_filled_both_ways():
    outcomes = from_counts(30, 30, 800, both=700)
    candidate = outcomes.candidate.copy()
    candidate[100:170] = np.nan
    overall, found = drawn(make_suite(QUALITY), {"right": Outcomes.of(candidate, outcomes.incumbent)})
    assert overall == "ship"
    worst, best = found.checks[:2]
    assert (worst.overall, best.overall, worst.flips, best.flips) == ("block", "ship", True, False)
    assert found.fragile
    assert found.sentence.startswith("It would be a block if all missing results were the worst for the candidate")
    assert worst.rubrics == ("right",)


def test_judge_errors_count_as_failures_of_the_arm_that_has_them():
    outcomes = from_counts(30, 30, 800, both=700)
    gone = np.zeros((800, 1), dtype=bool)
    gone[100:150] = True
    for of_candidate, expected in ((True, "block"), (False, "ship")):
        arms = [outcomes.candidate, outcomes.incumbent]
        at = 0 if of_candidate else 1
        arms[at] = np.where(gone, np.nan, arms[at])
        masks = (gone, np.zeros_like(gone)) if of_candidate else (np.zeros_like(gone), gone)
        _, found = drawn(make_suite(QUALITY), {"right": Outcomes.of(*arms)}, {"right": masks})
        check = next(check for check in found.checks if check.name == "judge")
        assert check.overall == expected


def test_one_cluster_that_carries_the_verdict_is_named():
    cluster = np.repeat(np.arange(60), 5)
    candidate, incumbent = np.ones(300), np.ones(300)
    candidate[15:20] = 0  # cluster 3 is lost, all of it
    overall, found = drawn(make_suite(GATE), {"safe": Outcomes.of(candidate, incumbent, cluster)})
    assert overall == "inconclusive"
    (check,) = found.checks
    assert "without cluster 3 (safe moves by 1.7 points)" in check.what


def test_a_second_margin_is_tried_only_where_it_is_stricter():
    outcomes = {"right": from_counts(20, 32, 1000, both=900)}
    assert "margin" not in names(drawn(make_suite(QUALITY), outcomes)[1])
    strict = make_suite(QUALITY, policy={"margin_points_strict": 1.0})
    overall, found = drawn(strict, outcomes)
    check = next(check for check in found.checks if check.name == "margin")
    assert (overall, check.overall, check.what) == ("ship", "inconclusive", "with a margin of 1 point")
    lax = make_suite(QUALITY, policy={"margin_points_strict": 3.0})
    assert "margin" not in names(drawn(lax, outcomes)[1])


def test_weights_are_taken_off():
    weight = np.where(np.arange(1000) < 100, 8.0, 0.2)
    candidate, incumbent = np.ones(1000), np.ones(1000)
    candidate[:12] = 0
    outcomes = Outcomes(np.arange(1000), candidate[:, None], incumbent[:, None], weight=weight / weight.mean())
    overall, found = drawn(make_suite(QUALITY), {"right": outcomes})
    check = next(check for check in found.checks if check.name == "weights")
    assert (overall, check.overall) == ("block", "ship")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(None, ["missing", "missing", "clusters"], id="all-that-apply"),
        pytest.param(("clusters",), ["clusters"], id="only-clusters"),
        pytest.param(("weights", "margin", "judge"), [], id="nothing-applies"),
        pytest.param((), [], id="none"),
    ],
)
def test_the_policy_says_which_checks(asked: tuple | None, expected: list[str]):
    outcomes = from_counts(60, 30, 900, both=700)
    candidate = outcomes.candidate.copy()
    candidate[5] = np.nan
    suite = make_suite(QUALITY, policy={} if asked is None else {"sensitivity": asked})
    _, found = drawn(suite, {"right": Outcomes.of(candidate, outcomes.incumbent)})
    assert names(found) == expected


def test_no_verdict_has_no_fragility():
    nothing = np.full(50, np.nan)
    assert drawn(make_suite(QUALITY), {"right": Outcomes.of(nothing, nothing)}) == ("not_evaluable", None)


@st.composite
def clustered(draw: st.DrawFn) -> Outcomes:
    clusters = draw(st.integers(12, 30))
    sizes = [draw(st.integers(1, 4)) for _ in range(clusters)]
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    rates = [draw(st.sampled_from([0.5, 0.9, 0.97, 1.0])) for _ in range(2)]
    arms = [(rng.random(sum(sizes)) < rate).astype(float) for rate in rates]
    return Outcomes.of(*arms, np.repeat(np.arange(clusters), sizes))


@given(clustered(), st.sampled_from([3.0, 10.0, 30.0]))
def test_leaving_out_a_cluster_turns_the_verdict_just_where_some_cluster_does(outcomes: Outcomes, margin: float):
    """Against leaving out every cluster in turn, one rubric by itself, nothing that keeps it from being decided."""
    suite = make_suite({**QUALITY, "margin_points": margin}, policy={"min_cases": 1})
    overall, found = drawn(suite, {"right": outcomes})
    if overall == "not_evaluable" or judge(suite, {"right": outcomes}).findings["right"].open_because:
        return
    others = set()
    for label in np.unique(outcomes.cluster):
        rest = judge(suite, {"right": outcomes.take(outcomes.cluster != label)})
        if not rest.findings["right"].open_because:
            others.add(rest.overall)
    check = next(check for check in found.checks if check.name == "clusters")
    if others and not check.flips:
        assert others == {overall}


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([-1.0, 0.0, 1.0])), min_size=1, max_size=40))
def test_moves_are_those_of_leaving_each_cluster_out(rows: list[tuple[int, float]]):
    cluster, values = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    labels, moves = moves_without(values, cluster)
    for label, move in zip(labels, moves, strict=True):
        rest = values[cluster != label]
        assert move == pytest.approx(rest.mean() - values.mean() if len(rest) else 0.0, abs=1e-12)
