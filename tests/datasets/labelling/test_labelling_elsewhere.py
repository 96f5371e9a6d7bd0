"""Systems without `termios` and `fcntl`, like Windows: labels are given by lines, and kept all the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.datasets.labelling import work

ELSEWHERE = """
import sys
for name in ("fcntl", "termios", "tty", "pty"):
    sys.modules[name] = None
from seatrial.cli.main import main
sys.argv = ["seatrial", *sys.argv[1:]]
main()
"""


def elsewhere(folder: Path, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *arguments],
        cwd=folder,
        input=said,
        capture_output=True,
        text=True,
        check=False,
    )


def test_labels_are_given_by_lines(tmp_path: Path):
    (tmp_path / "pool.jsonl").write_text("".join(f'{{"id": "c{n}", "input": "question {n}"}}\n' for n in range(3)))
    told = elsewhere(tmp_path, "label", "curate", "pool.jsonl", "--by", "Ann", said="keep\nkeep\nreject off-topic\n")
    assert told.returncode == 0, told.stderr
    (journal,) = tmp_path.rglob("curate.*.jsonl")
    lines = [json.loads(line) for line in journal.read_bytes().decode().splitlines()]
    assert [line["value"]["decision"] for line in lines if line["value"]].count("keep") == 2
    for command in (("label", "agreement", "pool.jsonl"), ("label", "apply", "pool.jsonl")):
        told = elsewhere(tmp_path, *command)
        assert told.returncode == 0, told.stderr


@pytest.mark.parametrize(("missing", "drawn"), [(True, False), (False, True)], ids=["elsewhere", "here"])
def test_a_screen_is_drawn_only_where_keys_can_be_read(missing: bool, drawn: bool, monkeypatch: pytest.MonkeyPatch):
    if missing:
        monkeypatch.setitem(sys.modules, "termios", None)
    monkeypatch.setenv("TERM", "xterm")
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(getattr(sys, stream), "isatty", lambda: True, raising=False)
    assert work.drawable() is drawn
