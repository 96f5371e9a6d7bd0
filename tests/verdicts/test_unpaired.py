"""Arms that answered different cases: compared unpaired, over clusters, and said so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.made_trials import make_suite

import seatrial
from seatrial.errors import RecordingError
from seatrial.stats import miettinen_nurminen
from seatrial.verdicts.compare import compare_arrays
from seatrial.verdicts.engine.outcomes import Asked, Outcomes
from seatrial.verdicts.engine.unpaired import UnpairedEvidence, unpaired
from seatrial.verdicts.engine.weighing import compare


def apart(candidate: Any, incumbent: Any, cluster: Any = None, *, graded: bool = False, weight: Any = None) -> Outcomes:
    """NaN where an arm was not asked."""
    made = Outcomes.of(candidate, incumbent, cluster)
    asked = Asked(~np.isnan(made.candidate), ~np.isnan(made.incumbent))
    return Outcomes(made.cluster, made.candidate, made.incumbent, asked=asked, graded=graded, weight=weight)


def counts(k1: int, n1: int, k2: int, n2: int) -> Outcomes:
    """Arms without a case in common."""
    gone1, gone2 = [np.nan] * n2, [np.nan] * n1
    return apart([1.0] * k1 + [0.0] * (n1 - k1) + gone1, gone2 + [1.0] * k2 + [0.0] * (n2 - k2))


def evidence(outcomes: Outcomes) -> UnpairedEvidence:
    found = unpaired(outcomes)
    assert found is not None
    return found


@pytest.mark.parametrize(("k1", "n1", "k2", "n2"), [(56, 70, 48, 80), (7, 34, 1, 34), (5, 56, 0, 29), (40, 40, 50, 50)])
def test_independent_cases_are_miettinen_and_nurminens(k1: int, n1: int, k2: int, n2: int):
    found = evidence(counts(k1, n1, k2, n2))
    assert tuple(found.interval(0.05)) == pytest.approx(tuple(miettinen_nurminen(k1, n1, k2, n2, alpha=0.05)))
    assert found.method == "unpaired Miettinen–Nurminen"
    assert found.estimate == pytest.approx(k1 / n1 - k2 / n2)


def test_known_answer():
    assert tuple(evidence(counts(7, 34, 1, 34)).interval(0.05)) == pytest.approx((0.0270416, 0.3452912), abs=1e-6)


def clustered(seed: int, clusters: int, size: int, rate: float = 0.8) -> Outcomes:
    random = np.random.default_rng(seed)
    p = np.repeat(random.beta(rate * 3, (1 - rate) * 3, 2 * clusters), size)
    passed = (random.random(len(p)) < p).astype(float)
    ours = np.arange(len(p)) < clusters * size
    return apart(
        np.where(ours, passed, np.nan), np.where(ours, np.nan, passed), np.repeat(np.arange(2 * clusters), size)
    )


def test_clusters_widen_the_interval():
    outcomes = clustered(1, 30, 10)
    alone = apart(outcomes.candidate, outcomes.incumbent)
    wide, narrow = (evidence(one).interval(0.1) for one in (outcomes, alone))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    assert evidence(outcomes).method == "unpaired Miettinen–Nurminen at the effective size of the clusters"


def test_shared_clusters_bring_their_covariance():
    random = np.random.default_rng(4)
    p = np.repeat(random.beta(1, 1, 100), 10)
    passed = (random.random(1000) < p).astype(float)
    half = np.arange(1000) % 2 == 0
    cluster = np.repeat(np.arange(100), 10)
    together = apart(np.where(half, passed, np.nan), np.where(half, np.nan, passed), cluster)
    separate = apart(np.where(half, passed, np.nan), np.where(half, np.nan, passed), cluster * 2 + half)
    first, second = evidence(together), evidence(separate)
    assert first.variance < second.variance


@given(seed=st.integers(0, 200))
def test_laws(seed: int):
    outcomes = clustered(seed, 12, 3)
    assert outcomes.incumbent is not None
    found = evidence(outcomes)
    low, high = found.interval(0.1)
    assert low <= found.estimate <= high
    swapped = evidence(apart(outcomes.incumbent, outcomes.candidate, outcomes.cluster)).interval(0.1)
    assert tuple(swapped) == pytest.approx((-high, -low), abs=1e-7)
    assert tuple(evidence(apart(outcomes.candidate, outcomes.incumbent, outcomes.cluster + 7)).interval(0.1)) == (
        low,
        high,
    )
    told = found.decisions(-0.03, 0.05)[0]
    assert told == float(low > -0.03) - float(high < -0.03) or min(abs(low + 0.03), abs(high + 0.03)) < 1e-6


def test_leaving_a_cluster_out_is_what_the_rest_says():
    outcomes = clustered(3, 12, 3)
    assert outcomes.incumbent is not None
    found = evidence(outcomes)
    for label, told in zip(found.labels.tolist(), found.decisions(0.1, 0.2, left_out=True)[1:].tolist(), strict=True):
        kept = outcomes.cluster != label
        rest = apart(outcomes.candidate[kept], outcomes.incumbent[kept], outcomes.cluster[kept])
        assert evidence(rest).decisions(0.1, 0.2)[0] == told


def test_values_are_compared_by_welchs_t():
    random = np.random.default_rng(2)
    first, second = random.beta(5, 2, 80), random.beta(5, 3, 50)
    gone1, gone2 = np.full(50, np.nan), np.full(80, np.nan)
    found = evidence(apart(np.append(first, gone1), np.append(gone2, second), graded=True))
    se = np.sqrt(first.var(ddof=1) / 80 + second.var(ddof=1) / 50)
    low, high = found.interval(0.05)
    assert found.estimate == pytest.approx(first.mean() - second.mean())
    assert (high - low) / 2 == pytest.approx(1.983 * se, rel=0.02)  # t at about 104 degrees of freedom


@pytest.mark.parametrize(
    ("candidate", "incumbent"),
    [
        pytest.param([1.0] * 40 + [np.nan], [np.nan] * 40 + [1.0], id="one-case"),
        pytest.param([1.0] * 40, [np.nan] * 40, id="nothing"),
    ],
)
def test_an_arm_of_one_case_or_none_shows_nothing(candidate: Sequence[float], incumbent: Sequence[float]):
    found = compare(apart(candidate, incumbent))
    if found is not None:
        assert tuple(found.interval(0.1)) == (-1.0, 1.0)
        assert found.p_below(-0.03) == 1.0
    (rubric,) = compare_arrays(make_suite({"name": "r"}), {"r": apart(candidate, incumbent)})[1]
    assert rubric.decision == "INCONCLUSIVE"


def test_part_of_the_cases_shared_is_never_only_those():
    """60 shared cases on which nothing differs; the rest, which the intersection would hide, is much worse."""
    candidate = np.array([1.0] * 60 + [0.0] * 200 + [np.nan] * 200)
    incumbent = np.array([1.0] * 60 + [np.nan] * 200 + [1.0] * 200)
    (rubric,) = compare_arrays(make_suite({"name": "r"}), {"r": apart(candidate, incumbent)})[1]
    assert rubric.decision == "BLOCK"
    assert rubric.difference is not None
    assert rubric.difference.value == pytest.approx(60 / 260 - 1)
    assert "candidate 260, incumbent 260, 60 cases of both" in rubric.sentence
    assert "compared unpaired: that shows less" in rubric.sentence
    assert (rubric.candidate.missing, rubric.incumbent.missing, rubric.flags.count("missing")) == (0, 0, 0)
    assert rubric.pairs is None


def test_unpaired_shows_less_than_the_same_cases_would():
    passed = (np.arange(400) % 10 > 0).astype(float)
    gone = np.full(400, np.nan)
    same = compare(Outcomes.of(passed, passed))
    other = compare(apart(np.append(passed, gone), np.append(gone, passed)))
    assert same is not None
    assert other is not None
    assert same.decisions(-0.03, 0.05)[0] == 1
    assert other.decisions(-0.03, 0.05)[0] == 0


# through a real suite -------------------------------------------------------------------------------------------------


def trial(folder: Path, old: Sequence[int], new: Sequence[int], *, partial: bool = True, cases: int = 400) -> Path:
    """Two recordings of these cases; the new one is wrong on every fourth."""
    rows = [{"id": f"c{i}", "input": f"task {i}", "expected": "1"} for i in range(cases)]
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, held in (("old", old), ("new", new)):
        said = [{"id": f"c{i}", "output": "0" if name == "new" and i % 4 == 0 else "1"} for i in held]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    target = {"join": "id", **({"partial": True} if partial else {})}
    suite = {
        "name": "samples",
        "dataset": {"path": "cases.jsonl"},
        "targets": {name: {"use": f"replay:{name}.jsonl", **target} for name in ("old", "new")},
        "incumbent": "old",
        "rubrics": [
            {"name": "right", "scorer": "exact"},
            {"name": "never", "scorer": "exact", "kind": "gate", "limit_points": 50},
        ],
    }
    (folder / "seatrial.yaml").write_text(json.dumps(suite))
    return folder / "seatrial.yaml"


SAMPLES = [
    pytest.param(range(200), range(200, 400), 0, id="nothing-shared"),
    pytest.param(range(250), range(150, 400), 100, id="part-shared"),
]


@pytest.mark.parametrize(("old", "new", "shared"), SAMPLES)
def test_replays_of_different_samples(tmp_path: Path, old: range, new: range, shared: int):
    suite = trial(tmp_path, old, new)
    report = seatrial.run(suite)
    (verdict,) = report.verdicts
    right, never = verdict.rubrics
    assert [arm.outputs for arm in report.arms] == [len(old), len(new)]
    assert (right.incumbent.n, right.candidate.n) == (len(old), len(new))
    assert (right.incumbent.missing, right.candidate.missing) == (0, 0)
    assert right.decision == "BLOCK"
    assert right.difference.method.startswith("unpaired Miettinen–Nurminen")
    assert f"{shared} cases of both" in right.sentence
    assert any("was not tested" in text for text in never.warnings)
    assert not any("not applicable" in text or "left out" in text for text in right.warnings)
    again = seatrial.run(suite)
    assert again.verdicts[0].rubrics[0].difference == right.difference


def test_the_same_sample_stays_paired(tmp_path: Path):
    (verdict,) = seatrial.run(trial(tmp_path, range(200), range(200))).verdicts
    right = verdict.rubrics[0]
    assert right.difference.method == "Tango"
    assert (right.pairs.n, right.pairs.missing) == (200, 0)


def test_a_recording_that_is_to_hold_every_case_still_must(tmp_path: Path):
    with pytest.raises(RecordingError, match="200 cases without a row"):
        seatrial.run(trial(tmp_path, range(200), range(200, 400), partial=False))


def test_a_partial_recording_of_other_cases_is_told(tmp_path: Path):
    with pytest.raises(RecordingError, match="match no case"):
        seatrial.run(trial(tmp_path, range(200), range(500, 600)))


@pytest.mark.heavy
@pytest.mark.parametrize(("clusters", "size"), [(150, 1), (60, 5), (150, 4)])
def test_a_candidate_at_the_margin_ships_at_most_as_often_as_it_may(clusters: int, size: int):
    random = np.random.default_rng(31)
    passed, covered, reps = 0, 0, 1000
    cluster = np.repeat(np.arange(2 * clusters), size)
    ours = np.arange(2 * clusters * size) < clusters * size
    for _ in range(reps):
        mean = np.where(np.arange(2 * clusters) < clusters, 0.82, 0.85)
        p = np.repeat(random.beta(mean * 4, (1 - mean) * 4), size)
        said = (random.random(len(p)) < p).astype(float)
        found = evidence(apart(np.where(ours, said, np.nan), np.where(ours, np.nan, said), cluster))
        passed += found.decisions(-0.03, 0.05)[0] > 0
        low, high = found.interval(0.1)
        covered += low <= -0.03 <= high
    assert passed / reps <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / reps)
    assert covered / reps >= 0.90 - 3 * np.sqrt(0.09 / reps)
