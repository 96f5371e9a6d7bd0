"""Real recorded answers of four models to GSM8K, with their official verdicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import seatrial
from seatrial.store.store import Store

MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
CORRECT = (286, 515, 458, 742)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, shared_data) -> tuple[Path, str]:
    """The four models as replay targets over the 1,319 questions; gives the store and the trial."""
    data = shared_data("gsm8k_model_solutions.jsonl")
    folder = tmp_path_factory.mktemp("gsm8k")
    (folder / "gsm8k.jsonl").write_bytes(data.read_bytes())
    suite = {
        "name": "gsm8k",
        "dataset": {"path": "gsm8k.jsonl", "fields": {"input": "question", "expected": "ground_truth"}},
        "targets": {
            model: {"use": "replay:gsm8k.jsonl", "fields": {"input": "question", "output": f"{model}.solution"}}
            for model in MODELS
        },
        "incumbent": "6b_verification",
        "rubrics": [{"name": "right", "scorer": "numeric", "margin_points": 3}],
    }
    (folder / "seatrial.yaml").write_text(json.dumps(suite))
    report = seatrial.run(folder / "seatrial.yaml")
    return folder / ".seatrial" / "seatrial.db", report.trial_id


def verdict(trial: tuple[Path, str], incumbent: str, candidate: str):
    store, trial_id = trial
    report = seatrial.compare(trial_id, store=store, incumbent=incumbent, candidates=[candidate])
    (found,) = report.verdicts
    return found, found.rubrics[0]


def test_the_official_verdicts_are_reproduced(trial, shared_data):
    store_file, trial_id = trial
    official = [json.loads(line) for line in shared_data("gsm8k_model_solutions.jsonl").read_text().splitlines()]
    with Store(store_file) as store:
        for run, correct in zip(store.runs(trial_id), CORRECT, strict=True):
            ids = [int.from_bytes(item.score_ids, "little") for item in store.run_items(run.id)]
            scores = store.load_scores(set(ids))
            passed = [scores[i].passed for i in ids]
            assert sum(bool(p) for p in passed) == correct
            assert passed == [row[run.target]["is_correct"] for row in official]


PAIRS = [
    pytest.param("6b_verification", "175b_finetuning", 152, 209, "inconclusive", id="smaller-to-larger"),
    pytest.param("175b_finetuning", "6b_verification", 209, 152, "ship", id="larger-to-smaller"),
    pytest.param("175b_finetuning", "175b_verification", 360, 76, "ship", id="verification-helps"),
    pytest.param("175b_verification", "175b_finetuning", 76, 360, "block", id="and-its-loss-blocks"),
]


@pytest.mark.parametrize(("incumbent", "candidate", "gained", "lost", "overall"), PAIRS)
def test_the_verdicts(trial, incumbent, candidate, gained, lost, overall):
    found, rubric = verdict(trial, incumbent, candidate)
    assert (rubric.pairs.gained, rubric.pairs.lost, rubric.pairs.n) == (gained, lost, 1319)
    assert found.overall == overall


def test_a_real_regression_that_may_be_within_the_margin_is_said(trial):
    _, rubric = verdict(trial, "6b_verification", "175b_finetuning")
    assert "regressed" in rubric.flags
    assert round(100 * rubric.difference.low, 1) == -6.7
    assert round(100 * rubric.difference.high, 1) == -2.0
    assert rubric.difference.level == 0.90
    assert "Tango" in rubric.difference.method
    assert rubric.needed > 0
