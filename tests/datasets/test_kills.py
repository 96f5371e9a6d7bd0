"""Killed at random moments of import, scrub and sample, then the same command again: the same set, byte for byte."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.datasets.importing.golden import COMPLETION

IMPORT = (
    "dataset",
    "import",
    "log.jsonl",
    "--into",
    "pool.jsonl",
    "--turns",
    "all",
    "--field",
    "strata.topic=metadata.topic",
)
SAMPLE = ("dataset", "sample", "pool.jsonl", "--into", "set", "--by", "topic")
TOPICS = ("refund", "delivery", "invoice", "password", "other")


class Moment(NamedTuple):
    """When to kill, as what the process has done by then, and what must be so afterwards: that it was in the middle."""

    name: str
    reached: Callable[[int, Path], bool]
    middle: Callable[[Path], bool]
    pause: float = 0.002


def records(count: int) -> Iterator[dict[str, Any]]:
    """A log in no order, of sessions of one to five turns, with names, addresses and numbers of made-up people."""
    draw = random.Random(11)
    for number in range(count):
        session = draw.randrange(count // 3)
        who, topic = f"Person{session} Keller", TOPICS[session % len(TOPICS)]
        told = f"My name is {who}, p{session}@posteo.de, card 4111 1111 1111 1111. About {topic} {draw.random():.6f}: "
        text = told + " ".join(draw.choices(("where", "is", "my", "money", "parcel", "why", "still", "not"), k=30))
        yield {
            "session_id": f"s{session}",
            "id": f"r{number}",
            "created_at": f"2026-03-{1 + number % 28:02d}T12:{number % 60:02d}:00Z",
            "request": {"model": "m", "messages": [{"role": "user", "content": text}]},
            "response": COMPLETION,
            "metadata": {"topic": topic},
        }


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "SEATRIAL_SCRUB_KEY": "0123456789abcdef", "SEATRIAL_STORE": str(folder / "s.db")}
    main = [sys.executable, "-m", "seatrial", *arguments]
    return subprocess.Popen(main, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finished(folder: Path, *arguments: str) -> None:
    process = start(folder, *arguments)
    _, said = process.communicate()
    assert process.returncode == 0, said.decode()


def position(pid: int, file: Path) -> int:
    """How far a process has read a file that it holds open; -1 where it does not hold it."""
    try:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            if handle.readlink() == file:
                return int(Path(f"/proc/{pid}/fdinfo/{handle.name}").read_text().split("pos:")[1].split()[0])
    except (OSError, IndexError):
        pass
    return -1


def has_read(name: str, share: float) -> Callable[[int, Path], bool]:
    return lambda pid, folder: position(pid, folder / name) >= share * (folder / name).stat().st_size


def has_written(part: str, least: float) -> Callable[[int, Path], bool]:
    def reached(_: int, folder: Path) -> bool:
        try:
            return any(file.stat().st_size >= least for file in folder.glob(part))
        except OSError:
            return False

    return reached


def unfinished_pool(folder: Path) -> bool:
    return not (folder / "pool.jsonl").exists()


def checkpoint(folder: Path) -> int:
    """Records that the import's checkpoint holds."""
    file = folder / ".pool.jsonl.import"
    if not file.exists():
        return 0
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return (database.execute("select records from progress").fetchone() or (0,))[0]


def unfinished_set(folder: Path) -> bool:
    """set.yaml is written last."""
    return not (folder / "set" / "set.yaml").exists()


def killed(folder: Path, moment: Moment, *arguments: str) -> None:
    """Run a command and kill it at the moment; it must have been in the middle of its work."""
    process = start(folder, *arguments)
    while not moment.reached(process.pid, folder) and process.poll() is None:
        time.sleep(moment.pause)
    process.kill()
    _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, (moment.name, said.decode())
    assert moment.middle(folder), moment.name


def moments(seed: int, reading: int, writing: int, size: int) -> tuple[list[Moment], list[Moment]]:
    """Random moments of the import (reading logs, writing the pool of `size` bytes) and of the sample."""
    draw = random.Random(seed)

    def shares(count: int) -> list[float]:
        return sorted(draw.uniform(0.05, 0.95) for _ in range(count))

    importing = [Moment(f"log {s:.2f}", has_read("log.jsonl", s), unfinished_pool) for s in shares(reading)]
    importing += [
        Moment(f"pool {s:.2f}", has_written(".pool.jsonl.*.part", s * size), unfinished_pool) for s in shares(writing)
    ]
    sampling = [Moment(f"sample {s:.2f}", has_read("pool.jsonl", s), unfinished_set) for s in shares(reading)]
    sampling += [Moment("split", has_written("set/build.jsonl", 0), unfinished_set, 0.0) for _ in range(writing)]
    return importing, sampling


