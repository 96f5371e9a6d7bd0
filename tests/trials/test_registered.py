"""The registered policy: hashed before an answer exists, its changes at the top, also where another suite judges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.trials.project import Project

import seatrial
from seatrial.core.registered import changes, terms, terms_hash
from seatrial.core.suite import Suite

RECORDED = {
    "old": {"use": "replay:old.jsonl", "join": "id"},
    "new": {"use": "replay:new.jsonl", "join": "id"},
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """120 cases; the incumbent is right on all, the candidate on all but two."""
    made = Project(tmp_path)
    cases = [{"id": f"c{i}", "input": f"question {i}", "expected": f"answer {i}"} for i in range(120)]
    for name, wrong in (("old", ()), ("new", (5, 6))):
        rows = [{"id": c["id"], "output": "no idea" if i in wrong else c["expected"]} for i, c in enumerate(cases)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rubrics = [{"name": "right", "scorer": "exact", "margin_points": 3}]
    made.write(cases, targets=RECORDED, incumbent="old", rubrics=rubrics)
    return made


def change(project: Project, **policy: object) -> None:
    """Rewrite the suite with another policy."""
    project.suite["policy"] = policy
    (project.folder / "seatrial.yaml").write_text(json.dumps(project.suite))


def test_the_hash_is_written_down_before_any_answer(project: Project):
    seen: list[str] = []

    def show(progress: object) -> None:
        with project.store() as store:
            rows = store.trials()
            seen.extend(str(row.environment["registered"]["hash"]) for row in rows if row.status == "running")

    report = project.run(show=show)
    assert report.registered is not None
    assert set(seen) == {report.registered.hash}
    assert report.registered.hash.startswith("policy:")
    assert report.registered.changes == ()
    assert not any("policy" in warning for warning in report.warnings)


def test_a_change_after_results_stands_at_the_top_with_old_and_new(project: Project):
    first = project.run()
    change(project, margin_points=5, alpha=0.1)
    project.suite["rubrics"][0]["margin_points"] = 10
    change(project, margin_points=5, alpha=0.1)
    report = project.run()
    top = report.warnings[0]
    assert top.startswith("The policy was changed after results existed (")
    assert f"trial {first.trial_id}" in top
    for said in ("policy.alpha 0.05 → 0.1", "policy.margin_points 3.0 → 5.0", "rubrics.right.margin_points 3.0 → 10.0"):
        assert said in top
    assert report.registered.first_trial == first.trial_id
    assert seatrial.compare(report.trial_id, store=project.folder / ".seatrial" / "seatrial.db") == report


def test_back_to_the_first_policy_nothing_is_said_and_slices_never_count(project: Project):
    project.run()
    change(project, alpha=0.1)
    project.run()
    change(project, slices=["kind"])
    report = project.run()
    assert report.registered.changes == ()


def test_another_dataset_or_other_arms_start_anew(project: Project):
    project.run()
    cases = [{"id": f"d{i}", "input": f"question {i}", "expected": f"answer {i}"} for i in range(120)]
    project.suite["targets"] = {name: {**spec, "join": "input"} for name, spec in RECORDED.items()}
    for name in RECORDED:
        rows = [json.loads(line) for line in (project.folder / f"{name}.jsonl").read_text().splitlines()]
        rows = [{**row, "input": f"question {row['id'][1:]}"} for row in rows]
        (project.folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    project.write(cases, policy={"alpha": 0.1})
    assert project.run().registered.changes == ()


def test_a_run_without_a_report_registers_nothing(project: Project):
    with project.store() as store:
        assert store.trials() == []
    change(project, alpha=0.2)
    assert project.run().registered.changes == ()


# compare --suite ------------------------------------------------------------------------------------------------------


def judged(project: Project, tmp_path: Path, **changes_of_suite: object) -> seatrial.verdicts.records.TrialReport:
    other = {**project.suite, **changes_of_suite}
    (project.folder / "other.yaml").write_text(json.dumps(other))
    store = project.folder / ".seatrial" / "seatrial.db"
    return seatrial.compare(store=store, suite=project.folder / "other.yaml")


def test_another_suite_judges_the_same_answers_and_the_change_is_named(project: Project, tmp_path: Path):
    before = project.run()
    after = judged(project, tmp_path, rubrics=[{"name": "right", "scorer": "exact", "margin_points": 20}])
    assert (before.verdicts[0].overall, after.verdicts[0].overall) == ("inconclusive", "ship")
    assert after.warnings[0].startswith("Judged by other.yaml, not by the policy that was registered: changed after")
    assert "rubrics.right.margin_points 3.0 → 20.0" in after.warnings[0]
    assert after.verdicts[0].rubrics[0].candidate == before.verdicts[0].rubrics[0].candidate


def test_the_same_suite_judges_the_same(project: Project, tmp_path: Path):
    before, after = project.run(), judged(project, tmp_path)
    assert after.verdicts == before.verdicts
    assert after.warnings[0] == "Judged by other.yaml, which decides as the registered policy does."


def test_an_unscored_rubric_is_named_and_never_passes(project: Project, tmp_path: Path):
    project.run()
    rubrics = [
        {"name": "accurate", "scorer": "exact", "margin_points": 20},
        {"name": "short", "scorer": "length", "with": {"max": 9}},
    ]
    report = judged(project, tmp_path, rubrics=rubrics)
    renamed, unscored = report.verdicts[0].rubrics
    assert (renamed.decision, unscored.decision) == ("PASS", "INCONCLUSIVE")
    assert unscored.pairs.missing == 120
    assert "Rubric short is unscored in this trial: run the suite to score it." in report.warnings
    assert report.verdicts[0].overall == "not_evaluable"


def test_the_command_takes_a_suite_and_no_record_with_it(project: Project):
    project.run()
    done = project.call("compare", "--suite", "seatrial.yaml", "--record", "r.json")
    assert done.returncode == 2
    assert "--record and --suite do not go together" in done.stderr
    assert not (project.folder / "r.json").exists()


# terms ----------------------------------------------------------------------------------------------------------------

BASE = {
    "name": "s",
    "dataset": {"path": "c.jsonl"},
    "targets": {"m": {"use": "replay:m.jsonl"}},
    "rubrics": [{"name": "right", "scorer": "exact"}],
}


def suite(**more: object) -> Suite:
    return Suite.model_validate({**BASE, **more})


CHANGES = [
    pytest.param({"policy": {"gate_alpha": 0.2}}, ("policy.gate_alpha", "0.1", "0.2"), id="alpha"),
    pytest.param({"policy": {"cluster": "intent"}}, ("policy.cluster", "seed_id", "intent"), id="cluster"),
    pytest.param({"policy": {"max_age": {"outputs": "30d"}}}, ("policy.max_age.outputs", "none", "30d"), id="age"),
    pytest.param(
        {"rubrics": [{"name": "right", "scorer": "exact", "with": {"strip": False}}]},
        ("rubrics.right.with.strip", "none", "false"),
        id="settings",
    ),
    pytest.param(
        {"rubrics": [{"name": "right", "scorer": "exact", "kind": "advisory"}]},
        ("rubrics.right.kind", "quality", "advisory"),
        id="kind",
    ),
    pytest.param(
        {"rubrics": [*BASE["rubrics"], {"name": "more", "scorer": "exact"}]},
        ("rubrics.more", "not there", "there"),
        id="a-rubric-more",
    ),
    pytest.param(
        {"dataset": {"path": "c.jsonl", "shares": {"intent": {"a": 1.0}}}},
        ("dataset.shares.intent.a", "none", "1.0"),
        id="weights",
    ),
]


@pytest.mark.parametrize(("more", "expected"), CHANGES)
def test_what_decides_is_a_change(more: dict, expected: tuple[str, str, str]):
    old, new = suite(), suite(**more)
    assert [tuple(change) for change in changes(terms(old, {}), terms(new, {}))] == [expected]
    assert terms_hash(old, {}) != terms_hash(new, {})


def test_a_scorers_new_version_is_a_change_and_what_only_shows_is_none():
    one, two = ({"right": f"scorer:st1:{digit * 64}"} for digit in "ab")
    (found,) = changes(terms(suite(), one), terms(suite(), two))
    assert found.key == "rubrics.right.version"
    shown = suite(policy={"slices": ["intent"], "record_days": 10}, description="other", seed=9)
    assert changes(terms(suite(), one), terms(shown, one)) == []
    assert terms_hash(suite(), one) == terms_hash(shown, one)


def test_what_an_aa_trial_changes_of_its_own_accord_is_no_change_of_policy(project: Project):
    (project.folder / "models.py").write_text("def same(request):\n    return request.text\n")
    target = {"use": "python:models:same"}
    project.suite["targets"] = {"old": target, "new": {**target, "options": {"version": 2}}}
    change(project, early_stopping={"looks": 2})
    project.run()
    twice = project.run(aa="")
    assert twice.registered is not None
    assert twice.registered.changes == ()
    assert not any("policy was changed" in warning for warning in twice.warnings)
    change(project, early_stopping={"looks": 2}, alpha=0.1)
    altered = project.run(aa="").registered
    assert altered is not None
    assert [key for key, *_ in altered.changes] == ["policy.alpha"]
