"""Two processes in one set's folder: one waits for the other, or is refused in words; nothing of either is lost."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.datasets.versions.sets import FIRST, Run, write_lines

from seatrial.core.vault import new_key
from seatrial.datasets import SetFolder, log
from seatrial.datasets.labelling.journal import Entry, Journal, file_of
from seatrial.datasets.versions import alone

SET = "sets/refunds"
START = """
import sys
from pathlib import Path
from seatrial.datasets import *
me = sys.argv[1]
print('ready', flush=True)
input()
"""
"""Both are loaded before either begins."""
TAGS = START + "for n in range(40): tag('sets/refunds', f'{me}.{n}')"
COMMITS = (
    START
    + """
from seatrial.errors import DatasetError
file = Path('sets/refunds') / ('build.jsonl' if me == 'one' else 'test.jsonl')
for n in range(8):
    part = file.with_name(me)
    part.write_text('{"id": "%s", "input": "question %d"}' % (me, n))
    part.replace(file)
    while True:
        try:
            if commit('sets/refunds', f'{me} {n}').new:
                print(f'{me} {n}')
            break
        except DatasetError as fault:
            assert 'while it was read' in str(fault), fault
"""
)
EXPOSURES = (
    START
    + """
from seatrial.datasets.sealing import ledger, seal
from seatrial.datasets.sealing.ledger import Entry, Shown
folder = SetFolder('sets/refunds')
for n in range(8):
    made = Entry(number=1, at='2026-01-02T03:04:05+00:00', who=me, trial=f'{me}{n}', set='refunds',
                 version=folder.lock.version, cases=1, shown=(Shown(name='new', model=me),))
    ledger.append(SetFolder('sets/refunds'), made, seal.vault_of(folder))
    tag('sets/refunds', f'{me}.{n}')
    commit('sets/refunds', 'nothing new')
"""
)


def both(script: str, folder: Path, **extra: str) -> list[str]:
    """Run a script in two processes that start together; gives the lines that both said."""
    environment = {**os.environ, "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", **extra}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, name], cwd=folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for name in ("one", "two")
    ]  # fmt: skip
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    return [line for out, _ in said for line in out.splitlines()]


SEALS = (
    START
    + """
from seatrial.datasets import seal
from seatrial.errors import DatasetError
try:
    print(seal('sets/refunds').new)
except DatasetError as fault:
    print(fault.problem)
"""
)


@contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """As if another process were at work in the folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def test_no_tag_of_two_processes_is_lost(run: Run, refunds: Path, tmp_path: Path) -> None:
    assert run("dataset", "commit", SET, "-m", "first").code == 0
    both(TAGS, tmp_path)
    assert set(SetFolder(refunds).history.names()) == {f"{me}.{n}" for me in ("one", "two") for n in range(40)}


def test_no_commit_of_two_processes_is_lost(refunds: Path, tmp_path: Path) -> None:
    said = both(COMMITS, tmp_path)
    found = log(refunds)
    assert {one.commit.message for one in found.versions} == set(said)
    assert len(found.heads) == 1, "each follows the one before it"
    assert [one.current for one in found.versions] == [True] + [False] * (len(said) - 1)


