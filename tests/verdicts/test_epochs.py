"""Several tries at a case: imported by trial number, joined as epochs, reported as pass^k and pass@k over clusters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seatrial
from seatrial.errors import RecordingError
from seatrial.stats import cluster_rate
from seatrial.verdicts.engine.outcomes import Outcomes
from seatrial.verdicts.engine.rates import tries

RIGHT = {"name": "solved", "scorer": "numeric", "margin_points": 3}


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def suite_of(folder: Path, targets: Mapping[str, Any], **fields: Any) -> Path:
    plain = {"name": "tries", "dataset": {"path": "cases.jsonl"}, "targets": targets, "rubrics": [RIGHT], **fields}
    (folder / "seatrial.yaml").write_text(json.dumps(plain), encoding="utf-8")
    return folder / "seatrial.yaml"


def recorded(folder: Path, trials: Iterable[int], *, cases: int = 40, name: str = "agent", luck: int = 3) -> None:
    """A case's answer is right (1) at trial t where (case + t) is no multiple of `luck`."""
    rows = [{"id": f"c{i}", "output": int((i + t) % luck > 0), "trial": t} for i in range(cases) for t in trials]
    write(folder / f"{name}.jsonl", rows)
    write(folder / "cases.jsonl", [{"id": f"c{i}", "input": f"task {i}", "expected": 1} for i in range(cases)])


AGENT = {"use": "replay:agent.jsonl", "join": "id", "fields": {"epoch": "trial"}}


def test_tau_airline_gives_its_published_reliability(tmp_path: Path, shared_data):
    rows = json.loads(shared_data("tau_airline_gpt-4o.json").read_text(encoding="utf-8"))
    write(
        tmp_path / "agent.jsonl",
        (
            {"task": str(row["task_id"]), "reward": row["reward"], "steps": row["traj"][-1:], "trial": row["trial"]}
            for row in rows
        ),
    )
    tasks = {str(row["task_id"]): row["info"]["task"]["instruction"] for row in rows}
    write(tmp_path / "cases.jsonl", ({"id": task, "input": text, "expected": 1} for task, text in tasks.items()))
    agent = {"use": "replay:agent.jsonl", "join": "id", "fields": {"id": "task", "output": "reward", "epoch": "trial"}}
    report = seatrial.run(suite_of(tmp_path, {"gpt-4o": agent}), epochs=4)

    (solved,) = report.rates
    assert (report.epochs, report.cases, report.clusters) == (4, 50, 50)
    assert solved.candidate is not None
    assert solved.candidate.estimate.value == pytest.approx(0.42)
    assert solved.candidate.n == 200
    assert [t.k for t in solved.tries] == [1, 2, 3, 4]
    first, last = solved.tries[0], solved.tries[-1]
    assert (first.all_pass.value, last.all_pass.value) == (pytest.approx(0.42), pytest.approx(0.20))
    assert last.all_pass.low is not None
    assert last.all_pass.high is not None
    # 10 of 50 tasks are solved in all four trials: fifty cases tell, not two hundred
    assert (last.all_pass.low, last.all_pass.high) == pytest.approx((0.112, 0.330), abs=0.006)
    assert "pass^4" in last.all_pass.method
    assert "passes 20.0% (95% interval" in solved.sentence
    naive = 1.96 * np.sqrt(0.42 * 0.58 / 200)
    assert first.all_pass.high - first.all_pass.low > 2 * naive * 1.3
    assert solved.candidate.estimate.high - solved.candidate.estimate.low > 2 * naive * 1.3


def test_trials_may_be_numbered_from_anything(tmp_path: Path):
    recorded(tmp_path, (7, 3, 5))
    (found,) = seatrial.run(suite_of(tmp_path, {"agent": AGENT}), epochs=3).rates
    # of three trials in a row of odd numbers exactly one fails
    assert found.candidate is not None
    assert found.candidate.estimate.value == pytest.approx(2 / 3, abs=0.01)
    assert (found.tries[-1].all_pass.value, found.tries[-1].any_pass.value) == (0.0, 1.0)


def test_running_again_asks_nobody(tmp_path: Path):
    recorded(tmp_path, range(3))
    suite = suite_of(tmp_path, {"agent": AGENT})
    seatrial.run(suite, epochs=3)
    again = seatrial.run(suite, epochs=3)
    assert again.arms[0].reused == 120


def test_fewer_epochs_than_recorded_take_the_first(tmp_path: Path):
    recorded(tmp_path, range(3))
    (found,) = seatrial.run(suite_of(tmp_path, {"agent": AGENT}), epochs=2).rates
    assert [t.k for t in found.tries] == [1, 2]


FAULTS = [
    pytest.param({"id": "c0", "output": 1, "trial": 0}, "duplicate rows", id="twice-the-same-trial"),
    pytest.param({"id": "c0", "output": 1, "trial": -1}, "an epoch must be a whole number", id="below-zero"),
    pytest.param({"id": "c0", "output": 1, "trial": "1"}, "an epoch must be a whole number", id="text"),
    pytest.param({"id": "c0", "output": 1, "trial": 2**63}, "an epoch must be a whole number", id="huge"),
    pytest.param({"id": "c0", "output": 1, "trial": 9}, "no row is for this case at epoch 9", id="uneven"),
]


@pytest.mark.parametrize(("row", "says"), FAULTS)
def test_faulty_trial_numbers_are_told(tmp_path: Path, row: Mapping[str, Any], says: str):
    recorded(tmp_path, range(2))
    with (tmp_path / "agent.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    with pytest.raises(RecordingError) as told:
        seatrial.run(suite_of(tmp_path, {"agent": AGENT}), epochs=2)
    assert says in str(told.value)


def test_both_arms_are_shown_with_their_tries(tmp_path: Path):
    recorded(tmp_path, range(3), name="new")
    recorded(tmp_path, range(3), name="old", luck=4)
    targets = {name: {**AGENT, "use": f"replay:{name}.jsonl"} for name in ("old", "new")}
    (verdict,) = seatrial.run(suite_of(tmp_path, targets, incumbent="old"), epochs=3).verdicts
    (rubric,) = verdict.rubrics
    assert {(t.arm, t.k) for t in rubric.tries} == {(arm, k) for arm in ("candidate", "incumbent") for k in (1, 2, 3)}
    assert "the incumbent passes" in rubric.sentence
    assert rubric.pairs is not None
    assert rubric.pairs.deflation > 1


def test_intervals_are_those_of_cases_in_their_clusters():
    random = np.random.default_rng(5)
    arm = (random.random((60, 4)) < 0.6).astype(float)
    cluster = np.repeat(np.arange(20), 3)
    found = tries(Outcomes.of(arm, cluster=cluster), 0.05)
    every = arm.all(axis=1).astype(float)
    expected = cluster_rate(every, cluster)
    assert found[-1].all_pass.value == pytest.approx(every.mean())
    assert (found[-1].all_pass.low, found[-1].all_pass.high) == pytest.approx(tuple(expected.interval))


def test_cases_with_too_few_results_are_left_out_and_counted():
    arm = np.ones((40, 3))
    arm[:5, 2] = np.nan
    assert [(t.k, t.cases) for t in tries(Outcomes.of(arm), 0.05)] == [(1, 40), (2, 40), (3, 35)]


def test_one_try_says_nothing_of_reliability():
    assert tries(Outcomes.of(np.ones(30)), 0.05) == ()
