"""A set with a sealed split whose every text can be looked for, a suite over it, and a search of all that is left."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from seatrial.core.case import Case

SECRET: Mapping[str, str] = {
    "id": "orchidanvil",
    "input": "zebraquartz",
    "context": "cobaltfern",
    "expected": "ivorymantle",
    "criteria": "umbravelvet",
    "seed_id": "thistledrum",
    "session_id": "lanternmoss",
    "trace_id": "copperlark",
    "source": "walnutspire",
    "metadata": "saffronkeel",
    "canary": "mulberryhinge",
}
"""A word in every text of a sealed case; a model that echoes has them in its answers too."""
OPEN = "open question"


def sealed_case(number: int) -> dict[str, Any]:
    word = SECRET
    return {
        "id": f"{word['id']} {number}",
        "input": f"{word['input']} asks about order {number}, é ☃",
        "context": [{"text": f"{word['context']} says {number}", "id": word["context"]}],
        "expected": f"{word['input']} asks about order {number}, é ☃" if number % 2 else f"{word['expected']} {number}",
        "criteria": f"{word['criteria']} {number}",
        "strata": {"intent": "refund" if number % 3 else "delivery"},
        "seed_id": f"{word['seed_id']} {number // 2}",
        "session_id": f"{word['session_id']} {number}",
        "trace_id": f"{word['trace_id']}{number}",
        "source": f"{word['source']} {number}",
        "metadata": {"note": f"{word['metadata']} {number}", word["metadata"] + " key": 1},
        "probe": {"category": "LLM01@owasp", "canary": f"{word['canary']}{number}"} if number == 1 else None,
        "origin": "adversarial" if number == 1 else "production",
        "created_at": "2026-01-02",
    }


def open_case(split: str, number: int) -> dict[str, Any]:
    return {
        "id": f"{split}{number}",
        "input": f"{OPEN} {split} {number}",
        "expected": "x",
        "strata": {"intent": "refund"},
    }


def write_set(folder: Path, sealed: int = 8) -> Path:
    """sets/refunds in a folder, its sealed split still open."""
    path = folder / "sets" / "refunds"
    path.mkdir(parents=True, exist_ok=True)
    splits = {split: [open_case(split, n) for n in range(4)] for split in ("build", "test")}
    for split, cases in {**splits, "sealed": [sealed_case(n) for n in range(sealed)]}.items():
        plain = [{key: value for key, value in case.items() if value is not None} for case in cases]
        lines = [json.dumps(case, sort_keys=True) + "\n" for case in plain]
        (path / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    return path


def write_suite(folder: Path, url: str = "", **changes: Any) -> Path:
    """A suite over the sealed split, two models and a judge at an endpoint."""
    target = {"use": "openai:old", "base_url": url, "retries": 0}
    suite: dict[str, Any] = {
        "name": "sealed",
        "dataset": {"path": "sets/refunds", "split": "sealed"},
        "targets": {"old": target, "new": {**target, "use": "openai:new"}},
        "judges": {"judge": {**target, "use": "openai:judge"}},
        "incumbent": "old",
        "rubrics": [
            {"name": "right", "scorer": "exact"},
            {"name": "label", "scorer": "label", "aggregate": "macro_f1", "kind": "advisory"},
            {"name": "relevant", "scorer": "answer_relevance", "kind": "advisory"},
        ],
        **changes,
    }
    path = folder / "seatrial.yaml"
    path.write_text(json.dumps(suite), encoding="utf-8")
    return path


def command(folder: Path, *arguments: str, key: str = "", **extra: str) -> subprocess.CompletedProcess[str]:
    """Run `seatrial …` in a folder, its temporary files beside, with the key or without."""
    return _python(folder, ["-m", "seatrial", *arguments], "", key, extra)


DRIVER = """
import contextlib, io, json, os, sys
from seatrial.cli.main import invoke
for arguments in json.loads(sys.stdin.read()):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        sys.stdin = open(os.devnull)
        code = invoke(arguments)
    print(json.dumps([code, said.getvalue()]), flush=True)
"""


def commands(folder: Path, many: Sequence[Sequence[str]], key: str = "", **extra: str) -> list[tuple[int, str]]:
    """Run commands one after another in one process; gives each one's exit code and all that it said."""
    done = _python(folder, ["-c", DRIVER], json.dumps(many), key, extra)
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def python(folder: Path, arguments: Sequence[str], key: str = "", **extra: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, its temporary files beside, with the key or without."""
    return _python(folder, arguments, "", key, extra)


def _python(
    folder: Path, arguments: Sequence[str], said: str, key: str, extra: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("SEATRIAL")}
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    own = {
        "TMPDIR": str(temporary),
        "HOME": str(folder),
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
    }
    environment = {**outside, **own, **({"SEATRIAL_SEAL_KEY": key} if key else {}), **extra}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        input=said,
    )


@contextmanager
def watching_processes() -> Iterator[set[bytes]]:
    """Every command line of the machine while this lasts."""
    seen: set[bytes] = set()
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(entry.read_bytes())
                except OSError:
                    continue

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def words_in(raw: bytes) -> list[str]:
    """The secret words that stand in bytes, as they are or as JSON or UTF-16 writes them."""
    lowered = raw.lower()
    return [word for word in SECRET.values() if word.encode() in lowered or word.encode("utf-16-le") in lowered]


def left_behind(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file but sealed.bin, every value of every database unpacked, every member of an archive."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "sealed.bin":
            name = str(path.relative_to(folder))
            yield name, path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    yield from ((f"{name}!{member}", archive.read(member)) for member in archive.namelist())
            if path.suffix == ".db":
                yield from _values(path)


def _values(store: Path) -> Iterator[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        for line in database.iterdump():
            yield f"{store.name}:dump", line.encode("utf-8", "replace")
        tables = [row[0] for row in database.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            for row in database.execute(f"select * from {table}"):
                for value in row:
                    if isinstance(value, bytes) and value[:2] == b"\x01\x78":
                        with suppress(zlib.error):  # a hash may begin like a payload
                            yield f"{store.name}:{table}", zlib.decompress(value[1:])


def leaks(places: Iterator[tuple[str, bytes]]) -> list[tuple[str, list[str]]]:
    return [(where, found) for where, raw in places if (found := words_in(raw))]


def cases(sealed: int = 8) -> Sequence[Case]:
    plain = ({k: v for k, v in sealed_case(n).items() if v is not None} for n in range(sealed))
    return [Case.model_validate(one) for one in plain]
