# ruff: noqa: E501  # tables of texts
"""`seatrial dataset scrub` as a user runs it; nothing real is in any file, stream, report or argument."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest_scrub import REALS, rich

from seatrial.datasets.scrubbing import mapping
from seatrial.datasets.scrubbing.pool import scrub_pool
from seatrial.errors import DatasetError

SECRET = "correct horse battery staple"
MAP_KEY = "5a" * 32


def run(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[bytes]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SEATRIAL_")}
    return subprocess.run(
        [sys.executable, "-m", "seatrial", "dataset", "scrub", *arguments],
        cwd=cwd, env={**clean, "TMPDIR": str(cwd), **environ}, capture_output=True, check=False,
    )  # fmt: skip


@pytest.fixture
def pool(tmp_path) -> Path:
    source = tmp_path / "from"
    source.mkdir()
    refused = {"id": "c9", "input": "Maria Keller " * 100_000}
    clean = {"id": "c8", "input": "Where is my parcel? \ud800"}
    rows = [rich(1), rich(2), clean, refused]
    (source / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return source / "pool.jsonl"


def leaks(*texts: bytes) -> list[str]:
    return [real for real in REALS for text in texts if real.encode() in text]


def test_nothing_real_is_written(pool, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    done = run(
        str(pool), "--into", "pool.jsonl", "--mapping", "map.bin", cwd=work,
        SEATRIAL_SCRUB_KEY=SECRET, SEATRIAL_MAPPING_KEY=MAP_KEY,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    files = [p for p in work.rglob("*") if p.is_file()]
    assert sorted(p.name for p in files) == ["map.bin", "pool.jsonl", "pool.jsonl.scrub.json"]
    assert leaks(done.stdout, done.stderr, *(p.read_bytes() for p in files)) == []
    assert not any(SECRET.encode() in p.read_bytes() for p in files)
    assert leaks(pool.read_bytes()) == list(REALS)

    report = json.loads((work / "pool.jsonl.scrub.json").read_text())
    assert (report["records"], report["passed"], report["changed"]) == (4, 3, 2)
    assert report["refused"] == {
        "count": 1,
        "reasons": {"text_too_long": 1},
        "first": [{"record": 4, "reason": "text_too_long"}],
    }
    assert report["kinds"]["card"]["replaced"] == 2
    assert b"text_too_long 1" in done.stdout

    kept = {pair for _, pairs in mapping.read(work / "map.bin", bytes.fromhex(MAP_KEY)) for pair in pairs}
    assert {real for _, real, _ in kept} >= {"Maria Keller", "maria.keller@posteo.de", "1985-03-12"}
    text = (work / "pool.jsonl").read_text()
    assert all(made in text for _, _, made in kept if made.isascii())


def test_twice_and_in_place(pool, tmp_path):
    first = run(str(pool), "--into", "a.jsonl", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    again = run("a.jsonl", "--into", "b.jsonl", "--json", cwd=tmp_path, SEATRIAL_SCRUB_KEY="another key altogether")
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert json.loads(again.stdout)["changed"] == 0
    assert run("a.jsonl", "--into", "a.jsonl", cwd=tmp_path).returncode == 0
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_none_is_asked_for_and_recorded(pool, tmp_path):
    done = run(str(pool), "--into", "a.jsonl", "--policy", "none", cwd=tmp_path)
    assert b"nothing was looked for" in done.stdout
    assert json.loads((tmp_path / "a.jsonl.scrub.json").read_text())["policy"] == "none"
    assert not (tmp_path / ".seatrial").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(("none.jsonl", "--into", "a.jsonl"), 2, "is not there", id="no-pool"),
        pytest.param(("p.jsonl", "--into", "a.jsonl", "--policy", "hippa"), 2, "did you mean", id="policy"),
        pytest.param(("p.jsonl", "--into", "a.jsonl", "--mapping", "m"), 2, "SEATRIAL_MAPPING_KEY", id="no-key"),
        pytest.param(("p.jsonl",), 2, "--into", id="no-target"),
        pytest.param(("p.jsonl", "--into", "a.jsonl"), 4, "All 1 records were refused", id="all-refused"),
    ],
)
def test_errors(tmp_path, arguments, code, said):
    (tmp_path / "p.jsonl").write_text(json.dumps({"id": "a", "input": "Maria Keller " * 100_000}) + "\n")
    done = run(*arguments, cwd=tmp_path, SEATRIAL_SCRUB_KEY=SECRET)
    assert done.returncode == code
    assert said in done.stderr.decode()
    assert not (tmp_path / "a.jsonl").exists()
    assert not (tmp_path / "m").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["p.jsonl"]


BAD = {
    "not-json": '{"id": "a", "input": "maria.keller@posteo.de"',
    "wrong-type": '{"id": "a", "input": 7, "maria.keller@posteo.de": 1}',
    "same-id": '{"id": "maria.keller@posteo.de", "input": "x"}\n{"id": "maria.keller@posteo.de", "input": "y"}',
    "bad-part": '{"id": "a", "input": [{"role": "maria.keller@posteo.de", "content": "x"}]}',
    "bad-key": '{"id": "a", "input": "x", "strata": {"maria.keller@posteo.de": [1]}, "weight": "maria.keller@posteo.de"}',
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_faults_tell_lines_and_no_values(tmp_path, text):
    (tmp_path / "p.jsonl").write_text(text + "\n")
    with pytest.raises(DatasetError) as caught:
        scrub_pool(tmp_path / "p.jsonl", tmp_path / "a.jsonl", key=SECRET.encode())
    assert any(p.line for p in caught.value.problems)
    assert "keller" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert [p.name for p in tmp_path.iterdir()] == ["p.jsonl"]
