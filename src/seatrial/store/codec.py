"""Payloads: JSON, compressed where that pays. The first byte says which. The order of keys is kept.

A sealed payload is its open part (its length in 4 bytes, then JSON) and the whole, encrypted with the open part as
associated data. Without the key the open part is what is read.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from seatrial.core.identity import encode, loads

if TYPE_CHECKING:
    from seatrial.core.vault import Vault

PLAIN, DEFLATED, SEALED = b"\x00", b"\x01", b"\x02"
WORTH_COMPRESSING = 512


def pack(value: Any) -> bytes:
    """The stored bytes of a JSON value; lone surrogates, NaN and huge integers survive."""
    return pack_json(encode(value))


def pack_json(raw: bytes) -> bytes:
    """The stored bytes of JSON that is written already."""
    return PLAIN + raw if len(raw) < WORTH_COMPRESSING else DEFLATED + zlib.compress(raw, 1)


def pack_sealed(raw: bytes, beside: Any, vault: Vault) -> bytes:
    """The stored bytes of JSON that is to be read with the key alone; `beside` is its open part."""
    head = encode(beside)
    return SEALED + len(head).to_bytes(4, "big") + head + vault.encrypt(pack_json(raw), head)


def unpack(stored: bytes, vault: Vault | None = None) -> Any:
    """The value behind stored bytes; of a sealed one its open part, unless there is a vault.

    Raises SealKeyError where another key sealed it, SealBrokenError where it was altered.
    """
    if vault is not None and stored[:1] == SEALED:
        head = json_bytes(stored)
        return loads(json_bytes(vault.decrypt(stored[5 + len(head) :], head)))
    return loads(json_bytes(stored))


def json_bytes(stored: bytes) -> bytes:
    """The JSON behind stored bytes, as it was written; of sealed ones the open part."""
    if stored[:1] == SEALED:
        return stored[5 : 5 + int.from_bytes(stored[1:5], "big")]
    return stored[1:] if stored[:1] == PLAIN else zlib.decompress(stored[1:])
