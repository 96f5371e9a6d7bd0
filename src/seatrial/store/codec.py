"""Payloads: canonical JSON, compressed where that pays. The first byte says which."""

from __future__ import annotations

import zlib
from typing import Any

from seatrial.core.identity import canonical, loads, restored

PLAIN, DEFLATED = b"\x00", b"\x01"
WORTH_COMPRESSING = 512
TAGGED = b'"$float"'


def pack(value: Any) -> bytes:
    """The stored bytes of a JSON value; lone surrogates, NaN and huge integers survive."""
    return pack_text(canonical(value))


def pack_text(text: str) -> bytes:
    """The stored bytes of canonical JSON."""
    raw = text.encode("ascii")
    return PLAIN + raw if len(raw) < WORTH_COMPRESSING else DEFLATED + zlib.compress(raw, 1)


def unpack(stored: bytes) -> Any:
    """The value behind stored bytes."""
    raw = stored[1:] if stored[:1] == PLAIN else zlib.decompress(stored[1:])
    value = loads(raw)
    return restored(value) if TAGGED in raw else value
