"""Payloads: JSON, compressed where that pays. The first byte says which. The order of keys is kept."""

from __future__ import annotations

import zlib
from typing import Any

from seatrial.core.identity import encode, loads

PLAIN, DEFLATED = b"\x00", b"\x01"
WORTH_COMPRESSING = 512


def pack(value: Any) -> bytes:
    """The stored bytes of a JSON value; lone surrogates, NaN and huge integers survive."""
    return pack_json(encode(value))


def pack_json(raw: bytes) -> bytes:
    """The stored bytes of JSON that is written already."""
    return PLAIN + raw if len(raw) < WORTH_COMPRESSING else DEFLATED + zlib.compress(raw, 1)


def unpack(stored: bytes) -> Any:
    """The value behind stored bytes."""
    return loads(json_bytes(stored))


def json_bytes(stored: bytes) -> bytes:
    """The JSON behind stored bytes, as it was written."""
    return stored[1:] if stored[:1] == PLAIN else zlib.decompress(stored[1:])
