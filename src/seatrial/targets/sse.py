"""Server-sent events, as far as model providers use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from seatrial.targets.outcomes import Answer
from seatrial.targets.strict import parsed, refuse_error

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


class EventStream:
    """Puts a streamed answer together. `feed` bytes; `started` once there is a first token; then `answer`.

    A dialect says what an event means (`take`) and what they make together (`answer`). `media_type` is what a body of
    such events comes as.
    """

    media_type: ClassVar[str] = "text/event-stream"

    def __init__(self, clean: Callable[[bytes], bytes] = bytes) -> None:
        """Start empty. `clean` sees the bytes of each event first."""
        self.started = False
        self._clean = clean
        self._events = Events()
        self._done = False

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Raises Fault for what is no event of the dialect, and for an error sent as one."""
        for event in map(self._clean, self._events.feed(piece)):
            if self._done or event.strip() == b"[DONE]":
                self._done = True
                return
            found = parsed(event, "an event")
            refuse_error(found, event)
            self.take(found)

    def take(self, event: dict[str, Any]) -> None:
        """Take the next event. Raises Fault."""
        raise NotImplementedError

    def answer(self) -> Answer:
        """The whole answer. Raises Fault `truncated` when the stream ended before the model did."""
        raise NotImplementedError
