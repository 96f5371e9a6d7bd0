"""One number over all labels of a run, compared by jackknife over clusters."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.made_trials import make_suite

import seatrial
from seatrial.core.case import Case
from seatrial.core.output import Failure, Output
from seatrial.core.protocols import Aggregate
from seatrial.core.score import Evidence, Score
from seatrial.scorers import build, judge
from seatrial.verdicts.compare import compare_arrays
from seatrial.verdicts.engine.aggregates import LabelAggregate, confusion, jackknifed, label_of
from seatrial.verdicts.engine.outcomes import Labels, Outcomes

NAMES = ("a", "b", "c")


def labelled(
    expected: Any, candidate: Any, incumbent: Any = None, name: str = "macro_f1", cluster: Any = None
) -> Outcomes:
    truth, first = np.asarray(expected, dtype=np.int32), np.asarray(candidate, dtype=np.int32)
    second = None if incumbent is None else np.asarray(incumbent, dtype=np.int32)
    made = Outcomes.of(first == truth, None if second is None else second == truth, cluster)
    columns = [None if c is None else c.reshape(made.candidate.shape) for c in (truth, first, second)]
    labels = Labels(name, NAMES, columns[0], columns[1], columns[2])
    return Outcomes(made.cluster, made.candidate, made.incumbent, labels=labels)


def scores_of(expected: list[int], found: list[int]) -> list[Score]:
    return [
        Score.binary(e == f, evidence=(Evidence(where="text", expected=NAMES[e], found=None if f < 0 else NAMES[f]),))
        for e, f in zip(expected, found, strict=True)
    ]


# 10 cases: expected a a a a b b b c c c; found a a b - b b a c c a
EXPECTED, FOUND = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 0, 1, -1, 1, 1, 0, 2, 2, 0]
BY_HAND = [
    pytest.param("accuracy", 6 / 10, id="accuracy"),
    pytest.param("balanced_accuracy", (2 / 4 + 2 / 3 + 2 / 3) / 3, id="mean-recall"),
    pytest.param("f1:a", 4 / 8, id="f1-of-one"),
    pytest.param("precision:b", 2 / 3, id="precision"),
    pytest.param("recall:c", 2 / 3, id="recall"),
    pytest.param("recall:never", np.nan, id="a-label-nobody-has"),
    pytest.param("weighted_f1", (4 * 4 / 8 + 3 * 4 / 6 + 3 * 4 / 5) / 10, id="weighted-f1"),
    pytest.param("micro_f1", 12 / 19, id="micro-f1"),
    pytest.param("macro_f1", (4 / 8 + 4 / 6 + 4 / 5) / 3, id="macro-f1"),
    pytest.param("kappa", (0.6 - (4 * 4 + 3 * 3 + 3 * 2) / 100) / (1 - (4 * 4 + 3 * 3 + 3 * 2) / 100), id="kappa"),
    pytest.param("mcc", (60 - 31) / np.sqrt((100 - 16 - 9 - 4 - 1) * (100 - 16 - 9 - 9)), id="mcc"),
]


@pytest.mark.parametrize(("name", "value"), BY_HAND)
def test_known_answers(name: str, value: float):
    aggregate: Aggregate = LabelAggregate(name)
    assert aggregate(scores_of(EXPECTED, FOUND)) == pytest.approx(value, nan_ok=True)
    found = jackknifed(labelled(EXPECTED, FOUND, name=name), LabelAggregate(name))
    assert found is not None
    assert (found.candidate is None) == np.isnan(value)
    assert found.candidate is None or found.candidate.estimate == pytest.approx(value)


@pytest.mark.parametrize("seed", range(25))
def test_the_numbers_are_scikit_learns(seed: int):
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    random = np.random.default_rng(seed)
    truth = random.choice(3, 60, p=[0.6, 0.3, 0.1])
    found = np.where(random.random(60) < 0.6, truth, random.integers(-(seed % 2), 3, 60))
    scores = scores_of(truth.tolist(), found.tolist())
    there = sorted({*truth.tolist(), *found.tolist()} - {-1})
    for average in ("macro", "micro", "weighted"):
        theirs = metrics.f1_score(truth, found, labels=there, average=average, zero_division=0)
        assert LabelAggregate(f"{average}_f1")(scores) == pytest.approx(theirs), average
    recalls = metrics.recall_score(truth, found, labels=sorted(set(truth.tolist())), average="macro", zero_division=0)
    others = {
        "accuracy": metrics.accuracy_score(truth, found),
        "balanced_accuracy": recalls,
        "mcc": metrics.matthews_corrcoef(truth, found),
        "kappa": metrics.cohen_kappa_score(truth, found),
    }
    for at in set(truth.tolist()) & set(found.tolist()):
        one = metrics.precision_recall_fscore_support(truth, found, labels=[at], average=None, zero_division=0)
        others |= {f"{what}:{NAMES[at]}": one[i][0] for i, what in enumerate(("precision", "recall", "f1"))}
    for name, theirs in others.items():
        assert LabelAggregate(name)(scores) == pytest.approx(theirs), name


def test_the_table_of_expected_and_found_labels():
    made = labelled(EXPECTED, FOUND, [0] * 10)
    candidate, incumbent = confusion(made)
    assert candidate.labels == incumbent.labels == NAMES
    assert candidate.counts == ((2, 1, 0, 1), (1, 2, 0, 0), (1, 0, 2, 0))
    assert incumbent.counts == ((4, 0, 0, 0), (3, 0, 0, 0), (3, 0, 0, 0))
    made.candidate[0] = np.nan
    assert confusion(made)[1].counts[0] == (3, 0, 0, 0)


UNDEFINED = [
    pytest.param("precision:b", [0, 0, 1], [0, 0, 0], id="never-found"),
    pytest.param("recall:b", [0, 0, 0], [0, 0, 1], id="never-expected"),
    pytest.param("f1:c", [0, 1, 0], [0, 1, 0], id="neither"),
    pytest.param("kappa", [0, 0, 0], [0, 0, 0], id="one-label-throughout"),
    pytest.param("mcc", [0, 1, 0], [0, 0, 0], id="always-the-same"),
]


@pytest.mark.parametrize(("name", "expected", "found"), UNDEFINED)
def test_what_is_undefined_is_no_0(name: str, expected: list[int], found: list[int]):
    assert np.isnan(LabelAggregate(name)(scores_of(expected, found)))
    arms = jackknifed(labelled(expected, found, expected, name), LabelAggregate(name))
    assert arms is not None
    assert arms.candidate is None
    assert arms.difference is None


def test_an_undefined_number_is_said_and_decides_nothing():
    truth = np.repeat([0, 1], [150, 50])
    suite = make_suite(
        {"name": "quality", "aggregate": "precision:b", "margin_points": 5},
        {"name": "shown", "aggregate": "precision:b", "kind": "advisory"},
    )
    made = labelled(truth, np.zeros(200, dtype=int), truth, "precision:b")
    quality, shown = compare_arrays(suite, {"quality": made, "shown": made})[1]
    assert quality.decision not in {"PASS", "BLOCK"}
    for rubric in (quality, shown):
        assert rubric.candidate is not None
        assert rubric.incumbent is not None
        assert rubric.candidate.estimate.value is None
        assert rubric.candidate.estimate.method == "precision:b is undefined"
        assert rubric.incumbent.estimate.value == 1
        assert rubric.difference is None


def test_mcc_of_two_labels_is_the_phi_coefficient():
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, 200)
    found = np.where(random.random(200) < 0.8, truth, 1 - truth)
    assert LabelAggregate("mcc")(scores_of(truth.tolist(), found.tolist())) == pytest.approx(
        np.corrcoef(truth, found)[0, 1]
    )


def draw(seed: int, n: int = 120, right: float = 0.8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.choice(3, n, p=[0.6, 0.3, 0.1])
    arms = [np.where(random.random(n) < right, truth, random.integers(-1, 3, n)) for _ in range(2)]
    return truth, arms[0], arms[1]


@pytest.mark.parametrize("name", ["macro_f1", "mcc", "balanced_accuracy", "f1:c", "kappa"])
def test_the_standard_error_is_that_of_leaving_out_every_cluster(name: str):
    truth, first, second = draw(5)
    cluster = np.arange(120) // 3
    found = jackknifed(labelled(truth, first, second, name, cluster), LabelAggregate(name))
    assert found is not None
    assert found.difference is not None

    def gap(kept: np.ndarray) -> float:
        arms = [LabelAggregate(name)(scores_of(truth[kept].tolist(), arm[kept].tolist())) for arm in (first, second)]
        return arms[0] - arms[1]

    left = np.array([gap(cluster != g) for g in range(40)])
    se = np.sqrt(39 / 40 * ((left - left.mean()) ** 2).sum())
    assert found.difference.estimate == pytest.approx(gap(cluster >= 0))
    half = (found.difference.interval(0.05).high - found.difference.interval(0.05).low) / 2
    assert half == pytest.approx(2.0226909 * se, rel=1e-6)  # t, 39 degrees of freedom


@given(seed=st.integers(0, 100))
def test_laws(seed: int):
    truth, first, second = draw(seed, 60)
    for name in ("macro_f1", "mcc"):
        found = jackknifed(labelled(truth, first, second, name), LabelAggregate(name))
        swapped = jackknifed(labelled(truth, second, first, name), LabelAggregate(name))
        assert found is not None
        assert swapped is not None
        assert found.difference is not None
        assert swapped.difference is not None
        low, high = found.difference.interval(0.1)
        assert tuple(swapped.difference.interval(0.1)) == pytest.approx((-high, -low))
        limits = LabelAggregate(name).limits
        assert found.candidate is not None
        assert limits[0] <= found.candidate.interval(0.1).low <= found.candidate.interval(0.1).high <= limits[1]


def test_accuracy_is_the_mean_of_passes():
    truth, first, second = draw(9)
    found = jackknifed(labelled(truth, first, second, "accuracy"), LabelAggregate("accuracy"))
    assert found is not None
    assert found.difference is not None
    gap = (first == truth).astype(float) - (second == truth)
    assert found.difference.estimate == pytest.approx(gap.mean())
    half = (found.difference.interval(0.05).high - found.difference.interval(0.05).low) / 2
    assert half == pytest.approx(1.9800999 * gap.std(ddof=1) / np.sqrt(120), rel=1e-6)


def test_a_drop_of_a_rare_label_blocks_though_accuracy_holds():
    truth = np.repeat([0, 1], [950, 50])
    second, first = truth.copy(), truth.copy()
    first[950:980] = 0  # 30 of 50 rare ones are missed: 3 points of accuracy, most of the F1
    suite = make_suite({"name": "rare", "aggregate": "f1:b", "margin_points": 5})
    (rubric,) = compare_arrays(suite, {"rare": labelled(truth, first, second, "f1:b")})[1]
    assert rubric.decision == "BLOCK"
    assert rubric.candidate is not None
    assert rubric.candidate.estimate.value == pytest.approx(2 * 20 / (50 + 20))
    assert rubric.difference is not None
    assert rubric.difference.method == "delete-one-cluster jackknife of f1:b, t"
    assert rubric.sentence.startswith("Its f1:b is 42.9 points lower than the incumbent's")


def test_missing_results_are_bounded():
    truth, first, second = draw(2, 300, 0.95)
    outcomes = labelled(truth, first, second)
    outcomes.candidate[:30] = np.nan
    (rubric,) = compare_arrays(make_suite({"name": "m", "aggregate": "macro_f1"}), {"m": outcomes})[1]
    assert rubric.missing_range is not None
    assert rubric.difference is not None
    rest = np.arange(300) >= 30
    nothing, right = np.where(rest, first, -1), np.where(rest, first, truth)
    f1 = LabelAggregate("macro_f1")
    worst, best, base = (f1(scores_of(truth.tolist(), arm.tolist())) for arm in (nothing, right, second))
    assert rubric.missing_range == pytest.approx((worst - base, best - base))


# from the scorer to the report ----------------------------------------------------------------------------------------


def test_the_label_scorer_says_which_label_it_expected_and_found():
    scorer = build("label", {"labels": ["Refund", "exchange"]}, Path())
    case = Case(id="1", input="q", expected="refund").view()
    said = {
        "Refund.": ("refund", "refund"),
        "exchange": ("refund", "exchange"),
        "neither of them": ("refund", None),
    }
    for text, pair in said.items():
        assert label_of(asyncio.run(judge(scorer, case, Output.of(text)))) == pair
    failed = Output(failure=Failure(kind="model", code="content_filter"))
    assert label_of(asyncio.run(judge(scorer, case, failed))) == ("refund", None)


def test_an_aggregate_from_the_suite_to_its_sentence(tmp_path: Path):
    random = np.random.default_rng(12)
    names = ["motor", "home", "fraud"]
    truth = random.choice(3, 300, p=[0.5, 0.4, 0.1])
    cases = [{"id": f"c{i}", "input": f"claim {i}", "expected": names[t]} for i, t in enumerate(truth.tolist())]
    (tmp_path / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in cases))
    for arm, right in (("old", 0.95), ("new", 0.7)):
        said = np.where(random.random(300) < right, truth, random.integers(0, 3, 300))
        rows = [{"id": f"c{i}", "output": names[s].title()} for i, s in enumerate(said.tolist())]
        (tmp_path / f"{arm}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    suite = {
        "name": "claims",
        "dataset": {"path": "cases.jsonl"},
        "targets": {arm: {"use": f"replay:{arm}.jsonl", "join": "id"} for arm in ("old", "new")},
        "incumbent": "old",
        "rubrics": [
            {"name": "team", "scorer": "label", "with": {"labels": names}, "aggregate": "macro_f1", "margin_points": 3},
            {
                "name": "fraud",
                "scorer": "label",
                "with": {"labels": names},
                "aggregate": "f1:fraud",
                "kind": "advisory",
            },
        ],
    }
    (tmp_path / "seatrial.yaml").write_text(json.dumps(suite))
    (verdict,) = seatrial.run(tmp_path / "seatrial.yaml").verdicts
    team, fraud = verdict.rubrics
    for one in team.confusion:
        expected = [names.index(label) for label in one.labels]
        assert [sum(row) for row in one.counts] == [int((truth == at).sum()) for at in expected]
        assert len(one.counts[0]) == 4
    assert [one.arm for one in team.confusion] == ["candidate", "incumbent"]
    right = [sum(one.counts[at][at] for at in range(3)) for one in team.confusion]
    assert right == [team.candidate.passed, team.incumbent.passed]
    assert verdict.overall == "block"
    assert "Its macro_f1 is" in team.sentence
    assert "jackknife of macro_f1" in team.difference.method
    assert fraud.decision == "SHOWN"
    assert 0 < fraud.candidate.estimate.value < fraud.incumbent.estimate.value


REFUSED = [
    pytest.param("f1", "must name its label", id="without-a-label"),
    pytest.param("f2:a", "must be one of", id="unknown"),
    pytest.param("mcc:a", "must be one of", id="a-label-too-many"),
]


@pytest.mark.parametrize(("name", "says"), REFUSED)
def test_unknown_aggregates_are_refused(name: str, says: str):
    with pytest.raises(ValueError, match=says):
        make_suite({"name": "x", "aggregate": name})


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["macro_f1", "mcc"])
def test_coverage_of_the_jackknife(name: str):
    """600 trials of 150 clusters of 2: the 90% interval of the difference covers what a huge sample says."""
    truth, first, second = draw(0, 200_000)
    right = jackknifed(labelled(truth, first, second, name), LabelAggregate(name))
    assert right is not None
    assert right.difference is not None
    goal, covered = right.difference.estimate, 0
    for seed in range(1, 601):
        found = jackknifed(labelled(*draw(seed, 300), name, np.arange(300) // 2), LabelAggregate(name))
        assert found is not None
        assert found.difference is not None
        low, high = found.difference.interval(0.1)
        covered += low <= goal <= high
    assert abs(covered / 600 - 0.90) <= 3 * np.sqrt(0.09 / 600)
