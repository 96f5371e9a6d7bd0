"""Traffic weights and shares on quality rubrics, and which cases stand for traffic at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from seatrial.core.suite import RubricSpec, Suite
from seatrial.stats import tango, tango_clustered
from seatrial.stats.clusters import cautious_effect, weighted_effect
from seatrial.store.store import Store
from seatrial.verdicts.compare import compare_arrays, report
from seatrial.verdicts.engine.outcomes import Outcomes
from seatrial.verdicts.engine.weighing import PartlySeen, compare
from seatrial.verdicts.reading.cases import CaseTable, Stratum
from seatrial.verdicts.reading.weights import weighting
from seatrial.verdicts.records import RubricResult, TrialReport

RIGHT = {"name": "right"}


def paired(d: Sequence[float], weight: Any = None, cluster: Any = None, unseen: float = 0.0) -> Outcomes:
    """Outcomes with these differences: 1 gained, -1 lost, 0 both."""
    gap = np.asarray(d, dtype=float)
    made = Outcomes.of(np.where(gap < 0, 0.0, 1.0), np.where(gap > 0, 0.0, 1.0), cluster)
    weights = None if weight is None else np.asarray(weight, dtype=float)
    return Outcomes(made.cluster, made.candidate, made.incumbent, weight=weights, unseen=unseen)


def table(**strata: Sequence[str]) -> CaseTable:
    n = len(next(iter(strata.values())))
    columns = {name: column(values) for name, values in strata.items()}
    origin = Stratum(("production",), np.zeros(n, dtype=np.int32))
    return CaseTable(np.arange(n), origin, np.arange(n), np.ones(n), columns)


def column(values: Sequence[str]) -> Stratum:
    names = tuple(sorted({value for value in values if value}))
    return Stratum(names, np.array([names.index(v) if v else -1 for v in values], dtype=np.int32))


def everything(cases: CaseTable) -> np.ndarray:
    return np.ones(len(cases), dtype=np.bool_)


# weights --------------------------------------------------------------------------------------------------------------


def test_one_stratum_is_post_stratified():
    cases = table(intent=["theft"] * 30 + ["water"] * 10)
    made = weighting(cases, everything(cases), {"intent": {"theft": 0.2, "water": 0.8}})
    assert made.weight is not None
    assert made.weight.sum() == pytest.approx(40)
    assert made.weight[0] == pytest.approx(40 * 0.2 / 30)
    assert made.weight[-1] == pytest.approx(40 * 0.8 / 10)
    assert made.notes == ()


def test_several_strata_are_raked_until_all_shares_hold():
    random = np.random.default_rng(3)
    intent, language = random.choice(["a", "b", "c"], 600), random.choice(["de", "en"], 600)
    cases = table(intent=intent.tolist(), language=language.tolist())
    shares = {"intent": {"a": 0.6, "b": 0.3, "c": 0.1}, "language": {"de": 0.25, "en": 0.75}}
    made = weighting(cases, everything(cases), shares)
    assert made.weight is not None
    for name, values in (("intent", intent), ("language", language)):
        for value, share in shares[name].items():
            assert made.weight[values == value].sum() / 600 == pytest.approx(share, abs=1e-8)
    cells = [np.unique(made.weight[(intent == a) & (language == b)].round(9)) for a in "abc" for b in ("de", "en")]
    assert all(len(cell) == 1 for cell in cells)


def test_shares_that_contradict_the_cases_are_told():
    cases = table(a=["x"] * 10 + ["y"] * 10, b=["p"] * 10 + ["q"] * 10)
    made = weighting(cases, everything(cases), {"a": {"x": 0.9, "y": 0.1}, "b": {"p": 0.1, "q": 0.9}})
    assert "cannot all hold" in made.notes[0]


def test_a_value_without_a_case_is_named_and_its_share_unseen():
    cases = table(intent=["theft"] * 20 + ["other"] * 5 + [""] * 5)
    made = weighting(cases, everything(cases), {"intent": {"theft": 0.9, "water": 0.1}})
    assert made.unseen == {"intent": {"water": 0.1}}
    assert made.share_unseen(RubricSpec(name="r", scorer="exact")) == pytest.approx(0.1)
    assert made.share_unseen(RubricSpec(name="r", scorer="exact", where={"intent": "theft"})) == 0
    assert "There is no case of intent water (10%)" in made.notes[0]
    assert "10 cases have no intent that has a share of traffic" in made.notes[1]
    assert made.weight is not None
    assert not made.weight[20:].any()


def test_weights_that_are_all_alike_change_nothing():
    cases = table(intent=["a"] * 10)
    assert weighting(cases, everything(cases), {}).weight is None


# the paired difference ------------------------------------------------------------------------------------------------


def test_equal_weights_give_the_unweighted_estimate_and_about_its_interval():
    d = [1.0] * 12 + [-1.0] * 20 + [0.0] * 468
    plain, even = compare(paired(d)), compare(paired(d, np.full(500, 3.7)))
    assert plain is not None
    assert even is not None
    assert even.estimate == pytest.approx(plain.estimate)
    assert tuple(even.interval(0.1)) == pytest.approx(tuple(tango(12, 20, 500, alpha=0.1)), abs=0.002)


def test_the_weighted_estimate_and_effect_are_those_of_weighted_least_squares():
    random = np.random.default_rng(11)
    d = random.choice([-1.0, 0.0, 1.0], 400, p=[0.1, 0.82, 0.08])
    weight, cluster = random.gamma(2.0, 0.5, 400), random.integers(0, 90, 400)
    found = compare(paired(d, weight, cluster))
    assert found is not None
    model = sm.WLS(d, np.ones(400), weights=weight)
    oracle = model.fit(cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False})
    clusters = len(np.unique(cluster))
    robust = oracle.bse[0] ** 2 * clusters / (clusters - 1)
    assert found.estimate == pytest.approx(oracle.params[0])
    naive = (found.tally.gains[0] + found.tally.losses[0]) / 400 - found.estimate**2
    kish = 400 * (weight**2).sum() / weight.sum() ** 2
    assert found.design_effect == pytest.approx(max(kish, 400 * robust / naive))
    assert found.design_effect >= kish - 1e-9


@given(
    d=st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=12, max_size=60),
    scale=st.floats(1e-3, 1e3),
    seed=st.integers(0, 99),
)
def test_laws_of_weighted_differences(d: list[float], scale: float, seed: int):
    random = np.random.default_rng(seed)
    weight, order = random.gamma(1.0, 1.0, len(d)) + 1e-3, random.permutation(len(d))
    found = compare(paired(d, weight))
    assert found is not None
    low, high = found.interval(0.1)
    assert low <= found.estimate + 1e-9
    assert found.estimate <= high + 1e-9
    assert high > low
    scaled = compare(paired(d, weight * scale))
    shuffled = compare(paired(np.array(d)[order].tolist(), weight[order]))
    mirrored = compare(paired([-x for x in d], weight))
    for other, ends in ((scaled, (low, high)), (shuffled, (low, high)), (mirrored, (-high, -low))):
        assert other is not None
        assert tuple(other.interval(0.1)) == pytest.approx(ends, abs=1e-7)
    wide = found.interval(0.02)
    assert wide.low <= low + 1e-12
    assert high <= wide.high + 1e-12
    for line in (-0.2, -0.03, 0.0):
        told = found.decisions(line, 0.05)[0]
        assert (
            told == float(low > line + 1e-9) - float(high < line - 1e-9)
            or min(abs(low - line), abs(high - line)) < 1e-6
        )


@given(seed=st.integers(0, 200), size=st.integers(1, 4))
def test_without_weights_the_effect_is_the_clusters_own(seed: int, size: int):
    random = np.random.default_rng(seed)
    wins, losses = random.integers(0, size + 1, 40) * (random.random(40) < 0.4), np.zeros(40)
    sizes = np.full(40, float(size))
    ours = weighted_effect(wins.astype(float), losses, sizes, sizes)
    assert ours == pytest.approx(cautious_effect(wins.astype(float), losses, sizes))
    left = weighted_effect(wins.astype(float), losses, sizes, sizes, leave_out=True)
    assert left == pytest.approx(cautious_effect(wins.astype(float), losses, sizes, leave_out=True))


def test_leaving_one_cluster_out_is_what_a_table_without_it_says():
    random = np.random.default_rng(2)
    d = random.choice([-1.0, 0.0, 1.0], 80, p=[0.2, 0.6, 0.2])
    weight, cluster = random.gamma(2.0, 0.5, 80), np.repeat(np.arange(20), 4)
    found = compare(paired(d, weight, cluster))
    assert found is not None
    assert found.labels is not None
    told = found.decisions(-0.1, 0.2, left_out=True)[1:]
    for label, decision in zip(found.labels.tolist(), told.tolist(), strict=True):
        kept = cluster != label
        without = compare(paired(d[kept].tolist(), weight[kept], cluster[kept]))
        assert without is not None
        assert without.decisions(-0.1, 0.2)[0] == decision


def test_a_case_with_all_the_weight_shows_nothing():
    found = compare(paired([0.0] * 99 + [-1.0], [1e-9] * 99 + [1.0]))
    assert found is not None
    assert found.interval(0.1).low < -0.9
    assert found.decisions(-0.03, 0.05)[0] == 0


def test_weights_turn_a_verdict_and_the_unweighted_figure_stands_beside_it():
    suite = make_suite({"name": "right", "margin_points": 3})
    d = [0.0] * 1350 + [-1.0] * 75 + [0.0] * 75  # half of the last 150 are lost
    weight = np.where(np.arange(1500) < 1350, 0.5 * 1500 / 1350, 0.5 * 1500 / 150)
    plain = compare_arrays(suite, {"right": paired(d)})[1][0]
    (rubric,) = compare_arrays(suite, {"right": paired(d, weight)})[1]
    assert plain.difference is not None
    assert plain.difference.value == pytest.approx(-0.05)
    assert rubric.difference is not None
    assert rubric.difference.value == pytest.approx(-0.25)
    assert rubric.decision == "BLOCK"
    assert rubric.unweighted == plain.difference
    assert plain.unweighted is None
    assert rubric.difference.method == "Tango at the effective size of the weights"
    assert "weighted to traffic" in rubric.sentence
    assert rubric.candidate is not None
    assert rubric.candidate.estimate.value == pytest.approx(0.75)


def test_unseen_traffic_widens_what_can_be_said():
    d = [0.0] * 2000
    seen, partly = compare(paired(d)), compare(paired(d, unseen=0.02))
    assert seen is not None
    assert isinstance(partly, PartlySeen)
    low, high = seen.interval(0.1)
    assert tuple(partly.interval(0.1)) == pytest.approx((0.98 * low - 0.02, 0.98 * high + 0.02))
    assert partly.decisions(-0.03, 0.05)[0] == 1
    assert compare(paired(d, unseen=0.03)).decisions(-0.03, 0.05)[0] == 0
    assert compare(paired([-1.0] * 2000, unseen=0.3)).decisions(-0.03, 0.05)[0] == -1
    assert compare(paired(d, unseen=1.0)) is None
    assert tango_clustered([0] * 40, list(range(40))).low < 0


# through the store ----------------------------------------------------------------------------------------------------


def cases_of(n: int, made: Callable[[int], Mapping[str, Any]]) -> list[Case]:
    return [Case(id=f"c{i}", input=f"question {i}", expected="x", **made(i)) for i in range(n)]


def scored(
    store: Store, suite: Suite, cases: Sequence[Case], wrong: Mapping[str, Callable[[int], bool]]
) -> TrialReport:
    places = {case.input_hash: at for at, case in enumerate(cases)}

    def answer(name: str) -> Callable[[Case, int], tuple[Output, Sequence[Score]]]:
        def one(case: Case, epoch: int) -> tuple[Output, Sequence[Score]]:
            bad = wrong[name](places[case.input_hash])
            return Output.of(f"{name} {case.id}"), [Score.binary(not bad)] * len(suite.rubrics)

        return one

    Trial(store, suite, cases).write({name: answer(name) for name in ("old", "new")})
    return report(store, "trial-1")


def first(found: TrialReport) -> RubricResult:
    return found.verdicts[0].rubrics[0]


def test_shares_of_a_dataset_reach_the_verdict(store: Store):
    shares = {"intent": {"a": 0.1, "b": 0.9}}
    suite = make_suite(RIGHT, dataset={"path": "cases.jsonl", "shares": shares})
    cases = cases_of(400, lambda i: {"strata": {"intent": "a" if i < 200 else "b"}})
    found = scored(store, suite, cases, {"old": lambda i: False, "new": lambda i: i < 40})
    rubric = first(found)
    assert rubric.difference is not None
    assert rubric.unweighted is not None
    assert rubric.difference.value == pytest.approx(-0.1 * 40 / 200)
    assert rubric.unweighted.value == pytest.approx(-0.1)
    assert {s.value: s.difference.value for s in rubric.slices} == {"a": pytest.approx(-0.2), "b": 0}
    assert not any("not applied" in text for text in found.warnings)


def test_weights_of_cases_reach_the_verdict(store: Store):
    cases = cases_of(200, lambda i: {"weight": 3.0 if i < 50 else 1.0})
    rubric = first(scored(store, make_suite(RIGHT), cases, {"old": lambda i: False, "new": lambda i: i < 10}))
    assert rubric.difference is not None
    assert rubric.difference.value == pytest.approx(-30 / 300)


def test_gates_and_limits_are_not_weighted(store: Store):
    gate = {"name": "leak", "kind": "gate", "limit_points": 5}
    cases = cases_of(200, lambda i: {"weight": 3.0 if i < 50 else 1.0})
    rubric = first(scored(store, make_suite(gate), cases, {"old": lambda i: i < 10, "new": lambda i: i < 10}))
    assert rubric.failures is not None
    assert rubric.failures.value == pytest.approx(10 / 200)
    assert rubric.unweighted is None


SYNTHETIC = [
    pytest.param({}, 100, id="none-unless-said"),
    pytest.param({"synthetic": "exclude"}, 100, id="none"),
    pytest.param({"synthetic": "include"}, 200, id="all"),
    pytest.param({"synthetic": ["typo"]}, 150, id="by-evolution"),
    pytest.param({"synthetic": ["nonsense"]}, 100, id="unknown-evolution"),
]


def lineage(i: int) -> dict[str, Any]:
    if i < 100:
        return {"seed_id": f"s{i}"}
    return {"origin": "synthetic", "seed_id": f"s{i - 100}", "evolution": "typo" if i < 150 else "paraphrase"}


@pytest.mark.parametrize(("policy", "counted"), SYNTHETIC)
def test_synthetic_cases_count_by_the_policys_choice(store: Store, policy: Mapping[str, Any], counted: int):
    suite = make_suite(RIGHT, policy=policy)
    found = scored(store, suite, cases_of(200, lineage), {"old": lambda i: False, "new": lambda i: i % 20 == 3})
    rubric = first(found)
    assert rubric.pairs is not None
    assert rubric.pairs.n == counted
    assert rubric.synthetic is not None
    assert (rubric.synthetic.cases, rubric.synthetic.others) == (100, 100)
    assert rubric.synthetic.counted is (counted > 100)
    idle = [text for text in found.warnings if "synthetic case" in text]
    assert idle == [] if counted == 200 else f"{200 - counted} synthetic cases do not count" in idle[0]


def test_synthetic_cases_that_are_easier_than_production_are_told(store: Store):
    suite = make_suite(RIGHT, policy={"synthetic": "include"})
    found = scored(store, suite, cases_of(200, lineage), {"old": lambda i: i < 40, "new": lambda i: i < 40})
    rubric = first(found)
    assert rubric.synthetic is not None
    assert rubric.synthetic.candidate is not None
    assert rubric.synthetic.candidate.value == pytest.approx(0.4)
    assert "unpaired" in rubric.synthetic.candidate.method
    assert any("100 synthetic cases are easier than the 100 others, by 40.0 points" in w for w in rubric.warnings)


def test_attacks_feed_gates_and_benchmarks_only_advise(store: Store):
    suite = make_suite(
        RIGHT,
        {"name": "holds", "kind": "gate", "limit_points": 9},
        {"name": "public", "kind": "advisory"},
    )
    origins = ["production"] * 60 + ["adversarial"] * 40 + ["benchmark"] * 50
    cases = cases_of(150, lambda i: {"origin": origins[i]})
    found = scored(store, suite, cases, {"old": lambda i: False, "new": lambda i: False})
    assert [r.candidate.n for r in found.verdicts[0].rubrics if r.candidate] == [60, 100, 110]
    assert any("50 benchmark cases decided nothing" in text for text in found.warnings)


# what is missing ------------------------------------------------------------------------------------------------------


def outcomes_missing(share: float, n: int = 400) -> Outcomes:
    candidate = np.ones(n)
    candidate[: int(share * n)] = np.nan
    return Outcomes.of(candidate, np.ones(n))


def test_missing_results_may_count_as_failures():
    bounded = outcomes_missing(0.1)
    failed = bounded.missing_as_failures()
    assert (failed.missing, failed.most_missing) == (0, pytest.approx(0.1))
    suite = make_suite(RIGHT)
    (rubric,) = compare_arrays(suite, {"right": failed})[1]
    assert rubric.decision == "BLOCK"
    assert any("Missing results count as failures" in text for text in rubric.warnings)


def test_more_missing_than_allowed_is_not_evaluable():
    suite = make_suite(RIGHT)
    for share, overall in ((0.1, "ship"), (0.3, "not_evaluable")):
        judgement, (rubric,) = compare_arrays(suite, {"right": outcomes_missing(share)})
        assert judgement.overall == overall
        assert rubric.decision == ("PASS" if overall == "ship" else "INCONCLUSIVE")


def test_the_policy_says_how_much_may_be_missing_and_what_that_means(store: Store):
    suite = make_suite(RIGHT, policy={"missing": "fail", "most_missing_points": 5})
    cases = cases_of(100, lambda i: {})
    gone = {case.input_hash for case in cases[:10]}

    def answer(case: Case, epoch: int) -> tuple[Output, Sequence[Score]]:
        return Output.of(f"new {case.id}"), [
            Score(status="judge_error", reason="broke") if case.input_hash in gone else Score.binary(True)
        ]

    def whole(case: Case, epoch: int) -> tuple[Output, Sequence[Score]]:
        return Output.of(f"old {case.id}"), [Score.binary(True)]

    Trial(store, suite, cases).write({"old": whole, "new": answer})
    found = report(store, "trial-1").verdicts[0]
    assert found.rubrics[0].pairs is not None
    assert (found.rubrics[0].pairs.lost, found.rubrics[0].pairs.missing) == (10, 0)
    assert found.overall == "block"


# coverage -------------------------------------------------------------------------------------------------------------


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("size", "clusters", "spread", "loss"),
    [
        pytest.param(1, 400, 0.5, 0.10, id="weights-alone"),
        pytest.param(4, 120, 0.5, 0.10, id="weights-and-clusters"),
        pytest.param(1, 300, 1.0, 0.05, id="uneven-weights-few-losses"),
        pytest.param(5, 60, 0.7, 0.15, id="few-clusters"),
    ],
)
def test_a_candidate_at_the_margin_ships_at_most_as_often_as_it_may(
    size: int, clusters: int, spread: float, loss: float
):
    """1,000 swaps whose true weighted difference is −margin: at most 5% plus three binomial errors pass."""
    random = np.random.default_rng(17)
    margin, wins, passed, covered, reps = 0.03, loss - 0.03, 0, 0, 1000
    for _ in range(reps):
        weight = np.repeat(random.lognormal(0, spread, clusters), size)
        shift = np.repeat(random.beta(2, 2, clusters) * 2, size)
        u = random.random(size * clusters)
        d = np.where(u < loss * shift, -1.0, np.where(u > 1 - wins * shift, 1.0, 0.0))
        found = compare(paired(d.tolist(), weight, np.repeat(np.arange(clusters), size)))
        assert found is not None
        passed += found.decisions(-margin, 0.05)[0] > 0
        low, high = found.interval(0.1)
        covered += low <= -margin <= high
    assert passed / reps <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / reps)
    assert covered / reps >= 0.90 - 3 * np.sqrt(0.09 / reps)
