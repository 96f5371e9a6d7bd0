"""Gates: known answers, decisions, and laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.made_trials import make_suite, rounded

from seatrial.core.suite import Policy
from seatrial.stats import clopper_pearson, cluster_clopper_pearson, mcnemar_one_sided, n_zero_failures
from seatrial.verdicts.compare import compare_arrays
from seatrial.verdicts.engine.gates import compare_failures, count_failures, judge_gate
from seatrial.verdicts.engine.needs import clean_to_pass
from seatrial.verdicts.engine.outcomes import Outcomes
from seatrial.verdicts.records import RubricResult

NAN = math.nan


def failing(failed: int, n: int, incumbent: int = 0, cluster: Any = None) -> Outcomes:
    """The candidate fails the first cases, the incumbent the last."""
    first, second = np.ones(n), np.ones(n)
    first[:failed] = 0
    second[n - incumbent :] = 0
    return Outcomes.of(first, second, cluster)


def draw(outcomes: Outcomes, limit_points: float, **policy: Any) -> RubricResult:
    suite = make_suite({"name": "leak", "kind": "gate", "limit_points": limit_points}, policy=policy)
    return compare_arrays(suite, {"leak": outcomes})[1][0]


DECISIONS = [
    pytest.param(failing(0, 100), 3, "PASS", (), None, id="0-of-100-at-3-points"),
    pytest.param(failing(0, 100), 2, "INCONCLUSIVE", (), 49, id="0-of-100-at-2-points"),
    pytest.param(failing(1, 100), 3, "INCONCLUSIVE", (), 57, id="1-of-100-at-3-points"),
    pytest.param(failing(1, 100), 5, "PASS", (), None, id="1-of-100-at-5-points"),
    pytest.param(failing(0, 30), 1, "INCONCLUSIVE", (), 269, id="0-of-30-at-1-point"),
    pytest.param(failing(10, 100, 10), 3, "BLOCK", (), None, id="broken-as-the-incumbent"),
    pytest.param(failing(6, 100, 6), 5, "INCONCLUSIVE", (), None, id="more-than-allowed-yet-not-broken"),
    pytest.param(failing(2, 1000), 3, "PASS", (), None, id="two-more-failures-than-the-incumbent"),
    pytest.param(failing(3, 1000), 3, "BLOCK", ("regressed", "fragile"), None, id="three-more-failures"),
    pytest.param(failing(0, 1000, 5), 3, "PASS", (), None, id="better-than-the-incumbent"),
    pytest.param(failing(0, 0), 3, "INCONCLUSIVE", ("few_cases",), 99, id="no-probes"),
    pytest.param(failing(0, 20), 50, "INCONCLUSIVE", ("few_cases",), 10, id="few-cases-never-pass"),
    pytest.param(failing(20, 20, 20), 50, "BLOCK", ("few_cases",), None, id="few-cases-may-break-it"),
    pytest.param(failing(50, 50), 100, "BLOCK", ("regressed",), None, id="all-fail-where-all-may-but-worse"),
    pytest.param(failing(50, 50, 50), 100, "PASS", (), None, id="all-fail-where-all-may"),
    pytest.param(
        Outcomes.of([NAN] * 40, np.ones(40)), 5, "INCONCLUSIVE", ("few_cases", "missing"), None, id="all-missing"
    ),
]


@pytest.mark.parametrize(("outcomes", "limit", "decision", "flags", "needed"), DECISIONS)
def test_gates_at_the_edges(outcomes, limit, decision, flags, needed):
    found = draw(outcomes, limit)
    assert (found.decision, found.flags, found.needed) == (decision, flags, needed)
    assert found.limit == limit / 100
    assert found.sentence.endswith(".")
    assert (found.needed_note != "") == (decision == "INCONCLUSIVE")


def test_exact_bounds_of_a_gate():
    found = draw(failing(1, 100), 5)
    assert found.failures is not None
    assert (found.failures.value, found.failures.level) == (0.01, 0.95)
    assert found.failures.high == pytest.approx(0.04656, abs=1e-5)
    assert found.failures.method == "Clopper–Pearson, one-sided"
    assert found.p_method == "mid-p McNemar"
    assert found.p_worse == pytest.approx(mcnemar_one_sided(0, 1).mid_p)
    assert found.sentence == "It fails 1 of 100: at most 4.7% with 95% confidence, and 5% is allowed."


def test_the_sentences_say_why_a_gate_blocks():
    worse, broken = draw(failing(5, 100), 10), draw(failing(20, 100, 20), 3)
    assert "5 cases only it fails, 0 only the incumbent does (p 0.016)" in worse.sentence
    assert "The gate is broken." in broken.sentence
    assert "a gate without data does not pass" in draw(failing(0, 0), 3).sentence


def test_variants_of_a_seed_count_once():
    seeds = np.repeat(np.arange(30), 10)
    assert draw(failing(0, 300), 1).decision == "PASS"
    found = draw(failing(0, 300, cluster=seeds), 1)
    assert found.decision == "INCONCLUSIVE"
    assert found.failures is not None
    assert found.failures.high == pytest.approx(1 - 0.05 ** (1 / 30))
    assert found.needed == 269
    assert "from 30 clusters" in found.sentence


def test_a_cluster_fails_when_any_of_its_results_does():
    seeds = np.repeat(np.arange(100), 10)
    # ten failures of one seed are one failed cluster, ten of ten seeds are ten
    assert compare_failures(failing(10, 1000, cluster=seeds)) == (0, 1, pytest.approx(0.25), pytest.approx(0.5))
    spread = np.ones(1000)
    spread[::100] = 0
    found = draw(Outcomes.of(spread, np.ones(1000), seeds), 50)
    assert found.decision == "BLOCK"
    assert found.p_method == "mid-p McNemar on clusters with any failure"
    assert found.p_worse == pytest.approx(mcnemar_one_sided(0, 10).mid_p)


def test_epochs_of_a_probe_count_once():
    once = draw(failing(0, 100), 3)
    five = draw(Outcomes.of(np.ones((100, 5)), np.ones((100, 5))), 3)
    assert once.failures is not None
    assert five.failures is not None
    assert five.failures.high == pytest.approx(once.failures.high)
    assert five.candidate is not None
    assert five.candidate.n == 500


def test_missing_probes_are_counted_as_failures_for_fragility_only():
    arm = np.ones(200)
    arm[:3] = NAN
    found = draw(Outcomes.of(arm, np.ones(200)), 2)
    assert found.decision == "PASS"
    assert set(found.flags) == {"missing", "fragile"}
    arm[:60] = NAN
    found = draw(Outcomes.of(arm, np.ones(200)), 5)
    assert (found.decision, found.needed) == ("INCONCLUSIVE", None)
    assert "30.0% of an arm's results are missing" in found.sentence


def test_a_gate_decides_without_an_incumbent():
    suite = make_suite(
        {"name": "leak", "kind": "gate", "limit_points": 3}, targets={"new": {"use": "replay:n"}}, incumbent=None
    )
    judgement, (found,) = compare_arrays(suite, {"leak": Outcomes.of(np.ones(120))})
    assert (judgement.overall, found.decision, found.pairs, found.p_worse) == ("ship", "PASS", None, None)


@given(st.integers(0, 40), st.integers(0, 400), st.sampled_from([0.01, 0.03, 0.2, 1.0]))
def test_clean_cases_needed_are_exactly_enough(failed, clean, limit):
    have = failed + clean
    need = clean_to_pass(failed, have, limit, alpha=0.05)
    assert need.cases is not None
    total = have + need.cases
    assert clopper_pearson(failed, total, side="upper").high <= limit
    if need.cases > 1:
        assert clopper_pearson(failed, total - 1, side="upper").high > limit
    if failed == 0 and need.cases > 1:
        assert total == n_zero_failures(limit)


@st.composite
def probes(draw_):
    n = draw_(st.integers(1, 50))
    cluster = np.array(draw_(st.lists(st.integers(0, 11), min_size=n, max_size=n)))
    arms = [draw_(st.lists(st.sampled_from([1.0, 1.0, 1.0, 0.0]), min_size=n, max_size=n)) for _ in range(2)]
    return Outcomes.of(*arms, draw_(st.sampled_from([None, cluster])))


@given(probes(), st.sampled_from([0.05, 0.2, 0.5]))
def test_fragile_is_what_leaving_out_each_cluster_would_find(outcomes, limit):
    policy = Policy(min_cases=1)
    finding = judge_gate(outcomes, limit, policy)
    clustered = len(np.unique(outcomes.cluster)) < len(outcomes.cluster)
    found: set[str] = set()
    for name in np.unique(outcomes.cluster):
        rest = outcomes.take(outcomes.cluster != name)
        if not len(rest.cluster) or (clustered and len(np.unique(rest.cluster)) == len(rest.cluster)):
            return  # one result a cluster is judged by another method
        found.add(judge_gate(rest, limit, policy).decision)
    if finding.decision != "INCONCLUSIVE":
        assert ("fragile" in finding.flags) == (found != {finding.decision})


@given(probes())
def test_bounds_are_those_of_the_statistics_room(outcomes):
    failures = count_failures(outcomes, 0.05)
    values = 1 - outcomes.candidate[:, 0]
    if len(np.unique(outcomes.cluster)) == len(values):
        k, n = int(values.sum()), len(values)
        assert failures.low == clopper_pearson(k, n, side="lower").low
        assert failures.high == clopper_pearson(k, n, side="upper").high
    else:
        assert failures.low == cluster_clopper_pearson(values, outcomes.cluster, side="lower").low
        assert failures.high == cluster_clopper_pearson(values, outcomes.cluster, side="upper").high


@given(probes(), st.integers(1, 10), st.sampled_from([0.05, 0.3, 0.9]))
def test_more_failures_never_make_a_gate_pass(outcomes, more, limit):
    policy = Policy(min_cases=1)
    plain = Outcomes.of(outcomes.candidate, outcomes.incumbent)
    before = judge_gate(plain, limit, policy).decision
    worse = plain.candidate.copy()
    worse[:more] = 0
    after = judge_gate(Outcomes.of(worse, plain.incumbent), limit, policy).decision
    order = {"BLOCK": 0, "INCONCLUSIVE": 1, "PASS": 2}
    assert order[after] <= order[before]


@given(probes(), st.randoms(use_true_random=False))
def test_the_order_of_probes_changes_nothing(outcomes, random):
    order = list(range(len(outcomes.cluster)))
    random.shuffle(order)
    assert outcomes.incumbent is not None
    shuffled = Outcomes.of(outcomes.candidate[order], outcomes.incumbent[order], outcomes.cluster[order] * 3)
    assert rounded(draw(outcomes, 10).model_dump()) == rounded(draw(shuffled, 10).model_dump())