def as_left(folder: Path) -> dict[str, bytes]:
    """All files of pool and set, hidden ones too, so that nothing half-written may stay."""
    kept = [folder / "pool.jsonl", folder / "pool.jsonl.report.json", *folder.glob(".pool*"), *folder.glob("set/**/*")]
    return {str(file.relative_to(folder)): file.read_bytes() for file in kept if file.is_file()}


def through(folder: Path, tmp: Path, count: int, size: int, kills: Sequence[int], seed: int) -> None:
    whole, again = tmp / "whole", tmp / "again"
    sample = (*SAMPLE, "--size", str(size))
    for place in (whole, again):
        place.mkdir()
        shutil.copy(folder, place / "log.jsonl")
    finished(whole, *IMPORT)
    finished(whole, *sample)
    importing, sampling = moments(seed, *kills, (whole / "pool.jsonl").stat().st_size)
    held: list[int] = []
    for moment in importing:
        killed(again, moment, *IMPORT)
        held.append(checkpoint(again))
    assert held == sorted(held), "what a checkpoint holds is never lost"
    assert 0 < held[-1] <= count
    assert len(list(again.glob(".pool.jsonl.import*"))) > 0
    finished(again, *IMPORT)
    for moment in sampling:
        killed(again, moment, *sample)
    finished(again, *sample)
    assert set(as_left(whole)) == {"pool.jsonl", "pool.jsonl.report.json", *_set_files()}
    left = as_left(again)
    assert [name for name in left if name not in as_left(whole) and not name.startswith(".pool")] == []
    assert {name: left[name] for name in as_left(whole)} == as_left(whole)
    pool = (whole / "pool.jsonl").read_text()
    assert json.loads((whole / "pool.jsonl.report.json").read_text())["scrubbed"]["email"] > 0
    assert "posteo.de" not in pool


def _set_files() -> set[str]:
    return {"set/build.jsonl", "set/test.jsonl", "set/sealed.jsonl", "set/set.yaml"}


def log_of(tmp: Path, count: int) -> Path:
    file = tmp / "log.jsonl"
    with file.open("w") as out:
        out.writelines(json.dumps(record) + "\n" for record in records(count))
    return file


def test_ten_kills_give_the_same_set(tmp_path: Path):
    through(log_of(tmp_path, 3000), tmp_path, 3000, 1200, (3, 2), seed=3)


@pytest.mark.heavy
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(2))
def test_forty_kills_give_the_same_set(tmp_path: Path, seed: int):
    through(log_of(tmp_path, 12_000), tmp_path, 12_000, 4000, (12, 8), seed=seed)


# what a kill leaves behind --------------------------------------------------------------------------------------------


PARTS = ("sealed.jsonl", "test.jsonl", "sealed.bin", "versions.jsonl")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("dataset", "commit", "set", "-m", "x"), id="commit"),
        pytest.param(("dataset", "tag", "set", "v1"), id="tag"),
        pytest.param(("dataset", "seal", "set"), id="seal"),
        pytest.param(("dataset", "sample", "pool.jsonl", "--into", "set", "--size", "1", "--replace"), id="sample"),
    ],
)
def test_what_a_killed_process_left_of_a_file_goes_with_the_next_command(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It may be the text of cases that are to be sealed. What other programs left is theirs."""
    from seatrial.cli.main import invoke

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_SEAL_KEY", "p" * 32)
    path = tmp_path / "set"
    path.mkdir()
    row = '{"id": "%s", "input": "question %s"}\n'
    for file in (path / "test.jsonl", path / "sealed.jsonl", tmp_path / "pool.jsonl"):
        file.write_text(row % (file.stem, file.stem))
    assert invoke(["dataset", "commit", "set", "-m", "first"]) == 0
    left = [path / f".{name}.abc123_x.part" for name in PARTS]
    theirs = [path / ".test.jsonl.swp", path / ".other.txt.abc.part", tmp_path / ".pool.jsonl.abc.part"]
    for file in (*left, *theirs):
        file.write_text("a secret question")
    assert invoke(list(command)) == 0
    assert [file.name for file in left if file.exists()] == []
    assert all(file.exists() for file in theirs)