def test_exposures_tags_and_commits_of_two_processes_keep_their_chains(
    run: Run, refunds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key()
    monkeypatch.setenv("SEATRIAL_SEAL_KEY", key)
    write_lines(refunds / "sealed.jsonl", [{"id": "s", "input": "A sealed question.", "expected": "yes"}])
    assert run("dataset", "seal", SET).code == 0
    both(EXPOSURES, tmp_path, SEATRIAL_SEAL_KEY=key)
    assert run("dataset", "verify", SET).code == 0
    lines = (refunds / "ledger.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(1, 17))
    assert len(SetFolder(refunds).history.names()) == 16


def test_two_who_seal_seal_once(run: Run, refunds: Path, tmp_path: Path) -> None:
    key = new_key()
    rows = [{"id": f"s{n}", "input": f"sealed question {n}", "expected": "yes"} for n in range(300)]
    write_lines(refunds / "sealed.jsonl", rows)
    first, second = sorted(both(SEALS, tmp_path, SEATRIAL_SEAL_KEY=key))
    assert first == "300"
    assert "nothing is new" in second
    assert not (refunds / "sealed.jsonl").exists()
    assert run("dataset", "verify", SET).code == 0
    assert len(log(refunds).heads) == 1


WRITERS = {
    "commit": ("dataset", "commit", SET, "-m", "second"),
    "tag": ("dataset", "tag", SET, "v2"),
    "checkout": ("dataset", "checkout", SET, "HEAD"),
    "refresh": ("dataset", "refresh", SET, "pool.jsonl"),
    "seal": ("dataset", "seal", SET),
    "rekey": ("dataset", "seal", "--rekey", SET),
    "sample": ("dataset", "sample", "pool.jsonl", "--into", SET, "--size", "2", "--replace"),
    "stratify": ("dataset", "stratify", "pool.jsonl", "--into", SET, "--stratum", "topic", "--fit", "clusters"),
    "label apply": ("label", "apply", SET),
}


@pytest.mark.parametrize("command", WRITERS.values(), ids=WRITERS.keys())
def test_who_waits_in_vain_is_told_and_changes_nothing(
    command: tuple[str, ...], run: Run, refunds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("dataset", "commit", SET, "-m", "first").code == 0
    write_lines(refunds / "build.jsonl", [{**FIRST[0], "id": "c", "input": "Who are you?"}])
    write_lines(tmp_path / "pool.jsonl", [{"id": f"p{n}", "input": f"question {n} of many"} for n in range(40)])
    monkeypatch.setattr(alone, "PATIENCE", 0.0)
    before = {file: file.read_bytes() for file in refunds.rglob("*") if file.is_file()}
    with at_work(refunds):
        told = run(*command)
    assert told.code == 2
    assert "Another process is at work" in told.err
    assert {file: file.read_bytes() for file in refunds.rglob("*") if file.is_file()} == before
    assert run("dataset", "commit", SET, "-m", "second").code == 0, "the lock went with whoever held it"


def test_the_labels_of_a_suite_are_written_by_one_at_a_time(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who read the journals first must not write last."""
    write_lines(tmp_path / "cases.jsonl", FIRST)
    target = {"use": "python:answers:say"}
    suite = {"name": "s", "dataset": {"path": "cases.jsonl"}, "targets": {"t": target}, "labels": "labels.jsonl"}
    (tmp_path / "seatrial.yaml").write_text(
        json.dumps({**suite, "rubrics": [{"name": "right", "scorer": "exact"}]}), encoding="utf-8"
    )
    (tmp_path / "labels.jsonl").write_text("")
    monkeypatch.setattr(alone, "PATIENCE", 0.0)
    with at_work(tmp_path):
        assert run("label", "apply", "seatrial.yaml").code == 2
    assert run("label", "apply", "seatrial.yaml").code == 0


def test_what_only_reads_does_not_wait(run: Run, refunds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("dataset", "commit", SET, "-m", "first").code == 0
    monkeypatch.setattr(alone, "PATIENCE", 0.0)
    with at_work(refunds):
        assert [run("dataset", one, SET).code for one in ("log", "show", "diff", "verify")] == [0, 0, 0, 0]


def test_a_system_without_such_locks_keeps_nobody_out(run: Run, refunds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    assert run("dataset", "commit", SET, "-m", "first").code == 0
    assert SetFolder(refunds).lock is not None


# labels ---------------------------------------------------------------------------------------------------------------


def entry(case: str) -> Entry:
    said = {"mode": "curate", "by": "Ann", "at": "2026-01-02T03:04:05Z", "value": {"decision": "keep"}}
    return Entry.model_validate({**said, "unit": case, "case": case})


def test_nobody_seals_while_somebody_labels(run: Run, refunds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sealing takes lines out of journals; what a person goes on to say must not go into a file that is gone."""
    monkeypatch.setenv("SEATRIAL_SEAL_KEY", new_key())
    write_lines(refunds / "sealed.jsonl", [{"id": "s", "input": "A sealed question.", "expected": "yes"}])
    file = file_of(refunds / "labels", "curate", "Ann")
    with Journal(file) as open_journal:
        open_journal.append([entry("s"), entry("a")])
        told = run("dataset", "seal", SET)
        assert told.code == 2
        assert "labels under this name right now" in told.err
        assert not (refunds / "sealed.bin").exists()
        open_journal.append([entry("b")])
    assert run("dataset", "seal", SET).code == 0
    assert [json.loads(line)["case"] for line in file.read_text().splitlines()] == ["a", "b"]
