"""The labeller on a real pseudo-terminal: what is seen, typed, resized, edited; and killed."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
from collections.abc import Generator
from pathlib import Path

import pytest

ROWS = [{"id": f"c{i}", "input": f"question {i}", "metadata": {"answer": f"answer {i} \x1b[31mred"}} for i in range(6)]
SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen:
    """A child on a pseudo-terminal of its own."""

    def __init__(self, arguments: list[str], folder: Path, columns: int = 80, lines: int = 24, **env: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:  # pragma: no cover
            os.chdir(folder)
            os.environ.update({"TERM": "xterm-256color", **env})
            os.execv(sys.executable, [sys.executable, "-m", "seatrial", *arguments])
        self.resize(columns, lines)
        self.raw = ""
        self.status: int | None = None

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, text: str) -> str:
        """What is drawn from here until a text comes; fails after 60 silent seconds."""
        start = len(self.raw)
        while text not in SEQUENCE.sub("", self.raw[start:]):
            ready = select.select([self.fd], [], [], 60)[0]
            assert ready, f"{text!r} never came; the screen was {SEQUENCE.sub('', self.raw[start:])!r}"
            try:
                more = os.read(self.fd, 65536)
            except OSError:
                more = b""
            assert more, f"it ended before {text!r}: {SEQUENCE.sub('', self.raw[start:])!r}"
            self.raw += more.decode("utf-8", "replace")
        return self.raw[start:]

    def type(self, keys: str | bytes) -> None:
        os.write(self.fd, keys if isinstance(keys, bytes) else keys.encode())

    def end(self) -> int:
        """Wait for its end; gives the exit code."""
        if self.status is None:
            while True:
                try:
                    more = os.read(self.fd, 65536)
                except OSError:
                    break
                if not more:
                    break
                self.raw += more.decode("utf-8", "replace")
            self.status = os.waitpid(self.pid, 0)[1]
            os.close(self.fd)
        return os.waitstatus_to_exitcode(self.status)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.end()


@pytest.fixture
def opened(pool, tmp_path: Path) -> Generator:
    pool(ROWS)
    held: list[Screen] = []

    def start(*arguments: str, **settings) -> Screen:
        held.append(Screen(["label", *arguments, "pool.jsonl", "--by", "Ann"], tmp_path, **settings))
        return held[-1]

    yield start
    for screen in held:
        if screen.status is None:
            screen.kill()


def said(folder: Path) -> list[dict]:
    return [
        json.loads(x) for f in sorted((folder / "pool.labels").glob("*.jsonl")) for x in f.read_bytes().splitlines()
    ]


def test_one_key_is_one_label_and_undo_takes_it_back(opened, tmp_path: Path):
    screen = opened("curate")
    first = screen.until("? help")
    assert "\x1b[31mred" not in first
    assert "\\x1b[31mred" in first
    screen.type("k")
    screen.until("1/6")
    screen.type("r")
    screen.until("1 duplicate")
    screen.type("2")
    screen.until("2/6")
    screen.type("u")
    screen.until("undone")
    screen.type("q")
    assert screen.end() == 0
    assert "1 of 6 labelled" in screen.raw
    rows = said(tmp_path)
    assert [(r.get("value") or {}).get("decision") for r in rows] == ["keep", "reject", None]
    assert rows[2]["undo"]
    assert [r["unit"] for r in rows][1] == rows[2]["unit"]
    assert all("seconds" in r for r in rows[:2])


def test_ctrl_c_keeps_everything_and_the_terminal_is_left_as_it_was(opened, tmp_path: Path):
    screen = opened("curate")
    screen.until("? help")
    before = termios.tcgetattr(screen.fd)[3]
    screen.type("kk")
    screen.until("2/6")
    screen.type(b"\x03")
    assert screen.end() == 130
    assert "all of it is kept" in screen.raw
    assert screen.raw.rindex("\x1b[?1049l") > screen.raw.rindex("2/6")
    assert not before & termios.ICANON
    assert len(said(tmp_path)) == 2


def test_a_kill_between_two_keys_loses_nothing(opened, tmp_path: Path):
    screen = opened("curate")
    screen.until("? help")
    for number in range(1, 4):
        screen.type("k")
        screen.until(f"{number}/6")
        assert len(said(tmp_path)) == number
    screen.kill()
    assert screen.end() == -signal.SIGKILL
    again = opened("curate")
    again.until("3/6")
    again.type("uuuu")
    again.until("nothing to undo")
    again.type("q")
    assert again.end() == 0
    assert len(said(tmp_path)) == 6


def test_resizing_is_seen_and_every_size_works(opened):
    screen = opened("curate")
    screen.until("? help")
    screen.resize(40, 12)
    screen.until("question")
    screen.type("?")
    screen.until("keys of curate mode")
    screen.resize(120, 40)
    screen.until("leave; everything is kept")
    screen.type("xq")
    assert screen.end() == 0


def test_without_colour_nothing_is_coloured(opened):
    screen = opened("curate", NO_COLOR="1")
    first = screen.until("? help")
    assert re.findall(r"\x1b\[(?:[0-9]*;)*(?:3|4|9|10)[0-9](?:;[0-9]*)*m", first) == []
    screen.type("q")
    assert screen.end() == 0


def test_a_pasted_text_labels_nothing_and_a_reference_can_be_pasted(opened, tmp_path: Path):
    screen = opened("outcome")
    screen.until("? help")
    screen.type("\x1b[200~aaaa\x1b[201~")
    screen.type("w")
    screen.until("Ctrl-D")
    screen.type("\x1b[200~line one\nqqq\x1b[201~")
    screen.until("qqq")
    screen.type(b"\x04")
    screen.until("said written: answers")
    screen.type("q")
    assert screen.end() == 0
    assert [r["value"] for r in said(tmp_path)] == [{"answers": ["line one\nqqq"]}]


def test_the_editor_opens_on_the_model_s_answer(opened, tmp_path: Path):
    script = tmp_path / "edit.py"
    script.write_text(
        "import sys, pathlib\nf = pathlib.Path(sys.argv[1])\nf.write_text('edited: ' + f.read_text() + '\\n')\n"
    )
    screen = opened("outcome", EDITOR=f"{sys.executable} {script}", VISUAL="")
    screen.until("? help")
    screen.type("e")
    screen.until("said written: answers")
    screen.type("q")
    assert screen.end() == 0
    (row,) = said(tmp_path)
    assert re.fullmatch(r"edited: answer \d \x1b\[31mred", row["value"]["answers"][0])
    assert not list(tmp_path.glob("seatrial-*.txt"))
