"""A suite names a version of a set: a real run over it, and every way in which the two do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.datasets.versions.sets import FIRST, Run, write_lines

from seatrial.core.suite import DatasetSpec
from seatrial.datasets import fingerprint, read

SUITE = """\
name: refunds
dataset: {{path: sets/refunds, {more}}}
targets:
  now: {{use: "replay:now.jsonl"}}
rubrics:
  - {{name: right, scorer: exact}}
"""


def suite(tmp_path: Path, more: str) -> None:
    (tmp_path / "seatrial.yaml").write_text(SUITE.format(more=more))
    answers = {"Where is my parcel?": "tracking", "I want my money back.": "refund"}
    if (tmp_path / "sets" / "refunds" / "build.jsonl").exists():
        answers["hello"] = "hi"
    write_lines(tmp_path / "now.jsonl", [{"input": said, "output": answer} for said, answer in answers.items()])


def test_a_run_names_the_version_it_ran(run: Run, refunds: Path, tmp_path: Path) -> None:
    version = run("dataset", "commit", "sets/refunds", "-m", "first", "--json").json["version"]
    run("dataset", "tag", "sets/refunds", "v3")
    suite(tmp_path, "split: test, version: v3")
    report = run("run", "--json").json
    assert report["cases"] == 2
    assert report["dataset"] == "refunds"
    ran = report["environment"]["set"]
    assert (ran["version"], ran["tags"], ran["splits"]) == (version, ["v3"], ["test"])
    (trial,) = run("trials", "--json").json["trials"]
    assert trial["environment"]["set"] == ran
    lock = run("dataset", "show", "sets/refunds", "--json").json
    assert report["dataset_hash"] == lock["splits"]["test"]  # the set's shares went into it


def test_several_splits_are_run_as_one(run: Run, refunds: Path, tmp_path: Path) -> None:
    write_lines(refunds / "build.jsonl", [{"id": "z", "input": "hello", "expected": "hi"}])
    run("dataset", "commit", "sets/refunds", "-m", "first")
    suite(tmp_path, "split: [build, test]")
    assert run("run", "--json").json["cases"] == 3
    spec = DatasetSpec(path="sets/refunds", split=("build", "test"))
    assert [case.id for case in read(spec, tmp_path)] == ["z", "a", "b"]
    assert fingerprint(spec, tmp_path) != fingerprint(DatasetSpec(path="sets/refunds"), tmp_path)


@pytest.mark.parametrize(
    ("more", "change", "told", "hint"),
    [
        pytest.param("version: v9", "", "The set has no version 'v9'", "dataset log", id="unknown"),
        pytest.param("version: v1", "commit", "The suite names version v1", "checkout sets/refunds v1", id="another"),
        pytest.param("split: test", "edit", "was changed since version", "dataset commit", id="uncommitted"),
        pytest.param("split: build", "", "has no case in build; it has 2 test", "dataset.split", id="empty-split"),
        pytest.param("fields: {input: q}", "", "which has its own fields", "delete them", id="mapping"),
        pytest.param("split: other", "", "dataset.split: must be", "seatrial", id="no-split"),
    ],
)
def test_what_does_not_fit_is_told(
    run: Run, refunds: Path, tmp_path: Path, more: str, change: str, told: str, hint: str
) -> None:
    run("dataset", "commit", "sets/refunds", "-m", "first")
    run("dataset", "tag", "sets/refunds", "v1")
    if change:
        write_lines(refunds / "test.jsonl", [FIRST[0]])
    if change == "commit":
        run("dataset", "commit", "sets/refunds", "-m", "second")
    suite(tmp_path, more)
    found = run("run")
    assert found.code == 2
    assert told in found.err
    assert hint in found.err
    assert not run("trials", "--json").out.count('"id"')


def test_a_set_that_was_never_committed_is_not_run(run: Run, refunds: Path, tmp_path: Path) -> None:
    suite(tmp_path, "split: test")
    found = run("run")
    assert found.code == 2
    assert "has no version yet" in found.err


def test_line_ends_alone_are_no_change(run: Run, refunds: Path, tmp_path: Path) -> None:
    run("dataset", "commit", "sets/refunds", "-m", "first")
    path = refunds / "test.jsonl"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    suite(tmp_path, "split: test")
    assert run("run", "--json").json["cases"] == 2


def test_a_plain_file_has_no_versions(run: Run, refunds: Path, tmp_path: Path) -> None:
    suite(tmp_path, "version: v1")
    text = (tmp_path / "seatrial.yaml").read_text().replace("sets/refunds", "sets/refunds/test.jsonl")
    (tmp_path / "seatrial.yaml").write_text(text)
    found = run("run")
    assert found.code == 2
    assert "is not the folder of a set" in found.err
