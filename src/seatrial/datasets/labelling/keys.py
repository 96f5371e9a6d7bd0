"""Keys of a terminal: bytes → keys (pure), and the one class that reads and draws a real one."""

from __future__ import annotations

import io
import os
import re
import select
import shlex
import subprocess
import sys
import tempfile
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from rich.console import Console
from rich.text import Text

from seatrial.datasets.labelling.session import Key

ESCAPE_SECONDS = 0.05
"""An escape that stands alone for so long is the key, not the start of a sequence."""
PASTE, PASTED = b"\x1b[200~", b"\x1b[201~"
SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;?<]*[ -/]*[@-~]|O[@-~])")
OPEN = re.compile(rb"\x1b(?:\[[0-9;?<]*[ -/]*|O)?")
NAMES = {
    b"[A": "up", b"[B": "down", b"[C": "right", b"[D": "left",
    b"OA": "up", b"OB": "down", b"OC": "right", b"OD": "left",
    b"[5~": "page-up", b"[6~": "page-down", b"[H": "home", b"OH": "home", b"[1~": "home",
    b"[F": "end", b"OF": "end", b"[4~": "end",
}  # fmt: skip
CONTROLS = {
    0x03: "ctrl-c", 0x04: "ctrl-d", 0x08: "backspace", 0x0A: "enter", 0x0D: "enter", 0x15: "ctrl-u", 0x7F: "backspace",
}  # fmt: skip
ENTER = b"\x1b[?1049h\x1b[?25l\x1b[?2004h"
EXIT = b"\x1b[?2004l\x1b[?25h\x1b[?1049l"


class Parsed(NamedTuple):
    """The keys in some bytes, and the bytes of one that is not complete."""

    keys: list[Key]
    rest: bytes


def parse(data: bytes, *, last: bool = False) -> Parsed:
    """The keys that a terminal sent. Sequences nobody knows are swallowed whole: no part of one is a label.

    `last`: nothing more came for a while, so a lone escape is the key Escape.
    """
    keys: list[Key] = []
    at = 0
    while at < len(data):
        found = _one(data, at, last=last)
        if found is None:
            break
        key, at = found
        if key is not None:
            keys.append(key)
    return Parsed(keys, data[at:])


def _one(data: bytes, at: int, *, last: bool) -> tuple[Key | None, int] | None:
    """The key at a place and where the next one starts; None where it is not complete."""
    first = data[at]
    if data.startswith(PASTE, at):
        end = data.find(PASTED, at)
        return None if end < 0 else (_paste(data[at + len(PASTE) : end]), end + len(PASTED))
    if first == 0x1B:
        return _escape(data, at, last=last)
    if first < 0x20 or first == 0x7F:
        name = CONTROLS.get(first)
        return (Key(name) if name else None), at + 1
    size = 1 if first < 0xC2 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4 if first < 0xF5 else 1
    whole = all(0x80 <= byte < 0xC0 for byte in data[at + 1 : at + size])
    if whole and at + size > len(data) and not last:
        return None
    try:
        return Key("char", data[at : at + size].decode("utf-8")), at + size
    except UnicodeDecodeError:
        return None, at + 1


def _escape(data: bytes, at: int, *, last: bool) -> tuple[Key | None, int] | None:
    if whole := SEQUENCE.match(data, at):
        name = NAMES.get(whole[0][1:])
        return (Key(name) if name else None), whole.end()
    begun = OPEN.match(data, at)
    if begun is not None and begun.end() == len(data):
        if not last:
            return None
        return (Key("escape") if begun.end() == at + 1 else None), len(data)
    if data[at + 1 : at + 2] == b"\x1b":
        return Key("escape"), at + 1
    return None, at + 2  # Alt and a letter


def _paste(raw: bytes) -> Key:
    return Key("paste", raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n"))


class Terminal:
    """A real terminal, with each key at once; left as it was found, whatever happens."""

    def __init__(self) -> None:
        self._in, self._out = sys.stdin.fileno(), sys.stdout.fileno()
        self._before: list[Any] = []
        self._rest = b""
        self.console = Console(file=io.StringIO(), force_terminal=True, highlight=False, markup=False, emoji=False)

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self._in)
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _begin(self) -> None:
        held = termios.tcgetattr(self._in)
        held[0] &= ~(termios.ICRNL | termios.IXON)
        held[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
        held[6][termios.VMIN], held[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._in, termios.TCSAFLUSH, held)
        self._write(ENTER)

    def _end(self) -> None:
        self._write(EXIT)
        termios.tcsetattr(self._in, termios.TCSAFLUSH, self._before)

    def size(self) -> tuple[int, int]:
        """Columns and lines now."""
        try:
            columns, lines = os.get_terminal_size(self._out)
        except OSError:
            columns, lines = 0, 0
        return columns or 80, lines or 24

    def draw(self, lines: Sequence[Text]) -> None:
        """Show these lines, in place of what was there."""
        columns, _ = self.size()
        self.console.width = columns
        with self.console.capture() as made:
            for line in lines:
                self.console.print(line, no_wrap=True, overflow="crop", crop=True)
        text = made.get().rstrip("\n").replace("\n", "\x1b[K\r\n")
        self._write(f"\x1b[?7l\x1b[H{text}\x1b[K\x1b[J\x1b[?7h".encode("utf-8", "backslashreplace"))

    def read(self, seconds: float) -> list[Key] | None:
        """The keys that come within some seconds; None where the terminal is gone."""
        if not select.select([self._in], [], [], seconds)[0]:
            return []
        data = self._rest
        while True:
            try:
                more = os.read(self._in, 65536)
            except OSError:
                return None
            if not more:
                return None
            found = parse(data + more)
            if not found.rest or found.rest.startswith(PASTE):
                break
            if not select.select([self._in], [], [], ESCAPE_SECONDS)[0]:
                found = parse(data + more, last=True)
                break
            data += more
        self._rest = found.rest
        return found.keys

    def edit(self, text: str) -> str | None:
        """What a person makes of a text in $VISUAL or $EDITOR; None where it was left as it is."""
        self._end()
        try:
            return edit(text)
        finally:
            self._begin()

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._out, data) :]


def editor() -> list[str]:
    """The command of the person's editor; empty where none is set."""
    try:
        return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
    except ValueError:
        return []


def edit(text: str) -> str | None:
    """Open the editor on a private file with a text; gives what was saved, None where nothing was."""
    handle, name = tempfile.mkstemp(prefix="seatrial-", suffix=".txt")
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(text.encode("utf-8", "surrogatepass"))
        try:
            done = subprocess.run([*editor(), name], check=False)  # noqa: S603  # the person's own editor
        except OSError:
            return None
        found = path.read_bytes().decode("utf-8", "replace")
    finally:
        path.unlink(missing_ok=True)
    if found.endswith("\n") and not text.endswith("\n"):
        found = found[:-1]
    return None if done.returncode or found == text else found
