"""Values in [0, 1] without a natural pass: a cluster-robust t of paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.made_trials import Trial, make_suite

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.stats import paired_cluster
from seatrial.store.store import Store
from seatrial.verdicts.compare import compare_arrays, report
from seatrial.verdicts.engine.means import MeanEvidence, graded
from seatrial.verdicts.engine.outcomes import Outcomes
from seatrial.verdicts.engine.weighing import compare

GRADED = {"name": "close", "graded": True, "margin_points": 3}


def values(candidate: Any, incumbent: Any, cluster: Any = None, weight: Any = None) -> Outcomes:
    made = Outcomes.of(candidate, incumbent, cluster)
    return Outcomes(made.cluster, made.candidate, made.incumbent, weight=weight, graded=True)


def evidence(outcomes: Outcomes) -> MeanEvidence:
    found = graded(outcomes)
    assert found is not None
    return found


def draw(seed: int, n: int = 300, clusters: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    cluster = random.integers(0, clusters, n)
    easy = random.beta(4, 2, clusters)[cluster]
    incumbent = np.clip(easy + random.normal(0, 0.1, n), 0, 1)
    return np.clip(incumbent + random.normal(-0.01, 0.1, n), 0, 1), incumbent, cluster


def test_agrees_with_statsmodels_and_our_own_formula():
    candidate, incumbent, cluster = draw(3)
    found = evidence(values(candidate, incumbent, cluster))
    oracle = sm.OLS(candidate - incumbent, np.ones(300)).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": True, "df_correction": True}, use_t=True
    )
    # statsmodels' correction holds (n − 1)/(n − k) too, which is 1 for a mean
    assert found.estimate == pytest.approx(oracle.params[0])
    assert tuple(found.interval(0.1)) == pytest.approx(tuple(oracle.conf_int(0.1)[0]))
    assert found.p_value == pytest.approx(oracle.pvalues[0])
    own = paired_cluster(candidate - incumbent, cluster, alpha=0.1)
    assert tuple(found.interval(0.1)) == pytest.approx(tuple(own.interval))


def test_weights_are_those_of_weighted_least_squares():
    candidate, incumbent, cluster = draw(4)
    weight = np.random.default_rng(1).gamma(2, 1, 300)
    found = evidence(values(candidate, incumbent, cluster, weight))
    own = paired_cluster(candidate - incumbent, cluster, weight, alpha=0.05)
    assert tuple(found.interval(0.05)) == pytest.approx(tuple(own.interval))
    assert "weighted" in found.method


@given(seed=st.integers(0, 300), shift=st.floats(-0.1, 0.1))
def test_laws(seed: int, shift: float):
    candidate, incumbent, cluster = draw(seed, 80, 15)
    found = evidence(values(candidate, incumbent, cluster))
    low, high = found.interval(0.1)
    assert -1 <= low <= found.estimate <= high <= 1
    mirrored = evidence(values(incumbent, candidate, cluster)).interval(0.1)
    assert tuple(mirrored) == pytest.approx((-high, -low))
    twice = evidence(values(np.tile(candidate, 2), np.tile(incumbent, 2), np.tile(cluster, 2)))
    assert tuple(twice.interval(0.1)) == pytest.approx((low, high))
    told = found.decisions(shift, 0.05)[0]
    assert told == float(low > shift) - float(high < shift) or min(abs(low - shift), abs(high - shift)) < 1e-9


def test_leaving_a_cluster_out_is_what_the_rest_says():
    candidate, incumbent, cluster = draw(8, 60, 12)
    found = evidence(values(candidate, incumbent, cluster))
    assert found.labels is not None
    told = found.statistics(-0.03, left_out=True)[1:]
    for label, statistic in zip(found.labels.tolist(), told.tolist(), strict=True):
        kept = cluster != label
        without = evidence(values(candidate[kept], incumbent[kept], cluster[kept]))
        assert statistic == pytest.approx(without.statistics(-0.03)[0])


def test_identical_values_leave_room_and_need_many_cases():
    same = np.full(40, 0.7)
    found = evidence(values(same, same))
    low, high = found.interval(0.1)
    assert (low, high) == pytest.approx((-0.0633, 0.0633), abs=5e-4)  # z²/(n + z²)
    assert found.decisions(-0.03, 0.05)[0] == 0
    more = evidence(values(np.full(200, 0.7), np.full(200, 0.7)))
    assert more.decisions(-0.03, 0.05)[0] == 1
    assert found.p_value == 1


def test_the_epochs_of_a_case_are_one_cluster():
    random = np.random.default_rng(0)
    gap = np.repeat(random.normal(0, 0.1, 50)[:, None], 5, axis=1)
    several, once = values(0.5 + gap, np.full((50, 5), 0.5)), values(0.5 + gap[:, 0], np.full(50, 0.5))
    assert tuple(evidence(several).interval(0.1)) == pytest.approx(tuple(evidence(once).interval(0.1)))


@pytest.mark.parametrize(("clusters", "decision"), [(5, "INCONCLUSIVE"), (20, "PASS")])
def test_few_clusters_are_warned_of_and_very_few_decide_nothing(clusters: int, decision: str):
    random = np.random.default_rng(0)
    incumbent = random.random(100)
    outcomes = values(incumbent + random.normal(0, 1e-3, 100), incumbent, np.arange(100) % clusters)
    (rubric,) = compare_arrays(make_suite(GRADED), {"close": outcomes})[1]
    assert "few_clusters" in rubric.flags
    assert rubric.decision == decision


def scored(store: Store, old: Sequence[float], new: Sequence[float], **fields: Any):
    suite = make_suite({**GRADED, **fields})
    cases = [Case(id=f"c{i}", input=f"question {i}", expected="x") for i in range(len(old))]

    def arm(name: str, said: Sequence[float]):
        return lambda case, _: (Output.of(f"{name} {case.id}"), [Score.graded(said[int(case.id[1:])], 0.5)])

    Trial(store, suite, cases).write({"old": arm("old", old), "new": arm("new", new)})
    return report(store, "trial-1").verdicts[0]


def test_a_graded_rubric_from_its_store_to_its_sentence(store: Store):
    random = np.random.default_rng(7)
    old = random.uniform(0.6, 0.9, 400)
    new = old - 0.02 + random.normal(0, 0.01, 400)  # passes just as often at .5, and is worth two points less
    verdict = scored(store, old.tolist(), new.tolist())
    (rubric,) = verdict.rubrics
    assert rubric.difference is not None
    assert rubric.difference.value == pytest.approx(float((new - old).mean()))
    assert rubric.difference.method == "cluster-robust t of paired differences"
    assert (rubric.decision, verdict.overall) == ("PASS", "ship")
    assert "regressed" in rubric.flags
    assert "Its mean value is 2.1 points lower than the incumbent's" in rubric.sentence
    assert rubric.candidate is not None
    assert rubric.candidate.estimate.value == pytest.approx(float(new.mean()))
    assert rubric.candidate.estimate.method == "cluster-robust t of the mean"
    assert rubric.pairs is None


def test_an_advisory_graded_rubric_is_shown(store: Store):
    verdict = scored(store, [0.5] * 40, [0.75] * 40, kind="advisory", margin_points=None)
    (rubric,) = verdict.rubrics
    assert (rubric.decision, rubric.difference.value) == ("SHOWN", 0.25)
    assert "25.0 points higher" in rubric.sentence


def test_a_score_without_a_pass_counts_by_its_value(store: Store):
    suite = make_suite(GRADED)
    cases = [Case(id=f"c{i}", input=f"question {i}") for i in range(40)]
    Trial(store, suite, cases).write(
        {name: lambda case, _, n=name: (Output.of(f"{n} {case.id}"), [Score(value=0.4)]) for name in ("old", "new")}
    )
    (rubric,) = report(store, "trial-1").verdicts[0].rubrics
    assert rubric.candidate is not None
    assert (rubric.candidate.n, rubric.candidate.estimate.value) == (40, pytest.approx(0.4))
    assert rubric.warnings == ()


def test_no_pair_says_nothing():
    gone = np.full(40, np.nan)
    assert compare(values(gone, np.ones(40))) is None


@pytest.mark.parametrize("kind", ["gate", "limit"])
def test_only_quality_and_advice_are_graded(kind: str):
    limits = {"gate": {"limit_points": 3}, "limit": {"at_most": 3}}[kind]
    with pytest.raises(ValueError, match="graded and aggregate belong to quality and advisory"):
        make_suite({"name": "x", "kind": kind, "graded": True, **limits})


@pytest.mark.heavy
@pytest.mark.parametrize("clusters", [30, 100])
def test_coverage_at_the_margin(clusters: int):
    random = np.random.default_rng(23)
    passed, covered, reps = 0, 0, 2000
    for _ in range(reps):
        shift = np.repeat(random.normal(-0.03, 0.05, clusters), 4)
        gap = shift + random.normal(0, 0.15, 4 * clusters)
        found = evidence(values(0.5 + gap / 2, 0.5 - gap / 2, np.repeat(np.arange(clusters), 4)))
        passed += found.decisions(-0.03, 0.05)[0] > 0
        low, high = found.interval(0.1)
        covered += low <= -0.03 <= high
    assert passed / reps <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / reps)
    assert abs(covered / reps - 0.90) <= 3 * np.sqrt(0.09 / reps) + 0.01
