"""People's labels: read with every fault at its line, of one answer and no other, and a confirmed failure blocks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.verdicts.made_trials import Trial, make_suite

from seatrial.core.case import Case
from seatrial.core.output import Output
from seatrial.core.score import Score
from seatrial.errors import LabelsError
from seatrial.store.store import Store
from seatrial.trials.suite.labels import read
from seatrial.verdicts.compare import report

SUITE = make_suite({"name": "right"}, {"name": "safe", "kind": "gate", "limit_points": 5})
LIMIT = make_suite({"name": "slow", "scorer": "latency", "kind": "limit", "at_most": 5})
GOOD = {"case": "c3", "target": "new", "rubric": "safe", "verdict": "fail", "who": "Ann", "when": "2026-03-02"}
FINISHED = "2026-03-01T12:00:00+00:00"


def lines(*rows: object) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


FAULTS = [
    pytest.param(lines(GOOD, b"{"), "2: is not JSON", id="no-json"),
    pytest.param(lines(b"[1]"), "1: is no label", id="a-list"),
    pytest.param(lines({**GOOD, "verdict": "bad"}), "1: verdict: must be 'fail' or 'pass'", id="verdict"),
    pytest.param(lines({k: v for k, v in GOOD.items() if k != "who"}), "1: who: is required", id="nobody"),
    pytest.param(lines({**GOOD, "when": "yesterday"}), "1: when: must be an ISO 8601", id="when"),
    pytest.param(lines({**GOOD, "case_id": "c1"}), "did you mean 'case'", id="key"),
    pytest.param(lines({**GOOD, "rubric": "saef"}), "1: rubric: names no rubric of the suite (got saef)", id="rubric"),
    pytest.param(lines({**GOOD, "target": "nwe"}), "did you mean 'new'", id="target"),
    pytest.param(lines({**GOOD, "target": ""}), "needs target, or output", id="no-answer-named"),
    pytest.param(lines({**GOOD, "output": "zz"}), "1: output:", id="hash"),
    pytest.param(lines(GOOD, b"x" * 70_000), "2: is longer than 64 KiB", id="long"),
    pytest.param(lines(b"[" * 50_000), "1: is n", id="deep"),
    pytest.param(b'{"case": "\xff"}\n', "1: is not JSON", id="not-utf-8"),
]


@pytest.mark.parametrize(("raw", "said"), FAULTS)
def test_faults_are_told_with_their_line(tmp_path: Path, raw: bytes, said: str):
    file = tmp_path / "labels.jsonl"
    file.write_bytes(raw)
    with pytest.raises(LabelsError) as caught:
        read(file, SUITE)
    assert said in str(caught.value)
    assert "labels.jsonl:" in str(caught.value)


def test_all_faults_are_told_at_once_and_a_limit_takes_no_label(tmp_path: Path):
    file = tmp_path / "labels.jsonl"
    file.write_bytes(lines({**GOOD, "rubric": "slow"}, {**GOOD, "rubric": "nothing"}))
    with pytest.raises(LabelsError) as caught:
        read(file, LIMIT)
    assert [problem.line for problem in caught.value.problems] == [1, 2]
    with pytest.raises(LabelsError, match="cannot be read"):
        read(tmp_path / "none.jsonl", SUITE)


def test_good_labels_are_read_with_surrogates_and_blank_lines(tmp_path: Path):
    file = tmp_path / "labels.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + lines(GOOD, b"", {**GOOD, "case": "\ud800\x00"}))
    assert [label.case for label in read(file, SUITE)] == ["c3", "\ud800\x00"]


# applied --------------------------------------------------------------------------------------------------------------


def trial(store: Store, environment: dict[str, object], *, epochs: int = 1) -> str:
    """200 cases that both arms pass; everything was answered at one time."""
    cases = [Case(id=f"c{i}", input=f"question {i}") for i in range(200)]

    def answer(case: Case, epoch: int) -> tuple[Output, list[Score | None]]:
        passed = Score(status="scored", value=1.0, passed=True)
        return Output.of(f"answer {case.id} {epoch}", finished_at=FINISHED), [passed, passed]

    made = Trial(store, SUITE, cases, epochs=epochs)
    return made.write({"old": answer, "new": answer}, environment=environment)


def labelled(*labels: dict[str, object]) -> dict[str, object]:
    return {"labels": {"file": "labels.jsonl", "labels": list(labels)}}


def test_a_confirmed_failure_on_a_gate_blocks_whatever_the_numbers_say(store: Store):
    plain = report(store, trial(store, {}))
    assert plain.verdicts[0].overall == "ship"


def test_one_confirmed_failure_blocks(store: Store):
    found = report(store, trial(store, labelled(GOOD)))
    (verdict,) = found.verdicts
    gate = verdict.rubrics[1]
    assert (verdict.overall, gate.decision) == ("block", "BLOCK")
    assert "A person confirmed 1 failure: case c3 by Ann on 2026-03-02." in gate.sentence
    assert found.warnings[0].startswith("People's labels stand in place of 1 score (safe 1; 1 say otherwise): c3.")
    assert found.environment["labels"] == {"file": "labels.jsonl", "labels": 1}


NOT_THIS = [
    pytest.param({"when": "2026-02-28"}, "of another answer", id="written-before-the-answer"),
    pytest.param({"output": "0123456789abcdef"}, "of another answer", id="another-hash"),
    pytest.param({"case": "c999"}, "name a case that is not in this trial, like c999", id="another-case"),
    pytest.param({"target": "gone"}, "name a target that was not run, like gone", id="another-target"),
    pytest.param({"epoch": 4}, "of another answer", id="another-epoch"),
]


@pytest.mark.parametrize(("change", "why"), NOT_THIS)
def test_a_label_of_another_answer_is_counted_and_changes_nothing(store: Store, change: dict, why: str):
    found = report(store, trial(store, labelled({**GOOD, **change})))
    assert found.verdicts[0].overall == "ship"
    assert found.warnings[0].startswith("1 label not applied:")
    assert why in found.warnings[0]


def test_an_answer_named_by_its_hash_needs_no_time_and_the_incumbents_failure_does_not_block(store: Store):
    hashed = Output.of("answer c3 0", finished_at=FINISHED).hash.rsplit(":", 1)[1]
    label = {k: v for k, v in GOOD.items() if k != "target"} | {"output": hashed[:16], "when": "2020-01-01"}
    found = report(store, trial(store, labelled(label)))
    assert found.verdicts[0].overall == "block"  # both arms gave that very answer, the candidate too
    assert "safe 2" in found.warnings[0]


def test_the_incumbents_confirmed_failure_does_not_block(store: Store):
    found = report(store, trial(store, labelled({**GOOD, "target": "old"})))
    assert found.verdicts[0].overall == "ship"
    assert found.verdicts[0].rubrics[1].incumbent.passed == 199


def test_the_newest_of_two_labels_counts_and_disagreement_is_named(store: Store):
    later = {**GOOD, "verdict": "pass", "when": "2026-03-05", "who": "Ben"}
    found = report(store, trial(store, labelled(later, GOOD)))
    assert found.verdicts[0].overall == "ship"
    assert any("People disagree on 1 answer" in warning for warning in found.warnings)


def test_with_several_epochs_a_label_must_say_which(store: Store):
    found = report(store, trial(store, labelled(GOOD, {**GOOD, "epoch": 1}), epochs=2))
    gate = found.verdicts[0].rubrics[1]
    assert gate.candidate.n - gate.candidate.passed == 1
    assert "1 label not applied: 1 do not say which epoch." in found.warnings


def test_a_quality_label_moves_its_own_answer_only(store: Store):
    found = report(store, trial(store, labelled({**GOOD, "rubric": "right"})))
    right = found.verdicts[0].rubrics[0]
    assert (right.candidate.passed, right.incumbent.passed) == (199, 200)
    assert found.verdicts[0].overall == "ship"
