"""Payloads: JSON, compressed where that pays. The first byte says which."""

from __future__ import annotations

import zlib
from typing import Any

from seatrial.core.identity import encode, loads

PLAIN, DEFLATED = b"\x00", b"\x01"
WORTH_COMPRESSING = 512


def pack(value: Any) -> bytes:
    """The stored bytes of a JSON value; lone surrogates, NaN and huge integers survive."""
    raw = encode(value)
    if len(raw) < WORTH_COMPRESSING:
        return PLAIN + raw
    return DEFLATED + zlib.compress(raw, 1)


def unpack(stored: bytes) -> Any:
    """The value behind stored bytes."""
    raw = stored[1:]
    return loads(raw if stored[:1] == PLAIN else zlib.decompress(raw))
