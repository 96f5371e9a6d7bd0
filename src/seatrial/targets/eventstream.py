"""Amazon's binary event stream (`application/vnd.amazon.eventstream`): bytes into messages. Pure, and all is hostile.

A message is a prelude (the whole's length, the headers' length, both of 32 bits, and their CRC32), headers, payload,
and the CRC32 of all before it; numbers are big-endian. Written from AWS's public description of the encoding
(smithy.io/2.0/aws/amazon-eventstream.html).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from zlib import crc32

from seatrial.targets.retry import Fault

MEDIA_TYPE = "application/vnd.amazon.eventstream"
PRELUDE = struct.Struct("!III")
CHECKSUM = 4
SHORTEST = PRELUDE.size + CHECKSUM
LONGEST = 16 << 20
"""Bytes of a message: what a whole body may have."""

LONGEST_HEADERS = 128 << 10

Value: TypeAlias = bool | int | bytes | str


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. Timestamps are milliseconds, UUIDs their 16 bytes."""

    headers: Mapping[str, Value]
    payload: bytes

    def text(self, name: str) -> str:
        """A header that is text; empty where there is none or it is something else."""
        value = self.headers.get(name)
        return value if isinstance(value, str) else ""


class Frames:
    """Cuts a byte stream into messages, both checksums verified."""

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def cut(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._rest)

    def feed(self, piece: bytes) -> list[Frame]:
        """The messages that this piece completes. Raises Fault `malformed`; nothing may be fed after that."""
        self._rest += piece
        found: list[Frame] = []
        start = 0
        while (size := _size(self._rest, start)) and len(self._rest) - start >= size:
            found.append(_frame(bytes(self._rest[start : start + size])))
            start += size
        del self._rest[:start]
        return found


def _size(raw: bytearray, start: int) -> int:
    """The length of the message at `start`, 0 where its prelude is not there yet."""
    if len(raw) - start < PRELUDE.size:
        return 0
    size, headers, checksum = PRELUDE.unpack_from(raw, start)
    if crc32(raw[start : start + PRELUDE.size - CHECKSUM]) != checksum:
        raise _malformed("the checksum of a prelude is wrong")
    if size > LONGEST or headers > LONGEST_HEADERS:
        raise _malformed("a message is too long")
    if size < SHORTEST + headers:
        raise _malformed("a message is shorter than its headers")
    return size


def _frame(raw: bytes) -> Frame:
    if crc32(raw[:-CHECKSUM]) != int.from_bytes(raw[-CHECKSUM:], "big"):
        raise _malformed("the checksum of a message is wrong")
    end = PRELUDE.size + int.from_bytes(raw[4:8], "big")
    try:
        headers = _headers(raw[PRELUDE.size : end])
    except (IndexError, KeyError, struct.error, UnicodeDecodeError):
        raise _malformed("a message's headers cannot be read") from None
    return Frame(headers, raw[end:-CHECKSUM])


def _headers(raw: bytes) -> dict[str, Value]:
    found: dict[str, Value] = {}
    at = 0
    while at < len(raw):
        name, at = _cut(raw, at + 1, raw[at])
        value, at = READERS[raw[at]](raw, at + 1)
        key = name.decode()
        if key in found:
            raise KeyError(key)
        found[key] = value
    return found


Reader: TypeAlias = Callable[[bytes, int], tuple[Value, int]]
"""A value's bytes begin at a place; gives the value and the place behind it."""


def _cut(raw: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(raw):
        raise IndexError
    return raw[at : at + size], at + size


def _number(form: str) -> Reader:
    shape = struct.Struct(form)
    return lambda raw, at: (shape.unpack_from(raw, at)[0], at + shape.size)


def _sized(raw: bytes, at: int) -> tuple[bytes, int]:
    size, at = _cut(raw, at, 2)
    return _cut(raw, at, int.from_bytes(size, "big"))


def _string(raw: bytes, at: int) -> tuple[Value, int]:
    value, at = _sized(raw, at)
    return value.decode(), at


READERS: Mapping[int, Reader] = {
    0: lambda _raw, at: (True, at),
    1: lambda _raw, at: (False, at),
    2: _number("!b"),
    3: _number("!h"),
    4: _number("!i"),
    5: _number("!q"),
    6: _sized,
    7: _string,
    8: _number("!q"),
    9: lambda raw, at: _cut(raw, at, 16),
}
"""How the value of a header is read, by its type's number."""


def _malformed(problem: str) -> Fault:
    return Fault("malformed", problem)
