"""Commit, log, tag, diff, show, checkout: by the command line, over real files."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.datasets.versions.sets import FIRST, Run, write_lines

from seatrial.datasets import SetFolder, commit
from seatrial.datasets.versions.diffing import word_diff
from seatrial.errors import DatasetError

SET = "sets/refunds"
CHANGED = {**FIRST[0], "input": "Where is my lost parcel now?", "strata": {"intent": "delivery", "risk": "high"}}


def committed(run: Run, message: str = "first") -> Any:
    told = run("dataset", "commit", SET, "-m", message, "--json")
    assert told.code == 0, told.out
    return told.json


def test_a_commit_names_content_and_how_it_came_to_be(run: Run, refunds: Path) -> None:
    first = committed(run)
    assert first["new"]
    assert first["author"] == "Ada <ada@example.org>"
    assert (first["parent"], first["parents"]) == (None, [])
    assert first["cases"] == {"build": 0, "test": 2, "sealed": 0}
    assert first["shares"] == {"intent": {"delivery": 0.7, "refund": 0.3}}
    lock = json.loads((refunds / "set.lock").read_text())
    assert lock == {key: value for key, value in first.items() if key not in ("new", "rebuilt")}
    write_lines(refunds / "test.jsonl", [CHANGED, FIRST[1]])
    second = committed(run, "second")
    assert second["parent"] == first["version"]
    assert second["parents"] == [first["commit"]]
    assert second["canary"] == first["canary"]
    assert second["version"] != first["version"]
    assert [json.loads(line)["message"] for line in (refunds / "versions.jsonl").read_text().splitlines()] == [
        "first",
        "second",
    ]


def test_what_is_committed_makes_no_second_version_whatever_its_form(run: Run, refunds: Path) -> None:
    first = committed(run)
    before = (refunds / "test.jsonl").read_bytes()
    write_lines(refunds / "test.jsonl", FIRST[::-1])
    again = committed(run, "again")
    assert not again["new"]
    assert again["version"] == first["version"]
    assert (refunds / "test.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param("anchors: [T-1]\n", id="anchors"),
        pytest.param("stratifiers:\n- {stratum: x, use: attribute, path: metadata.note}\n", id="stratifiers"),
        pytest.param("shares: {intent: {refund: 0.6, delivery: 0.4}}\n", id="shares"),
    ],
)
def test_settings_read_back_from_the_lock_make_no_second_version(run: Run, refunds: Path, settings: str) -> None:
    case = {**FIRST[0], "id": "T-1"}
    write_lines(refunds / "test.jsonl", [case])
    (refunds / "set.yaml").write_text(settings)
    committed(run)
    before = (refunds / "versions.jsonl").read_bytes()
    assert not committed(run, "again")["new"]
    assert (refunds / "versions.jsonl").read_bytes() == before


def test_a_commit_that_was_killed_is_finished_by_the_same_command(run: Run, refunds: Path) -> None:
    first = committed(run)
    lock = (refunds / "set.lock").read_bytes()
    write_lines(refunds / "test.jsonl", [CHANGED])
    second = committed(run, "second")
    (refunds / "set.lock").write_bytes(lock)  # killed between the history and the lock
    third = committed(run, "second")
    assert third["commit"] == second["commit"] != first["commit"]
    assert len((refunds / "versions.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param([*FIRST, FIRST[0]], "is the id of line 1 already", id="id-twice"),
        pytest.param([{**FIRST[0], "inptu": 1}], "did you mean 'input'", id="unknown-field"),
        pytest.param([{"id": "x"}], "input: is required", id="no-input"),
        pytest.param(
            [{"id": "x", "input": "q", "metadata": {"unlabelled": True}}], "is not labelled yet", id="unlabelled"
        ),
        pytest.param([], "holds no cases", id="empty"),
    ],
)
def test_a_set_with_faults_is_not_committed(run: Run, refunds: Path, lines: Any, told: str) -> None:
    write_lines(refunds / "test.jsonl", lines)
    before = sorted(path.name for path in refunds.iterdir())
    found = run("dataset", "commit", SET, "-m", "x")
    assert found.code == 2
    assert told in found.err
    assert sorted(path.name for path in refunds.iterdir()) == before


def test_a_case_of_two_splits_is_named(run: Run, refunds: Path) -> None:
    write_lines(refunds / "build.jsonl", [FIRST[0]])
    found = run("dataset", "commit", SET, "-m", "x", "--json")
    assert found.code == 2
    assert "is the id of a case of build already" in found.json["error"]["problems"][0]


def test_a_label_that_came_takes_its_mark_away(run: Run, refunds: Path) -> None:
    write_lines(
        refunds / "test.jsonl", [{"id": "x", "input": "q", "expected": "yes", "metadata": {"unlabelled": True}}]
    )
    committed(run)
    assert [case.metadata for case in SetFolder(refunds).cases("test")] == [{}]


def test_a_file_that_changes_while_it_is_read_is_refused(refunds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = SetFolder.cases

    def meddling(self: SetFolder, split: Any) -> Any:
        yield from real(self, split)
        if split == "test":
            write_lines(refunds / "test.jsonl", [FIRST[1]])

    monkeypatch.setattr(SetFolder, "cases", meddling)
    with pytest.raises(DatasetError, match="changed while it was read"):
        commit(refunds, "x")
    assert not (refunds / "versions.jsonl").exists()


def two_versions(run: Run, refunds: Path) -> tuple[Any, Any]:
    first = committed(run)
    run("dataset", "tag", SET, "v1")
    write_lines(refunds / "test.jsonl", [CHANGED])
    write_lines(refunds / "build.jsonl", [{"id": "new", "input": "hello"}])
    return first, committed(run, "second")


def test_log_tells_newest_first_with_tags(run: Run, refunds: Path) -> None:
    first, second = two_versions(run, refunds)
    found = run("dataset", "log", SET, "--json").json
    assert [(one["version"], one["tags"], one["current"]) for one in found["versions"]] == [
        (second["version"], [], True),
        (first["version"], ["v1"], False),
    ]
    text = run("dataset", "log", SET).out
    assert "[v1]" in text
    assert "1 build, 1 test" in text


Edit = Callable[[list[str]], list[str]]


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        pytest.param(lambda lines: [lines[0].replace("first", "fir5t"), *lines[1:]], "it was altered", id="altered"),
        pytest.param(lambda lines: lines[1:], "its line was removed", id="first-removed"),
        pytest.param(lambda lines: lines[:2], "lacks the commit that set.lock names", id="last-removed"),
        pytest.param(lambda lines: [*lines, "{]"], "is not JSON", id="not-json"),
        pytest.param(
            lambda lines: [*lines, '{"tag": "v9", "version": "dataset:st1:00", "commit": "x", "date": "2026-01-01"}'],
            "names a commit that is not there",
            id="stray-tag",
        ),
    ],
)
def test_a_history_that_was_tampered_with_is_found(run: Run, refunds: Path, edit: Edit, told: str) -> None:
    two_versions(run, refunds)
    path = refunds / "versions.jsonl"
    path.write_text("\n".join(edit(path.read_text().splitlines())) + "\n")
    found = run("dataset", "log", SET)
    assert found.code == 2
    assert told in found.err


def test_diff_tells_fields_and_words(run: Run, refunds: Path) -> None:
    two_versions(run, refunds)
    found = run("dataset", "diff", SET, "v1", "HEAD", "--json").json
    assert found["added"] == [{"id": "new", "split": "build"}]
    assert found["removed"] == [{"id": "b", "split": "test"}]
    (changed,) = found["changed"]
    assert changed["id"] == "a"
    assert [(one["field"], one["before"], one["after"]) for one in changed["fields"]] == [
        ("input[0].content", "Where is my parcel?", "Where is my lost parcel now?"),
        ("strata.risk", None, "high"),
    ]
    text = run("dataset", "diff", SET, "v1").out
    assert "Where is my {+lost +}parcel{+ now+}?" in text
    assert 'strata.risk: null → "high"' in text


def test_diff_without_versions_compares_the_files(run: Run, refunds: Path) -> None:
    committed(run)
    assert run("dataset", "diff", SET).out == "no difference\n"
    write_lines(refunds / "build.jsonl", [FIRST[0]])
    write_lines(refunds / "test.jsonl", [FIRST[1]])
    assert "~ a (test → build)" in run("dataset", "diff", SET).out


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_words_of_a_difference_put_together_are_both_texts(before: str, after: str) -> None:
    runs = word_diff(before, after)
    assert "".join(run.text for run in runs if run.kind != "added") == before
    assert "".join(run.text for run in runs if run.kind != "removed") == after


def test_show_gives_a_version_or_a_case_of_it(run: Run, refunds: Path) -> None:
    first, _ = two_versions(run, refunds)
    assert run("dataset", "show", SET, "v1", "--json").json["version"] == first["version"]
    for name in ("v1", first["version"], first["version"][12:20], first["commit"]):
        found = run("dataset", "show", SET, f"{name}:b", "--json").json
        assert (found["split"], found["case"]["input"]) == (
            "test",
            [{"role": "user", "content": "I want my money back."}],
        )
    missing = run("dataset", "show", SET, "HEAD:b")
    assert missing.code == 4
    assert "has no open case" in missing.err


@pytest.mark.parametrize("source", ["store", "git"])
def test_checkout_restores_a_version(run: Run, refunds: Path, tmp_path: Path, source: str) -> None:
    git(tmp_path, "init", "-q")
    first = committed(run)
    wanted = {name: (refunds / name).read_bytes() for name in ("test.jsonl", "set.yaml", "set.lock")}
    git(tmp_path, "add", "sets")
    git(tmp_path, "commit", "-qm", "first")
    run("dataset", "tag", SET, "v1")
    write_lines(refunds / "test.jsonl", [CHANGED])
    write_lines(refunds / "build.jsonl", [{"id": "new", "input": "hello"}])
    (refunds / "set.yaml").write_text("name: refunds\n")
    committed(run, "second")
    store = ["--store", "none.db"] if source == "git" else []
    if source == "store":
        git(tmp_path, "update-ref", "-d", "HEAD")
        (tmp_path / ".git").rename(tmp_path / "gone")
    told = run("dataset", "checkout", SET, "v1", *store)
    assert told.code == 0, told.err
    restored = wanted if source == "git" else {k: v for k, v in wanted.items() if k != "set.yaml"}
    assert {name: (refunds / name).read_bytes() for name in restored} == restored
    assert not (refunds / "build.jsonl").exists()
    assert SetFolder(refunds).config.shares == {"intent": {"delivery": 0.7, "refund": 0.3}}
    if source == "git":
        assert not committed(run, "again")["new"]
    assert json.loads((refunds / "set.lock").read_text())["version"] == first["version"]


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *settings, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def test_checkout_never_loses_what_is_not_committed(run: Run, refunds: Path) -> None:
    two_versions(run, refunds)
    write_lines(refunds / "test.jsonl", [{"id": "mine", "input": "precious"}])
    before = (refunds / "test.jsonl").read_bytes()
    refused = run("dataset", "checkout", SET, "v1")
    assert refused.code == 2
    assert "test.jsonl: has changes that are not committed" in refused.err
    assert (refunds / "test.jsonl").read_bytes() == before
    assert run("dataset", "checkout", SET, "v1", "--force").code == 0
    assert [case.id for case in SetFolder(refunds).cases("test")] == ["a", "b"]


def test_checkout_of_what_nobody_has_writes_nothing(run: Run, refunds: Path) -> None:
    two_versions(run, refunds)
    before = {path.name: path.read_bytes() for path in refunds.iterdir()}
    told = run("dataset", "checkout", SET, "v1", "--store", "elsewhere.db")
    assert told.code == 4
    assert "neither in the store nor in git's history" in told.err
    assert {path.name: path.read_bytes() for path in refunds.iterdir()} == before


def test_a_commit_after_an_older_checkout_follows_that_one_alone(run: Run, refunds: Path) -> None:
    first, second = two_versions(run, refunds)
    run("dataset", "checkout", SET, "v1")
    write_lines(refunds / "test.jsonl", [*FIRST, {"id": "other", "input": "way"}])
    third = committed(run, "another way")
    assert third["parents"] == [first["commit"]]
    assert third["leaves"] == [second["commit"]]
    write_lines(refunds / "test.jsonl", [*FIRST])
    assert committed(run, "back")["parents"] == [third["commit"]]


def test_tags_are_moved_only_by_force(run: Run, refunds: Path) -> None:
    _, second = two_versions(run, refunds)
    assert run("dataset", "tag", SET, "v1", "v1").code == 0
    assert run("dataset", "tag", SET, "v1").code == 2
    assert run("dataset", "tag", SET, "v1", "--force").code == 0
    assert run("dataset", "show", SET, "v1", "--json").json["version"] == second["version"]
    for bad in ("HEAD", "abcdef12", "a b", "-x", ""):
        assert run("dataset", "tag", SET, "--", bad).code == 2


BRANCHES = {"one": {"id": "m1", "input": "from branch one"}, "two": {"id": "m2", "input": "from branch two"}}


@pytest.mark.parametrize("lock", ["ours", "markers", "deleted"])
def test_two_branches_are_merged_by_hand(run: Run, refunds: Path, tmp_path: Path, lock: str) -> None:
    git(tmp_path, "init", "-qb", "one")
    (tmp_path / ".gitignore").write_text(".seatrial\n")
    base = committed(run)
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "base")
    git(tmp_path, "branch", "two")
    made: dict[str, Any] = {}
    for branch, line in BRANCHES.items():
        git(tmp_path, "checkout", "-q", branch)
        write_lines(refunds / "build.jsonl", [line])
        made[branch] = committed(run, branch)
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-qm", branch)
    with pytest.raises(subprocess.CalledProcessError):
        git(tmp_path, "merge", "one")
    refused = run("dataset", "commit", SET, "-m", "merge")
    assert refused.code == 2
    assert "is a mark of a merge that is not resolved" in refused.err
    for name in ("build.jsonl", "versions.jsonl", *(["set.lock"] if lock == "markers" else [])):
        kept = [one for one in (refunds / name).read_text().splitlines() if one[:7] not in ("<" * 7, "=" * 7, ">" * 7)]
        (refunds / name).write_text("\n".join(kept) + "\n")
    if lock == "ours":
        git(tmp_path, "checkout", "--ours", "sets/refunds/set.lock")
    elif lock == "deleted":
        (refunds / "set.lock").unlink()
    merged = committed(run, "merge")
    assert sorted(merged["parents"]) == sorted(one["commit"] for one in made.values())
    assert [case.id for case in SetFolder(refunds).cases("build")] == ["m1", "m2"]
    log = run("dataset", "log", SET, "--json").json
    assert log["heads"] == [merged["version"]]
    assert log["versions"][-1]["version"] == base["version"]
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "merged")
    assert run("dataset", "checkout", SET, made["one"]["version"]).code == 0
    assert [case.id for case in SetFolder(refunds).cases("build")] == ["m1"]
