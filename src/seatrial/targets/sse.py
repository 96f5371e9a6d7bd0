"""Server-sent events, as far as model providers use them."""

from __future__ import annotations

import re

LINE_END = re.compile(rb"\r\n|\n|\r")


class Events:
    """Cuts a byte stream into the data of its events (WHATWG HTML §9.2). Comments and other fields are passed over."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._data: list[bytes] = []
        self._first = True

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that this piece completes."""
        if b"\n" not in piece and b"\r" not in piece:
            self._rest.append(piece)
            return []
        raw = b"".join((*self._rest, piece))
        if self._first:
            raw, self._first = raw.removeprefix(b"\xef\xbb\xbf"), False
        held = b"\r" if raw.endswith(b"\r") else b""
        lines = LINE_END.split(raw[: len(raw) - len(held)])
        self._rest = [lines.pop() + held]
        events: list[bytes] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                events.append(b"\n".join(self._data))
                self._data = []
        return events
